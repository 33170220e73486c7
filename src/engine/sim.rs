//! The simulated engine: a discrete-event simulation of an operating system with virtual cores in
//! virtual time, under any interpreter's lock. One run is a function of program, input, rules,
//! cores, costs, schedule and seed: the same bytes of output and events on every machine. It reads
//! no clock and no environment, and depends on the order of no hash map.
//!
//! *How.* A thread on a core runs in *bursts*: the VM runs a slice at once, the meter says what it
//! costs, and its effects (the call that it stopped with) come when that much virtual time has
//! passed. A slice under a lock can run ahead like that because nobody else may touch the VM
//! meanwhile; it never runs past the moment at which a waiter could first ask for the lock. Without
//! a lock a slice ends where another thread of the same VM has its next instruction, so that they
//! interleave instruction by instruction in order of virtual time.
//!
//! | file | is |
//! |---|---|
//! | `world` | the event queue's loop, and how tasks move between cores, queues and rests |
//! | `task`, `process` | a thread and a VM as the simulated system sees them |
//! | `slice`, `poll`, `cost` | how far a slice goes, where the holder looks, what it costs |
//! | `gil` | the lock under all rules |
//! | `core` | the cores, and the scheduler under the lock |
//! | `call`, `finish` | what VMs ask for; how threads and processes begin and end |
//! | `channel`, `console` | queues between VMs; the script's streams |
//! | `choice`, `queue`, `clock` | open picks, what is due, virtual time |

// Not even of one whose type is not named here, such as a field of the VM's.
#![deny(clippy::iter_over_hash_type)]

mod call;
mod channel;
mod choice;
mod clock;
mod console;
mod core;
mod cost;
mod finish;
mod gil;
mod poll;
mod process;
mod queue;
mod slice;
mod task;
mod tasks;
mod world;

pub use choice::Schedule;
pub use clock::VirtualNs;
pub use cost::{
    CPYTHON_2_7, CPYTHON_3_11, CPYTHON_3_13T, CPYTHON_3_14T, ClassCosts, Costs, MODELS, UNIT,
    WorkCosts, ZeroSleep, model,
};

use crate::engine::outcome::{End, RunLimits, ThreadFigures};
use crate::event::Sink;
use crate::gil::lock::Lock;
use crate::vm::Vm;
use crate::vm::flag::InterruptFlag;
use std::io::{BufRead, Write};
use std::sync::Arc;

/// What a run is given besides its program.
pub struct Options {
    pub lock: Lock,
    /// At least one.
    pub cores: u16,
    pub costs: Costs,
    pub schedule: Schedule,
    pub seed: u64,
    /// Bounds of the whole run; the time is virtual.
    pub limits: RunLimits,
    /// The script's input.
    pub input: Box<dyn BufRead + Send>,
    /// The script's standard output.
    pub output: Box<dyn Write + Send>,
    /// The script's standard error, and reports of uncaught exceptions.
    pub error: Box<dyn Write + Send>,
    /// Keep what each thread did, until the end.
    pub statistics: bool,
    /// Where events go, if anywhere.
    pub sink: Option<Box<dyn Sink>>,
    /// Once it is up the run ends.
    pub flag: Arc<InterruptFlag>,
}

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What each thread did, in order of processes and threads, if that was to be kept.
    pub threads: Vec<ThreadFigures>,
    /// Virtual time.
    pub elapsed: VirtualNs,
    /// How long each core was busy.
    pub cores: Vec<VirtualNs>,
    /// Brings the same schedule about again.
    pub schedule: String,
    /// How many things happened: what the simulation's own time is in proportion to.
    pub events_handled: u64,
}

/// Runs a VM's main thread and all that comes of it, to the end.
#[must_use]
pub fn run(vm: Vm, options: Options) -> Outcome {
    world::World::new(vm, options).run()
}
