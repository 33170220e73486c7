//! Looks at a whole VM for what must never be: a handle of a slot that is free, an object that
//! marking misses or keeps for nothing, a cache or a remembered look-up that a plain look-up would
//! contradict, a table whose index has lost an entry. `Tuning::checks` has it done around every
//! collection.
//!
//! It is written a second time on purpose: what an object holds is listed here without `Trace`, and
//! the roots without `Thread::roots`. Each struct is taken apart without `..`, so that a new field
//! does not compile before somebody has said here whether it holds handles.

use crate::vm::Vm;
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Class, Name, Record};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::list::Items;
use crate::vm::heap::object::{
    Cell, Exception, Function, Generator, Instance, Iter, Method, Object, Tuple,
};
use crate::vm::heap::primitive::Condition;
use crate::vm::heap::set::Set;
use crate::vm::heap::text::Form;
use crate::vm::heap::value::Value;
use crate::vm::state::cache::{CACHES, Cache};
use crate::vm::state::slice::WaitOn;
use crate::vm::state::thread::{
    Awaiting, Frame, LogEntry, Outcome, Pending, Return, Status, Thread,
};
use rustc_hash::FxHashSet;

impl Vm {
    /// Looks at everything. `collected` says that a collection was the last thing that happened, so
    /// that there is no garbage but in pages that others share.
    ///
    /// # Panics
    /// If something is wrong.
    pub(in crate::vm) fn audit(&self, collected: bool) {
        let mut audit = Audit {
            vm: self,
            reached: FxHashSet::default(),
            gray: Vec::new(),
            free: Free::of(&self.heap),
            faults: Vec::new(),
        };
        audit.roots();
        audit.walk();
        if collected {
            audit.garbage();
        }
        audit.tables();
        audit.shapes();
        audit.lookups();
        audit.caches();
        let faults = audit.faults;
        assert!(
            faults.is_empty(),
            "the heap is damaged: {}",
            faults[..faults.len().min(20)].join("; ")
        );
    }
}

struct Audit<'a> {
    vm: &'a Vm,
    /// By kind and slot.
    reached: FxHashSet<(u8, u32)>,
    /// Reached, with what it holds still to be looked at.
    gray: Vec<Value>,
    free: Free,
    faults: Vec<String>,
}

macro_rules! kinds {
    ($($kind:literal $arena:ident $variant:ident)*) => {
        /// The free slots of each arena, by kind and slot.
        struct Free(FxHashSet<(u8, u32)>);

        impl Free {
            fn of(heap: &Heap) -> Free {
                let mut free = FxHashSet::default();
                $(for &slot in heap.$arena.free_slots() {
                    assert!(
                        free.insert(($kind, slot)),
                        "slot {slot} of {} is free twice", stringify!($arena)
                    );
                })*
                Free(free)
            }
        }

        /// Kind and slot of an object, and how many slots its kind has.
        fn place(heap: &Heap, value: Value) -> Option<((u8, u32), usize)> {
            match value {
                $(Value::$variant(it) => Some((($kind, it.slot), heap.$arena.slots())),)*
                Value::Unbound | Value::None | Value::NotImplemented | Value::Ellipsis
                | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Native(_)
                | Value::Module(_) => None,
            }
        }

        impl Audit<'_> {
            /// What lives must have been reached, but for pages that are shared.
            fn garbage(&mut self) {
                $(if !self.vm.heap.$arena.is_shared() {
                    let kind = (0..self.vm.heap.$arena.slots() as u32).map(|slot| ($kind, slot));
                    let lost = kind.filter(|it| !self.reached.contains(it) && !self.free.0.contains(it));
                    let lost = lost.count();
                    if lost > 0 {
                        self.faults.push(format!(
                            "{lost} of {} are not reached and not free", stringify!($arena)
                        ));
                    }
                })*
            }
        }
    };
}
kinds! {
    0 bigs Big  1 strs Str  2 bytes Bytes  3 tuples Tuple  4 lists List  5 dicts Dict  6 sets Set
    7 ranges Range  8 functions Function  9 methods Method  10 classes Class
    11 instances Instance  12 generators Generator  13 iters Iter  14 cells Cell  15 objects Object
}

