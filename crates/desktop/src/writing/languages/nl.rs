//! Dutch.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const DUTCH: Language = Language {
    codes: &["nl"],
    commands: &[
        ("nieuwe regel", Command::NewLine),
        ("nieuwe alinea", Command::NewParagraph),
        ("nieuwe paragraaf", Command::NewParagraph),
        ("schrap dat", Command::Undo),
    ],
    marks: &[
        ("komma", close(",")),
        ("punt", close(".")),
        ("vraagteken", close("?")),
        ("uitroepteken", close("!")),
        ("dubbele punt", close(":")),
        ("puntkomma", close(";")),
        ("punt komma", close(";")),
        ("beletselteken", close("…")),
        ("drie puntjes", close("…")),
        ("gedachtestreepje", apart("–")),
        ("koppelteken", join("-")),
        ("aanhalingstekens openen", open("“")),
        ("aanhalingsteken openen", open("“")),
        ("aanhalingstekens sluiten", close("”")),
        ("aanhalingsteken sluiten", close("”")),
        ("haakje openen", open("(")),
        ("haakjes openen", open("(")),
        ("haakje sluiten", close(")")),
        ("haakjes sluiten", close(")")),
    ],
    plain: &["punt van", "op het punt", "punt voor punt"],
    determiners: "de een elk ieder mijn jouw onze geen",
    openers: "ik wij we hij zij ze jij je u de het een dit deze mijn onze hoe wat waarom hallo \
              beste",
    small: "aan al alle alles als altijd andere ben bij binnen daar daarna daarom dan dat de deze die \
            dit doch door dus een eens eerst elke en er even geen gisteren had hadden heb hebben heeft \
            heel hem het hier hij hoe hun iets ik in is ja je jij jullie kan kon kunnen laat maar mag me \
            meer men met mij mijn misschien moest moet morgen na naar nee niet niets nog nooit nu of om \
            omdat onder ons onze ook op over s te tegen terwijl toch toen tot tussen u uit van vandaag \
            vanuit veel volgens voor waar waarom wanneer want waren was wat we weer wel welke werd wie \
            wij wil worden wordt zal ze zeer zelf zich zij zijn zo zoals zodat zonder zou zouden",
    abbreviations: "dhr mevr dr prof bijv enz ca nr blz o.a d.w.z",
    ..OTHER
};
