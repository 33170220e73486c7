//! What users may type.

use crate::cli::command::Command;
use crate::cli::{Trouble, exit};
use crate::engine::sim::{Costs, Schedule, model};
use crate::gil::{Duration, Selection};
use anyhow::Context;
use clap::{Parser, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The laboratory for interpreter locks: runs Python-shaped scripts whose threads must hold a lock
/// that you can choose and watch.
///
/// `mini FILE` is short for `mini run FILE`.
#[derive(Debug, Parser)]
#[command(name = "mini", version, after_long_help = exit::help(), arg_required_else_help = true)]
pub(super) struct Args {
    /// Colour messages: `auto` does where standard error is a terminal and `NO_COLOR` is not set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// Where standard error is a terminal.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// The script of a run.
#[derive(Debug, clap::Args)]
pub(super) struct ScriptArgs {
    /// A script (`-` is standard input), or with the ending `.masm` a program as assembly text. All
    /// that follows is the script's own: it finds it in `sys.argv`
    #[arg(value_names = ["FILE", "ARGS"], num_args = 1.., required = true, trailing_var_arg = true, value_hint = clap::ValueHint::FilePath)]
    words: Vec<OsString>,
}

impl ScriptArgs {
    /// The script.
    pub(super) fn file(&self) -> &Path {
        Path::new(&self.words[0])
    }

    /// What it is given.
    pub(super) fn args(&self) -> &[OsString] {
        &self.words[1..]
    }

    /// What it finds in `sys.argv`.
    pub(super) fn argv(&self) -> Result<Vec<String>, Trouble> {
        let name = self.file().display().to_string();
        let args = self.args().iter().map(|arg| {
            let text = arg.to_str().map(str::to_owned);
            text.with_context(|| {
                format!(
                    "'{}' is not UTF-8, as scripts' arguments are to be",
                    arg.display()
                )
            })
        });
        std::iter::once(Ok(name)).chain(args).collect()
    }
}

/// `mini run`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "mini run [OPTIONS] <FILE> [ARGS]...")]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) script: ScriptArgs,
    /// The rules of the lock: every=N (a turn is N instructions, then the longest waiter), ticks=N
    /// (as CPython 2.7), interval=TIME (as CPython 3.2 and later, say interval=5ms), or a preset
    /// such as cpython-3.12
    #[arg(long, value_name = "RULES", default_value_t = Selection::default())]
    pub(super) gil: Selection,
    /// At the end, say on standard error what each thread did with the lock
    #[arg(long)]
    pub(super) stats: bool,
    /// The form of the statistics
    #[arg(long, value_name = "FORM", default_value = "text", requires = "stats")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) record: RecordArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// `mini sim`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "mini sim [OPTIONS] <FILE> [ARGS]...")]
pub(super) struct SimArgs {
    #[command(flatten)]
    pub(super) script: ScriptArgs,
    /// The lock: a preset such as cpython-2.7, cpython-3.12, cpython-3.13t or cruby-3.3; or
    /// every=N, ticks=N, interval=TIME, off
    #[arg(long, value_name = "RULES", default_value_t = Selection::default())]
    pub(super) gil: Selection,
    /// Virtual cores
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) cores: u16,
    /// What things cost in virtual time: unit, cpython-2.7, cpython-3.11, cpython-3.13t or
    /// cpython-3.14t
    #[arg(long, value_name = "MODEL", default_value = "cpython-3.11", value_parser = model)]
    pub(super) costs: &'static Costs,
    /// Who is picked where a real machine leaves it open: fifo, random, or pct:D (priorities that
    /// change D-1 times)
    #[arg(long, value_name = "SCHEDULE", default_value_t = Schedule::default())]
    pub(super) schedule: Schedule,
    /// What random schedules and random numbers begin with; the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// At the end, say on standard error what each thread did with the lock, and how busy the cores
    /// were
    #[arg(long)]
    pub(super) stats: bool,
    /// The form of the statistics
    #[arg(long, value_name = "FORM", default_value = "text", requires = "stats")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) record: RecordArgs,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// What is kept of a run's events.
#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    /// Save what happened in a file, which `mini timeline` draws
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Let the trace take the place of a file that is no trace
    #[arg(long, requires = "trace")]
    pub(super) force: bool,
    /// At the end, draw on standard error who held the lock when, and who waited
    #[arg(long, group = "drawn")]
    pub(super) timeline: bool,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// How a timeline looks, where one is drawn.
#[derive(Debug, clap::Args)]
pub(super) struct LookArgs {
    /// Columns of the timeline; the window's, or 100 where there is none
    #[arg(long, value_name = "N", requires = "drawn", value_parser = clap::value_parser!(u16).range(30..=10_000))]
    pub(super) width: Option<u16>,
    /// Most threads of a process that have a lane of their own, and most processes; 16 if it is not
    /// said
    #[arg(long, value_name = "N", requires = "drawn", value_parser = clap::value_parser!(u16).range(2..))]
    pub(super) lanes: Option<u16>,
}

/// `mini timeline`.
#[derive(Debug, clap::Args)]
pub(super) struct TimelineArgs {
    /// A trace that `--trace` has saved (`-` is standard input)
    #[arg(value_name = "TRACE", group = "drawn")]
    pub(super) trace: PathBuf,
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// `mini test`.
#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    /// A script, or a folder with scripts; comments at their head say how they are run, as in `#
    /// mini sim --gil cpython-3.12 --cores 2`
    #[arg(value_name = "PATH")]
    pub(super) path: PathBuf,
    /// Keep what they print now, in files `.expected` beside them
    #[arg(long)]
    pub(super) accept: bool,
    /// Time of this machine that each run may take; then it has failed. It also ends after 1M of
    /// output and 1000000000 instructions, if the limits do not say otherwise
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    limits: LimitArgs,
}

impl TestArgs {
    /// What each run may use, at most.
    pub(super) fn limits(&self) -> LimitArgs {
        LimitArgs {
            max_output: self.limits.max_output.or(Some(Size(1 << 20))),
            max_instructions: self.limits.max_instructions.or(Some(1_000_000_000)),
            ..self.limits
        }
    }
}

/// `mini sweep`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "mini sweep [OPTIONS] <FILE> [ARGS]...")]
pub(super) struct SweepArgs {
    #[command(flatten)]
    pub(super) script: ScriptArgs,
    /// The locks, as `mini sim` takes them
    #[arg(
        long,
        value_name = "RULES,…",
        value_delimiter = ',',
        default_value = "cpython-2.7,cpython-3.9,cpython-3.12,cpython-3.13t"
    )]
    pub(super) gil: Vec<Selection>,
    /// The numbers of virtual cores
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2,4,8", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(super) cores: Vec<u16>,
    /// What things cost in virtual time, as `mini sim` takes it
    #[arg(long, value_name = "MODEL", default_value = "cpython-3.11", value_parser = model)]
    pub(super) costs: &'static Costs,
    /// Who is picked where a real machine leaves it open, as `mini sim` takes it
    #[arg(long, value_name = "SCHEDULE", default_value_t = Schedule::default())]
    pub(super) schedule: Schedule,
    /// What random schedules and random numbers begin with
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// The form of the table
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(super) format: SweepFormat,
    #[command(flatten)]
    pub(super) limits: LimitArgs,
}

