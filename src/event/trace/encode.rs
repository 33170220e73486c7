//! Events to bytes.

use super::{Before, Ending, Heading, MAGIC, SYNC_KINDS, VERSION, blockage, checksum, kind, part};
use crate::event::{Blockage, Event, Release, What};

/// What a trace begins with.
#[must_use]
pub fn begin(heading: &Heading) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    number(&mut bytes, VERSION);
    let mut payload = vec![u8::from(heading.simulated)];
    number(
        &mut payload,
        heading.cores.map_or(0, |it| u64::from(it) + 1),
    );
    text(&mut payload, &heading.lock);
    text(&mut payload, &heading.script);
    frame(&mut bytes, part::HEADING, &payload);
    bytes
}

/// What a trace ends with.
#[must_use]
pub fn end(ending: &Ending) -> Vec<u8> {
    let (mut bytes, mut payload) = (Vec::new(), Vec::new());
    number(&mut payload, ending.events);
    number(&mut payload, ending.elapsed_ns);
    frame(&mut bytes, part::ENDING, &payload);
    bytes
}

/// Events on their way into a trace.
#[derive(Default)]
pub struct Block {
    payload: Vec<u8>,
    before: Before,
    events: u64,
}

impl Block {
    /// How many bytes its events take.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.payload.len()
    }

    /// Adds an event.
    pub fn push(&mut self, event: &Event) {
        let now = Before {
            at_ns: event.at_ns,
            vm: event.vm.0,
            thread: event.thread.0,
            core: event.core.map(|it| it.0),
            place: event.place.map(|it| (it.source.0, it.line)),
        };
        let before = std::mem::replace(&mut self.before, now);
        self.events += 1;
        let bytes = &mut self.payload;
        let mut first = kind_of(&event.what);
        let another_thread = (now.vm, now.thread) != (before.vm, before.thread);
        if another_thread {
            first |= kind::THREAD;
        }
        if now.core != before.core {
            first |= kind::CORE;
        }
        if now.place != before.place {
            first |= kind::PLACE;
        }
        bytes.push(first);
        signed(bytes, now.at_ns.wrapping_sub(before.at_ns) as i64);
        if another_thread {
            number(bytes, now.vm.into());
            number(bytes, now.thread.into());
        }
        if now.core != before.core {
            number(bytes, now.core.map_or(0, |it| u64::from(it) + 1));
        }
        if now.place != before.place {
            number(
                bytes,
                now.place.map_or(0, |(source, _)| u64::from(source) + 1),
            );
            if let Some((_, line)) = now.place {
                number(bytes, line.into());
            }
        }
        details(bytes, event.at_ns, &event.what);
    }

    /// The events so far as a part of a trace, and how many they are; the next event begins a new
    /// block.
    pub fn take(&mut self) -> (Vec<u8>, u64) {
        let mut bytes = Vec::with_capacity(self.payload.len() + 16);
        frame(&mut bytes, part::EVENTS, &self.payload);
        self.payload.clear();
        self.before = Before::default();
        (bytes, std::mem::take(&mut self.events))
    }
}

fn kind_of(what: &What) -> u8 {
    match what {
        What::VmBorn { .. } => kind::VM_BORN,
        What::VmEnded { .. } => kind::VM_ENDED,
        What::ThreadBorn { .. } => kind::THREAD_BORN,
        What::ThreadEnded => kind::THREAD_ENDED,
        What::LockRequested => kind::LOCK_REQUESTED,
        What::LockAcquired { switched: false } => kind::LOCK_ACQUIRED,
        What::LockAcquired { switched: true } => kind::LOCK_SWITCHED,
        What::DropRequested { .. } => kind::DROP_REQUESTED,
        What::LockReleased(Release::Budget) => kind::RELEASED_BUDGET,
        What::LockReleased(Release::Asked) => kind::RELEASED_ASKED,
        What::LockReleased(Release::Blocking) => kind::RELEASED_BLOCKING,
        What::LockReleased(Release::End) => kind::RELEASED_END,
        What::Ran { .. } => kind::RAN,
        What::Blocked { .. } => kind::BLOCKED,
        What::Woken { .. } => kind::WOKEN,
        What::Dispatched => kind::DISPATCHED,
        What::Preempted => kind::PREEMPTED,
        What::Forked { .. } => kind::FORKED,
        What::Sent { .. } => kind::SENT,
        What::Received { .. } => kind::RECEIVED,
        What::Named(_) => kind::NAMED,
    }
}

