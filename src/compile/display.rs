//! Displays: lists, tuples, sets and dicts as written. Long ones are built in pieces, so that they
//! need few registers.

use crate::bytecode::code::Const;
use crate::bytecode::op::{Count, Flag, Op, Reg};
use crate::compile::emit::Emitter;
use crate::compile::expr::is_constant;
use crate::source::Span;
use crate::syntax::ast::{DictItem, Element, Expr};

/// Most elements that are held in registers at a time.
pub(super) const CHUNK: usize = 64;

/// From how many literals on a list is copied from a constant tuple.
const FROM_CONSTANT: usize = 3;

/// From as many constants on, CPython makes a set of a frozen one that it keeps; the order of the
/// items shows it.
const FOLDED_SET: usize = 3;

impl<'a> Emitter<'a> {
    #[inline(never)]
    pub(super) fn list(&mut self, items: &'a [Element], dst: Reg, span: Span) {
        if is_simple(items) {
            let (base, count) = self.row(items);
            self.op(Op::BuildList { dst, base, count }, span);
            return;
        }
        let work = self.workplace(dst);
        self.long_list(items, work, span);
        self.move_to(dst, work, span);
    }

    #[inline(never)]
    pub(super) fn tuple(&mut self, expr: &'a Expr, items: &'a [Element], dst: Reg) {
        let span = expr.span;
        if let Some(constant) = self.constant(expr) {
            self.op(Op::LoadConst { dst, constant }, span);
        } else if items.len() <= CHUNK && !has_star(items) {
            let (base, count) = self.row(items);
            self.op(Op::BuildTuple { dst, base, count }, span);
        } else {
            let list = self.workplace(dst);
            self.long_list(items, list, span);
            self.op(Op::ListToTuple { dst, list }, span);
        }
    }

    /// Builds a list in `work`, a temporary, piece by piece.
    pub(super) fn long_list(&mut self, items: &'a [Element], work: Reg, span: Span) {
        let mark = self.unit.mark();
        self.empty_list(work, span);
        if items.len() >= FROM_CONSTANT && are_constant(items) {
            let src = self.constant_row(items, span);
            self.op(
                Op::ListExtend {
                    call: Flag(false),
                    list: work,
                    src,
                },
                span,
            );
            self.unit.release(mark);
            return;
        }
        for piece in pieces(items) {
            if let [one] = piece {
                let src = self.value(one.value());
                match one {
                    Element::Star { value, .. } => self.op(
                        Op::ListExtend {
                            call: Flag(false),
                            list: work,
                            src,
                        },
                        value.span,
                    ),
                    Element::Plain(_) => self.op(Op::ListAppend { list: work, src }, span),
                }
            } else {
                let (base, count) = self.row(piece);
                let src = base;
                self.op(
                    Op::BuildTuple {
                        dst: src,
                        base,
                        count,
                    },
                    span,
                );
                self.op(
                    Op::ListExtend {
                        call: Flag(false),
                        list: work,
                        src,
                    },
                    span,
                );
            }
            self.unit.release(mark);
        }
    }

    pub(super) fn empty_list(&mut self, dst: Reg, span: Span) {
        let count = Count(0);
        self.op(
            Op::BuildList {
                dst,
                base: dst,
                count,
            },
            span,
        );
    }

