//! The long parts of instructions: what the loop calls out for.

use crate::bytecode::code::{Capture, Const};
use crate::bytecode::op::{CodeIx, Reg};
use crate::vm::Vm;
use crate::vm::builtins::operators;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::object::{Function, Instance, Iter, Object, Range};
use crate::vm::heap::value::{NativeId, Ref, Value};
use crate::vm::heap::{MAX_TEXT_BYTES, SHORT};
use crate::vm::interpreter::call::{Flow, Step, feeds_super};
use crate::vm::interpreter::generator::Resume;
use crate::vm::semantics::attribute::Found;
use crate::vm::semantics::protocol::Stepped;
use crate::vm::state::cache::Cache;
use crate::vm::state::shapes::NO_SHAPE;
use crate::vm::state::stack::SPARE;
use crate::vm::state::thread::{Frame, Return};
use rustc_hash::FxHashMap;

impl Vm {
    // ---- variables ----

    pub(in crate::vm) fn unbound_local(&mut self, thread: usize, register: Reg) -> Value {
        let code = self.top_frame(thread).code;
        let code = &self.image.program.codes[code.0 as usize];
        let text = code
            .locals
            .iter()
            .find(|(reg, _)| *reg == register)
            .map_or("<temporary>", |(_, name)| {
                &self.image.program.names[name.0 as usize]
            });
        let message = format!(
            "cannot access local variable '{text}' where it is not associated with a value"
        );
        self.throw(Type::UnboundLocalError, message)
    }

    pub(in crate::vm) fn unbound_free(&mut self, thread: usize, free: u16) -> Value {
        // The name is that of the cell in the function that owns it; captures lead there only
        // through the makers, so the code keeps its own list.
        let frame = *self.top_frame(thread);
        let text = self.image.free_name(frame.code, free);
        let image = self.image.clone();
        let code = &image.program.codes[frame.code.0 as usize];
        if feeds_super(code, frame.pc.saturating_sub(1) as usize) {
            return self.throw(Type::RuntimeError, "super(): empty __class__ cell");
        }
        let message = format!(
            "cannot access free variable '{text}' where it is not associated with a value in enclosing scope"
        );
        self.throw(Type::NameError, message)
    }

    pub(in crate::vm) fn unbound_global(&mut self, global: u32) -> Result<Value, Value> {
        if let Some(declared) = self.image.program.globals.get(global as usize)
            && declared.builtin
            && let Some(value) = self.builtin(&self.image.program.names[declared.name.0 as usize])
        {
            return Ok(value);
        }
        Err(self.name_error(global))
    }

    pub(in crate::vm) fn name_error(&mut self, global: u32) -> Value {
        let declared = &self.image.program.globals[global as usize];
        let text = self.image.program.names[declared.name.0 as usize].clone();
        let message = format!("name '{text}' is not defined");
        self.throw(Type::NameError, message)
    }

    pub(in crate::vm) fn no_cell(&mut self) -> Value {
        self.throw(Type::SystemError, "a variable without its cell")
    }

    pub(in crate::vm) fn no_class(&mut self) -> Value {
        self.throw(Type::SystemError, "a class variable without its class")
    }

    // ---- loops ----

    /// Turns (start, stop, step) into (start - step, turns left, step).
    pub(in crate::vm) fn range_prep(&mut self, thread: usize, window: usize, base: Reg) -> Step {
        let stack = &self.threads[thread].stack;
        let given = [stack[window], stack[window + 1], stack[window + 2]];
        let mut numbers = [0_i64; 3];
        for (number, value) in numbers.iter_mut().zip(given) {
            *number = match value {
                Value::Int(it) => it,
                Value::Bool(it) => i64::from(it),
                _ => {
                    let native = self
                        .image
                        .natives
                        .constructor(Type::Range)
                        .expect("range is a builtin");
                    let ret = Return::Range(base);
                    return self.call_native_values(thread, native, &given, ret);
                }
            };
        }
        let [start, stop, step] = numbers;
        if step == 0 {
            return Err(self.throw(Type::ValueError, "range() arg 3 must not be zero"));
        }
        self.set_range(thread, window, Range { start, stop, step });
        Ok(Flow::Next)
    }

