//! Calls of natives: binding their arguments, running them, and going on with those that wait for
//! answers of the script, of the engine or of other threads. Knows nothing of what a native does.

use super::{Flow, Step};
use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::value::{NativeId, ThreadId, Value};
use crate::vm::interpreter::generator;
use crate::vm::state::native::{Abrupt, Ctx, Kind};
use crate::vm::state::natives::{DONE_BY_THE_VM, Signature};
use crate::vm::state::slice::{Stop, WaitOn};
use crate::vm::state::stack::{Arguments, Bound};
use crate::vm::state::sync;
use crate::vm::state::thread::{Awaiting, LogEntry, Pending, Return, Status};

/// How the call of one native for another went.
enum CallInPlace {
    /// It was done at once.
    Value(Value),
    /// It asked for calls and is on top now.
    Pushed,
    Stop(Stop),
}

impl Vm {
    /// Calls a native with operands of an instruction, which are copied above the window.
    pub(in crate::vm) fn ask(
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
    pub(in crate::vm) fn call_native(
        &mut self,
        thread: usize,
        native: NativeId,
        arguments: Arguments<'_>,
        ret: Return,
    ) -> Step {
        // Nearly all calls are like this: positional arguments, as many as it takes, of a receiver
        // of its own type.
        if native.0 >= DONE_BY_THE_VM
            && let Some(bound) = self.image.natives.signature(native).fits(arguments)
        {
            let receiver = self.image.natives[native].receiver();
            if receiver.is_none_or(|of| {
                self.class_of(self.threads[thread].stack[arguments.at]) == of.class()
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
        if native.0 < DONE_BY_THE_VM {
            return generator::native(self, thread, native, arguments, ret);
        }
        let (bound, extra) = self.bind_native(thread, native, arguments)?;
        self.check_receiver(thread, native, bound)?;
        self.start_native(thread, native, bound, extra, ret)
    }

    /// `str.upper(5)`: the receiver of an unbound builtin method must be of its type.
    fn check_receiver(
        &mut self,
        thread: usize,
        native: NativeId,
        bound: Bound,
    ) -> Result<(), Value> {
        let entry = &self.image.natives[native];
        let Some(owner) = entry.receiver() else {
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
        let signature = self.image.natives.signature(native);
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
            let text = self.names[keyword].clone();
            let value = given[by_position + at];
            let all = signature.positional.iter().chain(&signature.keyword_only);
            match all
                .enumerate()
                .position(|(slot, name)| slot >= signature.positional_only && **name == *text)
            {
                Some(slot) if slots[slot].is_bound() => {
                    let name = self.image.natives[native].shown;
                    let message = format!(
                        "argument for {name}() given by name ('{text}') and position ({})",
                        slot + 1
                    );
                    return Err(self.throw(Type::TypeError, message));
                }
                Some(slot) => slots[slot] = value,
                None if signature.keywords => extra.push((keyword, value)),
                None => {
                    let entry = &self.image.natives[native];
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
            let name = self.image.natives[native].shown;
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
        let entry = &self.image.natives[native];
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
        let mut ctx = Ctx::new(self, thread, native, bound);
        ctx.extra = &extra;

        // A slice may be a million builtins of a millisecond each.
        let result = ctx.look().and_then(|()| ctx.run());
        let interrupt = match result {
            Ok(value) => {
                if !self.collect_keeping(value) {
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
        let fresh = std::mem::take(&mut ctx.new_entries);
        match interrupt {
            Abrupt::Throw(exception) => Err(exception),
            interrupt => {
                let pending = Pending {
                    native,
                    bound,
                    extra,
                    ret,
                    log: fresh.into_vec(),
                    awaiting: Awaiting::Nothing,
                    depth: self.threads[thread].frames.len() as u32,
                };
                match self.leave_waiting(thread, pending, interrupt)? {
                    Some(stop) => Ok(Flow::Stop(stop)),
                    None => self.resume_native(thread),
                }
            }
        }
    }

    /// The end of the slice, if a native has just made other threads ready: the engine must know
    /// now, not when this thread next blocks.
    pub(in crate::vm) fn or_woke(&self, flow: Flow) -> Flow {
        match flow {
            Flow::Next | Flow::Switch if !self.woken.is_empty() => Flow::Stop(Stop::Woke),
            flow => flow,
        }
    }

    /// Leaves a native to wait for what interrupted it, unless natives that call each other go too
    /// deep: those have no frames that would be counted.
    fn leave_waiting(
        &mut self,
        thread: usize,
        pending: Pending,
        interrupt: Abrupt,
    ) -> Result<Option<Stop>, Value> {
        let state = &mut self.threads[thread];
        if state.pending.len() >= state.frames.len() + self.limits.recursion {
            return Err(self.throw(Type::RecursionError, "maximum recursion depth exceeded"));
        }
        state.pending.push(pending);
        self.interrupted(thread, interrupt)
    }

    /// Notes what the native on top asked. A stop, if the slice ends; nothing if `resume_native`
    /// can go on.
    fn interrupted(&mut self, thread: usize, interrupt: Abrupt) -> Result<Option<Stop>, Value> {
        let id = ThreadId(thread as u32);
        let pending = self.threads[thread]
            .pending
            .last_mut()
            .expect("the native that asked");
        match interrupt {
            Abrupt::Throw(exception) => {
                self.threads[thread].pending.pop();
                Err(exception)
            }
            Abrupt::Calls { calls, catch } => {
                pending.awaiting = Awaiting::Calls {
                    calls,
                    results: Vec::new(),
                    catch,
                };
                Ok(None)
            }
            Abrupt::Call(call) => {
                pending.awaiting = Awaiting::Engine;
                self.threads[thread].status = Status::Calling((*call).clone());
                Ok(Some(Stop::Call(*call)))
            }
            Abrupt::Wait {
                on,
                deadline_ns,
                guarded,
            } => {
                pending.awaiting = Awaiting::Wake { on, guarded };
                match on {
                    WaitOn::Object(object) => sync::enqueue(self, object, id),
                    WaitOn::Thread(other) | WaitOn::Begin(other) => {
                        self.threads[other.0 as usize].joiners.push(id);
                    }
                }
                self.threads[thread].status = Status::Waiting { on, deadline_ns };
                Ok(Some(Stop::Waiting))
            }
            Abrupt::Room { bytes } => {
                if self.make_room(bytes) {
                    return Ok(None);
                }
                self.threads[thread].pending.pop();
                Err(self.out_of_memory())
            }
            Abrupt::Flagged => Ok(Some(Stop::Flagged)),
            Abrupt::Exit(code) => Ok(Some(Stop::Exit(code))),
            Abrupt::Abort => Ok(Some(Stop::Abort)),
        }
    }

    /// Goes on with the native on top: makes the calls it asked for, then runs it again.
    pub(in crate::vm) fn resume_native(&mut self, thread: usize) -> Step {
        loop {
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("resume_native has a native to go on with");
            match &mut pending.awaiting {
                Awaiting::Calls { calls, results, .. } if results.len() < calls.len() => {
                    let (callee, args) = calls[results.len()].clone();
                    if let Value::Native(native) = callee
                        && native.0 >= DONE_BY_THE_VM
                    {
                        // Done here and not through `deliver`, so that a long row of calls of
                        // natives does not nest.
                        match self.call_native_in_place(thread, native, &args)? {
                            CallInPlace::Value(value) => {
                                let pending = self.threads[thread]
                                    .pending
                                    .last_mut()
                                    .expect("still there");
                                if let Awaiting::Calls { results, .. } = &mut pending.awaiting {
                                    results.push(value);
                                }
                                if !self.collect_keeping(Value::None) {
                                    return Err(self.out_of_memory());
                                }
                            }
                            CallInPlace::Pushed => {}
                            CallInPlace::Stop(stop) => return Ok(Flow::Stop(stop)),
                        }
                        continue;
                    }
                    let outer = std::mem::replace(&mut self.resuming_native, true);
                    let step = self.call_value(thread, callee, &args, Return::Native);
                    self.resuming_native = outer;
                    match step? {
                        // Whom it woke is told when this native is done, too.
                        Flow::Next | Flow::Stop(Stop::Woke) => continue,
                        other => return Ok(other),
                    }
                }
                Awaiting::Calls { .. } => {
                    let Awaiting::Calls { calls, results, .. } =
                        std::mem::replace(&mut pending.awaiting, Awaiting::Nothing)
                    else {
                        unreachable!("just matched")
                    };
                    pending.log.push(LogEntry::Calls { calls, results });
                }
                Awaiting::Wake { .. } => pending.awaiting = Awaiting::Nothing,
                Awaiting::Engine => unreachable!("a thread with an open call is not ready"),
                Awaiting::Nothing => {}
            }
            // Run it again.
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("still there");
            let (native, bound) = (pending.native, pending.bound);
            let extra = std::mem::take(&mut pending.extra);
            let log = std::mem::take(&mut pending.log);
            let mut ctx = Ctx::new(self, thread, native, bound);
            ctx.extra = &extra;
            ctx.log = &log;

            let result = ctx.run();
            let used = ctx.replayed;
            let fresh = std::mem::take(&mut ctx.new_entries);
            let pending = self.threads[thread]
                .pending
                .last_mut()
                .expect("natives push no natives");
            pending.extra = extra;
            pending.log = log;
            match result {
                Ok(value) => {
                    let ret = self.threads[thread].pending.pop().expect("still there").ret;
                    if !self.collect_keeping(value) {
                        return Err(self.out_of_memory());
                    }
                    if ret == Return::Native {
                        let pending = self.threads[thread]
                            .pending
                            .last_mut()
                            .expect("a native waits for this");
                        if let Awaiting::Calls { results, .. } = &mut pending.awaiting {
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
                    // Answers beyond those that were used belong to questions that are no longer
                    // asked.
                    pending.log.truncate(used);
                    pending.log.extend(fresh);
                    if let Some(stop) = self.interrupted(thread, interrupt)? {
                        return Ok(Flow::Stop(stop));
                    }
                }
            }
        }
    }

    /// Calls a native for the native on top.
    fn call_native_in_place(
        &mut self,
        thread: usize,
        native: NativeId,
        args: &[Value],
    ) -> Result<CallInPlace, Value> {
        let top = self.stack_top(thread);
        self.reserve(thread, top, args.len() + 2);
        self.threads[thread].stack[top..top + args.len()].copy_from_slice(args);
        let arguments = Arguments {
            at: top,
            count: args.len(),
            names: &[],
        };
        let (bound, extra) = self.bind_native(thread, native, arguments)?;
        self.check_receiver(thread, native, bound)?;
        let mut ctx = Ctx::new(self, thread, native, bound);
        ctx.extra = &extra;

        let result = ctx.run();
        let fresh = std::mem::take(&mut ctx.new_entries);
        match result {
            Ok(value) => Ok(CallInPlace::Value(value)),
            Err(Abrupt::Throw(exception)) => Err(exception),
            Err(interrupt) => {
                let pending = Pending {
                    native,
                    bound,
                    extra,
                    ret: Return::Native,
                    log: fresh.into_vec(),
                    awaiting: Awaiting::Nothing,
                    depth: self.threads[thread].frames.len() as u32,
                };
                Ok(match self.leave_waiting(thread, pending, interrupt)? {
                    Some(stop) => CallInPlace::Stop(stop),
                    None => CallInPlace::Pushed,
                })
            }
        }
    }
}

/// Methods of texts whose arguments CPython reads by a format of its own, with its own words for
/// too few.
const SEARCHES: [&str; 7] = [
    "count",
    "endswith",
    "find",
    "index",
    "rfind",
    "rindex",
    "startswith",
];
