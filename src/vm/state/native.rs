//! Builtins written in Rust, and the context they run in.
//!
//! A native is a plain function that runs from its first line to its result. When it needs the
//! script (a `key` function, a `__repr__`) or the engine (a clock, a lock that is taken), its
//! request returns `Err(Abrupt::…)`, which it passes on with `?`; once the reply is there, the
//! native is called again from its first line, and the same request is answered from its log.
//! (Durable-execution systems call this *deterministic replay*.) So natives need no state machines,
//! nothing recurses on the host's stack, and a VM can be cloned in the middle of a `sorted(key=…)`.
//! Two rules follow: *ask before you change anything*, and ask for many results at once
//! (`call_all`) where there are many, since each request runs the native's beginning once more.

use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::value::{NativeId, ThreadId, Value};
use crate::vm::state::slice::{SysCall, WaitOn};
use crate::vm::state::stack::{Arguments, Bound};
use crate::vm::state::thread::LogEntry;
use smallvec::SmallVec;
use smol_str::SmolStr;

/// An entry of the table of natives.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// The builtin type whose method it is.
    pub owner: Option<Type>,
    /// Its name. Names with a leading underscore (and no owner) can be used by the embedded modules
    /// alone.
    pub name: &'static str,
    /// The name that scripts see: `sqrt` for `_math_sqrt`.
    pub shown: &'static str,
    /// Its parameters as in Python: `iterable, /, *, key=, reverse=`. A method's first is `self`.
    /// `name=` is optional (unbound if not given); `*name` takes the rest; `**name` takes other
    /// keywords.
    pub signature: &'static str,
    /// What its owner binds it to.
    pub kind: Kind,
    /// What it does.
    pub function: NativeFn,
}

impl Native {
    /// The builtin type that its first argument must be of.
    #[must_use]
    pub fn receiver(&self) -> Option<Type> {
        match self.kind {
            Kind::Plain | Kind::Getter => self.owner,
            Kind::Static | Kind::Class | Kind::Method => None,
        }
    }

    /// The name with its owner's, as some messages have it: `list.append`.
    #[must_use]
    pub fn qualified(&self) -> String {
        match self.owner {
            Some(owner) => format!("{}.{}", owner.name(), self.shown),
            // `_math_sqrt`, shown as `sqrt`, is `math.sqrt`.
            None => match self.name.strip_suffix(self.shown) {
                Some(module) if !module.is_empty() => {
                    format!("{}.{}", module.trim_matches('_'), self.shown)
                }
                _ => self.shown.to_owned(),
            },
        }
    }
}

/// What a native's first argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A function's own first argument, or the object whose method it is.
    Plain,
    /// A static method's own first argument.
    Static,
    /// The class whose method it is.
    Class,
    /// The object whose attribute it computes: scripts read it, they do not call it.
    Getter,
    /// The instance of a class of the library that has it as a method. It looks itself whether it
    /// is one.
    Method,
}

