//! Tree to bytecode: scopes, registers, instructions, and the refusal of what Mini leaves out. Knows no VM and reads no file.

use crate::bytecode::code::Program;
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// What a compilation may refer to besides the script itself; the VM's tables supply it.
#[derive(Clone, Copy)]
pub struct Environment {
    /// Is there a builtin of this name? Names that begin with an underscore are for embedded modules alone.
    pub is_builtin: fn(&str) -> bool,
    /// The text of an embedded module.
    pub embedded: fn(&str) -> Option<&'static str>,
}

/// A linked program and what is wrong with it; it may run only if no diagnostic was given.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// In order of place. All are errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a script and every embedded module that it imports, directly or through another, and links them.
#[must_use]
pub fn compile(script: Source, environment: &Environment) -> Compiled {
    let _ = (script, environment);
    Compiled {
        program: Program::default(),
        diagnostics: Vec::new(),
    }
}
