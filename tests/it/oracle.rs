//! The CPython that Mini is held against, where this machine has one. Its version matters: messages
//! change from one to the next, and those in the suite are 3.11's.
//!
//! How many cases to compare is asked of the environment, as in `cases`: `MINI_CASES` for a long
//! run on demand, `MINI_CASE` for one case again.

use std::ops::Range;
use std::process::Command;

/// The command for CPython 3.11, or the reason why there is nothing to compare with.
pub(crate) fn python() -> Result<&'static str, String> {
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(*sys.version_info[:2], sep='.')"])
        .output();
    let version = match asked {
        Ok(answer) => String::from_utf8_lossy(&answer.stdout).trim().to_owned(),
        Err(error) => return Err(format!("no python3 on this machine ({error})")),
    };
    if version == "3.11" {
        Ok("python3")
    } else {
        Err(format!(
            "python3 is {version}, and the expectations are 3.11's"
        ))
    }
}

/// The numbers of the cases to run, `ordinary` of them if nothing else is asked for.
pub(crate) fn cases(ordinary: u64) -> Range<u64> {
    match number("MINI_CASE") {
        Some(one) => one..one + 1,
        None => 0..number("MINI_CASES").unwrap_or(ordinary),
    }
}

/// Is this a long run?
pub(crate) fn asked_for_more() -> bool {
    number("MINI_CASES").is_some()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is to be a number, not {text:?}")),
    )
}