/// The one signature of natives.
pub type NativeFn = fn(&mut Ctx<'_>) -> Result<Value, Abrupt>;

/// A builtin function.
#[must_use]
pub const fn native(name: &'static str, signature: &'static str, function: NativeFn) -> Native {
    Native {
        owner: None,
        name,
        shown: name,
        signature,
        kind: Kind::Plain,
        function,
    }
}

/// A function for an embedded module, which gives it to scripts under the name `shown`.
#[must_use]
pub const fn module_native(
    name: &'static str,
    shown: &'static str,
    signature: &'static str,
    function: NativeFn,
) -> Native {
    Native {
        shown,
        ..native(name, signature, function)
    }
}

/// A method of a builtin type; `self` is `ctx.arg(0)`, and its type has been checked.
#[must_use]
pub const fn method(
    owner: Type,
    name: &'static str,
    signature: &'static str,
    function: NativeFn,
) -> Native {
    Native {
        owner: Some(owner),
        ..native(name, signature, function)
    }
}

/// A static method of a builtin type.
#[must_use]
pub const fn static_method(
    owner: Type,
    name: &'static str,
    signature: &'static str,
    function: NativeFn,
) -> Native {
    Native {
        kind: Kind::Static,
        ..method(owner, name, signature, function)
    }
}

/// A class method of a builtin type; the class is `ctx.arg(0)`.
#[must_use]
pub const fn class_method(
    owner: Type,
    name: &'static str,
    signature: &'static str,
    function: NativeFn,
) -> Native {
    Native {
        kind: Kind::Class,
        ..method(owner, name, signature, function)
    }
}

/// A method for a class of an embedded module, which has it under the name `shown`; `self` is
/// `ctx.arg(0)`.
#[must_use]
pub const fn library_method(
    name: &'static str,
    shown: &'static str,
    signature: &'static str,
    function: NativeFn,
) -> Native {
    Native {
        kind: Kind::Method,
        ..module_native(name, shown, signature, function)
    }
}

/// An attribute of a builtin type that is computed when it is read; the object is `ctx.arg(0)`.
#[must_use]
pub const fn getter(owner: Type, name: &'static str, function: NativeFn) -> Native {
    Native {
        kind: Kind::Getter,
        ..method(owner, name, "self, /", function)
    }
}

/// Why a native ended without a result: an abrupt completion (ECMAScript's term).
#[derive(Debug)]
pub enum Abrupt {
    /// It raises this exception.
    Throw(Value),
    /// It needs the results of calls into the script.
    Calls {
        calls: Vec<(Value, Vec<Value>)>,
        /// Give it the exception if one is raised, instead of passing it on.
        catch: bool,
    },
    /// It asks the engine.
    Call(Box<SysCall>),
    /// It waits inside the VM.
    Wait {
        on: WaitOn,
        deadline_ns: Option<u64>,
        /// Give it an exception that is sent to the thread meanwhile, instead of raising it.
        guarded: bool,
    },
    /// It needs so many bytes of memory, and there are fewer as long as there is garbage.
    Room { bytes: usize },
    /// It saw that its engine wants something (`InterruptFlag`). It has changed nothing yet.
    Flagged,
    /// It ends the VM with an exit code.
    Exit(i32),
    /// It kills the VM.
    Abort,
}

/// What a native sees: the VM, the thread that called it, its arguments, and the log of its earlier
/// runs.
pub struct Ctx<'a> {
    pub vm: &'a mut Vm,
    pub thread: ThreadId,
    pub(in crate::vm) id: NativeId,
    /// Where its arguments are.
    pub(in crate::vm) bound: Bound,
    /// Keywords that are no parameters, for `**name`.
    pub(in crate::vm) extra: &'a [(Name, Value)],
    /// What it asked in earlier runs, with the replies.
    pub(in crate::vm) log: &'a [LogEntry],
    /// How many entries of the log this run has used.
    pub(in crate::vm) replayed: usize,
    /// What `once` and `mark` add in this run; kept if the run ends abruptly.
    pub(in crate::vm) new_entries: SmallVec<[LogEntry; 1]>,
    /// Bytes that it has for itself while it goes on, which `reserve` counts in.
    pub(in crate::vm) held: usize,
    /// Does it run as a part of another native (`call_special`)?
    nested: bool,
}

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// Somebody woke the thread; look again.
    Up,
    /// The deadline passed.
    TimedOut,
}

impl LogEntry {
    /// What the engine replied, or what was done once.
    fn engine(&self) -> Option<Value> {
        match self {
            LogEntry::Engine(value) => Some(*value),
            _ => None,
        }
    }

    /// How a wait ended.
    fn woken(&self) -> Option<Woken> {
        match self {
            LogEntry::Woken => Some(Woken::Up),
            LogEntry::TimedOut => Some(Woken::TimedOut),
            _ => None,
        }
    }
}