fn details(bytes: &mut Vec<u8>, at_ns: u64, what: &What) {
    match what {
        What::ThreadEnded
        | What::LockRequested
        | What::LockAcquired { .. }
        | What::LockReleased(_)
        | What::Dispatched
        | What::Preempted => {}
        What::VmBorn { name, parent } => {
            text(bytes, name);
            number(bytes, parent.map_or(0, |it| u64::from(it.0) + 1));
        }
        What::VmEnded { exit_code } => signed(bytes, (*exit_code).into()),
        What::ThreadBorn { name, daemon } => {
            bytes.push(u8::from(*daemon));
            text(bytes, name);
        }
        What::DropRequested { holder } => number(bytes, holder.0.into()),
        What::Ran {
            instructions,
            since_ns,
        } => {
            number(bytes, *instructions);
            signed(bytes, at_ns.wrapping_sub(*since_ns) as i64);
        }
        What::Blocked { on, until_ns } => {
            blocked(bytes, *on);
            match until_ns {
                None => bytes.push(0),
                Some(until_ns) => {
                    bytes.push(1);
                    signed(bytes, until_ns.wrapping_sub(at_ns) as i64);
                }
            }
        }
        What::Named(naming) => {
            blocked(bytes, naming.on);
            text(bytes, &naming.name);
        }
        What::Woken { by } => match by {
            None => bytes.push(0),
            Some((vm, thread)) => {
                bytes.push(1);
                number(bytes, vm.0.into());
                number(bytes, thread.0.into());
            }
        },
        What::Forked {
            child,
            objects,
            bytes: copied,
        } => {
            number(bytes, child.0.into());
            number(bytes, *objects);
            number(bytes, *copied);
        }
        What::Sent {
            channel,
            bytes: length,
        }
        | What::Received {
            channel,
            bytes: length,
        } => {
            number(bytes, *channel);
            number(bytes, *length);
        }
    }
}

fn blocked(bytes: &mut Vec<u8>, on: Blockage) {
    match on {
        Blockage::Sleep => bytes.push(blockage::SLEEP),
        Blockage::Object {
            kind,
            number: object,
            held_by,
        } => {
            bytes.push(blockage::OBJECT);
            let at = SYNC_KINDS.iter().position(|it| *it == kind);
            bytes.push(at.expect("all kinds are listed") as u8);
            number(bytes, object.into());
            number(bytes, held_by.map_or(0, |it| u64::from(it.0) + 1));
        }
        Blockage::Thread(other) => {
            bytes.push(blockage::THREAD);
            number(bytes, other.0.into());
        }
        Blockage::Begin(other) => {
            bytes.push(blockage::BEGIN);
            number(bytes, other.0.into());
        }
        Blockage::Threads => bytes.push(blockage::THREADS),
        Blockage::Process(process) => {
            bytes.push(blockage::PROCESS);
            number(bytes, process.0.into());
        }
        Blockage::Children => bytes.push(blockage::CHILDREN),
        Blockage::Room { channel } => {
            bytes.push(blockage::ROOM);
            number(bytes, channel);
        }
        Blockage::Message { channel } => {
            bytes.push(blockage::MESSAGE);
            number(bytes, channel);
        }
        Blockage::Input => bytes.push(blockage::INPUT),
        Blockage::System => bytes.push(blockage::SYSTEM),
    }
}

/// A part of a trace: what it is, its length, its bytes, their checksum.
fn frame(bytes: &mut Vec<u8>, part: u8, payload: &[u8]) {
    bytes.push(part);
    number(bytes, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&checksum(payload));
}

/// Seven bits to a byte, the lowest first; the eighth says that more follow (LEB128).
fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Small ones short, whatever their sign: 0, -1, 1, -2 … are 0, 1, 2, 3 …
fn signed(bytes: &mut Vec<u8>, value: i64) {
    number(bytes, ((value << 1) ^ (value >> 63)) as u64);
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}
