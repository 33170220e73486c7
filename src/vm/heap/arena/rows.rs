//! The slots that an arena shares with its clones: rows that none of them changes, and the pages
//! that this one has copied or added since. Does not know which slots are the arena's own: those
//! of its own row come first, and nobody asks for them here.

use super::weight;
use crate::vm::heap::Weight;
use crate::vm::heap::memory::Charge;
use std::sync::Arc;

/// The most rows that an arena shares parts of: forks that come while it is being made its own
/// again leave one more each.
const MAX_ROWS: usize = 4;

/// Slots that are shared, and those that were copied from there.
#[derive(Clone, Debug)]
pub(super) struct Shared<T> {
    /// Slots in a page, as a power of two.
    page_bits: u32,
    /// The last one that was frozen is first.
    rows: Vec<Row<T>>,
    /// For each page, its slots if they have been copied or are new. Those of pages that are in
    /// the arena's own row are not looked at.
    pages: Vec<Vec<T>>,
    /// Bytes of pages that were copied and that nobody has counted yet.
    pub(super) copied_bytes: usize,
}

/// Slots in a row from the first one of the arena on.
#[derive(Clone, Debug)]
struct Row<T> {
    /// From which slot on it is in force: up to where the next row is. A multiple of a page.
    from: usize,
    frozen: Arc<Frozen<T>>,
}

/// What several arenas have in common.
#[derive(Debug)]
struct Frozen<T> {
    slots: Vec<T>,
    /// What it takes of the run's memory.
    charge: Charge,
}

/// The slots of a page in the row that is in force there.
fn in_row<T>(rows: &[Row<T>], page: usize, page_bits: u32) -> &[T] {
    let start = page << page_bits;
    let row = rows
        .iter()
        .rfind(|row| row.from <= start)
        .expect("the first row is in force from the first slot on");
    let slots = &row.frozen.slots;
    &slots[start..slots.len().min(start + (1 << page_bits))]
}

impl<T> Shared<T> {
    /// Shares these slots, which take so much.
    pub(super) fn new(slots: Vec<T>, page_bits: u32, charge: Charge) -> Shared<T> {
        let mut pages = Vec::new();
        pages.resize_with(slots.len().div_ceil(1 << page_bits), Vec::new);
        Shared {
            page_bits,
            rows: vec![Row {
                from: 0,
                frozen: Arc::new(Frozen { slots, charge }),
            }],
            pages,
            copied_bytes: 0,
        }
    }

    /// The page of a slot, and its place there.
    fn place(&self, slot: usize) -> (usize, usize) {
        (slot >> self.page_bits, slot & ((1 << self.page_bits) - 1))
    }

    /// The slots of a page.
    fn page(&self, page: usize) -> &[T] {
        let own = &self.pages[page];
        if !own.is_empty() {
            return own;
        }
        in_row(&self.rows, page, self.page_bits)
    }

    /// How many slots there are, those in the arena's own row among them.
    pub(super) fn len(&self) -> usize {
        let last = self.pages.len() - 1;
        (last << self.page_bits) + self.page(last).len()
    }

    /// All slots from one on, which is the first of a page.
    pub(super) fn iter_from(&self, first: usize) -> impl Iterator<Item = &T> {
        let pages = first >> self.page_bits..self.pages.len();
        pages.flat_map(|page| self.page(page))
    }

    pub(super) fn get(&self, slot: usize) -> &T {
        let (page, at) = self.place(slot);
        &self.page(page)[at]
    }

    /// An object to change, if its page was copied already.
    pub(super) fn get_own_mut(&mut self, slot: usize) -> Option<&mut T> {
        let (page, at) = self.place(slot);
        self.pages[page].get_mut(at)
    }

