//! `mini sim`: a script in the simulation.

use crate::cli::args::SimArgs;
use crate::cli::input::Input;
use crate::cli::record::Record;
use crate::cli::run::{end_text, prepare, run_limits};
use crate::cli::signals::{self, Signal};
use crate::cli::stats::{Machine, duration};
use crate::cli::timeline::look;
use crate::cli::{Trouble, exit, say, stats, terminal};
use crate::engine::SIGTERM;
use crate::engine::outcome::End;
use crate::engine::sim::{self, Options, Outcome};
use crate::event::Sink;
use crate::event::trace::Heading;
use crate::printable;
use crate::printable::Printable;
use crate::vm::flag::InterruptFlag;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Simulates a script and says how it ended.
pub(super) fn sim(args: &SimArgs, paint: bool) -> Result<i32, Trouble> {
    let Some(vm) = prepare(&args.script, &args.limits, paint)? else {
        return Ok(exit::USAGE);
    };
    let flag: Arc<InterruptFlag> = Arc::default();
    let terminated = Arc::new(AtomicBool::new(false));
    let (told_to_stop, told_to_end) = (flag.clone(), terminated.clone());
    signals::watch(
        move |signal| {
            told_to_end.fetch_or(signal == Signal::Terminate, Ordering::Relaxed);
            told_to_stop.raise();
        },
        || {
            printable!(
                "mini: the simulation has not ended yet: it is in a long builtin, or nobody takes its output. A second Ctrl-C ends it at once\n"
            )
        },
    )?;
    let streams = Streams {
        input: Box::new(Input::new(flag.clone())),
        output: Box::new(terminal::output()),
        error: Box::new(terminal::error()),
    };
    let look = look(&args.record.look, terminal::error_window(), paint);
    let record = Record::begin(&args.record, args.script.file(), || heading(args), look)?;
    let sink = record.as_ref().map(Record::sink);
    let mut outcome = sim::run(vm, options(args, streams, sink, flag));
    if let End::Interrupted(where_all_were) = &outcome.end {
        if terminated.load(Ordering::Relaxed) {
            outcome.end = End::Killed(SIGTERM);
        } else {
            let at = duration(outcome.elapsed.0);
            say(&printable!(
                "interrupted at ",
                at,
                " of virtual time\n",
                *where_all_were
            ))?;
        }
    } else {
        say(&end_text(&outcome.end))?;
    }
    say(&report(&outcome, args, record)?)?;
    Ok(exit::of(&outcome.end))
}

/// What stands for the script's streams.
pub(super) struct Streams {
    pub(super) input: Box<dyn BufRead + Send>,
    pub(super) output: Box<dyn Write + Send>,
    pub(super) error: Box<dyn Write + Send>,
}

/// What the simulation is given.
pub(super) fn options(
    args: &SimArgs,
    streams: Streams,
    sink: Option<Box<dyn Sink>>,
    flag: Arc<InterruptFlag>,
) -> Options {
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
        flag,
    }
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
