//! What happened, when, to whom: the one record that both engines write and every report reads. An
//! engine produces events, a report consumes them, and neither knows the other. Plain data; knows
//! no engine, no clock and no file. The moment is nanoseconds since the run began, wall time in the
//! real engine and virtual time in the simulated one.
//!
//! *Order.* The events of one thread come in the order in which they happened. Those of the
//! simulated engine come in the order of time over all threads; the real engine's threads each
//! write their own, and whoever wants one row sorts by time.

pub mod names;
pub mod trace;

/// A thread of a VM.
pub use crate::vm::value::ThreadId;

use crate::source::SourceId;
use crate::vm::Vm;
use crate::vm::object::Object;
use crate::vm::slice::{SysCall, WaitOn};
use crate::vm::thread::Status;
use crate::vm::value::Ref;
use std::sync::Arc;

/// A VM of a run, by the number of its process: 0 is the first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct VmId(pub u32);

/// A core, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct CoreId(pub u16);

/// A line of a source text of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Place {
    /// Whose line.
    pub source: SourceId,
    /// From 1.
    pub line: u32,
}

/// Something that happened to a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Nanoseconds since the run began.
    pub at_ns: u64,
    pub vm: VmId,
    pub thread: ThreadId,
    /// Where the thread ran then, if it did and the engine knows.
    pub core: Option<CoreId>,
    /// The line of the script, if the thread is in the script and the engine looked.
    pub place: Option<Place>,
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The VM began to be, with this thread as its main one. The first VM has no parent.
    VmBorn {
        name: Arc<str>,
        parent: Option<VmId>,
    },
    /// The VM is no more; a negative exit code is a signal. The thread is the one that ended it, or
    /// the main one.
    VmEnded { exit_code: i32 },
    /// The thread began to be. It is ready, and wants the lock first of all.
    ThreadBorn { name: Arc<str>, daemon: bool },
    /// The thread is no more.
    ThreadEnded,
    /// It wants the lock from now on.
    LockRequested,
    /// It has the lock from now on.
    LockAcquired {
        /// Another thread had it before.
        switched: bool,
    },
    /// It has waited long enough and asks the holder to let go.
    DropRequested { holder: ThreadId },
    /// It does not have the lock any more.
    LockReleased(Release),
    /// It ran this many instructions, from `since_ns` until now, in one go.
    Ran { instructions: u64, since_ns: u64 },
    /// It waits for something besides the lock, at most until then.
    Blocked { on: Blockage, until_ns: Option<u64> },
    /// What the script calls the thing that it is about to wait for: `Lock knife (line 12)`.
    Named(Arc<Naming>),
    /// It need not wait any more: another thread saw to it, or its time is over.
    Woken { by: Option<(VmId, ThreadId)> },
    /// A core took it up.
    Dispatched,
    /// Its core was given to another, although it could have gone on.
    Preempted,
    /// It made a copy of its VM.
    Forked {
        child: VmId,
        objects: u64,
        bytes: u64,
    },
    /// It put a message into a channel.
    Sent { channel: u64, bytes: u64 },
    /// It took a message out of a channel.
    Received { channel: u64, bytes: u64 },
}

/// A thing that can be waited for, and what the script calls it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naming {
    pub on: Blockage,
    pub name: String,
}

/// Why a thread let go of the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Release {
    /// Its turn was over.
    Budget,
    /// Another thread asked for it.
    Asked,
    /// It is about to do something that may block.
    Blocking,
    /// It is no more.
    End,
}

/// What a thread waits for, besides the lock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Blockage {
    /// Time to pass.
    Sleep,
    /// An object of its VM.
    Object {
        kind: SyncKind,
        /// Tells objects of a VM apart while they live.
        number: u32,
        /// Who has it, where that means something.
        held_by: Option<ThreadId>,
    },
    /// The end of a thread of its VM.
    Thread(ThreadId),
    /// The beginning of a thread that it has started.
    Begin(ThreadId),
    /// The main thread has ended and waits for the plain threads of its VM.
    Threads,
    /// The end of another process.
    Process(VmId),
    /// The main thread has ended and waits for the child processes.
    Children,
    /// Room in a channel.
    Room { channel: u64 },
    /// A message in a channel.
    Message { channel: u64 },
    /// A line of input.
    Input,
    /// The operating system, for something short, such as a write.
    System,
}

/// Which kind of object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SyncKind {
    Lock,
    RLock,
    Condition,
    Semaphore,
    Event,
}

impl SyncKind {
    /// As scripts call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SyncKind::Lock => "Lock",
            SyncKind::RLock => "RLock",
            SyncKind::Condition => "Condition",
            SyncKind::Semaphore => "Semaphore",
            SyncKind::Event => "Event",
        }
    }
}

/// Takes events. An engine holds an `Option` of one, so that nothing is made where nobody looks.
pub trait Sink: Send {
    /// Something happened.
    fn take(&mut self, event: Event);
}

impl Sink for Vec<Event> {
    fn take(&mut self, event: Event) {
        self.push(event);
    }
}

