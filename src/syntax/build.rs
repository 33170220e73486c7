//! What the grammar's actions call: makes nodes, bounds their depth, reads literals, and reports
//! what the grammar cannot express.

use super::ast::{
    Argument, Block, BoolOp, ClassDef, Clause, ComprehensionKind, Element, ExceptHandler, Expr,
    ExprKind, FunctionDef, Ident, ImportName, Interner, MAX_DEPTH, Params, Stmt, StmtKind, Try,
    WithItem,
};
use super::literal;
use super::token::{Lexeme, Token};
use super::walk::children;
use crate::diagnostic::{Code, Diagnostic};
use crate::operator::{BinaryOp, UnaryOp};
use crate::source::{Source, SourceId, Span};
use lalrpop_util::ErrorRecovery;
use num_bigint::BigInt;
use std::cell::OnceCell;
use std::sync::Arc;

mod arguments;
mod star;
mod strings;

pub(crate) use arguments::{Arg, ParamItem};
pub(crate) use star::Alone;
pub(crate) use strings::Piece;

/// What lalrpop hands to a recovery point.
pub(crate) type Recovery = ErrorRecovery<u32, Token, ()>;

/// The state of one parse.
pub(crate) struct Builder<'s> {
    pub(crate) source: &'s Source,
    pub(crate) id: SourceId,
    pub(crate) names: &'s mut Interner,
    /// All tokens, for the messages.
    pub(crate) lexemes: &'s [Lexeme],
    /// What CPython's parser refuses.
    pub(crate) syntax: Vec<Diagnostic>,
    /// What its compiler refuses, and what Mini leaves out.
    pub(crate) checks: Vec<Diagnostic>,
    /// Where the outermost f-strings stand, once somebody has asked.
    pub(crate) fstrings: OnceCell<Vec<Span>>,
}

/// What stood in parentheses.
pub(crate) enum Enclosed {
    Value(Expr),
    Tuple(Vec<Element>),
    Generator(Expr, Vec<Clause>),
}

