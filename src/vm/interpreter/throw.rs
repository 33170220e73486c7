//! Exceptions on their way: context, handlers, the end of a thread.

use crate::bytecode::op::Op;
use crate::vm::Vm;
use crate::vm::builtins::operators::DESCRIBE;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::memory::Counted;
use crate::vm::heap::object::TraceEntry;
use crate::vm::heap::value::{ThreadId, Value};
use crate::vm::interpreter::call::{Flow, Step};
use crate::vm::state::slice::Stop;
use crate::vm::state::thread::{Awaiting, LogEntry, Outcome, Return, Status};

impl Vm {
    /// The exception that `raise value` raises: an instance, or a class to be instantiated without
    /// arguments.
    pub(in crate::vm) fn exception_from(&mut self, value: Value) -> Result<Value, Value> {
        match value {
            Value::Instance(instance) if self.heap.instances[instance].exception.is_some() => {
                Ok(value)
            }
            Value::Class(class) if self.heap.classes[class].exception => {
                Ok(self.new_exception_of(class, Vec::new()))
            }
            _ => Err(self.throw(Type::TypeError, "exceptions must derive from BaseException")),
        }
    }

    /// An exception is raised anew where another is being handled: what its context was before is
    /// forgotten.
    pub(in crate::vm) fn forget_context(&mut self, thread: usize, exception: Value) {
        let handled = self.threads[thread].handling;
        if let Value::Instance(it) = exception
            && matches!(handled, Value::Instance(_))
            && !handled.same(exception)
            && let Some(object) = self.heap.instances[it].exception.as_deref_mut()
        {
            object.context = None;
        }
    }

    /// Notes which exception was being handled when this one was raised.
    pub(in crate::vm) fn set_context(&mut self, thread: usize, exception: Value) {
        let thrown = std::mem::replace(&mut self.threads[thread].thrown, Value::Unbound);
        if thrown.same(exception) {
            return;
        }
        let context = self.threads[thread].handling;
        let (Value::Instance(it), Value::Instance(outer)) = (exception, context) else {
            return;
        };
        if it == outer {
            return;
        }
        // Cut a chain that would lead back to the new exception (as `_PyErr_SetObject` does).
        let mut at = outer;
        let mut steps = 0;
        while let Some(Value::Instance(next)) = self.heap.instances[at]
            .exception
            .as_ref()
            .and_then(|exception| exception.context)
        {
            if next == it {
                if let Some(exception) = self.heap.instances[at].exception.as_deref_mut() {
                    exception.context = None;
                }
                break;
            }
            at = next;
            steps += 1;
            if steps > 10_000 {
                break;
            }
        }
        if let Some(exception) = self.heap.instances[it].exception.as_deref_mut()
            && exception.context.is_none()
        {
            exception.context = Some(context);
        }
    }

    /// Finds the handler of an exception that was raised in the frame or native on top, and makes
    /// it the next to run. A stop if the thread ends with it, or if a native that wanted to know of
    /// it now stops.
    pub(in crate::vm) fn unwind(
        &mut self,
        thread: usize,
        mut exception: Value,
        mut fresh: bool,
    ) -> Option<Stop> {
        if fresh {
            self.set_context(thread, exception);
        }
        loop {
            let state = &mut self.threads[thread];
            if let Some(pending) = state.pending.last_mut()
                && pending.depth as usize == state.frames.len()
            {
                if matches!(pending.awaiting, Awaiting::Calls { catch: true, .. }) {
                    let Awaiting::Calls { calls, .. } =
                        std::mem::replace(&mut pending.awaiting, Awaiting::Nothing)
                    else {
                        unreachable!("just matched")
                    };
                    pending.log.push(LogEntry::Raised { calls, exception });
                    match self.resume_native(thread) {
                        Ok(Flow::Stop(stop)) => return Some(stop),
                        Ok(_) => return None,
                        Err(next) => {
                            if !next.same(exception) {
                                self.set_context(thread, next);
                            }
                            exception = next;
                            continue;
                        }
                    }
                }
                let ret = state.pending.pop().expect("just looked at").ret;
                match ret {
                    Return::Thread => return self.thread_raised(thread, exception),
                    Return::Item { exit, .. } if self.is_stop_iteration(exception) => {
                        self.top_frame(thread).pc = exit;
                        return None;
                    }
                    Return::Delegate(into) if self.is_stop_iteration(exception) => {
                        let value = self.stop_value(exception);
                        self.set_register(thread, into, value);
                        return None;
                    }
                    Return::ConstructFor => unreachable!("natives are not constructors' bodies"),
                    _ => {}
                }
                continue;
            }
            let Some(frame) = state.frames.last().copied() else {
                return self.thread_raised(thread, exception);
            };
            let pc = frame.pc.saturating_sub(1);
            let image = self.image.clone();
            let code = &image.program.codes[frame.code.0 as usize];
            // The body of a class that cannot be made never began.
            let began = !matches!(code.ops.get(pc as usize), Some(Op::NewClass { .. }));
            if fresh && !code.internal && began {
                self.add_traceback(
                    exception,
                    TraceEntry {
                        code: frame.code,
                        pc,
                    },
                );
            }
            fresh = true;
            if let Some(guard) = code
                .handlers
                .iter()
                .find(|guard| (guard.start..guard.end).contains(&pc))
            {
                self.set_register(thread, guard.exception, exception);
                self.top_frame(thread).pc = guard.target;
                return None;
            }
            self.threads[thread].frames.pop();
            if code.generator {
                self.close_generator(thread);
                exception = self.out_of_generator(exception);
            }
            match frame.ret {
                Return::Construct(_) => {
                    self.threads[thread].constructing.pop();
                }
                Return::ConstructFor => {
                    self.threads[thread].constructing.pop();
                    self.threads[thread].construct_returns.pop();
                }
                Return::Module(_) => {
                    if let Some(module) = self.threads[thread].importing.pop() {
                        self.imported[module as usize] = false;
                    }
                }
                Return::Item { exit, .. } if self.is_stop_iteration(exception) => {
                    self.top_frame(thread).pc = exit;
                    return None;
                }
                Return::Delegate(into) if self.is_stop_iteration(exception) => {
                    let value = self.stop_value(exception);
                    self.set_register(thread, into, value);
                    return None;
                }
                Return::Thread => return self.thread_raised(thread, exception),
                _ => {}
            }
        }
    }

