//! What the modules `time`, `os` and `sys` are written with: clocks, this process, the lock's
//! intervals, the standard streams. All of it is asked of the engine.

use crate::vm::builtins::output::reserve_written;
use crate::vm::builtins::sync::nanoseconds;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, module_native, native};
use crate::vm::state::slice::{Clock, Stream, SysCall};
use crate::vm::state::thread::Frame;
use std::fmt::Write as _;

pub(super) const NATIVES: &[Native] = &[
    module_native("_time_sleep", "sleep", "seconds, /", time_sleep),
    module_native("_time_time", "time", "", |ctx| seconds(ctx, Clock::Wall)),
    module_native("_time_time_ns", "time_ns", "", |ctx| now(ctx, Clock::Wall)),
    module_native("_time_monotonic", "monotonic", "", |ctx| {
        seconds(ctx, Clock::Monotonic)
    }),
    module_native("_time_monotonic_ns", "monotonic_ns", "", |ctx| {
        now(ctx, Clock::Monotonic)
    }),
    module_native("_time_perf_counter", "perf_counter", "", |ctx| {
        seconds(ctx, Clock::Monotonic)
    }),
    module_native("_time_perf_counter_ns", "perf_counter_ns", "", |ctx| {
        now(ctx, Clock::Monotonic)
    }),
    module_native("_time_process_time", "process_time", "", |ctx| {
        seconds(ctx, Clock::Process)
    }),
    module_native("_time_process_time_ns", "process_time_ns", "", |ctx| {
        now(ctx, Clock::Process)
    }),
    module_native("_time_thread_time", "thread_time", "", |ctx| {
        seconds(ctx, Clock::Thread)
    }),
    module_native("_time_thread_time_ns", "thread_time_ns", "", |ctx| {
        now(ctx, Clock::Thread)
    }),
    module_native("_os_getpid", "getpid", "", |ctx| ctx.sys(SysCall::Pid)),
    module_native("_os_getppid", "getppid", "", |ctx| {
        ctx.sys(SysCall::ParentPid)
    }),
    module_native("_os_cpu_count", "cpu_count", "", |ctx| {
        ctx.sys(SysCall::CpuCount)
    }),
    module_native("_os_yield", "sched_yield", "", |ctx| {
        ctx.sys(SysCall::Yield)
    }),
    module_native("_os_kill", "kill", "pid, signal, /", os_kill),
    module_native("_os_exit", "_exit", "status", os_exit),
    module_native("_os_abort", "abort", "", |_| Err(Abrupt::Abort)),
    native("_sys_argv", "", sys_argv),
    module_native(
        "_sys_getswitchinterval",
        "getswitchinterval",
        "",
        get_switch_interval,
    ),
    module_native(
        "_sys_setswitchinterval",
        "setswitchinterval",
        "interval, /",
        set_switch_interval,
    ),
    module_native("_sys_getcheckinterval", "getcheckinterval", "", |ctx| {
        ctx.sys(SysCall::CheckInterval)
    }),
    module_native(
        "_sys_setcheckinterval",
        "setcheckinterval",
        "n, /",
        set_check_interval,
    ),
    module_native("_sys_is_gil_enabled", "_is_gil_enabled", "", |ctx| {
        ctx.sys(SysCall::GilEnabled)
    }),
    module_native("_sys_getrecursionlimit", "getrecursionlimit", "", |ctx| {
        Ok(Value::Int(ctx.vm.limits.recursion as i64))
    }),
    module_native(
        "_sys_setrecursionlimit",
        "setrecursionlimit",
        "limit, /",
        set_recursion_limit,
    ),
    module_native("_sys_write", "write", "stream, text, /", sys_write),
    module_native("_sys_flush", "flush", "stream, /", sys_flush),
    module_native("_sys_readline", "readline", "", |ctx| {
        ctx.sys(SysCall::ReadLine)
    }),
    module_native("_sys_exc_info", "exc_info", "", exc_info),
    native("_caller", "outside, level", caller),
    native("_stack_format", "outside, /", stack_format),
    native("_traceback_format", "exception, /", traceback_format),
    native("_entropy", "", |ctx| ctx.sys(SysCall::Entropy)),
];

/// Asks for a time in nanoseconds.
fn now(ctx: &mut Ctx<'_>, clock: Clock) -> Result<Value, Abrupt> {
    ctx.sys(SysCall::Now(clock))
}

fn seconds(ctx: &mut Ctx<'_>, clock: Clock) -> Result<Value, Abrupt> {
    match now(ctx, clock)? {
        Value::Int(ns) => Ok(Value::Float(ns as f64 / 1e9)),
        _ => unreachable!("a clock answers with a number"),
    }
}

fn time_sleep(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let duration = ctx.arg(0);
    let ns = nanoseconds(ctx, duration)?;
    match u64::try_from(ns) {
        Ok(ns) => ctx.sys(SysCall::Sleep { ns }),
        Err(_) => Err(ctx.value_error("sleep length must be non-negative")),
    }
}

fn os_kill(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (pid, signal) = (ctx.arg(0), ctx.arg(1));
    let pid = ctx.index(pid)?;
    let signal = ctx.index(signal)?;
    match i32::try_from(signal) {
        Ok(signal @ 0..=64) => ctx.sys(SysCall::KillPid { pid, signal }),
        _ => Err(ctx.raise(Fault::invalid_argument())),
    }
}

fn os_exit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let status = ctx.arg(0);
    let status = ctx.index(status)?;
    Err(Abrupt::Exit((status & 0xff) as i32))
}

fn sys_argv(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let args: Vec<Value> = ctx
        .vm
        .argv
        .clone()
        .into_iter()
        .map(|arg| ctx.vm.heap.new_str(arg))
        .collect();
    Ok(ctx.vm.heap.new_list(args))
}

