//! Virtual time: a type of its own, so that it is never mixed with the wall's. Knows no clock.

use std::ops::{Add, AddAssign};

/// Virtual nanoseconds: a moment counted from the start of the run, or a length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct VirtualNs(pub u64);

impl VirtualNs {
    /// From `earlier` until this moment; nothing if that is later.
    #[must_use]
    pub fn since(self, earlier: VirtualNs) -> VirtualNs {
        VirtualNs(self.0.saturating_sub(earlier.0))
    }
}

impl Add for VirtualNs {
    type Output = VirtualNs;
    fn add(self, other: VirtualNs) -> VirtualNs {
        VirtualNs(self.0.saturating_add(other.0))
    }
}

impl AddAssign for VirtualNs {
    fn add_assign(&mut self, other: VirtualNs) {
        *self = *self + other;
    }
}
