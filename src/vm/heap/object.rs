//! The objects behind the handles of `Value`, one struct for each arena. Plain data with the
//! operations that need nothing else.

use crate::bytecode::op::CodeIx;
use crate::vm::heap::class::{Class, Name};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::list::{Items, List};
use crate::vm::heap::primitive::{
    AllocationSite, ChannelEnd, Condition, Event, Lock, RLock, Semaphore,
};
use crate::vm::heap::ring::Ring;
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{Ref, ThreadId, Value};
use num_bigint::BigInt;
use std::sync::Arc;

/// A `bytes` object.
#[derive(Clone, Debug)]
pub struct Bytes(pub Arc<[u8]>);

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes(Arc::new([]))
    }
}

/// A `tuple`.
#[derive(Clone, Debug, Default)]
pub struct Tuple(pub Box<[Value]>);

/// A `range` within 64 bits (a wider one is an error that names the limit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
}

impl Range {
    /// How many numbers it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        let (low, high, step) = if self.step > 0 {
            (self.start, self.stop, self.step.unsigned_abs())
        } else {
            (self.stop, self.start, self.step.unsigned_abs())
        };
        if low >= high {
            0
        } else {
            (high.wrapping_sub(low) as u64 - 1) / step + 1
        }
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Which place a number has in it, if it has one.
    #[must_use]
    pub fn position(&self, number: i64) -> Option<u64> {
        let (from, to) = if self.step > 0 {
            (self.start, number)
        } else {
            (number, self.start)
        };
        let distance = to.wrapping_sub(from) as u64;
        let step = self.step.unsigned_abs();
        (from <= to && distance.is_multiple_of(step) && distance / step < self.len())
            .then(|| distance / step)
    }
    /// The number at `index`, which must be under `len`.
    #[must_use]
    pub fn at(&self, index: u64) -> i64 {
        self.start
            .wrapping_add((index as i64).wrapping_mul(self.step))
    }
}

/// A function of the script: code with its captured cells and defaults.
#[derive(Clone, Debug)]
pub struct Function {
    pub code: CodeIx,
    pub cells: Box<[Ref<Cell>]>,
    /// Of the last positional parameters.
    pub defaults: Box<[Value]>,
    /// One for each keyword-only parameter; unbound where there is none. Empty if none has a
    /// default.
    pub keyword_defaults: Box<[Value]>,
    /// Attributes that the script set on it (`__name__`, `__doc__`, `__wrapped__` and its own),
    /// made at need.
    pub attributes: Option<Ref<Dict>>,
}

impl Default for Function {
    fn default() -> Function {
        Function {
            code: CodeIx(0),
            cells: Box::default(),
            defaults: Box::default(),
            keyword_defaults: Box::default(),
            attributes: None,
        }
    }
}

/// A function or other callable bound to a receiver.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    pub receiver: Value,
    /// A `Function` or a `Native`.
    pub function: Value,
}

impl Default for Method {
    fn default() -> Method {
        Method {
            receiver: Value::None,
            function: Value::None,
        }
    }
}

/// An instance of a class of the script, or an exception of any class.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    pub class: Ref<Class>,
    /// Which attribute is where in `slots`; an index into `Vm::shapes`.
    pub shape: u32,
    pub slots: Vec<Value>,
    /// Where its attributes are once a script has asked for its `__dict__`, which both then share;
    /// `shape` and `slots` are empty from then on.
    pub dict: Option<Ref<Dict>>,
    /// Present in instances of exception classes alone.
    pub exception: Option<Box<Exception>>,
}

/// What an exception has beyond its attributes.
#[derive(Clone, Debug, Default)]
pub struct Exception {
    /// `args`: a tuple's items.
    pub args: Vec<Value>,
    /// What some builtin exceptions keep beside them (`vm::state::exception`).
    pub fields: Vec<Value>,
    /// `__cause__`.
    pub cause: Option<Value>,
    /// `__context__`.
    pub context: Option<Value>,
    /// `raise … from None` and any `from`: do not show the context.
    pub suppress_context: bool,
    /// Innermost frame last, as CPython prints it reversed while it unwinds: the first entry is
    /// where it was raised.
    pub traceback: Vec<TraceEntry>,
}

/// One line of a traceback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    pub code: CodeIx,
    /// The instruction.
    pub pc: u32,
}

/// A generator: its frame when it is not running.
#[derive(Clone, Debug, Default)]
pub struct Generator {
    pub function: Ref<Function>,
    pub state: GeneratorState,
    /// The next instruction.
    pub pc: u32,
    /// Its register window while it is suspended.
    pub registers: Box<[Value]>,
    /// The exception being handled inside while it is suspended.
    pub handling: Option<Value>,
}

