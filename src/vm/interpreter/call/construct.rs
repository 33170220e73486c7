//! Calls of classes: `__new__`, `__init__`, exceptions, and dataclasses, whose fields are filled at
//! once where that is all their `__init__` does. Knows nothing of how natives run.

use super::Step;
use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::object::{Function, Instance};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::stack::Arguments;
use crate::vm::state::thread::Return;

impl Vm {
    /// Calls a class with arguments that lie from `base + 1` on; `base` itself is free for the
    /// instance.
    pub(in crate::vm) fn construct(
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
            if of == Type::Super {
                let proxy = self.construct_super(thread, base + 1, count, names)?;
                return self.deliver(thread, proxy, ret);
            }
            let Some(native) = self.image.natives.constructor(of) else {
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
        let exception_made = exception.then(|| Box::new(self.made_exception(class, args)));
        let made = self.heap.new_instance(Instance {
            class,
            shape: root,
            slots,
            dict: None,
            exception: exception_made,
        });
        match init {
            Some(Value::Function(function)) => {
                self.threads[thread].stack[base] = made;
                let Return::To(into) = ret else {
                    // Asked for by a native or the like: the instance must be delivered there once
                    // `__init__` has returned.
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
                if exception && (2..=5).contains(&count) && class == Type::OSError.class() {
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

    /// The shape and slots of a new instance of a dataclass, if all that its `__init__` would do
    /// with these arguments is to fill its fields.
    fn fields_given(
        &self,
        thread: usize,
        class: Ref<Class>,
        init: Value,
        base: usize,
        count: usize,
        names: &[Name],
    ) -> Option<(u32, Vec<Value>)> {
        let record = self.record(class, init)?;
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
            let keyword = names.iter().position(|name| name == field);
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
        let arguments = object.exception.as_ref().map(|it| &it.args[..]);
        let Some(&[Value::Int(errno), ..]) = arguments else {
            return;
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

    /// `ImportError(name=…)` and the like: the builtin exceptions that take keywords keep them as
    /// attributes.
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

    /// What `str(number)` is, if that is what is called: scripts build texts of it, so it is done
    /// without the native.
    #[inline]
    pub(in crate::vm) fn text_of_int(
        &mut self,
        class: Ref<Class>,
        argument: Value,
    ) -> Option<Value> {
        match argument {
            Value::Int(number) if class == Type::Str.class() => {
                Some(self.heap.new_int_text(number))
            }
            _ => None,
        }
    }

    pub(super) fn check_init(&mut self, value: Value) -> Result<(), Value> {
        if matches!(value, Value::None) {
            return Ok(());
        }
        let message = format!(
            "__init__() should return None, not '{}'",
            self.type_name(value)
        );
        Err(self.throw(Type::TypeError, message))
    }
}
