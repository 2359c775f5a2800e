//! Portuguese.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const PORTUGUESE: Language = Language {
    codes: &["pt"],
    commands: &[
        ("nova linha", Command::NewLine),
        ("novo parágrafo", Command::NewParagraph),
        ("apaga isso", Command::Undo),
        ("apague isso", Command::Undo),
        ("risca isso", Command::Undo),
    ],
    marks: &[
        ("vírgula", close(",")),
        ("ponto", close(".")),
        ("ponto final", close(".")),
        ("ponto de interrogação", close("?")),
        ("ponto de exclamação", close("!")),
        ("dois pontos", close(":")),
        ("ponto e vírgula", close(";")),
        ("reticências", close("…")),
        ("travessão", apart("–")),
        ("hífen", join("-")),
        ("abrir aspas", open("“")),
        ("abre aspas", open("“")),
        ("fechar aspas", close("”")),
        ("fecha aspas", close("”")),
        ("abrir parênteses", open("(")),
        ("abre parênteses", open("(")),
        ("abre parêntese", open("(")),
        ("fechar parênteses", close(")")),
        ("fecha parênteses", close(")")),
        ("fecha parêntese", close(")")),
    ],
    plain: &["ponto de", "em ponto", "a ponto", "ponto por ponto", "ponto fraco", "ponto forte"],
    determiners: "o a os as um uma do da no na ao cada que algum nenhum",
    openers: "eu nós ele ela eles elas você o a os as um uma este esta como olá caro cara",
    small: "a à agora ainda além algo alguém algum alguma amanhã ante antes ao aos apenas após aquela \
            aquele aquilo as às assim até bem cada com como contra da das de dela dele depois desde do \
            dos durante e é ela elas ele eles em então enquanto entre era essa esse está estão este eu \
            foi há hoje isso isto já lá lhe logo mais mas me mesmo meu minha muito na nada não nas nem no \
            nos nós nossa nosso nunca o onde ontem os ou outra outro para pela pelo pois por porém porque \
            portanto qual quando quanto que quem quê são se seja sem sempre ser seu sim só sobre sua \
            também tão tem tenho teu ti todo todos tu tua tudo um uma umas uns vai você vocês",
    abbreviations: "sr sra dr dra exmo etc p.ex núm pág av",
    ..OTHER
};
