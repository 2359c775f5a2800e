//! `doctor`: what is wrong, and how to mend it.

use std::env;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::sources::{is_default, text};
use crate::Outcome;
use crate::bus::{Bus, bus_name, object};
use crate::error::{explain, explain_named};
use crate::proxy::{DaemonProperties, MODEL_INTERFACE, ModelProperties, NAME, VERSION};
use crate::terminal::{stdout_styled, write, write_json};

mod notifications;
mod outputs;
mod shortcuts;

use self::notifications::notifications;
use self::outputs::outputs;
use self::shortcuts::shortcuts;

/// Verdict on one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    /// It works, but not as well as it could.
    Warning,
    Broken,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    found: String,
    /// What to do about it; empty if nothing is wrong.
    fix: String,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), fix: String::new() }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warning, found: found.into(), fix: fix.into() }
    }

    fn broken(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Broken, found: found.into(), fix: fix.into() }
    }
}

/// Looks at everything, in the order in which things depend on each other.
pub(crate) async fn doctor(json: bool) -> anyhow::Result<Outcome> {
    let mut checks = vec![pipewire(), unit()];
    match Bus::connect().await {
        Ok(bus) => {
            checks.push(Check::ok("session bus", "reachable"));
            checks.push(notifications(&bus).await);
            daemon(&bus, &mut checks).await;
        }
        Err(error) => checks.push(failed("session bus", &error.into())),
    }
    if json {
        write_json(&to_json(&checks))?;
    } else {
        checks.iter().try_for_each(|check| write(&to_text(check, stdout_styled())))?;
    }
    let healthy = checks.iter().all(|check| check.verdict != Verdict::Broken);
    Ok(if healthy { Outcome::Success } else { Outcome::Failure })
}

/// Looks at the daemon, which is started for it, and at what only it can tell.
async fn daemon(bus: &Bus, checks: &mut Vec<Check>) {
    checks.push(match activatable(bus).await {
        Ok(true) => Check::ok("activation", "the bus starts the daemon when it is called"),
        Ok(false) => Check::warning(
            "activation",
            "the bus cannot start the daemon",
            format!("install {NAME}.service into ~/.local/share/dbus-1/services: make install"),
        ),
        Err(error) => failed("activation", &error),
    });
    let properties = match bus.daemon_properties().await {
        Ok(properties) => properties,
        Err(error) => return checks.push(failed("daemon", &error)),
    };
    checks.push(version(&properties));
    checks.push(model(bus, &properties).await);
    checks.push(backend(&properties));
    checks.push(sources(bus).await);
    checks.extend(outputs(bus).await);
    checks.extend(shortcuts(bus).await);
    checks.push(match properties.overruns {
        0 => Check::ok("overruns", "no sound was lost"),
        n => Check::warning(
            "overruns",
            format!("{n} samples or columns were lost"),
            "this machine is too slow for the model; see: scriven model list",
        ),
    });
    let (name, message) = &properties.last_error;
    if !name.is_empty() {
        checks.push(Check::warning("last error", name, explain_named(name, message)));
    }
}

async fn activatable(bus: &Bus) -> anyhow::Result<bool> {
    let names = bus.driver().await?.list_activatable_names().await?;
    Ok(names.iter().any(|name| *name.inner() == bus_name()))
}

fn version(daemon: &DaemonProperties) -> Check {
    let versions = format!("daemon {}, this program {VERSION}", daemon.version);
    match daemon.version == VERSION {
        true => Check::ok("daemon", format!("running, {}, interface {VERSION}", daemon.state)),
        false => Check::broken(
            "daemon",
            format!("another version of the interface: {versions}"),
            "install both from one release, then: systemctl --user restart scriven",
        ),
    }
}

async fn model(bus: &Bus, daemon: &DaemonProperties) -> Check {
    let models = match bus.objects::<ModelProperties>(MODEL_INTERFACE).await {
        Ok(models) => models,
        Err(error) => return failed("model", &error),
    };
    let installed: Vec<_> = (models.iter())
        .filter(|(_, model)| model.state == "installed")
        .map(|(_, model)| model.id.as_str())
        .collect();
    match (installed.as_slice(), daemon.model_state.as_str()) {
        ([], _) => Check::broken("model", "none is installed", "scriven model pull base"),
        ([first, ..], _) if !installed.contains(&daemon.model.as_str()) => Check::broken(
            "model",
            format!("{} is chosen, but not installed", daemon.model),
            format!("scriven model pull {}, or: scriven model use {first}", daemon.model),
        ),
        (_, "failed") => Check::broken(
            "model",
            format!("{} cannot be loaded", daemon.model),
            format!("scriven model remove {0} && scriven model pull {0}", daemon.model),
        ),
        (_, state) => Check::ok("model", format!("{}, {state}", daemon.model)),
    }
}

