//! The real engine: an OS thread for each Mini thread, a lock for each Mini process, wall time. A
//! thread takes the lock, runs a slice, acts on the reason why it stopped, and lets go around
//! everything that blocks. Knows no terminal and no file: text goes to writers that it is given.
//!
//! | file | is |
//! |---|---|
//! | `machine` | what all processes share: the table of processes, the end of the run |
//! | `process` | a VM with its lock and its threads |
//! | `worker` | the life of an OS thread; `call` serves what a VM asks |
//! | `gil` | the lock, with a file for each of the three rules |
//! | `census` | when nobody can wake anybody any more |
//! | `channel`, `input`, `output`, `clock` | queues between VMs, and the world outside |
//! | `tally`, `record` | who had the lock for how long; what each thread tells of itself |

mod call;
mod census;
mod channel;
mod clock;
mod gil;
mod input;
mod machine;
mod output;
mod process;
mod record;
mod tally;
mod worker;

pub use machine::Interrupter;
pub use record::Sinks;

use crate::engine::LOST_OUTPUT;
use crate::engine::outcome::{End, RunLimits, ThreadFigures};
use crate::gil::Rules;
use crate::printable::Printable;
use crate::vm::Vm;
use machine::Machine;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

/// What a run is given besides its program.
pub struct Options {
    /// Not `Rules::Off`.
    pub rules: Rules,
    /// Bounds of the whole run.
    pub limits: RunLimits,
    /// The script's input.
    pub input: Box<dyn BufRead + Send>,
    /// The script's standard output.
    pub output: Box<dyn Write + Send>,
    /// The script's standard error, and reports of uncaught exceptions.
    pub error: Box<dyn Write + Send>,
    /// Write out each line as it ends, as one does at a terminal.
    pub line_buffered: bool,
    /// Keep what each thread did, until the end.
    pub statistics: bool,
    /// Where events go, if anywhere: each thread has a sink of its own.
    pub sinks: Option<Sinks>,
}

/// A run under way.
pub struct Run {
    machine: Arc<Machine>,
    limit: Option<Duration>,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Where Ctrl-C found everybody, where an exception in the main thread does not say it.
    pub found: Option<Printable>,
    /// What each thread did, in order of processes and threads, if that was to be kept.
    pub threads: Vec<ThreadFigures>,
    /// Wall time.
    pub elapsed_ns: u64,
    /// Processor time of the whole program, its start included.
    pub cpu_ns: u64,
}

impl Run {
    /// Starts the main thread of a VM.
    #[must_use]
    pub fn start(vm: Vm, options: Options) -> Run {
        let limit = options.limits.time;
        let machine = Machine::start(vm, options);
        Run { machine, limit }
    }

    /// Something that can interrupt the run from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::new(self.machine.clone())
    }

    /// Waits for the end. Threads that are still busy (daemons, or after an abort) stop at their
    /// next look at the world.
    #[must_use]
    pub fn wait(self) -> Outcome {
        let mut end = self.machine.wait(self.limit);
        let elapsed_ns = self.machine.clock.now_ns();
        // There is something left where the first process did not come to its end by itself.
        if !self.machine.output.finish() && end == End::Exited(0) {
            end = End::Exited(LOST_OUTPUT);
        }
        self.machine.stop_recording();
        Outcome {
            end,
            found: self.machine.found(),
            threads: self.machine.figures(),
            elapsed_ns,
            cpu_ns: clock::program_cpu_ns(),
        }
    }
}
