//! `--stats`: what each thread did with the lock, as a table or as JSON.

use crate::cli::Trouble;
use crate::cli::args::Format;
use crate::engine::outcome::ThreadFigures;
use crate::engine::real::Outcome;
use crate::gil::Selection;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::fmt::Write as _;

/// The report of a run.
pub(super) fn report(
    outcome: &Outcome,
    rules: Selection,
    format: Format,
) -> Result<String, Trouble> {
    match format {
        Format::Text => Ok(text(outcome, rules)),
        Format::Json => Ok(json(outcome, rules)? + "\n"),
    }
}

fn text(outcome: &Outcome, rules: Selection) -> String {
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
    for it in &outcome.threads {
        table.add_row([
            it.process_name.clone(),
            it.thread_name.clone(),
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
    let mut text = format!("{table}\n");
    let _ = writeln!(
        text,
        "elapsed {}, processor time {}, lock {rules}",
        duration(outcome.elapsed_ns),
        duration(outcome.cpu_ns)
    );
    text
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
fn duration(ns: u64) -> String {
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
    threads: Vec<Row<'a>>,
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

fn json(outcome: &Outcome, rules: Selection) -> Result<String, Trouble> {
    let threads = outcome
        .threads
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
    Ok(serde_json::to_string_pretty(&Report {
        gil: rules.to_string(),
        elapsed_ns: outcome.elapsed_ns,
        cpu_ns: outcome.cpu_ns,
        threads,
    })?)
}
