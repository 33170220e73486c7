//! Where objects of one type live: slots in a row, found by a number. Freezing a large arena splits it into a row that its clones share and pages of what
//! has changed since; whoever changes something copies its page. So a fork costs what is changed after it, as it does with the pages of an operating
//! system, and an arena that was never forked pays nothing for that.

use crate::vm::value::Ref;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Slots in a page, as a power of two. A page is copied as a whole: some 100 KB of objects, and what they own.
const PAGE_BITS: u32 = 11;
const PAGE: usize = 1 << PAGE_BITS;

/// The fewest slots that are worth sharing. To use an object of a split arena takes longer, so that small ones are copied.
const SHARED_FROM: usize = 4 * PAGE;

/// Objects of one type. A free slot holds a default object.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    /// The slots; none while the arena is split.
    whole: Vec<T>,
    split: Option<Split<T>>,
    free: Vec<u32>,
}

/// The slots of an arena that shares some.
#[derive(Clone, Debug)]
struct Split<T> {
    /// Those of the moment when it was split.
    base: Arc<Vec<T>>,
    /// For each page, its slots if they have been copied or are new.
    pages: Vec<Vec<T>>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena {
            whole: Vec::new(),
            split: None,
            free: Vec::new(),
        }
    }
}

/// The page of a slot, and its place there.
fn place(slot: usize) -> (usize, usize) {
    (slot >> PAGE_BITS, slot & (PAGE - 1))
}

impl<T> Split<T> {
    fn new(slots: Vec<T>) -> Split<T> {
        let mut pages = Vec::new();
        pages.resize_with(slots.len().div_ceil(PAGE), Vec::new);
        Split {
            base: Arc::new(slots),
            pages,
        }
    }

    /// The slots of a page.
    fn page(&self, page: usize) -> &[T] {
        let own = &self.pages[page];
        if own.is_empty() {
            let start = page << PAGE_BITS;
            &self.base[start..self.base.len().min(start + PAGE)]
        } else {
            own
        }
    }

    fn len(&self) -> usize {
        let last = self.pages.len() - 1;
        (last << PAGE_BITS) + self.page(last).len()
    }

    /// The slots in a row again, if nobody shares them.
    fn join(self) -> Result<Vec<T>, Split<T>> {
        let Split { base, pages } = self;
        let mut slots = match Arc::try_unwrap(base) {
            Ok(slots) => slots,
            Err(base) => return Err(Split { base, pages }),
        };
        for (page, own) in pages.into_iter().enumerate() {
            let start = page << PAGE_BITS;
            for (at, object) in own.into_iter().enumerate() {
                match slots.get_mut(start + at) {
                    Some(slot) => *slot = object,
                    None => slots.push(object),
                }
            }
        }
        Ok(slots)
    }
}

impl<T: Clone> Split<T> {
    /// The slots of a page, to change.
    fn own(&mut self, page: usize) -> &mut Vec<T> {
        if self.pages[page].is_empty() {
            self.pages[page] = self.page(page).to_vec();
        }
        &mut self.pages[page]
    }

    fn push(&mut self, object: T) {
        let (page, _) = place(self.len());
        if page == self.pages.len() {
            self.pages.push(Vec::new());
            self.pages[page].push(object);
        } else {
            self.own(page).push(object);
        }
    }
}

impl<T: Clone + Default> Arena<T> {
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
        match &mut self.split {
            None => self.whole.push(object),
            Some(split) => split.push(object),
        }
        Ref::new(slot)
    }

    /// How many slots there are, the free ones among them.
    fn slots(&self) -> usize {
        match &self.split {
            None => self.whole.len(),
            Some(split) => split.len(),
        }
    }

    /// All slots, the free ones among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let pages = self.split.iter().flat_map(|split| {
            let pages = 0..split.pages.len();
            pages.flat_map(|page| split.page(page))
        });
        self.whole.iter().chain(pages)
    }

    /// How many objects live in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots() - self.free.len()
    }

    /// Does none live in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is it one that no other arena shares? After this answer, to use it takes one look.
    #[inline]
    pub(super) fn is_near(&self, object: Ref<T>) -> bool {
        (object.slot as usize) < self.whole.len()
    }

    /// Two objects at once, the first of them to change; none if they are the same.
    #[must_use]
    pub fn pair_mut(&mut self, first: Ref<T>, second: Ref<T>) -> Option<(&mut T, &T)> {
        let (first, second) = (first.slot as usize, second.slot as usize);
        let Some(split) = &mut self.split else {
            let [a, b] = self.whole.get_disjoint_mut([first, second]).ok()?;
            return Some((a, b));
        };
        let ((page, at), (other_page, other_at)) = (place(first), place(second));
        split.own(page);
        if page == other_page {
            let [a, b] = split.pages[page].get_disjoint_mut([at, other_at]).ok()?;
            return Some((a, b));
        }
        let [own, other] = split.pages.get_disjoint_mut([page, other_page]).ok()?;
        let other = match other.get(other_at) {
            Some(object) => object,
            None => &split.base[second],
        };
        Some((&mut own[at], other))
    }

    /// Lets the next clones share what is there, if it is much.
    pub(super) fn freeze(&mut self) {
        self.join();
        if self.split.is_none() && self.whole.len() >= SHARED_FROM {
            self.split = Some(Split::new(std::mem::take(&mut self.whole)));
        }
    }

    /// Puts the slots into a row again if nobody shares them any more.
    fn join(&mut self) {
        match self.split.take().map(Split::join) {
            Some(Ok(slots)) => self.whole = slots,
            Some(Err(split)) => self.split = Some(split),
            None => {}
        }
    }

    /// Copies what is shared, for good.
    pub(super) fn settle(&mut self) {
        if let Some(Split { base, pages }) = self.split.take() {
            let base = Arc::new(Arc::unwrap_or_clone(base));
            self.split = Some(Split { base, pages });
            self.join();
        }
    }

    /// Nothing is marked.
    pub(super) fn unmarked(&self) -> Marks {
        Marks(vec![false; self.slots()])
    }

    /// Frees what is not marked, but for the first few. What nobody needs in a page that others share stays there: to free it would mean to copy the page.
    pub(super) fn sweep(&mut self, marks: Marks, keep: usize) {
        self.join();
        let Marks(mut marked) = marks;
        let kept = keep.min(marked.len());
        marked[..kept].fill(true);
        for &slot in &self.free {
            marked[slot as usize] = true;
        }
        // From the top down, so that low slots are reused first and the arena stays dense.
        for slot in (0..marked.len()).rev().filter(|&slot| !marked[slot]) {
            let dead = match &mut self.split {
                None => &mut self.whole[slot],
                Some(split) => {
                    let (page, at) = place(slot);
                    match split.pages[page].get_mut(at) {
                        Some(dead) => dead,
                        None => continue,
                    }
                }
            };
            *dead = T::default();
            self.free.push(slot as u32);
        }
    }

    #[cold]
    fn in_page(&self, slot: usize) -> &T {
        let split = self.split.as_ref().expect("a handle is of a slot");
        let (page, at) = place(slot);
        &split.page(page)[at]
    }

    #[cold]
    fn in_own_page(&mut self, slot: usize) -> &mut T {
        let split = self.split.as_mut().expect("a handle is of a slot");
        let (page, at) = place(slot);
        &mut split.own(page)[at]
    }
}

