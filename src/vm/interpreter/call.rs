//! Calls: who is called, frames of functions, and where results go. Binding of arguments, classes
//! and natives are below.
//!
//! Nothing here calls into the run loop. A call either is done at once (a native that needs
//! nothing), or leaves a new frame on the thread, or stops the thread; the loop then goes on with
//! whatever frame is on top.

mod bind;
mod construct;
mod native;
mod parent;
mod spread;

pub(in crate::vm) use parent::feeds_super;

use crate::bytecode::op::Reg;
use crate::vm::Vm;
use crate::vm::builtins::{self};
use crate::vm::heap::class::{Name, Type, name};
use crate::vm::heap::object::{Function, Generator, GeneratorState, Method, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::slice::Stop;
use crate::vm::state::stack::{Arguments, SPARE};
use crate::vm::state::thread::{Awaiting, Frame, Outcome, Return};

/// How an instruction's slow part ended.
#[derive(Debug)]
pub(in crate::vm) enum Flow {
    /// It is done, its value is where it belongs, and the same frame goes on with the next
    /// instruction.
    Next,
    /// Another frame is on top, or the same one elsewhere.
    Switch,
    /// The slice ends here.
    Stop(Stop),
}

/// A flow, or an exception to be raised in the frame on top.
pub(in crate::vm) type Step = Result<Flow, Value>;

impl Vm {
    /// Puts a callee and its arguments on top of the stack and calls it.
    pub(in crate::vm) fn call_value(
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

    /// Calls `callee` with the arguments that lie from `base + 1` on; `base` itself is free for a
    /// receiver. With names, the last arguments are keyword ones.
    pub(in crate::vm) fn call_at(
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

    /// Calls something unusual with a receiver among its arguments: they are copied up, so that the
    /// place below them is free again.
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
    pub(in crate::vm) fn call_function(
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
        let live = arguments.at + arguments.count;
        let window = (arguments.at, registers + SPARE);
        if direct && self.threads[thread].frames.len() < self.limits.recursion {
            self.reserve_window(thread, window, live, &[Value::Function(function)])?;
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
        // The window may lie over the arguments only if nothing else lives above them: true for the
        // window of the calling frame, since arguments are its topmost temporaries, and for
        // arguments pushed on top of the stack.
        self.reserve_window(thread, window, live, &[Value::Function(function)])?;
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

    // ---- values on their way ----

    /// Brings a value to where it was wanted.
    pub(in crate::vm) fn deliver(&mut self, thread: usize, value: Value, ret: Return) -> Step {
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
                let Awaiting::Calls { results, .. } = &mut pending.awaiting else {
                    unreachable!("a native that gets a result asked for calls")
                };
                results.push(value);
                // `resume_native` itself goes on with the next call when this one was done at once,
                // so that a long row of them does not nest.
                if self.resuming_native {
                    Ok(Flow::Next)
                } else {
                    self.resume_native(thread)
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

    pub(in crate::vm) fn top_frame(&mut self, thread: usize) -> &mut Frame {
        self.threads[thread]
            .frames
            .last_mut()
            .expect("a running thread has a frame")
    }

    pub(in crate::vm) fn set_register(&mut self, thread: usize, reg: Reg, value: Value) {
        let state = &mut self.threads[thread];
        let base = state
            .frames
            .last()
            .expect("a running thread has a frame")
            .base;
        state.stack[base as usize + reg.0 as usize] = value;
    }
}
