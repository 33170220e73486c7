//! The threads of a VM as data: frames, register stack, what each waits for, how it ended. Knows no
//! thread of the operating system.

use crate::bytecode::op::{CodeIx, Reg};
use crate::vm::heap::class::Name;
use crate::vm::heap::memory::{Charge, Counted, block, counted};
use crate::vm::heap::object::{Function, Generator, TraceEntry};
use crate::vm::heap::value::{NativeId, Ref, ThreadId, Value};
use crate::vm::state::link::Image;
use crate::vm::state::slice::{SysCall, WaitOn};
use crate::vm::state::stack::{Bound, SPARE};
use std::sync::Arc;

/// A thread.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that have nothing to do with each other"
)]
#[derive(Clone, Debug)]
pub struct Thread {
    /// `Thread-1 (f)`, as reports and tracebacks of uncaught exceptions name it.
    pub name: Arc<str>,
    /// Does the end of the main thread end it?
    pub daemon: bool,
    pub status: Status,
    pub frames: Vec<Frame>,
    /// The register windows of all frames, each at its frame's base; windows overlap where
    /// arguments are passed.
    pub stack: Vec<Value>,
    /// Natives that wait for something: an answer of the engine or the result of a call into the
    /// script.
    pub pending: Vec<Pending>,
    /// Instances under construction, one for each frame with `Return::Construct`.
    pub constructing: Vec<Value>,
    /// Where the instances of `Return::ConstructFor` are wanted.
    pub(in crate::vm) construct_returns: Vec<Return>,
    /// Modules whose bodies are running, one for each frame with `Return::Module`.
    pub(in crate::vm) importing: Vec<u32>,
    /// Generators that are running, one for each frame whose code is a generator's.
    pub generators: Vec<Ref<Generator>>,
    /// The exception being handled, for `raise` without operand and for `__context__`.
    pub handling: Value,
    /// How its last frame ended, while the functions registered for the end run.
    pub(in crate::vm) ending: Option<Outcome>,
    /// How it ended, once it has.
    pub outcome: Option<Outcome>,
    /// The script's own object for it (`threading.current_thread()`), if one was registered.
    pub object: Value,
    /// Who waits for its end, or for its beginning.
    pub joiners: Vec<ThreadId>,
    /// An exception that another thread or the user sent (Ctrl-C), raised at the next poll.
    pub interrupt: Option<Value>,
    /// Instructions run so far.
    pub instructions: u64,
    /// What it will call when it first runs.
    pub(in crate::vm) start: Option<Start>,
    /// What its engine needs for it.
    pub(in crate::vm) held: Option<Charge>,
    /// Its engine has nothing more to do with it.
    pub(in crate::vm) buried: bool,
    /// The texts for its report are being asked for.
    pub(in crate::vm) reporting: bool,
    /// The generator on top was just resumed, and its next instruction is a `yield from`.
    pub(in crate::vm) resumed: bool,
    /// A collection spares what lies on the stack before this place, as it does what lies below
    /// the top: arguments of a call that is under way.
    pub(in crate::vm) spared: usize,
    /// An exception that was just thrown into a generator which handles none: it gets no context.
    pub(in crate::vm) thrown: Value,
}

counted! {
    LogEntry: 48,
    Frame: 24,
    Pending: 136,
    Thread: 496,
    (Value, Vec<Value>): 40,
}

/// What a frame takes: itself, and its line in the traceback of an exception that may end it, in a
/// list that grows by doubling.
const BYTES_OF_FRAME: usize = Frame::BYTES + 2 * TraceEntry::BYTES;

/// What a thread calls first: a callable, its arguments, its keyword arguments.
pub(in crate::vm) type Start = (Value, Vec<Value>, Vec<(Name, Value)>);

