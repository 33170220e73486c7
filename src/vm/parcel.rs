//! Values on their way between VMs: copied out of one heap, carried as plain data, and made anew in the other. What `pickle` is to CPython.

use std::sync::Arc;

/// A copied value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parcel {
    /// The encoded value.
    pub bytes: Arc<[u8]>,
}