    #[inline(never)]
    pub(super) fn set(&mut self, items: &'a [Element], dst: Reg, span: Span) {
        let folded = items.len() >= FOLDED_SET && are_constant(items);
        if items.len() <= CHUNK && !has_star(items) && !folded {
            let (base, count) = self.row(items);
            self.op(Op::BuildSet { dst, base, count }, span);
            return;
        }
        let work = self.workplace(dst);
        let mark = self.unit.mark();
        let count = Count(0);
        self.op(
            Op::BuildSet {
                dst: work,
                base: work,
                count,
            },
            span,
        );
        if folded {
            let src = self.constant_row(items, span);
            self.op(
                Op::SetUpdate {
                    folded: Flag(true),
                    set: work,
                    src,
                },
                span,
            );
            self.unit.release(mark);
            self.move_to(dst, work, span);
            return;
        }
        for piece in pieces(items) {
            if let [one] = piece {
                let src = self.value(one.value());
                match one {
                    Element::Star { value, .. } => self.op(
                        Op::SetUpdate {
                            folded: Flag(false),
                            set: work,
                            src,
                        },
                        value.span,
                    ),
                    Element::Plain(_) => self.op(Op::SetAdd { set: work, src }, span),
                }
            } else {
                let (base, count) = self.row(piece);
                let src = base;
                self.op(
                    Op::BuildTuple {
                        dst: src,
                        base,
                        count,
                    },
                    span,
                );
                self.op(
                    Op::SetUpdate {
                        folded: Flag(false),
                        set: work,
                        src,
                    },
                    span,
                );
            }
            self.unit.release(mark);
        }
        self.move_to(dst, work, span);
    }

    #[inline(never)]
    pub(super) fn dict(&mut self, items: &'a [DictItem], dst: Reg, span: Span) {
        let plain = items
            .iter()
            .take(CHUNK / 2)
            .take_while(|item| matches!(item, DictItem::Pair(..)))
            .count();
        let (first, rest) = items.split_at(plain);
        let work = if rest.is_empty() {
            dst
        } else {
            self.workplace(dst)
        };
        let mark = self.unit.mark();
        let base = Reg(mark as u16);
        for item in first {
            if let DictItem::Pair(key, value) = item {
                self.fresh(key);
                self.fresh(value);
            }
        }
        let base = if first.is_empty() { work } else { base };
        let count = Count(plain as u16);
        self.op(
            Op::BuildDict {
                dst: work,
                base,
                count,
            },
            span,
        );
        self.unit.release(mark);
        for item in rest {
            match item {
                DictItem::Pair(key, value) => {
                    let key = self.value(key);
                    let src = self.value(value);
                    self.op(
                        Op::DictInsert {
                            dict: work,
                            key,
                            src,
                        },
                        span,
                    );
                }
                DictItem::DoubleStar(value) => {
                    let src = self.value(value);
                    self.op(
                        Op::DictMerge {
                            once: Flag(false),
                            dict: work,
                            src,
                        },
                        value.span,
                    );
                }
            }
            self.unit.release(mark);
        }
        if !rest.is_empty() {
            self.move_to(dst, work, span);
        }
    }

    /// Values in fresh registers in a row; none has a star.
    pub(super) fn row(&mut self, items: &'a [Element]) -> (Reg, Count) {
        let base = Reg(self.unit.mark() as u16);
        for item in items {
            self.fresh(item.value());
        }
        // An empty row needs a register that exists.
        if items.is_empty() {
            self.unit.temporary();
        }
        (base, Count(items.len() as u16))
    }

    /// A constant tuple of literals in a fresh register.
    fn constant_row(&mut self, items: &[Element], span: Span) -> Reg {
        let items = items
            .iter()
            .map(|item| self.constant(item.value()).expect("literals are constants"))
            .collect();
        let constant = self.pool.constant(Const::Tuple(items));
        let dst = self.unit.temporary();
        self.op(Op::LoadConst { dst, constant }, span);
        dst
    }
}

/// Can the list be built by one instruction?
fn is_simple(items: &[Element]) -> bool {
    let literals = items.len() >= FROM_CONSTANT && are_constant(items);
    items.len() <= CHUNK && !has_star(items) && !literals
}

pub(super) fn has_star(items: &[Element]) -> bool {
    items.iter().any(Element::is_star)
}

/// Are all of them literals?
pub(super) fn are_constant(items: &[Element]) -> bool {
    items
        .iter()
        .all(|item| !item.is_star() && is_constant(item.value()))
}

/// Cuts elements into runs without stars that fit into registers; a starred one stands alone.
fn pieces(items: &[Element]) -> impl Iterator<Item = &[Element]> {
    items
        .chunk_by(|a, b| !a.is_star() && !b.is_star())
        .flat_map(|run| run.chunks(CHUNK))
}
