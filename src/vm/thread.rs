//! The threads of a VM as data: frames, register stack, what each waits for, how it ended. Knows no thread of the operating system.

use crate::bytecode::op::{CodeIx, Reg};
use crate::vm::class::Name;
use crate::vm::link::Image;
use crate::vm::native::{Bound, NativeId};
use crate::vm::object::{Function, Generator};
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
    /// Where the instances of `Return::ConstructFor` are wanted.
    pub(super) construct_returns: Vec<Return>,
    /// Modules whose bodies are running, one for each frame with `Return::Module`.
    pub(super) importing: Vec<u32>,
    /// Generators that are running, one for each frame whose code is a generator's.
    pub generators: Vec<Ref<Generator>>,
    /// The exception being handled, for `raise` without operand and for `__context__`.
    pub handling: Value,
    /// How its last frame ended, while the functions registered for the end run.
    pub(super) ending: Option<Outcome>,
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
    /// What it will call when it first runs.
    pub(super) start: Option<Start>,
    /// The texts for its report are being asked for.
    pub(super) reporting: bool,
    /// The generator on top was just resumed, and its next instruction is a `yield from`.
    pub(super) resumed: bool,
    /// An exception that was just thrown into a generator which handles none: it gets no context.
    pub(super) thrown: Value,
}

/// What a thread calls first: a callable, its arguments, its keyword arguments.
pub(super) type Start = (Value, Vec<Value>, Vec<(Name, Value)>);

impl Thread {
    /// A thread without frames.
    #[must_use]
    pub(super) fn new(name: &str, daemon: bool) -> Thread {
        Thread {
            name: name.into(),
            daemon,
            status: Status::Ready,
            frames: Vec::new(),
            stack: Vec::new(),
            pending: Vec::new(),
            constructing: Vec::new(),
            construct_returns: Vec::new(),
            importing: Vec::new(),
            generators: Vec::new(),
            handling: Value::None,
            ending: None,
            outcome: None,
            object: Value::None,
            joiners: Vec::new(),
            interrupt: None,
            instructions: 0,
            start: None,
            reporting: false,
            resumed: false,
            thrown: Value::Unbound,
        }
    }

    /// Everything it can reach at once.
    pub(super) fn roots(&self, image: &Image, roots: &mut Vec<Value>) {
        let mut top = self.frames.last().map_or(0, |frame| {
            frame.base as usize + image.links[frame.code.0 as usize].registers as usize
        });
        for pending in &self.pending {
            top = top.max(pending.bound.end());
            roots.extend(pending.extra.iter().map(|&(_, value)| value));
            for answered in &pending.answers {
                match answered {
                    Answered::Calls { calls, results } => {
                        call_roots(calls, roots);
                        roots.extend(results);
                    }
                    Answered::Raised { calls, exception } => {
                        call_roots(calls, roots);
                        roots.push(*exception);
                    }
                    Answered::Engine(value) | Answered::Whole(value) => roots.push(*value),
                    Answered::Woken | Answered::TimedOut => {}
                }
            }
            if let Asking::Calls { calls, results, .. } = &pending.asking {
                call_roots(calls, roots);
                roots.extend(results);
            }
        }
        roots.extend(&self.stack[..top.min(self.stack.len())]);
        roots.extend(&self.constructing);
        roots.extend(
            self.generators
                .iter()
                .map(|&generator| Value::Generator(generator)),
        );
        roots.extend(
            self.frames
                .iter()
                .filter(|frame| frame.function.slot != u32::MAX)
                .map(|frame| Value::Function(frame.function)),
        );
        roots.push(self.handling);
        roots.push(self.object);
        roots.extend(self.interrupt);
        match self.outcome.or(self.ending) {
            Some(Outcome::Returned(value) | Outcome::Raised(value)) => roots.push(value),
            None => {}
        }
        if let Some((callable, args, kwargs)) = &self.start {
            roots.push(*callable);
            roots.extend(args);
            roots.extend(kwargs.iter().map(|&(_, value)| value));
        }
    }
}

fn call_roots(calls: &[(Value, Vec<Value>)], roots: &mut Vec<Value>) {
    for (function, args) in calls {
        roots.push(*function);
        roots.extend(args);
    }
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
    /// The running function, for its captured cells; slot `u32::MAX` in modules.
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
    /// Its truth decides a jump of the caller: to instruction `target` if it equals `expect`.
    Branch { expect: bool, target: u32 },
    /// The caller runs a `for` loop over a `__next__`: the value goes into a register; `StopIteration` jumps to `exit`.
    Item { into: Reg, exit: u32 },
    /// The caller is a generator at a `yield from`, and this is its sub-iterator: items are yielded on; the final value goes into the register.
    Delegate(Reg),
    /// It was an `__init__`: the instance under construction goes into the register.
    Construct(Reg),
    /// It is a tuple whose items go into registers from here on.
    Spread { base: Reg, count: u16 },
    /// It is a range that a loop will run over, prepared in three registers from here on.
    Range(Reg),
    /// To the native on top of `pending`.
    Native,
    /// The same, but the instance is wanted by the last of `construct_returns`.
    ConstructFor,
    /// It is the body of a module: the module goes into the register.
    Module(Reg),
    /// It is the thread's first frame.
    Thread,
    /// The thread has ended with an exception, and this is the tuple of texts that its report needs.
    Report,
}

/// A native that asked for something and will be called again with the answers so far.
#[derive(Clone, Debug)]
pub struct Pending {
    pub native: NativeId,
    pub(super) bound: Bound,
    /// Keywords that are no parameters.
    pub extra: Vec<(Name, Value)>,
    /// What becomes of its value.
    pub ret: Return,
    /// What it asked and was told, in order.
    pub answers: Vec<Answered>,
    /// The question under way.
    pub asking: Asking,
    /// How many frames there were when it was called: it runs on top of the last of them.
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
    Wake {
        on: WaitOn,
        /// It is to be told of an exception sent meanwhile.
        guarded: bool,
    },
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
    /// What it began came to this, and nobody need go on with it.
    Whole(Value),
    Woken,
    TimedOut,
}
