//! Spanish.

use super::{Command, Language, OTHER, apart, close, join, open};

pub(super) const SPANISH: Language = Language {
    codes: &["es"],
    commands: &[
        ("nueva línea", Command::NewLine),
        ("salto de línea", Command::NewLine),
        ("nuevo párrafo", Command::NewParagraph),
        ("punto y aparte", Command::NewParagraph),
        ("borra eso", Command::Undo),
        ("tacha eso", Command::Undo),
    ],
    marks: &[
        ("coma", close(",")),
        ("punto", close(".")),
        ("punto final", close(".")),
        ("punto y seguido", close(".")),
        ("abrir interrogación", open("¿")),
        ("abre interrogación", open("¿")),
        ("abrir signo de interrogación", open("¿")),
        ("signo de interrogación", close("?")),
        ("cerrar interrogación", close("?")),
        ("cierra interrogación", close("?")),
        ("cerrar signo de interrogación", close("?")),
        ("abrir exclamación", open("¡")),
        ("abre exclamación", open("¡")),
        ("abrir signo de exclamación", open("¡")),
        ("signo de exclamación", close("!")),
        ("cerrar exclamación", close("!")),
        ("cierra exclamación", close("!")),
        ("cerrar signo de exclamación", close("!")),
        ("dos puntos", close(":")),
        ("punto y coma", close(";")),
        ("puntos suspensivos", close("…")),
        ("raya", apart("–")),
        ("guion", join("-")),
        ("guión", join("-")),
        ("abrir comillas", open("«")),
        ("abre comillas", open("«")),
        ("cerrar comillas", close("»")),
        ("cierra comillas", close("»")),
        ("abrir paréntesis", open("(")),
        ("abre paréntesis", open("(")),
        ("cerrar paréntesis", close(")")),
        ("cierra paréntesis", close(")")),
    ],
    plain: &["punto de", "en punto", "a punto", "hasta cierto punto", "en coma", "estado de coma"],
    determiners: "el la los las un una al del cada mi tu su que algún ningún",
    openers: "yo nosotros él ella ellos usted el la los las un una este esta mi nuestro cómo \
              qué hola querido querida",
    small: "a además ahora al algo alguien algún ante antes aquel aquí así aun aún aunque ayer bajo \
            bien cada casi como cómo con contra cual cuál cuando cuándo de del desde después donde dónde \
            durante e el él ella ellas ellos en entonces entre era es esa ese eso esta está estaba están \
            este esto estoy fue ha hace hacia han hasta hay hoy incluso la las le les lo los luego mañana \
            más me mi mientras mis muy nada ni no nos nosotros nuestra nuestro nunca o otra otro para \
            pero poco por porque pues que qué quien quién quizás se según ser si sí siempre sin sino \
            sobre solo sólo son soy su sus también tampoco tan te tiene todavía todo todos tu tú tus \
            un una unas uno unos usted ustedes y ya yo",
    abbreviations: "sr sra srta dr dra ud uds etc p.ej núm pág",
    ..OTHER
};
