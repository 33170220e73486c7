//! A virtual machine as a value, and what engines and natives change in it without running
//! anything.

use crate::vm::heap::Heap;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::memory::Charge;
use crate::vm::heap::object::TraceEntry;
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::tuning::Tuning;
use crate::vm::heap::value::{NativeId, ThreadId, Value};
use crate::vm::state::cache::Cache;
use crate::vm::state::class::Lookup;
use crate::vm::state::link::Image;
use crate::vm::state::names::Names;
use crate::vm::state::shapes::Shapes;
use crate::vm::state::slice::{Parcel, WaitOn};
use crate::vm::state::sync;
use crate::vm::state::thread::{Awaiting, LogEntry, Status, Thread};
use crate::vm::state::threads::Threads;
use rustc_hash::FxHashMap;
use std::cell::Cell;
use std::sync::Arc;

/// Bounds on what a script may use, each with its own error in the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory for the run, all its processes together; `MemoryError`.
    pub memory_bytes: usize,
    /// Frames of a thread; `RecursionError`. `sys.setrecursionlimit` changes it.
    pub recursion: usize,
    /// Threads alive in one VM; `RuntimeError: can't start new thread`.
    pub threads: usize,
    /// When it collects, and what its forks share: no bound, and nothing that a script can see.
    pub tuning: Tuning,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: usize::try_from(4_u64 << 30).unwrap_or(usize::MAX),
            recursion: 1000,
            threads: 100_000,
            tuning: Tuning::USUAL,
        }
    }
}

/// A virtual machine: everything of one Mini process but the operating system.
#[derive(Clone, Debug)]
pub struct Vm {
    pub image: Arc<Image>,
    pub limits: Limits,
    pub heap: Heap,
    /// All attribute names; the well-known ones first.
    pub names: Names,
    /// Module-level variables of all modules.
    pub globals: Vec<Value>,
    /// Which variable a name of a module is.
    pub(in crate::vm) module_names: FxHashMap<(u32, Name), u32>,
    /// Which modules have begun to run.
    pub(in crate::vm) imported: Vec<bool>,
    /// The program's constants as values.
    pub(in crate::vm) constants: Vec<Value>,
    pub(in crate::vm) shapes: Shapes,
    pub threads: Threads,
    /// The main thread: the first one, or the one that a fork kept.
    pub main: ThreadId,
    /// What the script was started with: `sys.argv`, its own name first.
    pub argv: Vec<Arc<str>>,
    /// Functions to be called when the main thread ends, last one first.
    pub at_exit: Vec<Value>,
    /// Values that a collection spares because code that is under way has them.
    pub(in crate::vm) kept: Vec<Value>,
    /// Threads that can run again and whose engine does not know yet.
    pub(in crate::vm) woken: Vec<ThreadId>,
    pub(in crate::vm) caches: Vec<Cache>,
    pub(in crate::vm) lookups: Vec<Cell<Lookup>>,
    /// Counts changes to classes; what was remembered under an older number no longer holds.
    pub(in crate::vm) class_version: u32,
    /// `list.append`, which the loop does itself.
    pub list_append: NativeId,
    /// Taking a mutex lets go of the interpreter lock even where the mutex is free, as in CPython
    /// 2.7: the engine is asked to give way first.
    pub yields_at_mutex: bool,
    /// `resume_native` is making a call, and goes on by itself if that is done at once.
    pub(in crate::vm) resuming_native: bool,
    /// Collect when this many bytes were allocated since the last collection.
    pub(in crate::vm) collect_at: usize,
    /// The same where what lives leaves no room to go on with, and `collect_at` is 0: an
    /// instruction that makes but little is let through until it has come to something.
    pub(in crate::vm) collect_even_if_full_at: usize,
    /// Its part of the run's memory: what was there after the last collection, and `granted` more.
    pub(in crate::vm) memory: Charge,
    /// Bytes that may be allocated after the last collection.
    pub(in crate::vm) granted: usize,
    /// What a spawned process was sent along, and its name.
    pub(in crate::vm) spawned: Option<(Arc<str>, Parcel)>,
}

impl Vm {
    /// The builtin of a name.
    #[must_use]
    pub fn builtin(&self, name: &str) -> Option<Value> {
        match name {
            "NotImplemented" => return Some(Value::NotImplemented),
            "Ellipsis" => return Some(Value::Ellipsis),
            _ => {}
        }
        if let Some(of) = self.image.natives.public_type(name) {
            return Some(of.value());
        }
        self.image.natives.find(name).map(Value::Native)
    }

    /// A function of the library module `_builtins`.
    ///
    /// # Panics
    /// If there is none of this name; a bug of Mini's.
    #[must_use]
    pub fn library(&self, function: &str) -> Value {
        let program = &self.image.program;
        let library = program
            .modules
            .iter()
            .find(|module| &*module.name == "_builtins")
            .expect("the library is linked");
        let &(_, global) = library
            .globals
            .iter()
            .find(|(name, _)| &*program.names[name.0 as usize] == function)
            .expect("the library has this function");
        self.globals[global.0 as usize]
    }