impl Thread {
    /// A thread without frames.
    #[must_use]
    pub(in crate::vm) fn new(name: &str, daemon: bool) -> Thread {
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
            held: None,
            buried: false,
            reporting: false,
            resumed: false,
            spared: 0,
            thrown: Value::Unbound,
        }
    }

    /// The keywords of calls that it has not made yet, and of natives that wait.
    pub(in crate::vm) fn keywords(&self) -> impl Iterator<Item = Name> {
        let start = self.start.iter().flat_map(|(_, _, keywords)| keywords);
        let pending = self.pending.iter().flat_map(|it| &it.extra);
        start.chain(pending).map(|&(name, _)| name)
    }

    /// Bytes that it takes.
    pub(in crate::vm) fn bytes(&self) -> usize {
        Thread::BYTES
            + block(self.stack.capacity() * size_of::<Value>())
            + block(self.frames.capacity() * BYTES_OF_FRAME)
            + block(self.pending.capacity() * Pending::BYTES)
            + self.pending.iter().map(Pending::outer_bytes).sum::<usize>()
    }

    /// Where what it needs of its stack ends: above the window of its last frame and above the
    /// arguments of natives that wait.
    pub(in crate::vm) fn top(&self, image: &Image) -> usize {
        let window = self.frames.last().map_or(0, |frame| {
            frame.base as usize + image.links[frame.code.0 as usize].registers as usize
        });
        let arguments = self.pending.iter().map(|pending| pending.bound.end());
        let top = arguments.fold(window.max(self.spared), usize::max);
        top.min(self.stack.len())
    }

    /// How many places its stack must have for those before `end`. A small one grows by doubling,
    /// a large one by a part of itself.
    fn stack_length(end: usize) -> usize {
        const SMALLEST: usize = 64;
        const SMALL: usize = 1 << 16;
        if end < SMALL {
            end.next_power_of_two().max(SMALLEST)
        } else {
            end + end / 4
        }
    }

    /// Bytes that it takes more when its stack grows to `end`: those of the stack, and of the
    /// frames, which become more as it does.
    pub(in crate::vm) fn stack_growth(&self, end: usize) -> usize {
        let values = Thread::stack_length(end).saturating_sub(self.stack.len());
        values * size_of::<Value>() + self.more_frames() * BYTES_OF_FRAME
    }

    fn more_frames(&self) -> usize {
        self.frames.len() / 4 + 4
    }

    /// Makes its stack reach to `end`, if it does not; how many bytes that took.
    pub(in crate::vm) fn grow_stack(&mut self, end: usize) -> usize {
        if end <= self.stack.len() {
            return 0;
        }
        let (stack, frames) = (self.stack.capacity(), self.frames.capacity());
        let length = Thread::stack_length(end);
        self.stack.reserve_exact(length - self.stack.len());
        self.stack.resize(length, Value::Unbound);
        self.frames.reserve_exact(self.more_frames());
        (self.stack.capacity() - stack) * size_of::<Value>()
            + (self.frames.capacity() - frames) * BYTES_OF_FRAME
    }

    /// Unbinds what lies above the top of its stack. A frame whose window comes to lie there may
    /// not have written all of it when garbage is next collected. Where that is much it is given
    /// back.
    pub(in crate::vm) fn clear_above_top(&mut self, image: &Image) {
        const MUCH: usize = 4;
        let top = self.top(image);
        let wanted = Thread::stack_length(top + SPARE);
        if self.stack.len() / MUCH > wanted {
            self.stack.truncate(wanted);
            self.stack.shrink_to_fit();
            self.frames.shrink_to(self.frames.len() * 2);
        }
        self.stack[top..].fill(Value::Unbound);
    }

    /// Visits everything that it can reach at once.
    pub(in crate::vm) fn roots(&self, image: &Image, visit: &mut dyn FnMut(Value)) {
        for pending in &self.pending {
            pending.roots(visit);
        }
        let on_stack = &self.stack[..self.top(image)];
        for &value in on_stack.iter().chain(&self.constructing) {
            visit(value);
        }
        for &generator in &self.generators {
            visit(Value::Generator(generator));
        }
        for frame in &self.frames {
            if frame.function.slot != u32::MAX {
                visit(Value::Function(frame.function));
            }
        }
        visit(self.handling);
        visit(self.object);
        visit(self.thrown);
        self.interrupt.into_iter().for_each(&mut *visit);
        for outcome in [self.outcome, self.ending].into_iter().flatten() {
            let (Outcome::Returned(value) | Outcome::Raised(value)) = outcome;
            visit(value);
        }
        if let Some((callable, args, kwargs)) = &self.start {
            visit(*callable);
            for &value in args.iter().chain(kwargs.iter().map(|(_, value)| value)) {
                visit(value);
            }
        }
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
    /// The caller runs a `for` loop over a `__next__`: the value goes into a register;
    /// `StopIteration` jumps to `exit`.
    Item { into: Reg, exit: u32 },
    /// The caller is a generator at a `yield from`, and this is its sub-iterator: items are yielded
    /// on; the final value goes into the register.
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
    /// The thread has ended with an exception, and this is the tuple of texts that its report
    /// needs.
    Report,
}

