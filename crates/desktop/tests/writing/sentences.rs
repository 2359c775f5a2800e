//! Sentences that people say, and what becomes of them.

use scriven_desktop::writing::Settings;

use crate::{short, writer, written};

/// With the default settings, where nothing is known of the window.
fn plain(text: &str, language: &str) -> String {
    written(Settings::default(), text, language, None)
}

/// With spoken punctuation.
fn punctuated(text: &str, language: &str) -> String {
    let settings = Settings { spoken_punctuation: true, ..Settings::default() };
    written(settings, text, language, None)
}

fn behind(before: &str, text: &str, language: &str) -> String {
    written(Settings::default(), text, language, Some(before))
}

#[test]
fn ordinary_text_stays_as_it_is() {
    for text in [
        "The period of time is a comma-separated list.",
        "We need a new line of products.",
        "Scratch that itch.",
        "He drew a new line, and then another.",
        "\"I can't,\" she said – 3.5 times (at least)…",
        "It costs $3.50, i.e. 10 % less; see https://example.com/a_b?c=d.",
    ] {
        assert_eq!(plain(text, "en"), text);
    }
    assert_eq!(plain("Comment ça va ? Très bien !", "fr"), "Comment ça va ? Très bien !");
    assert_eq!(plain("  Spaces   around. ", "en"), "Spaces around.");
}

#[test]
fn lines_and_paragraphs_begin_where_the_model_sets_them_off() {
    for (text, expected) in [
        ("New line.", "\n"),
        ("Newline.", "\n"),
        ("New paragraph.", "\n\n"),
        ("Dear John, new line, how are you?", "Dear John\nHow are you?"),
        ("Dear John. New line. How are you?", "Dear John.\nHow are you?"),
        ("Dear John, new-line, how are you?", "Dear John\nHow are you?"),
        ("That is all. New paragraph.", "That is all.\n\n"),
        ("New paragraph. The next one.", "\n\nThe next one."),
        ("Milk, new line, eggs, new line, bread.", "Milk\nEggs\nBread."),
        ("Milk. New line, new line. Eggs.", "Milk.\n\nEggs."),
        ("Milk. New line new line. Eggs.", "Milk.\n\nEggs."),
        ("Ingredients: new line, milk.", "Ingredients:\nMilk."),
        // As Whisper (base) writes it where the pauses are short.
        ("Dear John, Newline, how are you today?", "Dear John\nHow are you today?"),
        (
            "That is all for today, new paragraph the next topic is money.",
            "That is all for today\n\nThe next topic is money.",
        ),
        ("New line the quick brown fox.", "\nThe quick brown fox."),
        (
            "Thank you very much, new paragraph best regards.",
            "Thank you very much\n\nBest regards.",
        ),
        ("Dear John, New Line, how are you?", "Dear John\nHow are you?"),
    ] {
        assert_eq!(plain(text, "en"), expected, "{text}");
    }
}

#[test]
fn what_is_not_set_off_is_no_command() {
    for text in [
        "We need a new line of products, and soon.",
        "Our new line. Of products.",
        "New line of products.",
        "Begin a new paragraph here.",
        "Today, new line items were added.",
        "In short, new line of work, new life.",
        "It is a new line the customers like.",
        "New paragraph styles are available.",
        "I like this new paragraph.",
        "The command new line, or newline, is for new lines.",
        "I told him, scratch that, and he laughed.",
        "He wanted to scratch that.",
        "Scratch that itch, please.",
        "Scratch that from the list.",
        "I told him scratch that and he left.",
        "He had to scratch that the other day.",
        "Can you strike that from the record?",
    ] {
        assert_eq!(plain(text, "en"), text, "{text}");
    }
}

