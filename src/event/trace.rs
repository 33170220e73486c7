//! Events as bytes: the one versioned form in which a run is saved, described in
//! `docs/trace-format.md`. Knows no file: it makes bytes and takes them.
//!
//! A trace is a heading, blocks of events, and an ending. Each block stands by itself (its first
//! event is told in full, each other one by what differs from the one before) and has a checksum,
//! so that every thread of a run can fill blocks of its own, and damage is found, not drawn. The
//! events of one thread come in order; blocks of several threads come as they were full.

mod decode;
mod encode;

pub use decode::{Damage, Events, Trace};
pub use encode::{Block, begin, end};

/// What every trace begins with. The first byte is no text, and the line ends show whether
/// something translated them on the way.
pub const MAGIC: [u8; 8] = *b"\x89MINI\r\n\x1a";

/// The form that this program writes, and the only one that it reads.
pub const VERSION: u64 = 1;

/// What a trace says of the run before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Virtual time and cores; else wall time and an operating system's.
    pub simulated: bool,
    /// Cores, where they are known.
    pub cores: Option<u16>,
    /// The rules of the lock, as users type them.
    pub lock: String,
    /// The script's name.
    pub script: String,
}

/// What it says after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How many there were in all blocks.
    pub events: u64,
    /// When the run was over.
    pub elapsed_ns: u64,
}

/// What an event is told by: a number for each kind, the lower five bits of its first byte.
mod kind {
    pub(super) const VM_BORN: u8 = 0;
    pub(super) const VM_ENDED: u8 = 1;
    pub(super) const THREAD_BORN: u8 = 2;
    pub(super) const THREAD_ENDED: u8 = 3;
    pub(super) const LOCK_REQUESTED: u8 = 4;
    pub(super) const LOCK_ACQUIRED: u8 = 5;
    /// The same, from another thread.
    pub(super) const LOCK_SWITCHED: u8 = 6;
    pub(super) const DROP_REQUESTED: u8 = 7;
    pub(super) const RELEASED_BUDGET: u8 = 8;
    pub(super) const RELEASED_ASKED: u8 = 9;
    pub(super) const RELEASED_BLOCKING: u8 = 10;
    pub(super) const RELEASED_END: u8 = 11;
    pub(super) const RAN: u8 = 12;
    pub(super) const BLOCKED: u8 = 13;
    pub(super) const WOKEN: u8 = 14;
    pub(super) const DISPATCHED: u8 = 15;
    pub(super) const PREEMPTED: u8 = 16;
    pub(super) const FORKED: u8 = 17;
    pub(super) const SENT: u8 = 18;
    pub(super) const RECEIVED: u8 = 19;
    pub(super) const NAMED: u8 = 20;
    /// The bits of the kind.
    pub(super) const MASK: u8 = 0x1f;
    /// The event is of another thread than the one before: its VM and thread follow.
    pub(super) const THREAD: u8 = 0x20;
    /// On another core: it follows.
    pub(super) const CORE: u8 = 0x40;
    /// At another line: it follows.
    pub(super) const PLACE: u8 = 0x80;
}

/// What a thread waits for, by number.
mod blockage {
    pub(super) const SLEEP: u8 = 0;
    pub(super) const OBJECT: u8 = 1;
    pub(super) const THREAD: u8 = 2;
    pub(super) const THREADS: u8 = 3;
    pub(super) const PROCESS: u8 = 4;
    pub(super) const CHILDREN: u8 = 5;
    pub(super) const ROOM: u8 = 6;
    pub(super) const MESSAGE: u8 = 7;
    pub(super) const INPUT: u8 = 8;
    pub(super) const SYSTEM: u8 = 9;
    pub(super) const BEGIN: u8 = 10;
}

/// The objects that threads wait for, by number.
const SYNC_KINDS: [crate::event::SyncKind; 5] = [
    crate::event::SyncKind::Lock,
    crate::event::SyncKind::RLock,
    crate::event::SyncKind::Condition,
    crate::event::SyncKind::Semaphore,
    crate::event::SyncKind::Event,
];

/// What a part of a trace is.
mod part {
    pub(super) const HEADING: u8 = b'H';
    pub(super) const EVENTS: u8 = b'E';
    pub(super) const ENDING: u8 = b'Z';
}

/// What an event is told against: the one before it in its block.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Before {
    at_ns: u64,
    vm: u32,
    thread: u32,
    core: Option<u16>,
    place: Option<(u16, u32)>,
}

const CHECKSUM_BYTES: usize = 4;

/// The first bytes of SHA-256: it is at hand, and fast enough.
fn checksum(payload: &[u8]) -> [u8; CHECKSUM_BYTES] {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(payload);
    [digest[0], digest[1], digest[2], digest[3]]
}
