//! Assembly text to a program: what `mini run FILE.masm` reads, written by a tool (`disassemble`)
//! or by hand. Knows no VM, and never fails: it gives a program and a list of diagnostics.
//!
//! Tokens (`token`), grammar (`grammar/masm.lalrpop`), tree (`tree`); then the lines are sorted
//! into modules, functions and texts (`outline`), and the program is made, its instructions as the
//! table says (`emit`, `function`, `operand`). What the text leaves away is deduced: pools, the
//! number of registers, places (an instruction without one comes from its own line of the assembly
//! text, and that is what tracebacks show).

mod emit;
mod function;
mod operand;
mod outline;
mod token;
mod tree;

use crate::bytecode::code::Program;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};

lalrpop_util::lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::pedantic,
        unused,
        unused_qualifications,
        unreachable_pub
    )]
    masm
);

/// Most diagnostics that are kept: nobody reads more.
const MAX_DIAGNOSTICS: usize = 1_000;

/// What a text may refer to besides itself.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Is there a builtin of this name?
    pub is_builtin: &'a dyn Fn(&str) -> bool,
    /// Is there an embedded module of this name?
    pub is_embedded: &'a dyn Fn(&str) -> bool,
    /// A program whose script does nothing but import these embedded modules; it may hold others
    /// that these import or that every program has, and none of them may stand in the text.
    pub link: &'a dyn Fn(&[&str]) -> Option<Program>,
}

/// A program and what is wrong with its text; it may be verified only if no diagnostic was given.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// The program. Its first source is the assembly text.
    pub program: Program,
    /// In order of place. All are errors, and all are about the assembly text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Assembles a text.
#[must_use]
pub fn assemble(source: Source, surroundings: &Surroundings<'_>) -> Assembled {
    let text = source.text.clone();
    let mut diagnostics = Vec::new();
    let lexemes = token::lex(&text, &mut diagnostics);
    let mut reader = tree::Reader {
        text: &text,
        diagnostics,
    };
    let parsed = masm::ListingParser::new().parse(&mut reader, lexemes);
    let items = parsed.unwrap_or_else(|error| {
        reader.broken(&error);
        Vec::new()
    });
    let mut diagnostics = reader.diagnostics;
    let outline = outline::outline(items, &mut diagnostics);
    let program = emit::emit(source, &outline, surroundings, &mut diagnostics);
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    Assembled {
        program,
        diagnostics,
    }
}

fn report(diagnostics: &mut Vec<Diagnostic>, code: Code, span: Span, message: String) {
    if diagnostics.len() < MAX_DIAGNOSTICS {
        diagnostics.push(Diagnostic {
            code,
            source: SourceId(0),
            span,
            message,
            label: String::new(),
            related: Vec::new(),
            help: None,
        });
    }
}
