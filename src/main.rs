//! The `mini` command: arguments to command to exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mini::cli::main()
}
