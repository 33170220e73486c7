//! The command line: the only place that reads files and the environment, and with the real engine's writers the only one that prints. One file for each
//! command; `exit` has the table of exit codes.

mod args;
mod check;
mod completions;
mod dis;
mod exit;
mod explain;
mod program;
mod record;
pub mod render;
mod run;
mod sim;
mod stats;
mod sweep;
mod test;
mod timeline;

use crate::printable;
use crate::printable::{Printable, clean};
use args::{Args, Color, Command};
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// What went wrong outside of the script: a file, an option. Goes to standard error, and the exit code is `exit::USAGE`.
type Trouble = anyhow::Error;

/// Runs the command that the program was started with.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the command line is read here")]
pub fn main() -> ExitCode {
    let known = Args::command();
    let words = with_default_command(std::env::args_os().collect(), &known);
    let done = match parse(&known, &words) {
        Ok(args) => obey(args),
        Err(error) => answer(&error),
    };
    let code = done.unwrap_or_else(|trouble| {
        say(&printable!("mini: ", format!("{trouble:#}"), "\n"));
        exit::USAGE
    });
    ExitCode::from(exit::byte(code))
}

fn parse(known: &clap::Command, words: &[OsString]) -> Result<Args, clap::Error> {
    let parsed = |words: &[OsString]| {
        let mut known = known.clone();
        known
            .try_get_matches_from_mut(words)
            .and_then(|mut matches| Args::from_arg_matches_mut(&mut matches))
            .map_err(|error| error.format(&mut known))
    };
    parsed(words).map_err(|error| {
        // The message quotes what was typed, so it is made anew from what may be shown.
        let clean = |word: &OsString| clean(&word.to_string_lossy()).into_owned().into();
        parsed(&words.iter().map(clean).collect::<Vec<OsString>>())
            .err()
            .unwrap_or(error)
    })
}

/// What there is to say where nothing is to be done: what is wrong with the command line, or the help that it asks for.
#[expect(clippy::disallowed_methods, reason = "the command line prints here")]
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
        say(&shown(wants_color(Color::Auto, &std::io::stderr())));
    } else {
        print(&shown(wants_color(Color::Auto, &std::io::stdout())))?;
    }
    Ok(error.exit_code())
}

#[expect(clippy::disallowed_methods, reason = "where colours may go")]
fn obey(args: Args) -> Result<i32, Trouble> {
    let paint = wants_color(args.color, &std::io::stderr());
    match args.command {
        Command::Run(it) => run::run(&it, paint),
        Command::Sim(it) => sim::sim(&it, paint),
        Command::Timeline(it) => {
            timeline::timeline(&it, wants_color(args.color, &std::io::stdout()))
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
fn with_default_command(mut args: Vec<OsString>, known: &clap::Command) -> Vec<OsString> {
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let text = arg.to_string_lossy();
        match &*text {
            "--color" => at += 2,
            "-h" | "--help" | "-V" | "--version" => return args,
            _ if text.starts_with("--color=") => at += 1,
            "help" => return args,
            _ if known.find_subcommand(&*text).is_some() => return args,
            _ => {
                args.insert(at, "run".into());
                return args;
            }
        }
    }
    args
}

/// Is what goes there to be coloured?
#[expect(clippy::disallowed_methods, reason = "the environment is read here")]
fn wants_color(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        // <https://no-color.org>: set and not empty.
        Color::Auto => {
            std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && stream.is_terminal()
        }
    }
}

/// Writes to standard error. Nobody can be told if that fails.
#[expect(clippy::disallowed_methods, reason = "the command line prints here")]
fn say(text: &Printable) {
    let _ = std::io::stderr().write_all(text.as_str().as_bytes());
}

/// Writes to standard output; a reader that has gone away (`mini dis x | head`) is no error.
#[expect(clippy::disallowed_methods, reason = "the command line prints here")]
fn print(text: &Printable) -> Result<(), Trouble> {
    let mut out = std::io::stdout();
    match out
        .write_all(text.as_str().as_bytes())
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}
