//! Calls: of functions of the script, classes, bound methods and natives; binding of arguments; natives that wait for answers.
//!
//! Nothing here calls into the run loop. A call either is done at once (a native that needs nothing), or leaves a new frame on the thread, or stops
//! the thread; the loop then goes on with whatever frame is on top.

use crate::bytecode::op::{CodeIx, Reg};
use crate::vm::Vm;
use crate::vm::builtins::record::Record;
use crate::vm::builtins::{self, Signature};
use crate::vm::class::{Class, Name, Type, name};
use crate::vm::generator;
use crate::vm::native::{Bound, Ctx, Interrupt, Kind, NativeId};
use crate::vm::object::{Exception, Function, Generator, GeneratorState, Instance, Method, Object};
use crate::vm::slice::{Stop, WaitOn};
use crate::vm::sync;
use crate::vm::thread::{Answered, Asking, Frame, Outcome, Pending, Return, Status, ThreadId};
use crate::vm::value::{Ref, Value};
use crate::vm::work::Work;

/// How an instruction's slow part ended.
#[derive(Debug)]
pub(super) enum Flow {
    /// It is done, its value is where it belongs, and the same frame goes on with the next instruction.
    Next,
    /// Another frame is on top, or the same one elsewhere.
    Switch,
    /// The slice ends here.
    Stop(Stop),
}

/// How the call of one native for another went.
enum Flat {
    /// It was done at once.
    Value(Value),
    /// It asked for calls and is on top now.
    Pushed,
    Stop(Stop),
}

/// A flow, or an exception to be raised in the frame on top.
pub(super) type Step = Result<Flow, Value>;

/// Arguments on the stack of a thread: `count` positional ones from `at`, of which the last `names.len()` are keyword arguments if there are names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arguments<'a> {
    pub(super) at: usize,
    pub(super) count: usize,
    pub(super) names: &'a [Name],
}

impl Vm {
    /// The first free place on a thread's stack above its frame and its pending natives.
    pub(super) fn stack_top(&self, thread: usize) -> usize {
        let state = &self.threads[thread];
        let mut top = state.frames.last().map_or(0, |frame| {
            frame.base as usize + self.image.links[frame.code.0 as usize].registers as usize
        });
        if let Some(pending) = state.pending.last() {
            top = top.max(pending.bound.end());
        }
        top
    }

    /// Makes room for `size` values from `at` on.
    pub(super) fn reserve(&mut self, thread: usize, at: usize, size: usize) {
        let stack = &mut self.threads[thread].stack;
        if stack.len() < at + size {
            stack.resize((at + size).next_power_of_two().max(64), Value::Unbound);
        }
    }

    /// Puts a callee and its arguments on top of the stack and calls it.
    pub(super) fn call_value(
        &mut self,
        thread: usize,
        callee: Value,
        args: &[Value],
        ret: Return,
    ) -> Step {
        let top = self.stack_top(thread);
        self.reserve(thread, top, args.len() + 2);
        let stack = &mut self.threads[thread].stack;
        stack[top] = callee;
        stack[top + 1..=top + args.len()].copy_from_slice(args);
        self.call_at(thread, callee, top, args.len(), &[], ret)
    }

    /// Calls `callee` with the arguments that lie from `base + 1` on; `base` itself is free for a receiver. With names, the last arguments are keyword ones.
    pub(super) fn call_at(
        &mut self,
        thread: usize,
        callee: Value,
        base: usize,
        count: usize,
        names: &[Name],
        ret: Return,
    ) -> Step {
        match callee {
            Value::Function(function) => self.call_function(
                thread,
                function,
                Arguments {
                    at: base + 1,
                    count,
                    names,
                },
                ret,
            ),
            Value::Native(native) => self.call_native(
                thread,
                native,
                Arguments {
                    at: base + 1,
                    count,
                    names,
                },
                ret,
            ),
            Value::Method(method) => {
                let Method { receiver, function } = self.heap.methods[method];
                self.threads[thread].stack[base] = receiver;
                let arguments = Arguments {
                    at: base,
                    count: count + 1,
                    names,
                };
                match function {
                    Value::Function(function) => {
                        self.call_function(thread, function, arguments, ret)
                    }
                    Value::Native(native) => self.call_native(thread, native, arguments, ret),
                    other => self.call_shifted(thread, other, arguments, ret),
                }
            }
            Value::Class(class) => self.construct(thread, class, base, count, names, ret),
            Value::Instance(instance) => {
                let Some(function) =
                    self.class_attribute(self.heap.instances[instance].class, name::CALL)
                else {
                    return Err(self.not_callable(callee));
                };
                self.threads[thread].stack[base] = callee;
                let arguments = Arguments {
                    at: base,
                    count: count + 1,
                    names,
                };
                match function {
                    Value::Function(function) => {
                        self.call_function(thread, function, arguments, ret)
                    }
                    other => self.call_shifted(thread, other, arguments, ret),
                }
            }
            Value::Object(object) => match self.heap.objects[object] {
                Object::StaticMethod(inner) => self.call_at(thread, inner, base, count, names, ret),
                _ => Err(self.not_callable(callee)),
            },
            _ => Err(self.not_callable(callee)),
        }
    }

    /// Calls something unusual with a receiver among its arguments: they are copied up, so that the place below them is free again.
    fn call_shifted(
        &mut self,
        thread: usize,
        callee: Value,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        let top = self.stack_top(thread).max(arguments.at + arguments.count);
        self.reserve(thread, top, arguments.count + 2);
        let stack = &mut self.threads[thread].stack;
        stack.copy_within(arguments.at..arguments.at + arguments.count, top + 1);
        self.call_at(thread, callee, top, arguments.count, arguments.names, ret)
    }

