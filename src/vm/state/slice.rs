//! What `run` answers, what a VM may ask of its engine, and the engine's answers. Plain data; knows
//! no engine.

use crate::vm::heap::fault::Fault;
use crate::vm::heap::memory::Charge;
use crate::vm::heap::object::Object;
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::value::{Ref, ThreadId};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How far a slice may go.
#[derive(Clone, Copy, Debug)]
pub enum Budget<'a> {
    /// Exactly this many instructions.
    Instructions(u64),
    /// Turns of so many instructions, of which the first one is begun and has `left`: exactly until
    /// the end of one at which the flag is set. (The flag may be read up to a straight run of
    /// instructions earlier.)
    Turns {
        left: u64,
        turn: u64,
        wanted: &'a AtomicBool,
    },
    /// Until the flag is set, looked at only at polls (backward jumps and calls), or this many
    /// instructions have been counted there.
    Polls { stop: &'a AtomicBool, at_most: u64 },
}

/// A stretch of instructions that ran without the thread giving way.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// How many instructions.
    pub ran: u64,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a slice ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The budget is spent, or the flag was seen.
    Budget,
    /// Other threads can run again (`Vm::take_woken`); this one can go on.
    Woke,
    /// A builtin saw that its engine wants something (`InterruptFlag`), or that it would do more
    /// than is allowed; the thread can go on.
    Flagged,
    /// The thread waits (`Status::Waiting`); it may run again once it is woken or `Vm::time_out`
    /// was called.
    Waiting,
    /// The thread asks something of the engine and may run again after `Vm::answer`.
    Call(SysCall),
    /// The thread ended. If it ended with an exception that is to be reported, this is the report.
    /// The exit code is what the whole VM's would be if this is its main thread: 0, 1 after an
    /// uncaught exception, what `SystemExit` says, 130 after `KeyboardInterrupt`.
    Finished {
        report: Option<String>,
        exit_code: i32,
    },
    /// The whole VM is to end with this exit code (`os._exit`).
    Exit(i32),
    /// The whole VM is to die at once (`os.abort`).
    Abort,
}

/// What a thread waits for inside its VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitOn {
    /// A `Lock`, `RLock`, `Condition`, `Semaphore` or `Event`.
    Object(Ref<Object>),
    /// The end of a thread.
    Thread(ThreadId),
    /// The first slice of a thread.
    Begin(ThreadId),
}

/// Which clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Nanoseconds since the epoch.
    Wall,
    /// Nanoseconds since some moment, never back; deadlines are counted on it.
    Monotonic,
    /// Processor nanoseconds of this VM.
    Process,
    /// Processor nanoseconds of the calling thread.
    Thread,
}

/// What a thread asks of its engine. Each is answered by `Vm::answer`.
#[derive(Clone, Debug, PartialEq)]
pub enum SysCall {
    /// Wait for this many nanoseconds. Reply: none.
    Sleep {
        ns: u64,
    },
    /// Reply: an integer of nanoseconds.
    Now(Clock),
    /// Print. Reply: none.
    Write {
        stream: Stream,
        text: Arc<str>,
        flush: bool,
    },
    /// Read a line. Reply: a text with its newline; an empty one at the end of input.
    ReadLine,
    /// Begin to run a thread that was just made. Reply: is the caller to wait until it has begun?
    /// Or an error if no more can be started.
    StartThread(ThreadId),
    /// Make a process, whose VM `Vm::fork` gives: a copy of this one in which only a new main
    /// thread remains; or, with something to send along, one that begins from nothing. Reply:
    /// process number and pid, or an error.
    Fork {
        name: Arc<str>,
        daemon: bool,
        spawn: Option<Parcel>,
    },
    /// Wait for the end of a process, at most until the deadline. Reply: true if it ended.
    WaitProcess {
        process: u64,
        deadline_ns: Option<u64>,
    },
    /// Reply: exit code, or none while it runs.
    ExitCode {
        process: u64,
    },
    /// What the function of a process returned or raised. Reply: a parcel, or none.
    ProcessResult {
        process: u64,
    },
    /// End a process from outside, as by this signal. Reply: none.
    Kill {
        process: u64,
        signal: i32,
    },
    /// The same, by the pid that scripts see. Reply: none, or an error.
    KillPid {
        pid: i64,
        signal: i32,
    },
    /// Make a channel between processes; `capacity` 0 has no bound. Reply: its number.
    ChannelNew {
        capacity: usize,
    },
    /// Put a message into a channel, waiting while it is full. Reply: true, or false if the
    /// deadline passed.
    Send {
        channel: u64,
        parcel: Parcel,
        deadline_ns: Option<u64>,
    },
    /// Take a message, waiting while there is none. Reply: the parcel, none if the deadline passed,
    /// or an error (`EOFError`) if every sender is gone.
    Receive {
        channel: u64,
        deadline_ns: Option<u64>,
    },
    /// Reply: how many messages are in it.
    ChannelLen {
        channel: u64,
    },
    /// Say that this process will not send (or receive) on it any more. Reply: none.
    ChannelClose {
        channel: u64,
        end: ChannelEnd,
    },
    /// Make a cell that all processes see, with this content. Reply: its number.
    SharedNew {
        parcel: Parcel,
    },
    /// Reply: the parcel in a shared cell.
    SharedGet {
        cell: u64,
    },
    /// Replace the content of a shared cell. Reply: none.
    SharedSet {
        cell: u64,
        parcel: Parcel,
    },
    /// Answers the id of this process, of its parent, or the number of cores.
    Pid,
    ParentPid,
    CpuCount,
    /// Give way to other threads. Reply: none.
    Yield,
    /// Change the switch interval (nanoseconds) or the check interval (instructions) of the lock.
    /// Reply: none.
    SetSwitchInterval {
        ns: u64,
    },
    /// Reply: nanoseconds.
    SwitchInterval,
    SetCheckInterval {
        instructions: u64,
    },
    CheckInterval,
    /// Is there a lock at all? Reply: a truth value.
    GilEnabled,
    /// Random bytes from outside, for seeding. Reply: an integer.
    Entropy,
}

/// Where text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    Out,
    Err,
}

/// An engine's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    None,
    Bool(bool),
    Int(i64),
    Text(Arc<str>),
    /// Two numbers: process number and pid.
    Process {
        process: u64,
        pid: i64,
    },
    Parcel(Parcel),
    /// Raise this.
    Error(Fault),
}

/// A copied value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// The encoded value.
    pub bytes: Arc<[u8]>,
    /// The ends of channels in it, which the process that gets it has from then on.
    pub ends: Arc<[(u64, ChannelEnd)]>,
    /// The memory that it takes, wherever it is.
    pub(in crate::vm) held: Held,
}

/// A part of the run's memory. It is nothing by which values differ.
#[derive(Clone, Debug)]
pub(in crate::vm) struct Held(
    #[expect(dead_code, reason = "given back when the last one is dropped")]
    pub(in crate::vm)  Arc<Charge>,
);

impl PartialEq for Held {
    fn eq(&self, _: &Held) -> bool {
        true
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
