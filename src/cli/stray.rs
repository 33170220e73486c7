//! Words that do not do what was meant: an option behind the script, which is the script's there, a
//! command that there is not, which would be a script, a file that there is not. Prints nothing.

use crate::cli::Trouble;
use crate::cli::args::{Args, ScriptArgs};
use crate::cli::command::Command;
use crate::printable;
use crate::printable::Printable;
use crate::spelling::{did_you_mean, nearest};
use anyhow::anyhow;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

/// A note about the first of a script's arguments that looks like an option of the command's own.
/// None if `--` before the script says that it is meant so.
pub(super) fn option_after_script(command: &Command, words: &[OsString]) -> Option<Printable> {
    let (name, script): (&str, &ScriptArgs) = match command {
        Command::Run(it) => ("run", &it.script),
        Command::Sim(it) => ("sim", &it.script),
        Command::Sweep(it) => ("sweep", &it.script),
        Command::Timeline(_)
        | Command::Test(_)
        | Command::Check(_)
        | Command::Dis(_)
        | Command::Explain(_)
        | Command::Completions(_) => return None,
    };
    let before = words.len().checked_sub(script.args().len() + 2)?;
    if words[before] == "--" {
        return None;
    }
    let args = script.args().iter();
    let typed: Vec<&str> = args
        .filter_map(|arg| arg.to_str()?.strip_prefix("--")?.split('=').next())
        .collect();
    // Most scripts are given none, and the table of options takes its time.
    let own = if typed.is_empty() {
        Vec::new()
    } else {
        options(name)
    };
    let (typed, meant) = typed.into_iter().find_map(|typed| {
        let meant = nearest(typed, own.iter().map(String::as_str))?;
        Some((typed, meant))
    })?;
    let file = script.file().display();
    Some(printable!(
        "mini: note: `--",
        typed,
        "` comes after ",
        file,
        ", so it is an argument of the script. Mini's own `--",
        meant,
        "` goes before ",
        file,
        "; write `--` before ",
        file,
        " to be rid of this note\n"
    ))
}

/// The long options of a command, in the order in which they are told of, and those of all.
fn options(command: &str) -> Vec<String> {
    let mut known = Args::command();
    known.build();
    let found = known.find_subcommand(command);
    found
        .into_iter()
        .flat_map(clap::Command::get_arguments)
        .filter_map(|it| it.get_long().map(str::to_owned))
        .collect()
}

/// Adds to the error about an option that a command does not have which one may have been meant,
/// where clap, which counts no letters in the wrong order, knows none.
pub(super) fn suggest_option(error: &mut clap::Error, words: &[OsString], known: &clap::Command) {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return;
    };
    if error.kind() != ErrorKind::UnknownArgument || error.get(ContextKind::SuggestedArg).is_some()
    {
        return;
    }
    let commands = words.iter().filter_map(|word| word.to_str());
    let command = commands
        .skip(1)
        .find(|it| known.find_subcommand(it).is_some());
    let own = options(command.unwrap_or_default());
    let typed = typed.trim_start_matches('-');
    if let Some(meant) = nearest(typed, own.iter().map(String::as_str)) {
        let meant = ContextValue::String(format!("--{meant}"));
        error.insert(ContextKind::SuggestedArg, meant);
    }
}

/// The command that somebody may have meant by a word that is neither one nor a file.
pub(super) fn command_meant<'a>(word: &str, known: &'a clap::Command) -> Option<&'a str> {
    if word.starts_with('-') || Path::new(word).exists() {
        return None;
    }
    nearest(word, known.get_subcommands().map(clap::Command::get_name))
}

/// Most files of a folder that are looked at.
const MAX_FILES: usize = 10_000;

/// Why a file cannot be opened, and which one may have been meant if there is none of that name.
pub(super) fn cannot_open(file: &Path, error: &io::Error) -> Trouble {
    let meant = (error.kind() == io::ErrorKind::NotFound)
        .then(|| file_meant(file))
        .flatten();
    anyhow!(
        "can't open file '{}': {error}{}",
        file.display(),
        did_you_mean(meant)
    )
}

/// The file without the ending of scripts, or one in the same folder whose name is near.
fn file_meant(file: &Path) -> Option<String> {
    let whole = file.with_added_extension("mini");
    if whole.is_file() {
        return Some(whole.display().to_string());
    }
    let folder = match file.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let entries = fs::read_dir(folder).ok()?.flatten().take(MAX_FILES);
    let mut names: Vec<String> = entries
        .filter_map(|it| it.file_name().into_string().ok())
        .collect();
    names.sort();
    let meant = nearest(
        file.file_name()?.to_str()?,
        names.iter().map(String::as_str),
    )?;
    Some(file.with_file_name(meant).display().to_string())
}