    fn not_callable(&mut self, callee: Value) -> Value {
        let message = format!("'{}' object is not callable", self.type_name(callee));
        self.throw(Type::TypeError, message)
    }

    // ---- functions of the script ----

    /// Calls a function: its frame goes on top, or a generator is made.
    pub(super) fn call_function(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        let code = self.heap.functions[function].code;
        let link = &self.image.links[code.0 as usize];
        let (registers, generator) = (link.registers as usize, link.generator);
        let direct = arguments.names.is_empty()
            && link
                .direct
                .is_some_and(|count| usize::from(count) == arguments.count);
        if direct && self.threads[thread].frames.len() < self.limits.recursion {
            self.reserve(thread, arguments.at, registers + 8);
            self.threads[thread].frames.push(Frame {
                code,
                pc: 0,
                base: arguments.at as u32,
                function,
                ret,
            });
            return Ok(Flow::Switch);
        }
        let simple = link.simple
            && arguments.names.is_empty()
            && arguments.count == link.positional as usize;
        if self.threads[thread].frames.len() >= self.limits.recursion {
            return Err(self.throw(Type::RecursionError, "maximum recursion depth exceeded"));
        }
        // The window may lie over the arguments only if nothing else lives above them: true for the window of the calling frame, since arguments
        // are its topmost temporaries, and for arguments pushed on top of the stack.
        self.reserve(thread, arguments.at, registers + 8);
        if !simple {
            self.bind_function(thread, function, code, arguments)?;
        }
        let stack = &mut self.threads[thread].stack;
        for &register in &self.image.links[code.0 as usize].unbound {
            stack[arguments.at + register as usize] = Value::Unbound;
        }
        if generator {
            let window = stack[arguments.at..arguments.at + registers].into();
            let made = self.heap.new_generator(Generator {
                function,
                state: GeneratorState::Fresh,
                pc: 0,
                registers: window,
                handling: None,
            });
            return self.deliver(thread, made, ret);
        }
        self.threads[thread].frames.push(Frame {
            code,
            pc: 0,
            base: arguments.at as u32,
            function,
            ret,
        });
        Ok(Flow::Switch)
    }

    /// Binds a call that leaves away nothing but last positional arguments which have defaults; false if it is another one.
    fn fill_in_defaults(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        code: CodeIx,
        arguments: Arguments<'_>,
    ) -> bool {
        let link = &self.image.links[code.0 as usize];
        let defaults = &self.heap.functions[function].defaults;
        let positional = link.positional as usize;
        let missing = positional.wrapping_sub(arguments.count);
        if !link.simple || !arguments.names.is_empty() || missing > defaults.len() {
            return false;
        }
        let at = arguments.at + arguments.count;
        self.threads[thread].stack[at..at + missing]
            .copy_from_slice(&defaults[defaults.len() - missing..]);
        true
    }

    /// Binds a call without keywords of a function that takes any further arguments, as wrappers do; false if it is another one.
    fn gather_rest(&mut self, thread: usize, code: CodeIx, arguments: Arguments<'_>) -> bool {
        let params = &self.image.program.codes[code.0 as usize].params;
        let positional = params.positional as usize;
        if !params.star
            || params.keyword_only > 0
            || !arguments.names.is_empty()
            || arguments.count < positional
        {
            return false;
        }
        let double_star = params.double_star;
        let rest = arguments.at + positional;
        let given = &self.threads[thread].stack[rest..arguments.at + arguments.count];
        let given: Box<[Value]> = given.into();
        let gathered = self.heap.new_tuple(given);
        let keywords = double_star.then(|| self.heap.new_dict(crate::vm::dict::Dict::default()));
        let stack = &mut self.threads[thread].stack;
        stack[rest] = gathered;
        if let Some(keywords) = keywords {
            stack[rest + 1] = keywords;
        }
        true
    }

