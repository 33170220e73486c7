//! The three primitives (`spawn_thread`, `spawn_process`, `join`) and what `threading` and
//! `multiprocessing` are written with: threads, processes, channels between processes, and cells
//! that all of them see.

use crate::vm::builtins::sync::{optional_deadline, this};
use crate::vm::heap::class::Type;
use crate::vm::heap::object::{Object, Tuple};
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::semantics::parcel;
use crate::vm::state::native::{Abrupt, Ctx, Native, Woken, getter, method, native};
use crate::vm::state::slice::{Parcel, SysCall, WaitOn};
use crate::vm::state::thread::{Outcome, Status};
use std::sync::Arc;

pub(super) const NATIVES: &[Native] = &[
    native("spawn_thread", "f, /, *args", spawn_thread),
    native("spawn_process", "f, /, *args", spawn_process),
    native("join", "handle, timeout=", join),
    native(
        "_thread_start",
        "function, name, daemon, object",
        thread_start,
    ),
    native("_thread_join", "handle, timeout", thread_join),
    native("_thread_current", "", thread_current),
    native("_thread_object", "handle", thread_object),
    native("_thread_adopt", "handle, object", thread_adopt),
    native("_thread_self", "", thread_self),
    native("_thread_main", "", thread_main),
    native("_thread_all", "", thread_all),
    native("_thread_ident", "", thread_ident),
    native("_thread_native_id", "", thread_native_id),
    native("_thread_rename", "handle, name", thread_rename),
    native("_at_exit", "function", at_exit),
    getter(Type::ThreadHandle, "name", handle_name),
    getter(Type::ThreadHandle, "ident", handle_ident),
    getter(Type::ThreadHandle, "native_id", handle_native_id),
    getter(Type::ThreadHandle, "daemon", handle_daemon),
    method(Type::ThreadHandle, "is_alive", "self, /", handle_is_alive),
    native("_process_start", "function, name, daemon", process_start),
    native("_process_spawn", "process, name, daemon", process_spawn),
    native("_process_spawned", "", process_spawned),
    native("_process_sent", "", process_sent),
    native("_process_join", "handle, timeout", process_join),
    getter(Type::ProcessHandle, "name", process_name),
    getter(Type::ProcessHandle, "pid", process_pid),
    getter(Type::ProcessHandle, "ident", process_pid),
    getter(Type::ProcessHandle, "exitcode", process_exitcode),
    method(Type::ProcessHandle, "is_alive", "self, /", process_is_alive),
    method(
        Type::ProcessHandle,
        "terminate",
        "self, /",
        process_terminate,
    ),
    method(Type::ProcessHandle, "kill", "self, /", process_kill),
    native("_channel_new", "capacity", channel_new),
    native("_channel_send", "writer, value, timeout", channel_send),
    native("_channel_receive", "reader, timeout", channel_receive),
    native("_channel_length", "end", channel_length),
    native("_channel_close", "end", channel_close),
    native("_parcel_copy", "value", parcel_copy),
    native("_shared_new", "value", shared_new),
    native("_shared_get", "cell", shared_get),
    native("_shared_set", "cell, value", shared_set),
];

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

fn spawn_thread(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let function = ctx.arg(0);
    let thread = ctx.once(|ctx| {
        let args = ctx.rest();
        let daemon = ctx.vm.threads[ctx.thread.0 as usize].daemon;
        let name = match function_name(ctx, function) {
            Some(name) => format!("Thread-{} ({name})", ctx.vm.threads.made()),
            None => format!("Thread-{}", ctx.vm.threads.made()),
        };
        let thread = ctx.vm.new_thread(function, args, Vec::new(), &name, daemon);
        Ok(Value::Int(thread.0.into()))
    })?;
    start(ctx, thread)
}

