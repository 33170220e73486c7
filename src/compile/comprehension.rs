//! Comprehensions. A list, set or dict comprehension stands inside the surrounding code, with
//! registers of its own for its targets; a generator expression is a function of one parameter, the
//! first iterator.

use crate::bytecode::op::{Count, Op, Reg};
use crate::compile::condition::last_compared;
use crate::compile::emit::Emitter;
use crate::compile::loops::Turn;
use crate::compile::scope::{ScopeId, address};
use crate::source::Span;
use crate::syntax::ast::{Clause, ComprehensionKind, Expr};

/// What each turn of the innermost loop does.
#[derive(Clone, Copy)]
enum Element<'a> {
    Append(&'a Expr, Reg),
    Add(&'a Expr, Reg),
    Insert(&'a Expr, &'a Expr, Reg),
    Yield(&'a Expr),
}

impl<'a> Emitter<'a> {
    #[inline(never)]
    pub(super) fn comprehension(
        &mut self,
        kind: &'a ComprehensionKind,
        clauses: &'a [Clause],
        dst: Reg,
        span: Span,
    ) {
        let scope = self.scopes.of_node[&address(&clauses[0])];
        if let ComprehensionKind::Generator(element) = kind {
            self.generator_expression(scope, element, clauses, dst, span);
            return;
        }
        let work = self.workplace(dst);
        // The first iterable belongs to the surrounding scope.
        let turn = self.begin_loop(&clauses[0].iter, span);
        let count = Count(0);
        let base = work;
        let (op, element) = match kind {
            ComprehensionKind::List(it) => (
                Op::BuildList {
                    dst: work,
                    base,
                    count,
                },
                Element::Append(it, work),
            ),
            ComprehensionKind::Set(it) => (
                Op::BuildSet {
                    dst: work,
                    base,
                    count,
                },
                Element::Add(it, work),
            ),
            ComprehensionKind::Dict(key, value) => (
                Op::BuildDict {
                    dst: work,
                    base,
                    count,
                },
                Element::Insert(key, value, work),
            ),
            ComprehensionKind::Generator(_) => unreachable!("handled above"),
        };
        let start = self.unit.ops.len() as u32;
        let own = self.unit.comprehensions.len();
        // Of the library's own no traceback tells, and what cannot be reached has no instructions.
        if self.is_live() && !self.is_internal() {
            self.unit.comprehensions.push((start, start));
        }
        self.op(op, span);
        let outside = std::mem::replace(&mut self.scope, scope);
        self.begin_comprehension(scope, span);
        self.clauses(turn, clauses, element, span);
        self.scope = outside;
        if let Some((_, end)) = self.unit.comprehensions.get_mut(own) {
            *end = self.unit.ops.len() as u32;
        }
        self.move_to(dst, work, span);
    }

    /// Fresh cells for captured targets; targets that may be read too early are emptied.
    fn begin_comprehension(&mut self, scope: ScopeId, span: Span) {
        let it = self.scopes.get(scope);
        for name in &it.order {
            let Some(crate::compile::scope::Place::Variable(id)) = it.places.get(name) else {
                continue;
            };
            if it.mentions[name].bound.is_none() {
                continue;
            }
            let variable = self.scopes.variable(*id);
            let register = variable.register;
            self.unit.flow.clear(register);
            if variable.captured {
                self.op(Op::Unbind { dst: register }, span);
                self.op(Op::MakeCell { reg: register }, span);
            } else if it.early.contains(name) {
                self.op(Op::Unbind { dst: register }, span);
            }
        }
    }

    /// The loops, one in the other; `turn` is what the first one runs over. CPython has their
    /// errors at the whole comprehension, or, behind a condition, at what was compared last.
    fn clauses(&mut self, turn: Turn, clauses: &'a [Clause], element: Element<'a>, mut span: Span) {
        let mut open = Vec::with_capacity(clauses.len());
        for (at, clause) in clauses.iter().enumerate() {
            let turn = if at == 0 {
                turn
            } else {
                self.begin_loop(&clause.iter, span)
            };
            let labels = self.turn(turn, &clause.target, span);
            open.push((turn, labels, self.unit.mark(), span));
            for test in &clause.tests {
                self.jump_if(test, false, labels.next);
                span = last_compared(test).unwrap_or(span);
            }
        }
        self.element(element, span);
        for (turn, labels, mark, span) in open.into_iter().rev() {
            self.unit.release(mark);
            self.end_turn(turn, labels, span);
        }
    }

    fn element(&mut self, element: Element<'a>, span: Span) {
        match element {
            Element::Append(it, list) => {
                let src = self.value(it);
                self.op(Op::ListAppend { list, src }, span);
            }
            Element::Add(it, set) => {
                let src = self.value(it);
                self.op(Op::SetAdd { set, src }, span);
            }
            Element::Insert(key, value, dict) => {
                let key = self.value(key);
                let src = self.value(value);
                self.op(Op::DictInsert { dict, key, src }, span);
            }
            Element::Yield(it) => {
                let src = self.value(it);
                let dst = self.unit.temporary();
                self.op(Op::Yield { dst, src }, span);
            }
        }
    }

    fn generator_expression(
        &mut self,
        scope: ScopeId,
        element: &'a Expr,
        clauses: &'a [Clause],
        dst: Reg,
        span: Span,
    ) {
        let base = self.unit.temporary();
        let argument = self.unit.temporary();
        let src = self.value(&clauses[0].iter);
        self.op(Op::GetIter { dst: argument, src }, span);
        self.generator_function(scope, base, span, |emitter| {
            let turn = Turn::over(Reg(0));
            emitter.clauses(turn, clauses, Element::Yield(element), span);
        });
        let count = Count(1);
        self.op(Op::Call { dst, base, count }, span);
    }
}