#[test]
fn scratch_that_takes_back() {
    for (text, expected) in [
        ("Scratch that.", "<"),
        ("scratch that", "<"),
        ("Scratch that, scratch that.", "<<"),
        ("Scratch that. I come on Tuesday.", "<I come on Tuesday."),
        ("Scratch that I come on Tuesday.", "<I come on Tuesday."),
        ("I come on Monday, scratch that.", ""),
        ("I come on Monday. Scratch that.", ""),
        ("I come on Monday. Scratch that. Scratch that.", "<"),
        ("New line, scratch that.", ""),
        ("Scratch that, new line.", "<\n"),
    ] {
        assert_eq!(plain(text, "en"), expected, "{text}");
    }
}

#[test]
fn what_follows_scratch_that_fits_what_is_left() {
    let mut writer = writer(Settings::default());
    assert_eq!(short(&writer.write("We meet", "en", Some("Hello, "))), "we meet");
    assert_eq!(short(&writer.write("On Monday.", "en", Some("Hello, we meet"))), " on Monday.");
    let edits = writer.write("Scratch that. On Tuesday.", "en", Some("Hello, we meet on Monday."));
    assert_eq!(short(&edits), "< on Tuesday.");
    let edits = writer.write("Scratch that. Scratch that. See you.", "en", None);
    assert_eq!(short(&edits), "<<See you.");
}

/// A pause inside of a sentence makes an utterance of its own of "new line".
#[test]
fn a_command_that_the_sentence_waits_for_is_none() {
    assert_eq!(behind("We need a", "New line.", "en"), " new line.");
    assert_eq!(behind("We need.", "New line.", "en"), "\n");
}

#[test]
fn commands_are_known_in_eleven_languages() {
    for (language, text, expected) in [
        ("de", "Hallo Anna, neue Zeile, wie geht es dir?", "Hallo Anna\nWie geht es dir?"),
        ("de", "Das war alles. Neuer Absatz.", "Das war alles.\n\n"),
        ("de", "Wir planen eine neue Zeile.", "Wir planen eine neue Zeile."),
        ("de", "Streich das.", "<"),
        ("fr", "Bonjour, à la ligne, ça va ?", "Bonjour\nÇa va ?"),
        ("fr", "Il est passé à la ligne suivante.", "Il est passé à la ligne suivante."),
        ("fr", "Efface ça.", "<"),
        ("es", "Hola. Nueva línea. ¿Qué tal?", "Hola.\n¿Qué tal?"),
        ("es", "Eso es todo. Punto y aparte. Otro tema.", "Eso es todo.\n\nOtro tema."),
        ("it", "Ciao, a capo, come stai?", "Ciao\nCome stai?"),
        ("pt", "Olá. Nova linha. Tudo bem?", "Olá.\nTudo bem?"),
        ("pt-BR", "Novo parágrafo.", "\n\n"),
        ("nl", "Hoi, nieuwe regel, hoe gaat het?", "Hoi\nHoe gaat het?"),
        ("ru", "Привет. Новая строка. Как дела?", "Привет.\nКак дела?"),
        ("ru", "Зачеркни это.", "<"),
        ("pl", "Cześć. Nowy akapit. Co słychać?", "Cześć.\n\nCo słychać?"),
        ("ja", "こんにちは。改行。元気ですか。", "こんにちは。\n元気ですか。"),
        ("ja", "改行してください。", "改行してください。"),
        ("zh", "你好，换行，再见。", "你好\n再见。"),
        ("zh", "这里需要换行。", "这里需要换行。"),
    ] {
        assert_eq!(plain(text, language), expected, "{text}");
    }
    assert_eq!(plain("New line.", "xx"), "New line.");
    assert_eq!(plain("New line.", "de"), "New line.");
}

#[test]
fn marks_are_words_unless_they_are_asked_for() {
    assert_eq!(plain("Yes comma no period", "en"), "Yes comma no period");
    assert_eq!(punctuated("Yes comma no period", "en"), "Yes, no.");
}