    pub(in crate::vm) fn set_range(&mut self, thread: usize, window: usize, range: Range) {
        let turns = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let stack = &mut self.threads[thread].stack;
        stack[window] = Value::Int(range.start.wrapping_sub(range.step));
        stack[window + 1] = Value::Int(turns);
        stack[window + 2] = Value::Int(range.step);
    }

    /// Calls a native with values.
    pub(in crate::vm) fn call_native_values(
        &mut self,
        thread: usize,
        native: NativeId,
        args: &[Value],
        ret: Return,
    ) -> Step {
        self.call_value(thread, Value::Native(native), args, ret)
    }

    /// A native with any number of arguments, for displays.
    pub(in crate::vm) fn ask_many(
        &mut self,
        thread: usize,
        native: NativeId,
        items: &[Value],
        dst: Reg,
    ) -> Step {
        self.call_value(thread, Value::Native(native), items, Return::To(dst))
    }

    /// The next item of an iterator that the loop does not know.
    pub(in crate::vm) fn for_next(&mut self, thread: usize, iterator: Value, ret: Return) -> Step {
        match iterator {
            Value::Instance(_) => {
                if let Some(next) = self.special(iterator, name::NEXT) {
                    return match self.call_value(thread, next, &[iterator], ret) {
                        // A native has no frame that would end with it.
                        Err(raised)
                            if matches!(next, Value::Native(_))
                                && self.is_stop_iteration(raised) =>
                        {
                            let value = self.stop_value(raised);
                            self.exhausted(thread, value, ret)
                        }
                        step => step,
                    };
                }
            }
            Value::Iter(it) => {
                let item = match self.heap.step_alone(it) {
                    Stepped::Item(item) => Some(item),
                    Stepped::End => Some(Value::Unbound),
                    Stepped::NotAlone => None,
                };
                if let Some(item) = item {
                    if !self.collect_keeping(item) {
                        return Err(self.out_of_memory());
                    }
                    return self.deliver(thread, item, ret);
                }
                // `map` of one builtin iterator: its function's value is the item, with no native
                // in between.
                if let Iter::Map { function, inner } = &self.heap.iters[it]
                    && let (function @ Value::Function(_), &[Value::Iter(source)]) =
                        (*function, &inner[..])
                {
                    match self.heap.step_alone(source) {
                        Stepped::Item(item) => {
                            return self.call_value(thread, function, &[item], ret);
                        }
                        Stepped::End => return self.deliver(thread, Value::Unbound, ret),
                        Stepped::NotAlone => {}
                    }
                }
            }
            _ => {}
        }
        self.ask(thread, operators::STEP, &[iterator], ret)
    }

    /// For a `map` over one builtin iterator whose function needs nothing but a frame that begins
    /// at `start`: puts the next item of that there, and gives the function that is to be called.
    pub(in crate::vm) fn step_map_alone(
        &mut self,
        thread: usize,
        map: Ref<Iter>,
        start: usize,
    ) -> Stepped<Ref<Function>> {
        let Iter::Map { function, inner } = &self.heap.iters[map] else {
            return Stepped::NotAlone;
        };
        let (&Value::Function(function), &[Value::Iter(source)]) = (function, &inner[..]) else {
            return Stepped::NotAlone;
        };
        let link = &self.image.links[self.heap.functions[function].code.0 as usize];
        let state = &self.threads[thread];
        if link.direct != Some(1)
            || !self.heap.functions.is_own(function)
            || state.frames.len() >= self.limits.recursion
            || state.stack.len() <= start + link.registers as usize
        {
            return Stepped::NotAlone;
        }
        match self.heap.step_alone(source) {
            Stepped::Item(item) => {
                self.threads[thread].stack[start] = item;
                Stepped::Item(function)
            }
            Stepped::End => Stepped::End,
            Stepped::NotAlone => Stepped::NotAlone,
        }
    }