fn thread_start(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (function, name, daemon, object) = (ctx.arg(0), ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let name = text(ctx, name)?;
    let daemon = ctx.truth(daemon)?;
    let thread = ctx.once(|ctx| {
        let thread = ctx
            .vm
            .new_thread(function, Vec::new(), Vec::new(), &name, daemon);
        ctx.vm.threads[thread.0 as usize].object = object;
        Ok(Value::Int(thread.0.into()))
    })?;
    start(ctx, thread)
}

/// Asks the engine to run a thread that was made, and gives its handle. The engine says whether to
/// wait until it has begun, as CPython's `Thread.start` does (`_started.wait()`).
fn start(ctx: &mut Ctx<'_>, thread: Value) -> Result<Value, Abrupt> {
    let Value::Int(number) = thread else {
        unreachable!("it was made so")
    };
    let thread = ThreadId(number as u32);
    let waits = ctx.sys(SysCall::StartThread(thread))?;
    // The handle remembers the thread, which may end before this one goes on.
    let handle = ctx.once(|ctx| Ok(handle(ctx, thread)))?;
    if matches!(waits, Value::Bool(true)) {
        while !ctx.vm.has_begun(thread) {
            ctx.wait(WaitOn::Begin(thread), None)?;
        }
    }
    Ok(handle)
}

fn handle(ctx: &mut Ctx<'_>, thread: ThreadId) -> Value {
    ctx.vm.heap.new_object(Object::ThreadHandle(thread))
}

fn function_name(ctx: &Ctx<'_>, function: Value) -> Option<Arc<str>> {
    match function {
        Value::Function(function) => {
            let code = ctx.vm.heap.functions[function].code;
            Some(ctx.vm.image.program.codes[code.0 as usize].name.clone())
        }
        Value::Native(native) => Some(ctx.vm.image.natives[native].shown.into()),
        Value::Method(method) => function_name(ctx, ctx.vm.heap.methods[method].function),
        Value::Class(class) => Some(ctx.vm.heap.classes[class].name.clone()),
        _ => None,
    }
}

fn text(ctx: &mut Ctx<'_>, value: Value) -> Result<Arc<str>, Abrupt> {
    match value {
        Value::Str(it) => Ok(ctx.vm.heap.text_arc(it)),
        _ => Err(ctx.type_error("a name must be a str")),
    }
}

/// What a value is a handle of.
enum Handle {
    Thread(ThreadId),
    Process(u64),
}

fn handle_of(ctx: &mut Ctx<'_>, value: Value) -> Result<Handle, Abrupt> {
    if let Value::Object(object) = value {
        match &ctx.vm.heap.objects[object] {
            Object::ThreadHandle(thread) => return Ok(Handle::Thread(*thread)),
            Object::ProcessHandle { process, .. } => return Ok(Handle::Process(*process)),
            _ => {}
        }
    }
    let of = ctx.vm.type_name(value).to_owned();
    Err(ctx.type_error(format!(
        "expected a handle of spawn_thread or spawn_process, not '{of}'"
    )))
}

fn thread_of(ctx: &mut Ctx<'_>, value: Value) -> Result<ThreadId, Abrupt> {
    match handle_of(ctx, value)? {
        Handle::Thread(thread) => Ok(thread),
        Handle::Process(_) => Err(ctx.type_error("expected the handle of a thread")),
    }
}

fn join(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (handle, timeout) = (ctx.arg(0), ctx.arg(1));
    match handle_of(ctx, handle)? {
        Handle::Thread(thread) => {
            if thread == ctx.thread {
                return Err(ctx.error(Type::RuntimeError, "cannot join current thread"));
            }
            if !wait_for_thread(ctx, thread, timeout)? {
                return Err(ctx.error(Type::TimeoutError, "the thread has not ended yet"));
            }
            match ctx.vm.threads[thread.0 as usize].outcome {
                Some(Outcome::Raised(exception)) => outcome(ctx, false, exception),
                Some(Outcome::Returned(value)) => Ok(value),
                None => Ok(Value::None),
            }
        }
        Handle::Process(process) => {
            if !wait_for_process(ctx, process, timeout)? {
                return Err(ctx.error(Type::TimeoutError, "the process has not ended yet"));
            }
            // None if it was killed, or ended itself by `os._exit`: then there is nothing to
            // return.
            let Some(pair) = unpacked(ctx, |_| SysCall::ProcessResult { process })? else {
                return Ok(Value::None);
            };
            match pair {
                Value::Tuple(pair) => match *ctx.vm.heap.tuples[pair].0 {
                    [Value::Bool(returned), value] => outcome(ctx, returned, value),
                    _ => Ok(Value::None),
                },
                _ => Ok(Value::None),
            }
        }
    }
}

/// What joining gives for what a function came to. `SystemExit` ended the other thread or process,
/// not the one that joins.
fn outcome(ctx: &mut Ctx<'_>, returned: bool, value: Value) -> Result<Value, Abrupt> {
    if returned {
        Ok(value)
    } else if ctx.vm.is_instance(value, Type::SystemExit.class()) {
        Ok(Value::None)
    } else {
        Err(Abrupt::Throw(value))
    }
}

fn wait_for_thread(ctx: &mut Ctx<'_>, thread: ThreadId, timeout: Value) -> Result<bool, Abrupt> {
    let has_ended = |ctx: &Ctx<'_>| ctx.vm.threads[thread.0 as usize].status == Status::Finished;
    if has_ended(ctx) {
        return Ok(true);
    }
    let deadline_ns = optional_deadline(ctx, timeout)?;
    loop {
        if has_ended(ctx) {
            return Ok(true);
        }
        match ctx.wait(WaitOn::Thread(thread), deadline_ns)? {
            Woken::Up => {}
            Woken::TimedOut => return Ok(has_ended(ctx)),
        }
    }
}

fn wait_for_process(ctx: &mut Ctx<'_>, process: u64, timeout: Value) -> Result<bool, Abrupt> {
    let deadline_ns = optional_deadline(ctx, timeout)?;
    let ended = ctx.sys(SysCall::WaitProcess {
        process,
        deadline_ns,
    })?;
    Ok(matches!(ended, Value::Bool(true)))
}

/// Asks for something that is answered with a parcel, which arrives in a tuple of one, or with
/// none.
fn unpacked(
    ctx: &mut Ctx<'_>,
    call: impl FnOnce(&mut Ctx<'_>) -> SysCall,
) -> Result<Option<Value>, Abrupt> {
    match ctx.sys_with(|ctx| Ok(call(ctx)))? {
        Value::Tuple(tuple) => Ok(Some(ctx.vm.heap.tuples[tuple].0[0])),
        _ => Ok(None),
    }
}

fn thread_join(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (handle, timeout) = (ctx.arg(0), ctx.arg(1));
    let thread = thread_of(ctx, handle)?;
    Ok(Value::Bool(wait_for_thread(ctx, thread, timeout)?))
}

fn thread_current(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(ctx.vm.threads[ctx.thread.0 as usize].object)
}

fn thread_object(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let thread = thread_of(ctx, handle)?;
    Ok(ctx.vm.threads[thread.0 as usize].object)
}

fn thread_adopt(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (handle, object) = (ctx.arg(0), ctx.arg(1));
    let thread = thread_of(ctx, handle)?;
    ctx.vm.threads[thread.0 as usize].object = object;
    Ok(Value::None)
}

fn thread_self(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let thread = ctx.thread;
    Ok(handle(ctx, thread))
}

fn thread_main(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let thread = ctx.vm.main;
    Ok(handle(ctx, thread))
}

fn thread_all(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let main = ctx.vm.main;
    // The main thread counts until its process ends, also while it waits for the others.
    let others = ctx.vm.threads.alive().filter(|it| *it != main);
    let alive: Vec<ThreadId> = std::iter::once(main).chain(others).collect();
    let handles: Vec<Value> = alive
        .into_iter()
        .map(|thread| handle(ctx, thread))
        .collect();
    Ok(ctx.vm.heap.new_list(handles))
}

/// What scripts see of a thread's number: never 0.
fn ident(thread: ThreadId) -> Value {
    Value::Int(i64::from(thread.0) + 1)
}

fn thread_ident(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(ident(ctx.thread))
}

fn thread_native_id(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let thread = ctx.thread;
    native_id(ctx, thread)
}

/// As Linux has it: the main thread's is the pid, the others count on from there.
fn native_id(ctx: &mut Ctx<'_>, thread: ThreadId) -> Result<Value, Abrupt> {
    match ctx.sys(SysCall::Pid)? {
        Value::Int(pid) if thread == ctx.vm.main => Ok(Value::Int(pid)),
        // Far enough apart that no two threads of a run share one.
        Value::Int(pid) => Ok(Value::Int(pid * 1_000_000 + i64::from(thread.0))),
        _ => unreachable!("a pid is a number"),
    }
}

fn thread_rename(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (handle, name) = (ctx.arg(0), ctx.arg(1));
    let thread = thread_of(ctx, handle)?;
    let name = text(ctx, name)?;
    ctx.vm.threads[thread.0 as usize].name = name;
    Ok(Value::None)
}

fn at_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let function = ctx.arg(0);
    ctx.vm.at_exit.push(function);
    Ok(Value::None)
}

fn handle_name(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let thread = thread_of(ctx, handle)?;
    let name = ctx.vm.threads[thread.0 as usize].name.clone();
    Ok(ctx.vm.heap.new_str(name))
}

fn handle_ident(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    Ok(ident(thread_of(ctx, handle)?))
}

fn handle_native_id(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let thread = thread_of(ctx, handle)?;
    native_id(ctx, thread)
}

fn handle_daemon(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let thread = thread_of(ctx, handle)?;
    Ok(Value::Bool(ctx.vm.threads[thread.0 as usize].daemon))
}

fn handle_is_alive(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let thread = thread_of(ctx, handle)?;
    let status = &ctx.vm.threads[thread.0 as usize].status;
    Ok(Value::Bool(*status != Status::Finished))
}

fn spawn_process(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let function = ctx.arg(0);
    // The engine names a process without a name by its number.
    if let Some(handle) = fork(ctx, "".into(), false)? {
        return Ok(handle);
    }
    let args = ctx.rest();
    ctx.call(function, &args)
}

fn process_start(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (function, name, daemon) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let name = text(ctx, name)?;
    let daemon = ctx.truth(daemon)?;
    match fork(ctx, name, daemon)? {
        Some(handle) => Ok(handle),
        None => ctx.call(function, &[]),
    }
}

/// Forks: in the parent the child's handle, in the child none. What the native returns then is the
/// child's result.
fn fork(ctx: &mut Ctx<'_>, name: Arc<str>, daemon: bool) -> Result<Option<Value>, Abrupt> {
    let answer = ctx.sys(SysCall::Fork {
        name: name.clone(),
        daemon,
        spawn: None,
    })?;
    let Value::Tuple(pair) = answer else {
        ctx.once(|ctx| {
            let thread = &mut ctx.vm.threads[ctx.thread.0 as usize];
            thread.name = "MainThread".into();
            thread.object = Value::None;
            Ok(Value::None)
        })?;
        return Ok(None);
    };
    Ok(Some(process_handle(ctx, pair, name)))
}

/// The handle of a process that was just made.
fn process_handle(ctx: &mut Ctx<'_>, numbers: Ref<Tuple>, name: Arc<str>) -> Value {
    let [Value::Int(process), Value::Int(pid)] = *ctx.vm.heap.tuples[numbers].0 else {
        unreachable!("the engine answers a fork with two numbers")
    };
    let process = process as u64;
    let name = if name.is_empty() {
        format!("Process-{process}").into()
    } else {
        name
    };
    ctx.vm
        .heap
        .new_object(Object::ProcessHandle { process, pid, name })
}

/// Starts a process that begins from nothing and is sent an object; the handle.
fn process_spawn(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (process, name, daemon) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let name = text(ctx, name)?;
    let daemon = ctx.truth(daemon)?;
    if ctx.vm.module_of_spawned().is_none() {
        return Err(ctx.error(Type::RuntimeError, "the program has no module '_process'"));
    }
    let answer = ctx.sys_with(|ctx| {
        let parcel = parcel::encode_for_child(ctx.vm, process).map_err(|it| it.interrupt(ctx))?;
        Ok(SysCall::Fork {
            name: name.clone(),
            daemon,
            spawn: Some(parcel),
        })
    })?;
    match answer {
        Value::Tuple(numbers) => Ok(process_handle(ctx, numbers, name)),
        _ => unreachable!("a spawned process does not go on here"),
    }
}

/// The name of the process if it was spawned, else none.
fn process_spawned(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let name = ctx.vm.spawned.as_ref().map(|(name, _)| name.clone());
    Ok(name.map_or(Value::None, |name| ctx.vm.heap.new_str(name)))
}

/// What the process was sent when it was spawned.
fn process_sent(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Some((_, parcel)) = ctx.vm.spawned.clone() else {
        return Ok(Value::None);
    };
    parcel::decode(ctx.vm, &parcel).map_err(|it| it.interrupt(ctx))
}

fn process_of(ctx: &mut Ctx<'_>, value: Value) -> Result<u64, Abrupt> {
    match handle_of(ctx, value)? {
        Handle::Process(process) => Ok(process),
        Handle::Thread(_) => Err(ctx.type_error("expected the handle of a process")),
    }
}

fn process_join(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (handle, timeout) = (ctx.arg(0), ctx.arg(1));
    let process = process_of(ctx, handle)?;
    Ok(Value::Bool(wait_for_process(ctx, process, timeout)?))
}

fn process_name(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    match &ctx.vm.heap.objects[this(ctx)] {
        Object::ProcessHandle { name, .. } => {
            let name = name.clone();
            Ok(ctx.vm.heap.new_str(name))
        }
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

fn process_pid(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    match &ctx.vm.heap.objects[this(ctx)] {
        Object::ProcessHandle { pid, .. } => Ok(Value::Int(*pid)),
        _ => unreachable!("the call has checked the type of `self`"),
    }
}

fn process_exitcode(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let process = process_of(ctx, handle)?;
    ctx.sys(SysCall::ExitCode { process })
}

fn process_is_alive(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let code = process_exitcode(ctx)?;
    Ok(Value::Bool(matches!(code, Value::None)))
}

fn process_terminate(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    send_signal(ctx, SIGTERM)
}

fn process_kill(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    send_signal(ctx, SIGKILL)
}

fn send_signal(ctx: &mut Ctx<'_>, signal: i32) -> Result<Value, Abrupt> {
    let handle = ctx.arg(0);
    let process = process_of(ctx, handle)?;
    ctx.sys(SysCall::Kill { process, signal })
}

fn channel_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let capacity = ctx.arg(0);
    let capacity = ctx.index(capacity)?;
    let capacity = usize::try_from(capacity).unwrap_or(0);
    let Value::Int(number) = ctx.sys(SysCall::ChannelNew { capacity })? else {
        unreachable!("the engine answers with a channel's number")
    };
    let origin = ctx.vm.allocation_site(ctx.thread);
    let mut ends = [ChannelEnd::Reader, ChannelEnd::Writer]
        .into_iter()
        .map(|end| {
            ctx.vm.heap.new_object(Object::Channel {
                channel: number as u64,
                end,
                origin,
            })
        });
    let ends: [Value; 2] = std::array::from_fn(|_| ends.next().expect("there are two"));
    Ok(ctx.vm.heap.new_tuple(ends))
}

fn channel(ctx: &mut Ctx<'_>, value: Value) -> Result<(u64, ChannelEnd), Abrupt> {
    if let Value::Object(object) = value
        && let Object::Channel { channel, end, .. } = &ctx.vm.heap.objects[object]
    {
        return Ok((*channel, *end));
    }
    Err(ctx.type_error("expected an end of a channel"))
}

/// Copies a value out of the VM; raises what `pickle` would.
fn pack(ctx: &mut Ctx<'_>, value: Value) -> Result<Parcel, Abrupt> {
    parcel::encode(ctx.vm, value).map_err(|it| it.interrupt(ctx))
}

fn channel_send(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (writer, value, timeout) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let (channel, _) = channel(ctx, writer)?;
    let deadline_ns = optional_deadline(ctx, timeout)?;
    ctx.sys_with(|ctx| {
        Ok(SysCall::Send {
            channel,
            parcel: pack(ctx, value)?,
            deadline_ns,
        })
    })
}

fn channel_receive(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (reader, timeout) = (ctx.arg(0), ctx.arg(1));
    let (channel, _) = channel(ctx, reader)?;
    let deadline_ns = optional_deadline(ctx, timeout)?;
    ctx.sys(SysCall::Receive {
        channel,
        deadline_ns,
    })
}

fn channel_length(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let end = ctx.arg(0);
    let (channel, _) = channel(ctx, end)?;
    ctx.sys(SysCall::ChannelLen { channel })
}

fn channel_close(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let end = ctx.arg(0);
    let (channel, end) = channel(ctx, end)?;
    ctx.sys(SysCall::ChannelClose { channel, end })
}

fn parcel_copy(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    let parcel = pack(ctx, value)?;
    parcel::decode(ctx.vm, &parcel).map_err(|it| it.interrupt(ctx))
}

fn shared_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    ctx.sys_with(|ctx| {
        Ok(SysCall::SharedNew {
            parcel: pack(ctx, value)?,
        })
    })
}

fn cell(ctx: &mut Ctx<'_>) -> Result<u64, Abrupt> {
    let cell = ctx.arg(0);
    Ok(ctx.index(cell)? as u64)
}

fn shared_get(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let cell = cell(ctx)?;
    Ok(unpacked(ctx, |_| SysCall::SharedGet { cell })?.unwrap_or(Value::None))
}

fn shared_set(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let cell = cell(ctx)?;
    let value = ctx.arg(1);
    ctx.sys_with(|ctx| {
        Ok(SysCall::SharedSet {
            cell,
            parcel: pack(ctx, value)?,
        })
    })
}
