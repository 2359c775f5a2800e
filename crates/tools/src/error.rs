//! Errors as one line for people: what is wrong, and what to do about it.

use zbus::fdo;

use crate::proxy::ERROR_PREFIX;

const START: &str = "start it with: systemctl --user start scriven (or run scrivend)";
const RESTART: &str = "restart it with: systemctl --user restart scriven";
const JOURNAL: &str = "its log says why: journalctl --user -u scriven -n 20";

/// An error and its causes on one line, with a hint where we have one.
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        let bus_error = (cause.downcast_ref::<zbus::Error>().map(explain_bus))
            .or_else(|| cause.downcast_ref::<fdo::Error>().map(explain_standard));
        match bus_error {
            // What lies below is in it.
            Some(text) => {
                parts.push(text);
                break;
            }
            None => parts.push(cause.to_string()),
        }
    }
    parts.join(": ").replace('\n', " ")
}

/// An error of the daemon by name and message, with a hint unless the message has one.
pub(crate) fn explain_named(name: &str, message: &str) -> String {
    let name = name.strip_prefix(ERROR_PREFIX).unwrap_or(name);
    let what = if message.is_empty() { name } else { message };
    match hint(name).filter(|_| !message.contains("scriven ")) {
        Some(hint) => format!("{what}; {hint}"),
        None => what.to_owned(),
    }
}

/// What to do about an error of the daemon.
pub(crate) fn hint(name: &str) -> Option<&'static str> {
    Some(match name {
        "NoModel" => "fetch one with: scriven model pull base",
        "ModelLoading" => "wait for it: scriven status --follow",
        "DeviceUnavailable" | "DeviceLost" | "DeviceSilent" => "see what there is: scriven sources",
        "Busy" => "see what is going on: scriven status",
        "GpuUnavailable" => "set compute = \"cpu\" in config.toml, or see: scriven doctor",
        "NotDelivered" => "it is kept: scriven history, then scriven redeliver",
        "NotPermitted" => "see what this desktop can do: scriven doctor",
        "Overloaded" => "a smaller model is faster: scriven model list",
        "Failed" => JOURNAL,
        _ => return None,
    })
}

/// Whether the object of a call has ceased to be, as a session has that ended just now.
pub(crate) fn is_gone(error: &zbus::Error) -> bool {
    match error {
        zbus::Error::MethodError(name, ..) => name.ends_with(".NotFound"),
        zbus::Error::FDO(error) => matches!(
            **error,
            fdo::Error::UnknownObject(_)
                | fdo::Error::UnknownMethod(_)
                | fdo::Error::UnknownInterface(_)
        ),
        _ => false,
    }
}

fn explain_bus(error: &zbus::Error) -> String {
    match error {
        zbus::Error::MethodError(name, message, _) if name.starts_with(ERROR_PREFIX) => {
            explain_named(name, message.as_deref().unwrap_or_default())
        }
        zbus::Error::FDO(error) => explain_standard(error),
        zbus::Error::Connection(..) | zbus::Error::Address(_) | zbus::Error::Handshake(_) => {
            format!(
                "no session bus: {error}; run this inside your desktop session, or set \
                 DBUS_SESSION_BUS_ADDRESS"
            )
        }
        zbus::Error::InputOutput(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            format!("the daemon does not answer; {JOURNAL}; {RESTART}")
        }
        zbus::Error::InputOutput(error) => format!("the session bus is gone: {error}"),
        zbus::Error::SignatureMismatch(..) => {
            format!("the daemon speaks another version of the interface ({error}); {RESTART}")
        }
        error => error.to_string(),
    }
}

fn explain_standard(error: &fdo::Error) -> String {
    use fdo::Error::*;
    match error {
        ZBus(error) => explain_bus(error),
        ServiceUnknown(_) | NameHasNoOwner(_) => {
            format!("the daemon is not running, and the bus cannot start it; {START}")
        }
        SpawnExecFailed(why)
        | SpawnForkFailed(why)
        | SpawnFailed(why)
        | SpawnChildExited(why)
        | SpawnChildSignaled(why)
        | SpawnFileInvalid(why)
        | SpawnServiceNotValid(why)
        | TimedOut(why) => {
            format!("the daemon does not start: {why}; {JOURNAL}")
        }
        NoReply(_) | Disconnected(_) => format!("the daemon went away in the middle; {JOURNAL}"),
        UnknownMethod(_) | UnknownInterface(_) => {
            format!("the daemon is of another version ({error}); {RESTART}")
        }
        UnknownObject(_) => "the daemon has no such object any more".into(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_says_how_to_get_one() {
        let line = explain_named("org.scriven.Dictation1.Error.NoModel", "no model is installed");
        assert_eq!(line, "no model is installed; fetch one with: scriven model pull base");
    }

    #[test]
    fn a_message_that_says_what_to_do_is_left_alone() {
        let message = "no model is installed: run scriven model pull tiny";
        assert_eq!(explain_named("org.scriven.Dictation1.Error.NoModel", message), message);
    }

    #[test]
    fn the_context_stands_in_front() {
        let error = zbus::Error::FDO(Box::new(fdo::Error::ServiceUnknown("x".into())));
        let line = explain(&anyhow::Error::new(error).context("talk.wav"));
        assert!(line.starts_with("talk.wav: the daemon is not running"), "{line}");
        assert!(line.contains("systemctl --user start scriven"), "{line}");
    }
}
