//! `model`: list, pull, import, remove, use.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use futures_lite::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use zbus::OwnedObjectPath;

use crate::Outcome;
use crate::bus::Bus;
use crate::cli::ModelCommand;
use crate::interrupt::interrupts;
use crate::proxy::{MODEL_INTERFACE, ModelProperties, PATH};
use crate::terminal::{note, plain, write, write_json};

/// How often progress is said where there is no terminal to draw a bar on.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

pub(crate) async fn model(command: ModelCommand) -> anyhow::Result<Outcome> {
    let bus = Bus::connect().await?;
    match command {
        ModelCommand::List { json } => list(&bus, json).await,
        ModelCommand::Pull { id } => pull(&bus, &id).await,
        ModelCommand::Import { id, path } => import(&bus, &id, &path).await,
        ModelCommand::Remove { id } => {
            let (path, _) = find(&bus, &id).await?;
            bus.model(&path).await?.remove().await?;
            Ok(Outcome::Success)
        }
        ModelCommand::Use { id } => {
            let (path, _) = find(&bus, &id).await?;
            bus.model(&path).await?.select().await?;
            Ok(Outcome::Success)
        }
    }
}

async fn list(bus: &Bus, json: bool) -> anyhow::Result<Outcome> {
    let mut models = bus.objects::<ModelProperties>(MODEL_INTERFACE).await?;
    models.sort_by_key(|(_, model)| model.size);
    let current = bus.daemon_properties().await?.model;
    if json {
        let models = models.iter().map(|(_, model)| to_json(model, &current)).collect();
        write_json(&Value::Array(models))?;
        return Ok(Outcome::Success);
    }
    let width = models.iter().map(|(_, model)| model.id.len()).max().unwrap_or(0);
    for (_, model) in &models {
        let mark = if model.id == current { '*' } else { ' ' };
        let languages = if model.multilingual { "multilingual" } else { "English" };
        let (id, size, state) = (&model.id, megabytes(model.size), &model.state);
        write(&format!("{mark} {id:width$}  {size:>8}  {languages:12}  {state}\n"))?;
    }
    Ok(Outcome::Success)
}

fn to_json(model: &ModelProperties, current: &str) -> Value {
    json!({
        "id": model.id,
        "size": model.size,
        "multilingual": model.multilingual,
        "state": model.state,
        "detail": model.detail,
        "current": model.id == current,
    })
}

/// Downloads a model and shows how far it is.
async fn pull(bus: &Bus, id: &str) -> anyhow::Result<Outcome> {
    let (path, model) = find(bus, id).await?;
    if model.state == "installed" {
        write(&format!("{id} is installed already\n"))?;
        return Ok(Outcome::Success);
    }
    let proxy = bus.model(&path).await?;
    watch(bus, &path, id, &format!("scriven model pull {id}"), proxy.download()).await
}

async fn import(bus: &Bus, id: &str, file: &Path) -> anyhow::Result<Outcome> {
    // The daemon has another working directory.
    let file = fs::canonicalize(file)
        .with_context(|| format!("cannot read {}", file.display()))?
        .into_os_string()
        .into_string();
    let Ok(file) = file else { bail!("the path is not valid UTF-8, which the bus demands") };
    let daemon = bus.daemon().await?;
    let import = async { daemon.import_model(id, &file).await.map(drop) };
    let again = format!("scriven model import {id} {file}");
    watch(bus, &object_path(id)?, id, &again, import).await
}

/// What `watch` waits for.
enum Input {
    Called(zbus::Result<()>),
    Changed,
    Vanished,
    Interrupt,
}

