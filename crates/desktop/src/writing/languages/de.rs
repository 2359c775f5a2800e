//! German.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const GERMAN: Language = Language {
    codes: &["de"],
    commands: &[
        ("neue Zeile", Command::NewLine),
        ("nächste Zeile", Command::NewLine),
        ("neuer Absatz", Command::NewParagraph),
        ("nächster Absatz", Command::NewParagraph),
        ("streich das", Command::Undo),
        ("streiche das", Command::Undo),
    ],
    marks: &[
        ("Komma", close(",")),
        ("Punkt", close(".")),
        ("Fragezeichen", close("?")),
        ("Ausrufezeichen", close("!")),
        ("Rufzeichen", close("!")),
        ("Doppelpunkt", close(":")),
        ("Semikolon", close(";")),
        ("Strichpunkt", close(";")),
        ("drei Punkte", close("…")),
        ("Auslassungspunkte", close("…")),
        ("Gedankenstrich", apart("–")),
        ("Bindestrich", join("-")),
        ("Anführungszeichen auf", open("„")),
        ("Anführungszeichen unten", open("„")),
        ("Anführungszeichen zu", close("“")),
        ("Anführungszeichen oben", close("“")),
        ("Klammer auf", open("(")),
        ("Klammer zu", close(")")),
    ],
    plain: &["Punkt für Punkt", "Punkt um", "springende Punkt", "wunder Punkt", "toter Punkt"],
    determiners: "der den dem des ein eine einen einem einer eines kein keine keinen mein meinen \
                  dein deinen unser unseren euer jeder jeden jedem diesem dieser diesen",
    openers: "ich wir er sie es du ihr der die das ein eine mein unser dies diese wie was \
              warum wer bitte liebe lieber hallo",
    small: "aber alle allem allen aller alles als also am an auch auf aus außerdem bei beim bevor bin \
            bis bist bitte da dabei dadurch dafür damit danach dann daran darauf darin darum das dass \
            dazu dein deine dem den denn der deren des deshalb dessen deswegen die dies diese diesem \
            diesen dieser dieses doch dort du durch ein eine einem einen einer eines er es etwas euch \
            euer für gegen genau gestern haben hat hatte hätte heute hier hinter ich ihm ihn im immer \
            in ins ist ja jede jedem jeden jeder jedes jedoch jetzt kann kein keine können könnte \
            man manchmal mein meine mich mir mit morgen muss nach nachdem natürlich neben nein nicht \
            nichts noch nun nur ob oben oder ohne schon sehr sein seine seit selbst sich sind so sobald \
            solche soll sollte sondern sonst trotzdem über um und uns unser unter viel viele vielleicht \
            vom von vor wann war waren wäre warum was weg weil welche wenn wer werden wie wieder will \
            wir wird wo wurde würde zu zum zur zwar zwischen",
    abbreviations: "z.b d.h u.a bzw usw etc ca dr prof nr str hr fr vgl evtl ggf inkl",
    nouns_are_capital: true,
    ..OTHER
};