impl<'a> Ctx<'a> {
    /// For a native that is called with these arguments, no keywords, and an empty log.
    pub(in crate::vm) fn new(vm: &'a mut Vm, thread: usize, id: NativeId, bound: Bound) -> Ctx<'a> {
        Ctx {
            vm,
            thread: ThreadId(thread as u32),
            id,
            bound,
            extra: &[],
            log: &[],
            replayed: 0,
            new_entries: SmallVec::new(),
            held: 0,
            nested: false,
        }
    }
}

impl Ctx<'_> {
    /// Runs the native from its beginning.
    pub(in crate::vm) fn run(&mut self) -> Result<Value, Abrupt> {
        (self.vm.image.natives[self.id].function)(self)
    }

    /// The argument of the parameter at `index` (positional ones, then keyword-only ones, in order
    /// of the signature); unbound if not given.
    #[inline]
    #[must_use]
    pub fn arg(&self, index: usize) -> Value {
        if index < self.bound.args as usize {
            self.vm.threads[self.thread.0 as usize].stack[self.bound.args_at as usize + index]
        } else {
            Value::Unbound
        }
    }

    /// The arguments of `*name`.
    #[must_use]
    pub fn rest(&self) -> Vec<Value> {
        let at = self.bound.rest_at as usize;
        self.vm.threads[self.thread.0 as usize].stack[at..at + self.bound.rest as usize].to_vec()
    }

    /// The arguments of `**name`.
    #[must_use]
    pub fn keywords(&self) -> &[(Name, Value)] {
        self.extra
    }

