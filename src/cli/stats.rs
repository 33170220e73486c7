//! `--stats`: what each thread did with the lock, as a table or as JSON.

use crate::cli::Trouble;
use crate::cli::args::Format;
use crate::engine::outcome::ThreadFigures;
use crate::engine::real;
use crate::engine::sim::{self, Costs};
use crate::gil::Selection;
use crate::printable;
use crate::printable::{Printable, clean};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// What there is to tell of a run besides its threads.
pub(super) enum Machine<'a> {
    /// Real threads.
    Real(&'a real::Outcome),
    /// The simulation, and its cost model.
    Simulated(&'a sim::Outcome, &'a Costs),
}

impl Machine<'_> {
    fn threads(&self) -> &[ThreadFigures] {
        match self {
            Machine::Real(it) => &it.threads,
            Machine::Simulated(it, _) => &it.threads,
        }
    }

    fn elapsed_ns(&self) -> u64 {
        match self {
            Machine::Real(it) => it.elapsed_ns,
            Machine::Simulated(it, _) => it.elapsed.0,
        }
    }

    /// Processor time.
    fn cpu_ns(&self) -> u64 {
        match self {
            Machine::Real(it) => it.cpu_ns,
            Machine::Simulated(it, _) => it.cores.iter().map(|busy| busy.0).sum(),
        }
    }
}

/// The report of a run.
pub(super) fn report(
    machine: &Machine<'_>,
    gil: Selection,
    format: Format,
) -> Result<Printable, Trouble> {
    match format {
        Format::Text => Ok(text(machine, gil)),
        Format::Json => json(machine, gil),
    }
}

fn text(machine: &Machine<'_>, gil: Selection) -> Printable {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header([
        "process",
        "thread",
        "instructions",
        "holding",
        "waiting",
        "blocked",
        "acquired",
        "switches",
        "mean wait",
        "longest wait",
    ]);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for it in machine.threads() {
        table.add_row([
            clean(&it.process_name).into_owned(),
            clean(&it.thread_name).into_owned(),
            it.instructions.to_string(),
            share(it, it.times.held_ns),
            share(it, it.times.waited_ns),
            share(it, it.times.blocked_ns),
            it.times.acquisitions.to_string(),
            it.times.switches.to_string(),
            duration(mean_wait_ns(it)),
            duration(it.times.longest_wait_ns),
        ]);
    }
    let text = printable!(
        Printable::lines(&table.to_string()),
        "\nelapsed ",
        duration(machine.elapsed_ns()),
        ", processor time ",
        duration(machine.cpu_ns()),
        ", lock ",
        gil,
        "\n"
    );
    match machine {
        Machine::Real(_) => text,
        Machine::Simulated(outcome, costs) => printable!(
            text,
            "cores ",
            utilisation(outcome),
            ", costs ",
            costs.name,
            ", schedule ",
            outcome.schedule,
            "\n"
        ),
    }
}

/// How busy each core was; the first of them if there are many.
fn utilisation(outcome: &sim::Outcome) -> String {
    const SHOWN: usize = 16;
    let elapsed_ns = outcome.elapsed.0.max(1) as f64;
    let shares = outcome.cores.iter().take(SHOWN);
    let mut shown: Vec<String> = shares
        .map(|busy| format!("{:.1} %", busy.0 as f64 * 100.0 / elapsed_ns))
        .collect();
    if outcome.cores.len() > SHOWN {
        shown.push(format!("and {} more", outcome.cores.len() - SHOWN));
    }
    shown.join(" ")
}

/// A part of a thread's life in percent.
fn share(it: &ThreadFigures, part_ns: u64) -> String {
    let life_ns = it.times.held_ns + it.times.waited_ns + it.times.blocked_ns;
    if life_ns == 0 {
        return "-".into();
    }
    format!("{:.1} %", part_ns as f64 * 100.0 / life_ns as f64)
}

fn mean_wait_ns(it: &ThreadFigures) -> u64 {
    it.times.waited_ns / it.times.acquisitions.max(1)
}

/// A time in the unit that suits it.
pub(super) fn duration(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.1} µs", ns as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        _ => format!("{:.3} s", ns as f64 / 1e9),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    gil: String,
    elapsed_ns: u64,
    cpu_ns: u64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    simulated: Option<Simulated<'a>>,
    threads: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Simulated<'a> {
    core_busy_ns: Vec<u64>,
    costs: &'a str,
    schedule: &'a str,
}

#[derive(Serialize)]
struct Row<'a> {
    process: u64,
    process_name: &'a str,
    thread: u32,
    thread_name: &'a str,
    instructions: u64,
    held_ns: u64,
    waited_ns: u64,
    blocked_ns: u64,
    acquisitions: u64,
    switches: u64,
    mean_wait_ns: u64,
    longest_wait_ns: u64,
}

fn json(machine: &Machine<'_>, gil: Selection) -> Result<Printable, Trouble> {
    let threads = machine
        .threads()
        .iter()
        .map(|it| Row {
            process: it.process,
            process_name: &it.process_name,
            thread: it.thread,
            thread_name: &it.thread_name,
            instructions: it.instructions,
            held_ns: it.times.held_ns,
            waited_ns: it.times.waited_ns,
            blocked_ns: it.times.blocked_ns,
            acquisitions: it.times.acquisitions,
            switches: it.times.switches,
            mean_wait_ns: mean_wait_ns(it),
            longest_wait_ns: it.times.longest_wait_ns,
        })
        .collect();
    let simulated = match machine {
        Machine::Real(_) => None,
        Machine::Simulated(outcome, costs) => Some(Simulated {
            core_busy_ns: outcome.cores.iter().map(|busy| busy.0).collect(),
            costs: costs.name,
            schedule: &outcome.schedule,
        }),
    };
    let json = serde_json::to_string_pretty(&Report {
        gil: gil.to_string(),
        elapsed_ns: machine.elapsed_ns(),
        cpu_ns: machine.cpu_ns(),
        simulated,
        threads,
    })?;
    Ok(printable!(Printable::json(&json), "\n"))
}
