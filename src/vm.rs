//! The pure core: a VM is a value. It knows no clock, no thread of the operating system, no lock, no file, and prints nothing; an engine plays the
//! operating system for it. Its one verb is `Vm::run`.

pub mod attribute;
pub mod builtins;
pub mod class;
pub mod dict;
pub mod fault;
pub mod format;
pub mod heap;
pub mod native;
pub mod number;
pub mod object;
pub mod operate;
pub mod parcel;
pub mod protocol;
pub mod set;
pub mod slice;
pub mod sync;
pub mod text;
pub mod thread;
pub mod value;

use crate::bytecode::code::Program;
use crate::vm::class::{Class, Name, Shape, Type};
use crate::vm::heap::Heap;
use crate::vm::slice::{Answer, Budget, Slice};
use crate::vm::thread::{Thread, ThreadId};
use crate::vm::value::{Ref, Value};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bounds on what a script may use, each with its own error in the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of heap; `MemoryError`.
    pub memory_bytes: usize,
    /// Frames of a thread; `RecursionError`. `sys.setrecursionlimit` changes it.
    pub recursion: usize,
    /// Threads alive in one VM; `RuntimeError: can't start new thread`.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 4 << 30,
            recursion: 1000,
            threads: 100_000,
        }
    }
}

/// A virtual machine: everything of one Mini process but the operating system.
#[derive(Clone, Debug)]
pub struct Vm {
    pub program: Arc<Program>,
    pub limits: Limits,
    pub heap: Heap,
    /// All attribute names; the well-known ones first.
    pub names: Vec<Arc<str>>,
    pub name_index: FxHashMap<Arc<str>, Name>,
    /// Module-level variables of all modules.
    pub globals: Vec<Value>,
    /// The program's constants as values.
    pub constants: Vec<Value>,
    pub shapes: Vec<Shape>,
    pub threads: Vec<Thread>,
    /// Threads that can run again and whose engine does not know yet.
    pub woken: Vec<ThreadId>,
}

impl Vm {
    /// A VM that is about to run the program's main module in its main thread.
    #[must_use]
    pub fn new(program: Arc<Program>, limits: Limits) -> Vm {
        let _ = (program, limits);
        todo!()
    }

    /// Runs a thread that is ready, at most as far as the budget goes.
    pub fn run(&mut self, thread: ThreadId, budget: Budget<'_>) -> Slice {
        let _ = (thread, budget);
        todo!()
    }

    /// Answers the call that a thread stopped with.
    pub fn answer(&mut self, thread: ThreadId, answer: Answer) {
        let _ = (thread, answer);
        todo!()
    }

    /// Tells a waiting thread that its deadline has passed.
    pub fn time_out(&mut self, thread: ThreadId) {
        let _ = thread;
        todo!()
    }

    /// Marks a waiting thread as ready; it will look again at what it waited for.
    pub fn wake(&mut self, thread: ThreadId) {
        let _ = thread;
        todo!()
    }

    /// The threads that became ready since the last time.
    pub fn take_woken(&mut self) -> Vec<ThreadId> {
        std::mem::take(&mut self.woken)
    }

    /// Raises an exception of this class in a thread at its next poll, whatever it is doing; a waiting or calling thread is made ready for it (an answer
    /// that comes later is dropped).
    pub fn interrupt(&mut self, thread: ThreadId, class: Type) {
        let _ = (thread, class);
        todo!()
    }

    /// The child of a fork: a copy with one thread, the calling one, which will run the function that it gave to `spawn_process`.
    #[must_use]
    pub fn fork(&self, thread: ThreadId) -> Vm {
        let _ = thread;
        todo!()
    }

    /// A function of the library module `_builtins`.
    #[must_use]
    pub fn library(&self, function: &str) -> Value {
        let _ = function;
        todo!()
    }

    /// An exception object of a builtin class.
    pub fn new_exception(&mut self, class: Type, args: Vec<Value>) -> Value {
        let _ = (class, args);
        todo!()
    }

    /// The lines that report an exception: its traceback, with the exceptions that led to it.
    #[must_use]
    pub fn traceback(&self, exception: Value) -> String {
        let _ = exception;
        todo!()
    }

    /// The class an exception or other value belongs to, by name.
    #[must_use]
    pub fn class(&self, class: Ref<Class>) -> &Class {
        &self.heap.classes[class]
    }
}
