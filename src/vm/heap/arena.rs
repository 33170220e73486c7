//! Where objects of one type live: slots in a row, found by a number. Freezing a large arena splits
//! it into rows that its clones share and pages of what has changed since; whoever changes
//! something copies its page. So a fork costs what is changed after it, as it does with the pages
//! of an operating system, and an arena that was never forked pays nothing for that. One that is
//! used much after a fork is made its own again, page by page from the first slot on, so that no
//! moment has to pay for all.
//!
//! Knows nothing of what the objects are. A vector is its model (`arena::tests`).

mod rows;
#[cfg(test)]
mod tests;

use crate::vm::heap::Weight;
use crate::vm::heap::arena::rows::Shared;
use crate::vm::heap::memory::Charge;
use crate::vm::heap::value::Ref;
use std::ops::{Index, IndexMut};

/// From when on an arena shares its slots with its clones, and in what pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Slots in a page, as a power of two. A page is copied as a whole.
    pub page_bits: u32,
    /// The fewest slots that are worth sharing. To use an object of a shared page takes longer.
    pub from_slots: usize,
}

/// Objects of one type. A free slot holds a default object.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    /// The slots that are this arena's alone, from the first on: all, or whole pages while some
    /// are shared.
    own: Vec<T>,
    /// The other slots, of an arena that shares some.
    shared: Option<Shared<T>>,
    free: Vec<u32>,
    /// Bytes of the slots that are its own and what they keep, when they were last weighed.
    weight: usize,
    /// Of rows that were shared and are its own again, until they are weighed with the others.
    taken_back: Vec<Charge>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena {
            own: Vec::new(),
            shared: None,
            free: Vec::new(),
            weight: 0,
            taken_back: Vec::new(),
        }
    }
}

impl<T: Clone + Default + Weight> Arena<T> {
    /// Puts an object into a slot.
    ///
    /// # Panics
    /// If there are 2^32 of them; the limit of memory is far below.
    pub fn insert(&mut self, object: T) -> Ref<T> {
        if let Some(slot) = self.free.pop() {
            let free = Ref::new(slot);
            self[free] = object;
            return free;
        }
        let slot = u32::try_from(self.slots()).expect("the memory limit is under 2^32 objects");
        match &mut self.shared {
            None => self.own.push(object),
            Some(shared) => shared.push(object),
        }
        Ref::new(slot)
    }

    /// How many slots there are, the free ones among them.
    pub(in crate::vm) fn slots(&self) -> usize {
        match &self.shared {
            None => self.own.len(),
            Some(shared) => shared.len(),
        }
    }

    /// All slots, the free ones among them.
    pub(in crate::vm) fn iter(&self) -> impl Iterator<Item = &T> {
        let others = self
            .shared
            .iter()
            .flat_map(|shared| shared.iter_from(self.own.len()));
        self.own.iter().chain(others)
    }

    /// Does it share slots with a clone, or did it until now?
    pub(in crate::vm) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// The free slots.
    pub(in crate::vm) fn free_slots(&self) -> &[u32] {
        &self.free
    }

