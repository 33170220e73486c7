//! A module that was compiled when Mini was made, as plain data of the program: what every script
//! needs would otherwise be compiled anew by each run. CPython freezes the modules that it starts
//! with in the same way (`Python/frozen.c`).

use crate::bytecode::code::{Capture, Code, Const, Global, Guard, Name, Parameters, Program};
use crate::bytecode::op::{CodeIx, Op, Reg};
use crate::source::{SourceId, Span};

/// The tables of a program that consists of one module, whose own code is the first. They stand
/// first in the tables of the program that it becomes a part of, so that its instructions hold
/// there as they are.
#[derive(Debug)]
pub struct Frozen {
    /// Its attribute names.
    pub names: &'static [&'static str],
    /// Its constants.
    pub consts: &'static [FrozenConst],
    /// Its variables.
    pub globals: &'static [Global],
    /// Its code objects.
    pub codes: &'static [FrozenCode],
    /// The length of its text, which is ASCII.
    pub text_bytes: usize,
}

/// A constant, of the kinds that a frozen module has.
#[derive(Clone, Copy, Debug)]
pub enum FrozenConst {
    Int(i64),
    Str(&'static str),
    Builtin(&'static str),
    Names(&'static [Name]),
}

/// A code object that has no docstring and no keyword-only parameters; the fields are those of
/// `Code`.
#[derive(Debug)]
pub struct FrozenCode {
    pub name: &'static str,
    pub qualname: &'static str,
    pub docstring: Option<&'static str>,
    pub first_line: u32,
    pub ops: &'static [Op],
    pub spans: &'static [Span],
    pub registers: u16,
    pub parameters: &'static [Name],
    pub handlers: &'static [Guard],
    pub sites: &'static [Name],
    pub captures: &'static [Capture],
    pub locals: &'static [(Reg, Name)],
    pub generator: bool,
    /// What the verifier found out about it: `Verified::longest_run` and
    /// `Verified::unset_at_entry`.
    pub longest_run: u32,
    pub unset: &'static [Reg],
}

impl FrozenConst {
    /// The constant as the program has it.
    #[must_use]
    pub fn thaw(self) -> Const {
        match self {
            FrozenConst::Int(value) => Const::Int(value),
            FrozenConst::Str(text) => Const::Str(text.into()),
            FrozenConst::Builtin(name) => Const::Builtin(name.into()),
            FrozenConst::Names(names) => Const::Names(names.to_vec()),
        }
    }
}

impl FrozenCode {
    /// The code object of a module at this place of the program.
    #[must_use]
    pub fn thaw(&self, module: u32, source: SourceId) -> Code {
        Code {
            name: self.name.into(),
            qualname: self.qualname.into(),
            docstring: self.docstring.map(Into::into),
            source,
            module,
            first_line: self.first_line,
            ops: self.ops.to_vec(),
            spans: self.spans.to_vec(),
            registers: self.registers,
            params: Parameters {
                names: self.parameters.to_vec(),
                positional: self.parameters.len() as u16,
                ..Parameters::default()
            },
            handlers: self.handlers.to_vec(),
            // No traceback shows them.
            comprehensions: Vec::new(),
            sites: self.sites.to_vec(),
            captures: self.captures.to_vec(),
            locals: self.locals.to_vec(),
            generator: self.generator,
            internal: true,
        }
    }
}

impl FrozenCode {
    /// Is it this code, as far as the verifier looks?
    fn is(&self, code: &Code) -> bool {
        let Parameters {
            names,
            positional_only,
            positional,
            keyword_only,
            star,
            double_star,
        } = &code.params;
        let plain = (*positional_only, *keyword_only, *star, *double_star) == (0, 0, false, false);
        plain
            && usize::from(*positional) == names.len()
            && names == self.parameters
            && code.ops == self.ops
            && code.spans == self.spans
            && code.registers == self.registers
            && code.handlers == self.handlers
            && code.sites == self.sites
            && code.captures == self.captures
            && code.locals == self.locals
            && code.generator == self.generator
    }
}

impl Frozen {
    /// The code of the module itself.
    pub const CODE: CodeIx = CodeIx(0);

    /// Does a program begin with all this, so that what was verified of it when it was frozen is
    /// true of the program?
    pub(super) fn begins(&self, program: &Program) -> bool {
        let Some(first) = program.codes.first() else {
            return false;
        };
        let module = program.modules.get(first.module as usize);
        let own_globals = module.is_some_and(|module| {
            let globals = module.globals.iter().map(|(_, global)| global.0);
            module.code == Frozen::CODE && globals.eq(0..self.globals.len() as u32)
        });
        let own_text = program
            .sources
            .get(usize::from(first.source.0))
            .is_some_and(|it| it.text.len() == self.text_bytes && it.text.is_ascii());
        own_globals
            && own_text
            && begins(self.names, &program.names, |a, b| **a == **b)
            && begins(self.consts, &program.consts, |a, b| a.thaw() == *b)
            && begins(self.globals, &program.globals, |a, b| a == b)
            && begins(self.codes, &program.codes, |a, b| {
                (b.module, b.source) == (first.module, first.source) && a.is(b)
            })
    }
}

/// Is each of the first the same as the one at its place among all?
fn begins<A, B>(first: &[A], all: &[B], same: impl Fn(&A, &B) -> bool) -> bool {
    first.len() <= all.len() && first.iter().zip(all).all(|(a, b)| same(a, b))
}