fn backend(daemon: &DaemonProperties) -> Check {
    let (name, message) = &daemon.last_error;
    match daemon.backend.as_str() {
        "" => Check::ok("compute", "not chosen yet: the model is not loaded"),
        backend if name.ends_with(".GpuUnavailable") => Check::warning(
            "compute",
            format!("{backend}; the GPU is not used: {message}"),
            "install a Vulkan driver for it (vulkaninfo --summary lists what there is), \
             or set compute = \"cpu\" in config.toml",
        ),
        backend => Check::ok("compute", backend),
    }
}

async fn sources(bus: &Bus) -> Check {
    let list = async { bus.daemon().await?.list_sources().await };
    let sources: Vec<Value> = match list.await {
        Ok(sources) => sources.iter().map(|source| Value::Object(object(source))).collect(),
        Err(error) => return failed("microphone", &error.into()),
    };
    let n = sources.len();
    match sources.iter().find(|source| is_default(source)) {
        Some(source) => {
            let name = text(source, "description");
            Check::ok("microphone", format!("{name}, one of {n} sources"))
        }
        None if n > 0 => Check::warning(
            "microphone",
            format!("{n} sources, but none is the default"),
            "name one: scriven sources, then scriven start --source ID",
        ),
        None => Check::broken(
            "microphone",
            "there is nothing to listen to",
            "plug in a microphone, or look for it with: pw-cli list-objects Node",
        ),
    }
}

/// Whether PipeWire answers on its socket. Without it capture falls back to ALSA.
fn pipewire() -> Check {
    let remote = env::var("PIPEWIRE_REMOTE").unwrap_or_else(|_| "pipewire-0".into());
    let folder = env::var_os("PIPEWIRE_RUNTIME_DIR").or_else(|| env::var_os("XDG_RUNTIME_DIR"));
    let socket = PathBuf::from(folder.unwrap_or_default()).join(remote);
    match UnixStream::connect(&socket) {
        Ok(_) => Check::ok("pipewire", format!("running at {}", socket.display())),
        Err(error) => Check::warning(
            "pipewire",
            format!("not reachable at {}: {error}", socket.display()),
            "systemctl --user start pipewire wireplumber",
        ),
    }
}

/// Whether systemd knows the daemon.
fn unit() -> Check {
    let home = PathBuf::from(env::var_os("HOME").unwrap_or_default());
    let config = env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), Into::into);
    let data = env::var_os("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), Into::into);
    let folders = [config, data, "/etc".into(), "/usr/local/lib".into(), "/usr/lib".into()];
    let units = folders.map(|folder| folder.join("systemd/user/scriven.service"));
    match units.iter().find(|unit| unit.exists()) {
        Some(unit) => Check::ok("unit", unit.display().to_string()),
        None => Check::warning(
            "unit",
            "systemd does not know scriven.service",
            "make install, then: systemctl --user daemon-reload",
        ),
    }
}

/// A check that ended in an error, whose last part is what to do.
fn failed(name: &'static str, error: &anyhow::Error) -> Check {
    let line = explain(error);
    match line.split_once("; ") {
        Some((found, fix)) => Check::broken(name, found, fix),
        None => Check::broken(name, line, "see: journalctl --user -u scriven -n 20"),
    }
}

fn to_text(check: &Check, styled: bool) -> String {
    let (mark, color) = match check.verdict {
        Verdict::Ok => ("ok", "\x1b[32m"),
        Verdict::Warning => ("warning", "\x1b[33m"),
        Verdict::Broken => ("broken", "\x1b[31m"),
    };
    let mark = match styled {
        true => format!("{color}{mark:7}\x1b[0m"),
        false => format!("{mark:7}"),
    };
    let mut line = format!("{mark}  {:11}  {}\n", check.name, check.found);
    if !check.fix.is_empty() {
        line.push_str(&format!("{:24}→ {}\n", "", check.fix));
    }
    line
}

fn to_json(checks: &[Check]) -> Value {
    let healthy = checks.iter().all(|check| check.verdict != Verdict::Broken);
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            let verdict = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warning => "warning",
                Verdict::Broken => "broken",
            };
            let fix = (!check.fix.is_empty()).then_some(&check.fix);
            json!({ "check": check.name, "verdict": verdict, "found": check.found, "fix": fix })
        })
        .collect();
    json!({ "healthy": healthy, "checks": checks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_stands_below_what_is_wrong() {
        let check = Check::broken("model", "none is installed", "scriven model pull base");
        let expected = "broken   model        none is installed\n                        → scriven model pull base\n";
        assert_eq!(to_text(&check, false), expected);
    }

    #[test]
    fn a_warning_is_healthy_and_a_break_is_not() {
        let warning = Check::warning("unit", "unknown", "make install");
        let broken = Check::broken("model", "none", "pull");
        assert_eq!(to_json(&[warning])["healthy"], true);
        assert_eq!(to_json(&[broken])["healthy"], false);
    }
}
