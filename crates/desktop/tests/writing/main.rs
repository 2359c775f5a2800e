//! From speech to writing, as the service uses it.

mod hook;
mod properties;
mod sentences;
mod settings;

use scriven_desktop::writing::{Edit, Rules, Settings, Writer};

/// A writer of these settings that has written nothing yet.
fn writer(settings: Settings) -> Writer {
    Writer::new(Rules::new(settings).unwrap_or_else(|error| panic!("{error}")))
}

/// Settings that replace the pairs.
fn replacing(pairs: &[(&str, &str)]) -> Settings {
    let pair = |(spoken, written): &(&str, &str)| ((*spoken).to_owned(), (*written).to_owned());
    Settings { replacements: pairs.iter().map(pair).collect(), ..Settings::default() }
}

/// The edits in short: `<` for each undo, and behind them the text.
fn short(edits: &[Edit]) -> String {
    let part = |edit: &Edit| match edit {
        Edit::Undo => "<".to_owned(),
        Edit::Insert(text) => text.clone(),
    };
    edits.iter().map(part).collect()
}

/// What one utterance does behind `before`.
fn written(settings: Settings, text: &str, language: &str, before: Option<&str>) -> String {
    short(&writer(settings).write(text, language, before))
}
