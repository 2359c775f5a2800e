//! What the user may ask for, and what becomes of it.

use std::time::Instant;

use scriven_desktop::writing::{Capitals, Command, Settings, Writer};

use crate::{replacing, short, writer, written};

#[test]
fn replacements_are_whole_words_in_any_case_the_longest_first() {
    let settings = || {
        replacing(&[
            ("new york", "NY"),
            ("new york city", "NYC"),
            ("cat", "dog"),
            ("dog", "cat"),
            ("btw", "by the way"),
            ("see sharp", "C#"),
            ("e mail", "e-mail"),
            ("straße", "Str."),
        ])
    };
    let replaced = |text: &str| written(settings(), text, "en", None);
    for (text, expected) in [
        ("New York City and new york", "NYC and NY"),
        ("New-York.", "NY."),
        ("The cat and the dog.", "The dog and the cat."),
        ("Concatenate cats.", "Concatenate cats."),
        ("Cat videos.", "Dog videos."),
        ("BTW, no. Btw, yes. I said btw.", "By the way, no. By the way, yes. I said by the way."),
        ("See sharp, e-mail, STRASSE, Straße.", "C#, e-mail, STRASSE, Str.."),
    ] {
        assert_eq!(replaced(text), expected, "{text}");
    }
}

#[test]
fn what_is_written_instead_may_hold_lines_or_nothing() {
    let settings = || {
        replacing(&[
            ("next item", "\n- "),
            ("tab key", "\t"),
            ("um", ""),
            ("my signature", "Best,\nAnna"),
            ("slash", "/"),
            ("strudel", "@"),
        ])
    };
    let replaced = |text: &str| written(settings(), text, "en", None);
    for (text, expected) in [
        ("Milk next item eggs", "Milk\n- eggs"),
        ("a tab key b", "a\tb"),
        ("I um think.", "I think."),
        ("I, um, think.", "I think."),
        ("Um, we think.", "We think."),
        ("So, um. Um, no.", "So. No."),
        ("Um.", "."),
        ("Bye. My signature", "Bye. Best,\nAnna"),
    ] {
        assert_eq!(replaced(text), expected, "{text}");
    }
}

#[test]
fn a_mark_that_is_written_instead_stands_close() {
    let settings = replacing(&[("comma", ","), ("open bracket", "["), ("close bracket", "]")]);
    let text = "Yes, comma, no open bracket maybe close bracket.";
    assert_eq!(written(settings, text, "en", None), "Yes, no [maybe]");
}

#[test]
fn own_commands_are_carried_out_in_every_language() {
    let settings = || Settings {
        own_commands: vec![
            ("ny rad".into(), Command::NewLine),
            ("stryk det".into(), Command::Undo),
        ],
        ..Settings::default()
    };
    assert_eq!(written(settings(), "Hej. Ny rad. Hur är det?", "sv", None), "Hej.\nHur är det?");
    assert_eq!(written(settings(), "Stryk det.", "sv", None), "<");
    let off = Settings { commands: false, ..settings() };
    assert_eq!(written(off, "New line. Ny rad.", "en", None), "New line.\n");
}

#[test]
fn the_options_do_what_they_say() {
    let spaced = Settings { trailing_space: true, ..Settings::default() };
    let mut writer: Writer = writer(spaced.clone());
    assert_eq!(short(&writer.write("One.", "en", None)), "One. ");
    assert_eq!(short(&writer.write("Two.", "en", None)), "Two. ");
    assert_eq!(written(spaced, "你好。", "zh", None), "你好。");

    let search = || Settings { no_period_up_to: 3, ..Settings::default() };
    let short_text = |text: &str| written(search(), text, "en", None);
    assert_eq!(short_text("Cheap flights."), "Cheap flights");
    assert_eq!(short_text("Cheap flights to Rome."), "Cheap flights to Rome.");
    assert_eq!(short_text("Really?"), "Really?");
    assert_eq!(short_text("Well..."), "Well...");
    assert_eq!(short_text("Shoes etc."), "Shoes etc.");

    let code = Settings {
        capitals: Capitals::None,
        model_punctuation: false,
        replacements: vec![("get user".into(), "getUser".into())],
        ..Settings::default()
    };
    let text = "Call \"get user\", then print the User's e-mail at 3.5 %. OK?";
    assert_eq!(
        written(code, text, "en", Some("x")),
        " call getUser then print the user's e-mail at 3.5 % ok"
    );
    let heard = Settings { capitals: Capitals::AsHeard, ..Settings::default() };
    assert_eq!(written(heard, "Went home.", "en", Some("We all")), " Went home.");
}

/// What it costs: `cargo test -p scriven-desktop --test writing -- --ignored --nocapture`.
#[test]
#[ignore = "prints a time, which depends on the machine"]
fn two_hundred_words_with_a_thousand_replacements() {
    let phrase = |at: usize| (format!("word{at} and another"), format!("phrase {at}"));
    let single = |at: usize| (format!("name{at}"), format!("Name-{at}"));
    let replacements = (0..500).map(phrase).chain((0..500).map(single)).collect();
    let settings = Settings { replacements, spoken_punctuation: true, ..Settings::default() };
    let begin = Instant::now();
    let mut writer: Writer = writer(settings);
    println!("rules made in {:?}", begin.elapsed());
    let text = "Word7 and another name8 went home, comma, and then there was one. ".repeat(17);
    assert!((200..=220).contains(&text.split_whitespace().count()));
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            let begin = Instant::now();
            assert!(!writer.write(&text, "en", Some("Before. ")).is_empty());
            begin.elapsed()
        })
        .collect();
    times.sort();
    println!("written in {:?} (median of 200), {:?} at worst", times[100], times[199]);
}
