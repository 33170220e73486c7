//! The tree of a program, as the grammar makes it. Plain data: no scopes, no registers, no values
//! of the running language.
//!
//! Depth is bounded when nodes are made (`MAX_DEPTH`), so that walking and dropping a tree by
//! recursion is safe.

use crate::operator::{BinaryOp, CompareOp, UnaryOp};
use crate::source::Span;
use num_bigint::BigInt;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Deepest expression or statement nesting a tree may have; deeper text is a diagnostic.
pub const MAX_DEPTH: u16 = 1000;

/// An interned name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Symbol(pub u32);

/// All names of a compilation, each once. Shared by every source that is compiled into one program.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    by_text: FxHashMap<Arc<str>, Symbol>,
    texts: Vec<Arc<str>>,
}

impl Interner {
    /// The symbol of a text, made at need.
    ///
    /// # Panics
    /// With more than 2^32 names.
    pub fn intern(&mut self, text: &str) -> Symbol {
        if let Some(&symbol) = self.by_text.get(text) {
            return symbol;
        }
        let symbol = Symbol(u32::try_from(self.texts.len()).expect("fewer than 2^32 names"));
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.by_text.insert(text, symbol);
        symbol
    }

    /// The text of a symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        &self.texts[symbol.0 as usize]
    }

    /// The symbol of a text that was interned before.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.by_text.get(text).copied()
    }

    /// All texts, in order of their symbols.
    #[must_use]
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }
}

/// A name with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// The name.
    pub name: Symbol,
    /// Where it stands.
    pub span: Span,
}

/// Statements in a row.
pub type Block = Vec<Stmt>;

/// A statement with its place (from its first to its last token, the block included).
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `a = b = value`: the targets from left to right.
    Assign {
        targets: Vec<Expr>,
        value: Expr,
    },
    /// `target += value`.
    AugAssign {
        target: Expr,
        op: BinaryOp,
        value: Expr,
    },
    /// `target: annotation = value`.
    AnnAssign {
        target: Expr,
        annotation: Expr,
        value: Option<Expr>,
    },
    /// `if`, each `elif`, and the `else` block (empty if absent).
    If {
        branches: Vec<(Expr, Block)>,
        orelse: Block,
    },
    /// `while`, with its `else` (empty if absent).
    While {
        test: Expr,
        body: Block,
        orelse: Block,
    },
    /// `for target in iter`, with its `else` (empty if absent).
    For {
        target: Expr,
        iter: Expr,
        body: Block,
        orelse: Block,
    },
    Break,
    Continue,
    Pass,
    Return(Option<Expr>),
    FunctionDef(Box<FunctionDef>),
    ClassDef(Box<ClassDef>),
    Global(Vec<Ident>),
    Nonlocal(Vec<Ident>),
    Try(Box<Try>),
    Raise {
        exception: Option<Expr>,
        cause: Option<Expr>,
    },
    /// `with item, item:`
    With {
        items: Vec<WithItem>,
        body: Block,
    },
    Assert {
        test: Expr,
        message: Option<Expr>,
    },
    Delete(Vec<Expr>),
    /// `import a.b as c, d`.
    Import(Vec<ImportName>),
    /// `from a.b import c as d`; an empty list of names is `*`.
    ImportFrom {
        module: Ident,
        names: Vec<ImportName>,
    },
    /// Text that did not parse, or a construct that was refused; a diagnostic was given.
    Error,
}

/// `try`.
#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    pub body: Block,
    pub handlers: Vec<ExceptHandler>,
    /// Empty if absent.
    pub orelse: Block,
    /// Empty if absent.
    pub finally: Block,
}

/// `except class as name:`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptHandler {
    pub span: Span,
    /// Absent in a bare `except:`.
    pub class: Option<Expr>,
    pub name: Option<Ident>,
    pub body: Block,
}

/// `context as target`.
#[derive(Clone, Debug, PartialEq)]
pub struct WithItem {
    pub context: Expr,
    pub target: Option<Expr>,
}

/// `path as alias`; the path's dots are kept in the symbol (`concurrent.futures`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportName {
    pub path: Ident,
    pub alias: Option<Ident>,
}

/// `def`.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionDef {
    pub name: Ident,
    /// From the outermost (first in the text) to the innermost.
    pub decorators: Vec<Expr>,
    pub params: Params,
    pub returns: Option<Expr>,
    pub body: Block,
    /// The text of a first statement that is a plain string.
    pub docstring: Option<Arc<str>>,
}

/// `class`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassDef {
    pub name: Ident,
    pub decorators: Vec<Expr>,
    /// The arguments in parentheses, as written; more than one base or any keyword is refused
    /// later.
    pub arguments: Vec<Argument>,
    pub body: Block,
    pub docstring: Option<Arc<str>>,
}

