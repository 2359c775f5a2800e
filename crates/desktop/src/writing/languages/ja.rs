//! Japanese. No word border tells まる, "full stop", from the end of はじまる: what is written in
//! hiragana alone is left out where it is part of common words.

use super::{Command, Language, OTHER, close, open};

pub(super) const JAPANESE: Language = Language {
    codes: &["ja"],
    commands: &[
        ("改行", Command::NewLine),
        ("次の行", Command::NewLine),
        ("新しい段落", Command::NewParagraph),
        ("次の段落", Command::NewParagraph),
        ("今の取り消し", Command::Undo),
        ("今のなし", Command::Undo),
    ],
    marks: &[
        ("読点", close("、")),
        ("句点", close("。")),
        ("疑問符", close("？")),
        ("はてなマーク", close("？")),
        ("クエスチョンマーク", close("？")),
        ("感嘆符", close("！")),
        ("びっくりマーク", close("！")),
        ("ビックリマーク", close("！")),
        ("コロン", close("：")),
        ("セミコロン", close("；")),
        ("三点リーダー", close("…")),
        ("中黒", close("・")),
        ("鍵括弧", open("「")),
        ("カギカッコ", open("「")),
        ("鍵括弧閉じ", close("」")),
        ("カギカッコ閉じ", close("」")),
        ("カギカッコ閉じる", close("」")),
        ("括弧", open("（")),
        ("カッコ", open("（")),
        ("括弧閉じ", close("）")),
        ("カッコ閉じ", close("）")),
        ("カッコ閉じる", close("）")),
    ],
    plain: &["句読点"],
    ..OTHER
};
