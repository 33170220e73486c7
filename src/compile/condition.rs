//! Conditions: jumps on the truth of an expression. Comparisons become one instruction with the
//! jump; `not`, `and`, `or` become none.

use crate::bytecode::op::{Flag, Op, Reg};
use crate::compile::emit::Emitter;
use crate::compile::fold;
use crate::compile::unit::{FAR, Label, NEAR, immediate};
use crate::operator::{CompareOp, UnaryOp};
use crate::source::Span;
use crate::syntax::ast::{BoolOp, Expr, ExprKind};

impl<'a> Emitter<'a> {
    /// Goes to `to` if the truth of `test` is `expect`, else on.
    pub(super) fn jump_if(&mut self, test: &'a Expr, expect: bool, to: Label) {
        if let Some(truth) = fold::truth(test) {
            if truth == expect {
                self.unit.go(to, test.span);
            }
            return;
        }
        let mark = self.unit.mark();
        match &test.kind {
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => self.jump_if(operand, !expect, to),
            ExprKind::Bool { op, operands } => self.jump_if_all(*op, operands, expect, to),
            ExprKind::Compare { first, rest } => {
                self.jump_if_compared(first, rest, expect, to, test.span);
            }
            _ => {
                let src = self.value(test);
                let jump = Op::JumpIf {
                    expect: Flag(expect),
                    src,
                    to: FAR,
                };
                self.unit.jump(jump, to, test.span);
            }
        }
        self.unit.release(mark);
    }

    fn jump_if_all(&mut self, op: BoolOp, operands: &'a [Expr], expect: bool, to: Label) {
        // The value of an operand that decides alone: true for `or`, false for `and`.
        let deciding = op == BoolOp::Or;
        if deciding == expect {
            for operand in operands {
                self.jump_if(operand, expect, to);
            }
            return;
        }
        let past = self.unit.label();
        let (last, others) = operands.split_last().expect("two operands or more");
        for operand in others {
            self.jump_if(operand, deciding, past);
        }
        self.jump_if(last, expect, to);
        self.unit.place(past);
    }

    #[inline(never)]
    fn jump_if_compared(
        &mut self,
        first: &'a Expr,
        rest: &'a [(CompareOp, Expr)],
        expect: bool,
        to: Label,
        span: Span,
    ) {
        let (last, others) = rest.split_last().expect("one operator or more");
        let mut lhs = self.value(first);
        let past = self.unit.label();
        for (op, operand) in others {
            let rhs = self.value(operand);
            let failed = if expect { past } else { to };
            self.jump_on(*op, lhs, rhs, false, failed, span);
            lhs = rhs;
        }
        let (op, operand) = last;
        if let Some(jump) = fused_immediate(*op, lhs, operand, expect) {
            self.unit.jump(jump, to, span);
        } else if operand.kind == ExprKind::None && matches!(op, CompareOp::Is | CompareOp::IsNot) {
            let jump = Op::JumpIfNone {
                expect: Flag((*op == CompareOp::Is) == expect),
                src: lhs,
                to: FAR,
            };
            self.unit.jump(jump, to, span);
        } else {
            let rhs = self.value(operand);
            self.jump_on(*op, lhs, rhs, expect, to, span);
        }
        self.unit.place(past);
    }

    fn jump_on(&mut self, op: CompareOp, lhs: Reg, rhs: Reg, expect: bool, to: Label, span: Span) {
        let flag = Flag(expect);
        let jump = match op {
            CompareOp::Lt => Op::JumpLt {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Le => Op::JumpLe {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Gt => Op::JumpGt {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Ge => Op::JumpGe {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Eq => Op::JumpEq {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Ne => Op::JumpNe {
                expect: flag,
                lhs,
                rhs,
                to: NEAR,
            },
            CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn => {
                let dst = self.unit.temporary();
                self.op(Op::Compare { op, dst, lhs, rhs }, span);
                Op::JumpIf {
                    expect: flag,
                    src: dst,
                    to: FAR,
                }
            }
        };
        self.unit.jump(jump, to, span);
    }
}

/// The last comparison that decides a condition (or the last part of one), as `jump_if` goes
/// through it. What CPython compiles right behind a condition stands there in its tables
/// (`compiler_jump_if` in `Python/compile.c`).
pub(super) fn last_compared(test: &Expr) -> Option<Span> {
    match &test.kind {
        ExprKind::Unary {
            op: UnaryOp::Not,
            operand,
        } => last_compared(operand),
        ExprKind::Bool { operands, .. } => operands.iter().rev().find_map(last_compared),
        ExprKind::Conditional { test, body, orelse } => [orelse, body, test]
            .into_iter()
            .find_map(|part| last_compared(part)),
        ExprKind::Compare { .. } => Some(test.span),
        _ => None,
    }
}

/// A comparison with a small integer and its jump in one.
fn fused_immediate(op: CompareOp, lhs: Reg, right: &Expr, expect: bool) -> Option<Op> {
    let ExprKind::Int(value) = &right.kind else {
        return None;
    };
    let imm = immediate(value)?;
    let expect = Flag(expect);
    let to = NEAR;
    match op {
        CompareOp::Lt => Some(Op::JumpLtImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Le => Some(Op::JumpLeImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Gt => Some(Op::JumpGtImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Ge => Some(Op::JumpGeImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Eq => Some(Op::JumpEqImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Ne => Some(Op::JumpNeImm {
            expect,
            lhs,
            imm,
            to,
        }),
        CompareOp::Is | CompareOp::IsNot | CompareOp::In | CompareOp::NotIn => None,
    }
}