    /// Puts arguments where the parameters are, from `arguments.at` on.
    fn bind_function(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        code: CodeIx,
        arguments: Arguments<'_>,
    ) -> Result<(), Value> {
        if self.fill_in_defaults(thread, function, code, arguments) {
            return Ok(());
        }
        if self.gather_rest(thread, code, arguments) {
            return Ok(());
        }
        let image = self.image.clone();
        let object = &image.program.codes[code.0 as usize];
        let params = &object.params;
        let positional = params.positional as usize;
        let keyword_only = params.keyword_only as usize;
        let given: Vec<Value> =
            self.threads[thread].stack[arguments.at..arguments.at + arguments.count].to_vec();
        let by_position = arguments.count - arguments.names.len();
        let mut slots = vec![Value::Unbound; positional + keyword_only];
        let taken = by_position.min(positional);
        slots[..taken].copy_from_slice(&given[..taken]);
        let rest = &given[taken..by_position];
        let mut extra = Vec::new();
        for (at, &keyword) in arguments.names.iter().enumerate() {
            let value = given[by_position + at];
            let found = params.names[..positional + keyword_only]
                .iter()
                .position(|name| image.names[name.0 as usize] == keyword);
            match found {
                Some(slot) if slot >= params.positional_only as usize => {
                    if slots[slot].is_bound() {
                        let text = self.names[keyword.0 as usize].clone();
                        return Err(self.throw(
                            Type::TypeError,
                            format!(
                                "{}() got multiple values for argument '{text}'",
                                object.qualname
                            ),
                        ));
                    }
                    slots[slot] = value;
                }
                Some(_) if !params.double_star => {
                    let text = self.names[keyword.0 as usize].clone();
                    return Err(self.throw(
                        Type::TypeError,
                        format!("{}() got some positional-only arguments passed as keyword arguments: '{text}'", object.qualname),
                    ));
                }
                _ if params.double_star => extra.push((keyword, value)),
                _ => {
                    let text = self.names[keyword.0 as usize].clone();
                    return Err(self.throw(
                        Type::TypeError,
                        format!(
                            "{}() got an unexpected keyword argument '{text}'",
                            object.qualname
                        ),
                    ));
                }
            }
        }
        if !rest.is_empty() && !params.star {
            return Err(self.too_many(function, code, by_position, &arguments, &slots));
        }
        let defaults = &self.heap.functions[function].defaults;
        let first_default = positional - defaults.len().min(positional);
        for (slot, value) in slots[..positional].iter_mut().enumerate() {
            if !value.is_bound() && slot >= first_default {
                *value = defaults[slot - first_default];
            }
        }
        for (slot, value) in self.heap.functions[function]
            .keyword_defaults
            .iter()
            .enumerate()
        {
            if let Some(place) = slots.get_mut(positional + slot)
                && !place.is_bound()
            {
                *place = *value;
            }
        }
        for (range, kind) in [
            (0..positional, "positional"),
            (positional..positional + keyword_only, "keyword-only"),
        ] {
            let missing: Vec<usize> = range.filter(|&slot| !slots[slot].is_bound()).collect();
            if !missing.is_empty() {
                let names: Vec<String> = missing
                    .iter()
                    .map(|&slot| {
                        format!(
                            "'{}'",
                            self.names[image.names[params.names[slot].0 as usize].0 as usize]
                        )
                    })
                    .collect();
                let listed = match &names[..] {
                    [one] => one.clone(),
                    [a, b] => format!("{a} and {b}"),
                    [init @ .., last] => format!("{}, and {last}", init.join(", ")),
                    [] => unreachable!("not empty"),
                };
                let plural = if names.len() == 1 { "" } else { "s" };
                return Err(self.throw(
                    Type::TypeError,
                    format!(
                        "{}() missing {} required {kind} argument{plural}: {listed}",
                        object.qualname,
                        names.len()
                    ),
                ));
            }
        }
        if params.star {
            let rest = rest.to_vec();
            slots.push(self.heap.new_tuple(rest));
        }
        if params.double_star {
            let Value::Dict(dict) = self.heap.new_dict(crate::vm::dict::Dict::default()) else {
                unreachable!("new_dict makes a dict")
            };
            for (keyword, value) in extra {
                let text = self.names[keyword.0 as usize].clone();
                self.dict_set_str(dict, &text, value);
            }
            slots.push(Value::Dict(dict));
        }
        self.threads[thread].stack[arguments.at..arguments.at + slots.len()]
            .copy_from_slice(&slots);
        Ok(())
    }

    fn too_many(
        &mut self,
        function: Ref<Function>,
        code: CodeIx,
        given: usize,
        arguments: &Arguments<'_>,
        _slots: &[Value],
    ) -> Value {
        let image = self.image.clone();
        let object = &image.program.codes[code.0 as usize];
        let positional = object.params.positional as usize;
        let defaults = self.heap.functions[function].defaults.len();
        let least = positional - defaults.min(positional);
        let keyword_only: Vec<Name> = object.params.names
            [positional..positional + object.params.keyword_only as usize]
            .iter()
            .map(|name| image.names[name.0 as usize])
            .collect();
        let by_keyword = arguments
            .names
            .iter()
            .filter(|name| keyword_only.contains(name))
            .count();
        let takes = if defaults > 0 {
            format!("from {least} to {positional} positional arguments")
        } else {
            format!(
                "{positional} positional argument{}",
                if positional == 1 { "" } else { "s" }
            )
        };
        let message = if by_keyword > 0 {
            format!(
                "{}() takes {takes} but {given} positional argument{} (and {by_keyword} keyword-only argument{}) were given",
                object.qualname,
                if given == 1 { "" } else { "s" },
                if by_keyword == 1 { "" } else { "s" },
            )
        } else {
            format!(
                "{}() takes {takes} but {given} {} given",
                object.qualname,
                if given == 1 { "was" } else { "were" }
            )
        };
        self.throw(Type::TypeError, message)
    }

    // ---- classes ----

