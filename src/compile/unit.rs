//! One code object while it is made: instructions, labels, temporaries, guarded ranges, and which
//! locals are surely bound at the present place. Knows registers and instructions, no tree.

use crate::bytecode::code::{Capture, Name};
use crate::bytecode::op::{Far, FreeIx, Imm, Near, Op, Reg, Site};
use crate::compile::scope::{ScopeId, VariableId};
use crate::source::Span;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Most instructions in one code object.
const MAX_OPS: usize = 4_000_000;

/// Most instructions in a module with so many bytes of text. Texts make about one for each byte;
/// only the copies of `finally` blocks, one for each way out of them, make many more.
pub(super) fn instructions_for(bytes: usize) -> usize {
    16 * bytes + 10_000
}

/// Most registers in one code object.
pub(super) const MAX_REGISTERS: u32 = 65_000;

/// Most attribute sites in one code object.
pub(super) const MAX_SITES: usize = 65_535;

/// A place in the code that is jumped to, an index into `Unit::labels`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Label(pub(super) u32);

/// A guarded region, an index into `Unit::regions`. Inner regions are opened after outer ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RegionId(pub(super) u32);

/// A range under guard, in pieces: the copies of cleanup code between them are not guarded.
pub(super) struct Region {
    pub(super) target: Label,
    pub(super) exception: Reg,
    /// Where the current piece began.
    open: Option<u32>,
    /// Some piece has instructions.
    pub(super) used: bool,
}

/// A piece of a region.
pub(super) struct Piece {
    pub(super) region: RegionId,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Which locals are surely bound. Unreachable places count as knowing everything.
#[derive(Clone, Default)]
pub(super) struct Flow {
    pub(super) live: bool,
    bound: Vec<u64>,
}

impl Flow {
    pub(super) fn set(&mut self, register: Reg) {
        let at = usize::from(register.0 / 64);
        if self.bound.len() <= at {
            self.bound.resize(at + 1, 0);
        }
        self.bound[at] |= 1 << (register.0 % 64);
    }

    pub(super) fn clear(&mut self, register: Reg) {
        if let Some(word) = self.bound.get_mut(usize::from(register.0 / 64)) {
            *word &= !(1 << (register.0 % 64));
        }
    }

    fn is_bound(&self, register: Reg) -> bool {
        let word = self.bound.get(usize::from(register.0 / 64));
        word.is_some_and(|word| word >> (register.0 % 64) & 1 == 1)
    }

    /// What is known where two ways meet.
    fn join(&mut self, other: &Flow) {
        if !other.live {
            return;
        }
        if !self.live {
            self.clone_from(other);
            return;
        }
        self.bound.truncate(other.bound.len());
        for (word, other) in self.bound.iter_mut().zip(&other.bound) {
            *word &= other;
        }
    }
}

#[derive(Default)]
pub(super) struct LabelState {
    pub(super) position: Option<u32>,
    flow: Flow,
}

/// The code object in the making.
pub(super) struct Unit {
    pub(super) scope: ScopeId,
    /// The code's name with its surroundings.
    pub(super) qualname: Arc<str>,
    /// Has it positional parameters?
    pub(super) takes_positional: bool,
    pub(super) ops: Vec<Op>,
    pub(super) spans: Vec<Span>,
    /// Jumps: the instruction and where it goes.
    pub(super) jumps: Vec<(u32, Label)>,
    pub(super) labels: Vec<LabelState>,
    pub(super) regions: Vec<Region>,
    pub(super) pieces: Vec<Piece>,
    /// Where each comprehension begins and ends.
    pub(super) comprehensions: Vec<(u32, u32)>,
    pub(super) sites: Vec<Name>,
    pub(super) captures: Vec<Capture>,
    pub(super) free: FxHashMap<VariableId, FreeIx>,
    pub(super) flow: Flow,
    /// Registers that a `del` or `except … as` may empty again, as a set of bits.
    unbindable: Vec<u64>,
    /// The first register that is no named local.
    pub(super) first_temporary: u32,
    /// The next free temporary.
    top: u32,
    /// One more than the highest register in use.
    pub(super) registers: u32,
    /// How many instructions more the module may have.
    pub(super) room: usize,
    /// A limit was passed: the code is unusable and nothing more is added.
    pub(super) overflow: Option<(Span, &'static str)>,
}

impl Unit {
    pub(super) fn new(scope: ScopeId, named: u32, unbindable: &[Reg], room: usize) -> Unit {
        let mut may_be_emptied = Flow::default();
        for &register in unbindable {
            may_be_emptied.set(register);
        }
        Unit {
            scope,
            qualname: Arc::default(),
            takes_positional: false,
            ops: Vec::new(),
            spans: Vec::new(),
            jumps: Vec::new(),
            labels: Vec::new(),
            regions: Vec::new(),
            pieces: Vec::new(),
            comprehensions: Vec::new(),
            sites: Vec::new(),
            captures: Vec::new(),
            free: FxHashMap::default(),
            flow: Flow {
                live: true,
                bound: Vec::new(),
            },
            unbindable: may_be_emptied.bound,
            first_temporary: named,
            top: named,
            registers: named,
            room,
            overflow: None,
        }
    }

    // Instructions.

    pub(super) fn here(&self) -> u32 {
        self.ops.len() as u32
    }

