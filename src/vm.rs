//! The pure core: a VM is a value. It knows no clock, no thread of the operating system, no lock, no file, and prints nothing; an engine plays the
//! operating system for it. Its one verb is `Vm::run`.

pub mod builtins;
pub mod heap;
pub mod interpreter;
pub mod semantics;
pub mod state;

pub use heap::{class, flag, memory, object, primitive, tuning, value, work};
pub use interpreter::run;
pub use semantics::parcel;
pub use state::{birthplace, link, slice, thread};

use crate::bytecode::code::Const;
use crate::bytecode::op::CodeIx;
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Class, Name, Type};
use crate::vm::heap::memory::{Account, Charge};
use crate::vm::heap::object::{Bytes, Object};
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::tuning::Tuning;
use crate::vm::heap::value::NativeId;
use crate::vm::heap::value::ThreadId;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::parcel::Parcel;
use crate::vm::state::cache::Cache;
use crate::vm::state::class::{LOOKUPS, Lookup};
use crate::vm::state::link::Image;
use crate::vm::state::names::Names;
use crate::vm::state::native::Kind;
use crate::vm::state::shapes::Shapes;
use crate::vm::state::slice::{Answer, Budget, Stop, SysCall, WaitOn};
use crate::vm::state::thread::{Answered, Asking, Frame, Return, Status, Thread};
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
    module_names: FxHashMap<(u32, Name), u32>,
    /// Which modules have begun to run.
    imported: Vec<bool>,
    /// The program's constants as values.
    constants: Vec<Value>,
    shapes: Shapes,
    pub threads: Threads,
    /// The main thread: the first one, or the one that a fork kept.
    pub main: ThreadId,
    /// What the script was started with: `sys.argv`, its own name first.
    pub argv: Vec<Arc<str>>,
    /// Functions to be called when the main thread ends, last one first.
    pub at_exit: Vec<Value>,
    /// Values that a collection spares because code that is under way has them.
    kept: Vec<Value>,
    /// Threads that can run again and whose engine does not know yet.
    woken: Vec<ThreadId>,
    caches: Vec<Cache>,
    lookups: Vec<Cell<Lookup>>,
    /// Counts changes to classes; what was remembered under an older number no longer holds.
    class_version: u32,
    /// `list.append`, which the loop does itself.
    pub(crate) list_append: NativeId,
    /// Taking a mutex lets go of the interpreter lock even where the mutex is free, as in CPython 2.7: the engine is asked to give way first.
    pub yields_at_mutex: bool,
    /// `pump` is making a call, and goes on by itself if that is done at once.
    pumping: bool,
    /// Collect when this many bytes were allocated since the last collection.
    collect_at: usize,
    /// The same where what lives leaves no room to go on with, and `collect_at` is 0: an instruction
    /// that makes but little is let through until it has come to something.
    collect_even_if_full_at: usize,
    /// Its part of the run's memory: what was there after the last collection, and `granted` more.
    memory: Charge,
    /// Bytes that may be allocated after the last collection.
    granted: usize,
    /// What a spawned process was sent along, and its name.
    spawned: Option<(Arc<str>, Parcel)>,
}

/// The parts of `[Errno 3] No such process`: the two arguments that the exception has.
fn os_error(message: &str) -> Option<(i64, &str)> {
    let (errno, text) = message.strip_prefix("[Errno ")?.split_once("] ")?;
    Some((errno.parse().ok()?, text))
}

impl Vm {
    /// A VM that is about to run the program's main module in its main thread.
    ///
    /// # Panics
    /// If the library module `_builtins` does not run; a bug of Mini's.
    #[must_use]
    pub fn new(image: Arc<Image>, limits: Limits) -> Vm {
        /// What an allocator loses between blocks is of this order.
        const LOSS: usize = 16;
        let account = Account::new(limits.memory_bytes - limits.memory_bytes / LOSS);
        let mut vm = Vm::without_module(image, limits, &account);
        vm.begin_module(0);
        vm
    }

