//! From a unit to a code object: distances of jumps, guards in order. A short jump that turns out too long is replaced by a short one
//! around a long one.

use crate::bytecode::code::Guard;
use crate::bytecode::op::{Far, Near, Op};
use crate::compile::unit::{Label, Unit};
use crate::source::Span;

/// The instructions of a unit with all distances filled in.
pub(super) struct Laid {
    pub(super) ops: Vec<Op>,
    pub(super) spans: Vec<Span>,
    pub(super) handlers: Vec<Guard>,
}

/// Lays out a finished unit.
pub(super) fn lay_out(unit: &Unit) -> Laid {
    let length = unit.ops.len();
    let mut long = vec![false; unit.jumps.len()];
    let mut starts = positions(unit, &long);
    // Each round makes at least one more jump long, or is the last.
    loop {
        let mut grown = false;
        for (long, &(at, label)) in long.iter_mut().zip(&unit.jumps) {
            if *long || far_distance(unit.ops[at as usize]).is_some() {
                continue;
            }
            let distance =
                i64::from(starts[target(unit, label)]) - i64::from(starts[at as usize]) - 1;
            if i16::try_from(distance).is_err() {
                *long = true;
                grown = true;
            }
        }
        if !grown {
            break;
        }
        starts = positions(unit, &long);
    }
    let mut ops = Vec::with_capacity(starts[length] as usize);
    let mut spans = Vec::with_capacity(starts[length] as usize);
    let mut jumps = unit.jumps.iter().zip(&long).peekable();
    for (at, (&op, &span)) in unit.ops.iter().zip(&unit.spans).enumerate() {
        let Some((&(_, label), long)) = jumps.next_if(|((jump, _), _)| *jump as usize == at) else {
            ops.push(op);
            spans.push(span);
            continue;
        };
        let to = i64::from(starts[target(unit, label)]);
        let distance = |from: usize| i32::try_from(to - from as i64 - 1).expect("units are small");
        if *long {
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
    }
}

/// The index of the instruction that a label stands before.
fn target(unit: &Unit, label: Label) -> usize {
    let position = unit.labels[label.0 as usize].position;
    position.expect("every label that is jumped to has been placed") as usize
}

/// The final position of each instruction, and the length of all.
fn positions(unit: &Unit, long: &[bool]) -> Vec<u32> {
    let mut starts = Vec::with_capacity(unit.ops.len() + 1);
    let mut next = 0;
    let mut jumps = unit.jumps.iter().zip(long).peekable();
    for at in 0..unit.ops.len() {
        starts.push(next);
        let jump = jumps.next_if(|((jump, _), _)| *jump as usize == at);
        next += if jump.is_some_and(|(_, long)| *long) {
            3
        } else {
            1
        };
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
