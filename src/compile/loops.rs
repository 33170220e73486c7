//! Loops: counted ones over `range`, those over an iterator, and `while`.

use crate::bytecode::code::Const;
use crate::bytecode::op::{Imm32, Op, Reg};
use crate::compile::condition::last_compared;
use crate::compile::emit::{Emitter, Exit};
use crate::compile::fold;
use crate::compile::unit::{Label, NEAR};
use crate::source::Span;
use crate::syntax::ast::{Argument, Block, Expr, ExprKind};

/// What a loop runs over.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    /// Three registers that `RangePrep` has prepared.
    Range(Reg),
    /// An iterator.
    Iterator(Reg),
}

impl Turn {
    /// A loop over an iterator that is there already.
    pub(super) fn over(iterator: Reg) -> Turn {
        Turn::Iterator(iterator)
    }
}

/// The places of one loop.
#[derive(Clone, Copy)]
pub(super) struct TurnLabels {
    /// Where the next turn begins.
    pub(super) next: Label,
    /// Where the loop goes when nothing is left.
    exhausted: Label,
    /// Of a counted loop: the body, and the register of its variable.
    body: Label,
    variable: Reg,
}

impl<'a> Emitter<'a> {
    /// Evaluates what a loop runs over. The registers stay taken. `span`: of the whole loop, which
    /// is where CPython has the errors of getting an iterator and of asking it.
    pub(super) fn begin_loop(&mut self, iter: &'a Expr, span: Span) -> Turn {
        if let ExprKind::Call {
            function,
            arguments,
        } = &iter.kind
            && (1..=3).contains(&arguments.len())
            && arguments
                .iter()
                .all(|it| matches!(it, Argument::Positional(_)))
            && self.is_untouched(function, "range")
        {
            let base = self.unit.temporaries(3);
            self.range(arguments, base, iter.span);
            return Turn::Range(base);
        }
        let dst = self.unit.temporary();
        let src = self.value(iter);
        self.op(Op::GetIter { dst, src }, span);
        self.unit.release(u32::from(dst.0) + 1);
        Turn::Iterator(dst)
    }

    fn range(&mut self, arguments: &'a [Argument], base: Reg, span: Span) {
        let at = |offset: u16| Reg(base.0 + offset);
        let mut values = arguments.iter().filter_map(|argument| match argument {
            Argument::Positional(value) => Some(value),
            Argument::Star(_) | Argument::Keyword(..) | Argument::DoubleStar(_) => None,
        });
        let small = |dst, value| Op::LoadInt {
            dst,
            integer: Imm32(value),
        };
        if arguments.len() == 1 {
            self.op(small(at(0), 0), span);
        } else if let Some(start) = values.next() {
            self.into(start, at(0));
        }
        if let Some(stop) = values.next() {
            self.into(stop, at(1));
        }
        match values.next() {
            Some(step) => self.into(step, at(2)),
            None => self.op(small(at(2), 1), span),
        }
        self.op(Op::RangePrep { base }, span);
    }

    /// Begins a turn: afterwards the target is bound. Some registers stay taken.
    pub(super) fn turn(&mut self, turn: Turn, target: &'a Expr, span: Span) -> TurnLabels {
        let next = self.unit.label();
        let exhausted = self.unit.label();
        let body = self.unit.label();
        let local = match target.kind {
            ExprKind::Name(name) => self.local(name),
            _ => None,
        };
        let variable = match local {
            Some(register) => register,
            None => self.unit.temporary(),
        };
        match turn {
            Turn::Range(_) => {
                let entry = self.unit.without_unbindable(&self.unit.flow);
                self.unit.go(next, span);
                self.unit.place_with(body, entry);
            }
            Turn::Iterator(iter) => {
                self.unit.place_head(next);
                let step = Op::ForIter {
                    dst: variable,
                    iter,
                    to: NEAR,
                };
                self.unit.jump(step, exhausted, span);
            }
        }
        if local.is_some() {
            self.unit.flow.set(variable);
        } else {
            self.assign(target, variable);
        }
        TurnLabels {
            next,
            exhausted,
            body,
            variable,
        }
    }

    /// Ends a turn; goes on behind it when nothing is left.
    pub(super) fn end_turn(&mut self, turn: Turn, labels: TurnLabels, span: Span) {
        match turn {
            Turn::Range(base) => {
                self.unit.place(labels.next);
                let step = Op::RangeLoop {
                    var: labels.variable,
                    base,
                    to: NEAR,
                };
                self.unit.jump(step, labels.body, span);
            }
            Turn::Iterator(_) => self.unit.go(labels.next, span),
        }
        self.unit.place(labels.exhausted);
    }

    #[inline(never)]
    pub(super) fn for_statement(
        &mut self,
        target: &'a Expr,
        iter: &'a Expr,
        body: &'a Block,
        orelse: &'a Block,
        span: Span,
    ) {
        let mark = self.unit.mark();
        let turn = self.begin_loop(iter, span);
        let labels = self.turn(turn, target, span);
        let end = self.unit.label();
        self.blocks.push(Exit::Loop {
            end,
            next: labels.next,
        });
        self.block(body);
        self.blocks.pop();
        self.end_turn(turn, labels, span);
        self.unit.release(mark);
        self.block(orelse);
        self.unit.place(end);
    }

    #[inline(never)]
    pub(super) fn while_statement(&mut self, test: &'a Expr, body: &'a Block, orelse: &'a Block) {
        let (head, next, end) = (self.unit.label(), self.unit.label(), self.unit.label());
        match fold::truth(test) {
            Some(false) => {
                self.block(orelse);
                return;
            }
            Some(true) => {
                self.unit.place_head(next);
                self.blocks.push(Exit::Loop { end, next });
                self.block(body);
                self.blocks.pop();
                self.unit.go(next, test.span);
            }
            None => {
                let entry = self.unit.without_unbindable(&self.unit.flow);
                self.unit.go(next, test.span);
                self.unit.place_with(head, entry);
                self.blocks.push(Exit::Loop { end, next });
                self.block(body);
                self.blocks.pop();
                self.unit.place(next);
                self.jump_if(test, true, head);
                self.block(orelse);
            }
        }
        self.unit.place(end);
    }

    /// `assert test, message`. Its error is where CPython's compiler was last: at the last
    /// comparison of the test, or else at the whole statement.
    pub(super) fn assert(&mut self, test: &'a Expr, message: Option<&'a Expr>, span: Span) {
        let fine = self.unit.label();
        let mark = self.unit.mark();
        let span = last_compared(test).unwrap_or(span);
        self.jump_if(test, true, fine);
        let exception = self.unit.temporary();
        self.load(Const::Builtin("AssertionError".into()), exception, span);
        if let Some(message) = message {
            self.fresh(message);
            let count = crate::bytecode::op::Count(1);
            self.op(
                Op::Call {
                    dst: exception,
                    base: exception,
                    count,
                },
                span,
            );
        }
        self.raise(exception, None, span);
        self.unit.place(fine);
        self.unit.release(mark);
    }
}
