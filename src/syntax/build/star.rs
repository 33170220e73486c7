//! Where a star may stand before a value: in a row (a display, a tuple, a row of targets, an index)
//! and in calls. Python's grammar reads one alone in more places and then reports it, each place in
//! words of its own; they are all here. The tree cannot hold a star elsewhere (`ast::Element`), so
//! what comes after the grammar need not think of one.

use super::{Builder, Enclosed};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::syntax::ast::{Element, Expr, ExprKind, WithItem};

/// A place for one expression, which a star alone must not take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// A value: of a statement, an assignment, `return`, `yield`, `for … in`.
    Value,
    /// A target of `=`, `for` or `as`.
    Target,
    /// The target of `+=` and its kin.
    Augmented,
    /// The target of an annotation.
    Annotated,
    /// A target of `del`.
    Deleted,
    /// Parentheses, and the holes of f-strings.
    Enclosed,
    /// The element of a comprehension.
    Comprehended,
    /// A context of `with` in parentheses.
    Context,
}

impl Alone {
    /// CPython's words (`Python/compile.c`, `Grammar/python.gram`).
    fn message(self) -> &'static str {
        match self {
            Alone::Value => "can't use starred expression here",
            Alone::Target => "starred assignment target must be in a list or tuple",
            Alone::Augmented => "'starred' is an illegal expression for augmented assignment",
            Alone::Annotated | Alone::Context => "invalid syntax",
            Alone::Deleted => "cannot delete starred",
            Alone::Enclosed => "cannot use starred expression here",
            Alone::Comprehended => "iterable unpacking cannot be used in comprehension",
        }
    }

    fn code(self) -> Code {
        match self {
            Alone::Value
            | Alone::Target
            | Alone::Enclosed
            | Alone::Comprehended
            | Alone::Context => Code::E0403,
            Alone::Augmented | Alone::Annotated => Code::E0401,
            Alone::Deleted => Code::E0402,
        }
    }
}

impl Builder<'_> {
    #[allow(clippy::unused_self, reason = "as `span`")]
    pub(crate) fn star(&self, start: u32, value: Expr, end: u32) -> Element {
        Element::Star {
            span: Span { start, end },
            value: Box::new(value),
        }
    }

    /// The expression that an element is. A star is reported, and what it stands before is left.
    pub(crate) fn alone(&mut self, element: Element, place: Alone) -> Expr {
        match element {
            Element::Plain(value) => value,
            Element::Star { span, value } => {
                self.star_alone(span, place);
                *value
            }
        }
    }

    /// Reports a star.
    pub(crate) fn star_alone(&mut self, span: Span, place: Alone) {
        let (code, message) = (place.code(), place.message());
        match place {
            Alone::Value | Alone::Target => self.report(code, span, message),
            _ => self.syntax_error(code, span, message),
        };
    }

    /// The index of `d[*k]: int`: where nothing is assigned, its elements are evaluated one by one
    /// (`check_ann_subscr` in `Python/compile.c`).
    pub(crate) fn check_bare_index(&mut self, index: &Expr) {
        let ExprKind::Tuple(elements) = &index.kind else {
            return;
        };
        for element in elements {
            match element {
                Element::Plain(value) => self.check_bare_index(value),
                Element::Star { span, .. } => self.star_alone(*span, Alone::Value),
            }
        }
    }

    /// Elements with commas between them; one without a comma stays what it is.
    pub(crate) fn row(
        &mut self,
        start: u32,
        mut elements: Vec<Element>,
        comma: bool,
        end: u32,
    ) -> Element {
        if elements.len() == 1 && !comma {
            return elements.pop().expect("there is one");
        }
        Element::Plain(self.expr(start, ExprKind::Tuple(elements), end))
    }

    /// The index of a subscript: `d[*k]` has a tuple, without any comma.
    pub(crate) fn index(
        &mut self,
        start: u32,
        elements: Vec<Element>,
        comma: bool,
        end: u32,
    ) -> Expr {
        match self.row(start, elements, comma, end) {
            Element::Plain(value) => value,
            star @ Element::Star { .. } => self.expr(start, ExprKind::Tuple(vec![star]), end),
        }
    }

    pub(crate) fn enclosed_elements(&mut self, mut elements: Vec<Element>) -> Enclosed {
        if elements.len() > 1 {
            return Enclosed::Tuple(elements);
        }
        let element = elements.pop().expect("the grammar gives at least one");
        Enclosed::Value(self.alone(element, Alone::Enclosed))
    }

    /// The element of a comprehension.
    pub(crate) fn comprehended(&mut self, element: Element) -> Expr {
        self.alone(element, Alone::Comprehended)
    }

    /// The items of `with (a, b)`, or those before the last one of `with (a, b as c)`.
    pub(crate) fn contexts(&mut self, elements: Vec<Element>) -> Vec<WithItem> {
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            let context = self.alone(element, Alone::Context);
            items.push(self.with_item(context, None));
        }
        items
    }
}