#[test]
fn spoken_marks_take_the_models_punctuation_along() {
    for (text, expected) in [
        ("Hello, comma, how are you, question mark.", "Hello, how are you?"),
        ("Hello comma How are you. Question mark.", "Hello, how are you?"),
        ("I went home. Period. Then I slept. Full stop.", "I went home. Then I slept."),
        ("I went home period then I slept", "I went home. Then I slept"),
        ("He said open quote hello close quote period", "He said \"hello\"."),
        ("Some open parenthesis very close parenthesis old men", "Some (very) old men"),
        ("A well hyphen known fact dash or not", "A well-known fact – or not"),
        ("One semicolon two colon three ellipsis", "One; two: three…"),
        ("Dear John comma new line how are you period", "Dear John,\nHow are you."),
        ("Yes exclamation mark", "Yes!"),
    ] {
        assert_eq!(punctuated(text, "en"), expected, "{text}");
    }
}

#[test]
fn a_marks_word_may_be_a_word() {
    for text in [
        "The period of time is long.",
        "I need a comma separated list.",
        "Add a question mark here.",
        "The grace period ends.",
        "A dash of salt.",
        "Period drama is back.",
        "Colon cancer is treatable.",
        "Your full stop is missing.",
        "Commas and periods.",
    ] {
        assert_eq!(punctuated(text, "en"), text, "{text}");
    }
    for (language, text) in [
        ("de", "Der Punkt ist wichtig."),
        ("fr", "Le point de vue change."),
        ("es", "Son las tres en punto."),
        ("it", "Il punto di vista cambia."),
        ("ru", "Моя точка зрения другая."),
        ("zh", "加一个逗号。"),
        ("ja", "句読点を打つ。"),
    ] {
        assert_eq!(punctuated(text, language), text, "{text}");
    }
}

#[test]
fn marks_are_those_of_the_language() {
    for (language, text, expected) in [
        ("de", "Hallo Komma wie geht es dir Fragezeichen", "Hallo, wie geht es dir?"),
        ("de", "Er sagte Anführungszeichen auf ja Anführungszeichen zu Punkt", "Er sagte „ja“."),
        ("fr", "Ça va point d'interrogation", "Ça va\u{a0}?"),
        (
            "fr",
            "Il dit ouvrir les guillemets oui fermer les guillemets",
            "Il dit «\u{a0}oui\u{a0}»",
        ),
        ("es", "Abrir interrogación qué tal cerrar interrogación", "¿Qué tal?"),
        ("es", "Hola punto y coma adiós punto", "Hola; adiós."),
        ("it", "Ciao virgola come stai punto interrogativo", "Ciao, come stai?"),
        ("pt", "Olá vírgula tudo bem ponto de interrogação", "Olá, tudo bem?"),
        ("nl", "Hallo komma hoe gaat het vraagteken", "Hallo, hoe gaat het?"),
        ("ru", "Привет запятая как дела вопросительный знак", "Привет, как дела?"),
        ("pl", "Cześć przecinek co słychać znak zapytania", "Cześć, co słychać?"),
        ("ja", "こんにちは読点元気ですか疑問符", "こんにちは、元気ですか？"),
        ("zh", "你好逗号世界句号", "你好，世界。"),
    ] {
        assert_eq!(punctuated(text, language), expected, "{text}");
    }
}

#[test]
fn a_mark_may_begin_what_follows_a_pause() {
    let settings = || Settings { spoken_punctuation: true, ..Settings::default() };
    let behind = |before: &str, text: &str| written(settings(), text, "en", Some(before));
    assert_eq!(behind("I went home", "Comma and then I slept."), ", and then I slept.");
    assert_eq!(behind("I went home", "Period."), ".");
    assert_eq!(behind("I went home.", "Period drama."), " Period drama.");
    assert_eq!(behind("This is the", "Period."), " period.");
}

