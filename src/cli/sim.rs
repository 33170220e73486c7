//! `mini sim`: a script in the simulation.

use crate::cli::args::SimArgs;
use crate::cli::run::{prepare, run_limits, say_end};
use crate::cli::stats::Machine;
use crate::cli::{Trouble, exit, say, stats};
use crate::engine::sim::{self, Options};
use anyhow::Context;
use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Simulates a script and says how it ended.
#[expect(clippy::disallowed_methods, reason = "the script's own streams")]
pub(super) fn sim(args: &SimArgs, paint: bool) -> Result<i32, Trouble> {
    let Some(vm) = prepare(&args.script, &args.limits, paint)? else {
        return Ok(exit::USAGE);
    };
    let stop = Arc::new(AtomicBool::new(false));
    let interrupted = stop.clone();
    ctrlc::set_handler(move || interrupted.store(true, Ordering::Relaxed))
        .context("Ctrl-C cannot be caught")?;
    let outcome = sim::run(
        vm,
        Options {
            lock: args.gil.lock(),
            cores: args.cores,
            costs: *args.costs,
            schedule: args.schedule,
            seed: args.seed,
            limits: run_limits(&args.limits),
            input: Box::new(BufReader::new(std::io::stdin())),
            output: Box::new(std::io::stdout()),
            error: Box::new(std::io::stderr()),
            sink: None,
            stop,
        },
    );
    say_end(&outcome.end);
    if args.stats {
        let machine = Machine::Simulated(&outcome, args.costs);
        say(&stats::report(&machine, args.gil, args.format)?);
    }
    Ok(exit::of(&outcome.end))
}
