//! The subexpressions of an expression, for passes that treat most kinds alike.

use super::ast::{Argument, ComprehensionKind, DictItem, Element, Expr, ExprKind, FPart};

/// Calls `visit` with each direct subexpression, in the order of the text; those in format specs
/// and in the defaults and annotations of a lambda's parameters included.
pub fn children<'a>(kind: &'a ExprKind, visit: &mut dyn FnMut(&'a Expr)) {
    match kind {
        ExprKind::None
        | ExprKind::True
        | ExprKind::False
        | ExprKind::Ellipsis
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_)
        | ExprKind::Name(_)
        | ExprKind::Error => {}
        ExprKind::FString(parts) => part_children(parts, visit),
        ExprKind::List(elements) | ExprKind::Tuple(elements) | ExprKind::Set(elements) => {
            elements.iter().map(Element::value).for_each(visit);
        }
        ExprKind::Bool { operands, .. } => operands.iter().for_each(visit),
        ExprKind::Dict(items) => {
            for item in items {
                match item {
                    DictItem::Pair(key, value) => {
                        visit(key);
                        visit(value);
                    }
                    DictItem::DoubleStar(value) => visit(value),
                }
            }
        }
        ExprKind::YieldFrom(value)
        | ExprKind::Attribute { value, .. }
        | ExprKind::Unary { operand: value, .. } => visit(value),
        ExprKind::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        ExprKind::Compare { first, rest } => {
            visit(first);
            for (_, operand) in rest {
                visit(operand);
            }
        }
        ExprKind::Conditional { test, body, orelse } => {
            visit(body);
            visit(test);
            visit(orelse);
        }
        ExprKind::Lambda { params, body } => {
            let plain = params.positional.iter().chain(&params.keyword_only);
            plain
                .filter_map(|param| param.default.as_ref())
                .for_each(&mut *visit);
            visit(body);
        }
        ExprKind::Call {
            function,
            arguments,
        } => {
            visit(function);
            for argument in arguments {
                match argument {
                    Argument::Positional(value)
                    | Argument::Star(value)
                    | Argument::Keyword(_, value)
                    | Argument::DoubleStar(value) => visit(value),
                }
            }
        }
        ExprKind::Subscript { value, index } => {
            visit(value);
            visit(index);
        }
        ExprKind::Slice { lower, upper, step } => {
            let bounds = [lower, upper, step].into_iter().flatten();
            bounds.for_each(|bound| visit(bound));
        }
        ExprKind::Comprehension { kind, clauses } => {
            match kind {
                ComprehensionKind::List(element)
                | ComprehensionKind::Set(element)
                | ComprehensionKind::Generator(element) => visit(element),
                ComprehensionKind::Dict(key, value) => {
                    visit(key);
                    visit(value);
                }
            }
            for clause in clauses {
                visit(&clause.target);
                visit(&clause.iter);
                clause.tests.iter().for_each(&mut *visit);
            }
        }
        ExprKind::Yield(value) => {
            if let Some(value) = value {
                visit(value);
            }
        }
    }
}

fn part_children<'a>(parts: &'a [FPart], visit: &mut dyn FnMut(&'a Expr)) {
    for part in parts {
        match part {
            FPart::Text(_) => {}
            FPart::Hole { value, spec, .. } => {
                visit(value);
                part_children(spec, visit);
            }
        }
    }
}