    /// `yield from`: gives what was sent to the sub-iterator.
    pub(in crate::vm) fn delegate(
        &mut self,
        thread: usize,
        iterator: Value,
        sent: Value,
        dst: Reg,
    ) -> Step {
        match (iterator, sent) {
            (Value::Generator(generator), _) => {
                self.resume(thread, generator, Resume::Send(sent), Return::Delegate(dst))
            }
            (_, Value::None) => self.for_next(thread, iterator, Return::Delegate(dst)),
            _ => {
                if let Some(send) = self.special(iterator, name::SEND) {
                    return self.call_value(thread, send, &[iterator, sent], Return::Delegate(dst));
                }
                Err(self.no_attribute(iterator, name::SEND))
            }
        }
    }

    // ---- attributes ----

    pub(in crate::vm) fn get_attribute(
        &mut self,
        thread: usize,
        object: Value,
        wanted: Name,
        cache: Option<usize>,
        dst: Reg,
    ) -> Step {
        if let Some(at) = cache
            && let Value::Instance(instance) = object
            && let Some(slot) = self.second_slot(at, instance)
        {
            let value = self.heap.instances[instance].slots[slot];
            self.set_register(thread, dst, value);
            return Ok(Flow::Next);
        }
        match self.look_up(object, wanted) {
            Found::Value(value) => {
                if let Some(cache) = cache {
                    let found = self.cache_for(object, wanted);
                    if matches!(found, Cache::Slot { .. } | Cache::Global { .. }) {
                        self.remember(cache, found);
                    }
                }
                self.set_register(thread, dst, value);
                Ok(Flow::Next)
            }
            Found::Call(getter @ Value::Function(_), receiver)
                if self.special(object, name::GETATTR).is_none() =>
            {
                self.call_value(thread, getter, &[receiver], Return::To(dst))
            }
            Found::Call(..) | Found::NoGetter(..) | Found::Hook(_) => self.ask(
                thread,
                operators::GET_ATTR,
                &[object, Value::Int(i64::from(wanted.0))],
                Return::To(dst),
            ),
            Found::Nothing => Err(self.no_attribute(object, wanted)),
        }
    }

    pub(in crate::vm) fn set_attribute(
        &mut self,
        thread: usize,
        object: Value,
        wanted: Name,
        value: Value,
        cache: usize,
    ) -> Step {
        if let Value::Instance(instance) = object {
            if let Some(slot) = self.second_slot(cache, instance) {
                self.heap.instances[instance].slots[slot] = value;
                return Ok(Flow::Next);
            }
            let class = self.heap.instances[instance].class;
            let plain = wanted != name::DICT
                && self.heap.instances[instance].exception.is_none()
                && !self.sets_attributes(class)
                && !self.is_fixed(class, wanted)
                && !matches!(self.class_attribute(class, wanted), Some(Value::Object(it)) if matches!(self.heap.objects[it], Object::Property { .. }));
            if plain {
                let from = self.heap.instances[instance].shape;
                self.set_instance_attribute(instance, wanted, value);
                let instance = &self.heap.instances[instance];
                let (count, to) = (instance.slots.len() as u16, instance.shape);
                let in_dict = instance.dict.is_some();
                let class = &mut self.heap.classes[class];
                class.usual_slots = class.usual_slots.max(count);
                if from != to && !in_dict {
                    let version = self.class_version;
                    self.remember(cache, Cache::Add { from, to, version });
                } else if let found @ Cache::Slot { .. } = self.cache_for(object, wanted) {
                    self.remember(cache, found);
                }
                return Ok(Flow::Next);
            }
        }
        self.ask(
            thread,
            operators::SET_ATTR,
            &[object, Value::Int(i64::from(wanted.0)), value],
            Return::Drop,
        )
    }

