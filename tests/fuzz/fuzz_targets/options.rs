//! The options of a call on the bus.
#![no_main]

use std::collections::HashMap;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use zbus::{OwnedVariant, Variant};

/// All names that a method takes, and one that none does.
const NAMES: [&str; 20] = [
    "source",
    "output",
    "auto_stop",
    "live",
    "languages",
    "task",
    "scope",
    "handle_token",
    "linger",
    "partials",
    "hotwords",
    "hotword_boost",
    "temperature",
    "best_of",
    "beam_size",
    "prompt",
    "prefix",
    "condition_on_previous_text",
    "words",
    "nobody knows it",
];

/// Words that some options know.
const WORDS: [&str; 8] =
    ["transcribe", "translate", "broadcast", "owner", "type", "copy", "none", "clipboard"];

fuzz_target!(|input: &[u8]| {
    let (mut input, mut raw) = (Unstructured::new(input), HashMap::new());
    while let Ok((name, value)) = option(&mut input) {
        raw.insert(name, value);
        if input.is_empty() {
            break;
        }
    }
    scriven_service::fuzzing::options(&raw);
});

fn option(input: &mut Unstructured<'_>) -> Result<(String, OwnedVariant)> {
    let name = (*input.choose(&NAMES)?).to_owned();
    let value: Variant<'_> = match input.int_in_range(0..=6)? {
        0 => input.arbitrary::<bool>()?.into(),
        1 => input.arbitrary::<u32>()?.into(),
        2 => input.arbitrary::<i64>()?.into(),
        3 => input.arbitrary::<f64>()?.into(),
        4 => input.arbitrary::<&str>()?.into(),
        5 => {
            let texts = input.arbitrary_iter::<&str>()?.collect::<Result<Vec<_>>>()?;
            texts.into()
        }
        _ => (*input.choose(&WORDS)?).into(),
    };
    Ok((name, value.try_into_owned().expect("there is no descriptor in it")))
}