/// The kind of buffers, which no value is a handle of.
const BUFFERS: u8 = 16;

impl Audit<'_> {
    fn reach(&mut self, value: Value, from: &str) {
        let Some((place, slots)) = place(&self.vm.heap, value) else {
            return;
        };
        if place.1 as usize >= slots {
            self.faults
                .push(format!("{from} holds {value:?}, and there are {slots}"));
            return;
        }
        if self.free.0.contains(&place) {
            self.faults
                .push(format!("{from} holds {value:?}, which is free"));
            return;
        }
        if self.reached.insert(place) {
            self.gray.push(value);
        }
    }

    fn reach_all<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>, from: &str) {
        values.into_iter().for_each(|&it| self.reach(it, from));
    }

    fn roots(&mut self) {
        let Vm {
            image: _,
            limits: _,
            heap,
            names: _,
            globals,
            module_names: _,
            imported: _,
            constants,
            shapes: _,
            threads,
            main: _,
            argv: _,
            at_exit,
            kept,
            woken: _,
            // Looked at by themselves.
            caches: _,
            lookups: _,
            class_version: _,
            list_append: _,
            yields_at_mutex: _,
            resuming_native: _,
            collect_at: _,
            collect_even_if_full_at: _,
            memory: _,
            granted: _,
            spawned: _,
        } = self.vm;
        self.reach_all(heap.known_characters(), "the characters");
        self.reach_all(globals, "a global");
        self.reach_all(constants, "a constant");
        self.reach_all(at_exit, "what is to be called at the end");
        self.reach_all(kept, "what is kept");
        for of in crate::vm::heap::class::Type::ALL {
            self.reach(of.value(), "the builtin types");
        }
        for thread in threads.iter() {
            self.thread(thread);
        }
        for cache in &self.vm.caches {
            cache.holds().for_each(|it| self.reach(it, "a cache"));
        }
    }

    fn thread(&mut self, thread: &Thread) {
        let Thread {
            name: _,
            daemon: _,
            status,
            frames,
            stack,
            pending,
            constructing,
            construct_returns,
            importing,
            generators,
            handling,
            ending,
            outcome,
            object,
            joiners: _,
            interrupt,
            instructions: _,
            start,
            held: _,
            buried: _,
            reporting: _,
            resumed: _,
            spared: _,
            thrown,
        } = thread;
        self.reach(*thrown, "an exception that was thrown");
        if let Status::Waiting { on, .. } = status {
            self.wait(*on);
        }
        for frame in frames {
            let Frame {
                code: _,
                pc: _,
                base: _,
                function,
                ret: _,
            } = frame;
            if function.slot != u32::MAX {
                self.reach(Value::Function(*function), "a frame");
            }
        }
        for pending in pending {
            self.pending(pending);
        }
        self.reach_all(&stack[..thread.top(&self.vm.image)], "a register");
        self.reach_all(constructing, "a construction");
        for &generator in generators {
            self.reach(Value::Generator(generator), "a running generator");
        }
        self.reach_all(
            [handling, object].into_iter().chain(interrupt),
            "a thread's state",
        );
        for outcome in [ending, outcome].into_iter().flatten() {
            let (Outcome::Returned(value) | Outcome::Raised(value)) = outcome;
            self.reach(*value, "a thread's outcome");
        }
        if let Some((callable, args, kwargs)) = start {
            self.reach(*callable, "a thread's start");
            self.reach_all(args, "a thread's start");
            self.reach_all(kwargs.iter().map(|(_, value)| value), "a thread's start");
        }

        let returns = || {
            let of_frames = frames.iter().map(|it| it.ret);
            of_frames.chain(pending.iter().map(|it| it.ret))
        };
        let count = |wanted: fn(&Return) -> bool| returns().filter(wanted).count();
        let made = count(|it| matches!(it, Return::Construct(_) | Return::ConstructFor));
        if made != constructing.len() {
            self.faults.push(format!(
                "{} under construction for {made} that want one",
                constructing.len()
            ));
        }
        for (name, kept, wanted) in [
            (
                "places of constructions",
                construct_returns.len(),
                count(|it| matches!(it, Return::ConstructFor)),
            ),
            (
                "imports",
                importing.len(),
                count(|it| matches!(it, Return::Module(_))),
            ),
            (
                "generators",
                generators.len(),
                frames
                    .iter()
                    .filter(|it| self.vm.image.links[it.code.0 as usize].generator)
                    .count(),
            ),
        ] {
            if kept != wanted {
                self.faults
                    .push(format!("{kept} {name} for {wanted} frames"));
            }
        }
    }

    fn wait(&mut self, on: WaitOn) {
        match on {
            WaitOn::Object(object) => self.reach(Value::Object(object), "a wait"),
            WaitOn::Thread(_) | WaitOn::Begin(_) => {}
        }
    }

    fn pending(&mut self, pending: &Pending) {
        let Pending {
            native: _,
            bound: _,
            extra,
            ret: _,
            log,
            awaiting,
            depth: _,
        } = pending;
        let from = "a native that waits";
        self.reach_all(extra.iter().map(|(_, value)| value), from);
        for answer in log {
            match answer {
                LogEntry::Calls { calls, results } => {
                    self.calls(calls);
                    self.reach_all(results, from);
                }
                LogEntry::Raised { calls, exception } => {
                    self.calls(calls);
                    self.reach(*exception, from);
                }
                LogEntry::Engine(value) | LogEntry::Whole(value) => self.reach(*value, from),
                LogEntry::Woken | LogEntry::TimedOut => {}
            }
        }
        match awaiting {
            Awaiting::Calls {
                calls,
                results,
                catch: _,
            } => {
                self.calls(calls);
                self.reach_all(results, from);
            }
            Awaiting::Wake { on, guarded: _ } => self.wait(*on),
            Awaiting::Nothing | Awaiting::Engine => {}
        }
    }

    fn calls(&mut self, calls: &[(Value, Vec<Value>)]) {
        for (function, args) in calls {
            self.reach(*function, "a call that was asked for");
            self.reach_all(args, "a call that was asked for");
        }
    }

    fn walk(&mut self) {
        while let Some(value) = self.gray.pop() {
            for held in self.held(value) {
                self.reach(held, &format!("{value:?}"));
            }
        }
    }

    /// What an object holds.
    fn held(&mut self, value: Value) -> Vec<Value> {
        let heap = &self.vm.heap;
        match value {
            Value::Unbound
            | Value::None
            | Value::NotImplemented
            | Value::Ellipsis
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Native(_)
            | Value::Module(_)
            | Value::Big(_)
            | Value::Bytes(_)
            | Value::Range(_) => Vec::new(),
            Value::Str(it) => {
                if let Form::Prefix(buffer) = heap.strs[it].form {
                    self.reached.insert((BUFFERS, buffer.slot));
                    if heap.buffers.free_slots().contains(&buffer.slot) {
                        self.faults.push(format!("{value:?} lies in a free buffer"));
                    }
                }
                Vec::new()
            }
            Value::Tuple(it) => {
                let Tuple(items) = &heap.tuples[it];
                items.to_vec()
            }
            Value::List(it) => match heap.lists[it].items() {
                Items::Values(items) => items.clone(),
                Items::Ints(_) | Items::Floats(_) | Items::Bools(_) => Vec::new(),
            },
            Value::Dict(it) => {
                let entries = heap.dicts[it].iter();
                entries.flat_map(|it| [it.key, it.value]).collect()
            }
            Value::Set(it) => heap.sets[it].iter().map(|(_, value)| value).collect(),
            Value::Function(it) => {
                let Function {
                    code: _,
                    cells,
                    defaults,
                    keyword_defaults,
                    attributes,
                } = &heap.functions[it];
                let cells = cells.iter().map(|&it| Value::Cell(it));
                let defaults = defaults.iter().chain(keyword_defaults).copied();
                let attributes = attributes.map(Value::Dict);
                cells.chain(defaults).chain(attributes).collect()
            }
            Value::Method(it) => {
                let Method { receiver, function } = heap.methods[it];
                vec![receiver, function]
            }
            Value::Class(it) => held_by_class(&heap.classes[it]),
            Value::Instance(it) => held_by_instance(&heap.instances[it]),
            Value::Generator(it) => {
                let Generator {
                    function,
                    state: _,
                    pc: _,
                    registers,
                    handling,
                } = &heap.generators[it];
                let registers = registers.iter().chain(handling).copied();
                registers.chain([Value::Function(*function)]).collect()
            }
            Value::Iter(it) => held_by_iter(&heap.iters[it]),
            Value::Cell(it) => {
                let Cell(value) = heap.cells[it];
                vec![value]
            }
            Value::Object(it) => held_by_object(&heap.objects[it]),
        }
    }

    /// Strings, dicts, sets and classes by themselves.
    fn tables(&mut self) {
        let heap = &self.vm.heap;
        for string in heap.strs.iter() {
            if let Form::Prefix(buffer) = string.form
                && (buffer.slot as usize >= heap.buffers.slots()
                    || heap.buffers[buffer].0.len() < string.bytes as usize
                    || !heap.buffers[buffer]
                        .0
                        .is_char_boundary(string.bytes as usize))
            {
                self.faults.push("a string ends outside its text".into());
            }
        }
        let dicts = heap.dicts.iter().filter_map(Dict::fault);
        let sets = heap.sets.iter().filter_map(Set::fault);
        let classes = heap.classes.iter().filter_map(|it| {
            let agree = it.index.len() == it.attributes.len()
                && it
                    .index
                    .iter()
                    .all(|(name, &at)| it.attributes[at as usize].0 == *name);
            (!agree).then(|| format!("the index of class {} is wrong", it.name))
        });
        self.faults
            .extend(dicts.chain(sets).map(str::to_owned).chain(classes));
    }

    /// Shapes are a tree in which each node has one name more than its parent; instances fit
    /// theirs.
    fn shapes(&mut self) {
        let shapes = &self.vm.shapes;
        let mut roots: Vec<Option<u32>> = vec![None; shapes.numbers()];
        // From each root down. A tree has no way round, so that no shape comes twice.
        let mut next: Vec<u32> = Vec::new();
        for class in self.vm.heap.classes.iter() {
            roots[class.root_shape as usize] = Some(class.root_shape);
            next.push(class.root_shape);
        }
        while let Some(at) = next.pop() {
            for (&name, &to) in &shapes[at].transitions {
                if shapes[to].names.split_last() != Some((&name, &shapes[at].names[..])) {
                    self.faults.push(format!("shape {to} does not follow {at}"));
                }
                let of = roots[at as usize];
                if std::mem::replace(&mut roots[to as usize], of).is_some() {
                    self.faults.push(format!("two ways lead to shape {to}"));
                } else {
                    next.push(to);
                }
            }
        }
        for instance in self.vm.heap.instances.iter() {
            let names = shapes[instance.shape].names.len();
            let class = &self.vm.heap.classes[instance.class];
            let of_class = roots[instance.shape as usize] == Some(class.root_shape);
            if names != instance.slots.len() || !(of_class || instance.shape == 0) {
                self.faults.push(format!(
                    "an instance of {} has {} slots in shape {} with {names} names",
                    class.name,
                    instance.slots.len(),
                    instance.shape
                ));
            }
        }
    }

    /// What a class or its bases have under a name, by the plain way.
    fn in_class(&self, class: &Class, name: Name) -> Option<Value> {
        let classes = &self.vm.heap.classes;
        class.mro.iter().find_map(|&it| classes[it].own(name))
    }

    fn lookups(&mut self) {
        for (class, name, found) in self.vm.remembered_lookups() {
            let plain = self.in_class(&self.vm.heap.classes[class], name);
            let same = match (found, plain) {
                (Some(found), Some(plain)) => found.same(plain),
                (None, None) => true,
                _ => false,
            };
            if !same {
                self.faults.push(format!(
                    "a look-up of {} remembers {found:?} for {plain:?}",
                    self.vm.names[name]
                ));
            }
        }
    }

    /// Each cache says of each instance that it applies to what a look-up says.
    fn caches(&mut self) {
        let vm = self.vm;
        for link in &vm.image.links {
            for (site, &name) in link.sites.iter().enumerate() {
                let at = link.cache_base as usize + CACHES * site;
                for cache in &vm.caches[at..at + CACHES] {
                    if let Some(fault) = self.cache(*cache, name, vm.caches[at + 1]) {
                        let name = &vm.names[name];
                        self.faults.push(format!("{cache:?} of {name}: {fault}"));
                    }
                }
            }
        }
    }

    /// What is wrong with a cache, which may hold for what is above a class of the second one.
    fn cache(&self, cache: Cache, name: Name, second: Cache) -> Option<&'static str> {
        let vm = self.vm;
        match cache {
            Cache::Slot {
                shape,
                slot,
                version,
            } if version == vm.class_version => {
                let names = &vm.shapes[shape].names;
                (names.get(slot as usize) != Some(&name)).then_some("another slot")
            }
            Cache::Add { from, to, version } if version == vm.class_version => {
                let next = vm.shapes[from].transitions.get(&name);
                (next != Some(&to)).then_some("another shape")
            }
            Cache::Method {
                shape,
                version,
                function,
            } if version == vm.class_version => {
                let mut instances = vm.heap.instances.iter();
                let instance = instances.find(|it| it.shape == shape)?;
                let found = self.in_class(&vm.heap.classes[instance.class], name);
                let same = found.is_some_and(|it| it.same(Value::Function(function)));
                (!same || vm.shapes[shape].names.contains(&name)).then_some("another method")
            }
            Cache::SuperMethod {
                shape,
                version,
                function,
            } if version == vm.class_version => {
                let Cache::Super { above } = second else {
                    return Some("no class that it is above");
                };
                let mut instances = vm.heap.instances.iter();
                let instance = instances.find(|it| it.shape == shape)?;
                let found = vm.attribute_above(instance.class, above, name);
                let same = found.is_some_and(|it| it.same(Value::Function(function)));
                (!same).then_some("another method above")
            }
            Cache::Function {
                class,
                version,
                function,
            } if version == vm.class_version => {
                let found = self.in_class(&vm.heap.classes[class], name);
                let same = found.is_some_and(|it| it.same(Value::Function(function)));
                (!same).then_some("another function")
            }
            Cache::Native { class, native } => {
                let class = &vm.heap.classes[crate::vm::heap::value::Ref::new(class)];
                let found = self.in_class(class, name);
                let same = found.is_some_and(|it| it.same(Value::Native(native)));
                (!same).then_some("another native")
            }
            Cache::Global { module, global } => {
                (vm.module_names.get(&(module, name)) != Some(&global)).then_some("another global")
            }
            Cache::Empty
            | Cache::Slot { .. }
            | Cache::Add { .. }
            | Cache::Method { .. }
            | Cache::SuperMethod { .. }
            | Cache::Function { .. }
            | Cache::Super { .. } => None,
        }
    }
}