fn get_switch_interval(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    match ctx.sys(SysCall::SwitchInterval)? {
        Value::Int(ns) => Ok(Value::Float((ns / 1000) as f64 / 1e6)),
        _ => unreachable!("an interval is a number"),
    }
}

/// Whole microseconds, and at least one, as in CPython.
fn set_switch_interval(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let interval = ctx.arg(0);
    let seconds = ctx.float(interval)?;
    if seconds.is_nan() || seconds <= 0.0 {
        return Err(ctx.value_error("switch interval must be strictly positive"));
    }
    let us = ((seconds * 1e6) as u64).clamp(1, u64::MAX / 1_000_000);
    ctx.sys(SysCall::SetSwitchInterval { ns: us * 1000 })
}

fn set_check_interval(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let count = ctx.arg(0);
    let instructions = ctx.index(count)?.max(1) as u64;
    ctx.sys(SysCall::SetCheckInterval { instructions })
}

fn set_recursion_limit(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let limit = ctx.arg(0);
    let limit = ctx.index(limit)?;
    match usize::try_from(limit) {
        Ok(limit @ 1..) => {
            ctx.vm.limits.recursion = limit;
            Ok(Value::None)
        }
        _ => Err(ctx.value_error("recursion limit must be greater or equal than 1")),
    }
}

fn stream(ctx: &mut Ctx<'_>) -> Result<Stream, Abrupt> {
    match ctx.arg(0) {
        Value::Int(1) => Ok(Stream::Out),
        Value::Int(2) => Ok(Stream::Err),
        _ => Err(ctx.value_error("there are the streams 1 and 2")),
    }
}

fn sys_write(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let stream = stream(ctx)?;
    let Value::Str(text) = ctx.arg(1) else {
        let of = ctx.vm.type_name(ctx.arg(1)).to_owned();
        return Err(ctx.type_error(format!("write() argument must be str, not {of}")));
    };
    let length = ctx.vm.heap.strs[text].len() as i64;
    reserve_written(ctx, ctx.vm.heap.text(text).len())?;
    let text = ctx.vm.heap.text_arc(text);
    ctx.sys(SysCall::Write {
        stream,
        text,
        flush: false,
    })?;
    Ok(Value::Int(length))
}

fn sys_flush(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let stream = stream(ctx)?;
    ctx.sys(SysCall::Write {
        stream,
        text: "".into(),
        flush: true,
    })
}

/// The exception being handled: its class, itself, its traceback.
fn exc_info(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let handling = ctx.vm.threads[ctx.thread.0 as usize].handling;
    let parts = ctx.vm.exit_arguments(handling);
    Ok(ctx.vm.heap.new_tuple(parts))
}

/// File, line, function and module of the code that called into a module: the innermost frame
/// outside of it, or one `level` - 1 further out.
fn caller(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (outside, level) = (ctx.arg(0), ctx.arg(1));
    let outside = ctx.str(outside)?;
    let level = usize::try_from(ctx.index(level)?).unwrap_or(1);
    let program = ctx.vm.image.program.clone();
    let frames = &ctx.vm.threads[ctx.thread.0 as usize].frames;
    let callers = frames.iter().rev().filter_map(|frame| {
        let code = &program.codes[frame.code.0 as usize];
        let outside = *program.modules[code.module as usize].name == *outside;
        (!code.internal && !outside).then_some((code, frame.pc.saturating_sub(1)))
    });
    let mut callers = callers.flat_map(|(code, pc)| {
        let frames: Vec<_> = code.frames_at(pc).collect();
        frames
            .into_iter()
            .rev()
            .map(move |(name, at)| (code, name, at))
    });
    let Some((code, name, at)) = callers.nth(level.saturating_sub(1)) else {
        return Ok(Value::None);
    };
    let source = &program.sources[code.source.0 as usize];
    let line = source.line(code.span_at(at).start);
    let file = ctx.vm.heap.new_str(source.name.clone());
    let function = ctx.vm.heap.new_str(name);
    let module = program.modules[code.module as usize].name.clone();
    let module = ctx.vm.heap.new_str(module);
    let parts = [file, Value::Int(line.into()), function, module];
    Ok(ctx.vm.heap.new_tuple(parts))
}

/// The calls that lead to a module, outermost first, each with its line, as a traceback shows them
/// but without marks.
fn stack_format(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let outside = ctx.arg(0);
    let outside = ctx.str(outside)?;
    let program = ctx.vm.image.program.clone();
    let frames = &ctx.vm.threads[ctx.thread.0 as usize].frames;
    let module_of = |frame: &Frame| program.codes[frame.code.0 as usize].module as usize;
    let callers = frames
        .iter()
        .rposition(|frame| *program.modules[module_of(frame)].name != *outside)
        .map_or(&[][..], |innermost| &frames[..=innermost]);
    let mut text = String::new();
    for frame in callers {
        let code = &program.codes[frame.code.0 as usize];
        if code.internal {
            continue;
        }
        let source = &program.sources[code.source.0 as usize];
        for (name, at) in code.frames_at(frame.pc.saturating_sub(1)) {
            let line = source.line(code.span_at(at).start);
            let _ = write!(
                text,
                "  File \"{}\", line {line}, in {name}\n    {}\n",
                source.name,
                source.line_text(line).trim()
            );
        }
    }
    Ok(ctx.vm.heap.new_string(text))
}

/// The report of an exception, as it would be printed.
fn traceback_format(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let exception = ctx.arg(0);
    let mut texts = Vec::new();
    for (exception, _) in ctx.vm.chain(exception) {
        texts.push(ctx.str(exception)?);
    }
    let report = ctx.vm.report(exception, &texts);
    Ok(ctx.vm.heap.new_string(report))
}
