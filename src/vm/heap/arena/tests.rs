//! An arena against a plain vector: whatever is inserted, changed, freed, frozen, cloned, dropped
//! and unshared in whatever order, many forks deep, each arena holds what its vector says.

use super::{Arena, Sharing};
use crate::vm::heap::Weight;
use crate::vm::heap::memory::{Account, Charge, counted};
use crate::vm::heap::value::Ref;

counted! { String: 24 }

impl Weight for String {
    fn outer_bytes(&self) -> usize {
        self.capacity()
    }
}

/// A charge of as much as anybody could share.
fn plenty() -> Charge {
    let account = Account::new(usize::MAX);
    Charge::new(&account, usize::MAX / 2).expect("the account has no bound")
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// What a slot must be.
#[derive(Clone, Debug, PartialEq)]
enum Slot {
    Live(String),
    /// Nobody needs it. It may be free, or still hold this.
    Dead(String),
}

/// An arena and what it must hold.
#[derive(Clone)]
struct Pair {
    arena: Arena<String>,
    model: Vec<Slot>,
}

impl Pair {
    fn insert(&mut self, text: String) {
        let slot = self.arena.insert(text.clone()).slot as usize;
        if slot == self.model.len() {
            self.model.push(Slot::Live(text));
            return;
        }
        assert!(
            matches!(self.model[slot], Slot::Dead(_)),
            "slot {slot} was in use"
        );
        self.model[slot] = Slot::Live(text);
    }

    /// A slot that is in use, if there is one.
    fn live(&self, random: &mut Random) -> Option<usize> {
        let from = random.below(self.model.len().max(1));
        let slots = (from..self.model.len()).chain(0..from);
        slots
            .into_iter()
            .find(|&slot| matches!(self.model[slot], Slot::Live(_)))
    }

    fn change(&mut self, random: &mut Random) {
        let Some(slot) = self.live(random) else {
            return;
        };
        self.arena[Ref::new(slot as u32)].push('+');
        let Slot::Live(text) = &mut self.model[slot] else {
            unreachable!("just found in use")
        };
        text.push('+');
    }

    fn copy(&mut self, random: &mut Random) {
        let (Some(to), Some(from)) = (self.live(random), self.live(random)) else {
            return;
        };
        match self
            .arena
            .pair_mut(Ref::new(to as u32), Ref::new(from as u32))
        {
            Some((to, from)) => to.clone_from(from),
            None => assert_eq!(to, from),
        }
        self.model[to] = self.model[from].clone();
    }

    /// Frees some of what is in use.
    fn sweep(&mut self, random: &mut Random) {
        let kept = random.below(9);
        let mut marks = self.arena.unmarked();
        for (slot, state) in self.model.iter_mut().enumerate() {
            let Slot::Live(text) = state else {
                continue;
            };
            if random.below(8) < kept {
                assert!(marks.mark(Ref::<String>::new(slot as u32)));
            } else {
                *state = Slot::Dead(std::mem::take(text));
            }
        }
        self.arena.sweep(marks);
    }

    fn check(&self) {
        assert_eq!(self.arena.slots(), self.model.len());
        let mut free = vec![false; self.model.len()];
        for &slot in self.arena.free_slots() {
            assert!(
                !std::mem::replace(&mut free[slot as usize], true),
                "slot {slot} is free twice"
            );
        }
        let mut slots = self.arena.iter();
        for (at, (state, free)) in self.model.iter().zip(free).enumerate() {
            let found = slots.next().expect("as many as there are slots");
            assert_eq!(found, &self.arena[Ref::new(at as u32)], "slot {at}");
            match state {
                Slot::Live(text) => {
                    assert!(!free, "slot {at} is in use");
                    assert_eq!(found, text, "slot {at}");
                }
                Slot::Dead(_) if free => assert_eq!(found, "", "slot {at}"),
                Slot::Dead(text) => {
                    assert!(
                        self.arena.is_shared() || found == text,
                        "slot {at} is in a row of its own and not free"
                    );
                    assert_eq!(found, text, "slot {at}");
                }
            }
        }
        assert!(slots.next().is_none());
    }
}

/// One arena and its forks, each of them an arena that forks.
fn family(seed: u64, sharing: Sharing, steps: usize) {
    let mut random = Random(seed);
    let mut paid = plenty();
    let all = paid.bytes();
    let mut family = vec![Pair {
        arena: Arena::default(),
        model: Vec::new(),
    }];
    // How many slots come at a time: from less than what is shared to many pages of it.
    let burst = 1 + random.below(3 << sharing.page_bits);
    for step in 0..steps {
        let at = random.below(family.len());
        let member = &mut family[at];
        match random.below(16) {
            0..=3 => (0..burst).for_each(|it| member.insert(format!("{step}.{it}"))),
            4..=6 => (0..burst).for_each(|_| member.change(&mut random)),
            7 => member.copy(&mut random),
            8 => member.sweep(&mut random),
            9..=11 => {
                member.arena.freeze(sharing, &mut paid);
                if family.len() < 6 {
                    let fork = family[at].clone();
                    family.push(fork);
                }
            }
            12..=14 => {
                for _ in 0..=random.below(3) {
                    member.arena.unshare_page();
                }
            }
            _ if family.len() > 1 => drop(family.swap_remove(at)),
            _ => {}
        }
        if step % 8 == 0 || sharing.page_bits < 3 {
            family.iter().for_each(Pair::check);
        }
    }
    // Whoever remains takes everything back.
    while let Some(mut last) = family.pop() {
        if family.is_empty() {
            let nothing = Sharing {
                from_slots: usize::MAX,
                ..sharing
            };
            last.arena.freeze(nothing, &mut paid);
            assert!(!last.arena.is_shared());
        }
        last.check();
    }
    // What was paid for rows is given back with the last of those who shared them.
    let account = paid.account().clone();
    assert!(paid.bytes() <= all);
    drop(paid);
    assert_eq!(account.free(), usize::MAX);
}

#[test]
fn an_arena_is_a_vector_whatever_is_shared_of_it() {
    for seed in 0..120 {
        for page_bits in [1, 2, 3] {
            let sharing = Sharing {
                page_bits,
                from_slots: 2,
            };
            family(seed, sharing, 160);
        }
    }
}

#[test]
fn an_arena_with_pages_of_the_usual_size_is_a_vector() {
    let sharing = crate::vm::heap::tuning::Tuning::USUAL.sharing;
    for seed in 0..4 {
        family(seed, sharing, 60);
    }
}

#[test]
fn what_is_little_is_not_shared() {
    let (mut arena, mut paid) = (Arena::default(), plenty());
    let sharing = Sharing {
        page_bits: 1,
        from_slots: 4,
    };
    for at in 0..4 {
        arena.freeze(sharing, &mut paid);
        assert!(!arena.is_shared(), "{at} slots");
        arena.insert(at.to_string());
    }
    arena.freeze(sharing, &mut paid);
    assert!(arena.is_shared());
}

#[test]
fn what_nobody_needs_in_a_shared_page_stays_until_the_page_is_its_own() {
    let sharing = Sharing {
        page_bits: 2,
        from_slots: 2,
    };
    let mut arena = Arena::default();
    let handles: Vec<Ref<String>> = (0..16).map(|at| arena.insert(at.to_string())).collect();
    let before = arena.weigh();
    let mut paid = plenty();
    let all = paid.bytes();
    arena.freeze(sharing, &mut paid);
    assert_eq!((arena.shared_bytes(), paid.bytes()), (before, all - before));
    let other = arena.clone();
    assert_eq!(arena.take_copied_bytes(), 0);
    arena[handles[0]] = "mine".into();
    assert!(arena.take_copied_bytes() >= 4 * size_of::<String>());
    let sweep = |arena: &mut Arena<String>| {
        let mut marks = arena.unmarked();
        marks.mark(handles[0]);
        arena.sweep(marks);
    };
    sweep(&mut arena);
    assert_eq!(arena.len(), 16 - 3, "one page is its own");
    assert_eq!(arena[handles[4]], "4");
    drop(other);
    sweep(&mut arena);
    assert_eq!(arena.len(), 1);
    assert_eq!(arena[handles[0]], "mine");
}