/// A native that ended abruptly and will be called again with its log.
#[derive(Clone, Debug)]
pub struct Pending {
    pub native: NativeId,
    pub(in crate::vm) bound: Bound,
    /// Keywords that are no parameters.
    pub extra: Vec<(Name, Value)>,
    /// What becomes of its value.
    pub ret: Return,
    /// What it asked, with the replies, in order.
    pub log: Vec<LogEntry>,
    /// The request under way.
    pub awaiting: Awaiting,
    /// How many frames there were when it was called: it runs on top of the last of them.
    pub depth: u32,
}

impl Pending {
    /// Visits everything that it can reach at once but its arguments, which lie on the stack.
    fn roots(&self, visit: &mut dyn FnMut(Value)) {
        for &(_, value) in &self.extra {
            visit(value);
        }
        for entry in &self.log {
            match entry {
                LogEntry::Calls { calls, results } => {
                    visit_calls(calls, visit);
                    for &result in results {
                        visit(result);
                    }
                }
                LogEntry::Raised { calls, exception } => {
                    visit_calls(calls, visit);
                    visit(*exception);
                }
                LogEntry::Engine(value) | LogEntry::Whole(value) => visit(*value),
                LogEntry::Woken | LogEntry::TimedOut => {}
            }
        }
        match &self.awaiting {
            Awaiting::Calls { calls, results, .. } => {
                visit_calls(calls, visit);
                for &result in results {
                    visit(result);
                }
            }
            Awaiting::Nothing | Awaiting::Engine | Awaiting::Wake { .. } => {}
        }
    }

    /// Bytes of its log.
    fn outer_bytes(&self) -> usize {
        let of_answer = |answer: &LogEntry| match answer {
            LogEntry::Calls { calls, results } => bytes_of_calls(calls) + bytes_of(results),
            LogEntry::Raised { calls, .. } => bytes_of_calls(calls),
            LogEntry::Engine(_) | LogEntry::Whole(_) | LogEntry::Woken | LogEntry::TimedOut => 0,
        };
        let awaiting = match &self.awaiting {
            Awaiting::Calls { calls, results, .. } => bytes_of_calls(calls) + bytes_of(results),
            Awaiting::Nothing | Awaiting::Engine | Awaiting::Wake { .. } => 0,
        };
        let answers = self.log.capacity() * LogEntry::BYTES;
        block(answers) + self.log.iter().map(of_answer).sum::<usize>() + awaiting
    }
}

fn visit_calls(calls: &[(Value, Vec<Value>)], visit: &mut dyn FnMut(Value)) {
    for (function, args) in calls {
        visit(*function);
        for &argument in args {
            visit(argument);
        }
    }
}

fn bytes_of(values: &[Value]) -> usize {
    block(size_of_val(values))
}

fn bytes_of_calls(calls: &[(Value, Vec<Value>)]) -> usize {
    let arguments = calls.iter().map(|(_, args)| bytes_of(args));
    block(calls.len() * <(Value, Vec<Value>)>::BYTES) + arguments.sum::<usize>()
}

/// What a pending native waits for.
#[derive(Clone, Debug)]
pub enum Awaiting {
    /// Nothing: it is to be called (again).
    Nothing,
    /// Calls into the script, one after the other; the results so far.
    Calls {
        calls: Vec<(Value, Vec<Value>)>,
        results: Vec<Value>,
        catch: bool,
    },
    /// The engine's reply.
    Engine,
    /// Being woken.
    Wake {
        on: WaitOn,
        /// It is to be told of an exception sent meanwhile.
        guarded: bool,
    },
}

/// A request with its reply.
#[derive(Clone, Debug)]
pub enum LogEntry {
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