impl Builder<'_> {
    #[allow(
        clippy::unused_self,
        reason = "reads better in the grammar than a free function"
    )]
    pub(crate) fn span(&self, start: u32, end: u32) -> Span {
        Span { start, end }
    }

    fn text(&self, span: Span) -> &str {
        &self.source.text[span.start as usize..span.end as usize]
    }

    /// Adds a diagnostic about something that CPython's parser refuses; those of an f-string say
    /// so.
    pub(crate) fn syntax_error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let mut message = message.into();
        if self.is_in_fstring(span) {
            message.insert_str(0, "f-string: ");
        }
        self.syntax
            .push(Diagnostic::new(code, self.id, span, message));
        self.syntax.last_mut().expect("just pushed")
    }

    /// Does it stand in a hole of an f-string?
    fn is_in_fstring(&self, span: Span) -> bool {
        let fstrings = self
            .fstrings
            .get_or_init(|| outermost_fstrings(self.lexemes));
        let next = fstrings.partition_point(|fstring| fstring.start < span.start);
        next > 0 && span.start < fstrings[next - 1].end
    }

    /// Adds a diagnostic about something that CPython parses and its compiler refuses.
    pub(crate) fn report(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.checks
            .push(Diagnostic::new(code, self.id, span, message));
        self.checks.last_mut().expect("just pushed")
    }

    // ---- Recovery ----

    /// Takes note of a syntax error.
    pub(crate) fn recovered(&mut self, recovery: Recovery) {
        let diagnostic = super::explain::explain(self, recovery.error);
        self.syntax.extend(diagnostic);
    }

    pub(crate) fn bad_statement(&mut self, start: u32, recovery: Recovery, end: u32) -> Stmt {
        self.recovered(recovery);
        Stmt {
            span: Span { start, end },
            kind: StmtKind::Error,
        }
    }

    /// A block whose head is no head; kept as one with a condition, so that what is in it is
    /// checked too.
    pub(crate) fn bad_compound(
        &mut self,
        start: u32,
        recovery: Recovery,
        body: Block,
        end: u32,
    ) -> Stmt {
        let test = self.bad_expression(start, recovery, start);
        Stmt {
            span: Span { start, end },
            kind: StmtKind::If {
                branches: vec![(test, body)],
                orelse: Vec::new(),
            },
        }
    }

    pub(crate) fn bad_expression(&mut self, start: u32, recovery: Recovery, end: u32) -> Expr {
        self.recovered(recovery);
        Expr {
            span: Span { start, end },
            depth: 1,
            kind: ExprKind::Error,
        }
    }

    /// The name of a definition whose head did not parse. No script can write it.
    pub(crate) fn bad_name(&mut self, start: u32, recovery: Recovery, end: u32) -> Ident {
        self.recovered(recovery);
        Ident {
            name: self.names.intern("<error>"),
            span: Span { start, end },
        }
    }

    // ---- Statements ----

    #[allow(clippy::unused_self, reason = "as `span`")]
    pub(crate) fn statement(&self, start: u32, kind: StmtKind, end: u32) -> Box<Stmt> {
        Box::new(Stmt {
            span: Span { start, end },
            kind,
        })
    }

    pub(crate) fn expression_statement(&mut self, value: Element) -> StmtKind {
        let value = self.alone(value, Alone::Value);
        match value.kind {
            ExprKind::Error => StmtKind::Error,
            _ => StmtKind::Expr(value),
        }
    }

    /// `a = b = value`, all in one list.
    pub(crate) fn assign(&mut self, mut chain: Vec<Element>) -> StmtKind {
        let value = chain.pop().expect("the grammar gives at least two");
        let value = self.alone(value, Alone::Value);
        let mut targets = Vec::with_capacity(chain.len());
        for (at, target) in chain.into_iter().enumerate() {
            let target = self.alone(target, Alone::Target);
            self.check_assigned(&target, at == 0);
            targets.push(target);
        }
        StmtKind::Assign { targets, value }
    }

    pub(crate) fn aug_assign(&mut self, target: Element, op: BinaryOp, value: Expr) -> StmtKind {
        let target = self.alone(target, Alone::Augmented);
        self.check_augmented(&target);
        StmtKind::AugAssign { target, op, value }
    }

    pub(crate) fn ann_assign(
        &mut self,
        start: u32,
        target: Element,
        annotation: Expr,
        value: Option<Expr>,
    ) -> StmtKind {
        let target = self.alone(target, Alone::Annotated);
        // Python makes a difference between `x: int` and `(x): int`, which declares nothing.
        let enclosed = target.span.start != start && matches!(target.kind, ExprKind::Name(_));
        if enclosed {
            let report = self.report(
                Code::E0620,
                target.span,
                "an annotated name in parentheses is left out of Mini",
            );
            report.help = Some("remove the parentheses".into());
        } else {
            self.check_annotated(start, &target);
        }
        if let (ExprKind::Subscript { index, .. }, None) = (&target.kind, &value) {
            self.check_bare_index(index);
        }
        StmtKind::AnnAssign {
            target,
            annotation,
            value,
        }
    }

    pub(crate) fn delete(&mut self, targets: Vec<Element>) -> StmtKind {
        let mut deleted = Vec::with_capacity(targets.len());
        for target in targets {
            let target = self.alone(target, Alone::Deleted);
            self.check_deleted(&target);
            deleted.push(target);
        }
        StmtKind::Delete(deleted)
    }

    /// A path of names, as one name that has its dots.
    pub(crate) fn dotted(&mut self, start: u32, parts: &[Ident], end: u32) -> Ident {
        let span = Span { start, end };
        if let [name] = *parts {
            return name;
        }
        let texts: Vec<&str> = parts
            .iter()
            .map(|part| self.names.text(part.name))
            .collect();
        let name = self.names.intern(&texts.join("."));
        Ident { name, span }
    }

    pub(crate) fn relative_import(&mut self, start: u32, end: u32) -> Option<Ident> {
        let report = self.report(
            Code::E0616,
            Span { start, end },
            "relative imports are left out of Mini",
        );
        report.help =
            Some("a script is one file; it can import the built-in modules by name".into());
        None
    }

    #[allow(clippy::unused_self, reason = "as `span`")]
    pub(crate) fn import_from(&self, module: Option<Ident>, names: Vec<ImportName>) -> StmtKind {
        match module {
            Some(module) => StmtKind::ImportFrom { module, names },
            None => StmtKind::Error,
        }
    }

    pub(crate) fn with_item(&mut self, context: Expr, target: Option<Element>) -> WithItem {
        let target = target.map(|target| self.target(target));
        WithItem { context, target }
    }

    /// `with (a, b):` has two items, as in CPython, although it looks like a tuple; `with (a, *b):`
    /// can only be one.
    pub(crate) fn with_items(&mut self, start: u32, mut items: Vec<WithItem>) -> Vec<WithItem> {
        let [item] = &items[..] else { return items };
        let before = Span {
            start,
            end: item.context.span.start,
        };
        let enclosed_again = self.text(before).contains('(');
        if item.target.is_some() || enclosed_again {
            return items;
        }
        let item = items.pop().expect("there is one");
        match item.context.kind {
            ExprKind::Tuple(elements)
                if !elements.is_empty() && !elements.iter().any(Element::is_star) =>
            {
                self.contexts(elements)
            }
            kind => vec![WithItem {
                context: Expr {
                    kind,
                    ..item.context
                },
                ..item
            }],
        }
    }

    pub(crate) fn try_statement(
        &mut self,
        start: u32,
        end: u32,
        body: Block,
        handlers: Vec<ExceptHandler>,
        orelse: Option<Block>,
        finally: Option<Block>,
    ) -> StmtKind {
        // Where the block itself is missing, that has been said.
        let broken = matches!(&body[..], [only] if only.kind == StmtKind::Error);
        if handlers.is_empty() && finally.is_none() {
            if !broken {
                let span = Span { start, end };
                let message = "expected 'except' or 'finally' block";
                self.syntax_error(Code::E0308, span, message).label =
                    "after the block of this `try`".into();
            }
        } else if let (true, Some(block)) = (handlers.is_empty(), &orelse) {
            let span = block.first().map_or(Span { start, end }, |stmt| stmt.span);
            let report = self.syntax_error(Code::E0301, span, "invalid syntax");
            report.label = "`else` needs an `except` before it".into();
        }
        if let Some((_, before)) = handlers.split_last()
            && let Some(bare) = before.iter().find(|handler| handler.class.is_none())
        {
            self.report(Code::E0414, bare.span, "default 'except:' must be last");
        }
        StmtKind::Try(Box::new(Try {
            body,
            handlers,
            orelse: orelse.unwrap_or_default(),
            finally: finally.unwrap_or_default(),
        }))
    }

    #[allow(clippy::unused_self, reason = "as `span`")]
    pub(crate) fn handler(
        &self,
        start: u32,
        class: Option<Expr>,
        name: Option<Ident>,
        body: Block,
        end: u32,
    ) -> ExceptHandler {
        ExceptHandler {
            span: Span { start, end },
            class,
            name,
            body,
        }
    }

    #[allow(clippy::unused_self, reason = "as `span`")]
    pub(crate) fn function(
        &self,
        name: Ident,
        params: Box<Params>,
        returns: Option<Expr>,
        body: Block,
    ) -> Box<FunctionDef> {
        Box::new(FunctionDef {
            name,
            decorators: Vec::new(),
            params: *params,
            returns,
            docstring: docstring(&body),
            body,
        })
    }

    pub(crate) fn class(&mut self, name: Ident, arguments: Vec<Argument>, body: Block) -> ClassDef {
        if let [Argument::Positional(value)] = &arguments[..]
            && let ExprKind::Comprehension {
                kind: ComprehensionKind::Generator(_),
                ..
            } = value.kind
            && !self.text(value.span).starts_with('(')
        {
            self.syntax_error(Code::E0310, value.span, "invalid syntax")
                .label = "a base class cannot be a bare generator expression".into();
        }
        ClassDef {
            name,
            decorators: Vec::new(),
            arguments,
            docstring: docstring(&body),
            body,
        }
    }

    // ---- Expressions ----

    /// A node, or an error node where the tree would get too deep.
    pub(crate) fn expr(&mut self, start: u32, kind: ExprKind, end: u32) -> Expr {
        let span = Span { start, end };
        let depth = weight(&kind) + depth_below(&kind);
        if depth > MAX_DEPTH {
            let report = self.report(Code::E0503, span, "the expression is nested too deeply");
            report.label = format!("more than {MAX_DEPTH} levels");
            report.help = Some("compute a part of it in a statement of its own".into());
            return Expr {
                span,
                depth: 1,
                kind: ExprKind::Error,
            };
        }
        Expr { span, depth, kind }
    }

    pub(crate) fn ident(&mut self, start: u32, end: u32) -> Ident {
        let text = &self.source.text[start as usize..end as usize];
        Ident {
            name: self.names.intern(text),
            span: Span { start, end },
        }
    }

    pub(crate) fn name(&mut self, start: u32, end: u32) -> Expr {
        let name = self.ident(start, end).name;
        self.expr(start, ExprKind::Name(name), end)
    }

    pub(crate) fn integer(&mut self, start: u32, end: u32) -> Expr {
        let kind = match literal::integer(self.text(Span { start, end })) {
            Ok(value) => ExprKind::Int(value),
            Err(fault) => {
                self.literal_fault(start, fault);
                ExprKind::Int(BigInt::ZERO)
            }
        };
        self.expr(start, kind, end)
    }

    pub(crate) fn float(&mut self, start: u32, end: u32) -> Expr {
        let value = literal::float(self.text(Span { start, end }));
        self.expr(start, ExprKind::Float(value), end)
    }

    pub(crate) fn unary(&mut self, start: u32, op: UnaryOp, operand: Expr, end: u32) -> Expr {
        let operand = Box::new(operand);
        self.expr(start, ExprKind::Unary { op, operand }, end)
    }

    pub(crate) fn binary(
        &mut self,
        start: u32,
        op: BinaryOp,
        left: Expr,
        right: Expr,
        end: u32,
    ) -> Expr {
        let (left, right) = (Box::new(left), Box::new(right));
        self.expr(start, ExprKind::Binary { op, left, right }, end)
    }

    pub(crate) fn bool(
        &mut self,
        start: u32,
        op: BoolOp,
        first: Expr,
        rest: Vec<Expr>,
        end: u32,
    ) -> Expr {
        let mut operands = Vec::with_capacity(1 + rest.len());
        operands.push(first);
        operands.extend(rest);
        self.expr(start, ExprKind::Bool { op, operands }, end)
    }

    pub(crate) fn conditional(
        &mut self,
        start: u32,
        test: Expr,
        body: Expr,
        orelse: Expr,
        end: u32,
    ) -> Expr {
        let kind = ExprKind::Conditional {
            test: Box::new(test),
            body: Box::new(body),
            orelse: Box::new(orelse),
        };
        self.expr(start, kind, end)
    }

    pub(crate) fn slice(
        &mut self,
        start: u32,
        lower: Option<Expr>,
        upper: Option<Expr>,
        step: Option<Expr>,
        end: u32,
    ) -> Expr {
        let kind = ExprKind::Slice {
            lower: lower.map(Box::new),
            upper: upper.map(Box::new),
            step: step.map(Box::new),
        };
        self.expr(start, kind, end)
    }

    /// What stood in the parentheses (or the hole) from `start` to `end`.
    pub(crate) fn enclosed(&mut self, start: u32, body: Enclosed, end: u32) -> Expr {
        match body {
            Enclosed::Value(value) => value,
            Enclosed::Tuple(elements) => self.expr(start, ExprKind::Tuple(elements), end),
            Enclosed::Generator(element, clauses) => {
                let kind = ComprehensionKind::Generator(Box::new(element));
                self.comprehension(start, kind, clauses, end)
            }
        }
    }

    pub(crate) fn comprehension(
        &mut self,
        start: u32,
        kind: ComprehensionKind,
        clauses: Vec<Clause>,
        end: u32,
    ) -> Expr {
        self.expr(start, ExprKind::Comprehension { kind, clauses }, end)
    }
}

/// The places of the f-strings that stand in no other.
fn outermost_fstrings(lexemes: &[Lexeme]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    let mut start = 0;
    for lexeme in lexemes {
        match lexeme.token {
            Token::FStart => {
                if depth == 0 {
                    start = lexeme.start;
                }
                depth += 1;
            }
            Token::FEnd => {
                depth -= 1;
                if depth == 0 {
                    let end = lexeme.end;
                    found.push(Span { start, end });
                }
            }
            _ => {}
        }
    }
    found
}

/// The text of a first statement that is a plain string.
fn docstring(body: &Block) -> Option<Arc<str>> {
    match &body.first()?.kind {
        StmtKind::Expr(Expr {
            kind: ExprKind::Str(text),
            ..
        }) => Some(text.clone()),
        _ => None,
    }
}

/// How many levels a node counts for: making a function of its own takes the compiler more room
/// than an operator does.
fn weight(kind: &ExprKind) -> u16 {
    match kind {
        ExprKind::Lambda { .. } => 4,
        _ => 1,
    }
}

/// The height of the highest subtree.
fn depth_below(kind: &ExprKind) -> u16 {
    let mut depth = 0;
    children(kind, &mut |child| depth = depth.max(child.depth));
    depth
}