    /// Adds an instruction, unless this place cannot be reached.
    pub(super) fn emit(&mut self, op: Op, span: Span) {
        if !self.flow.live {
            return;
        }
        if self.ops.len() >= MAX_OPS {
            self.limit(span, "more than 4,000,000 instructions in one code object");
            return;
        }
        if self.room == 0 {
            self.limit(
                span,
                "the copies of the `finally` blocks make too many instructions",
            );
            return;
        }
        self.room -= 1;
        self.ops.push(op);
        self.spans.push(span);
        if !op.kind().falls_through() {
            self.flow.live = false;
        }
    }

    /// Notes that a limit is passed; the first one is reported.
    pub(super) fn limit(&mut self, span: Span, which: &'static str) {
        self.overflow.get_or_insert((span, which));
    }

    /// A new site for an attribute.
    pub(super) fn site(&mut self, name: Name, span: Span) -> Site {
        let at = self.sites.len();
        if at >= MAX_SITES {
            self.limit(span, "more than 65,535 attribute names in one code object");
            return Site(0);
        }
        self.sites.push(name);
        Site(at as u16)
    }

    // Registers.

    /// A fresh temporary above all others.
    pub(super) fn temporary(&mut self) -> Reg {
        let register = Reg(self.top.min(MAX_REGISTERS) as u16);
        if self.top >= MAX_REGISTERS {
            let span = self.spans.last().copied().unwrap_or_default();
            self.limit(span, "more than 65,000 registers in one code object");
        } else {
            self.top += 1;
        }
        self.registers = self.registers.max(self.top);
        register
    }

    /// `count` fresh temporaries in a row; gives the first.
    pub(super) fn temporaries(&mut self, count: usize) -> Reg {
        let first = Reg(self.top.min(MAX_REGISTERS) as u16);
        for _ in 0..count {
            self.temporary();
        }
        first
    }

    /// What to give to `release`.
    pub(super) fn mark(&self) -> u32 {
        self.top
    }

    /// Frees the temporaries taken since `mark`.
    pub(super) fn release(&mut self, mark: u32) {
        self.top = mark;
    }

    pub(super) fn is_temporary(&self, register: Reg) -> bool {
        u32::from(register.0) >= self.first_temporary
    }

    // Labels and jumps.

    pub(super) fn label(&mut self) -> Label {
        let label = Label(self.labels.len() as u32);
        self.labels.push(LabelState::default());
        label
    }

    /// Adds a jump; its distance is filled in at the end.
    pub(super) fn jump(&mut self, op: Op, to: Label, span: Span) {
        if !self.flow.live {
            return;
        }
        let at = self.here();
        let state = &mut self.labels[to.0 as usize];
        if state.position.is_none() {
            state.flow.join(&self.flow);
        }
        self.emit(op, span);
        if self.here() > at {
            self.jumps.push((at, to));
        }
    }

    pub(super) fn go(&mut self, to: Label, span: Span) {
        self.jump(Op::Jump { to: Far(0) }, to, span);
    }

    /// Puts a label here.
    pub(super) fn place(&mut self, label: Label) {
        let here = self.here();
        let state = &mut self.labels[label.0 as usize];
        state.position = Some(here);
        // Later jumps to this place go back, and add nothing to what is known here.
        self.flow.join(&std::mem::take(&mut state.flow));
    }

    /// Puts a label here that later code jumps back to.
    pub(super) fn place_head(&mut self, label: Label) {
        self.flow = self.without_unbindable(&self.flow);
        self.place(label);
    }

    /// Puts a label here that is entered with what `flow` knows.
    pub(super) fn place_with(&mut self, label: Label, flow: Flow) {
        self.flow = flow;
        self.place(label);
    }

    /// What is known of `flow` after any number of statements of this code.
    pub(super) fn without_unbindable(&self, flow: &Flow) -> Flow {
        let mut flow = flow.clone();
        for (word, emptied) in flow.bound.iter_mut().zip(&self.unbindable) {
            *word &= !emptied;
        }
        flow
    }

    pub(super) fn is_bound(&self, register: Reg) -> bool {
        !self.flow.live || self.flow.is_bound(register)
    }

    // Guards.

    /// Opens a guarded region.
    pub(super) fn guard(&mut self, target: Label, exception: Reg) -> RegionId {
        let id = RegionId(self.regions.len() as u32);
        self.regions.push(Region {
            target,
            exception,
            open: Some(self.here()),
            used: false,
        });
        id
    }

    /// Ends the current piece of a region.
    pub(super) fn suspend(&mut self, id: RegionId) {
        let end = self.here();
        let region = &mut self.regions[id.0 as usize];
        if let Some(start) = region.open.take()
            && start < end
        {
            region.used = true;
            self.pieces.push(Piece {
                region: id,
                start,
                end,
            });
        }
    }

    /// Begins a new piece of a region.
    pub(super) fn resume(&mut self, id: RegionId) {
        let here = self.here();
        self.regions[id.0 as usize].open = Some(here);
    }

    /// Where the exceptions of a region arrive.
    pub(super) fn exception_of(&self, id: RegionId) -> Reg {
        self.regions[id.0 as usize].exception
    }

    /// Does the region guard any instruction?
    pub(super) fn is_used(&self, id: RegionId) -> bool {
        self.regions[id.0 as usize].used
    }
}

/// The distance of a jump before it is known.
pub(super) const NEAR: Near = Near(0);
/// The same for long jumps.
pub(super) const FAR: Far = Far(0);

/// A small integer operand, if the value is one.
pub(super) fn immediate(value: &num_bigint::BigInt) -> Option<Imm> {
    i16::try_from(value).ok().map(Imm)
}
