//! From a unit to a code object: distances of jumps, guards in order. A jump to a jump goes where
//! that one goes; a jump to the next instruction is left out; a short jump that turns out too long
//! is replaced by a short one around a long one.

use crate::bytecode::code::{Guard, Inlined};
use crate::bytecode::op::{Far, Near, Op, Poll};
use crate::compile::unit::{Label, Unit};
use crate::source::Span;
use rustc_hash::FxHashMap;

/// The instructions of a unit with all distances filled in.
pub(super) struct Laid {
    pub(super) ops: Vec<Op>,
    pub(super) spans: Vec<Span>,
    pub(super) handlers: Vec<Guard>,
    pub(super) comprehensions: Vec<Inlined>,
}

/// Longest chain of jumps that is followed; a circle of them is an endless loop of the script's.
const MAX_HOPS: usize = 8;

/// How an instruction is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is.
    Plain,
    /// A jump that would go to the next instruction.
    Gone,
    /// A short jump, and two more to get far.
    Long,
}

impl Form {
    fn length(self) -> u32 {
        match self {
            Form::Plain => 1,
            Form::Gone => 0,
            Form::Long => 3,
        }
    }
}

/// Lays out a finished unit.
pub(super) fn lay_out(unit: &Unit) -> Laid {
    let length = unit.ops.len();
    let targets = targets(unit);
    let mut forms = vec![Form::Plain; length];
    for (&(at, _), &target) in unit.jumps.iter().zip(&targets).rev() {
        let at = at as usize;
        let skipped = at + 1..target.max(at);
        if matches!(unit.ops[at], Op::Jump { .. })
            && target > at
            && forms[skipped].iter().all(|&form| form == Form::Gone)
        {
            forms[at] = Form::Gone;
        }
    }
    let mut starts = positions(&forms);
    // Each round makes at least one more jump long, or is the last.
    loop {
        let mut grown = false;
        for (&(at, _), &target) in unit.jumps.iter().zip(&targets) {
            let at = at as usize;
            if forms[at] != Form::Plain || far_distance(unit.ops[at]).is_some() {
                continue;
            }
            let distance = i64::from(starts[target]) - i64::from(starts[at]) - 1;
            if i16::try_from(distance).is_err() {
                forms[at] = Form::Long;
                grown = true;
            }
        }
        if !grown {
            break;
        }
        starts = positions(&forms);
    }
    let mut ops = Vec::with_capacity(starts[length] as usize);
    let mut spans = Vec::with_capacity(starts[length] as usize);
    let mut jumps = unit.jumps.iter().zip(&targets).peekable();
    for (at, (&op, &span)) in unit.ops.iter().zip(&unit.spans).enumerate() {
        let Some((_, &target)) = jumps.next_if(|((jump, _), _)| *jump as usize == at) else {
            ops.push(op);
            spans.push(span);
            continue;
        };
        let to = i64::from(starts[target]);
        let distance = |from: usize| i32::try_from(to - from as i64 - 1).expect("units are small");
        if forms[at] == Form::Gone {
            continue;
        }
        if forms[at] == Form::Long {
            ops.push(with_near(op, Near(1)));
            ops.push(Op::Jump { to: Far(1) });
            ops.push(Op::Jump {
                to: Far(distance(ops.len())),
            });
            spans.extend([span; 3]);
        } else {
            let by = distance(ops.len());
            ops.push(match far_distance(op) {
                Some(with) => with(op, Far(by)),
                None => with_near(
                    op,
                    Near(i16::try_from(by).expect("short jumps were measured")),
                ),
            });
            spans.push(span);
        }
    }
    Laid {
        ops,
        spans,
        handlers: guards(unit, &starts),
        comprehensions: unit
            .comprehensions
            .iter()
            .map(|&(start, end)| Inlined {
                start: starts[start as usize],
                end: starts[end as usize],
            })
            .collect(),
    }
}

/// Where each jump of the unit goes: the index of an instruction.
fn targets(unit: &Unit) -> Vec<usize> {
    let direct: FxHashMap<usize, usize> = unit
        .jumps
        .iter()
        .filter(|(at, _)| matches!(unit.ops[*at as usize], Op::Jump { .. }))
        .map(|&(at, label)| (at as usize, target(unit, label)))
        .collect();
    unit.jumps
        .iter()
        .map(|&(at, label)| {
            let mut to = target(unit, label);
            // The others are no places where a budget is looked at, so they must not become the
            // backward jump of a loop.
            if unit.ops[at as usize].kind().poll() == Poll::Jump {
                for _ in 0..MAX_HOPS {
                    match direct.get(&to) {
                        Some(&next) if next != to => to = next,
                        _ => break,
                    }
                }
            }
            to
        })
        .collect()
}

/// The index of the instruction that a label stands before.
fn target(unit: &Unit, label: Label) -> usize {
    let position = unit.labels[label.0 as usize].position;
    position.expect("every label that is jumped to has been placed") as usize
}

/// The final position of each instruction, and the length of all.
fn positions(forms: &[Form]) -> Vec<u32> {
    let mut starts = Vec::with_capacity(forms.len() + 1);
    let mut next = 0;
    for form in forms {
        starts.push(next);
        next += form.length();
    }
    starts.push(next);
    starts
}

/// Guards with inner ones before outer ones: an inner region was opened later.
fn guards(unit: &Unit, starts: &[u32]) -> Vec<Guard> {
    let mut pieces: Vec<_> = unit.pieces.iter().collect();
    pieces.sort_by_key(|piece| (std::cmp::Reverse(piece.region.0), piece.start));
    pieces
        .into_iter()
        .map(|piece| {
            let region = &unit.regions[piece.region.0 as usize];
            Guard {
                start: starts[piece.start as usize],
                end: starts[piece.end as usize],
                target: starts[target(unit, region.target)],
                exception: region.exception,
            }
        })
        .filter(|guard| guard.start < guard.end)
        .collect()
}

/// How to give a long jump its distance; `None` for other instructions.
fn far_distance(op: Op) -> Option<fn(Op, Far) -> Op> {
    match op {
        Op::Jump { .. } | Op::JumpIf { .. } | Op::JumpIfNone { .. } | Op::JumpIfUnbound { .. } => {
            Some(with_far)
        }
        _ => None,
    }
}

fn with_far(op: Op, distance: Far) -> Op {
    match op {
        Op::Jump { .. } => Op::Jump { to: distance },
        Op::JumpIf { expect, src, .. } => Op::JumpIf {
            expect,
            src,
            to: distance,
        },
        Op::JumpIfNone { expect, src, .. } => Op::JumpIfNone {
            expect,
            src,
            to: distance,
        },
        Op::JumpIfUnbound { src, .. } => Op::JumpIfUnbound { src, to: distance },
        other => other,
    }
}

/// The same short jump with another distance.
fn with_near(op: Op, distance: Near) -> Op {
    let mut operands = op.operands();
    for operand in &mut operands {
        if let crate::bytecode::op::Operand::Near(near) = operand {
            *near = distance;
        }
    }
    op.kind()
        .build(&operands)
        .expect("the operands keep their kinds")
}
