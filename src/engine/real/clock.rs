//! Clocks: the run's own monotonic one, the wall's, and processor time.
#![expect(clippy::disallowed_methods, reason = "the real engine's clocks")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since the run began; deadlines of all its VMs are counted on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct MachineClock {
    start: Instant,
}

impl MachineClock {
    pub(super) fn start() -> MachineClock {
        MachineClock {
            start: Instant::now(),
        }
    }

    pub(super) fn now_ns(self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Now, as the operating system counts.
    pub(super) fn instant_now() -> Instant {
        Instant::now()
    }

    /// The number of nanoseconds of a moment.
    pub(super) fn ns(self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The moment of a number of nanoseconds; one too far away to be counted is as far as can be.
    pub(super) fn instant(self, ns: u64) -> Instant {
        const CENTURY: Duration = Duration::from_hours(100 * 365 * 24);
        self.start + Duration::from_nanos(ns).min(CENTURY)
    }
}

/// Nanoseconds since the epoch.
pub(super) fn wall_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as i64)
}

/// Processor time of the calling OS thread.
pub(super) fn thread_cpu_ns() -> u64 {
    nanoseconds(rustix::time::clock_gettime(
        rustix::time::ClockId::ThreadCPUTime,
    ))
}

/// Processor time of this program.
pub(super) fn program_cpu_ns() -> u64 {
    nanoseconds(rustix::time::clock_gettime(
        rustix::time::ClockId::ProcessCPUTime,
    ))
}

fn nanoseconds(time: rustix::time::Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
