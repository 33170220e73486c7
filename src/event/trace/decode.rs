//! Bytes to events. Whatever the bytes, there is a trace or a reason why it is none.

use super::{
    Before, CHECKSUM_BYTES, Ending, Heading, MAGIC, SYNC_KINDS, VERSION, blockage, checksum, kind,
    part,
};
use crate::event::{Blockage, CoreId, Event, Naming, Place, Release, ThreadId, VmId, What};
use crate::source::SourceId;
use std::fmt;
use std::sync::Arc;

/// Why bytes are no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// They do not begin like one.
    Foreign,
    /// Another version of Mini wrote them, in this form.
    Version(u64),
    /// They stop before the end.
    Truncated,
    /// They are not what was written, at about this byte.
    Damaged { at_byte: usize },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Foreign => write!(f, "is no trace of Mini's"),
            Damage::Version(found) => write!(
                f,
                "is a trace of form {found}, and this Mini reads form {VERSION}"
            ),
            Damage::Truncated => write!(
                f,
                "has no end: the run that wrote it was cut off, or a part of the file is missing"
            ),
            Damage::Damaged { at_byte } => write!(f, "is damaged at about byte {at_byte}"),
        }
    }
}

/// A trace whose parts are what was written, all of them or those before the first that is not
/// whole.
#[derive(Debug)]
pub struct Trace<'a> {
    pub heading: Heading,
    /// None where the run was cut off, or the file.
    pub ending: Option<Ending>,
    /// Where each begins in the file, and its bytes.
    blocks: Vec<(usize, &'a [u8])>,
}

impl<'a> Trace<'a> {
    /// Looks at the parts of a trace and at their checksums.
    pub fn read(bytes: &'a [u8]) -> Result<Trace<'a>, Damage> {
        if !bytes.starts_with(&MAGIC) {
            let cut_short = !bytes.is_empty() && MAGIC.starts_with(bytes);
            return Err(if cut_short {
                Damage::Truncated
            } else {
                Damage::Foreign
            });
        }
        let mut cursor = Cursor::new(bytes, 0);
        cursor.at = MAGIC.len();
        // What ends here is not whole.
        let version = cursor.number().map_err(|_| Damage::Truncated)?;
        if version != VERSION {
            return Err(Damage::Version(version));
        }
        let (what, at, payload) = cursor.part()?;
        if what != part::HEADING {
            return Err(Damage::Damaged { at_byte: at });
        }
        let heading = heading(&mut Cursor::new(payload, at))?;
        let mut blocks = Vec::new();
        loop {
            let (what, at, payload) = match cursor.part() {
                Err(Damage::Truncated) => {
                    return Ok(Trace {
                        heading,
                        ending: None,
                        blocks,
                    });
                }
                part => part?,
            };
            match what {
                part::EVENTS => blocks.push((at, payload)),
                part::ENDING => {
                    let mut last = Cursor::new(payload, at);
                    let ending = Ending {
                        events: last.number()?,
                        elapsed_ns: last.number()?,
                    };
                    if !last.is_done() || !cursor.is_done() {
                        return Err(cursor.damage());
                    }
                    return Ok(Trace {
                        heading,
                        ending: Some(ending),
                        blocks,
                    });
                }
                _ => return Err(Damage::Damaged { at_byte: at }),
            }
        }
    }

    /// When the run was over, or as far as the trace goes.
    pub fn elapsed_ns(&self) -> Result<u64, Damage> {
        match self.ending {
            Some(ending) => Ok(ending.elapsed_ns),
            None => self
                .events()
                .try_fold(0, |last, event| Ok(event?.at_ns.max(last))),
        }
    }

    /// Its events, block by block.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events {
            blocks: self.blocks.iter(),
            cursor: Cursor::new(&[], 0),
            before: Before::default(),
        }
    }
}

