//! The CPython that Mini is held against, where this machine has one. Its version matters: messages change from one
//! to the next, and those in the suite are 3.11's.
//!
//! How many cases to compare is asked of the environment: `MINI_CASES` (for a long run on demand) and `MINI_SEED` (to
//! begin elsewhere, or to see one case again).

#![expect(
    clippy::disallowed_methods,
    reason = "a run on demand is asked for in the environment"
)]

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

/// `MINI_CASES`, if it is set.
pub(crate) fn cases() -> Option<u64> {
    number("MINI_CASES")
}

/// `MINI_SEED`, or 0.
pub(crate) fn first_seed() -> u64 {
    number("MINI_SEED").unwrap_or(0)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is to be a number, not {text:?}")),
    )
}
