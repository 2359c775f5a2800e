//! Lists of words in their three formats, and the rules, profiles and shortcuts made of such lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scriven_desktop::profiles::Profiles;
use scriven_desktop::shortcut::trigger::Trigger;
use scriven_desktop::writing::vocabulary::{
    Format, hotwords, merge, read, read_bytes, replacements, write,
};
use scriven_desktop::writing::{Rules, Settings, Writer};

fuzz_target!(|list: &[u8]| {
    for format in [Format::Plain, Format::Csv, Format::Tsv] {
        let Ok(entries) = read_bytes(list, format) else { continue };
        let written = write(&entries);
        assert_eq!(read(&written, Format::Plain).ok().as_ref(), Some(&entries), "{written:?}");
        assert_eq!(merge(&entries, &entries).ok().as_ref(), Some(&entries));
        let settings = Settings {
            vocabulary: hotwords(&entries),
            replacements: replacements(&entries),
            ..Settings::default()
        };
        let rules = Rules::new(settings).expect("a list that is read can be used");
        let said: Vec<&str> = entries.iter().map(|entry| entry.spoken.as_str()).collect();
        let said = said.join(", ");
        let shown = Writer::new(rules).preview(&said, "en", None);
        assert!(shown.len() <= 16 * said.len() + 4_096);
    }
    let text = String::from_utf8_lossy(list);
    let mut lines = text.lines();
    let app = lines.next();
    let rules: Vec<(&str, &str)> = lines.clone().map(|line| (line, line)).collect();
    Profiles::new(rules, "").choose(app);
    for line in lines {
        if let Ok(trigger) = line.parse::<Trigger>() {
            assert_eq!(trigger.to_string().parse::<Trigger>().ok(), Some(trigger));
        }
    }
});
