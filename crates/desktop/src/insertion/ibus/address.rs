//! Where the IBus daemon listens: it writes that into a file for each display.
//!
//! Source: `ibus_get_socket_path` in `src/ibusshare.c`, IBus 1.5.32.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where to look for the address of the daemon.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// An address that is known already: `IBUS_ADDRESS`.
    pub address: Option<String>,
    /// The folder with one file a display: `~/.config/ibus/bus`.
    pub folder: PathBuf,
    /// The displays to prefer, as the names of the files end: `wayland-0`, `0`.
    pub displays: Vec<String>,
}

impl Place {
    /// What the environment says. A daemon that was started before the desktop knows no display:
    /// then the file that was written last is taken.
    #[must_use]
    pub fn from_environment() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let config = variable("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")))
            .unwrap_or_default();
        let x11 = variable("DISPLAY").map(|display| number(&display).to_owned());
        Self {
            address: variable("IBUS_ADDRESS"),
            folder: config.join("ibus/bus"),
            displays: variable("WAYLAND_DISPLAY").into_iter().chain(x11).collect(),
        }
    }

    /// Every address that may be that of the daemon, the likeliest first.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut files: Vec<(usize, SystemTime, PathBuf)> = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|file| {
                let written = file.metadata().and_then(|data| data.modified()).ok()?;
                Some((self.rank(&file.file_name().to_string_lossy()), written, file.path()))
            })
            .collect();
        files.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
        let written = files.iter().filter_map(|(_, _, path)| written_in(path));
        self.address.clone().into_iter().chain(written).collect()
    }

    fn rank(&self, file: &str) -> usize {
        let is_of = |display: &String| file.ends_with(&format!("-unix-{display}"));
        self.displays.iter().position(is_of).unwrap_or(self.displays.len())
    }
}

/// `host:1.0` → `1`.
fn number(display: &str) -> &str {
    let screen = display.rsplit(':').next().unwrap_or(display);
    screen.split('.').next().unwrap_or(screen)
}

/// The address in a file of the daemon's, which is a few lines of `NAME=value`.
fn written_in(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let address = text.lines().find_map(|line| line.strip_prefix("IBUS_ADDRESS="))?;
    Some(address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_our_display_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, address) in
            [("m-unix-0", "zero"), ("m-unix-wayland-0", "way"), ("m-unix-1", "one")]
        {
            let text =
                format!("# comment\nIBUS_ADDRESS=unix:path={address},guid=1\nIBUS_DAEMON_PID=1\n");
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("m-unix-7"), "nothing of use").unwrap();
        let place = |displays: &[&str]| Place {
            displays: displays.iter().map(|&name| name.to_owned()).collect(),
            folder: folder.path().into(),
            ..Place::default()
        };
        let first = |displays: &[&str]| place(displays).addresses().swap_remove(0);
        assert_eq!(first(&["wayland-0", "0"]), "unix:path=way,guid=1");
        assert_eq!(first(&["wayland-9", "0"]), "unix:path=zero,guid=1");
        assert_eq!(place(&[]).addresses().len(), 3);
    }

    #[test]
    fn the_number_of_a_display_is_found() {
        for (display, expected) in [(":0", "0"), (":12.0", "12"), ("host:1.0", "1")] {
            assert_eq!(number(display), expected);
        }
    }
}