    /// Calls a class with arguments that lie from `base + 1` on; `base` itself is free for the instance.
    pub(super) fn construct(
        &mut self,
        thread: usize,
        class: Ref<Class>,
        base: usize,
        count: usize,
        names: &[Name],
        ret: Return,
    ) -> Step {
        let object = &self.heap.classes[class];
        let exception = object.exception;
        if let Some(of) = object.builtin
            && !exception
        {
            if count == 1
                && names.is_empty()
                && let Some(text) = self.text_of_int(class, self.threads[thread].stack[base + 1])
            {
                let flow = self.deliver(thread, text, ret)?;
                if !self.collect_if_due() {
                    return Err(self.out_of_memory());
                }
                return Ok(flow);
            }
            let Some(native) = builtins::constructor(of) else {
                if of == Type::Super {
                    return Err(self.throw(Type::RuntimeError, "super(): no arguments"));
                }
                let message = format!("cannot create '{}' instances", of.name());
                return Err(self.throw(Type::TypeError, message));
            };
            return self.call_native(
                thread,
                native,
                Arguments {
                    at: base + 1,
                    count,
                    names,
                },
                ret,
            );
        }
        if object.makes
            && let Some(Value::Function(new)) = self.class_attribute(class, name::NEW)
        {
            self.threads[thread].stack[base] = Value::Class(class);
            let arguments = Arguments {
                at: base,
                count: count + 1,
                names,
            };
            return self.call_function(thread, new, arguments, ret);
        }
        let init = self.class_attribute(class, name::INIT);
        if let Some(init) = init
            && let Some((shape, slots)) = self.fields_given(thread, class, init, base, count, names)
        {
            self.heap.worked(Work::Instance, 1);
            self.heap.allocated += size_of_val(&slots[..]);
            let made = self.heap.new_instance(Instance {
                class,
                shape,
                slots,
                ..Instance::default()
            });
            let flow = self.deliver(thread, made, ret)?;
            if !self.collect_if_due() {
                return Err(self.out_of_memory());
            }
            return Ok(flow);
        }
        let args = if exception {
            self.threads[thread].stack[base + 1..=base + count - names.len()].to_vec()
        } else {
            Vec::new()
        };
        let root = self.heap.classes[class].root_shape;
        let slots = Vec::with_capacity(if exception {
            0
        } else {
            self.heap.classes[class].usual_slots as usize
        });
        self.heap.worked(Work::Instance, 1);
        let made = self.heap.new_instance(Instance {
            class,
            shape: root,
            slots,
            dict: None,
            exception: exception.then(|| {
                Box::new(Exception {
                    args,
                    ..Exception::default()
                })
            }),
        });
        match init {
            Some(Value::Function(function)) => {
                self.threads[thread].stack[base] = made;
                let Return::To(into) = ret else {
                    // Asked for by a native or the like: the instance must be delivered there once `__init__` has returned.
                    return self.construct_for(
                        thread,
                        function,
                        made,
                        Arguments {
                            at: base,
                            count: count + 1,
                            names,
                        },
                        ret,
                    );
                };
                self.threads[thread].constructing.push(made);
                let arguments = Arguments {
                    at: base,
                    count: count + 1,
                    names,
                };
                let called =
                    self.call_function(thread, function, arguments, Return::Construct(into));
                if called.is_err() {
                    self.threads[thread].constructing.pop();
                }
                called
            }
            Some(Value::Native(_)) | None => {
                if exception && count >= 2 && class == Type::OSError.class() {
                    self.specialise_os_error(made);
                }
                if !exception && count > 0 {
                    let message = format!("{}() takes no arguments", self.heap.classes[class].name);
                    return Err(self.throw(Type::TypeError, message));
                }
                if exception && !names.is_empty() {
                    return self.exception_keywords(thread, made, base, count, names, ret);
                }
                self.deliver(thread, made, ret)
            }
            Some(other) => {
                self.threads[thread].stack[base] = made;
                let message = format!(
                    "__init__ of '{}' is a '{}', not a function",
                    self.heap.classes[class].name,
                    self.type_name(other)
                );
                Err(self.throw(Type::TypeError, message))
            }
        }
    }

    /// The shape and slots of a new instance of a dataclass, if all that its `__init__` would do with these arguments is to fill its fields.
    fn fields_given(
        &self,
        thread: usize,
        class: Ref<Class>,
        init: Value,
        base: usize,
        count: usize,
        names: &[Name],
    ) -> Option<(u32, Vec<Value>)> {
        let record = Record::of(self, class, init)?;
        let by_position = count - names.len();
        let given = &self.threads[thread].stack[base + 1..=base + count];
        let first_default = record.fields.len() - record.defaults.len();
        if by_position > record.fields.len() {
            return None;
        }
        let mut slots = Vec::with_capacity(record.fields.len());
        slots.extend_from_slice(&given[..by_position]);
        let mut by_keyword = 0;
        for (at, field) in record.fields.iter().enumerate().skip(by_position) {
            let keyword = names
                .iter()
                .position(|name| field.same(Value::Int(name.0.into())));
            slots.push(match keyword {
                Some(keyword) => {
                    by_keyword += 1;
                    given[by_position + keyword]
                }
                None => *record.defaults.get(at.checked_sub(first_default)?)?,
            });
        }
        (by_keyword == names.len()).then_some((record.shape, slots))
    }

    /// `OSError(errno, text)` makes an instance of the subclass for that number, as in CPython.
    fn specialise_os_error(&mut self, made: Value) {
        let Value::Instance(instance) = made else {
            unreachable!("an exception is an instance")
        };
        let object = &mut self.heap.instances[instance];
        let errno = match object
            .exception
            .as_ref()
            .and_then(|exception| exception.args.first())
        {
            Some(&Value::Int(errno)) => errno,
            _ => return,
        };
        // Linux's numbers.
        let class = match errno {
            1 | 13 => Type::PermissionError,
            2 => Type::FileNotFoundError,
            3 => Type::ProcessLookupError,
            4 => Type::InterruptedError,
            10 => Type::ChildProcessError,
            11 | 114 | 115 => Type::BlockingIOError,
            17 => Type::FileExistsError,
            20 => Type::NotADirectoryError,
            21 => Type::IsADirectoryError,
            32 | 108 => Type::BrokenPipeError,
            103 => Type::ConnectionAbortedError,
            104 => Type::ConnectionResetError,
            110 => Type::TimeoutError,
            111 => Type::ConnectionRefusedError,
            _ => return,
        };
        object.class = class.class();
        let shape = self.heap.classes[class.class()].root_shape;
        self.heap.instances[instance].shape = shape;
    }

