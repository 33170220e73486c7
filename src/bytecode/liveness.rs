//! Which registers a code may read before it has written them: those must be unbound when it
//! begins, and no other needs to be touched. The usual backward analysis of live variables over
//! basic blocks, with an edge from each guarded instruction to its handler.

use crate::bytecode::code::{Capture, Code, Const, Guard, Program};
use crate::bytecode::op::{NamesIx, Operand, Reg};
use smallvec::{SmallVec, smallvec};
use std::collections::BTreeSet;

/// Most words of live sets that are kept for each instruction, and how often all of them are gone
/// over, so that time and memory stay in proportion to the code. What needs more (thousands of
/// locals, loops nested by the dozen) has all its registers cleared.
const WORDS_PER_INSTRUCTION: usize = 8;
const MAX_ROUNDS: usize = 32;

/// The registers, parameters left out, that some way through the code reads before it writes them,
/// in order. The code must be sound otherwise.
pub(super) fn unset_at_entry(program: &Program, code: &Code) -> Box<[Reg]> {
    let parameters = code.params.names.len() as u16;
    let others = (parameters..code.registers).map(Reg);
    let Some(live) = Flow::of(program, code).live_at_entry() else {
        return others.collect();
    };
    others.filter(|reg| live.contains(reg.0)).collect()
}

/// A set of registers; most codes have no more than fit in a word.
#[derive(Clone, PartialEq)]
struct Set(SmallVec<[u64; 1]>);

impl Set {
    fn new(registers: u16) -> Set {
        Set(smallvec![0; usize::from(registers).div_ceil(64)])
    }

    fn contains(&self, reg: u16) -> bool {
        self.0[usize::from(reg) / 64] >> (reg % 64) & 1 == 1
    }

    fn set(&mut self, reg: u16, on: bool) {
        let bit = 1 << (reg % 64);
        let word = &mut self.0[usize::from(reg) / 64];
        *word = if on { *word | bit } else { *word & !bit };
    }

    fn add_all(&mut self, other: &Set) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

/// What an instruction does with a run of registers.
#[derive(Clone, Copy)]
struct Access {
    first: u16,
    length: u16,
    writes: bool,
}

/// A stretch of instructions that is entered at its start alone and lies in the same guards as a
/// whole.
struct Block {
    start: usize,
    end: usize,
    /// Blocks that may come next, and whether by a jump.
    next: SmallVec<[(usize, bool); 2]>,
    /// The last instruction writes only on the way by a jump (true) or the other one.
    writes_when_taken: Option<bool>,
    /// The block of the handler, and the register where it finds the exception.
    handler: Option<(usize, u16)>,
}

struct Flow {
    registers: u16,
    blocks: Vec<Block>,
    /// The accesses of instruction `at` are `accesses[starts[at]..starts[at + 1]]`, reads after
    /// writes.
    accesses: Vec<Access>,
    starts: Vec<usize>,
}

impl Flow {
    fn of(program: &Program, code: &Code) -> Flow {
        let mut accesses = Vec::with_capacity(code.ops.len() * 3);
        let mut starts = Vec::with_capacity(code.ops.len() + 1);
        // The targets of the jumps, by instruction.
        let mut jumps: Vec<(usize, usize)> = Vec::new();
        let mut leaders = BTreeSet::from([0]);
        for (at, _) in code.ops.iter().enumerate() {
            starts.push(accesses.len());
            accesses_of(program, code, at, &mut accesses);
            for operand in code.ops[at].operands() {
                let distance = match operand {
                    Operand::Far(far) => i64::from(far.0),
                    Operand::Near(near) => i64::from(near.0),
                    _ => continue,
                };
                let target = (at as i64 + 1 + distance) as usize;
                jumps.push((at, target));
                leaders.extend([target, at + 1]);
            }
            if !code.ops[at].kind().falls_through() {
                leaders.insert(at + 1);
            }
        }
        starts.push(accesses.len());
        for guard in &code.handlers {
            leaders.extend([guard.start, guard.end, guard.target].map(|at| at as usize));
        }
        leaders.insert(code.ops.len());
        let leaders: Vec<usize> = leaders.into_iter().collect();
        let block_at = |at: usize| leaders.partition_point(|&leader| leader <= at) - 1;
        let guards = innermost_guards(code, leaders.len() - 1, block_at);
        let mut jumps = jumps.into_iter().peekable();
        let blocks = leaders.windows(2).zip(guards).map(|(pair, guard)| {
            let (start, end) = (pair[0], pair[1]);
            let mut next = SmallVec::new();
            if code.ops[end - 1].kind().falls_through() {
                next.push((block_at(end), false));
            }
            while let Some((_, target)) = jumps.next_if(|&(at, _)| at < end) {
                next.push((block_at(target), true));
            }
            let handler = guard.map(|guard| (block_at(guard.target as usize), guard.exception.0));
            let writes_when_taken = code.ops[end - 1].kind().writes_when_taken();
            Block {
                start,
                end,
                next,
                writes_when_taken,
                handler,
            }
        });
        Flow {
            registers: code.registers,
            blocks: blocks.collect(),
            accesses,
            starts,
        }
    }

