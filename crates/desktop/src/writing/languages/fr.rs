//! French. Marks of two parts are set off by a space that does not break.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const FRENCH: Language = Language {
    codes: &["fr"],
    commands: &[
        ("nouvelle ligne", Command::NewLine),
        ("à la ligne", Command::NewLine),
        ("retour à la ligne", Command::NewLine),
        ("nouveau paragraphe", Command::NewParagraph),
        ("efface ça", Command::Undo),
        ("effacer ça", Command::Undo),
        ("efface cela", Command::Undo),
    ],
    marks: &[
        ("virgule", close(",")),
        ("point", close(".")),
        ("point final", close(".")),
        ("point d'interrogation", close("\u{a0}?")),
        ("point d'exclamation", close("\u{a0}!")),
        ("deux points", close("\u{a0}:")),
        ("point virgule", close("\u{a0};")),
        ("points de suspension", close("…")),
        ("trois petits points", close("…")),
        ("tiret", apart("–")),
        ("trait d'union", join("-")),
        ("ouvrir les guillemets", open("«\u{a0}")),
        ("ouvrez les guillemets", open("«\u{a0}")),
        ("ouvrir guillemets", open("«\u{a0}")),
        ("fermer les guillemets", close("\u{a0}»")),
        ("fermez les guillemets", close("\u{a0}»")),
        ("fermer guillemets", close("\u{a0}»")),
        ("ouvrir la parenthèse", open("(")),
        ("ouvrez la parenthèse", open("(")),
        ("ouvrir parenthèse", open("(")),
        ("fermer la parenthèse", close(")")),
        ("fermez la parenthèse", close(")")),
        ("fermer parenthèse", close(")")),
    ],
    plain: &[
        "point de",
        "point d'eau",
        "point d'appui",
        "point commun",
        "point faible",
        "point fort",
        "point par point",
        "à point",
        "deux points de",
    ],
    determiners: "le la les un une des ce cet cette mon ma ton ta son sa notre votre leur chaque \
                  quel quelle au du aucun aucune",
    openers: "je j'ai nous vous il elle ils elles on le la les un une ce c'est mon ma mes \
              notre comment pourquoi cher chère bonjour",
    small: "à afin ai ainsi alors après au aucun aujourd'hui aussi autre aux avait avant avec avez \
            bien c'est car ce ceci cela celle celui ces cet cette ceux chaque chez comme comment \
            d'abord dans de demain depuis des dès donc dont du elle elles en encore enfin ensuite est \
            et était être eux font hier ici il ils j'ai je jusque la là le les leur leurs lui ma mais \
            mes moi mon même ne ni non nos notre nous on ont ou où oui par parce parfois pas peut plus \
            pour pourquoi puis qu'il quand que quel quelle quelque qui quoi sa sans se sera ses seulement \
            si son sont sous souvent sur ta te tes toi ton toujours tous tout toute toutefois très tu un \
            une vers voici voilà vos votre vous y",
    abbreviations: "m mme mlle dr p.ex etc env",
    elides: true,
    ..OTHER
};
