//! `mini sim`: a script in the simulation.

use crate::cli::args::SimArgs;
use crate::cli::record::Record;
use crate::cli::run::{end_text, prepare, run_limits};
use crate::cli::signals::{self, Signal};
use crate::cli::stats::Machine;
use crate::cli::timeline::look;
use crate::cli::{Trouble, exit, say, stats, terminal};
use crate::engine::SIGTERM;
use crate::engine::outcome::End;
use crate::engine::sim::{self, Options, Outcome};
use crate::event::Sink;
use crate::event::trace::Heading;
use crate::printable::Printable;
use crate::vm::Vm;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Simulates a script and says how it ended.
pub(super) fn sim(args: &SimArgs, paint: bool) -> Result<i32, Trouble> {
    let Some(vm) = prepare(&args.script, &args.limits, paint)? else {
        return Ok(exit::USAGE);
    };
    let stop = Arc::new(AtomicBool::new(false));
    let terminated = Arc::new(AtomicBool::new(false));
    let (told_to_stop, told_to_end) = (stop.clone(), terminated.clone());
    signals::watch(move |signal| {
        told_to_end.fetch_or(signal == Signal::Terminate, Ordering::Relaxed);
        told_to_stop.store(true, Ordering::Relaxed);
    })?;
    let streams = Streams {
        input: Box::new(terminal::input()),
        output: Box::new(terminal::output()),
        error: Box::new(terminal::error()),
    };
    let look = look(&args.record.look, terminal::error_window(), paint);
    let record = Record::begin(&args.record, args.script.file(), || heading(args), look)?;
    let sink = record.as_ref().map(Record::sink);
    let mut outcome = simulate(vm, args, streams, sink, stop);
    if outcome.end == End::Interrupted && terminated.load(Ordering::Relaxed) {
        outcome.end = End::Killed(SIGTERM);
    }
    say(&end_text(&outcome.end))?;
    say(&report(&outcome, args, record)?)?;
    Ok(exit::of(&outcome.end))
}

/// What stands for the script's streams.
pub(super) struct Streams {
    pub(super) input: Box<dyn BufRead + Send>,
    pub(super) output: Box<dyn Write + Send>,
    pub(super) error: Box<dyn Write + Send>,
}

/// Runs a VM as the options say.
pub(super) fn simulate(
    vm: Vm,
    args: &SimArgs,
    streams: Streams,
    sink: Option<Box<dyn Sink>>,
    stop: Arc<AtomicBool>,
) -> Outcome {
    sim::run(
        vm,
        Options {
            lock: args.gil.lock(),
            cores: args.cores,
            costs: *args.costs,
            schedule: args.schedule,
            seed: args.seed,
            limits: run_limits(&args.limits),
            input: streams.input,
            output: streams.output,
            error: streams.error,
            statistics: args.stats,
            sink,
            stop,
        },
    )
}

/// What a trace of the run says of it.
pub(super) fn heading(args: &SimArgs) -> Heading {
    Heading {
        simulated: true,
        cores: Some(args.cores),
        lock: args.gil.to_string(),
        script: args.script.file().display().to_string(),
    }
}

/// What there is to say after a run, besides how it ended.
pub(super) fn report(
    outcome: &Outcome,
    args: &SimArgs,
    record: Option<Record>,
) -> Result<Printable, Trouble> {
    let mut text = Printable::new();
    if let Some(record) = record {
        text.append(&record.end(outcome.elapsed.0)?);
    }
    if args.stats {
        let machine = Machine::Simulated(outcome, args.costs);
        text.append(&stats::report(&machine, args.gil, args.format)?);
    }
    Ok(text)
}
