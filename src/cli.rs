//! The command line: the only place that reads files and the environment, and that prints
//! (`terminal`). One file for each command; `exit` has the table of exit codes.

mod args;
mod check;
mod command;
mod completions;
mod dis;
mod exit;
mod explain;
mod input;
mod program;
mod record;
pub mod render;
mod run;
mod signals;
mod sim;
mod stats;
mod stray;
mod sweep;
mod terminal;
mod test;
mod timeline;
mod trace_file;

use crate::allocator;
use crate::printable;
use crate::printable::{Printable, clean};
use anyhow::bail;
use args::{Args, Color};
use clap::{CommandFactory, FromArgMatches};
use command::Command;
use std::ffi::OsString;
use std::process::ExitCode;
use terminal::{Lost, error_is_terminal, output_is_terminal, print, say, wants_color};

/// What went wrong outside of the script: a file, an option. Goes to standard error, and the exit
/// code is `exit::USAGE`.
type Trouble = anyhow::Error;

/// Runs the command that the program was started with.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the command line is read here")]
pub fn main() -> ExitCode {
    allocator::set_up();
    let known = Args::command();
    let done = signals::survive_limits()
        .and_then(|()| with_default_command(std::env::args_os().collect(), &known))
        .and_then(|words| match parse(known, &words) {
            Ok(args) => obey(args, &words),
            Err(error) => answer(&error),
        });
    let code = done.unwrap_or_else(|trouble| {
        // Nobody can be told if that fails, too.
        let _ = say(&printable!("mini: ", format!("{trouble:#}"), "\n"));
        match trouble.downcast_ref::<Lost>() {
            Some(_) => exit::LOST,
            None => exit::USAGE,
        }
    });
    ExitCode::from(exit::byte(code))
}

fn parse(known: clap::Command, words: &[OsString]) -> Result<Args, clap::Error> {
    let parsed = |mut known: clap::Command, words: &[OsString]| {
        known
            .try_get_matches_from_mut(words)
            .and_then(|mut matches| Args::from_arg_matches_mut(&mut matches))
            .map_err(|mut error| {
                stray::suggest_option(&mut error, words, &known);
                error.format(&mut known)
            })
    };
    parsed(known, words).map_err(|error| {
        // The message quotes what was typed, so it is made anew from what may be shown.
        let clean = |word: &OsString| clean(&word.to_string_lossy()).into_owned().into();
        let cleaned: Vec<OsString> = words.iter().map(clean).collect();
        if cleaned == words {
            return error;
        }
        parsed(Args::command(), &cleaned).err().unwrap_or(error)
    })
}

/// What there is to say where nothing is to be done: what is wrong with the command line, or the
/// help that it asks for.
fn answer(error: &clap::Error) -> Result<i32, Trouble> {
    let text = error.render();
    let shown = |paint: bool| {
        if paint {
            Printable::painted(&text.ansi().to_string())
        } else {
            Printable::lines(&text.to_string())
        }
    };
    if error.use_stderr() {
        say(&shown(wants_color(Color::Auto, error_is_terminal())))?;
    } else {
        print(&shown(wants_color(Color::Auto, output_is_terminal())))?;
    }
    Ok(error.exit_code())
}

fn obey(args: Args, words: &[OsString]) -> Result<i32, Trouble> {
    if let Some(note) = stray::option_after_script(&args.command, words) {
        say(&note)?;
    }
    let paint = wants_color(args.color, error_is_terminal());
    match args.command {
        Command::Run(it) => run::run(&it, paint),
        Command::Sim(it) => sim::sim(&it, paint),
        Command::Timeline(it) => {
            timeline::timeline(&it, wants_color(args.color, output_is_terminal()))
        }
        Command::Sweep(it) => sweep::sweep(&it, paint),
        Command::Test(it) => test::test(&it, paint),
        Command::Check(it) => check::check(&it, paint),
        Command::Dis(it) => dis::dis(&it, paint),
        Command::Explain(it) => explain::explain(&it),
        Command::Completions(it) => completions::completions(&it),
    }
}

/// `mini FILE` is `mini run FILE`.
fn with_default_command(
    mut args: Vec<OsString>,
    known: &clap::Command,
) -> Result<Vec<OsString>, Trouble> {
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let text = arg.to_string_lossy();
        match &*text {
            "--color" => at += 2,
            "-h" | "--help" | "-V" | "--version" | "help" => break,
            _ if text.starts_with("--color=") => at += 1,
            _ if known.find_subcommand(&*text).is_some() => break,
            _ => {
                if let Some(meant) = stray::command_meant(&text, known) {
                    bail!("there is no command and no file `{text}`; did you mean `mini {meant}`?");
                }
                args.insert(at, "run".into());
                break;
            }
        }
    }
    Ok(args)
}
