//! What holds for every text.

use proptest::collection::vec;
use proptest::prelude::*;
use scriven_desktop::writing::{Capitals, Command, Edit, Rules, Settings, Writer};
use unicode_segmentation::UnicodeSegmentation;

use crate::{short, writer};

/// Words that mean something to the writer, among others, and all signs there are.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-zA-Z]{1,6}",
        "\\PC{1,4}",
        proptest::sample::select(vec![
            "new line",
            "New paragraph.",
            "scratch that",
            ", comma,",
            "period",
            "open quote",
            "um",
            "I",
            "John",
            "é",
            "e\u{301}",
            "👩‍👩‍👧",
            "🇩🇪",
            "你好",
            "改行",
            "นำ",
            "ß",
            "İ",
            "...",
            "\"",
            "(",
            "Punkt",
            "neue Zeile",
            "точка",
            "à la ligne",
            "\u{a0}",
            "-",
            "–",
            "\n",
            "\u{200d}",
        ])
        .prop_map(str::to_owned),
    ];
    let gap = proptest::sample::select(vec![" ", "", ", ", ". ", "  "]);
    vec((word, gap), 0..16).prop_map(|parts| {
        parts.into_iter().flat_map(|(word, gap)| [word, gap.to_owned()]).collect()
    })
}

fn language() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["en", "de", "fr", "es", "ru", "ja", "zh", "tr", "th", "xx", ""])
}

fn before() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text())
}

fn settings() -> impl Strategy<Value = Settings> {
    let spoken = prop_oneof!["[a-z]{1,3}", "[a-z]{1,3} [a-z]{1,3}", Just("um".to_owned())];
    let written = prop_oneof!["", "[ -~]{0,20}", "\\PC{0,20}", Just("\n".to_owned())];
    let capitals = prop_oneof![Just(Capitals::Fit), Just(Capitals::AsHeard), Just(Capitals::None)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (vec((spoken, written), 0..6), vec("[a-zA-Z]{1,6}", 0..4), capitals, flags, 0..4_usize)
        .prop_map(
            |(
                replacements,
                vocabulary,
                capitals,
                (marks, model, space, commands),
                no_period_up_to,
            )| {
                Settings {
                    replacements,
                    vocabulary,
                    commands,
                    own_commands: vec![("do it".into(), Command::Undo)],
                    spoken_punctuation: marks,
                    model_punctuation: model,
                    capitals,
                    trailing_space: space,
                    no_period_up_to,
                }
            },
        )
}

fn inserted(edits: &[Edit]) -> String {
    short(edits).trim_start_matches('<').to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever is said, and however often: no panic, and never more text than is allowed.
    #[test]
    fn the_text_is_bounded(
        settings in settings(), texts in vec(text(), 1..4), language in language(), told in before(),
    ) {
        let mut writer = Writer::new(Rules::new(settings).unwrap());
        for text in texts {
            let bound = 16 * text.len() + 4_096;
            prop_assert!(writer.preview(&text, language, told.as_deref()).len() <= bound);
            let edits = writer.write(&text, language, told.as_deref());
            prop_assert!(inserted(&edits).len() <= bound);
            let inserts = edits.iter().filter(|edit| matches!(edit, Edit::Insert(_))).count();
            prop_assert!(inserts <= 1);
            prop_assert!(!edits.contains(&Edit::Insert(String::new())));
        }
    }

    /// Where commands are off, what is shown is what is inserted.
    #[test]
    fn a_preview_without_commands_is_what_is_written(
        settings in settings(), text in text(), language in language(), told in before(),
    ) {
        let settings = Settings { commands: false, own_commands: vec![], ..settings };
        let mut writer = writer(settings);
        let preview = writer.preview(&text, language, told.as_deref());
        let expected = if preview.is_empty() { vec![] } else { vec![Edit::Insert(preview)] };
        prop_assert_eq!(writer.write(&text, language, told.as_deref()), expected);
    }

    /// Without rules, nothing but spaces and the case of letters changes, and no grapheme cluster
    /// is divided.
    #[test]
    fn all_that_was_said_is_written(
        text in text(), language in language(), told in before(),
    ) {
        let settings = Settings { commands: false, ..Settings::default() };
        let written = writer(settings).preview(&text, language, told.as_deref());
        let clusters = |text: &str| -> Vec<String> {
            let lines: String =
                text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
            let all = lines.trim().graphemes(true).map(str::to_lowercase);
            // A plain space, alone or with something that combines with it.
            all.filter(|cluster| !cluster.chars().all(char::is_whitespace)).collect()
        };
        let fold = |text: &str| clusters(text).concat().replace('ı', "i").replace('\u{307}', "");
        prop_assert_eq!(fold(&written), fold(&text));
        prop_assert_eq!(clusters(&written).len(), clusters(&text).len());
    }

    /// A text that fits is left alone.
    #[test]
    fn spaces_are_put_in_once(
        text in text(), language in language(), told in before(),
    ) {
        let settings = || Settings {
            commands: false,
            capitals: Capitals::AsHeard,
            ..Settings::default()
        };
        let once = writer(settings()).preview(&text, language, told.as_deref());
        let twice = writer(settings()).preview(&once, language, told.as_deref());
        prop_assert_eq!(once, twice);
    }

    /// "Scratch that" leaves the writer as if the last text had never been said.
    #[test]
    fn what_is_taken_back_leaves_no_trace(
        texts in vec(text(), 0..6), next in text(), trailing_space in any::<bool>(),
    ) {
        let mut writer = writer(Settings { trailing_space, ..Settings::default() });
        for text in texts {
            writer.write(&text, "en", None);
        }
        let before = writer.preview(&next, "en", None);
        prop_assert_eq!(writer.write("Forget it.", "en", None).len(), 1);
        prop_assert_eq!(writer.write("Scratch that.", "en", None), vec![Edit::Undo]);
        prop_assert_eq!(writer.preview(&next, "en", None), before);
    }

    /// What is written in place of a word is never replaced itself.
    #[test]
    fn replacements_come_to_an_end(length in 1..200_usize) {
        let pairs = [("a", "a a"), ("b", "a b a b")];
        let text = "a b ".repeat(length);
        let written = writer(crate::replacing(&pairs)).preview(&text, "en", None);
        prop_assert_eq!(written.split(' ').count(), 6 * length);
    }
}

/// A replacement of a single letter by a page is given up before it becomes a book.
#[test]
fn replacements_have_no_more_room_than_they_are_given() {
    let long = "long ".repeat(300);
    let text = "a ".repeat(500);
    let written = writer(crate::replacing(&[("a", &long)])).preview(&text, "en", None);
    assert!(written.len() <= 16 * text.len() + 4_096, "{}", written.len());
    assert!(written.len() > 8 * text.len());
    assert!(written.ends_with(" a a a"));
}