    /// The name by which messages call this native.
    #[must_use]
    pub fn shown_name(&self) -> &'static str {
        self.vm.image.natives[self.id].shown
    }

    /// An interrupt that raises a new exception of a builtin class with one message.
    #[must_use]
    pub fn error(&mut self, class: Type, message: impl Into<SmolStr>) -> Abrupt {
        let message = self.vm.heap.new_str(message);
        Abrupt::Throw(self.vm.new_exception(class, vec![message]))
    }

    /// `TypeError`.
    #[must_use]
    pub fn type_error(&mut self, message: impl Into<SmolStr>) -> Abrupt {
        self.error(Type::TypeError, message)
    }

    /// `ValueError`.
    #[must_use]
    pub fn value_error(&mut self, message: impl Into<SmolStr>) -> Abrupt {
        self.error(Type::ValueError, message)
    }

    /// The error of a method of a library's class whose first argument is no instance of it, or one
    /// that has not been set up.
    pub(in crate::vm) fn wrong_receiver(&mut self, class: &str) -> Abrupt {
        let of = self.vm.type_name(self.arg(0)).to_owned();
        let name = self.shown_name();
        self.type_error(format!(
            "descriptor '{name}' for '{class}' objects doesn't apply to a '{of}' object"
        ))
    }

    /// Calls a value.
    pub fn call(&mut self, function: Value, args: &[Value]) -> Result<Value, Abrupt> {
        Ok(self.call_all(vec![(function, args.to_vec())])?[0])
    }

    /// Calls a special method that `Vm::special` found. One that is a native which takes so many
    /// arguments runs here and now, as a part of this one: what it asks, this one asks. What such a
    /// part calls is asked for, so that natives which call each other without end do not do so on
    /// the machine's stack.
    pub(in crate::vm) fn call_special(
        &mut self,
        method: Value,
        args: &[Value],
    ) -> Result<Value, Abrupt> {
        let thread = self.thread.0 as usize;
        let top = self.vm.stack_top(thread).max(self.bound.end());
        let Some((native, bound)) = self
            .vm
            .takes(method, top, args.len())
            .filter(|_| !self.nested)
        else {
            return self.call(method, args);
        };
        self.vm.reserve(thread, top, args.len());
        self.vm.threads[thread].stack[top..top + args.len()].copy_from_slice(args);
        let (outer, caller) = (self.bound, self.id);
        (self.bound, self.id, self.nested) = (bound, native, true);
        let result = self.run();
        (self.bound, self.id, self.nested) = (outer, caller, false);
        result
    }

    /// The next entry of the log, if it answers what is asked now: `read` gives its answer then.
    fn replay<T>(&mut self, read: impl FnOnce(&LogEntry) -> Option<T>) -> Option<T> {
        let answer = read(self.log.get(self.replayed)?)?;
        self.replayed += 1;
        Some(answer)
    }

    /// Calls values one after the other and gives all results.
    pub fn call_all(&mut self, calls: Vec<(Value, Vec<Value>)>) -> Result<Vec<Value>, Abrupt> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let replayed = self.replay(|entry| match entry {
            LogEntry::Calls {
                calls: asked,
                results,
            } if same_calls(asked, &calls) => Some(results.clone()),
            _ => None,
        });
        replayed.ok_or(Abrupt::Calls {
            calls,
            catch: false,
        })
    }

    /// Calls a value; an exception it raises is the inner `Err`.
    pub fn try_call(
        &mut self,
        function: Value,
        args: &[Value],
    ) -> Result<Result<Value, Value>, Abrupt> {
        let called = self.try_call_all(vec![(function, args.to_vec())])?;
        Ok(called.map(|results| results[0]))
    }

    /// Calls values one after the other and gives all results; an exception that one raises is the
    /// inner `Err`.
    pub(in crate::vm) fn try_call_all(
        &mut self,
        calls: Vec<(Value, Vec<Value>)>,
    ) -> Result<Result<Vec<Value>, Value>, Abrupt> {
        if calls.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let replayed = self.replay(|entry| match entry {
            LogEntry::Calls {
                calls: asked,
                results,
            } if same_calls(asked, &calls) => Some(Ok(results.clone())),
            LogEntry::Raised {
                calls: asked,
                exception,
            } if same_calls(asked, &calls) => Some(Err(*exception)),
            _ => None,
        });
        replayed.ok_or(Abrupt::Calls { calls, catch: true })
    }

    /// Asks the engine. An error of the engine is raised, not returned.
    pub fn sys(&mut self, call: SysCall) -> Result<Value, Abrupt> {
        self.sys_with(|_| Ok(call))
    }

    /// Asks the engine something that is costly to put together (a parcel), which is done once.
    pub fn sys_with(
        &mut self,
        make: impl FnOnce(&mut Self) -> Result<SysCall, Abrupt>,
    ) -> Result<Value, Abrupt> {
        match self.replay(LogEntry::engine) {
            Some(value) => Ok(value),
            None => Err(Abrupt::Call(Box::new(make(self)?))),
        }
    }

    /// For loops that may be long, every now and then: gives up where the engine wants something.
    /// An ask like any other, which comes before any change.
    #[inline]
    pub(in crate::vm) fn look(&self) -> Result<(), Abrupt> {
        if self.vm.heap.is_flagged_now() {
            return Err(Abrupt::Flagged);
        }
        Ok(())
    }

    /// Has nothing been asked yet?
    #[must_use]
    pub fn is_first_run(&self) -> bool {
        self.log.is_empty()
    }

    /// Does something once, however often the native is called again, and remembers its value: the
    /// way to change something *before* an ask (`Condition.wait` lets go of its lock, then waits).
    pub fn once(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<Value, Abrupt>,
    ) -> Result<Value, Abrupt> {
        if let Some(value) = self.replay(LogEntry::engine) {
            return Ok(value);
        }
        let value = act(self)?;
        self.new_entries.push(LogEntry::Engine(value));
        Ok(value)
    }

    /// Remembers that it came by here with this value, for `marked` when it is called again.
    pub(in crate::vm) fn mark(&mut self, mark: Value) {
        self.new_entries.push(LogEntry::Engine(mark));
    }

    /// Did an earlier run come by here with this value? Then the answers to what it asked before
    /// that are not needed again.
    pub(in crate::vm) fn marked(&mut self, mark: Value) -> bool {
        let ahead = self.log[self.replayed..]
            .iter()
            .position(|answer| matches!(answer, LogEntry::Engine(it) if it.same(mark)));
        self.replayed += ahead.map_or(0, |ahead| ahead + 1);
        ahead.is_some()
    }

    /// Waits inside the VM until woken or until the deadline (nanoseconds of `Clock::Monotonic`).
    /// The VM puts the thread at the end of the queue of `on` when it really waits. Being woken
    /// promises nothing: look again, in a loop.
    pub fn wait(&mut self, on: WaitOn, deadline_ns: Option<u64>) -> Result<Woken, Abrupt> {
        self.replay(LogEntry::woken).ok_or(Abrupt::Wait {
            on,
            deadline_ns,
            guarded: false,
        })
    }

    /// The same for a native that has something to put right before an exception may end it: one
    /// that is sent to the thread is the inner `Err`.
    pub fn wait_guarded(
        &mut self,
        on: WaitOn,
        deadline_ns: Option<u64>,
    ) -> Result<Result<Woken, Value>, Abrupt> {
        let replayed = self.replay(|entry| match entry {
            LogEntry::Raised { exception, .. } => Some(Err(*exception)),
            _ => entry.woken().map(Ok),
        });
        replayed.ok_or(Abrupt::Wait {
            on,
            deadline_ns,
            guarded: true,
        })
    }
}

