//! Watchdog: sees that a device has fallen silent, and says when to try again.
//!
//! Part of [`capture`](super); runs on the analysis thread. Hosts report most losses themselves, but
//! not all: PipeWire without its session manager goes on for ever without a block or an error.
//! Times come in as arguments, so that a test need not wait for them.

use std::time::{Duration, Instant};

/// A new stream may take that long to its first block: a Bluetooth headset changes its profile
/// meanwhile.
pub(super) const FIRST_BLOCK: Duration = Duration::from_secs(3);
/// No block for that long is a stall. Blocks come every 10 to 50 ms; a machine under load has been
/// seen to pause for 300.
pub(super) const STALL: Duration = Duration::from_millis(1_000);
/// Wait before the second try; it doubles with every further one, up to [`MAX_RETRY`].
pub(super) const FIRST_RETRY: Duration = Duration::from_millis(100);
/// The longest wait between two tries.
pub(super) const MAX_RETRY: Duration = Duration::from_secs(2);
/// A device asked for by name is lost after that long: it was unplugged.
pub(super) const GIVE_UP_NAMED: Duration = Duration::from_secs(10);
/// The default is given up only after that long: another device takes its place, as a rule, and a
/// sound server that is updated needs a while to come back.
pub(super) const GIVE_UP_DEFAULT: Duration = Duration::from_secs(60);

/// Watches the blocks of one stream.
#[derive(Debug)]
pub(super) struct Watchdog {
    blocks: u64,
    /// When the stream was opened or the count was last seen to grow.
    alive: Instant,
}

impl Watchdog {
    pub(super) fn new(now: Instant) -> Self {
        Self { blocks: 0, alive: now }
    }

    /// Takes the count of blocks; returns whether the stream has stalled.
    pub(super) fn stalled(&mut self, blocks: u64, now: Instant) -> bool {
        if blocks != self.blocks {
            (self.blocks, self.alive) = (blocks, now);
        }
        let patience = if self.blocks == 0 { FIRST_BLOCK } else { STALL };
        now.saturating_duration_since(self.alive) > patience
    }

    /// When the last block was seen.
    pub(super) fn alive(&self) -> Instant {
        self.alive
    }
}

/// The time between the last block of a stream and the first block of the next.
#[derive(Debug)]
pub(super) struct Outage {
    since: Instant,
    give_up: Duration,
    next_try: Instant,
    delay: Duration,
    /// Silence has been delivered up to here.
    filled: Instant,
}

impl Outage {
    /// The first try is due at once.
    pub(super) fn new(last_block: Instant, give_up: Duration, now: Instant) -> Self {
        Self { since: now, give_up, next_try: now, delay: FIRST_RETRY, filled: last_block }
    }

    /// Whether to open the device now. Answers yes once for each try.
    pub(super) fn due(&mut self, now: Instant) -> bool {
        let due = now >= self.next_try;
        if due {
            self.next_try = now + self.delay;
            self.delay = (self.delay * 2).min(MAX_RETRY);
        }
        due
    }

    pub(super) fn hopeless(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > self.give_up
    }

    /// How long it has lasted.
    pub(super) fn duration(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// How many samples of silence stand for the time since the last call.
    pub(super) fn silence(&mut self, now: Instant, sample_rate: u32) -> usize {
        let missing = now.saturating_duration_since(self.filled);
        let n = (missing.as_micros() * u128::from(sample_rate) / 1_000_000) as u64;
        self.filled += Duration::from_micros(n * 1_000_000 / u64::from(sample_rate));
        n as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_stream_may_be_slow_to_begin_but_not_to_go_on() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(start);
        assert!(!watchdog.stalled(0, start + 2_900 * MS));
        assert!(!watchdog.stalled(1, start + 2_950 * MS));
        assert!(!watchdog.stalled(1, start + 3_900 * MS));
        assert!(watchdog.stalled(1, start + 4_000 * MS));
        assert!(!watchdog.stalled(2, start + 4_001 * MS));
    }

    #[test]
    fn a_stream_without_a_first_block_stalls() {
        let start = Instant::now();
        let mut watchdog = Watchdog::new(start);
        assert!(watchdog.stalled(0, start + 3_001 * MS));
    }

    #[test]
    fn tries_come_ever_more_slowly_until_there_is_no_hope() {
        let start = Instant::now();
        let mut outage = Outage::new(start, GIVE_UP_NAMED, start);
        let mut tries = Vec::new();
        for ms in 0..12_000 {
            let now = start + ms * MS;
            if !outage.hopeless(now) && outage.due(now) {
                tries.push(ms);
            }
        }
        assert_eq!(tries, [0, 100, 300, 700, 1_500, 3_100, 5_100, 7_100, 9_100]);
    }

    #[test]
    fn silence_stands_for_the_time_lost() {
        let start = Instant::now();
        let mut outage = Outage::new(start, GIVE_UP_NAMED, start + 500 * MS);
        let total: usize = (0..=1_000).map(|ms| outage.silence(start + ms * MS, 16_000)).sum();
        assert_eq!(total, 16_000);
    }
}
