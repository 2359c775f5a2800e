//! How long to wait before the next try.

use std::time::Duration;

/// Long enough for a server that was restarted to be there.
const FIRST: Duration = Duration::from_millis(250);
/// Short enough that nobody looks for a fault when the desktop is back.
const LONGEST: Duration = Duration::from_secs(10);

/// Doubles from [`FIRST`] to [`LONGEST`].
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// The pause before the next try.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_become_rarer_but_never_end() {
        let mut backoff = Backoff::default();
        let pauses: Vec<Duration> = (0..10).map(|_| backoff.pause()).collect();
        assert_eq!(pauses[..2], [FIRST, FIRST * 2]);
        assert!(pauses.is_sorted());
        assert_eq!(pauses[9], LONGEST);
    }
}
