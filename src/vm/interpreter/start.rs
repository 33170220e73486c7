//! How a VM begins: its types and constants, the library module, the frame of the script; and a
//! process that begins from nothing.

use crate::bytecode::code::Const;
use crate::bytecode::op::CodeIx;
use crate::vm::Vm;
use crate::vm::heap::class::{Class, Type};
use crate::vm::heap::memory::{Account, Charge};
use crate::vm::heap::object::{Bytes, Object};
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::heap::{Heap, object};
use crate::vm::state::cache::Cache;
use crate::vm::state::class::{LOOKUPS, Lookup};
use crate::vm::state::link::Image;
use crate::vm::state::names::Names;
use crate::vm::state::native::Kind;
use crate::vm::state::shapes::Shapes;
use crate::vm::state::slice::{Budget, Parcel, Stop};
use crate::vm::state::thread::{Frame, Return, Thread};
use crate::vm::state::threads::Threads;
use crate::vm::state::vm::Limits;
use rustc_hash::FxHashMap;
use std::cell::Cell;
use std::sync::Arc;

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
            resuming_native: false,
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

    /// A VM that knows nothing of this one's memory. It begins with the library's module
    /// `_process`, which runs the script anew, as `__mp_main__`, and then does what was sent along.
    pub(in crate::vm) fn spawn(&self, name: Arc<str>, parcel: Parcel) -> Vm {
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
}