/// Which objects of an arena were reached.
#[derive(Debug)]
pub(super) struct Marks(Vec<bool>);

impl Marks {
    /// Marks an object; true if it was not before.
    pub(super) fn mark<T>(&mut self, object: Ref<T>) -> bool {
        !std::mem::replace(&mut self.0[object.slot as usize], true)
    }
}

impl<T: Clone + Default> Index<Ref<T>> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, object: Ref<T>) -> &T {
        let slot = object.slot as usize;
        if slot < self.whole.len() {
            return &self.whole[slot];
        }
        self.in_page(slot)
    }
}

impl<T: Clone + Default> IndexMut<Ref<T>> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, object: Ref<T>) -> &mut T {
        let slot = object.slot as usize;
        if slot < self.whole.len() {
            return &mut self.whole[slot];
        }
        self.in_own_page(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(objects: usize) -> (Arena<String>, Vec<Ref<String>>) {
        let mut arena = Arena::default();
        let handles = (0..objects)
            .map(|at| arena.insert(at.to_string()))
            .collect();
        (arena, handles)
    }

    #[test]
    fn a_clone_and_its_origin_change_apart() {
        for objects in [10, SHARED_FROM, SHARED_FROM + 1, SHARED_FROM + PAGE] {
            let (mut arena, handles) = filled(objects);
            arena.freeze();
            let mut clone = arena.clone();
            assert_eq!(arena.split.is_some(), objects >= SHARED_FROM);
            arena[handles[3]] = "here".into();
            clone[handles[objects - 1]] = "there".into();
            let (new, newer) = (arena.insert("new".into()), clone.insert("newer".into()));
            assert_eq!(new, newer, "both have the same slots");
            assert_eq!((&*arena[handles[3]], &*clone[handles[3]]), ("here", "3"));
            assert_eq!(clone[handles[objects - 1]], "there");
            assert_eq!(arena[handles[objects - 1]], (objects - 1).to_string());
            assert_eq!((&*arena[new], &*clone[newer]), ("new", "newer"));
            assert_eq!(arena.len(), objects + 1);
            assert_eq!(arena.iter().count(), objects + 1);
            // Alone again, it is what it was, in a row.
            drop(clone);
            arena.freeze();
            let alone = arena
                .split
                .take()
                .map_or(arena.whole, |it| it.base.to_vec());
            assert_eq!(alone.len(), objects + 1);
            assert_eq!(
                (&*alone[3], &*alone[4], &*alone[objects]),
                ("here", "4", "new")
            );
        }
    }

    #[test]
    fn a_pair_is_of_one_arena_whole_or_split() {
        let (mut arena, handles) = filled(SHARED_FROM);
        let near = (handles[0], handles[1]);
        let far = (handles[0], handles[SHARED_FROM - 1]);
        for _ in 0..2 {
            for (first, second) in [near, far] {
                let wanted = arena[second].clone();
                let (changed, other) = arena.pair_mut(first, second).expect("they are two");
                changed.clone_from(other);
                assert_eq!(arena[first], wanted);
            }
            assert!(arena.pair_mut(handles[5], handles[5]).is_none());
            arena.freeze();
        }
    }

    #[test]
    fn what_is_garbage_in_a_shared_page_stays_until_the_page_is_its_own() {
        let (mut arena, handles) = filled(SHARED_FROM);
        arena.freeze();
        let other = arena.clone();
        arena[handles[0]] = "mine".into();
        let marks = arena.unmarked();
        arena.sweep(marks, 1);
        assert_eq!(arena.len(), SHARED_FROM - (PAGE - 1), "one page is its own");
        assert_eq!(arena[handles[PAGE]], PAGE.to_string());
        drop(other);
        let marks = arena.unmarked();
        arena.sweep(marks, 1);
        assert_eq!(arena.len(), 1);
        assert_eq!(arena[handles[0]], "mine");
    }
}
