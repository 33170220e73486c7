//! Where objects of one type live: slots in a row, found by a number. Freezing a large arena splits it into a row that its clones share and pages of what
//! has changed since; whoever changes something copies its page. So a fork costs what is changed after it, as it does with the pages of an operating
//! system, and an arena that was never forked pays nothing for that. One that is used much after a fork is put into a row of its own again, page by page from
//! the first slot on, so that no moment has to pay for all.

use crate::vm::value::Ref;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Slots in a page, as a power of two. A page is copied as a whole: some 100 KB of objects, and what they own.
const PAGE_BITS: u32 = 11;
const PAGE: usize = 1 << PAGE_BITS;

/// The fewest slots that are worth sharing. To use an object of a split arena takes longer, so that small ones are copied.
const SHARED_FROM: usize = 4 * PAGE;

/// The most rows that an arena shares parts of: forks that come while it is being put into a row leave one more each.
const MOST_ROWS: usize = 4;

/// Objects of one type. A free slot holds a default object.
#[derive(Clone, Debug)]
pub struct Arena<T> {
    /// The slots that are this arena's alone, from the first on: all of them, or whole pages while it is split.
    whole: Vec<T>,
    split: Option<Split<T>>,
    free: Vec<u32>,
}

/// The other slots of an arena that shares some.
#[derive(Clone, Debug)]
struct Split<T> {
    /// Rows of slots, each from the first slot on, and from which slot on each is in force: up to the next one's. The last one that was frozen is first.
    rows: Vec<(usize, Arc<Vec<T>>)>,
    /// For each page, its slots if they have been copied or are new. Those of pages that are in the arena's own row are not looked at.
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

/// The slots of a page in the row that is in force there.
fn in_row<T>(rows: &[(usize, Arc<Vec<T>>)], page: usize) -> &[T] {
    let start = page << PAGE_BITS;
    let (_, row) = rows
        .iter()
        .rfind(|(from, _)| *from <= start)
        .expect("the first row is in force from the first slot on");
    &row[start..row.len().min(start + PAGE)]
}

impl<T> Split<T> {
    fn new(slots: Vec<T>) -> Split<T> {
        let mut pages = Vec::new();
        pages.resize_with(slots.len().div_ceil(PAGE), Vec::new);
        Split {
            rows: vec![(0, Arc::new(slots))],
            pages,
        }
    }

    /// The slots of a page.
    fn page(&self, page: usize) -> &[T] {
        let own = &self.pages[page];
        if !own.is_empty() {
            return own;
        }
        in_row(&self.rows, page)
    }

    fn len(&self) -> usize {
        let last = self.pages.len() - 1;
        (last << PAGE_BITS) + self.page(last).len()
    }

    /// Does nobody else share any of it?
    fn is_alone(&self) -> bool {
        self.rows.iter().all(|(_, row)| Arc::strong_count(row) == 1)
    }