impl Vm {
    /// What a special method of an instance's class comes to, if it is a native that asks nothing:
    /// for the instructions, which then need not ask for it.
    pub(in crate::vm) fn special_at_once<const COUNT: usize>(
        &mut self,
        thread: usize,
        wanted: Name,
        args: [Value; COUNT],
    ) -> Option<Result<Value, Value>> {
        let top = self.stack_top(thread);
        let (native, bound) = self.takes(self.special(args[0], wanted)?, top, COUNT)?;
        self.reserve(thread, top, COUNT);
        self.threads[thread].stack[top..top + COUNT].copy_from_slice(&args);
        match Ctx::new(self, thread, native, bound).run() {
            Ok(value) => Some(Ok(value)),
            Err(Abrupt::Throw(exception)) => Some(Err(exception)),
            Err(_) => None,
        }
    }

    /// If the method is a native that takes so many arguments, which lie at this place of the
    /// stack: which one, and how they are bound.
    fn takes(&self, method: Value, at: usize, count: usize) -> Option<(NativeId, Bound)> {
        let Value::Native(native) = method else {
            return None;
        };
        let arguments = Arguments {
            at,
            count,
            names: &[],
        };
        let bound = self.image.natives.signature(native).fits(arguments)?;
        Some((native, bound))
    }
}

/// Is this the question that was answered? Between asking and being called again, other threads
/// may have changed what the native looks at; then it must ask anew.
fn same_calls(a: &[(Value, Vec<Value>)], b: &[(Value, Vec<Value>)]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((f, x), (g, y))| {
            same_part(*f, *g)
                && x.len() == y.len()
                && x.iter().zip(y).all(|(p, q)| same_part(*p, *q))
        })
}

/// The same object; or one of a kind that a native makes on its way to the question, and so makes
/// anew each time.
fn same_part(a: Value, b: Value) -> bool {
    a.same(b)
        || matches!(
            (a, b),
            (Value::Str(_), Value::Str(_))
                | (Value::Big(_), Value::Big(_))
                | (Value::Bytes(_), Value::Bytes(_))
                | (Value::Tuple(_), Value::Tuple(_))
                | (Value::List(_), Value::List(_))
                | (Value::Method(_), Value::Method(_))
                | (Value::Iter(_), Value::Iter(_))
                | (Value::Object(_), Value::Object(_))
        )
}

impl Ctx<'_> {
    /// An interrupt that raises the exception.
    #[must_use]
    pub fn raise(&mut self, fault: Fault) -> Abrupt {
        Abrupt::Throw(self.vm.exception_of(fault))
    }

    /// The result of a pure function; its fault is raised.
    pub fn ok<T>(&mut self, result: Result<T, Fault>) -> Result<T, Abrupt> {
        result.map_err(|fault| self.raise(fault))
    }
}
