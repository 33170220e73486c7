//! Taking items one by one: CPython's builtins do something with each item before they ask for the
//! next, and a script that makes the items, or catches what is raised over one of them, sees it. So
//! a native goes as far as it can by itself, and leaves the rest to a loop of the library
//! (`src/stdlib/builtins.mini`): the item it could not deal with, and the iterator behind it.

use super::step::Stepped;
use crate::vm::heap::Heap;
use crate::vm::heap::object::Iter;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};
use crate::vm::state::thread::LogEntry;

/// So many items take microseconds.
pub(super) const LOOK_EVERY: usize = 1 << 12;

/// What a native made of an item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::vm) enum Turn {
    /// It is dealt with: on to the next.
    Done,
    /// It is dealt with, and no more are wanted.
    Enough,
    /// Only the script can say what comes of it.
    Ask,
}

/// How far a walk went.
pub(in crate::vm) struct Walked {
    /// How many items were dealt with.
    pub(in crate::vm) count: usize,
    /// What is left for the library, unless all is done.
    pub(in crate::vm) rest: Option<Rest>,
}

/// What is left of an iterable: a tuple with the item that only the script can deal with, if it was
/// that, and what the other items come from.
pub(in crate::vm) struct Rest {
    pub(in crate::vm) pending: Value,
    pub(in crate::vm) items: Value,
}

/// What a native came to by itself.
pub(in crate::vm) enum Outcome {
    Value(Value),
    /// The arguments of the library's function that goes on.
    Rest(Vec<Value>),
}

/// An iterator on its way. The state of a plain one is here while it moves.
struct Walk {
    state: Iter,
    home: Option<Ref<Iter>>,
    plain: bool,
}

impl Walk {
    /// None of an iterable whose every item the script makes.
    fn over(heap: &mut Heap, iterable: Value) -> Option<Walk> {
        let Value::Iter(home) = iterable else {
            let state = heap.iter_of_container(iterable)?;
            let plain = state.is_plain();
            let walk = Walk {
                state,
                home: None,
                plain,
            };
            return Some(if plain { walk } else { walk.at_home(heap) });
        };
        let plain = heap.iters[home].is_plain();
        let state = if plain {
            heap.iters[home].clone()
        } else {
            Iter::Done
        };
        let home = Some(home);
        Some(Walk { state, home, plain })
    }

    fn at_home(self, heap: &mut Heap) -> Walk {
        let Value::Iter(home) = heap.new_iter(self.state) else {
            unreachable!("new_iter makes an iterator")
        };
        Walk {
            state: Iter::Done,
            home: Some(home),
            plain: false,
        }
    }

    /// Takes a step, unless the script or an exception must say.
    fn next(&mut self, heap: &mut Heap) -> Stepped {
        match self.home {
            Some(home) if !self.plain => heap.step_alone(home),
            _ => heap.step_plainly(&mut self.state).into(),
        }
    }

    /// The iterator as it is now; none is made where nobody could see it.
    fn end(self, heap: &mut Heap, wanted: bool) -> Value {
        match self.home {
            Some(home) => {
                if self.plain {
                    heap.iters[home] = self.state;
                }
                Value::Iter(home)
            }
            None if wanted => heap.new_iter(self.state),
            None => Value::None,
        }
    }
}

/// What it is to take an item of an iterable.
fn taking(iterable: Value) -> Work {
    match iterable {
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_) => Work::Visit,
        _ => Work::Make,
    }
}

impl Ctx<'_> {
    /// Gives items to `take`, one by one, as far as the iterable needs nothing but the heap.
    pub(in crate::vm) fn walk(
        &mut self,
        iterable: Value,
        mut take: impl FnMut(&mut Self, Value) -> Result<Turn, Abrupt>,
    ) -> Result<Walked, Abrupt> {
        let mut count = 0;
        let Some(mut walk) = Walk::over(&mut self.vm.heap, iterable) else {
            let pending = self.vm.heap.new_tuple(Vec::new());
            let items = iterable;
            let rest = Some(Rest { pending, items });
            return Ok(Walked { count, rest });
        };
        let pending = loop {
            let item = match walk.next(&mut self.vm.heap) {
                Stepped::Item(item) => item,
                Stepped::End => break None,
                Stepped::NotAlone => break Some(Vec::new()),
            };
            if count % LOOK_EVERY == 0 && self.vm.heap.is_flagged_after(taking(iterable), count) {
                break Some(vec![item]);
            }
            match take(self, item) {
                Ok(Turn::Done) => count += 1,
                Ok(Turn::Enough) => {
                    count += 1;
                    break None;
                }
                // What could not be done just now, for want of memory or because the engine wants
                // something, the library does, which looks and collects at each step. The native is
                // not called again: what was taken is gone.
                Ok(Turn::Ask) | Err(Abrupt::Flagged | Abrupt::Room { .. }) => {
                    break Some(vec![item]);
                }
                Err(interrupt) => {
                    walk.end(&mut self.vm.heap, false);
                    return Err(interrupt);
                }
            }
        };
        let items = walk.end(&mut self.vm.heap, pending.is_some());
        let rest = pending.map(|pending| Rest {
            pending: self.vm.heap.new_tuple(pending),
            items,
        });
        Ok(Walked { count, rest })
    }

    /// Had the library better go on, whose steps look and collect garbage? For steps that may be
    /// long, or make an object.
    pub(in crate::vm) fn leaves_rest(&self) -> bool {
        self.vm.heap.is_flagged_now() || self.vm.is_overdue()
    }

    /// Notes the work of having taken so many items of an iterable.
    pub(in crate::vm) fn took(&self, iterable: Value, count: usize) {
        self.vm.heap.worked(taking(iterable), count);
    }

    /// Begins by itself, once however often the native is called again; then the library's function
    /// goes on with what is left.
    pub(in crate::vm) fn or_by_library(
        &mut self,
        function: &str,
        begin: impl FnOnce(&mut Self) -> Result<Outcome, Abrupt>,
    ) -> Result<Value, Abrupt> {
        match self.begin(begin)? {
            Outcome::Value(value) => Ok(value),
            Outcome::Rest(args) => {
                let function = self.vm.library(function);
                self.call(function, &args)
            }
        }
    }

    /// What a native does before it asks. It is done once, however often the native is called
    /// again, and remembered even if nothing is left to ask: another beginning may follow.
    pub(in crate::vm) fn begin(
        &mut self,
        begin: impl FnOnce(&mut Self) -> Result<Outcome, Abrupt>,
    ) -> Result<Outcome, Abrupt> {
        match self.log.get(self.replayed) {
            Some(&LogEntry::Whole(value)) => {
                self.replayed += 1;
                return Ok(Outcome::Value(value));
            }
            Some(&LogEntry::Engine(Value::Tuple(args))) => {
                self.replayed += 1;
                return Ok(Outcome::Rest(self.vm.heap.tuples[args].0.to_vec()));
            }
            _ => {}
        }
        let outcome = begin(self)?;
        self.new_entries.push(match &outcome {
            Outcome::Value(value) => LogEntry::Whole(*value),
            Outcome::Rest(args) => LogEntry::Engine(self.vm.heap.new_tuple(args.clone())),
        });
        Ok(outcome)
    }
}
