//! Measures a model of any size on any processor, with random weights: time does not depend on what a model has
//! learned. For sizes whose weights are not at hand, and for GPUs.
//!
//! ```text
//! sizes SIZE [cpu|gpu|NAME] [f32|f16|int8] [RUNS]
//! ```
//!
//! First comes how long it takes to load it, warm-up included, and the most memory that this took. Then, medians of
//! RUNS (9) behind one that does not count: the encoder at three lengths of the window, a token, 20 tokens verified,
//! and an update of live recognition behind 5 s of speech: the encoder, the keys and values of the decoder, 20 tokens
//! verified and three new ones. Output: a JSON object a line, `what`, `value` and `unit`; with `floor`, what it could
//! not take less than, and `ratio`, how many times that it took.
//!
//! The floor of the encoder is its multiplications and additions at the rate that burn reaches in a product of large
//! matrices, that of a token its weights, keys and values at the rate at which large tensors are added up, both as
//! measured here. On the CPU there is none: its own kernels are faster than burn's product.
//!
//! Weights are written into a folder below the temporary one, 2 bytes a number, and removed.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use scriven_recognizer::bench::{
    Window, Work, bytes_a_second, dimensions, encode, names, operations_a_second, write_random,
};
use scriven_recognizer::{Compute, Model, Precision};
use serde_json::json;

/// Positions of the encoder: windows of 5 to 10, 20 and 30 seconds, as a GPU is given them.
const LENGTHS: [usize; 3] = [512, 1024, 1500];
/// Columns of five seconds.
const COLUMNS: usize = 500;
/// Any token of text.
const A_TOKEN: u32 = 11;
/// Tokens of the last hypothesis, and of what is new, in an update.
const DRAFT: usize = 20;
const NEW: usize = 3;
/// Tokens that are taken one by one.
const TOKENS: usize = 20;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let known = || names().collect::<Vec<_>>().join("|");
    let Some((size, rest)) = args.split_first() else {
        bail!("usage: sizes {} [cpu|gpu|NAME] [f32|f16|int8] [RUNS]", known());
    };
    let dims = dimensions(size).with_context(|| format!("{size} is none of {}", known()))?;
    let compute: Compute = rest.first().map_or("cpu", String::as_str).parse()?;
    let precision = match rest.get(1).map(String::as_str) {
        None => Precision::default(),
        Some("f32") => Precision::F32,
        Some("f16") => Precision::F16,
        Some("int8") => Precision::Int8,
        Some(other) => bail!("{other} is none of f32|f16|int8"),
    };
    let runs: usize = rest.get(2).map_or(Ok(9), |runs| runs.parse())?;
    ensure!(runs > 0, "at least one run");

    let folder = tempfile::tempdir()?;
    write_random(&dims, folder.path())?;
    let begun = Instant::now();
    let model = Model::load(folder.path(), &compute, precision)?;
    let took = begun.elapsed().as_secs_f64();
    if let Some(reason) = model.fallback() {
        bail!("not measured on the CPU in its place: {reason}");
    }
    drop(folder);
    say(json!({ "model": size, "backend": model.backend() }))?;
    say(json!({ "what": "load", "value": took, "unit": "s" }))?;
    say(json!({ "what": "load-memory", "value": most_memory()?, "unit": "MB" }))?;
    measure(&model, precision, &Work(&dims), runs)
}

fn measure(model: &Model, precision: Precision, work: &Work, runs: usize) -> Result<()> {
    let (operations, bytes) = (operations_a_second(model)?, bytes_a_second(model)?);
    say(json!({ "what": "product", "value": operations / 1e12, "unit": "TFLOP/s" }))?;
    say(json!({ "what": "memory", "value": bytes / 1e9, "unit": "GB/s" }))?;
    // The CPU's own kernels are faster than what burn reaches there.
    let is_gpu = model.backend() != "cpu";
    let columns = vec![-1.0; COLUMNS * model.n_mels()];
    for n_ctx in LENGTHS {
        // A GPU is behind with what it was given: reading one token waits for it.
        let alone = median(runs, || encode(model, &columns, n_ctx).wait().map_err(Into::into))?;
        let floor = work.encoder(n_ctx) / operations * 1e3;
        tell(&format!("encoder-{n_ctx}"), alone, is_gpu.then_some(floor))?;
    }
    let window = Window::new(model, &encode(model, &columns, LENGTHS[2]));
    let few = median(runs, || Ok(window.work(&[], 1)?))?;
    let many = median(runs, || Ok(window.work(&[], 1 + TOKENS)?))?;
    let size = if precision == Precision::F32 { 4.0 } else { 2.0 };
    let floor = work.token(LENGTHS[2]) * size / bytes * 1e3;
    tell("token", (many - few) / TOKENS as f64, is_gpu.then_some(floor))?;
    let draft = [A_TOKEN; DRAFT];
    tell("verify-20", median(runs, || Ok(window.work(&draft, 0)?))?, None)?;
    let update = median(runs, || {
        let features = encode(model, &columns, LENGTHS[0]);
        Ok(black_box(Window::new(model, &features)).work(&draft, NEW)?)
    })?;
    tell("update-5s", update, None)
}

/// Milliseconds of `work`.
fn median(runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let begun = Instant::now();
        work()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[runs / 2])
}

/// The most memory that this process has held, in MB.
fn most_memory() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1e3)
}

fn tell(what: &str, value: f64, floor: Option<f64>) -> Result<()> {
    let mut line = json!({ "what": what, "value": value, "unit": "ms" });
    if let Some(floor) = floor {
        line["floor"] = floor.into();
        line["ratio"] = (value / floor).into();
    }
    say(line)
}

fn say(line: serde_json::Value) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
