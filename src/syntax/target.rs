//! What may stand on the left of an assignment, after `for`, `as` and `del`. The grammar reads
//! targets as expressions; here those that are none are reported, in CPython's words.

use super::ast::{ComprehensionKind, Element, Expr, ExprKind};
use super::build::{Alone, Builder};
use crate::diagnostic::Code;
use crate::operator::UnaryOp;
use crate::source::Span;

impl Builder<'_> {
    /// A target of `=`. Only the first of a chain may have been meant as a comparison.
    pub(crate) fn check_assigned(&mut self, target: &Expr, first: bool) {
        let suspect = match &target.kind {
            // `a, f() = 3`: the parser was at the last element.
            ExprKind::Tuple(elements) if !self.enclosed_tuple(target.span, elements) => {
                elements.last().map(Element::value)
            }
            _ => Some(target),
        };
        let suspect = suspect.filter(|_| first).map(|suspect| suspect.span);
        self.check(target, suspect);
    }

    /// A target of `for`, of a comprehension, or of `with … as`.
    pub(crate) fn target(&mut self, target: Element) -> Expr {
        let target = self.alone(target, Alone::Target);
        self.check(&target, None);
        target
    }

    fn check(&mut self, target: &Expr, suspect: Option<Span>) {
        match &target.kind {
            ExprKind::Name(_)
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Error => {}
            ExprKind::Tuple(elements) | ExprKind::List(elements) => {
                if elements.iter().filter(|element| element.is_star()).count() > 1 {
                    self.report(
                        Code::E0403,
                        target.span,
                        "multiple starred expressions in assignment",
                    );
                }
                for element in elements {
                    self.check(element.value(), suspect);
                }
            }
            _ => {
                let name = description(target);
                let comparable = suspect == Some(target.span) && may_be_compared(target);
                if let ExprKind::Yield(_) | ExprKind::YieldFrom(_) = target.kind {
                    self.syntax_error(
                        Code::E0401,
                        target.span,
                        "assignment to yield expression not possible",
                    );
                } else if comparable {
                    let message = format!(
                        "cannot assign to {name} here. Maybe you meant '==' instead of '='?"
                    );
                    self.syntax_error(Code::E0401, target.span, message);
                } else {
                    self.syntax_error(Code::E0401, target.span, format!("cannot assign to {name}"));
                }
            }
        }
    }

    /// The target of `+=` and its kin.
    pub(crate) fn check_augmented(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(_)
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Error => {}
            _ => {
                let message = format!(
                    "'{}' is an illegal expression for augmented assignment",
                    description(target)
                );
                self.syntax_error(Code::E0401, target.span, message);
            }
        }
    }

    /// The target of an annotation, in a statement that begins at `start`.
    pub(crate) fn check_annotated(&mut self, start: u32, target: &Expr) {
        let message = match &target.kind {
            ExprKind::Name(_) | ExprKind::Error => return,
            ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {
                if start < target.span.start || !begins_with_enclosed_target(target) {
                    return;
                }
                "illegal target for annotation"
            }
            ExprKind::List(_) => "only single target (not list) can be annotated",
            ExprKind::Tuple(_) => "only single target (not tuple) can be annotated",
            _ => "illegal target for annotation",
        };
        self.syntax_error(Code::E0401, target.span, message);
    }

    /// A target of `del`.
    pub(crate) fn check_deleted(&mut self, target: &Expr) {
        match &target.kind {
            ExprKind::Name(_)
            | ExprKind::Attribute { .. }
            | ExprKind::Subscript { .. }
            | ExprKind::Error => {}
            ExprKind::Tuple(elements) | ExprKind::List(elements) => {
                for element in elements {
                    match element {
                        Element::Plain(value) => self.check_deleted(value),
                        Element::Star { span, .. } => self.star_alone(*span, Alone::Deleted),
                    }
                }
            }
            _ => {
                let message = format!("cannot delete {}", description(target));
                self.syntax_error(Code::E0402, target.span, message);
            }
        }
    }

    /// Whether a tuple's place includes parentheses of its own.
    fn enclosed_tuple(&self, span: Span, elements: &[Element]) -> bool {
        let (Some(first), Some(last)) = (elements.first(), elements.last()) else {
            return true;
        };
        self.source.text[span.start as usize..].starts_with('(')
            && first.span().start > span.start
            && last.span().end < span.end
    }
}

/// Is it something like `(a).b` or `(a[0])(1).b`? CPython's grammar takes the parentheses for the
/// whole target of the annotation (`assignment` in `Grammar/python.gram`) and then misses the
/// colon.
fn begins_with_enclosed_target(target: &Expr) -> bool {
    let (mut outer, mut inner) = (target, target);
    while outer.span.start == inner.span.start {
        outer = inner;
        inner = match &outer.kind {
            ExprKind::Attribute { value, .. }
            | ExprKind::Subscript { value, .. }
            | ExprKind::Call {
                function: value, ..
            } => value,
            _ => return false,
        };
    }
    matches!(
        inner.kind,
        ExprKind::Name(_) | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
    )
}

/// What CPython calls an expression (`_PyPegen_get_expr_name`).
fn description(expr: &Expr) -> &'static str {
    match &expr.kind {
        ExprKind::None => "None",
        ExprKind::True => "True",
        ExprKind::False => "False",
        ExprKind::Ellipsis => "ellipsis",
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Str(_) | ExprKind::Bytes(_) => "literal",
        ExprKind::FString(_) => "f-string expression",
        ExprKind::Name(_) => "name",
        ExprKind::List(_) => "list",
        ExprKind::Tuple(_) => "tuple",
        ExprKind::Set(_) => "set display",
        ExprKind::Dict(_) => "dict literal",
        ExprKind::Unary { .. }
        | ExprKind::Binary { .. }
        | ExprKind::Bool { .. }
        | ExprKind::Error => "expression",
        ExprKind::Compare { .. } => "comparison",
        ExprKind::Conditional { .. } => "conditional expression",
        ExprKind::Lambda { .. } => "lambda",
        ExprKind::Call { .. } => "function call",
        ExprKind::Attribute { .. } => "attribute",
        ExprKind::Subscript { .. } => "subscript",
        ExprKind::Slice { .. } => "slice",
        ExprKind::Comprehension { kind, .. } => match kind {
            ComprehensionKind::List(_) => "list comprehension",
            ComprehensionKind::Set(_) => "set comprehension",
            ComprehensionKind::Dict(..) => "dict comprehension",
            ComprehensionKind::Generator(_) => "generator expression",
        },
        ExprKind::Yield(_) | ExprKind::YieldFrom(_) => "yield expression",
    }
}

/// Whether CPython suggests `==`: for what binds as tightly as `|` and is no constant name or
/// generator.
fn may_be_compared(expr: &Expr) -> bool {
    !matches!(
        &expr.kind,
        ExprKind::None
            | ExprKind::True
            | ExprKind::False
            | ExprKind::Compare { .. }
            | ExprKind::Conditional { .. }
            | ExprKind::Lambda { .. }
            | ExprKind::Bool { .. }
            | ExprKind::Unary {
                op: UnaryOp::Not,
                ..
            }
            | ExprKind::Comprehension {
                kind: ComprehensionKind::Generator(_),
                ..
            }
    )
}
