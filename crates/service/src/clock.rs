//! The only clocks of the program, and what the process has used up.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// CLOCK_MONOTONIC in µs: the time base of the bus.
pub(crate) fn monotonic() -> u64 {
    micros(clock_gettime(ClockId::Monotonic))
}

/// Time of day in µs since 1970.
pub(crate) fn wall() -> i64 {
    micros(clock_gettime(ClockId::Realtime)) as i64
}

/// As [`wall`], where the time before 1970 does not matter.
pub(crate) fn wall_unsigned() -> u64 {
    u64::try_from(wall()).unwrap_or(0)
}

/// Processor time this process has used, all threads together, in µs.
pub(crate) fn cpu() -> u64 {
    micros(clock_gettime(ClockId::ProcessCPUTime))
}

/// Memory this process occupies, in bytes; 0 where the kernel does not say.
pub(crate) fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn micros(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_has_used_time_and_memory() {
        assert!(monotonic() > 0);
        assert!(cpu() > 0);
        assert!(rss() > 1 << 20);
    }
}
