//! Generators: their frames move between the generator object and the thread's stack, so that a
//! suspended generator is plain data in the heap.

use crate::bytecode::op::{Op, Reg};
use crate::vm::Vm;
use crate::vm::heap::class::Type;
use crate::vm::heap::object::{Generator, GeneratorState};
use crate::vm::heap::value::{NativeId, Ref, Value};
use crate::vm::interpreter::call::{Flow, Step};
use crate::vm::state::natives::{NEXT, PASS, SEND, THROW};
use crate::vm::state::stack::{Arguments, SPARE};
use crate::vm::state::thread::{Frame, Return};

/// Calls `__next__` or `send` of a generator, or what its `throw` and `close` are made of.
pub(in crate::vm) fn native(
    vm: &mut Vm,
    thread: usize,
    native: NativeId,
    arguments: Arguments<'_>,
    ret: Return,
) -> Step {
    let name = if native == NEXT { "__next__" } else { "send" };
    let stack = &vm.threads[thread].stack;
    let args: Vec<Value> = stack[arguments.at..arguments.at + arguments.count].to_vec();
    let Some(&Value::Generator(generator)) = args.first() else {
        let message = format!("descriptor '{name}' requires a 'generator' object");
        return Err(vm.throw(Type::TypeError, message));
    };
    match (native, &args[1..]) {
        (NEXT, []) => vm.resume(thread, generator, Resume::Send(Value::None), ret),
        (SEND, &[value]) => vm.resume(thread, generator, Resume::Send(value), ret),
        (PASS, &[value]) => vm.resume(thread, generator, Resume::Pass(value), ret),
        (THROW, &[exception]) => vm.resume(thread, generator, Resume::Throw(exception), ret),
        (_, rest) => {
            let message = format!("generator.{name}() got {} arguments", rest.len());
            Err(vm.throw(Type::TypeError, message))
        }
    }
}

/// How a generator is resumed.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) enum Resume {
    Send(Value),
    /// An exception is raised where it is suspended.
    Throw(Value),
    /// The sub-iterator of its `yield from` has come to this value.
    Pass(Value),
}

impl Vm {
    /// Puts a generator's frame on top of the thread.
    pub(in crate::vm) fn resume(
        &mut self,
        thread: usize,
        generator: Ref<Generator>,
        how: Resume,
        ret: Return,
    ) -> Step {
        let object = &self.heap.generators[generator];
        let (state, function, pc) = (object.state, object.function, object.pc);
        match state {
            GeneratorState::Running | GeneratorState::Delegating { .. } => {
                return Err(self.throw(Type::ValueError, "generator already executing"));
            }
            GeneratorState::Finished => {
                return match how {
                    Resume::Throw(exception) => {
                        self.threads[thread].thrown = exception;
                        Err(exception)
                    }
                    Resume::Send(_) | Resume::Pass(_) => self.exhausted(thread, Value::None, ret),
                };
            }
            GeneratorState::Fresh => match how {
                Resume::Throw(exception) => {
                    let object = &mut self.heap.generators[generator];
                    object.state = GeneratorState::Finished;
                    object.registers = Box::default();
                    let exception = self.out_of_generator(exception);
                    self.threads[thread].thrown = exception;
                    return Err(exception);
                }
                Resume::Send(Value::None) | Resume::Pass(_) => {}
                Resume::Send(_) => {
                    return Err(self.throw(
                        Type::TypeError,
                        "can't send non-None value to a just-started generator",
                    ));
                }
            },
            GeneratorState::Suspended { .. } => {}
        }
        if self.threads[thread].frames.len() >= self.limits.recursion {
            return Err(self.throw(Type::RecursionError, "maximum recursion depth exceeded"));
        }
        let code = self.heap.functions[function].code;
        let base = self.stack_top(thread);
        let size = self.heap.generators[generator].registers.len();
        let (Resume::Send(given) | Resume::Throw(given) | Resume::Pass(given)) = how;
        let kept = [Value::Generator(generator), given];
        self.reserve_window(thread, (base, size + SPARE), base, &kept)?;
        let object = &mut self.heap.generators[generator];
        object.state = GeneratorState::Running;
        let inner = object.handling.take();
        let handles = inner.is_some();
        let state_of_thread = &mut self.threads[thread];
        object.handling = Some(state_of_thread.handling);
        if let Some(inner) = inner {
            state_of_thread.handling = inner;
        }
        state_of_thread.stack[base..base + size].copy_from_slice(&object.registers);
        state_of_thread.generators.push(generator);
        state_of_thread.frames.push(Frame {
            code,
            pc,
            base: base as u32,
            function,
            ret,
        });
        let delegating = matches!(state, GeneratorState::Suspended { .. })
            && self.delegate_at(code, pc).is_some();
        match how {
            Resume::Send(value) => {
                if let GeneratorState::Suspended { into } = state {
                    self.set_register(thread, Reg(into), value);
                    self.threads[thread].resumed = delegating;
                }
                Ok(Flow::Switch)
            }
            Resume::Throw(exception) => {
                self.top_frame(thread).pc += u32::from(delegating);
                // What is raised inside has the context of what is handled inside, and no other.
                if handles {
                    self.forget_context(thread, exception);
                    self.set_context(thread, exception);
                } else {
                    self.threads[thread].thrown = exception;
                }
                Err(exception)
            }
            Resume::Pass(value) => {
                if let GeneratorState::Suspended { into } = state {
                    self.set_register(thread, Reg(into), value);
                }
                self.top_frame(thread).pc += u32::from(delegating);
                Ok(Flow::Switch)
            }
        }
    }