/// Where a generator is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GeneratorState {
    /// Not yet entered.
    #[default]
    Fresh,
    /// At a `yield`, which puts what is sent into this register.
    Suspended {
        into: u16,
    },
    Running,
    /// At a `yield from` whose sub-iterator has its turn, without the generator's frame.
    Delegating {
        into: u16,
    },
    Finished,
}

/// A variable captured by a closure.
#[derive(Clone, Copy, Debug)]
pub struct Cell(pub Value);

impl Default for Cell {
    fn default() -> Cell {
        Cell(Value::Unbound)
    }
}

/// An iterator over something builtin. `next` is `ctx.next`.
#[derive(Clone, Debug, Default)]
pub enum Iter {
    /// Exhausted, for good.
    #[default]
    Done,
    /// A list, by index, seeing what is appended meanwhile.
    List {
        list: Ref<List>,
        next: usize,
    },
    Tuple {
        tuple: Ref<Tuple>,
        next: usize,
    },
    /// A string's characters; `next` is a byte offset.
    Str {
        text: Ref<crate::vm::heap::text::Str>,
        next: usize,
    },
    Bytes {
        bytes: Ref<Bytes>,
        next: usize,
    },
    Range {
        next: i64,
        left: u64,
        step: i64,
    },
    /// A dict's keys, values or items, by entry; `size` guards against changes of size meanwhile,
    /// `left`, how many are to come, against others.
    Dict {
        dict: Ref<Dict>,
        next: usize,
        size: usize,
        left: usize,
        view: DictView,
    },
    /// The same from the end: the entries before `end` are to come.
    DictReversed {
        dict: Ref<Dict>,
        end: usize,
        size: usize,
        view: DictView,
    },
    Set {
        set: Ref<Set>,
        next: usize,
        size: usize,
    },
    /// `reversed` of a list or tuple: `left` items are still to come.
    Reversed {
        sequence: Value,
        left: usize,
    },
    /// Items that were made beforehand.
    Items {
        items: Ref<List>,
        next: usize,
    },
    Enumerate {
        inner: Value,
        next: i64,
    },
    /// `zip`; with `strict`, raises on unequal lengths.
    Zip {
        inner: Box<[Value]>,
        strict: bool,
    },
    Map {
        function: Value,
        inner: Box<[Value]>,
    },
    /// `filter`; a function of `None` tests the items' own truth.
    Filter {
        function: Value,
        inner: Value,
    },
    /// `iter(callable, sentinel)`.
    Call {
        function: Value,
        sentinel: Value,
    },
    /// An object with `__getitem__` alone.
    Sequence {
        object: Value,
        next: i64,
    },
}

/// Which part of a dict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DictView {
    Keys,
    Values,
    Items,
}

/// The less frequent objects.
#[derive(Clone, Debug, Default)]
pub enum Object {
    #[default]
    Free,
    Slice {
        lower: Value,
        upper: Value,
        step: Value,
    },
    Property {
        getter: Value,
        setter: Value,
        deleter: Value,
        doc: Value,
        /// The attribute that it was in the body of a class, which messages name.
        name: Option<Name>,
    },
    StaticMethod(Value),
    ClassMethod(Value),
    /// `super(class, object)`: looks in the bases of `class`.
    Super {
        class: Ref<Class>,
        object: Value,
    },
    View {
        dict: Ref<Dict>,
        view: DictView,
    },
    Lock(Lock),
    RLock(RLock),
    Condition(Condition),
    Semaphore(Semaphore),
    Event(Event),
    /// What `spawn_thread` returns.
    ThreadHandle(ThreadId),
    /// What `spawn_process` returns: the engine's number of the child, the id that scripts see, its
    /// name, and how it ended once it is known.
    ProcessHandle {
        process: u64,
        pid: i64,
        name: Arc<str>,
    },
    /// One end of a channel between processes, by the engine's number.
    Channel {
        channel: u64,
        end: ChannelEnd,
        origin: Option<AllocationSite>,
    },
    /// What a `collections.deque` keeps its items in.
    Ring(Box<Ring>),
    /// A traceback object: opaque to scripts.
    Traceback(Vec<TraceEntry>),
    /// A plain namespace of attributes that a native made.
    Namespace(Ref<Dict>),
}

impl Object {
    /// The thread that it is a handle of, or that holds it: who has it may ask about that thread.
    pub(in crate::vm) fn thread(&self) -> Option<ThreadId> {
        match self {
            Object::ThreadHandle(thread) => Some(*thread),
            Object::Lock(lock) => lock.holder,
            Object::RLock(lock) => lock.holder,
            Object::Free
            | Object::Slice { .. }
            | Object::Property { .. }
            | Object::StaticMethod(_)
            | Object::ClassMethod(_)
            | Object::Super { .. }
            | Object::View { .. }
            | Object::Condition(_)
            | Object::Semaphore(_)
            | Object::Event(_)
            | Object::ProcessHandle { .. }
            | Object::Channel { .. }
            | Object::Ring(_)
            | Object::Traceback(_)
            | Object::Namespace(_) => None,
        }
    }
}

