use proptest::prelude::*;

use super::*;

fn entry(spoken: &str, written: &str) -> Entry {
    let written = (!written.is_empty()).then(|| written.to_owned());
    Entry { spoken: spoken.into(), written }
}

fn reason(list: &str, format: Format) -> String {
    read(list, format).unwrap_err().to_string()
}

#[test]
fn a_plain_list_is_read() {
    let list = "\u{feff}# names\r\nScriven\r\n\r\n  Grace Hopper \njay son => JSON\nC#\n\
                new item => \\n- \\s\\\\\nscriven\n";
    let expected = [
        entry("Scriven", ""),
        entry("Grace Hopper", ""),
        entry("jay son", "JSON"),
        entry("C#", ""),
        entry("new item", "\n-  \\"),
    ];
    assert_eq!(read(list, Format::Plain).unwrap(), expected);
    assert_eq!(hotwords(&expected), ["Scriven", "Grace Hopper", "C#"]);
    assert_eq!(replacements(&expected[..3]), [("jay son".to_owned(), "JSON".to_owned())]);
}

#[test]
fn nothing_may_be_written_for_a_word() {
    let entries = read("um =>\n", Format::Plain).unwrap();
    assert_eq!(replacements(&entries), [("um".to_owned(), String::new())]);
}

#[test]
fn tables_are_read() {
    let csv = "Phrase,Written\n# a comment\n\"Smith, John\",\n\"say \"\"hi\"\"\", \"a, \\\"\"b\"\n";
    assert!(reason(csv, Format::Csv).contains("line 4"));
    let csv =
        "Phrase,Written\n# a comment\n\"Smith, John\",\nsay hi, \"a, \"\"b\"\"\",ignored\nplain\n";
    let expected = [entry("Smith, John", ""), entry("say hi", "a, \"b\""), entry("plain", "")];
    assert_eq!(read(csv, Format::Csv).unwrap(), expected);
    let tsv = "jay son\tJSON\nhalf 5\" disk\n";
    let expected = [entry("jay son", "JSON"), entry("half 5\" disk", "")];
    assert_eq!(read(tsv, Format::Tsv).unwrap(), expected);
}

#[test]
fn the_format_follows_from_the_name() {
    assert_eq!(Format::of("words.csv"), Format::Csv);
    assert_eq!(Format::of("words.TSV"), Format::Tsv);
    assert_eq!(Format::of("my.words.txt"), Format::Plain);
    assert_eq!(Format::of("words"), Format::Plain);
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let long = format!("fine\n{}", "long ".repeat(21));
    for (list, format, line, why) in [
        ("fine\n => JSON", Format::Plain, "line 2", "no word"),
        ("fine\n\n-", Format::Plain, "line 3", "no word"),
        (long.as_str(), Format::Plain, "line 2", "100 bytes"),
        ("a => b => c\nx => \\q", Format::Plain, "line 2", "behind a \\"),
        ("a\tb", Format::Plain, "line 1", "control"),
        ("\"open,x", Format::Csv, "line 1", "not closed"),
        ("\"#tag\"", Format::Csv, "line 1", "no #"),
        ("a => b,", Format::Csv, "line 1", "no =>"),
    ] {
        let reason = reason(list, format);
        assert!(reason.contains(line) && reason.contains(why), "{reason}");
    }
    let bytes = read_bytes(b"fine\nalso fine\nJos\xe9\n", Format::Plain).unwrap_err();
    assert!(bytes.to_string().contains("line 3"), "{bytes}");
}

#[test]
fn no_mark_of_the_byte_order_hides_in_quotation_marks() {
    let list = "a\n\"\u{feff}É\",\"x\u{feff}\"\n";
    let entries = read(list, Format::Csv).unwrap();
    assert_eq!(entries, [entry("a", ""), entry("É", "x")]);
    assert_eq!(read(&write(&entries), Format::Plain).unwrap(), entries);
}

#[test]
fn a_list_has_a_limit() {
    let list: String = (0..=MAX_WORDS).map(|at| format!("word{at}\n")).collect();
    assert!(reason(&list, Format::Plain).contains("line 1001"));
    let full: String = (0..MAX_WORDS).map(|at| format!("word{at}\n")).collect();
    let full = read(&full, Format::Plain).unwrap();
    assert_eq!(full.len(), MAX_WORDS);
    assert!(merge(&full, &[entry("another", "")]).is_err());
    assert_eq!(merge(&full, &full).unwrap(), full);
    assert!(reason(&"#".repeat(MAX_LIST + 1), Format::Plain).contains("4 MiB"));
}

#[test]
fn lists_are_merged_in_order() {
    let known = [entry("Scriven", ""), entry("jay son", "json"), entry("Anna", "")];
    let new = [entry("Berta", ""), entry("Jay-Son", "JSON"), entry("anna", ""), entry("Carl", "")];
    let expected = [
        entry("Scriven", ""),
        entry("Jay-Son", "JSON"),
        entry("anna", ""),
        entry("Berta", ""),
        entry("Carl", ""),
    ];
    assert_eq!(merge(&known, &new).unwrap(), expected);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        words in proptest::collection::vec(("[a-zé]{1,8}( [a-z#+]{1,4})?", "[ -~\n\té]{0,12}"), 0..20),
    ) {
        let entries: Vec<Entry> = words
            .iter()
            .map(|(spoken, written)| Entry {
                spoken: spoken.clone(),
                written: (written.len() % 2 == 0).then(|| written.clone()),
            })
            .collect();
        let entries = merge(&[], &entries).unwrap();
        prop_assert_eq!(read(&write(&entries), Format::Plain).unwrap(), entries);
    }

    #[test]
    fn no_list_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Plain, Format::Csv, Format::Tsv] {
            if let Ok(entries) = read_bytes(&bytes, format) {
                prop_assert_eq!(&read(&write(&entries), Format::Plain).unwrap(), &entries);
            }
        }
    }
}