    /// `ImportError(name=…)` and the like: the builtin exceptions that take keywords keep them as attributes.
    fn exception_keywords(
        &mut self,
        thread: usize,
        made: Value,
        base: usize,
        count: usize,
        names: &[Name],
        ret: Return,
    ) -> Step {
        let Value::Instance(instance) = made else {
            unreachable!("an exception is an instance")
        };
        let class = self.heap.instances[instance].class;
        let takes = [Type::ImportError, Type::AttributeError, Type::NameError]
            .iter()
            .any(|of| self.is_subclass(class, of.class()));
        for (at, &keyword) in names.iter().enumerate() {
            let value = self.threads[thread].stack[base + 1 + count - names.len() + at];
            if !takes {
                let message = format!(
                    "{}() takes no keyword arguments",
                    self.heap.classes[class].name
                );
                return Err(self.throw(Type::TypeError, message));
            }
            self.set_instance_attribute(instance, keyword, value);
        }
        self.deliver(thread, made, ret)
    }

    fn construct_for(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        made: Value,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        self.threads[thread].constructing.push(made);
        self.threads[thread].construct_returns.push(ret);
        let called = self.call_function(thread, function, arguments, Return::ConstructFor);
        if called.is_err() {
            self.threads[thread].constructing.pop();
            self.threads[thread].construct_returns.pop();
        }
        called
    }

    /// What `str(number)` is, if that is what is called: scripts build texts of it, so it is done without the native.
    #[inline]
    pub(super) fn text_of_int(&mut self, class: Ref<Class>, argument: Value) -> Option<Value> {
        match argument {
            Value::Int(number) if class == Type::Str.class() => {
                Some(self.heap.new_int_text(number))
            }
            _ => None,
        }
    }

    // ---- values on their way ----

    /// Brings a value to where it was wanted.
    pub(super) fn deliver(&mut self, thread: usize, value: Value, ret: Return) -> Step {
        match ret {
            Return::To(reg) => {
                self.set_register(thread, reg, value);
                Ok(Flow::Next)
            }
            Return::Drop => Ok(Flow::Next),
            Return::Branch { expect, target } => {
                let truth = match value {
                    Value::Bool(truth) => truth,
                    Value::None => false,
                    Value::Int(number) => number != 0,
                    other => return self.ask(thread, builtins::operators::TRUTH, &[other], ret),
                };
                if truth == expect {
                    self.top_frame(thread).pc = target;
                }
                Ok(Flow::Switch)
            }
            Return::Item { into, exit } => {
                if value.is_bound() {
                    self.set_register(thread, into, value);
                } else {
                    self.top_frame(thread).pc = exit;
                }
                Ok(Flow::Switch)
            }
            Return::Delegate(into) => {
                if value.is_bound() {
                    return self.yield_on(thread, value);
                }
                self.set_register(thread, into, Value::None);
                Ok(Flow::Next)
            }
            Return::Construct(into) => {
                let made = self.threads[thread]
                    .constructing
                    .pop()
                    .expect("each construction pushed its instance");
                self.check_init(value)?;
                self.set_register(thread, into, made);
                Ok(Flow::Switch)
            }
            Return::ConstructFor => {
                let made = self.threads[thread]
                    .constructing
                    .pop()
                    .expect("each construction pushed its instance");
                let ret = self.threads[thread]
                    .construct_returns
                    .pop()
                    .expect("pushed together");
                self.check_init(value)?;
                self.deliver(thread, made, ret)
            }
            Return::Spread { base, count } => self.spread(thread, value, base, count),
            Return::Range(base) => {
                let window = self.top_frame(thread).base as usize + base.0 as usize;
                let Value::Range(range) = value else {
                    return Err(
                        self.throw(Type::SystemError, "a loop over something that is no range")
                    );
                };
                let range = self.heap.ranges[range];
                self.set_range(thread, window, range);
                Ok(Flow::Next)
            }
            Return::Native => {
                let pending = self.threads[thread]
                    .pending
                    .last_mut()
                    .expect("a native waits for this");
                let Asking::Calls { results, .. } = &mut pending.asking else {
                    unreachable!("a native that gets a result asked for calls")
                };
                results.push(value);
                // `pump` itself goes on with the next call when this one was done at once, so that a long row of them does not nest.
                if self.pumping {
                    Ok(Flow::Next)
                } else {
                    self.pump(thread)
                }
            }
            Return::Module(into) => {
                let module = self.threads[thread]
                    .importing
                    .pop()
                    .expect("each import pushed its module");
                self.set_register(thread, into, Value::Module(module));
                Ok(Flow::Switch)
            }
            Return::Report => Ok(Flow::Stop(self.finish_reported(thread, value))),
            Return::Thread => self.end_thread(thread, Outcome::Returned(value)),
        }
    }

    fn check_init(&mut self, value: Value) -> Result<(), Value> {
        if matches!(value, Value::None) {
            return Ok(());
        }
        let message = format!(
            "__init__() should return None, not '{}'",
            self.type_name(value)
        );
        Err(self.throw(Type::TypeError, message))
    }

    pub(super) fn top_frame(&mut self, thread: usize) -> &mut Frame {
        self.threads[thread]
            .frames
            .last_mut()
            .expect("a running thread has a frame")
    }

    pub(super) fn set_register(&mut self, thread: usize, reg: Reg, value: Value) {
        let state = &mut self.threads[thread];
        let base = state
            .frames
            .last()
            .expect("a running thread has a frame")
            .base;
        state.stack[base as usize + reg.0 as usize] = value;
    }

    // ---- natives ----

