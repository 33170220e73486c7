//! Spinning before a turn that comes soon. To wake a parked thread takes ten microseconds and more, mostly because its core sleeps; a turn of a thousand instructions
//! takes two. So the thread whose turn is next is told that it is *near*, and spins, about as long as it takes to wake a thread: it loses no more than it could
//! have saved (Karlin, Li, Manasse and Owicki, "Empirical Studies of Competitive Spinning for a Shared-Memory Multiprocessor", SOSP 1991). Where turns are short it
//! is told when the turn before its own begins, where they are long shortly before that one ends. Where it spun in vain (turns are not as long as the last ones
//! were, or threads share a core) it is told ever more rarely.

use crate::engine::real::clock::MachineClock;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// How long a thread spins at most. Waking a parked one takes 10 to 30 µs between two cores (`benches/locking.py hand-over`), and the one whose turn it is may
/// have to be woken first: with 30 µs, threads whose turns take 14 never fell into step.
pub(super) const LONGEST_SPIN: Duration = Duration::from_micros(80);

/// How long before the end of a long turn the next thread is told.
pub(super) const LEAD: Duration = Duration::from_micros(40);

/// Spins between two looks at the clock.
const SPINS_PER_LOOK: u32 = 16;

/// At most so many times in a row a thread is not told.
const LONGEST_PAUSE: u32 = 255;

/// May a thread spin while another runs? Asked when there is somebody to spin for: the operating system takes a while to say.
pub(super) static SEVERAL_CORES: LazyLock<bool> =
    LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1));

/// Whether a thread is to spin.
#[derive(Debug, Default)]
pub(super) struct Spin {
    near: AtomicBool,
    /// How often it is not to be told from now on.
    pause: AtomicU32,
    /// The last such number.
    last_pause: AtomicU32,
}

impl Spin {
    /// Tells the thread that its turn is near, unless that did not pay of late; true if told. Called under the lock's mutex.
    pub(super) fn call_near(&self) -> bool {
        let pause = self.pause.load(Relaxed);
        if pause > 0 {
            self.pause.store(pause - 1, Relaxed);
            return false;
        }
        self.near.store(true, Relaxed);
        true
    }

    /// If told, spins until called, though not for long. For the thread itself.
    pub(super) fn spin(&self, called: &AtomicBool) {
        if !self.near.load(Relaxed) {
            return;
        }
        self.near.store(false, Relaxed);
        let end = MachineClock::instant_now() + LONGEST_SPIN;
        loop {
            for _ in 0..SPINS_PER_LOOK {
                if called.load(Relaxed) {
                    self.last_pause.store(0, Relaxed);
                    return;
                }
                std::hint::spin_loop();
            }
            if MachineClock::instant_now() >= end {
                break;
            }
        }
        let pause = (self.last_pause.load(Relaxed) * 2 + 1).min(LONGEST_PAUSE);
        self.last_pause.store(pause, Relaxed);
        self.pause.store(pause, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often in a row a thread is not called near.
    fn pause(spin: &Spin) -> Option<u32> {
        (0..1_000).find(|_| spin.call_near())
    }

    #[test]
    fn who_spins_in_vain_is_called_near_ever_more_rarely_until_it_pays_again() {
        let spin = Spin::default();
        for expected in [0, 1, 3, 7, 15, 31, 63, 127, 255, 255] {
            assert_eq!(pause(&spin), Some(expected));
            spin.spin(&AtomicBool::new(false));
        }
        assert_eq!(pause(&spin), Some(255));
        spin.spin(&AtomicBool::new(true));
        assert_eq!(pause(&spin), Some(0));
    }

    #[test]
    fn who_is_not_called_near_does_not_spin() {
        let spin = Spin::default();
        spin.spin(&AtomicBool::new(false));
        assert_eq!(pause(&spin), Some(0));
    }
}