/// The parameters of a `def` or `lambda`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Params {
    /// Before `/`, then the ordinary ones, in order.
    pub positional: Vec<Param>,
    /// How many of `positional` stand before `/`.
    pub positional_only: usize,
    /// `*args`.
    pub star: Option<Param>,
    /// After `*` or `*args`.
    pub keyword_only: Vec<Param>,
    /// `**kwargs`.
    pub double_star: Option<Param>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub annotation: Option<Expr>,
    pub default: Option<Expr>,
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Where it stands (inside parentheses, if it had any).
    pub span: Span,
    /// Height of this subtree, at least 1; a lambda counts for four levels.
    pub depth: u16,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    None,
    True,
    False,
    Ellipsis,
    Int(BigInt),
    Float(f64),
    /// Adjacent plain literals are joined.
    Str(Arc<str>),
    Bytes(Arc<[u8]>),
    /// An f-string (adjacent literals joined in).
    FString(Vec<FPart>),
    Name(Symbol),
    List(Vec<Element>),
    Tuple(Vec<Element>),
    Set(Vec<Element>),
    Dict(Vec<DictItem>),
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `a and b and c`: two or more operands.
    Bool {
        op: BoolOp,
        operands: Vec<Expr>,
    },
    /// `first op second op third`: chained.
    Compare {
        first: Box<Expr>,
        rest: Vec<(CompareOp, Expr)>,
    },
    /// `body if test else orelse`.
    Conditional {
        test: Box<Expr>,
        body: Box<Expr>,
        orelse: Box<Expr>,
    },
    Lambda {
        params: Box<Params>,
        body: Box<Expr>,
    },
    Call {
        function: Box<Expr>,
        arguments: Vec<Argument>,
    },
    Attribute {
        value: Box<Expr>,
        name: Ident,
    },
    Subscript {
        value: Box<Expr>,
        index: Box<Expr>,
    },
    /// Only as (part of) the index of a `Subscript`.
    Slice {
        lower: Option<Box<Expr>>,
        upper: Option<Box<Expr>>,
        step: Option<Box<Expr>>,
    },
    Comprehension {
        kind: ComprehensionKind,
        clauses: Vec<Clause>,
    },
    Yield(Option<Box<Expr>>),
    YieldFrom(Box<Expr>),
    /// Text that did not parse, or a construct that was refused; a diagnostic was given.
    Error,
}

/// An element of a list, tuple or set, be it a display or a row of targets. This and `Argument` are
/// the only places of the tree where a star may stand, so nothing that walks it can meet one
/// elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    Plain(Expr),
    /// `*value`
    Star {
        /// Where it stands, the star included.
        span: Span,
        value: Box<Expr>,
    },
}

impl Element {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Element::Plain(value) => value.span,
            Element::Star { span, .. } => *span,
        }
    }

    /// The element, or what the star spreads.
    #[must_use]
    pub fn value(&self) -> &Expr {
        match self {
            Element::Plain(value) => value,
            Element::Star { value, .. } => value,
        }
    }

    /// As `value`, to be changed.
    pub fn value_mut(&mut self) -> &mut Expr {
        match self {
            Element::Plain(value) => value,
            Element::Star { value, .. } => value,
        }
    }

    /// Has it a star?
    #[must_use]
    pub fn is_star(&self) -> bool {
        matches!(self, Element::Star { .. })
    }
}

/// What a comprehension makes, with its element.
#[derive(Clone, Debug, PartialEq)]
pub enum ComprehensionKind {
    List(Box<Expr>),
    Set(Box<Expr>),
    Dict(Box<Expr>, Box<Expr>),
    Generator(Box<Expr>),
}

/// `for target in iter if test if test`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    pub target: Expr,
    pub iter: Expr,
    pub tests: Vec<Expr>,
}

/// An element of a dict display.
#[derive(Clone, Debug, PartialEq)]
pub enum DictItem {
    Pair(Expr, Expr),
    DoubleStar(Expr),
}

/// An argument of a call or a class statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Positional(Expr),
    Star(Expr),
    Keyword(Ident, Expr),
    DoubleStar(Expr),
}

/// A piece of an f-string.
#[derive(Clone, Debug, PartialEq)]
pub enum FPart {
    /// Text with its escapes resolved.
    Text(Arc<str>),
    /// `{value=!conversion:spec}`.
    Hole {
        value: Box<Expr>,
        /// With `=`: the text of the expression up to and including the `=` and blanks around it.
        echo: Option<Arc<str>>,
        conversion: Option<Conversion>,
        /// Itself a list of parts; empty if absent.
        spec: Vec<FPart>,
    },
}

/// `!r`, `!s`, `!a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    Repr,
    Str,
    Ascii,
}

/// `and`, `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoolOp {
    And,
    Or,
}
