//! How a run ended and what its threads did: the part that all engines tell in the same words.
//! Plain data.

use crate::printable::Printable;
use std::sync::Arc;
use std::time::Duration;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The first process ended with this exit code.
    Exited(i32),
    /// It was ended by this signal, its own or a child's (`os.kill`).
    Killed(i32),
    /// `os.abort` in the first process.
    Aborted,
    /// A second Ctrl-C; in the simulation the first. Where every thread was, if that is not told
    /// yet.
    Interrupted(Printable),
    /// Every thread of every VM was blocked for ever; the report says on what.
    Deadlock(Printable),
    /// The run came to a bound, by the name of its option.
    Limit(&'static str),
    /// An OS thread panicked: a bug of Mini's.
    Bug(String),
}

/// Bounds of a run; none by default but the number of processes.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// Processes alive at the same time; `BlockingIOError`.
    pub processes: usize,
    /// Threads of the operating system alive at the same time, those of all processes together;
    /// `RuntimeError`. Simulated threads are none.
    pub os_threads: usize,
    /// Wall time.
    pub time: Option<Duration>,
    /// Instructions of all processes together.
    pub instructions: Option<u64>,
    /// Bytes printed.
    pub output_bytes: Option<u64>,
}

impl Default for RunLimits {
    fn default() -> RunLimits {
        RunLimits {
            processes: 500,
            os_threads: usize::MAX,
            time: None,
            instructions: None,
            output_bytes: None,
        }
    }
}

/// What one thread did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadFigures {
    /// The number of its process in the run, 0 for the first.
    pub process: u64,
    /// The name of its process.
    pub process_name: Arc<str>,
    /// Its number in its VM.
    pub thread: u32,
    /// Its name.
    pub thread_name: Arc<str>,
    /// Instructions that it ran.
    pub instructions: u64,
    /// Its dealings with the lock.
    pub times: Times,
}

/// A tally at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How often the thread got the lock.
    pub acquisitions: u64,
    /// How often it got it from another thread.
    pub switches: u64,
    /// How long it held the lock.
    pub held_ns: u64,
    /// How long it waited for the lock.
    pub waited_ns: u64,
    /// Its longest wait for the lock.
    pub longest_wait_ns: u64,
    /// How long it slept, waited for another thread, or for the world outside.
    pub blocked_ns: u64,
}