    /// A VM whose main thread has nothing to do yet.
    fn without_module(image: Arc<Image>, limits: Limits, account: &Arc<Account>) -> Vm {
        let program = image.program.clone();
        let mut vm = Vm {
            limits,
            heap: Heap::new(limits.tuning),
            // With room for those of the builtins.
            names: Names::new(&image.all_names, image.natives.iter().len()),
            globals: vec![Value::Unbound; program.globals.len()],
            module_names: FxHashMap::default(),
            imported: vec![false; program.modules.len()],
            constants: Vec::with_capacity(program.consts.len()),
            shapes: Shapes::new(),
            threads: Threads::default(),
            main: ThreadId(0),
            argv: Vec::new(),
            at_exit: Vec::new(),
            kept: Vec::new(),
            woken: Vec::new(),
            caches: vec![Cache::Empty; image.caches],
            lookups: vec![Cell::new(Lookup::default()); LOOKUPS],
            class_version: 0,
            list_append: image
                .natives
                .find_method(Type::List, "append")
                .expect("lists have it"),
            yields_at_mutex: false,
            pumping: false,
            collect_at: usize::MAX,
            collect_even_if_full_at: usize::MAX,
            memory: Charge::none(account),
            granted: usize::MAX,
            spawned: None,
            image,
        };
        vm.make_types();
        vm.names.keep_all();
        for constant in &program.consts {
            let value = vm.constant(constant);
            vm.constants.push(value);
        }
        for (module, declared) in program.modules.iter().enumerate() {
            for &(name, global) in &declared.globals {
                let name = vm.image.names[name.0 as usize];
                vm.module_names.insert((module as u32, name), global.0);
                let preset = match &*vm.names[name] {
                    "__name__" => vm.heap.new_str(declared.name.clone()),
                    "__file__" => {
                        let source = program.codes[declared.code.0 as usize].source;
                        vm.heap
                            .new_str(program.sources[source.0 as usize].name.clone())
                    }
                    "__doc__" => match &program.codes[declared.code.0 as usize].docstring {
                        Some(text) => vm.heap.new_str(text.clone()),
                        None => Value::None,
                    },
                    _ => continue,
                };
                vm.globals[global.0 as usize] = preset;
            }
        }
        vm.threads.push(Thread::new("MainThread", false));
        if let Some(library) = program
            .modules
            .iter()
            .position(|module| &*module.name == "_builtins")
        {
            vm.begin_module(library);
            let slice = vm.run(ThreadId(0), Budget::Instructions(1 << 20));
            assert!(
                matches!(slice.stop, Stop::Finished { report: None, .. }),
                "the library module runs to its end: {:?}",
                slice.stop
            );
            vm.threads[0] = Thread::new("MainThread", false);
        }
        vm.weigh();
        vm
    }

    fn begin_module(&mut self, module: usize) {
        self.imported[module] = true;
        let code = self.image.program.modules[module].code;
        self.push_first_frame(ThreadId(0), code, Ref::new(u32::MAX));
    }

    /// A thread's first frame, without arguments.
    fn push_first_frame(
        &mut self,
        thread: ThreadId,
        code: CodeIx,
        function: Ref<object::Function>,
    ) {
        let registers = self.image.links[code.0 as usize].registers as usize;
        let thread = &mut self.threads[thread.0 as usize];
        thread.stack.resize(registers + 16, Value::Unbound);
        thread.frames.push(Frame {
            code,
            pc: 0,
            base: 0,
            function,
            ret: Return::Thread,
        });
    }

    fn make_types(&mut self) {
        for &of in Type::ALL {
            let mut mro = vec![of.class()];
            let mut at = of;
            while at != Type::Object {
                at = at.base();
                mro.push(at.class());
            }
            let exception = mro.contains(&Type::BaseException.class());
            // Messages show `_thread.lock` in full; of exceptions, only tracebacks do.
            let (module, name) = match of.name().split_once('.') {
                Some(parts) if exception => parts,
                _ => ("builtins", of.name()),
            };
            let root_shape = self.shapes.new_root();
            let _ = self.heap.new_class(Class {
                name: name.into(),
                qualname: name.into(),
                module: module.into(),
                base: (of != Type::Object).then(|| of.base().class()),
                exception,
                mro,
                attributes: Vec::new(),
                index: FxHashMap::default(),
                builtin: Some(of),
                makes: false,
                root_shape,
                usual_slots: 0,
                record: None,
            });
        }
        let natives = self.image.natives;
        for (id, native) in natives.iter() {
            if let Some(owner) = native.owner {
                let name = self.intern(native.name);
                let value = Value::Native(id);
                let class = &mut self.heap.classes[owner.class()];
                class.index.insert(name, class.attributes.len() as u32);
                class.attributes.push((name, value));
                let wrapped = match native.kind {
                    Kind::Plain | Kind::Class | Kind::Method => continue,
                    Kind::Static => Object::StaticMethod(value),
                    Kind::Getter => Object::Property {
                        getter: value,
                        setter: Value::None,
                        deleter: Value::None,
                        doc: Value::None,
                        name: Some(name),
                    },
                };
                let wrapped = self.heap.new_object(wrapped);
                let class = &mut self.heap.classes[owner.class()];
                class.attributes.last_mut().expect("just pushed").1 = wrapped;
            }
        }
    }

