//! The threads of a VM as data: frames, register stack, what each waits for, how it ended. Knows no thread of the operating system.

use crate::bytecode::op::{CodeIx, Reg};
use crate::vm::native::NativeId;
use crate::vm::object::{Function, Generator, Object, TraceEntry};
use crate::vm::slice::{SysCall, WaitOn};
use crate::vm::value::{Ref, Value};
use std::sync::Arc;

/// A thread of a VM; 0 is the main thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ThreadId(pub u32);

/// A thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// `Thread-1 (f)`, as reports and tracebacks of uncaught exceptions name it.
    pub name: Arc<str>,
    /// Does the end of the main thread end it?
    pub daemon: bool,
    pub status: Status,
    pub frames: Vec<Frame>,
    /// The register windows of all frames, each at its frame's base; windows overlap where arguments are passed.
    pub stack: Vec<Value>,
    /// Natives that wait for something: an answer of the engine or the result of a call into the script.
    pub pending: Vec<Pending>,
    /// Instances under construction, one for each frame with `Return::Construct`.
    pub constructing: Vec<Value>,
    /// Generators that are running, one for each frame with `Return::Generator…`.
    pub generators: Vec<Ref<Generator>>,
    /// The exception being handled, for `raise` without operand and for `__context__`.
    pub handling: Value,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// The script's own object for it (`threading.current_thread()`), if one was registered.
    pub object: Value,
    /// Who waits for its end.
    pub joiners: Vec<ThreadId>,
    /// An exception that another thread or the user sent (Ctrl-C), raised at the next poll.
    pub interrupt: Option<Value>,
    /// Instructions run so far.
    pub instructions: u64,
}

/// What a thread is doing, seen from outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// It can run.
    Ready,
    /// It waits for something inside this VM; another thread or its deadline wakes it.
    Waiting {
        on: WaitOn,
        /// In nanoseconds of the engine's clock.
        deadline_ns: Option<u64>,
    },
    /// The engine has yet to answer its call.
    Calling(SysCall),
    Finished,
}

/// How a thread ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    Returned(Value),
    /// With this exception.
    Raised(Value),
}

/// An active function.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub code: CodeIx,
    /// The next instruction; while a call is under way, the one after the call.
    pub pc: u32,
    /// Where its window begins on the stack.
    pub base: u32,
    /// The running function, for its captured cells; meaningless in modules.
    pub function: Ref<Function>,
    /// What becomes of its value.
    pub ret: Return,
}

/// What becomes of the value that a frame returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// Into a register of the caller.
    To(Reg),
    /// Nowhere: the caller does not want it.
    Drop,
    /// Its truth decides a jump of the caller: to `target` if it equals `expect`.
    Branch { expect: bool, target: u32 },
    /// The caller runs a `for` loop over a `__next__`: the value goes into a register; `StopIteration` jumps to `exit`.
    Item { into: Reg, exit: u32 },
    /// It was an `__init__`: the instance under construction goes into the register.
    Construct(Reg),
    /// To the native on top of `pending`.
    Native,
    /// It is the body of a module: the module goes into the register.
    Module(Reg),
    /// It is the thread's first frame.
    Thread,
}

/// A native that asked for something and will be called again with the answers so far.
#[derive(Clone, Debug)]
pub struct Pending {
    pub native: NativeId,
    /// Where its arguments begin on the stack, and how many there are.
    pub args_at: u32,
    pub args: u32,
    /// Names of the last arguments, if they were given by keyword.
    pub keywords: Option<Arc<[crate::vm::class::Name]>>,
    /// What becomes of its value.
    pub ret: Return,
    /// What it asked and was told, in order.
    pub answers: Vec<Answered>,
    /// The question under way.
    pub asking: Asking,
    /// The frames below it when it was called: where its exceptions go.
    pub depth: u32,
}

/// The question of a pending native.
#[derive(Clone, Debug)]
pub enum Asking {
    /// Nothing: it is to be called (again).
    Nothing,
    /// Calls into the script, one after the other; the results so far.
    Calls {
        calls: Vec<(Value, Vec<Value>)>,
        results: Vec<Value>,
        catch: bool,
    },
    /// The engine's answer.
    Engine,
    /// Being woken.
    Wake,
}

/// A question with its answer.
#[derive(Clone, Debug)]
pub enum Answered {
    Calls {
        calls: Vec<(Value, Vec<Value>)>,
        results: Vec<Value>,
    },
    /// The call raised, and the native wanted to know.
    Raised {
        calls: Vec<(Value, Vec<Value>)>,
        exception: Value,
    },
    Engine(Value),
    Woken,
    TimedOut,
}

/// Where a thread is, for reports.
#[derive(Clone, Debug)]
pub struct Place {
    pub entries: Vec<TraceEntry>,
    pub waits_for: Option<Ref<Object>>,
}