fn held_by_class(class: &Class) -> Vec<Value> {
    let Class {
        name: _,
        qualname: _,
        module: _,
        base,
        mro,
        attributes,
        index: _,
        builtin: _,
        exception: _,
        makes: _,
        root_shape: _,
        usual_slots: _,
        record,
    } = class;
    let classes = base.iter().chain(mro).map(|&it| Value::Class(it));
    let attributes = attributes.iter().map(|&(_, value)| value);
    let mut held: Vec<Value> = classes.chain(attributes).collect();
    if let Some(record) = record {
        let Record {
            init,
            shape: _,
            fields: _,
            defaults,
            frozen: _,
        } = &**record;
        held.push(*init);
        held.extend(defaults);
    }
    held
}

fn held_by_instance(instance: &Instance) -> Vec<Value> {
    let Instance {
        class,
        shape: _,
        slots,
        dict,
        exception,
    } = instance;
    let mut held = slots.clone();
    held.push(Value::Class(*class));
    held.extend(dict.map(Value::Dict));
    if let Some(exception) = exception {
        let Exception {
            args,
            fields,
            cause,
            context,
            suppress_context: _,
            traceback: _,
        } = &**exception;
        held.extend(args.iter().chain(fields).chain(cause).chain(context));
    }
    held
}

