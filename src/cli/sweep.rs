//! `mini sweep`: a script under several locks and numbers of cores, as a table. The simulations run
//! on all real cores; each is the same whatever the others do.

use crate::cli::args::{SweepArgs, SweepFormat};
use crate::cli::run::{begin, end_text, run_limits};
use crate::cli::stats::duration;
use crate::cli::{Trouble, exit, print, program, say, terminal};
use crate::engine::outcome::End;
use crate::engine::sim::{self, Options, Outcome};
use crate::gil::Selection;
use crate::printable;
use crate::printable::{Printable, clean};
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// One simulation.
struct Case {
    gil: Selection,
    cores: u16,
}

/// What it gave.
#[derive(Serialize)]
struct Row {
    gil: String,
    cores: u16,
    elapsed_ns: u64,
    /// How many times as fast as with the first number of cores under the same lock; none where one
    /// of the two did not come to a good end.
    speedup: Option<f64>,
    busy_ns: u64,
    switches: u64,
    exit_code: i32,
    /// What it ended with, if not well.
    reason: Option<String>,
}

/// How a simulation went, and what it said last on standard error.
type Ended = (Outcome, String);

/// A bar for the longest time is so wide: the table fits into 80 columns.
const BAR: usize = 20;

/// And that of the progress.
const PROGRESS: usize = 40;

/// Nothing is said of progress before.
const PATIENCE: Duration = Duration::from_secs(1);

/// Simulates and compares.
pub(super) fn sweep(args: &SweepArgs, paint: bool) -> Result<i32, Trouble> {
    let Some(verified) = program::load(args.script.file(), paint)? else {
        return Ok(exit::USAGE);
    };
    let cases: Vec<Case> = args
        .gil
        .iter()
        .flat_map(|&gil| args.cores.iter().map(move |&cores| Case { gil, cores }))
        .collect();
    let argv = args.script.argv()?;
    let outcomes = all(&cases, |case| {
        let vm = begin(&verified, argv.clone(), &args.limits);
        let error = LastLine::default();
        let outcome = sim::run(
            vm,
            Options {
                lock: case.gil.lock(),
                cores: case.cores,
                costs: *args.costs,
                schedule: args.schedule,
                seed: args.seed,
                limits: run_limits(&args.limits),
                input: Box::new(io::empty()),
                output: Box::new(io::sink()),
                error: Box::new(error.clone()),
                statistics: true,
                sink: None,
                flag: Arc::default(),
            },
        );
        (outcome, error.text())
    });
    let rows = rows(&cases, &outcomes);
    match args.format {
        SweepFormat::Text => print(&text(&rows))?,
        SweepFormat::Json => {
            let json = serde_json::to_string_pretty(&rows)?;
            print(&printable!(Printable::json(&json), "\n"))?;
        }
        SweepFormat::Csv => print(&Printable::lines(&csv(&rows)))?,
    }
    say(&failures(&rows))?;
    let failed = rows.iter().find(|it| it.exit_code != exit::DONE);
    Ok(failed.map_or(exit::DONE, |it| it.exit_code))
}

/// What went wrong, each reason once.
fn failures(rows: &[Row]) -> Printable {
    let failed: Vec<&Row> = rows.iter().filter(|it| it.reason.is_some()).collect();
    let mut told = Printable::new();
    for (at, row) in failed.iter().enumerate() {
        if failed[..at].iter().any(|it| it.reason == row.reason) {
            continue;
        }
        let others = failed[at + 1..]
            .iter()
            .filter(|it| it.reason == row.reason)
            .count();
        let more = match others {
            0 => String::new(),
            _ => format!(" and {others} more"),
        };
        let unit = if row.cores == 1 { " core" } else { " cores" };
        let reason = row.reason.as_deref().unwrap_or_default();
        told.append(&printable!(
            "mini: ", row.gil, " on ", row.cores, unit, more, ": ", reason, "\n"
        ));
    }
    told
}

/// A stream of which the last line that is not empty is kept, and no more of that than a line of a
/// table has room for.
#[derive(Clone, Default)]
struct LastLine(Arc<Mutex<(Vec<u8>, bool)>>);

/// So many bytes of a line are kept.
const LINE_BYTES: usize = 400;

impl LastLine {
    fn text(&self) -> String {
        let kept = self.0.lock().expect("nobody panics while writing");
        String::from_utf8_lossy(&kept.0).trim_end().to_owned()
    }
}

