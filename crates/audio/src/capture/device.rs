//! Hosts and their devices: which there are, and which one a name means.
//!
//! Part of [`capture`](super). A name is looked up anew whenever a stream is (re)built, with a new
//! host: hosts list their devices once and do not see what is plugged in later.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{DeviceDescription, HostId};

use super::{Host, SourceInfo, SourceKind};
use crate::Error;

/// Before the name of a sink: what it plays, instead of what a microphone hears.
const MONITOR: &str = "monitor:";
const DEFAULT: &str = "default";

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Default(SourceKind),
    Named(SourceKind, String),
}

impl Wanted {
    /// Understands `default`, `NAME`, `monitor:default`, `monitor:NAME` and, as PulseAudio has it,
    /// `NAME.monitor`.
    pub(super) fn parse(source: &str) -> Self {
        let (kind, name) = match source.strip_prefix(MONITOR) {
            Some(name) => (SourceKind::Monitor, name),
            None => match source.strip_suffix(".monitor") {
                Some(name) => (SourceKind::Monitor, name),
                None => (SourceKind::Microphone, source),
            },
        };
        match name.trim() {
            "" | DEFAULT => Self::Default(kind),
            name => Self::Named(kind, name.to_owned()),
        }
    }

    pub(super) fn kind(&self) -> SourceKind {
        match self {
            Self::Default(kind) | Self::Named(kind, _) => *kind,
        }
    }

    pub(super) fn follows_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }
}

/// Connects to a host; `Auto` takes the first that answers.
pub(crate) fn connect(host: Host) -> Result<cpal::Host, Error> {
    match host {
        Host::Auto => connect(Host::PipeWire).or_else(|error| {
            tracing::debug!(%error, "no PipeWire, trying ALSA");
            connect(Host::Alsa)
        }),
        Host::PipeWire => by_id(HostId::PipeWire),
        Host::Alsa => by_id(HostId::Alsa),
        Host::Pulse => match "PulseAudio".parse() {
            Ok(id) => by_id(id),
            Err(_) => Err(Error::HostNotBuilt { host: "PulseAudio" }),
        },
    }
}

/// Connects to the host that was found before.
pub(super) fn by_id(id: HostId) -> Result<cpal::Host, Error> {
    cpal::host_from_id(id).map_err(|source| Error::HostUnavailable { host: id.name(), source })
}

/// The sources of a host, the defaults first.
pub(super) fn sources(host: &cpal::Host) -> Result<Vec<SourceInfo>, Error> {
    let mut sources = vec![default_source(host, SourceKind::Microphone)];
    if host.id() != HostId::Alsa {
        sources.push(default_source(host, SourceKind::Monitor));
    }
    sources.extend(named(host)?.into_iter().map(|(info, _)| info));
    Ok(sources)
}

/// Finds the device that is wanted, and the name to call it by.
pub(super) fn find(host: &cpal::Host, wanted: &Wanted) -> Result<(cpal::Device, String), Error> {
    let kind = wanted.kind();
    if kind == SourceKind::Monitor && host.id() == HostId::Alsa {
        return Err(Error::NoMonitor { host: host.id().name() });
    }
    match wanted {
        Wanted::Default(kind) => {
            let info = default_source(host, *kind);
            let device = default_device(host, *kind)?;
            device.map(|device| (device, info.id.clone())).ok_or(Error::NoSource { name: info.id })
        }
        Wanted::Named(kind, name) => {
            let mut named = named(host)?;
            let infos: Vec<&SourceInfo> = named.iter().map(|(info, _)| info).collect();
            let (info, device) = named.swap_remove(choose(&infos, *kind, name)?);
            Ok((device, info.id))
        }
    }
}

fn default_source(host: &cpal::Host, kind: SourceKind) -> SourceInfo {
    let (id, description) = match kind {
        SourceKind::Microphone => (DEFAULT.to_owned(), "the system's default microphone"),
        SourceKind::Monitor => (format!("{MONITOR}{DEFAULT}"), "what the default sink plays"),
    };
    let description = description.to_owned();
    SourceInfo { id, description, kind, host: host.id().name(), is_default: true }
}

/// The device that follows the default. PipeWire has one for each kind; PulseAudio gives a sink
/// and its monitor two names.
fn default_device(host: &cpal::Host, kind: SourceKind) -> Result<Option<cpal::Device>, Error> {
    if kind == SourceKind::Microphone {
        return Ok(host.default_input_device());
    }
    let wanted = match host.id() {
        HostId::PipeWire => "sink_default".to_owned(),
        _ => match host.default_output_device().and_then(|sink| sink.id().ok()) {
            Some(sink) => format!("{}.monitor", sink.id()),
            None => return Ok(None),
        },
    };
    let mut devices = devices(host)?;
    Ok(devices.find(|device| device.id().is_ok_and(|id| id.id() == wanted)))
}

