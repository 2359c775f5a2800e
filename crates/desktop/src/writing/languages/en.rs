//! English.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const ENGLISH: Language = Language {
    codes: &["en"],
    commands: &[
        ("new line", Command::NewLine),
        ("newline", Command::NewLine),
        ("new paragraph", Command::NewParagraph),
        ("scratch that", Command::Undo),
        ("strike that", Command::Undo),
    ],
    marks: &[
        ("comma", close(",")),
        ("period", close(".")),
        ("full stop", close(".")),
        ("question mark", close("?")),
        ("exclamation mark", close("!")),
        ("exclamation point", close("!")),
        ("colon", close(":")),
        ("semicolon", close(";")),
        ("ellipsis", close("…")),
        ("dot dot dot", close("…")),
        ("dash", apart("–")),
        ("em dash", join("—")),
        ("hyphen", join("-")),
        ("open quote", open("\"")),
        ("open quotes", open("\"")),
        ("close quote", close("\"")),
        ("close quotes", close("\"")),
        ("end quote", close("\"")),
        ("open paren", open("(")),
        ("open parenthesis", open("(")),
        ("open parentheses", open("(")),
        ("close paren", close(")")),
        ("close parenthesis", close(")")),
        ("close parentheses", close(")")),
    ],
    plain: &[
        "comma separated",
        "comma splice",
        "oxford comma",
        "serial comma",
        "period of",
        "period piece",
        "period drama",
        "period costume",
        "grace period",
        "notice period",
        "probation period",
        "time period",
        "trial period",
        "waiting period",
        "colon cancer",
        "dash of",
        "mad dash",
    ],
    determiners: "a an the my your our their every its whose",
    openers: "the a an i i'm i'll i've we we're he she they it it's this these there my your \
              our how what why let's please thank thanks best kind yours dear hello hi",
    small: "a about after again all also although always an and any anyway are as at be because \
            been before being both but by can could did do does during each either every first for \
            from had has have having he her here hers him his how however if in instead into is it \
            its just last later let let's like many maybe me more most much my never next no not \
            now of often on once one only or other our perhaps please she should since so some \
            sometimes still such than that that's the their them then there there's therefore these \
            they they're this those though through to today tomorrow too under unless until up us \
            very was we we're were what when where whether which while who whose why with within \
            without would yes yesterday yet you you're your",
    // May and March are months less often than not.
    capital: "i i'm i'll i've i'd monday tuesday wednesday thursday friday saturday sunday january \
              february april june july august september october november december english german \
              french spanish italian dutch russian polish chinese japanese american british european",
    abbreviations: "mr mrs ms dr prof st vs etc e.g i.e inc ltd approx dept jr sr",
    ..OTHER
};