/// What marking must visit in an object; used by the collector alone.
pub(in crate::vm) trait Trace {
    /// Calls `visit` for each value it holds.
    fn trace(&self, visit: &mut dyn FnMut(Value));
}

impl Trace for BigInt {
    fn trace(&self, _visit: &mut dyn FnMut(Value)) {}
}
impl Trace for Bytes {
    fn trace(&self, _visit: &mut dyn FnMut(Value)) {}
}
impl Trace for Range {
    fn trace(&self, _visit: &mut dyn FnMut(Value)) {}
}
impl Trace for Tuple {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        for &value in &self.0 {
            visit(value);
        }
    }
}
impl Trace for List {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        if let Items::Values(items) = self.items() {
            for &value in &**items {
                visit(value);
            }
        }
    }
}
impl Trace for Function {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        self.cells.iter().for_each(|&cell| visit(Value::Cell(cell)));
        self.defaults
            .iter()
            .chain(&self.keyword_defaults)
            .for_each(|&value| visit(value));
        if let Some(attributes) = self.attributes {
            visit(Value::Dict(attributes));
        }
    }
}
impl Trace for Method {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        visit(self.receiver);
        visit(self.function);
    }
}
impl Trace for Instance {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        visit(Value::Class(self.class));
        self.slots.iter().for_each(|&value| visit(value));
        if let Some(dict) = self.dict {
            visit(Value::Dict(dict));
        }
        if let Some(exception) = &self.exception {
            let kept = exception.args.iter().chain(&exception.fields);
            kept.for_each(|&value| visit(value));
            exception
                .cause
                .iter()
                .chain(&exception.context)
                .for_each(|&value| visit(value));
        }
    }
}
impl Trace for Generator {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        visit(Value::Function(self.function));
        self.registers
            .iter()
            .chain(&self.handling)
            .for_each(|&value| visit(value));
    }
}
impl Trace for Cell {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        visit(self.0);
    }
}
impl Trace for Iter {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        match self {
            Iter::Done | Iter::Range { .. } => {}
            Iter::List { list, .. } | Iter::Items { items: list, .. } => visit(Value::List(*list)),
            Iter::Tuple { tuple, .. } => visit(Value::Tuple(*tuple)),
            Iter::Str { text, .. } => visit(Value::Str(*text)),
            Iter::Bytes { bytes, .. } => visit(Value::Bytes(*bytes)),
            Iter::Dict { dict, .. } | Iter::DictReversed { dict, .. } => visit(Value::Dict(*dict)),
            Iter::Set { set, .. } => visit(Value::Set(*set)),
            Iter::Reversed {
                sequence: value, ..
            }
            | Iter::Enumerate { inner: value, .. }
            | Iter::Sequence { object: value, .. } => visit(*value),
            Iter::Zip { inner, .. } => inner.iter().for_each(|&value| visit(value)),
            Iter::Map { function, inner } => {
                visit(*function);
                inner.iter().for_each(|&value| visit(value));
            }
            Iter::Filter {
                function,
                inner: other,
            }
            | Iter::Call {
                function,
                sentinel: other,
            } => {
                visit(*function);
                visit(*other);
            }
        }
    }
}
impl Trace for Object {
    fn trace(&self, visit: &mut dyn FnMut(Value)) {
        match self {
            Object::Free
            | Object::Lock(_)
            | Object::RLock(_)
            | Object::Semaphore(_)
            | Object::Event(_)
            | Object::ThreadHandle(_)
            | Object::ProcessHandle { .. }
            | Object::Channel { .. }
            | Object::Traceback(_) => {}
            Object::Slice { lower, upper, step } => {
                [*lower, *upper, *step].into_iter().for_each(visit);
            }
            Object::Property {
                getter,
                setter,
                deleter,
                doc,
                name: _,
            } => [*getter, *setter, *deleter, *doc]
                .into_iter()
                .for_each(visit),
            Object::StaticMethod(value) | Object::ClassMethod(value) => visit(*value),
            Object::Super { class, object } => {
                visit(Value::Class(*class));
                visit(*object);
            }
            Object::View { dict, .. } | Object::Namespace(dict) => visit(Value::Dict(*dict)),
            Object::Condition(condition) => visit(condition.lock),
            Object::Ring(ring) => ring.iter().chain(ring.state()).for_each(visit),
        }
    }
}