    /// Calls a native with operands of an instruction, which are copied above the window.
    pub(super) fn ask(
        &mut self,
        thread: usize,
        native: NativeId,
        args: &[Value],
        ret: Return,
    ) -> Step {
        let top = self.stack_top(thread);
        self.reserve(thread, top, args.len() + 1);
        self.threads[thread].stack[top..top + args.len()].copy_from_slice(args);
        let bound = Bound {
            args_at: top as u32,
            args: args.len() as u32,
            rest_at: 0,
            rest: 0,
        };
        self.start_native(thread, native, bound, Vec::new(), ret)
    }

    /// Calls a native with arguments on the stack.
    pub(super) fn call_native(
        &mut self,
        thread: usize,
        native: NativeId,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        // Nearly all calls are like this: positional arguments, as many as it takes, of a receiver of its own type.
        if native.0 >= builtins::generator::COUNT
            && let Some(bound) = builtins::signature(native).fits(arguments)
        {
            let entry = &builtins::table()[native.0 as usize];
            let receiver = match (entry.owner, entry.kind) {
                (Some(owner), Kind::Plain | Kind::Getter) => Some(owner.class()),
                _ => None,
            };
            if receiver.is_none_or(|class| {
                self.class_of(self.threads[thread].stack[arguments.at]) == class
            }) {
                return self.start_native(thread, native, bound, Vec::new(), ret);
            }
        }
        self.call_native_slowly(thread, native, arguments, ret)
    }

    /// The same with keyword arguments, or too few or too many, or another receiver.
    #[cold]
    fn call_native_slowly(
        &mut self,
        thread: usize,
        native: NativeId,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        let entry = &builtins::table()[native.0 as usize];
        if native.0 < builtins::generator::COUNT {
            return self.generator_native(thread, native, arguments, ret);
        }
        let (bound, extra) = self.bind_native(thread, native, arguments)?;
        if entry.owner.is_some() && matches!(entry.kind, Kind::Plain | Kind::Getter) {
            self.check_receiver(thread, native, bound)?;
        }
        self.start_native(thread, native, bound, extra, ret)
    }