    /// A method and its receiver into two registers, without a bound method; what is no plain
    /// method goes into the second, and the first is unbound.
    pub(in crate::vm) fn load_method(
        &mut self,
        thread: usize,
        object: Value,
        wanted: Name,
        cache: usize,
        dst: Reg,
    ) -> Step {
        let known = match self.caches[cache + 1] {
            Cache::Method {
                shape,
                version,
                function,
            } if version == self.class_version
                && matches!(object, Value::Instance(it) if self.heap.instances[it].shape == shape) =>
            {
                Some(Value::Function(function))
            }
            _ => None,
        };
        let method = known.or_else(|| match self.cache_for(object, wanted) {
            found @ Cache::Method { function, .. } => {
                self.remember(cache, found);
                Some(Value::Function(function))
            }
            found @ Cache::Native { native, .. } => {
                self.remember(cache, found);
                Some(Value::Native(native))
            }
            found @ Cache::Function { .. } => {
                self.remember(cache, found);
                None
            }
            _ => match object {
                Value::Instance(instance) => {
                    self.library_method(instance, wanted).map(Value::Native)
                }
                _ => None,
            },
        });
        let second = Reg(dst.0 + 1);
        if let Some(method) = method {
            self.set_register(thread, second, object);
            self.set_register(thread, dst, method);
            return Ok(Flow::Next);
        }
        self.set_register(thread, dst, Value::Unbound);
        self.get_attribute(thread, object, wanted, None, second)
    }

    /// The same for what `super(class, object)` finds.
    pub(in crate::vm) fn load_super_method(
        &mut self,
        thread: usize,
        (class, object): (Value, Value),
        wanted: Name,
        cache: usize,
        base: Reg,
    ) -> Step {
        if let Cache::SuperMethod {
            shape,
            version,
            function,
        } = self.caches[cache]
            && let Cache::Super { above } = self.caches[cache + 1]
            && version == self.class_version
            && matches!(class, Value::Class(it) if it == above)
            && matches!(object, Value::Instance(it) if self.heap.instances[it].shape == shape)
        {
            self.set_register(thread, base, Value::Function(function));
            return Ok(Flow::Next);
        }
        let proxy = self.new_super(class, object)?;
        if let (Value::Class(above), Value::Instance(instance)) = (class, object)
            && let Instance {
                class: of, shape, ..
            } = self.heap.instances[instance]
            && let Some(Value::Function(function)) = self.attribute_above(of, above, wanted)
        {
            if shape != NO_SHAPE {
                self.caches[cache] = Cache::SuperMethod {
                    shape,
                    version: self.class_version,
                    function,
                };
                self.caches[cache + 1] = Cache::Super { above };
            }
            self.set_register(thread, base, Value::Function(function));
            return Ok(Flow::Next);
        }
        self.set_register(thread, base, Value::Unbound);
        self.get_attribute(thread, proxy, wanted, None, Reg(base.0 + 1))
    }

    /// Calls what `load_method` found: the receiver, or what is no method, is in the first place of
    /// the window.
    pub(in crate::vm) fn call_method(
        &mut self,
        thread: usize,
        method: Value,
        window: usize,
        count: usize,
        dst: Reg,
    ) -> Step {
        let ret = Return::To(dst);
        if method.is_bound() {
            return self.call_at(thread, method, window - 1, count + 1, &[], ret);
        }
        let callee = self.threads[thread].stack[window];
        self.call_at(thread, callee, window, count, &[], ret)
    }

    // ---- displays ----

    pub(in crate::vm) fn build_string(
        &mut self,
        thread: usize,
        window: usize,
        count: usize,
    ) -> Result<Value, Value> {
        let window = window..window + count;
        let parts = &self.threads[thread].stack[window.clone()];
        let Some(length) = self.heap.length_together(parts) else {
            return Err(self.throw(Type::SystemError, "joining something that is no string"));
        };
        let fits = length.0 < SHORT || length.0 <= MAX_TEXT_BYTES && self.make_room(length.0);
        if !fits {
            return Err(self.out_of_memory());
        }
        let parts = &self.threads[thread].stack[window];
        Ok(self.heap.join(parts, length))
    }

    /// Unpacks a list or tuple of the right length.
    pub(in crate::vm) fn unpack_fast(
        &mut self,
        thread: usize,
        source: Value,
        window: usize,
        count: usize,
    ) -> bool {
        let place = &mut self.threads[thread].stack[window..window + count];
        match source {
            Value::Tuple(it) if self.heap.tuples[it].0.len() == count => {
                place.copy_from_slice(&self.heap.tuples[it].0);
                true
            }
            Value::List(it) if self.heap.lists[it].len() == count => {
                for (slot, item) in place.iter_mut().zip(self.heap.lists[it].iter()) {
                    *slot = item;
                }
                true
            }
            _ => false,
        }
    }