    /// Shares another row, of whole pages, which is in force where it reaches.
    fn add_row(&mut self, row: Vec<T>) {
        let end = row.len();
        // Where each of the others ends to be in force is where the next one begins to be.
        let next: Vec<usize> = self.rows.iter().skip(1).map(|&(from, _)| from).collect();
        let mut ends = next.into_iter().chain([usize::MAX]);
        self.rows
            .retain(|_| ends.next().is_some_and(|its_end| its_end > end));
        self.rows[0].0 = end;
        self.rows.insert(0, (0, Arc::new(row)));
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

    fn get(&self, slot: usize) -> &T {
        let (page, at) = place(slot);
        &self.page(page)[at]
    }

    fn get_mut(&mut self, slot: usize) -> &mut T {
        let (page, at) = place(slot);
        &mut self.own(page)[at]
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
        let first = self.whole.len() >> PAGE_BITS;
        let pages = self.split.iter().flat_map(move |split| {
            let pages = first..split.pages.len();
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
        if first == second {
            return None;
        }
        let near = self.whole.len();
        let Some(split) = &mut self.split else {
            let [a, b] = self.whole.get_disjoint_mut([first, second]).ok()?;
            return Some((a, b));
        };
        match (first < near, second < near) {
            (true, true) => {
                let [a, b] = self.whole.get_disjoint_mut([first, second]).ok()?;
                Some((a, b))
            }
            (true, false) => Some((&mut self.whole[first], split.get(second))),
            (false, true) => Some((split.get_mut(first), &self.whole[second])),
            (false, false) => {
                let ((page, at), (other_page, other_at)) = (place(first), place(second));
                split.own(page);
                let Split { rows, pages } = split;
                if page == other_page {
                    let [a, b] = pages[page].get_disjoint_mut([at, other_at]).ok()?;
                    return Some((a, b));
                }
                let [own, other] = pages.get_disjoint_mut([page, other_page]).ok()?;
                let other = match other.get(other_at) {
                    Some(object) => object,
                    None => &in_row(rows, other_page)[other_at],
                };
                Some((&mut own[at], other))
            }
        }
    }

    /// Lets the next clones share what is there, if it is much.
    pub(super) fn freeze(&mut self) {
        self.join();
        match &mut self.split {
            None if self.whole.len() >= SHARED_FROM => {
                self.split = Some(Split::new(std::mem::take(&mut self.whole)));
            }
            Some(split) if !self.whole.is_empty() => {
                if split.rows.len() == MOST_ROWS {
                    while self.settle_page() {}
                    self.freeze();
                } else {
                    split.add_row(std::mem::take(&mut self.whole));
                }
            }
            None | Some(_) => {}
        }
    }

    /// Puts the slots into a row again if nobody shares them any more.
    fn join(&mut self) {
        let Some(split) = self.split.take_if(|split| split.is_alone()) else {
            return;
        };
        let Split { mut rows, pages } = split;
        let first = self.whole.len() >> PAGE_BITS;
        // The row in force at the end has the most slots. What other rows and pages have goes where it belongs.
        let (_, last) = rows.pop().expect("it has a row");
        let mut slots = Arc::into_inner(last).expect("nobody shares it");
        let mut put = |start: usize, objects: Vec<T>| {
            for (at, object) in objects.into_iter().enumerate() {
                match slots.get_mut(start + at) {
                    Some(slot) => *slot = object,
                    None => slots.push(object),
                }
            }
        };
        while let Some((_, row)) = rows.pop() {
            put(0, Arc::into_inner(row).expect("nobody shares it"));
        }
        for (page, own) in pages.into_iter().enumerate().skip(first) {
            put(page << PAGE_BITS, own);
        }
        put(0, std::mem::take(&mut self.whole));
        self.whole = slots;
    }

    /// Takes the next page that is shared into the row of its own; false if there was none. All that is left, at no cost, if nobody shares it any more.
    pub(super) fn settle_page(&mut self) -> bool {
        self.join();
        let Some(split) = &mut self.split else {
            return false;
        };
        let page = self.whole.len() >> PAGE_BITS;
        if page == 0 {
            self.whole.reserve(split.len());
        }
        let own = std::mem::take(&mut split.pages[page]);
        if own.is_empty() {
            self.whole.extend_from_slice(split.page(page));
        } else {
            self.whole.extend(own);
        }
        if page + 1 == split.pages.len() {
            self.split = None;
        }
        true
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
            let (page, at) = place(slot);
            let dead = match &mut self.split {
                Some(split) if slot >= self.whole.len() => match split.pages[page].get_mut(at) {
                    Some(dead) => dead,
                    None => continue,
                },
                _ => &mut self.whole[slot],
            };
            *dead = T::default();
            self.free.push(slot as u32);
        }
    }

    #[cold]
    fn in_page(&self, slot: usize) -> &T {
        let split = self.split.as_ref().expect("a handle is of a slot");
        split.get(slot)
    }

    #[cold]
    fn in_own_page(&mut self, slot: usize) -> &mut T {
        let split = self.split.as_mut().expect("a handle is of a slot");
        split.get_mut(slot)
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
                .map_or(arena.whole, |it| it.rows[0].1.to_vec());
            assert_eq!(alone.len(), objects + 1);
            assert_eq!(
                (&*alone[3], &*alone[4], &*alone[objects]),
                ("here", "4", "new")
            );
        }
    }

    /// An arena that is put into a row page by page, with forks in between, is at all times what a plain row would be; so are the forks.
    #[test]
    fn settling_page_by_page_shows_nowhere() {
        let pages = 9;
        for settled in 0..=pages {
            let (mut arena, handles) = filled(pages * PAGE - 5);
            let mut model: Vec<String> = (0..handles.len()).map(|at| at.to_string()).collect();
            let mut forks = Vec::new();
            // Fewer pages each time, so that each fork leaves a row; then more than there were, so that rows are not needed any more.
            for taken in [settled, settled / 2, settled / 4, 1, 0, settled, pages + 1] {
                arena.freeze();
                forks.push((arena.clone(), model.clone()));
                for page in 0..taken {
                    let at = (page * 37 * PAGE / 11 + taken) % model.len();
                    arena[Ref::new(at as u32)].push('+');
                    model[at].push('+');
                    arena.settle_page();
                }
                assert_eq!(
                    arena.iter().collect::<Vec<_>>(),
                    model.iter().collect::<Vec<_>>()
                );
                if taken % 2 == 0 {
                    model.push("new".into());
                    assert_eq!(arena.insert("new".into()).slot as usize + 1, model.len());
                }
                for at in [0, PAGE - 1, PAGE, 4 * PAGE, model.len() - 1] {
                    assert_eq!(arena[Ref::new(at as u32)], model[at]);
                }
            }
            assert!(
                arena.split.is_none(),
                "nine pages and a new one are in its own row"
            );
            for (fork, model) in &forks {
                assert!(fork.iter().eq(model), "after {settled}");
            }
            // Those that remain alone are put into rows at once.
            while let Some((mut fork, model)) = forks.pop() {
                if forks.is_empty() {
                    fork.join();
                    assert!(fork.split.is_none());
                }
                assert!(fork.iter().eq(&model), "after {settled}");
            }
        }
    }

    #[test]
    fn a_pair_is_of_one_arena_whole_or_split() {
        let (mut arena, handles) = filled(SHARED_FROM);
        let near = (handles[0], handles[1]);
        let far = (handles[0], handles[SHARED_FROM - 1]);
        let mut clones = Vec::new();
        for turn in 0..4 {
            for (first, second) in [near, far, (far.1, far.0)] {
                let wanted = arena[second].clone();
                let (changed, other) = arena.pair_mut(first, second).expect("they are two");
                changed.clone_from(other);
                assert_eq!(arena[first], wanted);
            }
            assert!(arena.pair_mut(handles[5], handles[5]).is_none());
            if turn % 2 == 0 {
                arena.freeze();
                clones.push(arena.clone());
            } else {
                arena.settle_page();
            }
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