#[test]
fn text_fits_what_stands_before_the_cursor() {
    for (before, text, expected) in [
        ("", "Hello there.", "Hello there."),
        ("", "hello there.", "Hello there."),
        ("We all", "Went home.", " went home."),
        ("We all ", "Went home.", "went home."),
        ("Done.", "then we left.", " Then we left."),
        ("Done.\n", "then we left.", "Then we left."),
        ("He knows that", "I was there.", " I was there."),
        ("He knows that", "I'm here.", " I'm here."),
        ("He knows", "John Smith.", " John Smith."),
        ("He works for", "NASA.", " NASA."),
        ("We met on", "Monday.", " Monday."),
        ("The (", "Very old.", "Very old."),
        ("well-", "known", "known"),
        ("He said \"", "Hello.", "Hello."),
        ("e.g.", "Apples", " Apples"),
        ("Is it", ", no?", ", no?"),
        ("one", "– Two", " – two"),
    ] {
        assert_eq!(behind(before, text, "en"), expected, "{before:?} {text:?}");
    }
    assert_eq!(behind("Ich sehe", "Hunde und Katzen.", "de"), " Hunde und Katzen.");
    assert_eq!(behind("Ich sehe", "Und höre.", "de"), " und höre.");
    assert_eq!(behind("Je vois", "L'homme.", "fr"), " l'homme.");
    assert_eq!(behind("你好，", "世界。", "zh"), "世界。");
    assert_eq!(behind("สวัสดี", "ครับ", "th"), "ครับ");
    assert_eq!(behind("안녕", "하세요", "ko"), " 하세요");
}

#[test]
fn names_of_the_vocabulary_keep_their_case() {
    let settings = || Settings {
        vocabulary: vec!["Scriven".into(), "Grace Hopper".into(), "npm".into()],
        ..Settings::default()
    };
    let behind = |before: &str, text: &str| written(settings(), text, "en", Some(before));
    assert_eq!(behind("I use", "Scriven daily."), " Scriven daily.");
    assert_eq!(behind("I know", "Grace Hopper."), " Grace Hopper.");
    assert_eq!(behind("with", "Grace and ease."), " grace and ease.");
    assert_eq!(behind("I use", "Npm daily."), " npm daily.");
    assert_eq!(behind("Done.", "npm install."), " npm install.");
}

#[test]
fn what_was_written_last_stands_in_for_a_window_that_tells_nothing() {
    let mut writer = writer(Settings::default());
    assert_eq!(short(&writer.write("We all", "en", None)), "We all");
    assert_eq!(writer.preview("Went home", "en", None), " went home");
    assert_eq!(short(&writer.write("Went home.", "en", None)), " went home.");
    assert_eq!(short(&writer.write("New line.", "en", None)), "\n");
    assert_eq!(short(&writer.write("then we slept", "en", None)), "Then we slept");
    writer.forget();
    assert_eq!(short(&writer.write("then we ate", "en", None)), "then we ate");
}

#[test]
fn a_preview_carries_out_no_command() {
    let writer = writer(Settings { spoken_punctuation: true, ..Settings::default() });
    assert_eq!(writer.preview("Scratch that.", "en", None), "Scratch that.");
    assert_eq!(writer.preview("Yes comma no. New line.", "en", Some("a")), " yes, no. New line.");
}

/// A line end sends messages and runs programs.
#[test]
fn no_control_character_comes_from_the_model() {
    assert_eq!(plain("rm\n-rf\u{1b}[2J\u{0}\r\n", "en"), "rm -rf [2J");
}

/// A hook rewrites texts on their way; what is in the window then is what counts.
#[test]
fn what_became_of_a_text_is_remembered_in_its_place() {
    let mut writer = writer(Settings::default());
    assert_eq!(short(&writer.write("We left", "en", None)), "We left");
    writer.corrected("We left.");
    assert_eq!(short(&writer.write("then it rained", "en", None)), " Then it rained");
    writer.corrected("");
    assert_eq!(short(&writer.write("Then it snowed", "en", None)), " Then it snowed");
    let edits = writer.write("Scratch that. It was hot", "en", Some("We left. Then it snowed"));
    assert_eq!(short(&edits), "< It was hot");
}

#[test]
fn what_was_said_is_not_in_what_a_log_would_show() {
    let mut writer = writer(Settings::default());
    assert_eq!(short(&writer.write("a secret", "en", None)), "a secret");
    assert!(!format!("{writer:?}").contains("secret"));
}