    // ---- functions and classes ----

    pub(in crate::vm) fn make_function(
        &mut self,
        thread: usize,
        base: usize,
        function: Ref<Function>,
        code: CodeIx,
    ) -> Result<Value, Value> {
        let image = self.image.clone();
        let mut cells = Vec::new();
        for capture in &image.program.codes[code.0 as usize].captures {
            let cell = match *capture {
                Capture::Local(reg) => match self.threads[thread].stack[base + reg.0 as usize] {
                    Value::Cell(cell) => Some(cell),
                    _ => None,
                },
                Capture::Free(free) if function.slot != u32::MAX => self.heap.functions[function]
                    .cells
                    .get(free.0 as usize)
                    .copied(),
                Capture::Free(_) => None,
            };
            match cell {
                Some(cell) => cells.push(cell),
                None => return Err(self.no_cell()),
            }
        }
        Ok(self.heap.new_function(Function {
            code,
            cells: cells.into(),
            ..Function::default()
        }))
    }

    pub(in crate::vm) fn set_keyword_defaults(
        &mut self,
        thread: usize,
        function: Value,
        window: usize,
        names: u16,
    ) -> Result<(), Value> {
        let image = self.image.clone();
        let (Value::Function(function), Const::Names(names)) =
            (function, &image.program.consts[names as usize])
        else {
            return Err(self.throw(
                Type::SystemError,
                "defaults for something that is no function",
            ));
        };
        let params = &image.program.codes[self.heap.functions[function].code.0 as usize].params;
        let first = params.positional as usize;
        let mut defaults = vec![Value::Unbound; params.keyword_only as usize];
        for (at, name) in names.iter().enumerate() {
            if let Some(place) = params.names[first..first + defaults.len()]
                .iter()
                .position(|it| it == name)
            {
                defaults[place] = self.threads[thread].stack[window + at];
            }
        }
        self.heap.functions[function].keyword_defaults = defaults.into();
        Ok(())
    }

    pub(in crate::vm) fn new_class(
        &mut self,
        thread: usize,
        parent: Value,
    ) -> Result<Value, Value> {
        let base = match parent {
            Value::Unbound => Type::Object.class(),
            Value::Class(class) => {
                let object = &self.heap.classes[class];
                if object.builtin.is_some_and(|of| of != Type::Object) && !object.exception {
                    let message = format!(
                        "Mini has no classes that extend the built-in type '{}'; keep a '{}' in an attribute instead",
                        object.name, object.name
                    );
                    return Err(self.throw(Type::TypeError, message));
                }
                class
            }
            _ => {
                let message = format!(
                    "a class can extend another class, not a value of type '{}'",
                    self.type_name(parent)
                );
                return Err(self.throw(Type::TypeError, message));
            }
        };
        let code = self.top_frame(thread).code;
        let image = self.image.clone();
        let code = &image.program.codes[code.0 as usize];
        let root_shape = self.shapes.new_root();
        let exception = self.heap.classes[base].exception;
        let inherited = self.heap.classes[base].mro.clone();
        let makes = self.heap.classes[base].makes;
        let usual_slots = self.heap.classes[base].usual_slots;
        let made = self.heap.new_class(Class {
            name: code.name.clone(),
            qualname: code.qualname.clone(),
            module: image.program.modules[code.module as usize].name.clone(),
            base: Some(base),
            mro: inherited,
            attributes: Vec::new(),
            index: FxHashMap::default(),
            builtin: None,
            exception,
            makes,
            root_shape,
            usual_slots,
            record: None,
        });
        if let Value::Class(class) = made {
            self.heap.classes[class].mro.insert(0, class);
        }
        // A slot that a dead class had may be remembered under its number.
        self.class_version += 1;
        Ok(made)
    }

    // ---- exceptions ----