    fn constant(&mut self, constant: &Const) -> Value {
        match constant {
            Const::None | Const::Names(_) => Value::None,
            Const::Ellipsis => Value::Ellipsis,
            Const::Bool(value) => Value::Bool(*value),
            Const::Int(value) => Value::Int(*value),
            Const::BigInt(value) => self.heap.new_int(value.clone()),
            Const::Float(value) => Value::Float(*value),
            Const::Str(text) => self.heap.new_str(text.clone()),
            Const::Bytes(bytes) => self.heap.new_bytes(Bytes(bytes.clone())),
            Const::Tuple(items) => {
                let items: Vec<Value> = items
                    .iter()
                    .map(|item| self.constants[item.0 as usize])
                    .collect();
                self.heap.new_tuple(items)
            }
            Const::Builtin(name) => self.builtin(name).unwrap_or(Value::Unbound),
        }
    }

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

    /// Makes a thread that will call `callable`. It is ready, but the engine must be asked to start it.
    pub fn new_thread(
        &mut self,
        callable: Value,
        args: Vec<Value>,
        kwargs: Vec<(Name, Value)>,
        name: Arc<str>,
        daemon: bool,
    ) -> ThreadId {
        let mut thread = Thread::new(&name, daemon);
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

    /// Answers the call that a thread stopped with.
    pub fn answer(&mut self, thread: ThreadId, answer: Answer) {
        let at = thread.0 as usize;
        if !matches!(self.threads[at].status, Status::Calling(_)) {
            return;
        }
        let answered = match answer {
            Answer::None => Ok(Value::None),
            Answer::Bool(yes) => Ok(Value::Bool(yes)),
            Answer::Int(number) => Ok(Value::Int(number)),
            Answer::Text(text) => Ok(self.heap.new_str(text)),
            Answer::Process { process, pid } => Ok(self
                .heap
                .new_tuple([Value::Int(process as i64), Value::Int(pid)])),
            Answer::Parcel(parcel) => match parcel::decode_with_room(self, &parcel) {
                Ok(value) => Ok(self.heap.new_tuple([value])),
                Err(refusal) => Err(refusal.exception()),
            },
            Answer::Error(class, message) => Err((class, message)),
        };
        let answered = answered.map_err(|(class, message)| {
            let args = match os_error(&message) {
                _ if message.is_empty() => Vec::new(),
                Some((errno, text)) => vec![Value::Int(errno), self.heap.new_str(text)],
                None => vec![self.heap.new_string(message)],
            };
            self.new_exception(class, args)
        });
        let state = &mut self.threads[at];
        state.status = Status::Ready;
        match answered {
            Ok(value) => {
                if let Some(pending) = state.pending.last_mut() {
                    pending.answers.push(Answered::Engine(value));
                    pending.asking = Asking::Nothing;
                }
            }
            Err(exception) => state.interrupt = Some(exception),
        }
    }

    /// Tells a waiting thread that its deadline has passed.
    pub fn time_out(&mut self, thread: ThreadId) {
        self.end_wait(thread, Answered::TimedOut);
    }

    /// Marks a waiting thread as ready; it will look again at what it waited for.
    pub fn wake(&mut self, thread: ThreadId) {
        if self.end_wait(thread, Answered::Woken) {
            self.woken.push(thread);
        }
    }

    fn end_wait(&mut self, thread: ThreadId, how: Answered) -> bool {
        let Status::Waiting { on, .. } = self.threads[thread.0 as usize].status else {
            return false;
        };
        self.leave_queue(on, thread);
        let state = &mut self.threads[thread.0 as usize];
        state.status = Status::Ready;
        if let Some(pending) = state.pending.last_mut() {
            // The question stays on record until the thread runs: an interruption before that must pass the wake-up on.
            pending.answers.push(how);
        }
        true
    }

    fn leave_queue(&mut self, on: WaitOn, thread: ThreadId) {
        match on {
            WaitOn::Object(object) => state::sync::dequeue(self, object, thread),
            WaitOn::Thread(other) => self.threads[other.0 as usize]
                .joiners
                .retain(|&it| it != thread),
        }
    }

    /// The threads that became ready since the last time.
    pub fn take_woken(&mut self) -> Vec<ThreadId> {
        std::mem::take(&mut self.woken)
    }

    /// Raises an exception of this class in a thread at its next slice, whatever it is doing; a waiting or calling thread is made ready for it (an answer
    /// that comes later is dropped).
    pub fn interrupt(&mut self, thread: ThreadId, class: Type) {
        let exception = self.new_exception(class, Vec::new());
        let state = &mut self.threads[thread.0 as usize];
        if matches!(state.status, Status::Finished) {
            return;
        }
        let status = std::mem::replace(&mut state.status, Status::Ready);
        let guard = match state.pending.last_mut() {
            Some(pending) => match pending.asking {
                Asking::Wake { guarded: true, .. } => Some(pending),
                _ => None,
            },
            None => None,
        };
        match guard {
            Some(pending) => {
                if matches!(status, Status::Ready) {
                    pending.answers.pop();
                }
                pending.answers.push(Answered::Raised {
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
                if let Some(Asking::Wake {
                    on: WaitOn::Object(object),
                    ..
                }) = state.pending.last().map(|pending| &pending.asking)
                {
                    let object = *object;
                    state::sync::renounce(self, object);
                }
            }
            Status::Finished => unreachable!("returned above"),
        }
    }

    /// The child of a fork: a copy in which only the calling thread goes on, as main thread, inside the native that asked for the fork, which is answered
    /// `None` there. What that native returns is the child's outcome. A child that is spawned begins from nothing. None if there is no room for it.
    ///
    /// # Panics
    /// If the thread is not inside a native; a bug of Mini's.
    pub fn fork(&mut self, thread: ThreadId) -> Option<Vm> {
        if let Status::Calling(SysCall::Fork {
            name,
            spawn: Some(parcel),
            ..
        }) = &self.threads[thread.0 as usize].status
        {
            let child = self.spawn(name.clone(), parcel.clone());
            return (!self.account().is_overdrawn()).then_some(child);
        }
        self.heap.freeze(&mut self.memory);
        // What is not shared now is copied.
        if self.memory.bytes() > self.account().free() {
            self.collect();
            self.heap.freeze(&mut self.memory);
            if self.memory.bytes() > self.account().free() {
                return None;
            }
        }
        let mut child = self.clone();
        child.woken.clear();
        let others: Vec<ThreadId> = child.threads.alive().filter(|it| *it != thread).collect();
        for other in others {
            let at = other.0 as usize;
            if let Status::Waiting { on, .. } = child.threads[at].status {
                child.leave_queue(on, other);
            }
            let state = &mut child.threads[at];
            let (name, daemon) = (state.name.clone(), state.daemon);
            *state = Thread {
                object: state.object,
                status: Status::Finished,
                outcome: Some(thread::Outcome::Returned(Value::None)),
                buried: true,
                ..Thread::new(&name, daemon)
            };
        }
        child.main = thread;
        // Of the thread that forks nothing remains but the native, with the arguments on its stack.
        let state = &mut child.threads[thread.0 as usize];
        let mut pending = state
            .pending
            .pop()
            .expect("a fork is asked for by a native");
        pending.ret = Return::Thread;
        pending.depth = 0;
        let name = state.name.clone();
        *state = Thread {
            status: state.status.clone(),
            object: state.object,
            stack: std::mem::take(&mut state.stack),
            pending: vec![pending],
            ..Thread::new(&name, false)
        };
        child.answer(thread, Answer::None);
        Some(child)
    }

    /// A VM that knows nothing of this one's memory. It begins with the library's module `_process`, which runs the script anew, as `__mp_main__`, and then
    /// does what was sent along.
    fn spawn(&self, name: Arc<str>, parcel: Parcel) -> Vm {
        let account = self.memory.account();
        let mut child = Vm::without_module(self.image.clone(), self.limits, account);
        child.argv.clone_from(&self.argv);
        child.spawned = Some((name, parcel));
        let text = child.heap.new_str("__mp_main__");
        let name = child.names.find("__name__");
        let global = name.and_then(|name| child.module_global(0, name));
        if let Some(global) = global {
            child.globals[global as usize] = text;
        }
        let begin = self.module_of_spawned();
        child.begin_module(begin.expect("who spawns has the module"));
        child
    }

    /// The module with which a process that begins from nothing begins. Programs that came as text may lack it.
    pub(in crate::vm) fn module_of_spawned(&self) -> Option<usize> {
        let mut modules = self.image.program.modules.iter();
        modules.position(|module| &*module.name == "_process")
    }

    /// The ends of channels that its process has from its parent: these, or all if it does not say.
    #[must_use]
    pub fn inherits(&self) -> Option<&[(u64, ChannelEnd)]> {
        self.spawned.as_ref().map(|(_, parcel)| &*parcel.ends)
    }
}
