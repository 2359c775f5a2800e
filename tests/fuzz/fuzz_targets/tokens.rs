//! Tokens that no model would write, and texts that a user wants preferred or continued.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use scriven_recognizer::fuzzing::{encode, rules, words};

/// As many as a model ever writes into a window.
const MAX_TOKENS: usize = 448;
/// Hotwords in one input.
const MAX_HOTWORDS: usize = 20;

fuzz_target!(|input: &[u8]| {
    drop(run(&mut Unstructured::new(input)));
});

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let (multilingual, timestamps) = (input.arbitrary()?, input.arbitrary()?);
    let language = *input.choose(&["en", "zh", "ja", "th", "de", ""])?;
    let mut hotwords: Vec<String> = Vec::new();
    while hotwords.len() < MAX_HOTWORDS && input.arbitrary()? {
        hotwords.push(input.arbitrary::<&str>()?.to_owned());
    }
    encode(input.arbitrary::<&str>()?, multilingual);
    let ids = input.arbitrary_iter::<u16>()?.take(MAX_TOKENS);
    let ids: Vec<u32> = ids.map(|id| id.map(u32::from)).collect::<Result<_>>()?;
    words(&ids, language, multilingual);
    rules(&ids, &hotwords, multilingual, timestamps);
    Ok(())
}