    /// What an exception is once it has left a generator: `StopIteration` would look like its end.
    pub(in crate::vm) fn out_of_generator(&mut self, exception: Value) -> Value {
        if !self.is_stop_iteration(exception) {
            return exception;
        }
        let error = self.throw(Type::RuntimeError, "generator raised StopIteration");
        if let Value::Instance(it) = error
            && let Some(object) = self.heap.instances[it].exception.as_deref_mut()
        {
            object.cause = Some(exception);
            object.context = Some(exception);
            object.suppress_context = true;
        }
        error
    }

    fn add_traceback(&mut self, exception: Value, entry: TraceEntry) {
        if let Value::Instance(it) = exception
            && let Some(exception) = self.heap.instances[it].exception.as_deref_mut()
        {
            let before = exception.traceback.capacity();
            exception.traceback.push(entry);
            let growth = exception.traceback.capacity() - before;
            self.heap.allocated += growth * TraceEntry::BYTES;
        }
    }

    fn thread_raised(&mut self, thread: usize, mut exception: Value) -> Option<Stop> {
        loop {
            match self.end_thread(thread, Outcome::Raised(exception)) {
                Ok(Flow::Stop(stop)) => return Some(stop),
                Ok(_) => return None,
                Err(other) => exception = other,
            }
        }
    }

    /// The last frame of a thread is done. The main thread then calls what was registered for its
    /// end; what those functions raise is not reported. An exception with a `__str__` of the
    /// script's own is asked for its text, before the thread's end is put into words.
    pub(in crate::vm) fn end_thread(&mut self, thread: usize, outcome: Outcome) -> Step {
        let outcome = *self.threads[thread].ending.get_or_insert(outcome);
        if ThreadId(thread as u32) == self.main {
            while let Some(function) = self.at_exit.pop() {
                self.threads[thread].frames.clear();
                self.threads[thread].pending.clear();
                if let Ok(flow) = self.call_value(thread, function, &[], Return::Thread) {
                    return Ok(flow);
                }
            }
        }
        if let Outcome::Raised(exception) = outcome {
            let chain: Vec<Value> = self
                .chain(exception)
                .into_iter()
                .map(|(exception, _)| exception)
                .collect();
            if !self.threads[thread].reporting
                && chain
                    .iter()
                    .any(|&exception| self.special(exception, name::STR).is_some())
            {
                self.threads[thread].reporting = true;
                self.threads[thread].frames.clear();
                self.threads[thread].pending.clear();
                return self.call_value(thread, Value::Native(DESCRIBE), &chain, Return::Report);
            }
        }
        Ok(Flow::Stop(self.finish(thread, outcome, &[])))
    }

    /// The texts that a report needs are there.
    pub(in crate::vm) fn finish_reported(&mut self, thread: usize, texts: Value) -> Stop {
        let texts: Vec<String> = match texts {
            Value::Tuple(it) => self.heap.tuples[it]
                .0
                .clone()
                .iter()
                .map(|&text| self.describe(text))
                .collect(),
            _ => Vec::new(),
        };
        let outcome = self.threads[thread]
            .ending
            .take()
            .unwrap_or(Outcome::Returned(Value::None));
        self.finish(thread, outcome, &texts)
    }

    /// Ends a thread: its joiners can run again, and its end is put into words if it was an
    /// exception that nobody else will tell about.
    fn finish(&mut self, thread: usize, outcome: Outcome, texts: &[String]) -> Stop {
        let state = &mut self.threads[thread];
        state.status = Status::Finished;
        state.outcome = Some(outcome);
        state.frames = Vec::new();
        state.stack = Vec::new();
        state.pending = Vec::new();
        for joiner in std::mem::take(&mut state.joiners) {
            self.wake(joiner);
        }
        let (mut report, mut exit_code) = (None, 0);
        if let Outcome::Raised(exception) = outcome {
            let main = ThreadId(thread as u32) == self.main;
            if self.is_instance(exception, Type::SystemExit.class()) {
                (report, exit_code) = self.system_exit(exception);
                if !main {
                    report = None;
                }
            } else {
                exit_code = if self.is_instance(exception, Type::KeyboardInterrupt.class()) {
                    130
                } else {
                    1
                };
                let text = self.report(exception, texts);
                report = Some(if main {
                    text
                } else {
                    format!("Exception in thread {}:\n{text}", self.threads[thread].name)
                });
            }
        }
        Stop::Finished { report, exit_code }
    }

    /// What `SystemExit` stands for: text for the error stream, and an exit code.
    fn system_exit(&mut self, exception: Value) -> (Option<String>, i32) {
        let code = match exception {
            Value::Instance(it) => self.exception_field(it, name::CODE).unwrap_or(Value::None),
            _ => Value::None,
        };
        match code {
            Value::None => (None, 0),
            Value::Int(code) => (None, (code & 0xff) as i32),
            Value::Bool(code) => (None, i32::from(code)),
            other => (Some(format!("{}\n", self.describe(other))), 1),
        }
    }
}
