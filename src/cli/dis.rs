//! `mini dis`: bytecode as text, which `mini run` takes back as a `.masm` file.

use crate::bytecode::disassemble::{Options, disassemble};
use crate::cli::args::DisArgs;
use crate::cli::{Trouble, exit, print, program};
use crate::compile::is_always_linked;
use crate::printable::Printable;
use crate::stdlib;

/// Prints a script's bytecode.
pub(super) fn dis(args: &DisArgs, paint: bool) -> Result<i32, Trouble> {
    let Some(verified) = program::load(&args.file, paint)? else {
        return Ok(exit::USAGE);
    };
    let options = Options {
        source_lines: true,
        places: !args.bare,
        leave_out: &|module| {
            is_always_linked(module) || !args.all && stdlib::embedded(module).is_some()
        },
    };
    print(&Printable::lines(&disassemble(verified.program(), options)))?;
    Ok(exit::DONE)
}