    /// How many objects live in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots() - self.free.len()
    }

    /// Bytes of its free slots.
    pub(in crate::vm) fn idle_bytes(&self) -> usize {
        self.free.len() * T::BYTES
    }

    /// Does none live in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is the object one that no other arena shares? After this answer, to use it takes one look.
    #[inline]
    pub(in crate::vm) fn is_own(&self, object: Ref<T>) -> bool {
        (object.slot as usize) < self.own.len()
    }

    /// Two objects at once, the first of them to change; none if they are the same.
    #[must_use]
    pub fn pair_mut(&mut self, first: Ref<T>, second: Ref<T>) -> Option<(&mut T, &T)> {
        let (first, second) = (first.slot as usize, second.slot as usize);
        if first == second {
            return None;
        }
        let own = self.own.len();
        let Some(shared) = &mut self.shared else {
            let [a, b] = self.own.get_disjoint_mut([first, second]).ok()?;
            return Some((a, b));
        };
        match (first < own, second < own) {
            (true, true) => {
                let [a, b] = self.own.get_disjoint_mut([first, second]).ok()?;
                Some((a, b))
            }
            (true, false) => Some((&mut self.own[first], shared.get(second))),
            (false, true) => Some((shared.get_mut(first), &self.own[second])),
            (false, false) => shared.pair_mut(first, second),
        }
    }

    /// Lets the next clones share what is there, if it is much. What that takes, all of them have
    /// in common, and no longer the one that has paid for it so far.
    pub(in crate::vm) fn freeze(&mut self, sharing: Sharing, paid: &mut Charge) {
        self.take_back();
        match &mut self.shared {
            None if self.own.len() >= sharing.from_slots => {
                let slots = std::mem::take(&mut self.own);
                // To weigh all of it would take longer than the rest of the fork.
                let weight = self.weight.max(slots.len() * T::BYTES);
                self.shared = Some(Shared::new(slots, sharing.page_bits, paid.split(weight)));
            }
            Some(shared) if !self.own.is_empty() => {
                if shared.is_full_of_rows() {
                    while self.unshare_page() {}
                    self.freeze(sharing, paid);
                } else {
                    let slots = std::mem::take(&mut self.own);
                    let charge = paid.split(weight(&slots));
                    shared.add_row(slots, charge);
                }
            }
            None | Some(_) => {}
        }
    }

    /// Takes all slots into a row of its own again if nobody else shares them any more.
    fn take_back(&mut self) {
        if let Some(shared) = self.shared.take_if(|shared| shared.is_alone()) {
            self.own = shared.into_row(std::mem::take(&mut self.own), &mut self.taken_back);
        }
    }

    /// Bytes of the slots that are its own, and of what the objects there keep.
    pub(in crate::vm) fn weigh(&mut self) -> usize {
        self.taken_back.clear();
        let copied = self.shared.as_ref().map_or(0, |it| it.copied(&self.own));
        self.weight = weight(&self.own) + copied;
        self.weight
    }

    /// Bytes that it has in common with its clones.
    pub(in crate::vm) fn shared_bytes(&self) -> usize {
        self.shared.as_ref().map_or(0, Shared::bytes)
    }

    /// Bytes that were copied, because somebody changed something in a page, since this was last
    /// asked.
    pub(in crate::vm) fn take_copied_bytes(&mut self) -> usize {
        self.shared
            .as_mut()
            .map_or(0, |it| std::mem::take(&mut it.copied_bytes))
    }

    /// Takes the next page that is shared into the row of its own; false if there was none. All
    /// that is left, at no cost, if nobody shares it any more.
    pub(in crate::vm) fn unshare_page(&mut self) -> bool {
        self.take_back();
        let Some(shared) = &mut self.shared else {
            return false;
        };
        if !shared.move_page(&mut self.own) {
            self.shared = None;
        }
        true
    }

    /// Nothing is marked.
    pub(in crate::vm) fn unmarked(&self) -> Marks {
        Marks(vec![false; self.slots()])
    }

    /// Frees what is not marked. What nobody needs in a page that others share stays there: to
    /// free it would mean to copy the page.
    pub(in crate::vm) fn sweep(&mut self, marks: Marks) {
        self.take_back();
        let Marks(mut marked) = marks;
        for &slot in &self.free {
            marked[slot as usize] = true;
        }
        // From the top down, so that low slots are reused first and the arena stays dense.
        for slot in (0..marked.len()).rev().filter(|&slot| !marked[slot]) {
            let dead = match &mut self.shared {
                Some(shared) if slot >= self.own.len() => match shared.get_own_mut(slot) {
                    Some(dead) => dead,
                    None => continue,
                },
                _ => &mut self.own[slot],
            };
            *dead = T::default();
            self.free.push(slot as u32);
        }
    }

    #[cold]
    fn in_page(&self, slot: usize) -> &T {
        let shared = self.shared.as_ref().expect("a handle is of a slot");
        shared.get(slot)
    }

    #[cold]
    fn in_own_page(&mut self, slot: usize) -> &mut T {
        let shared = self.shared.as_mut().expect("a handle is of a slot");
        shared.get_mut(slot)
    }
}

/// Bytes of slots and of what the objects in them keep.
fn weight<T: Weight>(slots: &[T]) -> usize {
    slots.len() * T::BYTES + slots.iter().map(Weight::outer_bytes).sum::<usize>()
}

/// Which objects of an arena were reached.
#[derive(Debug)]
pub(in crate::vm) struct Marks(Vec<bool>);

impl Marks {
    /// Marks an object; true if it was not before.
    pub(in crate::vm) fn mark<T>(&mut self, object: Ref<T>) -> bool {
        !std::mem::replace(&mut self.0[object.slot as usize], true)
    }
}

impl<T: Clone + Default + Weight> Index<Ref<T>> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, object: Ref<T>) -> &T {
        let slot = object.slot as usize;
        if slot < self.own.len() {
            return &self.own[slot];
        }
        self.in_page(slot)
    }
}

impl<T: Clone + Default + Weight> IndexMut<Ref<T>> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, object: Ref<T>) -> &mut T {
        let slot = object.slot as usize;
        if slot < self.own.len() {
            return &mut self.own[slot];
        }
        self.in_own_page(slot)
    }
}
