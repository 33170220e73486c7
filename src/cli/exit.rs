//! The one table of exit codes.

use crate::engine::LOST_OUTPUT;
use crate::engine::outcome::End;
use std::fmt::Write as _;

/// The script ran to its end.
pub(super) const DONE: i32 = 0;
/// The text of a script is wrong, or the command line.
pub(super) const USAGE: i32 = 2;
/// Every thread was blocked for ever.
pub(super) const DEADLOCK: i32 = 3;
/// The run came to a limit that ends it.
pub(super) const LIMIT: i32 = 4;
/// A bug of Mini's (`EX_SOFTWARE` of `sysexits.h`).
pub(super) const BUG: i32 = 70;
/// Something that was printed or was to be saved could not be written.
pub(super) const LOST: i32 = LOST_OUTPUT;
/// Ctrl-C.
pub(super) const INTERRUPTED: i32 = 130;
/// `os.abort()`.
pub(super) const ABORTED: i32 = 134;

/// What each code means.
const TABLE: &[(&str, &str)] = &[
    ("0", "the script ran to its end"),
    (
        "1",
        "an exception that nothing caught ended the main thread",
    ),
    ("2", "the script is not right, or the command line"),
    ("3", "deadlock: every thread was blocked for ever"),
    ("4", "the run came to one of its limits"),
    ("70", "a bug of Mini's"),
    ("120", "output could not be written"),
    ("130", "Ctrl-C"),
    ("134", "os.abort()"),
    ("128+N", "ended by signal N"),
    ("other", "what the script gave to sys.exit or os._exit"),
];

/// The table for `--help`.
pub(super) fn help() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in TABLE {
        let _ = writeln!(text, "  {code:>5}  {meaning}");
    }
    text
}

/// The code for the end of a run.
pub(super) fn of(end: &End) -> i32 {
    match end {
        End::Exited(code) => *code,
        End::Killed(signal) => 128 + signal,
        End::Aborted => ABORTED,
        End::Interrupted(_) => INTERRUPTED,
        End::Deadlock(_) => DEADLOCK,
        End::Limit(_) => LIMIT,
        End::Bug(_) => BUG,
    }
}

/// What the operating system takes of a code.
pub(super) fn byte(code: i32) -> u8 {
    code.to_le_bytes()[0]
}
