//! One account of bytes for a whole run. Everything that a script can make grow draws on it before
//! it grows: the heaps of all VMs, rows that forks share, messages on their way, threads. What is
//! counted are bytes as the allocator gives them out, figured by us and not asked of the machine,
//! so that a simulated run comes to its limit at the same instruction everywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a run may use of memory, and what it uses.
#[derive(Debug)]
pub struct Account {
    limit: usize,
    used: AtomicUsize,
}

impl Account {
    /// An account of which nothing is used.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Account> {
        Arc::new(Account {
            limit,
            used: AtomicUsize::new(0),
        })
    }

    /// Bytes that nobody has.
    #[must_use]
    pub fn free(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Is more used than there is?
    #[must_use]
    pub fn is_overdrawn(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit
    }

    /// So few bytes are as good as none: who has no more to go on with would collect garbage all
    /// the time.
    #[must_use]
    pub fn least(&self) -> usize {
        (self.limit / 64).min(1 << 20)
    }

    fn try_take(&self, bytes: usize) -> bool {
        let enough = |used: usize| used.checked_add(bytes).filter(|it| *it <= self.limit);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough)
            .is_ok()
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A part of an account that somebody has, until it is dropped. A clone has as much again.
#[must_use = "it is given back when it is dropped"]
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Charge {
    /// Nothing yet.
    pub fn none(account: &Arc<Account>) -> Charge {
        Charge {
            account: account.clone(),
            bytes: 0,
        }
    }

    /// So many bytes, if there are as many.
    #[must_use]
    pub fn new(account: &Arc<Account>, bytes: usize) -> Option<Charge> {
        let mut charge = Charge::none(account);
        charge.try_grow(bytes).then_some(charge)
    }

    /// The account that it is a part of.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// How many bytes it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes so many bytes more, if there are as many; false if not.
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let taken = self.account.try_take(bytes);
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    /// Makes it as large as what is there already turned out to be, limit or not.
    pub fn set(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.account.take(bytes - self.bytes);
        } else {
            self.account.give_back(self.bytes - bytes);
        }
        self.bytes = bytes;
    }

    /// Splits off a part, or as much of it as there is.
    pub fn split(&mut self, bytes: usize) -> Charge {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Charge {
            account: self.account.clone(),
            bytes,
        }
    }
}

impl Clone for Charge {
    fn clone(&self) -> Charge {
        self.account.take(self.bytes);
        Charge {
            account: self.account.clone(),
            bytes: self.bytes,
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

/// Something whose slots are counted, as large as it is where a word has 64 bits: the same on every
/// machine, so that a simulated run takes the same time and comes to its limit at the same
/// instruction everywhere.
pub trait Counted {
    /// Bytes of one.
    const BYTES: usize;
}

macro_rules! counted {
    ($($type:ty: $bytes:literal),+ $(,)?) => { $(
        impl $crate::vm::heap::memory::Counted for $type {
            const BYTES: usize = $bytes;
        }
        #[cfg(target_pointer_width = "64")]
        const _: () = assert!(size_of::<$type>() == $bytes);
    )+ };
}
pub(in crate::vm) use counted;

/// What the allocator takes for so many bytes: a header, and units of two words (`malloc/malloc.c`
/// of glibc; others differ by little).
#[must_use]
pub(in crate::vm) fn block(bytes: usize) -> usize {
    const HEADER: usize = 8;
    const UNIT: usize = 16;
    const SMALLEST: usize = 32;
    if bytes == 0 {
        return 0;
    }
    ((bytes + HEADER).next_multiple_of(UNIT)).max(SMALLEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_used_by_what_its_charges_have() {
        let account = Account::new(100);
        let mut one = Charge::new(&account, 60).expect("there are 100");
        assert!(Charge::new(&account, 41).is_none());
        let two = one.split(20);
        assert_eq!((one.bytes(), two.bytes(), account.free()), (40, 20, 40));
        assert!(!one.try_grow(41));
        assert!(one.try_grow(40));
        assert_eq!(account.free(), 0);
        // What is there is there, whatever the limit says.
        let copy = one.clone();
        assert_eq!((copy.bytes(), account.free()), (80, 0));
        drop(one);
        assert_eq!(account.free(), 0);
        drop(copy);
        assert_eq!(account.free(), 80);
        drop(two);
        assert_eq!(account.free(), 100);
    }

    #[test]
    fn blocks_are_those_of_the_allocator() {
        assert_eq!([0, 1, 24, 25, 40, 41].map(block), [0, 32, 32, 48, 48, 64]);
    }
}
