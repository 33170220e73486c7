//! A compiled program: plain data, shared by all VMs that run it. Knows no VM.

use crate::bytecode::op::{CodeIx, ConstIx, GlobalIx, Op, Reg};
use crate::source::{Source, SourceId, Span};
use num_bigint::BigInt;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

/// An attribute name of the program, an index into `Program::names`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Name(pub u32);

/// Everything that was compiled for one run: the script and the embedded modules it imports,
/// linked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// All code objects.
    pub codes: Vec<Code>,
    /// All constants; a tuple's items stand before it.
    pub consts: Vec<Const>,
    /// All attribute names, each once.
    pub names: Vec<Arc<str>>,
    /// All module-level variables.
    pub globals: Vec<Global>,
    /// The script first, then the embedded modules.
    pub modules: Vec<Module>,
    /// The texts, for tracebacks; `Code::source` points here.
    pub sources: Vec<Source>,
}

/// A module-level variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Its name.
    pub name: Name,
    /// The builtin that the name means while the variable is unbound.
    pub builtin: bool,
}

/// A module.
#[derive(Clone, Debug, PartialEq)]
pub struct Module {
    /// What `import` calls it; `__main__` for the script.
    pub name: Arc<str>,
    /// Its top-level code.
    pub code: CodeIx,
    /// Its variables by name, in order of first appearance.
    pub globals: Vec<(Name, GlobalIx)>,
}

/// A constant. Floats compare by bits, so that `0.0` and `-0.0` are two.
#[derive(Clone, Debug)]
pub enum Const {
    None,
    Ellipsis,
    Bool(bool),
    Int(i64),
    /// Outside of `i64`.
    BigInt(BigInt),
    Float(f64),
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    /// Items are constants of the same program with smaller indices.
    Tuple(Vec<ConstIx>),
    /// Names of keyword arguments or keyword-only parameters.
    Names(Vec<Name>),
    /// A builtin function or class, by its name (`vm::builtins`).
    Builtin(Arc<str>),
}

impl PartialEq for Const {
    fn eq(&self, other: &Const) -> bool {
        match (self, other) {
            (Const::None, Const::None) | (Const::Ellipsis, Const::Ellipsis) => true,
            (Const::Bool(a), Const::Bool(b)) => a == b,
            (Const::Int(a), Const::Int(b)) => a == b,
            (Const::BigInt(a), Const::BigInt(b)) => a == b,
            (Const::Float(a), Const::Float(b)) => a.to_bits() == b.to_bits(),
            (Const::Str(a), Const::Str(b)) | (Const::Builtin(a), Const::Builtin(b)) => a == b,
            (Const::Bytes(a), Const::Bytes(b)) => a == b,
            (Const::Tuple(a), Const::Tuple(b)) => a == b,
            (Const::Names(a), Const::Names(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Const {}

impl Hash for Const {
    fn hash<H: Hasher>(&self, state: &mut H) {
        discriminant(self).hash(state);
        match self {
            Const::None | Const::Ellipsis => {}
            Const::Bool(value) => value.hash(state),
            Const::Int(value) => value.hash(state),
            Const::BigInt(value) => value.hash(state),
            Const::Float(value) => value.to_bits().hash(state),
            Const::Str(text) | Const::Builtin(text) => text.hash(state),
            Const::Bytes(bytes) => bytes.hash(state),
            Const::Tuple(items) => items.hash(state),
            Const::Names(names) => names.hash(state),
        }
    }
}

/// The code of a function, a class body, a generator expression or a module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// Its own name (`f`, `<lambda>`, `<genexpr>`, `<module>`).
    pub name: Arc<str>,
    /// With its surroundings (`C.f`, `f.<locals>.g`).
    pub qualname: Arc<str>,
    /// `__doc__`.
    pub docstring: Option<Arc<str>>,
    /// Where its text is.
    pub source: SourceId,
    /// The module it belongs to, an index into `Program::modules`.
    pub module: u32,
    /// First line of its text (of the first decorator, as in CPython).
    pub first_line: u32,
    /// The instructions. The last one does not fall through.
    pub ops: Vec<Op>,
    /// For each instruction, the text it comes from.
    pub spans: Vec<Span>,
    /// Size of the register window.
    pub registers: u16,
    /// The parameters; they arrive in the first registers: positional, then keyword-only, then
    /// `*args`, then `**kwargs`.
    pub params: Parameters,
    /// Guarded ranges, inner ones before outer ones.
    pub handlers: Vec<Guard>,
    /// The comprehensions among the instructions, outer ones before inner ones.
    pub comprehensions: Vec<Inlined>,
    /// The attribute names of its sites.
    pub sites: Vec<Name>,
    /// Where each captured cell comes from when the function is made.
    pub captures: Vec<Capture>,
    /// The named locals and the register where each lives, for messages and debuggers.
    pub locals: Vec<(Reg, Name)>,
    /// It yields: a call makes a generator.
    pub generator: bool,
    /// Part of Mini's own library that stands for one C function of CPython: no interpreter looks
    /// at its lock inside, and tracebacks leave it out.
    pub internal: bool,
}

/// The parameters of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Names of all, in order of their registers: positional, keyword-only, then `*args` and
    /// `**kwargs` if present.
    pub names: Vec<Name>,
    /// How many are positional-only.
    pub positional_only: u16,
    /// How many are positional (the positional-only ones included).
    pub positional: u16,
    /// How many are keyword-only.
    pub keyword_only: u16,
    /// There is a `*args`.
    pub star: bool,
    /// There is a `**kwargs`.
    pub double_star: bool,
}

/// While the program counter is in `start..end`, an exception goes to `target`, with the exception
/// object in `exception`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    pub exception: Reg,
}

/// The instructions of a comprehension, from the one that makes its list, set or dict. Tracebacks
/// show it as a frame of its own, as CPython did before 3.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    pub start: u32,
    pub end: u32,
}

impl Code {
    /// The frames that CPython would have for an instruction, outermost first: of this code, and of
    /// the comprehensions that the instruction is in. Each with its name and the instruction that
    /// was running there.
    pub fn frames_at(&self, pc: u32) -> impl Iterator<Item = (&str, u32)> {
        let around = self
            .comprehensions
            .iter()
            .filter(move |it| (it.start + 1..it.end).contains(&pc));
        let names =
            std::iter::once(&*self.name).chain(around.clone().map(|it| self.made_by(it.start)));
        names.zip(around.map(|it| it.start).chain([pc]))
    }

    /// The text that an instruction comes from.
    #[must_use]
    pub fn span_at(&self, pc: u32) -> Span {
        self.spans.get(pc as usize).copied().unwrap_or_default()
    }

    /// What CPython calls the comprehension that begins here.
    fn made_by(&self, start: u32) -> &'static str {
        match self.ops.get(start as usize) {
            Some(Op::BuildSet { .. }) => "<setcomp>",
            Some(Op::BuildDict { .. }) => "<dictcomp>",
            _ => "<listcomp>",
        }
    }
}

/// Where a captured cell comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capture {
    /// The cell in a register of the function that makes this one.
    Local(Reg),
    /// A cell which that function captured itself.
    Free(crate::bytecode::op::FreeIx),
}
