//! The rules of an interpreter lock as data: who starts a switch and when, and what happens then.
//! Both engines obey them, each with code of its own, so that their agreement is evidence. Knows no
//! engine, no thread, no clock.

pub mod lock;
mod parse;
pub mod preset;
mod selection;

use parse::RULES;
pub use parse::{Duration, UnknownRules};
pub use selection::Selection;

/// Turns end after this many instructions unless told otherwise. That is some two milliseconds,
/// beside which a hand-over between cores (2 to 30 µs, the operating system's price for waking a
/// thread) is 2 % at most, and less than half of what a thread of CPython gets. A prime, so that
/// turns do not fall in step with a script's loops: a loop of 5 instructions would be cut at the
/// same one each time by any multiple of 5, and lose an update always or never.
pub const DEFAULT_INSTRUCTIONS: u64 = 1_000_003;

/// Python 3's `sys.getswitchinterval()`.
pub const DEFAULT_INTERVAL_NS: u64 = 5_000_000;

/// Python 2's `sys.getcheckinterval()`.
pub const DEFAULT_TICKS: u64 = 100;

/// When a thread that computes gives up the lock, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rules {
    /// Mini's own: a turn is exactly this many instructions; then the lock goes to the thread that
    /// has waited longest. If none waits, the turn goes on.
    Every { instructions: u64 },
    /// As CPython up to 2.7: after this many instructions the holder lets go and takes the lock
    /// back at once; whoever is faster has it.
    Ticks { instructions: u64 },
    /// As CPython since 3.2: a thread that has waited this long asks for the lock; the holder sees
    /// it at its next backward jump or call, lets go, and waits until another thread has taken it.
    Interval { ns: u64 },
    /// No lock at all, as in free-threaded CPython: for the simulation alone, whose cores can share
    /// a memory without harm.
    Off,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::Every {
            instructions: DEFAULT_INSTRUCTIONS,
        }
    }
}

impl Rules {
    /// The same rules with another number of instructions to a turn (`sys.setcheckinterval`);
    /// `interval` knows no such number and stays.
    #[must_use]
    pub fn with_instructions(self, instructions: u64) -> Rules {
        match self {
            Rules::Every { .. } => Rules::Every { instructions },
            Rules::Ticks { .. } => Rules::Ticks { instructions },
            Rules::Interval { .. } | Rules::Off => self,
        }
    }

    /// The same rules with another interval (`sys.setswitchinterval`); only `interval` has one.
    #[must_use]
    pub fn with_interval(self, ns: u64) -> Rules {
        match self {
            Rules::Interval { .. } => Rules::Interval { ns },
            Rules::Every { .. } | Rules::Ticks { .. } | Rules::Off => self,
        }
    }
}