    /// Does nobody else share any of it?
    pub(super) fn is_alone(&self) -> bool {
        self.rows
            .iter()
            .all(|row| Arc::strong_count(&row.frozen) == 1)
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.frozen.charge.bytes()).sum()
    }

    /// Are there so many rows that another one would be one too many?
    pub(super) fn is_full_of_rows(&self) -> bool {
        self.rows.len() == MAX_ROWS
    }

    /// Shares another row, of whole pages, which is in force where it reaches.
    pub(super) fn add_row(&mut self, slots: Vec<T>, charge: Charge) {
        let end = slots.len();
        // Each of the others is in force up to where the next one begins to be.
        let next: Vec<usize> = self.rows.iter().skip(1).map(|row| row.from).collect();
        let mut ends = next.into_iter().chain([usize::MAX]);
        self.rows
            .retain(|_| ends.next().is_some_and(|its_end| its_end > end));
        self.rows[0].from = end;
        let frozen = Arc::new(Frozen { slots, charge });
        self.rows.insert(0, Row { from: 0, frozen });
    }

    /// All slots in a row, the first of which are these, the arena's own; what the others take is
    /// the arena's own, too.
    ///
    /// # Panics
    /// If somebody else shares some of it.
    pub(super) fn into_row(self, own: Vec<T>, charges: &mut Vec<Charge>) -> Vec<T> {
        let Shared {
            page_bits,
            mut rows,
            pages,
            copied_bytes: _,
        } = self;
        let first_page = own.len() >> page_bits;
        let mut unshared = |row: Row<T>| {
            let frozen = Arc::into_inner(row.frozen).expect("nobody else shares it");
            charges.push(frozen.charge);
            frozen.slots
        };
        // What was frozen first has the most of what was never copied. What is newer covers it,
        // from the first slot on; so a row that reaches further goes on where the older one ends.
        let mut slots = unshared(rows.pop().expect("there is a row"));
        while let Some(row) = rows.pop() {
            cover(&mut slots, 0, unshared(row));
        }
        cover(&mut slots, 0, own);
        // Only now do all slots before those of a page exist.
        for (page, copied) in pages.into_iter().enumerate().skip(first_page) {
            cover(&mut slots, page << page_bits, copied);
        }
        slots
    }
}

/// Puts objects into slots from one on, and behind the last slot those that are more.
fn cover<T>(slots: &mut Vec<T>, start: usize, objects: Vec<T>) {
    debug_assert!(
        start <= slots.len() || objects.is_empty(),
        "no slot is left out"
    );
    if start == 0 && objects.len() >= slots.len() {
        *slots = objects;
        return;
    }
    for (at, object) in objects.into_iter().enumerate() {
        match slots.get_mut(start + at) {
            Some(slot) => *slot = object,
            None => slots.push(object),
        }
    }
}

impl<T: Clone + Weight> Shared<T> {
    /// The slots of a page, to change.
    fn own_page(&mut self, page: usize) -> &mut Vec<T> {
        if self.pages[page].is_empty() {
            let copy = self.page(page).to_vec();
            self.copied_bytes += weight(&copy);
            self.pages[page] = copy;
        }
        &mut self.pages[page]
    }

    /// Bytes of the pages that were copied or are new, behind these slots.
    pub(super) fn copied(&self, own: &[T]) -> usize {
        let pages = self.pages.iter().skip(own.len() >> self.page_bits);
        pages.map(|page| weight(page)).sum()
    }

    /// Adds a slot behind the last one.
    pub(super) fn push(&mut self, object: T) {
        let (page, _) = self.place(self.len());
        if page == self.pages.len() {
            self.pages.push(vec![object]);
        } else {
            self.own_page(page).push(object);
        }
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> &mut T {
        let (page, at) = self.place(slot);
        &mut self.own_page(page)[at]
    }

    /// Two different objects, the first of them to change.
    pub(super) fn pair_mut(&mut self, first: usize, second: usize) -> Option<(&mut T, &T)> {
        let ((page, at), (other_page, other_at)) = (self.place(first), self.place(second));
        self.own_page(page);
        let Shared {
            page_bits,
            rows,
            pages,
            copied_bytes: _,
        } = self;
        if page == other_page {
            let [a, b] = pages[page].get_disjoint_mut([at, other_at]).ok()?;
            return Some((a, b));
        }
        let [own, other] = pages.get_disjoint_mut([page, other_page]).ok()?;
        let other = match other.get(other_at) {
            Some(object) => object,
            None => &in_row(rows, other_page, *page_bits)[other_at],
        };
        Some((&mut own[at], other))
    }

    /// Moves the first page that is not in the arena's own row to its end; false if it was the
    /// last one.
    pub(super) fn move_page(&mut self, own: &mut Vec<T>) -> bool {
        let page = own.len() >> self.page_bits;
        if page == 0 {
            own.reserve(self.len());
        }
        let copied = std::mem::take(&mut self.pages[page]);
        if copied.is_empty() {
            let shared = in_row(&self.rows, page, self.page_bits);
            self.copied_bytes += weight(shared);
            own.extend_from_slice(shared);
        } else {
            own.extend(copied);
        }
        page + 1 < self.pages.len()
    }
}