impl Blockage {
    /// The kind of object that it is, or of thing.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Blockage::Object { kind, .. } => kind.name(),
            Blockage::Room { .. } | Blockage::Message { .. } => "channel",
            Blockage::Thread(_) | Blockage::Begin(_) | Blockage::Threads => "thread",
            Blockage::Process(_) | Blockage::Children => "process",
            Blockage::Sleep | Blockage::Input | Blockage::System => "system",
        }
    }

    /// What a thread waits for by its own account; none if it does not wait.
    #[must_use]
    pub fn of(vm: &Vm, thread: ThreadId) -> Option<Blockage> {
        match &vm.threads[thread.0 as usize].status {
            Status::Waiting { on, .. } => Some(Blockage::in_vm(vm, *on)),
            Status::Calling(call) => match call {
                SysCall::Sleep { .. } => Some(Blockage::Sleep),
                SysCall::WaitProcess { process, .. } => {
                    Some(Blockage::Process(VmId(*process as u32)))
                }
                SysCall::Send { channel, .. } => Some(Blockage::Room { channel: *channel }),
                SysCall::Receive { channel, .. } => Some(Blockage::Message { channel: *channel }),
                SysCall::ReadLine => Some(Blockage::Input),
                SysCall::Write { .. } | SysCall::Yield => Some(Blockage::System),
                SysCall::Now(_)
                | SysCall::StartThread(_)
                | SysCall::Fork { .. }
                | SysCall::ExitCode { .. }
                | SysCall::ProcessResult { .. }
                | SysCall::Kill { .. }
                | SysCall::KillPid { .. }
                | SysCall::ChannelNew { .. }
                | SysCall::ChannelLen { .. }
                | SysCall::ChannelClose { .. }
                | SysCall::SharedNew { .. }
                | SysCall::SharedGet { .. }
                | SysCall::SharedSet { .. }
                | SysCall::Pid
                | SysCall::ParentPid
                | SysCall::CpuCount
                | SysCall::SetSwitchInterval { .. }
                | SysCall::SwitchInterval
                | SysCall::SetCheckInterval { .. }
                | SysCall::CheckInterval
                | SysCall::GilEnabled
                | SysCall::Entropy => None,
            },
            Status::Ready | Status::Finished => None,
        }
    }

    fn in_vm(vm: &Vm, on: WaitOn) -> Blockage {
        let object = match on {
            WaitOn::Thread(other) => return Blockage::Thread(other),
            WaitOn::Begin(other) => return Blockage::Begin(other),
            WaitOn::Object(object) => object,
        };
        let (kind, held_by) = SyncKind::of(vm, object);
        Blockage::Object {
            kind,
            number: object.slot,
            held_by,
        }
    }
}

impl SyncKind {
    /// Which kind of object a thread waits for, and who has it.
    pub(crate) fn of(vm: &Vm, object: Ref<Object>) -> (SyncKind, Option<ThreadId>) {
        match &vm.heap.objects[object] {
            Object::RLock(lock) => (SyncKind::RLock, lock.holder),
            Object::Condition(_) => (SyncKind::Condition, None),
            Object::Semaphore(_) => (SyncKind::Semaphore, None),
            Object::Event(_) => (SyncKind::Event, None),
            Object::Lock(lock) => (SyncKind::Lock, lock.holder),
            Object::Free
            | Object::Slice { .. }
            | Object::Property { .. }
            | Object::StaticMethod(_)
            | Object::ClassMethod(_)
            | Object::Super { .. }
            | Object::View { .. }
            | Object::ThreadHandle(_)
            | Object::ProcessHandle { .. }
            | Object::Channel { .. }
            | Object::Ring(_)
            | Object::Traceback(_)
            | Object::Namespace(_) => unreachable!("threads wait for synchronisation objects"),
        }
    }
}

impl Place {
    /// The innermost line of the script itself (no module of the library) whose instruction a
    /// thread has run last.
    #[must_use]
    pub fn last(vm: &Vm, thread: ThreadId) -> Option<Place> {
        Place::find(vm, thread, 1)
    }

    /// The same for the instruction that it will run next.
    #[must_use]
    pub fn next(vm: &Vm, thread: ThreadId) -> Option<Place> {
        Place::find(vm, thread, 0)
    }

    fn find(vm: &Vm, thread: ThreadId, back: usize) -> Option<Place> {
        let program = &vm.image.program;
        let frames = &vm.threads[thread.0 as usize].frames;
        let top = frames.len();
        frames.iter().enumerate().rev().find_map(|(at, frame)| {
            let code = &program.codes[frame.code.0 as usize];
            if code.internal || code.module != 0 {
                return None;
            }
            // Frames under the top one are in the middle of a call.
            let back = if at + 1 == top { back } else { 1 };
            let span = code.spans.get((frame.pc as usize).saturating_sub(back))?;
            let source = &program.sources[code.source.0 as usize];
            Some(Place {
                source: code.source,
                line: source.line(span.start),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_million_events_fit_into_a_laptop() {
        assert!(size_of::<Event>() <= 64, "{}", size_of::<Event>());
    }
}
