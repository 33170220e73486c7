//! `mini check`: the messages about scripts, without running them.

use crate::cli::args::CheckArgs;
use crate::cli::{Trouble, exit, program};

/// Checks each file; says nothing about those that are right.
pub(super) fn check(args: &CheckArgs, paint: bool) -> Result<i32, Trouble> {
    let mut code = exit::DONE;
    for file in &args.files {
        if program::load(file, paint)?.is_none() {
            code = exit::USAGE;
        }
    }
    Ok(code)
}