    /// What `raise value from cause` raises.
    pub(in crate::vm) fn raise(&mut self, thread: usize, value: Value, cause: Value) -> Value {
        let exception = match self.exception_from(value) {
            Ok(exception) | Err(exception) => exception,
        };
        if cause.is_bound()
            && let Value::Instance(it) = exception
        {
            let cause = match cause {
                Value::None => None,
                other => match self.exception_from(other) {
                    Ok(cause) => Some(cause),
                    Err(_) => {
                        return self.throw(
                            Type::TypeError,
                            "exception causes must derive from BaseException",
                        );
                    }
                },
            };
            if let Some(object) = self.heap.instances[it].exception.as_deref_mut() {
                object.cause = cause;
                object.suppress_context = true;
            }
        }
        self.forget_context(thread, exception);
        exception
    }

    /// Does an `except` clause with this class (or tuple of classes) catch the exception?
    pub(in crate::vm) fn matches(&mut self, exception: Value, class: Value) -> Result<bool, Value> {
        match class {
            Value::Class(class) if self.heap.classes[class].exception => {
                Ok(self.is_instance(exception, class))
            }
            Value::Tuple(tuple) => {
                for class in self.heap.tuples[tuple].0.clone() {
                    if self.matches(exception, class)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Err(self.throw(
                Type::TypeError,
                "catching classes that do not inherit from BaseException is not allowed",
            )),
        }
    }

    /// `__enter__` and `__exit__` of a context manager.
    pub(in crate::vm) fn context_methods(
        &mut self,
        manager: Value,
    ) -> Result<(Value, Value), Value> {
        let class = self.class_of(manager);
        let enter = self.class_attribute(class, name::ENTER);
        let exit = self.class_attribute(class, name::EXIT);
        match (enter, exit) {
            (Some(enter), Some(exit)) => Ok((enter, exit)),
            (None, _) => {
                let message = format!(
                    "'{}' object does not support the context manager protocol",
                    self.type_name(manager)
                );
                Err(self.throw(Type::TypeError, message))
            }
            (Some(_), None) => {
                let message = format!(
                    "'{}' object does not support the context manager protocol (missed __exit__ method)",
                    self.type_name(manager)
                );
                Err(self.throw(Type::TypeError, message))
            }
        }
    }

    // ---- modules ----

    pub(in crate::vm) fn import(&mut self, thread: usize, module: u32, dst: Reg) -> Step {
        if self.threads[thread].frames.len() >= self.limits.recursion {
            return Err(self.throw(Type::RecursionError, "maximum recursion depth exceeded"));
        }
        let code = self.image.program.modules[module as usize].code;
        let base = self.stack_top(thread);
        let registers = self.image.links[code.0 as usize].registers as usize;
        self.reserve_window(thread, (base, registers + SPARE), base, &[])?;
        let state = &mut self.threads[thread];
        state.stack[base..base + registers].fill(Value::Unbound);
        self.imported[module as usize] = true;
        state.importing.push(module);
        state.frames.push(Frame {
            code,
            pc: 0,
            base: base as u32,
            function: Ref::new(u32::MAX),
            ret: Return::Module(dst),
        });
        Ok(Flow::Switch)
    }

    pub(in crate::vm) fn import_from(
        &mut self,
        module: Value,
        wanted: Name,
    ) -> Result<Value, Value> {
        if let Found::Value(value) = self.look_up(module, wanted) {
            return Ok(value);
        }
        let from = match module {
            Value::Module(it) => self.image.program.modules[it as usize].name.to_string(),
            other => self.type_name(other).to_owned(),
        };
        let message = format!("cannot import name '{}' from '{from}'", self.names[wanted]);
        Err(self.throw(Type::ImportError, message))
    }

    /// Puts the items of a tuple into registers.
    pub(in crate::vm) fn spread(
        &mut self,
        thread: usize,
        value: Value,
        base: Reg,
        count: u16,
    ) -> Step {
        let window = self.top_frame(thread).base as usize + base.0 as usize;
        if !self.unpack_fast(thread, value, window, count as usize) {
            return Err(self.throw(
                Type::SystemError,
                "unpacking came to another number of items",
            ));
        }
        Ok(Flow::Next)
    }
}
