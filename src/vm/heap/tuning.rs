//! When a VM collects garbage, and from when on it shares memory with its forks. None of it shows
//! in what a script does; `STRESS` is there to find where it does after all.

use crate::vm::heap::arena::Sharing;

/// When a VM does what no script can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Bytes to allocate before the first collection, and between any two later ones.
    pub nursery_bytes: usize,
    /// From so many living bytes on, wait for the next collection until this part of them was
    /// allocated anew, if that is more.
    pub patient_from_bytes: usize,
    pub patient_part: usize,
    /// What a fork shares.
    pub sharing: Sharing,
    /// After so many uses of shared objects a VM begins to copy what it shares: that will pay soon.
    pub unshare_after: u32,
    /// Then it copies a page of each arena whenever it has used shared objects so many times more.
    pub unshare_every: u32,
    /// Check the whole heap after each collection, and end in a panic where something is wrong.
    pub checks: bool,
}

impl Tuning {
    /// What is quick: a nursery that stays in the cache of a core; pages of some 100 KB, which
    /// take some tenth of a millisecond to copy; a millisecond or two of uses of shared objects
    /// before the first of them.
    pub const USUAL: Tuning = Tuning {
        nursery_bytes: 2 << 20,
        patient_from_bytes: 0,
        patient_part: 1,
        sharing: Sharing {
            page_bits: 11,
            from_slots: 4 << 11,
        },
        unshare_after: 20_000,
        unshare_every: 50,
        checks: false,
    };

    /// Everything as often as can be: collections after every 512 bytes, arenas shared from two
    /// slots on in pages of two, copied after three uses, and the whole heap checked each time.
    /// Only where much lives it waits for an eighth of it, or large programs would never end.
    pub const STRESS: Tuning = Tuning {
        nursery_bytes: 512,
        patient_from_bytes: 512 << 10,
        patient_part: 8,
        sharing: Sharing {
            page_bits: 1,
            from_slots: 2,
        },
        unshare_after: 3,
        unshare_every: 1,
        checks: true,
    };
}

impl Tuning {
    /// After how many more bytes to collect again, when so many live.
    pub(in crate::vm) fn next_collection(self, live: usize) -> usize {
        if live < self.patient_from_bytes {
            return self.nursery_bytes;
        }
        self.nursery_bytes.max(live / self.patient_part)
    }
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning::USUAL
    }
}