/// The events of a trace, up to the first that is none.
pub struct Events<'a> {
    blocks: std::slice::Iter<'a, (usize, &'a [u8])>,
    cursor: Cursor<'a>,
    before: Before,
}

impl Iterator for Events<'_> {
    type Item = Result<Event, Damage>;

    fn next(&mut self) -> Option<Result<Event, Damage>> {
        while self.cursor.is_done() {
            let &(at, payload) = self.blocks.next()?;
            self.cursor = Cursor::new(payload, at);
            self.before = Before::default();
        }
        let event = self.cursor.event(&mut self.before);
        if event.is_err() {
            (self.blocks, self.cursor) = ([].iter(), Cursor::new(&[], 0));
        }
        Some(event)
    }
}

fn heading(cursor: &mut Cursor<'_>) -> Result<Heading, Damage> {
    let heading = Heading {
        simulated: cursor.flag()?,
        cores: cursor.option()?,
        lock: cursor.text()?.to_owned(),
        script: cursor.text()?.to_owned(),
    };
    if cursor.is_done() {
        Ok(heading)
    } else {
        Err(cursor.damage())
    }
}

/// A place in some bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the bytes begin in the file.
    base: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8], base: usize) -> Cursor<'a> {
        Cursor { bytes, at: 0, base }
    }

    fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn damage(&self) -> Damage {
        Damage::Damaged {
            at_byte: self.base + self.at,
        }
    }

    /// What a part is, where its bytes begin, and they.
    fn part(&mut self) -> Result<(u8, usize, &'a [u8]), Damage> {
        let what = self.byte().map_err(|_| Damage::Truncated)?;
        let length = self.length().map_err(|_| Damage::Truncated)?;
        let from = self.at;
        let payload = self.slice(length).ok_or(Damage::Truncated)?;
        let sum = self.slice(CHECKSUM_BYTES).ok_or(Damage::Truncated)?;
        if sum != checksum(payload) {
            return Err(Damage::Damaged {
                at_byte: self.base + from,
            });
        }
        Ok((what, self.base + from, payload))
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let slice = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(slice)
    }

    fn byte(&mut self) -> Result<u8, Damage> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.damage())?;
        self.at += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u64, Damage> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(self.damage());
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damage())
    }

    fn signed(&mut self) -> Result<i64, Damage> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A number that fits into a type.
    fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Damage> {
        let value = self.number()?;
        T::try_from(value).map_err(|_| self.damage())
    }

    /// None is 0, and numbers are one more than they are.
    fn option<T: TryFrom<u64>>(&mut self) -> Result<Option<T>, Damage> {
        match self.number()?.checked_sub(1) {
            None => Ok(None),
            Some(value) => T::try_from(value).map(Some).map_err(|_| self.damage()),
        }
    }

    fn length(&mut self) -> Result<usize, Damage> {
        self.small()
    }

    fn flag(&mut self) -> Result<bool, Damage> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damage()),
        }
    }

    fn text(&mut self) -> Result<&'a str, Damage> {
        let length = self.length()?;
        let bytes = self.slice(length).ok_or_else(|| self.damage())?;
        std::str::from_utf8(bytes).map_err(|_| self.damage())
    }

    fn thread(&mut self) -> Result<ThreadId, Damage> {
        Ok(ThreadId(self.small()?))
    }

    fn vm(&mut self) -> Result<VmId, Damage> {
        Ok(VmId(self.small()?))
    }

    fn event(&mut self, before: &mut Before) -> Result<Event, Damage> {
        let first = self.byte()?;
        let since = self.signed()?;
        before.at_ns = before.at_ns.wrapping_add(since as u64);
        if first & kind::THREAD != 0 {
            before.vm = self.small()?;
            before.thread = self.small()?;
        }
        if first & kind::CORE != 0 {
            before.core = self.option()?;
        }
        if first & kind::PLACE != 0 {
            before.place = match self.option()? {
                None => None,
                Some(source) => Some((source, self.small()?)),
            };
        }
        Ok(Event {
            at_ns: before.at_ns,
            vm: VmId(before.vm),
            thread: ThreadId(before.thread),
            core: before.core.map(CoreId),
            place: before.place.map(|(source, line)| Place {
                source: SourceId(source),
                line,
            }),
            what: self.what(first & kind::MASK, before.at_ns)?,
        })
    }

    fn what(&mut self, kind: u8, at_ns: u64) -> Result<What, Damage> {
        Ok(match kind {
            kind::VM_BORN => What::VmBorn {
                name: self.text()?.into(),
                parent: self.option()?.map(VmId),
            },
            kind::VM_ENDED => What::VmEnded {
                exit_code: i32::try_from(self.signed()?).map_err(|_| self.damage())?,
            },
            kind::THREAD_BORN => What::ThreadBorn {
                daemon: self.flag()?,
                name: self.text()?.into(),
            },
            kind::THREAD_ENDED => What::ThreadEnded,
            kind::LOCK_REQUESTED => What::LockRequested,
            kind::LOCK_ACQUIRED => What::LockAcquired { switched: false },
            kind::LOCK_SWITCHED => What::LockAcquired { switched: true },
            kind::DROP_REQUESTED => What::DropRequested {
                holder: self.thread()?,
            },
            kind::RELEASED_BUDGET => What::LockReleased(Release::Budget),
            kind::RELEASED_ASKED => What::LockReleased(Release::Asked),
            kind::RELEASED_BLOCKING => What::LockReleased(Release::Blocking),
            kind::RELEASED_END => What::LockReleased(Release::End),
            kind::RAN => What::Ran {
                instructions: self.number()?,
                since_ns: at_ns.wrapping_sub(self.signed()? as u64),
            },
            kind::BLOCKED => What::Blocked {
                on: self.blockage()?,
                until_ns: if self.flag()? {
                    Some(at_ns.wrapping_add(self.signed()? as u64))
                } else {
                    None
                },
            },
            kind::NAMED => What::Named(Arc::new(Naming {
                on: self.blockage()?,
                name: self.text()?.to_owned(),
            })),
            kind::WOKEN => What::Woken {
                by: if self.flag()? {
                    Some((self.vm()?, self.thread()?))
                } else {
                    None
                },
            },
            kind::DISPATCHED => What::Dispatched,
            kind::PREEMPTED => What::Preempted,
            kind::FORKED => What::Forked {
                child: self.vm()?,
                objects: self.number()?,
                bytes: self.number()?,
            },
            kind::SENT => What::Sent {
                channel: self.number()?,
                bytes: self.number()?,
            },
            kind::RECEIVED => What::Received {
                channel: self.number()?,
                bytes: self.number()?,
            },
            _ => return Err(self.damage()),
        })
    }

    fn blockage(&mut self) -> Result<Blockage, Damage> {
        Ok(match self.byte()? {
            blockage::SLEEP => Blockage::Sleep,
            blockage::OBJECT => {
                let kind = SYNC_KINDS.get(usize::from(self.byte()?));
                Blockage::Object {
                    kind: *kind.ok_or_else(|| self.damage())?,
                    number: self.small()?,
                    held_by: self.option()?.map(ThreadId),
                }
            }
            blockage::THREAD => Blockage::Thread(self.thread()?),
            blockage::BEGIN => Blockage::Begin(self.thread()?),
            blockage::THREADS => Blockage::Threads,
            blockage::PROCESS => Blockage::Process(self.vm()?),
            blockage::CHILDREN => Blockage::Children,
            blockage::ROOM => Blockage::Room {
                channel: self.number()?,
            },
            blockage::MESSAGE => Blockage::Message {
                channel: self.number()?,
            },
            blockage::INPUT => Blockage::Input,
            blockage::SYSTEM => Blockage::System,
            _ => return Err(self.damage()),
        })
    }
}
