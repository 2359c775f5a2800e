use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("config.toml")).map_err(|error| error.to_string())
}

#[test]
fn an_empty_file_has_all_defaults() {
    assert_eq!(parse("").unwrap(), Config::default());
    assert_eq!(Config::read(Path::new("/nowhere/config.toml")).unwrap(), Config::default());
}

#[test]
fn an_unknown_key_is_an_error_with_line_and_column() {
    let error = parse("model = \"base\"\nlanguage = \"en\"\n").unwrap_err();
    assert!(error.contains("line 2, column 1"), "{error}");
    assert!(error.contains("language"), "{error}");
}

#[test]
fn a_value_out_of_range_is_an_error_that_names_the_key() {
    assert!(parse("update_ms = 5").unwrap_err().contains("`update_ms` must lie between"));
    assert!(parse("models = \"here\"").unwrap_err().contains("`models` must be"));
    let long = format!("hotwords = [\"{}\"]", "long".repeat(26));
    assert!(parse(&long).unwrap_err().contains("`hotwords` must be"));
    let error = parse("[capture]\npre_roll_s = 2.5").unwrap_err();
    assert!(error.contains("line 2") && error.contains("must lie between 0 and 2"), "{error}");
    assert!(parse("[capture]\npre_roll_s = -1").unwrap_err().contains("must lie between"));
    assert!(parse("[capture]\npre_roll_s = nan").unwrap_err().contains("must lie between"));
    assert!(parse("host = \"oss\"").unwrap_err().contains("line 1"));
    let error = parse("[speech]\nhangover_ms = 900\nmin_trailing_silence_ms = 800").unwrap_err();
    assert!(error.contains("hangover_ms"), "{error}");
    for key in ["onset_ms", "onset_window_ms", "pre_roll_ms"] {
        let error = parse(&format!("[speech]\n{key} = 4294967295")).unwrap_err();
        assert!(error.contains(&format!("`speech.{key}` must not")), "{error}");
    }
    assert!(parse("[history]\nmax = 0").unwrap_err().contains("`history.max` must lie"));
    assert!(parse("[history]\nkeep_hours = 9999").unwrap_err().contains("`history.keep_hours`"));
    assert!(parse("[feedback]\nmedia = \"mute\"").unwrap_err().contains("line 2"));
    assert!(parse("[feedback]\nsounds_db = 3").unwrap_err().contains("`feedback.sounds_db` must"));
    let percent = parse("[feedback]\nduck_percent = 101").unwrap_err();
    assert!(percent.contains("`feedback.duck_percent` must not"), "{percent}");
    assert!(parse("[output]\nlive = \"never\"").unwrap_err().contains("line 2"));
}

/// All TOML blocks of the documentation.
fn documented() -> Vec<String> {
    let page = include_str!("../../../../docs/configuration.md");
    let blocks = page.split("```toml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_example_of_the_documentation_is_read() {
    let blocks = documented();
    assert!(blocks.len() > 5);
    for block in blocks {
        parse(&block).unwrap();
    }
}

#[test]
fn the_documentation_shows_every_key_with_its_default() {
    let complete = &documented()[0];
    assert_eq!(parse(complete).unwrap(), Config::default());
    let keys = complete.lines().filter(|line| line.contains('=')).count();
    assert_eq!(keys, 43, "a key is missing in docs/configuration.md");
}

#[test]
fn the_manual_page_shows_every_key_with_its_default() {
    let page = include_str!("../../../../docs/man/scriven-config.5");
    for line in documented()[0].lines() {
        let Some((key, value)) = line.split_once(" = ") else { continue };
        let value = match value {
            "[]" => "Bq".into(),
            text if text.starts_with('"') => format!("Qq {}", text.trim_matches('"')),
            number => number.to_owned(),
        };
        let item = format!(".It Ic {key} No = {}\n", value.trim_end());
        assert!(page.contains(&item), "docs/man/scriven-config.5 has no line {item}");
    }
}