/// The form of a sweep's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SweepFormat {
    /// For people, with bars.
    Text,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// The form of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What a run may use.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Memory of the run, all its processes together, as in 512M or 2G; beyond it, `MemoryError`
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub(super) max_memory: Size,
    /// Threads of each process that are alive at the same time; beyond it, `RuntimeError`
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub(super) max_threads: usize,
    /// Processes that are alive at the same time; beyond it, `BlockingIOError`
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(super) max_processes: usize,
    /// Frames of each thread; beyond it, `RecursionError`. Scripts may change it
    /// (`sys.setrecursionlimit`)
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) recursion: usize,
    /// Wall time (virtual time where it is simulated), as in 10s or 500ms; then the run ends
    #[arg(long, value_name = "TIME")]
    pub(super) max_time: Option<Duration>,
    /// Instructions of all threads together; then the run ends
    #[arg(long, value_name = "N")]
    pub(super) max_instructions: Option<u64>,
    /// Text printed, as in 64K or 1M; then the run ends
    #[arg(long, value_name = "SIZE")]
    pub(super) max_output: Option<Size>,
    /// Collect garbage, share memory between forks and check the heap all the time: for Mini's own
    /// tests
    #[arg(long, hide = true)]
    pub(super) stress: bool,
}

/// A number of bytes as users type it: `512M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(pub(super) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let upper = text.trim().to_ascii_uppercase();
        let upper = upper
            .strip_suffix("IB")
            .or(upper.strip_suffix('B'))
            .unwrap_or(&upper);
        let (number, shift) = match upper.as_bytes().last() {
            Some(b'K') => (&upper[..upper.len() - 1], 10),
            Some(b'M') => (&upper[..upper.len() - 1], 20),
            Some(b'G') => (&upper[..upper.len() - 1], 30),
            _ => (upper, 0),
        };
        number
            .trim()
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Size)
            .ok_or_else(|| "write it as in 4096, 64K, 512M or 2G".to_string())
    }
}

/// `mini check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The scripts (`-` is standard input)
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
}

/// `mini dis`.
#[derive(Debug, clap::Args)]
pub(super) struct DisArgs {
    /// The script (`-` is standard input)
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The standard modules that it imports, too
    #[arg(long)]
    pub(super) all: bool,
    /// Without the places of the instructions and the text of the script, which tracebacks of the
    /// assembled program show
    #[arg(long)]
    pub(super) bare: bool,
}

/// `mini explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The code; all are listed if none is given
    #[arg(value_name = "CODE")]
    pub(super) code: Option<String>,
}

/// `mini completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!("4096".parse(), Ok(Size(4096)));
        assert_eq!("64K".parse(), Ok(Size(64 << 10)));
        assert_eq!("512mb".parse(), Ok(Size(512 << 20)));
        assert_eq!("2GiB".parse(), Ok(Size(2 << 30)));
        assert!("x".parse::<Size>().is_err());
        assert!("-1".parse::<Size>().is_err());
        assert!("99999999999G".parse::<Size>().is_err());
    }
}