    /// `None` if that would take too much memory or time.
    fn live_at_entry(&self) -> Option<Set> {
        let empty = Set::new(self.registers);
        let instructions = self.starts.len();
        if self.blocks.len() * empty.0.len() > WORDS_PER_INSTRUCTION * instructions {
            return None;
        }
        let mut live_in = vec![empty; self.blocks.len()];
        for _ in 0..MAX_ROUNDS {
            let mut changed = false;
            for at in (0..self.blocks.len()).rev() {
                let live = self.through(&self.blocks[at], &live_in);
                if live != live_in[at] {
                    live_in[at] = live;
                    changed = true;
                }
            }
            if !changed {
                return Some(live_in.swap_remove(0));
            }
        }
        None
    }

    /// What is live where a block begins.
    fn through(&self, block: &Block, live_in: &[Set]) -> Set {
        let mut live = Set::new(self.registers);
        let last = block.end - 1;
        for &(next, taken) in &block.next {
            let mut after = live_in[next].clone();
            if block.writes_when_taken == Some(taken) {
                self.step(last, true, &mut after);
            }
            live.add_all(&after);
        }
        // Any instruction may be the last one before the handler, and then has written nothing.
        let raised = block.handler.map(|(handler, exception)| {
            let mut raised = live_in[handler].clone();
            raised.set(exception, false);
            raised
        });
        for at in (block.start..block.end).rev() {
            let always = at != last || block.writes_when_taken.is_none();
            self.step(at, always, &mut live);
            if let Some(raised) = &raised {
                live.add_all(raised);
            }
        }
        live
    }
}

/// The guard of each block: of those that cover it the one that stands first, which is the
/// innermost. Each block is visited once, however many guards cover it.
fn innermost_guards(
    code: &Code,
    blocks: usize,
    block_at: impl Fn(usize) -> usize,
) -> Vec<Option<&Guard>> {
    let mut found = vec![None; blocks];
    // From each block the way to the next one without a guard, if not itself (with paths halved as
    // in a union-find).
    let mut next: Vec<usize> = (0..=blocks).collect();
    for guard in &code.handlers {
        let end = block_at(guard.end as usize);
        let mut at = free_from(&mut next, block_at(guard.start as usize));
        while at < end {
            found[at] = Some(guard);
            next[at] = at + 1;
            at = free_from(&mut next, at);
        }
    }
    found
}

fn free_from(next: &mut [usize], mut at: usize) -> usize {
    while next[at] != at {
        next[at] = next[next[at]];
        at = next[at];
    }
    at
}

impl Flow {
    /// From what is live after an instruction to what is before it.
    fn step(&self, at: usize, writes: bool, live: &mut Set) {
        for access in &self.accesses[self.starts[at]..self.starts[at + 1]] {
            if writes || !access.writes {
                for reg in access.first..access.first + access.length {
                    live.set(reg, !access.writes);
                }
            }
        }
    }
}

/// Writes first, then reads, so that what is both counts as read when the analysis walks backward.
fn accesses_of(program: &Program, code: &Code, at: usize, into: &mut Vec<Access>) {
    let op = code.ops[at];
    let kind = op.kind();
    let first = into.len();
    let mut take = |writes: bool, Reg(reg): Reg, length: u16| {
        into.push(Access {
            first: reg,
            length,
            writes,
        });
    };
    let names = |index: NamesIx| match program.consts.get(usize::from(index.0)) {
        Some(Const::Names(names)) => names.len() as u32,
        _ => 0,
    };
    let window = op.window(&names);
    if let Some(window) = window {
        take(window.written, window.base, window.length as u16);
    }
    for (&(field, _), operand) in kind.operands().iter().zip(op.operands()) {
        match operand {
            Operand::Reg(_) if window.is_some_and(|window| window.operand == field) => {}
            Operand::Reg(reg) => take(kind.writes(field), reg, 1),
            Operand::Code(made) => {
                for capture in &program.codes[made.0 as usize].captures {
                    if let Capture::Local(reg) = capture {
                        take(false, *reg, 1);
                    }
                }
            }
            _ => {}
        }
    }
    into[first..].sort_by_key(|access| !access.writes);
}