    /// Makes a thread that will call `callable`. It is ready, but the engine must be asked to start
    /// it.
    pub fn new_thread(
        &mut self,
        callable: Value,
        args: Vec<Value>,
        kwargs: Vec<(Name, Value)>,
        name: &str,
        daemon: bool,
    ) -> ThreadId {
        let mut thread = Thread::new(name, daemon);
        thread.start = Some((callable, args, kwargs));
        self.heap.allocated += thread.bytes();
        self.threads.push(thread)
    }

    /// Takes back the making of a thread that could not be started and that nobody has a handle of.
    pub fn unmake_thread(&mut self, thread: ThreadId) {
        self.threads.take_back(thread);
    }

    /// The engine has nothing more to do with a thread that has ended. It is remembered for as long
    /// as somebody can ask how.
    pub fn bury(&mut self, thread: ThreadId) {
        let state = &mut self.threads[thread.0 as usize];
        state.buried = true;
        state.held = None;
    }

    /// Takes what an engine needs for a thread out of the run's memory, until it is buried; false
    /// if there is not as much.
    pub fn pay_for_thread(&mut self, thread: ThreadId, bytes: usize) -> bool {
        let held = self.pay(bytes);
        let fits = held.is_some();
        self.threads[thread.0 as usize].held = held;
        fits
    }

    /// Has a thread run, if only to make its first call?
    pub(in crate::vm) fn has_begun(&self, thread: ThreadId) -> bool {
        self.threads[thread.0 as usize].start.is_none()
    }

    /// Tells a waiting thread that its deadline has passed.
    pub fn time_out(&mut self, thread: ThreadId) {
        self.end_wait(thread, LogEntry::TimedOut);
    }

    /// Marks a waiting thread as ready; it will look again at what it waited for.
    pub fn wake(&mut self, thread: ThreadId) {
        if self.end_wait(thread, LogEntry::Woken) {
            self.woken.push(thread);
        }
    }

    fn end_wait(&mut self, thread: ThreadId, how: LogEntry) -> bool {
        let Status::Waiting { on, .. } = self.threads[thread.0 as usize].status else {
            return false;
        };
        self.leave_queue(on, thread);
        let state = &mut self.threads[thread.0 as usize];
        state.status = Status::Ready;
        if let Some(pending) = state.pending.last_mut() {
            // The question stays on record until the thread runs: an interruption before that must
            // pass the wake-up on.
            pending.log.push(how);
        }
        true
    }

    pub(in crate::vm) fn leave_queue(&mut self, on: WaitOn, thread: ThreadId) {
        match on {
            WaitOn::Object(object) => sync::dequeue(self, object, thread),
            WaitOn::Thread(other) | WaitOn::Begin(other) => self.threads[other.0 as usize]
                .joiners
                .retain(|&it| it != thread),
        }
    }

    /// The threads that became ready since the last time.
    pub fn take_woken(&mut self) -> Vec<ThreadId> {
        std::mem::take(&mut self.woken)
    }

    /// Raises an exception of this class in a thread at its next slice, whatever it is doing; a
    /// waiting or calling thread is made ready for it (an answer that comes later is dropped).
    pub fn interrupt(&mut self, thread: ThreadId, class: Type) {
        let exception = self.new_exception(class, Vec::new());
        let state = &mut self.threads[thread.0 as usize];
        if matches!(state.status, Status::Finished) {
            return;
        }
        let status = std::mem::replace(&mut state.status, Status::Ready);
        let guard = match state.pending.last_mut() {
            Some(pending) => match pending.awaiting {
                Awaiting::Wake { guarded: true, .. } => Some(pending),
                _ => None,
            },
            None => None,
        };
        match guard {
            Some(pending) => {
                if matches!(status, Status::Ready) {
                    pending.log.pop();
                }
                pending.log.push(LogEntry::Raised {
                    calls: Vec::new(),
                    exception,
                });
            }
            None => state.interrupt = Some(exception),
        }
        match status {
            Status::Waiting { on, .. } => {
                self.leave_queue(on, thread);
                self.woken.push(thread);
            }
            Status::Calling(_) => self.woken.push(thread),
            Status::Ready => {
                if let Some(Awaiting::Wake {
                    on: WaitOn::Object(object),
                    ..
                }) = state.pending.last().map(|pending| &pending.awaiting)
                {
                    let object = *object;
                    sync::renounce(self, object);
                }
            }
            Status::Finished => unreachable!("returned above"),
        }
    }

    /// The module with which a process that begins from nothing begins. Programs that came as text
    /// may lack it.
    pub(in crate::vm) fn module_of_spawned(&self) -> Option<usize> {
        let mut modules = self.image.program.modules.iter();
        modules.position(|module| &*module.name == "_process")
    }

    /// The ends of channels that its process has from its parent: these, or all if it does not say.
    #[must_use]
    pub fn inherits(&self) -> Option<&[(u64, ChannelEnd)]> {
        self.spawned.as_ref().map(|(_, parcel)| &*parcel.ends)
    }

    /// Where a thread is: its frames, innermost last.
    #[must_use]
    pub fn place(&self, thread: ThreadId) -> Vec<TraceEntry> {
        self.threads[thread.0 as usize]
            .frames
            .iter()
            .map(|frame| TraceEntry {
                code: frame.code,
                pc: frame.pc.saturating_sub(1),
            })
            .collect()
    }
}
