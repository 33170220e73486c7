//! `mini run`: a script on real threads.

use crate::bytecode::verify::Verified;
use crate::cli::args::{LimitArgs, RunArgs, ScriptArgs};
use crate::cli::record::Record;
use crate::cli::signals::{self, Signal};
use crate::cli::stats::Machine;
use crate::cli::timeline::look;
use crate::cli::{Trouble, exit, program, say, stats, terminal};
use crate::engine::outcome::{End, RunLimits};
use crate::engine::real::{Interrupter, Options, Run};
use crate::event::trace::Heading;
use crate::printable;
use crate::printable::Printable;
use crate::vm::link::Image;
use crate::vm::tuning::Tuning;
use crate::vm::{Limits, Vm, builtins};
use anyhow::bail;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Runs a script and says how it ended.
pub(super) fn run(args: &RunArgs, paint: bool) -> Result<i32, Trouble> {
    let rules = match args.gil.real() {
        Ok(rules) => rules,
        Err(reason) => bail!(reason),
    };
    let Some(vm) = prepare(&args.script, &args.limits, paint)? else {
        return Ok(exit::USAGE);
    };
    // Caught from before the first instruction on; whoever is faster than the start waits for it.
    let interrupter: Arc<OnceLock<Interrupter>> = Arc::default();
    let started = interrupter.clone();
    let still_running = interrupter.clone();
    signals::watch(
        move |signal| match signal {
            Signal::Interrupt => started.wait().interrupt(),
            Signal::Terminate => started.wait().terminate(),
        },
        move || still(still_running.wait()),
    )?;
    let heading = || Heading {
        simulated: false,
        cores: std::thread::available_parallelism()
            .ok()
            .and_then(|it| u16::try_from(it.get()).ok()),
        lock: args.gil.to_string(),
        script: args.script.file().display().to_string(),
    };
    let look = look(&args.record.look, terminal::error_window(), paint);
    let record = Record::begin(&args.record, args.script.file(), heading, look)?;
    let run = Run::start(
        vm,
        Options {
            rules,
            limits: run_limits(&args.limits),
            input: Box::new(terminal::input()),
            output: Box::new(terminal::output()),
            error: Box::new(terminal::error()),
            line_buffered: terminal::output_is_terminal(),
            statistics: args.stats,
            sinks: record.as_ref().map(Record::sinks),
        },
    );
    interrupter.get_or_init(|| run.interrupter());
    let outcome = run.wait();
    say(&end_text(&outcome.end))?;
    if outcome.end == End::Exited(exit::INTERRUPTED)
        && let Some(found) = &outcome.found
    {
        say(&printable!("where Ctrl-C found everybody:\n", *found))?;
    }
    if let Some(record) = record {
        say(&record.end(outcome.elapsed_ns)?)?;
    }
    if args.stats {
        say(&stats::report(
            &Machine::Real(&outcome),
            args.gil,
            args.format,
        )?)?;
    }
    Ok(exit::of(&outcome.end))
}

/// What keeps a run from its end, a moment after Ctrl-C.
fn still(interrupter: &Interrupter) -> Printable {
    if let Some(where_all_are) = interrupter.whereabouts() {
        return printable!(
            "mini: the run goes on after Ctrl-C; a second one ends it at once. Where it is now:\n",
            where_all_are
        );
    }
    printable!(
        "mini: the script has ended, but nobody takes its output; a second Ctrl-C gives that up\n"
    )
}

/// A VM that is about to run a script. None: the script is not right, and the messages have been
/// printed.
pub(super) fn prepare(
    script: &ScriptArgs,
    limits: &LimitArgs,
    paint: bool,
) -> Result<Option<Vm>, Trouble> {
    let Some(verified) = program::load(script.file(), paint)? else {
        return Ok(None);
    };
    Ok(Some(begin(&verified, script.argv()?, limits)))
}

/// A VM that is about to run a program.
pub(super) fn begin(verified: &Verified, argv: Vec<String>, limits: &LimitArgs) -> Vm {
    let image = Arc::new(Image::new(verified, builtins::table()));
    let mut vm = Vm::new(image, vm_limits(limits));
    vm.argv = argv.into_iter().map(Into::into).collect();
    vm
}

/// How a run ended, where the script itself did not say.
pub(super) fn end_text(end: &End) -> Printable {
    match end {
        End::Exited(_) | End::Killed(_) => Printable::new(),
        End::Aborted => printable!("Aborted\n"),
        End::Interrupted(where_all_were) => printable!("interrupted\n", *where_all_were),
        End::Deadlock(report) => report.clone(),
        End::Limit(option) => printable!("mini: the run came to its limit, ", option, "\n"),
        End::Bug(message) => printable!("mini: this is a bug of Mini's: ", message, "\n"),
    }
}

fn vm_limits(args: &LimitArgs) -> Limits {
    Limits {
        memory_bytes: usize::try_from(args.max_memory.0).unwrap_or(usize::MAX),
        recursion: args.recursion,
        threads: args.max_threads,
        tuning: if args.stress {
            Tuning::STRESS
        } else {
            Tuning::USUAL
        },
    }
}

pub(super) fn run_limits(args: &LimitArgs) -> RunLimits {
    RunLimits {
        processes: args.max_processes,
        os_threads: os_threads(),
        time: args.max_time.map(|it| Duration::from_nanos(it.0)),
        instructions: args.max_instructions,
        output_bytes: args.max_output.map(|it| it.0),
    }
}

/// How many threads there is room for. On Linux each takes four of a process's mappings of memory
/// (its stack, the one on which an overflow of that is told, and a guard page for each); when they
/// run out in the middle of starting a thread, the whole program is ended.
#[expect(clippy::disallowed_methods, reason = "what the operating system gives")]
fn os_threads() -> usize {
    const MAPPINGS_OF_A_THREAD: usize = 4;
    /// For everything else, and for threads that are about to be gone.
    const SPARE: usize = 4000;
    std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
        .map_or(usize::MAX, |most| {
            most.saturating_sub(SPARE) / MAPPINGS_OF_A_THREAD
        })
}