    /// The generator on top yields: its frame goes back into it, the value to whoever drives it.
    /// `pc` is where it goes on.
    pub(in crate::vm) fn suspend(
        &mut self,
        thread: usize,
        value: Value,
        into: Reg,
        pc: u32,
    ) -> Step {
        let state = &mut self.threads[thread];
        let frame = state.frames.pop().expect("a yield runs in a frame");
        let generator = state.generators.pop().expect("a yield runs in a generator");
        let object = &mut self.heap.generators[generator];
        object.pc = pc;
        object.state = GeneratorState::Suspended { into: into.0 };
        let base = frame.base as usize;
        let size = object.registers.len();
        object
            .registers
            .copy_from_slice(&state.stack[base..base + size]);
        let outer = object.handling.take().unwrap_or(Value::None);
        let inner = std::mem::replace(&mut state.handling, outer);
        if !inner.same(outer) {
            object.handling = Some(inner);
        }
        match self.deliver(thread, value, frame.ret)? {
            Flow::Next => Ok(Flow::Switch),
            other => Ok(other),
        }
    }

    /// The sub-iterator of the generator on top gave a value: it is yielded on, and the `yield
    /// from` will run again.
    pub(in crate::vm) fn yield_on(&mut self, thread: usize, value: Value) -> Step {
        let frame = self.top_frame(thread);
        let pc = frame.pc - 1;
        let code = frame.code;
        let Op::YieldFrom { dst, .. } = self.image.program.codes[code.0 as usize].ops[pc as usize]
        else {
            unreachable!("only a `yield from` delegates")
        };
        self.suspend(thread, value, dst, pc)
    }

    /// The generator on top returned: `ret` is what its frame had.
    pub(in crate::vm) fn generator_returned(
        &mut self,
        thread: usize,
        value: Value,
        ret: Return,
    ) -> Step {
        self.close_generator(thread);
        self.exhausted(thread, value, ret)
    }

    /// The generator whose frame was just popped is finished.
    pub(in crate::vm) fn close_generator(&mut self, thread: usize) {
        let state = &mut self.threads[thread];
        let generator = state
            .generators
            .pop()
            .expect("a generator's frame was on top");
        let object = &mut self.heap.generators[generator];
        object.state = GeneratorState::Finished;
        object.registers = Box::default();
        state.handling = object.handling.take().unwrap_or(Value::None);
    }

    /// No more items: a loop ends, `yield from` has its value, anybody else gets `StopIteration`.
    pub(in crate::vm) fn exhausted(&mut self, thread: usize, value: Value, ret: Return) -> Step {
        match ret {
            Return::Item { exit, .. } => {
                self.top_frame(thread).pc = exit;
                Ok(Flow::Switch)
            }
            Return::Delegate(into) => {
                self.set_register(thread, into, value);
                Ok(Flow::Switch)
            }
            _ => {
                let args = if matches!(value, Value::None) {
                    Vec::new()
                } else {
                    vec![value]
                };
                Err(self.new_exception(Type::StopIteration, args))
            }
        }
    }
}
