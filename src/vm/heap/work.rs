//! What builtins have done in proportion to the size of something, by kind. An instruction's cost
//! covers a call and the first few things; but `sum` over a million is one instruction, and an
//! engine that tells time by what was done must know of the million. What a unit of each kind takes
//! is for a model of costs to say: nothing here knows time.

use std::cell::Cell;

/// A kind of work. Each unit of it is one of what its name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// An item looked at.
    Visit,
    /// Two things of any types compared.
    Compare,
    /// Two numbers or strings compared to sort them, which goes by their type once for all.
    Sort,
    /// A key looked up in a hash table.
    Lookup,
    /// A key put into a hash table.
    Insert,
    /// An item that had to be made before it could be looked at, such as a number of a range.
    Make,
    /// A string cut out of another.
    Cut,
    /// A repeated item put in its place.
    Place,
    /// A byte copied or searched.
    Byte,
    /// A byte hashed.
    Hash,
    /// A character of a representation written.
    Write,
    /// A product of digits of integers of several, at 64 bits a digit.
    Digit,
    /// A lock of the script's taken or let go.
    Lock,
    /// An instance of a class of the script made.
    Instance,
}

/// How many kinds there are.
pub const KINDS: usize = Work::Instance as usize + 1;

/// Units of each kind, as they are declared.
pub type Units = [u64; KINDS];

/// How much may be done until the next `take`: a builtin that does more gives up, since its engine
/// would end the run at once.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// What a unit of each kind takes of it.
    pub prices: Units,
    pub most: u64,
}

/// What was done since the last look.
#[derive(Clone, Debug, Default)]
pub(in crate::vm) struct Done {
    units: [Cell<u64>; KINDS],
    any: Cell<bool>,
    /// Without bounds if there is none.
    pub(in crate::vm) allowance: Option<Allowance>,
    /// How often a loop of short steps asked whether it is too much.
    looks: Cell<u32>,
}

impl Done {
    #[inline]
    pub(in crate::vm) fn note(&self, kind: Work, units: usize) {
        let done = &self.units[kind as usize];
        done.set(done.get().wrapping_add(units as u64));
        self.any.set(true);
    }

    /// Is it more than is allowed?
    #[inline]
    pub(in crate::vm) fn is_too_much(&self) -> bool {
        self.is_too_much_with(Work::Visit, 0)
    }

    /// The same with so many units more.
    pub(in crate::vm) fn is_too_much_with(&self, kind: Work, more: usize) -> bool {
        self.allowance.as_ref().is_some_and(|it| {
            let more = (more as u64).saturating_mul(it.prices[kind as usize]);
            let kinds = self.units.iter().zip(&it.prices);
            let total = kinds.fold(more, |total, (units, price)| {
                total.saturating_add(units.get().saturating_mul(*price))
            });
            total > it.most
        })
    }

    /// The same for a loop of short steps, which is told a little later.
    #[inline]
    pub(in crate::vm) fn is_soon_too_much(&self) -> bool {
        const LOOK_EVERY: u32 = 1 << 8;
        self.allowance.is_some() && {
            let looks = self.looks.get().wrapping_add(1);
            self.looks.set(looks);
            looks.is_multiple_of(LOOK_EVERY) && self.is_too_much()
        }
    }

    #[inline]
    pub(in crate::vm) fn take(&self) -> Option<Units> {
        self.any
            .take()
            .then(|| std::array::from_fn(|kind| self.units[kind].take()))
    }
}