    /// `str.upper(5)`: the receiver of an unbound builtin method must be of its type.
    fn check_receiver(
        &mut self,
        thread: usize,
        native: NativeId,
        bound: Bound,
    ) -> Result<(), Value> {
        let entry = &builtins::table()[native.0 as usize];
        let Some(owner) = entry.owner else {
            return Ok(());
        };
        let receiver = self.threads[thread].stack[bound.args_at as usize];
        if self.is_instance(receiver, owner.class()) {
            return Ok(());
        }
        let of = self.type_name(receiver).to_owned();
        let message = format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{of}' object",
            entry.name,
            owner.name()
        );
        Err(self.throw(Type::TypeError, message))
    }

    /// Matches arguments with a native's parameters.
    fn bind_native(
        &mut self,
        thread: usize,
        native: NativeId,
        arguments: Arguments<'_>,
    ) -> Result<(Bound, Vec<(Name, Value)>), Value> {
        let signature = builtins::signature(native);
        let by_position = arguments.count - arguments.names.len();
        let declared = signature.positional.len();
        if by_position < signature.required && arguments.names.is_empty()
            || (by_position > declared && !signature.rest)
        {
            return Err(self.wrong_count(native, signature, by_position));
        }
        if let Some(bound) = signature.fits(arguments) {
            return Ok((bound, Vec::new()));
        }
        let named = by_position.min(declared);
        let mut slots = vec![Value::Unbound; declared + signature.keyword_only.len()];
        let given: Vec<Value> =
            self.threads[thread].stack[arguments.at..arguments.at + arguments.count].to_vec();
        slots[..named].copy_from_slice(&given[..named]);
        let mut extra = Vec::new();
        for (at, &keyword) in arguments.names.iter().enumerate() {
            let text = self.names[keyword.0 as usize].clone();
            let value = given[by_position + at];
            let all = signature.positional.iter().chain(&signature.keyword_only);
            match all
                .enumerate()
                .position(|(slot, name)| slot >= signature.positional_only && **name == *text)
            {
                Some(slot) if slots[slot].is_bound() => {
                    let name = builtins::table()[native.0 as usize].shown;
                    let message = format!(
                        "argument for {name}() given by name ('{text}') and position ({})",
                        slot + 1
                    );
                    return Err(self.throw(Type::TypeError, message));
                }
                Some(slot) => slots[slot] = value,
                None if signature.keywords => extra.push((keyword, value)),
                None => {
                    let entry = &builtins::table()[native.0 as usize];
                    let message = if signature.keyword_only.is_empty()
                        && signature.positional_only == declared
                    {
                        format!("{}() takes no keyword arguments", entry.qualified())
                    } else {
                        format!(
                            "'{text}' is an invalid keyword argument for {}()",
                            entry.shown
                        )
                    };
                    return Err(self.throw(Type::TypeError, message));
                }
            }
        }
        if let Some(missing) = slots[..signature.required]
            .iter()
            .position(|value| !value.is_bound())
        {
            let name = builtins::table()[native.0 as usize].shown;
            let message = format!(
                "{name}() missing required argument '{}' (pos {})",
                signature.positional[missing],
                missing + 1
            );
            return Err(self.throw(Type::TypeError, message));
        }
        let top = self.stack_top(thread).max(arguments.at + arguments.count);
        let rest = &given[named..by_position];
        self.reserve(thread, top, slots.len() + rest.len() + 1);
        let stack = &mut self.threads[thread].stack;
        stack[top..top + slots.len()].copy_from_slice(&slots);
        stack[top + slots.len()..top + slots.len() + rest.len()].copy_from_slice(rest);
        Ok((
            Bound {
                args_at: top as u32,
                args: slots.len() as u32,
                rest_at: (top + slots.len()) as u32,
                rest: rest.len() as u32,
            },
            extra,
        ))
    }

    fn wrong_count(&mut self, native: NativeId, signature: &Signature, given: usize) -> Value {
        let entry = &builtins::table()[native.0 as usize];
        let receiver = usize::from(match entry.kind {
            Kind::Static => false,
            Kind::Method => true,
            Kind::Plain | Kind::Class | Kind::Getter => entry.owner.is_some(),
        });
        let (least, most, given) = (
            signature.required.saturating_sub(receiver),
            signature.positional.len() - receiver.min(signature.positional.len()),
            given.saturating_sub(receiver),
        );
        let name = entry.shown;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let message = if entry.shown == "map" {
            "map() must have at least two arguments.".to_owned()
        } else if !signature.keyword_only.is_empty() && !signature.rest && most == 0 {
            format!("{name}() takes no positional arguments")
        } else if !signature.keyword_only.is_empty() && !signature.rest && least == most {
            format!(
                "{name} expected {most} argument{}, got {given}",
                plural(most)
            )
        } else if least == most && !signature.rest {
            match most {
                0 => format!("{}() takes no arguments ({given} given)", entry.qualified()),
                1 => format!(
                    "{}() takes exactly one argument ({given} given)",
                    entry.qualified()
                ),
                _ => format!("{name} expected {most} arguments, got {given}"),
            }
        } else if given < least
            && SEARCHES.contains(&entry.name)
            && matches!(entry.owner, Some(Type::Str | Type::Bytes))
        {
            format!(
                "{name}() takes at least {least} argument{} ({given} given)",
                plural(least)
            )
        } else if given < least {
            format!(
                "{name} expected at least {least} argument{}, got {given}",
                plural(least)
            )
        } else if signature.positional_only < signature.positional.len() {
            format!(
                "{name}() takes at most {most} argument{} ({given} given)",
                plural(most)
            )
        } else {
            format!(
                "{name} expected at most {most} argument{}, got {given}",
                plural(most)
            )
        };
        self.throw(Type::TypeError, message)
    }

    fn start_native(
        &mut self,
        thread: usize,
        native: NativeId,
        bound: Bound,
        extra: Vec<(Name, Value)>,
        ret: Return,
    ) -> Step {
        let mut ctx = Ctx {
            vm: self,
            thread: ThreadId(thread as u32),
            id: native,
            bound,
            extra: &extra,
            answers: &[],
            next_answer: 0,
            fresh: Vec::new(),
        };
        let interrupt = match (builtins::table()[native.0 as usize].function)(&mut ctx) {
            Ok(value) => {
                if !self.keeps(thread, value) {
                    return Err(self.out_of_memory());
                }
                if let Return::To(reg) = ret
                    && self.woken.is_empty()
                {
                    self.set_register(thread, reg, value);
                    return Ok(Flow::Next);
                }
                let flow = self.deliver(thread, value, ret)?;
                return Ok(self.or_woke(flow));
            }
            Err(interrupt) => interrupt,
        };
        let fresh = std::mem::take(&mut ctx.fresh);
        match interrupt {
            Interrupt::Throw(exception) => Err(exception),
            interrupt => {
                let depth = self.threads[thread].frames.len() as u32;
                self.threads[thread].pending.push(Pending {
                    native,
                    bound,
                    extra,
                    ret,
                    answers: fresh,
                    asking: Asking::Nothing,
                    depth,
                });
                match self.interrupted(thread, interrupt)? {
                    Some(stop) => Ok(Flow::Stop(stop)),
                    None => self.pump(thread),
                }
            }
        }
    }

    /// The end of the slice, if a native has just made other threads ready: the engine must know now, not when this thread next blocks.
    fn or_woke(&self, flow: Flow) -> Flow {
        match flow {
            Flow::Next | Flow::Switch if !self.woken.is_empty() => Flow::Stop(Stop::Woke),
            flow => flow,
        }
    }

    /// Notes what the native on top asked. A stop, if the slice ends; nothing if `pump` can go on.
    fn interrupted(&mut self, thread: usize, interrupt: Interrupt) -> Result<Option<Stop>, Value> {
        let id = ThreadId(thread as u32);
        let pending = self.threads[thread]
            .pending
            .last_mut()
            .expect("the native that asked");
        match interrupt {
            Interrupt::Throw(exception) => {
                self.threads[thread].pending.pop();
                Err(exception)
            }
            Interrupt::Calls { calls, catch } => {
                pending.asking = Asking::Calls {
                    calls,
                    results: Vec::new(),
                    catch,
                };
                Ok(None)
            }
            Interrupt::Call(call) => {
                pending.asking = Asking::Engine;
                self.threads[thread].status = Status::Calling((*call).clone());
                Ok(Some(Stop::Call(*call)))
            }
            Interrupt::Wait {
                on,
                deadline_ns,
                guarded,
            } => {
                pending.asking = Asking::Wake { on, guarded };
                match on {
                    WaitOn::Object(object) => sync::enqueue(self, object, id),
                    WaitOn::Thread(other) => self.threads[other.0 as usize].joiners.push(id),
                }
                self.threads[thread].status = Status::Waiting { on, deadline_ns };
                Ok(Some(Stop::Waiting))
            }
            Interrupt::Exit(code) => Ok(Some(Stop::Exit(code))),
            Interrupt::Abort => Ok(Some(Stop::Abort)),
        }
    }

    /// Goes on with the native on top: makes the calls it asked for, then runs it again.
    pub(super) fn pump(&mut self, thread: usize) -> Step {
        loop {
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("pump has a native to go on with");
            match &mut pending.asking {
                Asking::Calls { calls, results, .. } if results.len() < calls.len() => {
                    let (callee, args) = calls[results.len()].clone();
                    if let Value::Native(native) = callee
                        && native.0 >= builtins::generator::COUNT
                    {
                        // Done here and not through `deliver`, so that a long row of calls of natives does not nest.
                        match self.call_native_flat(thread, native, &args)? {
                            Flat::Value(value) => {
                                let pending = self.threads[thread]
                                    .pending
                                    .last_mut()
                                    .expect("still there");
                                if let Asking::Calls { results, .. } = &mut pending.asking {
                                    results.push(value);
                                }
                            }
                            Flat::Pushed => {}
                            Flat::Stop(stop) => return Ok(Flow::Stop(stop)),
                        }
                        continue;
                    }
                    let outer = std::mem::replace(&mut self.pumping, true);
                    let step = self.call_value(thread, callee, &args, Return::Native);
                    self.pumping = outer;
                    match step? {
                        // Whom it woke is told when this native is done, too.
                        Flow::Next | Flow::Stop(Stop::Woke) => continue,
                        other => return Ok(other),
                    }
                }
                Asking::Calls { .. } => {
                    let Asking::Calls { calls, results, .. } =
                        std::mem::replace(&mut pending.asking, Asking::Nothing)
                    else {
                        unreachable!("just matched")
                    };
                    pending.answers.push(Answered::Calls { calls, results });
                }
                Asking::Wake { .. } => pending.asking = Asking::Nothing,
                Asking::Engine => unreachable!("a thread with an open call is not ready"),
                Asking::Nothing => {}
            }
            // Run it again.
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("still there");
            let (native, bound) = (pending.native, pending.bound);
            let extra = std::mem::take(&mut pending.extra);
            let answers = std::mem::take(&mut pending.answers);
            let mut ctx = Ctx {
                vm: self,
                thread: ThreadId(thread as u32),
                id: native,
                bound,
                extra: &extra,
                answers: &answers,
                next_answer: 0,
                fresh: Vec::new(),
            };
            let result = (builtins::table()[native.0 as usize].function)(&mut ctx);
            let used = ctx.next_answer;
            let fresh = std::mem::take(&mut ctx.fresh);
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("natives push no natives");
            pending.extra = extra;
            pending.answers = answers;
            match result {
                Ok(value) => {
                    let ret = self.threads[thread].pending.pop().expect("still there").ret;
                    if !self.keeps(thread, value) {
                        return Err(self.out_of_memory());
                    }
                    if ret == Return::Native {
                        let pending = self.threads[thread]
                            .pending
                            .last_mut()
                            .expect("a native waits for this");
                        if let Asking::Calls { results, .. } = &mut pending.asking {
                            results.push(value);
                        }
                        continue;
                    }
                    let flow = match self.deliver(thread, value, ret)? {
                        Flow::Next => Flow::Switch,
                        other => other,
                    };
                    return Ok(self.or_woke(flow));
                }
                Err(interrupt) => {
                    // Answers beyond those that were used belong to questions that are no longer asked.
                    pending.answers.truncate(used);
                    pending.answers.extend(fresh);
                    if let Some(stop) = self.interrupted(thread, interrupt)? {
                        return Ok(Flow::Stop(stop));
                    }
                }
            }
        }
    }

    /// Calls a native for the native on top.
    fn call_native_flat(
        &mut self,
        thread: usize,
        native: NativeId,
        args: &[Value],
    ) -> Result<Flat, Value> {
        let top = self.stack_top(thread);
        self.reserve(thread, top, args.len() + 2);
        self.threads[thread].stack[top..top + args.len()].copy_from_slice(args);
        let arguments = Arguments {
            at: top,
            count: args.len(),
            names: &[],
        };
        let (bound, extra) = self.bind_native(thread, native, arguments)?;
        let entry = &builtins::table()[native.0 as usize];
        if entry.owner.is_some() && matches!(entry.kind, Kind::Plain | Kind::Getter) {
            self.check_receiver(thread, native, bound)?;
        }
        let mut ctx = Ctx {
            vm: self,
            thread: ThreadId(thread as u32),
            id: native,
            bound,
            extra: &extra,
            answers: &[],
            next_answer: 0,
            fresh: Vec::new(),
        };
        let result = (entry.function)(&mut ctx);
        let fresh = std::mem::take(&mut ctx.fresh);
        match result {
            Ok(value) => Ok(Flat::Value(value)),
            Err(Interrupt::Throw(exception)) => Err(exception),
            Err(interrupt) => {
                let depth = self.threads[thread].frames.len() as u32;
                self.threads[thread].pending.push(Pending {
                    native,
                    bound,
                    extra,
                    ret: Return::Native,
                    answers: fresh,
                    asking: Asking::Nothing,
                    depth,
                });
                Ok(match self.interrupted(thread, interrupt)? {
                    Some(stop) => Flat::Stop(stop),
                    None => Flat::Pushed,
                })
            }
        }
    }

    /// The methods of generators that run their frames.
    fn generator_native(
        &mut self,
        thread: usize,
        native: NativeId,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        generator::native(self, thread, native, arguments, ret)
    }
}

/// Methods of texts whose arguments CPython reads by a format of its own, with its own words for too few.
const SEARCHES: [&str; 7] = [
    "count",
    "endswith",
    "find",
    "index",
    "rfind",
    "rindex",
    "startswith",
];