impl Write for LastLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().expect("nobody panics while writing");
        let (line, is_over) = &mut *kept;
        for &byte in bytes {
            if byte == b'\n' {
                *is_over = true;
                continue;
            }
            if std::mem::take(is_over) {
                line.clear();
            }
            if line.len() < LINE_BYTES {
                line.push(byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs all cases on all cores of this machine, and shows how far it is if that takes long.
#[expect(clippy::disallowed_methods, reason = "a sweep uses all cores")]
fn all(cases: &[Case], run: impl Fn(&Case) -> Ended + Sync) -> Vec<Ended> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    let mut outcomes: Vec<Option<Ended>> = cases.iter().map(|_| None).collect();
    let shown = terminal::error_is_terminal();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(cases.len()) {
            let (done, next, run) = (done.clone(), &next, &run);
            scope.spawn(move || {
                while let Some((at, case)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(at).map(|case| (at, case))
                } {
                    let _ = done.send((at, run(case)));
                }
            });
        }
        drop(done);
        let began = Instant::now();
        let (mut finished, mut late) = (0, false);
        loop {
            let wait = if late {
                PATIENCE
            } else {
                PATIENCE.saturating_sub(began.elapsed())
            };
            match results.recv_timeout(wait) {
                Ok((at, outcome)) => {
                    outcomes[at] = Some(outcome);
                    finished += 1;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            late = began.elapsed() >= PATIENCE;
            if shown && late {
                let filled = PROGRESS * finished / cases.len();
                let (full, empty) = ("#".repeat(filled), ".".repeat(PROGRESS - filled));
                // A picture of how far it is; nothing is lost with it.
                let _ = say(&printable!(
                    "\r",
                    full,
                    empty,
                    " ",
                    finished,
                    " of ",
                    cases.len()
                ));
            }
        }
        if shown && late {
            let _ = say(&printable!("\r", " ".repeat(PROGRESS + 30), "\r"));
        }
    });
    let all = outcomes.into_iter();
    all.map(|it| it.expect("each case was run")).collect()
}

fn rows(cases: &[Case], outcomes: &[Ended]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (case, (outcome, last_line)) in cases.iter().zip(outcomes) {
        let gil = case.gil.to_string();
        let exit_code = exit::of(&outcome.end);
        let first = rows.iter().find(|it| it.gil == gil);
        let is_well = exit_code == exit::DONE && first.is_none_or(|it| it.exit_code == exit::DONE);
        let first_ns = first.map_or(outcome.elapsed.0, |it| it.elapsed_ns);
        rows.push(Row {
            cores: case.cores,
            elapsed_ns: outcome.elapsed.0,
            speedup: is_well.then(|| first_ns as f64 / outcome.elapsed.0.max(1) as f64),
            busy_ns: outcome.cores.iter().map(|busy| busy.0).sum(),
            switches: outcome.threads.iter().map(|it| it.times.switches).sum(),
            exit_code,
            reason: (exit_code != exit::DONE).then(|| reason(&outcome.end, last_line)),
            gil,
        });
    }
    rows
}

/// Why a run did not end well, in a line.
fn reason(end: &End, last_line: &str) -> String {
    let told = end_text(end);
    // Of a deadlock, that it is one: who waits for whom takes more lines.
    match told.as_str().lines().next() {
        Some(told) => told.strip_prefix("mini: ").unwrap_or(told).to_owned(),
        None if last_line.is_empty() => format!("exit code {}", exit::of(end)),
        None => format!("exit code {}: {last_line}", exit::of(end)),
    }
}

fn text(rows: &[Row]) -> Printable {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["lock", "cores", "elapsed", "speed-up", "switches", ""]);
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let longest_ns = rows
        .iter()
        .filter(|it| it.reason.is_none())
        .map(|it| it.elapsed_ns)
        .max()
        .unwrap_or(1)
        .max(1);
    for it in rows {
        let length = (it.elapsed_ns as f64 / longest_ns as f64 * BAR as f64).ceil() as usize;
        let note = if it.reason.is_none() {
            "#".repeat(length)
        } else {
            format!("exit code {}", it.exit_code)
        };
        table.add_row([
            it.gil.clone(),
            it.cores.to_string(),
            duration(it.elapsed_ns),
            it.speedup.map_or("-".into(), |it| format!("{it:.2}")),
            it.switches.to_string(),
            note,
        ]);
    }
    printable!(Printable::lines(&table.to_string()), "\n")
}

fn csv(rows: &[Row]) -> String {
    let mut text = String::from("gil,cores,elapsed_ns,speedup,busy_ns,switches,exit_code,reason\n");
    for it in rows {
        let speedup = it.speedup.map_or_else(String::new, |it| format!("{it:.4}"));
        // As RFC 4180 has it: in quotes, and those in it twice.
        let reason = it.reason.as_ref();
        let reason = reason.map_or_else(String::new, |it| {
            format!("\"{}\"", clean(it).replace('"', "\"\""))
        });
        let _ = writeln!(
            text,
            "{},{},{},{speedup},{},{},{},{reason}",
            it.gil, it.cores, it.elapsed_ns, it.busy_ns, it.switches, it.exit_code
        );
    }
    text
}
