//! Chinese, in short and in long characters; Cantonese.

use super::{Command, Language, OTHER, close, open};

pub(super) const CHINESE: Language = Language {
    codes: &["zh", "yue"],
    commands: &[
        ("换行", Command::NewLine),
        ("換行", Command::NewLine),
        ("另起一行", Command::NewLine),
        ("新段落", Command::NewParagraph),
        ("另起一段", Command::NewParagraph),
        ("删掉这句", Command::Undo),
        ("刪掉這句", Command::Undo),
        ("划掉这句", Command::Undo),
    ],
    marks: &[
        ("逗号", close("，")),
        ("逗號", close("，")),
        ("句号", close("。")),
        ("句號", close("。")),
        ("问号", close("？")),
        ("問號", close("？")),
        ("感叹号", close("！")),
        ("感嘆號", close("！")),
        ("冒号", close("：")),
        ("冒號", close("：")),
        ("分号", close("；")),
        ("分號", close("；")),
        ("顿号", close("、")),
        ("頓號", close("、")),
        ("省略号", close("……")),
        ("省略號", close("……")),
        ("破折号", close("——")),
        ("破折號", close("——")),
        ("左引号", open("“")),
        ("左引號", open("“")),
        ("右引号", close("”")),
        ("右引號", close("”")),
        ("左括号", open("（")),
        ("左括號", open("（")),
        ("右括号", close("）")),
        ("右括號", close("）")),
    ],
    plain: &["逗号分隔", "分号分隔", "冒号分隔"],
    determiners: "个 個",
    ..OTHER
};