/// The sources that have a name of their own.
fn named(host: &cpal::Host) -> Result<Vec<(SourceInfo, cpal::Device)>, Error> {
    let mut named: Vec<(SourceInfo, cpal::Device)> = Vec::new();
    for device in devices(host)?.filter(DeviceTrait::supports_input) {
        let (Ok(id), Ok(description)) = (device.id(), device.description()) else { continue };
        let (id, host_id) = (id.id(), host.id());
        if is_no_source(host_id, id, &description) {
            continue;
        }
        // PipeWire gives a sink as one device for both directions, and recording from it records
        // what it plays. PulseAudio has a device of its own for that.
        let sink = match host_id {
            HostId::PipeWire => description.supports_output().then_some(id),
            _ => id.strip_suffix(".monitor"),
        };
        let (kind, id) = match sink {
            Some(sink) => (SourceKind::Monitor, format!("{MONITOR}{sink}")),
            None => (SourceKind::Microphone, id.to_owned()),
        };
        let description = description.name().to_owned();
        let info = SourceInfo { id, description, kind, host: host_id.name(), is_default: false };
        named.push((info, device));
    }
    let ids: Vec<String> = named.iter().map(|(info, _)| info.id.clone()).collect();
    named.retain(|(info, _)| !is_inner_half(&info.id, &ids));
    Ok(named)
}

/// A virtual microphone `X` of PipeWire is two nodes: `X`, and `input.X` which feeds it.
fn is_inner_half(id: &str, ids: &[String]) -> bool {
    id.strip_prefix("input.").is_some_and(|outer| ids.iter().any(|id| id == outer))
}

/// What hosts list among their inputs that is none.
fn is_no_source(host: HostId, id: &str, description: &DeviceDescription) -> bool {
    if host == HostId::PipeWire {
        // The defaults that cpal makes up, and the recording streams of programs.
        matches!(id, "sink_default" | "input_default" | "output_default")
            || description.name() == "unknown"
    } else {
        // The bottomless device of ALSA, and the default, which is listed already.
        matches!(id, "null" | DEFAULT)
    }
}

fn devices(host: &cpal::Host) -> Result<cpal::Devices, Error> {
    host.devices().map_err(|source| Error::HostUnavailable { host: host.id().name(), source })
}

/// Which of `sources` a name means: the one with this id, or else with this description, or else
/// the only one in whose id or description the name occurs.
fn choose(sources: &[&SourceInfo], kind: SourceKind, name: &str) -> Result<usize, Error> {
    let id = |info: &SourceInfo| info.id.trim_start_matches(MONITOR).to_lowercase();
    let name_lower = name.to_lowercase();
    let rules: [&dyn Fn(&SourceInfo) -> bool; 3] = [
        &|info| id(info) == name_lower,
        &|info| info.description.to_lowercase() == name_lower,
        &|info| {
            id(info).contains(&name_lower) || info.description.to_lowercase().contains(&name_lower)
        },
    ];
    for rule in rules {
        let fits: Vec<usize> =
            (0..sources.len()).filter(|&i| sources[i].kind == kind && rule(sources[i])).collect();
        match fits[..] {
            [] => {}
            [one] => return Ok(one),
            _ => {
                let ids: Vec<&str> = fits.iter().map(|&i| sources[i].id.as_str()).collect();
                return Err(Error::AmbiguousSource {
                    name: name.to_owned(),
                    candidates: ids.join(", "),
                });
            }
        }
    }
    Err(Error::NoSource { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: SourceKind, id: &str, description: &str) -> SourceInfo {
        let (id, description) = (id.to_owned(), description.to_owned());
        SourceInfo { id, description, kind, host: "PipeWire", is_default: false }
    }

    /// The id of the source that a name means, or the error.
    fn chosen(source: &str) -> String {
        use SourceKind::{Microphone, Monitor};
        let sources = [
            info(Microphone, "alsa_input.usb-Blue_Yeti-00.mono", "Yeti Stereo Microphone Mono"),
            info(Microphone, "alsa_input.pci-0000.analog-stereo", "Built-in Audio"),
            info(Microphone, "alsa_input.pci-0000.analog-stereo.2", "Built-in Audio"),
            info(Monitor, "monitor:alsa_output.pci-0000.analog-stereo", "Built-in Audio"),
        ];
        let Wanted::Named(kind, name) = Wanted::parse(source) else { return "default".into() };
        match choose(&sources.iter().collect::<Vec<_>>(), kind, &name) {
            Ok(i) => sources[i].id.clone(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_name_is_an_id_a_description_or_a_part_of_one() {
        let yeti = "alsa_input.usb-Blue_Yeti-00.mono";
        assert_eq!(chosen(yeti), yeti);
        assert_eq!(chosen("Yeti Stereo Microphone Mono"), yeti);
        assert_eq!(chosen("yeti"), yeti);
        let longer = "alsa_input.pci-0000.analog-stereo";
        assert_eq!(chosen(longer), longer, "though another id begins like it");
    }

    #[test]
    fn a_monitor_has_the_name_of_its_sink() {
        let monitor = "monitor:alsa_output.pci-0000.analog-stereo";
        assert_eq!(chosen(monitor), monitor);
        assert_eq!(chosen("monitor:Built-in"), monitor);
        assert_eq!(chosen("alsa_output.pci-0000.analog-stereo.monitor"), monitor);
    }

    #[test]
    fn a_name_that_fits_none_or_two_is_an_error() {
        assert!(chosen("webcam").contains("list the sources"));
        assert!(chosen("monitor:yeti").contains("list the sources"));
        let error = chosen("built-in");
        assert!(error.contains("analog-stereo, alsa_input"), "{error}");
    }

    #[test]
    fn nothing_and_default_mean_the_default() {
        for source in ["", "default", " default "] {
            assert_eq!(Wanted::parse(source), Wanted::Default(SourceKind::Microphone));
        }
        for source in ["monitor:default", "monitor:"] {
            assert_eq!(Wanted::parse(source), Wanted::Default(SourceKind::Monitor));
        }
    }
}