fn held_by_iter(iter: &Iter) -> Vec<Value> {
    match iter {
        Iter::Done
        | Iter::Range {
            next: _,
            left: _,
            step: _,
        } => Vec::new(),
        Iter::List { list, next: _ } => vec![Value::List(*list)],
        Iter::Items { items, next: _ } => vec![Value::List(*items)],
        Iter::Tuple { tuple, next: _ } => vec![Value::Tuple(*tuple)],
        Iter::Str { text, next: _ } => vec![Value::Str(*text)],
        Iter::Bytes { bytes, next: _ } => vec![Value::Bytes(*bytes)],
        Iter::Dict {
            dict,
            next: _,
            size: _,
            left: _,
            view: _,
        }
        | Iter::DictReversed {
            dict,
            end: _,
            size: _,
            view: _,
        } => vec![Value::Dict(*dict)],
        Iter::Set {
            set,
            next: _,
            size: _,
        } => vec![Value::Set(*set)],
        Iter::Reversed { sequence, left: _ } => vec![*sequence],
        Iter::Enumerate { inner, next: _ } => vec![*inner],
        Iter::Zip { inner, strict: _ } => inner.to_vec(),
        Iter::Map { function, inner } => {
            let mut held = inner.to_vec();
            held.push(*function);
            held
        }
        Iter::Filter { function, inner } => vec![*function, *inner],
        Iter::Call { function, sentinel } => vec![*function, *sentinel],
        Iter::Sequence { object, next: _ } => vec![*object],
    }
}

fn held_by_object(object: &Object) -> Vec<Value> {
    match object {
        Object::Free
        | Object::Lock(_)
        | Object::RLock(_)
        | Object::Semaphore(_)
        | Object::Event(_)
        | Object::ThreadHandle(_)
        | Object::ProcessHandle { .. }
        | Object::Channel { .. }
        | Object::Traceback(_) => Vec::new(),
        Object::Slice { lower, upper, step } => vec![*lower, *upper, *step],
        Object::Property {
            getter,
            setter,
            deleter,
            doc,
            name: _,
        } => vec![*getter, *setter, *deleter, *doc],
        Object::StaticMethod(inner) | Object::ClassMethod(inner) => vec![*inner],
        Object::Super { class, object } => vec![Value::Class(*class), *object],
        Object::View { dict, view: _ } | Object::Namespace(dict) => vec![Value::Dict(*dict)],
        Object::Condition(Condition {
            lock,
            waiters: _,
            origin: _,
        }) => vec![*lock],
        Object::Ring(ring) => ring.iter().chain(ring.state()).collect(),
    }
}
