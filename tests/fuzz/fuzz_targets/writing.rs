//! What was said → what is written, with any rules: spoken punctuation, commands, capitals, spaces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scriven_desktop::writing::{Capitals, Command, Edit, Rules, Settings, Writer};

// A byte of flags, the language, and on lines of their own what stands before the cursor and what is said.
fuzz_target!(|input: &str| {
    let flags = input.bytes().next().unwrap_or_default();
    let mut lines = input.get(1..).unwrap_or_default().split('\n');
    let language = lines.next().unwrap_or_default();
    let flag = |bit: u8| flags >> bit & 1 == 1;
    let settings = Settings {
        commands: !flag(0),
        spoken_punctuation: flag(1),
        model_punctuation: !flag(2),
        capitals: [Capitals::Fit, Capitals::AsHeard, Capitals::None, Capitals::Fit]
            [usize::from(flags >> 3 & 3)],
        trailing_space: flag(5),
        no_period_up_to: if flag(6) { 3 } else { 0 },
        replacements: vec![("jay son".into(), "JSON".into()), ("um".into(), String::new())],
        vocabulary: vec!["Scriven".into(), "e\u{301}a".into()],
        own_commands: vec![("do it".into(), Command::Undo)],
    };
    let mut writer = Writer::new(Rules::new(settings).expect("these rules are good"));
    let mut before = None;
    for text in lines {
        let bound = 16 * text.len() + 4_096;
        assert!(writer.preview(text, language, before).len() <= bound);
        let mut inserted = 0;
        for edit in writer.write(text, language, before) {
            if let Edit::Insert(written) = edit {
                inserted += 1;
                assert!(!written.is_empty() && written.len() <= bound);
            }
        }
        assert!(inserted <= 1);
        before = flag(7).then_some(text);
    }
});
