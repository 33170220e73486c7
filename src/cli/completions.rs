//! `mini completions`: what shells need to complete commands and options.

use crate::cli::args::{Args, CompletionsArgs};
use crate::cli::{Trouble, exit, print};
use crate::printable::Printable;
use clap::CommandFactory;

/// Prints a shell's completion script.
pub(super) fn completions(args: &CompletionsArgs) -> Result<i32, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mini", &mut script);
    print(&Printable::lines(&String::from_utf8(script)?))?;
    Ok(exit::DONE)
}
