//! `mini completions`: what shells need to complete commands and options.

use crate::cli::args::{self, CompletionsArgs};
use crate::cli::{Trouble, exit, print};
use crate::printable::Printable;

/// Prints a shell's completion script.
pub(super) fn completions(asked: &CompletionsArgs) -> Result<i32, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut args::command(), "mini", &mut script);
    print(&Printable::lines(&String::from_utf8(script)?))?;
    Ok(exit::DONE)
}
