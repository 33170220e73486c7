//! Spinning before a turn that comes soon. Waking a parked thread takes ten microseconds or more,
//! mostly because its core is asleep; a turn of a thousand instructions takes two. So the thread
//! whose turn is next gets a *hint* and spins, for about as long as it takes to wake a thread: it
//! loses no more than it could have saved (Karlin, Li, Manasse and Owicki, "Empirical Studies of
//! Competitive Spinning for a Shared-Memory Multiprocessor", SOSP 1991). Where turns are short, the
//! hint comes when the turn before its own begins; where they are long, shortly before that turn
//! ends. A thread that spins in vain (turns have become longer, or threads share a core) is hinted
//! less and less often.

use crate::engine::real::clock::MachineClock;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// How long a thread spins at most. Unparking across cores takes 10 to 30 µs (`benches/locking.py
/// hand-over`), and the thread whose turn it is may have to be woken first. 30 µs was too short:
/// with turns of 14 µs the threads never settled into spinning.
pub(super) const MAX_SPIN: Duration = Duration::from_micros(80);

/// How long before the end of a long turn the next thread is hinted.
pub(super) const LEAD: Duration = Duration::from_micros(40);

/// Spins between two looks at the clock.
const SPINS_PER_LOOK: u32 = 16;

/// The most hints in a row that a thread is denied.
const MAX_PAUSE: u32 = 255;

/// Can one thread spin while another runs? Asked only when there is a thread to spin for: the
/// operating system is slow to answer.
pub(super) static SEVERAL_CORES: LazyLock<bool> =
    LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1));

/// Whether a thread should spin.
#[derive(Debug, Default)]
pub(super) struct Spin {
    hinted: AtomicBool,
    /// How many hints it will still be denied.
    pause: AtomicU32,
    /// How many it was denied the last time.
    last_pause: AtomicU32,
}

impl Spin {
    /// Hints the thread that its turn is next, unless hints have not paid of late; true if it was
    /// hinted. Called under the lock's mutex.
    pub(super) fn hint_turn(&self) -> bool {
        let pause = self.pause.load(Relaxed);
        if pause > 0 {
            self.pause.store(pause - 1, Relaxed);
            return false;
        }
        self.hinted.store(true, Relaxed);
        true
    }

    /// If hinted, spins until called, but not for long. Called by the thread itself.
    pub(super) fn spin(&self, called: &AtomicBool) {
        if !self.hinted.load(Relaxed) {
            return;
        }
        self.hinted.store(false, Relaxed);
        let end = MachineClock::instant_now() + MAX_SPIN;
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
        let pause = (self.last_pause.load(Relaxed) * 2 + 1).min(MAX_PAUSE);
        self.last_pause.store(pause, Relaxed);
        self.pause.store(pause, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many hints in a row a thread is denied.
    fn pause(spin: &Spin) -> Option<u32> {
        (0..1_000).find(|_| spin.hint_turn())
    }

    #[test]
    fn a_thread_that_spins_in_vain_is_hinted_less_and_less_often() {
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
    fn a_thread_that_is_not_hinted_does_not_spin() {
        let spin = Spin::default();
        spin.spin(&AtomicBool::new(false));
        assert_eq!(pause(&spin), Some(0));
    }
}
