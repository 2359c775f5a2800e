//! Polish.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const POLISH: Language = Language {
    codes: &["pl"],
    commands: &[
        ("nowa linia", Command::NewLine),
        ("nowy wiersz", Command::NewLine),
        ("nowy akapit", Command::NewParagraph),
        ("skreśl to", Command::Undo),
        ("wykreśl to", Command::Undo),
    ],
    marks: &[
        ("przecinek", close(",")),
        ("kropka", close(".")),
        ("znak zapytania", close("?")),
        ("pytajnik", close("?")),
        ("wykrzyknik", close("!")),
        ("dwukropek", close(":")),
        ("średnik", close(";")),
        ("wielokropek", close("…")),
        ("myślnik", apart("–")),
        ("łącznik", join("-")),
        ("otwórz cudzysłów", open("„")),
        ("cudzysłów otwierający", open("„")),
        ("zamknij cudzysłów", close("”")),
        ("cudzysłów zamykający", close("”")),
        ("otwórz nawias", open("(")),
        ("nawias otwierający", open("(")),
        ("zamknij nawias", close(")")),
        ("nawias zamykający", close(")")),
    ],
    plain: &["kropka w kropkę", "kropka nad i"],
    determiners: "ten ta każdy każda",
    openers: "ja my ty wy on ona oni one to ten ta jak co dlaczego cześć",
    small: "a aby ale albo ani bardzo bez bo by był była było być chociaż choć ci co coś czy dla dlaczego \
            dlatego do dobrze dopiero dzisiaj dziś gdy gdyby gdzie go i ich im ja jak jako jakie jaki jego \
            jej jednak jest jestem jeszcze jeśli jeżeli już kiedy każdy kto która które który lub ma mam \
            mi między mnie moja moje może mój można musi my na nad nam nas nasz nic nie niż no o od ona \
            one oni ono oraz pan pani po pod podczas ponieważ potem przed przez przy raz również są się \
            skąd sobie tak także tam te tego tej ten też to tobie tu tutaj twój ty tylko tym u w we wczoraj \
            więc wszystko wtedy z za zanim zawsze ze że",
    abbreviations: "np m.in itd itp tzn dr prof ul nr str wg",
    ..OTHER
};
