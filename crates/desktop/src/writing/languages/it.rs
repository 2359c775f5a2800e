//! Italian.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const ITALIAN: Language = Language {
    codes: &["it"],
    commands: &[
        ("nuova riga", Command::NewLine),
        ("a capo", Command::NewLine),
        ("nuovo paragrafo", Command::NewParagraph),
        ("cancella questo", Command::Undo),
        ("cancella quello", Command::Undo),
    ],
    marks: &[
        ("virgola", close(",")),
        ("punto", close(".")),
        ("punto fermo", close(".")),
        ("punto interrogativo", close("?")),
        ("punto di domanda", close("?")),
        ("punto esclamativo", close("!")),
        ("due punti", close(":")),
        ("punto e virgola", close(";")),
        ("puntini di sospensione", close("…")),
        ("tre puntini", close("…")),
        ("lineetta", apart("–")),
        ("trattino", join("-")),
        ("apri virgolette", open("«")),
        ("aperte virgolette", open("«")),
        ("chiudi virgolette", close("»")),
        ("chiuse virgolette", close("»")),
        ("apri parentesi", open("(")),
        ("aperta parentesi", open("(")),
        ("chiudi parentesi", close(")")),
        ("chiusa parentesi", close(")")),
    ],
    plain: &["punto di", "in punto", "a punto", "punto per punto"],
    determiners: "il lo la i gli le un una al nel sul del quel ogni che qualche",
    openers: "io noi lui lei loro il lo la i gli le un una questo questa come perché ciao caro \
              cara",
    small: "a ad adesso ai al alla alle allo altro anche ancora anzi appena avere bene c'è che chi ci \
            ciò come con così cosa cui da dai dal dalla dei del della delle dello di domani dopo dove \
            dunque e è ecco ed era essere fa fino forse fra già gli ha hai hanno ho i ieri il in infatti \
            insieme invece io l'ho la le lei li lo loro lui ma mai me mentre mi mia mio molto nei nel \
            nella nelle nemmeno neppure nessuno no noi non nostra nostro o oggi ogni oltre oppure ora per \
            perché perciò però più poco poi prima proprio qua qual quale quando quanto quasi quella \
            quello questa questi questo qui quindi se sei sempre senza si sì sia solo sono sopra sotto \
            sta su sua sui sul sulla suo tra troppo tu tua tuo tutti tutto un un'altra una uno vi voi",
    abbreviations: "sig sig.ra dott prof ecc es pag",
    elides: true,
    ..OTHER
};