/// Makes the call and shows what the model goes through, until it is installed or that has failed.
/// The call returns when the work has begun.
///
/// - again: the command that goes on where this one was stopped
async fn watch(
    bus: &Bus,
    path: &OwnedObjectPath,
    id: &str,
    again: &str,
    call: impl Future<Output = zbus::Result<()>>,
) -> anyhow::Result<Outcome> {
    let changes = bus.property_changes(path.clone(), MODEL_INTERFACE).await?;
    let changes = changes.map(|()| Input::Changed);
    let departures = bus.departures().await?.map(|()| Input::Vanished);
    let interrupts = interrupts()?.map(|()| Input::Interrupt);
    let call = Box::pin(stream::once_future(async { Input::Called(call.await) }));
    let mut inputs = stream::or(stream::or(interrupts, call), stream::or(changes, departures));

    // What an earlier attempt left behind says nothing about this one.
    let mut is_ours = false;
    let mut progress = Progress::new(id);
    while let Some(input) = inputs.next().await {
        match input {
            Input::Called(result) => {
                result?;
                is_ours = true;
            }
            Input::Changed => {}
            Input::Vanished => bail!("the daemon stopped in the middle; go on with: {again}"),
            Input::Interrupt => {
                progress.end();
                return cancel(bus, path, again).await;
            }
        }
        if !is_ours {
            continue;
        }
        // Properties are announced one by one, but belong together.
        let model = bus.properties(path.clone(), MODEL_INTERFACE).await?;
        progress.show(&model);
        if let Some(outcome) = end(&model) {
            progress.end();
            return outcome;
        }
    }
    bail!("the session bus is gone")
}

async fn cancel(bus: &Bus, path: &OwnedObjectPath, again: &str) -> anyhow::Result<Outcome> {
    bus.model(path).await?.cancel_download().await?;
    note(&format!("stopped; go on with: {again}"));
    Ok(Outcome::Interrupted)
}

/// What has come of it, once nothing more will.
fn end(model: &ModelProperties) -> Option<anyhow::Result<Outcome>> {
    let ModelProperties { id, state, detail, .. } = model;
    Some(match state.as_str() {
        "installed" if detail.is_empty() => {
            write(&format!("{id} is installed\n")).map(|()| Outcome::Success).map_err(Into::into)
        }
        "installed" => Err(anyhow!("{id} is left as it was: {detail}")),
        "failed" => Err(anyhow!("{id} is not installed: {detail}")),
        "absent" => Err(anyhow!("somebody else has stopped it")),
        _ => return None,
    })
}

fn is_busy(model: &ModelProperties) -> bool {
    matches!(model.state.as_str(), "downloading" | "converting")
}

/// Where a model is, or will be: path elements know neither dot nor dash.
fn object_path(id: &str) -> anyhow::Result<OwnedObjectPath> {
    let id = id.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    Ok(format!("{PATH}/model/{id}").try_into()?)
}

/// Finds a model by its id.
async fn find(bus: &Bus, id: &str) -> anyhow::Result<(OwnedObjectPath, ModelProperties)> {
    let mut models = bus.objects::<ModelProperties>(MODEL_INTERFACE).await?;
    let Some(at) = models.iter().position(|(_, model)| model.id == id) else {
        let ids: Vec<_> = models.iter().map(|(_, model)| model.id.as_str()).collect();
        bail!("there is no model {id:?}; there are: {}", ids.join(", "));
    };
    Ok(models.swap_remove(at))
}

/// Progress on stderr: a bar on a terminal, else a line now and then.
struct Progress {
    bar: ProgressBar,
    id: String,
    /// What was said last, and when.
    detail: String,
    said: Option<Instant>,
}

impl Progress {
    fn new(id: &str) -> Self {
        let bar = ProgressBar::new(0);
        let style = "{prefix} {wide_bar} {decimal_bytes}/{decimal_total_bytes} \
                     {decimal_bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(style);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, id: id.to_owned(), detail: String::new(), said: None }
    }

    fn show(&mut self, model: &ModelProperties) {
        let (done, total) = model.progress;
        self.bar.set_prefix(format!("{} {}", self.id, model.state));
        if total > 0 {
            self.bar.set_length(total);
            self.bar.set_position(done);
        }
        // How it ended is said by the command.
        let is_new = model.detail != self.detail && !model.detail.is_empty();
        if is_new && is_busy(model) {
            self.detail.clone_from(&model.detail);
            // Above the bar, and without one as any other line.
            self.bar.suspend(|| note(&plain(&self.detail)));
        }
        let due = self.said.is_none_or(|said| said.elapsed() >= PLAIN_INTERVAL);
        if self.bar.is_hidden() && total > 0 && due && is_busy(model) {
            self.said = Some(Instant::now());
            note(&format!("{}: {} of {}", model.state, megabytes(done), megabytes(total)));
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Bytes as people count them.
fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_megabytes() {
        assert_eq!(megabytes(145_262_807), "146 MB");
        assert_eq!(megabytes(0), "0 MB");
    }
}
