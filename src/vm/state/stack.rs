//! The places on a thread's stack: where arguments lie, and room for more.

use crate::vm::Vm;
use crate::vm::heap::class::Name;
use crate::vm::heap::value::Value;

/// Arguments on the stack of a thread: `count` positional ones from `at`, of which the last
/// `names.len()` are keyword arguments if there are names.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct Arguments<'a> {
    pub(in crate::vm) at: usize,
    pub(in crate::vm) count: usize,
    pub(in crate::vm) names: &'a [Name],
}

/// Where the arguments of a native are on its thread's stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(in crate::vm) struct Bound {
    /// The declared parameters: positional ones, then keyword-only ones.
    pub(in crate::vm) args_at: u32,
    /// How many of them are there; the others were not given.
    pub(in crate::vm) args: u32,
    /// The arguments of `*name`.
    pub(in crate::vm) rest_at: u32,
    pub(in crate::vm) rest: u32,
}

impl Bound {
    /// One past the last stack place it uses.
    pub(in crate::vm) fn end(self) -> usize {
        ((self.args_at + self.args).max(self.rest_at + self.rest)) as usize
    }
}

/// Places above a frame's window that its instructions may use for what they call.
pub(in crate::vm) const SPARE: usize = 8;

impl Vm {
    /// The first free place on a thread's stack above its frame and its pending natives.
    pub(in crate::vm) fn stack_top(&self, thread: usize) -> usize {
        let state = &self.threads[thread];
        let mut top = state.frames.last().map_or(0, |frame| {
            frame.base as usize + self.image.links[frame.code.0 as usize].registers as usize
        });
        if let Some(pending) = state.pending.last() {
            top = top.max(pending.bound.end());
        }
        top
    }

    /// Makes room for `size` values from `at` on: a few, which are counted but need no asking.
    pub(in crate::vm) fn reserve(&mut self, thread: usize, at: usize, size: usize) {
        let grown = self.threads[thread].grow_stack(at + size);
        self.heap.allocated += grown;
    }

    /// Makes room for the window of a frame that is about to be pushed. Garbage may be collected,
    /// which spares these values, and what lies on the stack before `live`. `MemoryError` if there
    /// is no room.
    pub(in crate::vm) fn reserve_window(
        &mut self,
        thread: usize,
        (at, size): (usize, usize),
        live: usize,
        kept: &[Value],
    ) -> Result<(), Value> {
        if at + size <= self.threads[thread].stack.len() {
            return Ok(());
        }
        self.grow_for_window(thread, at + size, live, kept)
    }

    #[cold]
    fn grow_for_window(
        &mut self,
        thread: usize,
        end: usize,
        live: usize,
        kept: &[Value],
    ) -> Result<(), Value> {
        let growth = self.threads[thread].stack_growth(end);
        let outer = std::mem::replace(&mut self.threads[thread].spared, live);
        let others = self.kept.len();
        self.kept.extend(kept);
        let fits = self.has_room(growth) || {
            self.collect_but_keep_names();
            self.has_room(growth)
        };
        self.kept.truncate(others);
        self.threads[thread].spared = outer;
        if !fits {
            return Err(self.out_of_memory());
        }
        self.heap.allocated += self.threads[thread].grow_stack(end);
        Ok(())
    }
}
