//! Where the script made an object to wait with, and what it called it first: `forks[…]`, made in line 8. Only the place is kept with the object; the name is read
//! off the instructions that follow it when a report asks.

use crate::bytecode::code::Code;
use crate::bytecode::op::{CodeIx, Op, Reg};
use crate::vm::Vm;
use crate::vm::object::Object;
use crate::vm::thread::{Frame, ThreadId};
use crate::vm::value::Ref;
use std::fmt;
use std::sync::Arc;

/// The call that made an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthplace {
    /// In the script.
    script: Site,
    /// In the library, if the script called that: `not_empty` of a queue.
    library: Option<Site>,
}

/// The instruction after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Site {
    code: CodeIx,
    next: u32,
}

impl Site {
    fn of(frame: &Frame) -> Site {
        Site {
            code: frame.code,
            next: frame.pc,
        }
    }
}

/// What a report calls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Born {
    /// The variable or attribute it was first bound to, if it was.
    pub name: Option<String>,
    /// The line that made it.
    pub line: u32,
}

impl fmt::Display for Born {
    /// ` forks[…] (line 8)`, to follow the kind of thing it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        write!(f, " (line {})", self.line)
    }
}

/// So many instructions after the call are looked at; a name is usually bound by the first.
const REACH: usize = 16;

impl Vm {
    /// Where a thread is, for what it makes now.
    pub(super) fn birthplace(&self, thread: ThreadId) -> Option<Birthplace> {
        let program = &self.image.program;
        let frames = &self.threads[thread.0 as usize].frames;
        let script = frames
            .iter()
            .rev()
            .find(|frame| program.codes[frame.code.0 as usize].module == 0)?;
        let top = frames.last()?;
        let in_library = program.codes[top.code.0 as usize].module != 0;
        Some(Birthplace {
            script: Site::of(script),
            library: in_library.then(|| Site::of(top)),
        })
    }

    /// What the script called a synchronisation object, and where it made it.
    #[must_use]
    pub fn born(&self, object: Ref<Object>) -> Option<Born> {
        let place = match &self.heap.objects[object] {
            Object::Lock(it) => it.born,
            Object::RLock(it) => it.born,
            Object::Condition(it) => it.born,
            Object::Semaphore(it) => it.born,
            Object::Event(it) => it.born,
            Object::Channel { born, .. } => *born,
            _ => None,
        };
        place.map(|place| self.born_at(place))
    }

    /// The same for a channel, as far as this VM has an end of it.
    #[must_use]
    pub fn channel_born(&self, number: u64) -> Option<Born> {
        self.heap.objects.iter().find_map(|object| match object {
            Object::Channel {
                channel,
                born: Some(place),
                ..
            } if *channel == number => Some(self.born_at(*place)),
            _ => None,
        })
    }

    fn born_at(&self, place: Birthplace) -> Born {
        let program = &self.image.program;
        let code = &program.codes[place.script.code.0 as usize];
        let source = &program.sources[code.source.0 as usize];
        let made = (place.script.next as usize).saturating_sub(1);
        let line = code
            .spans
            .get(made)
            .map_or(0, |span| source.line(span.start));
        let name = self.first_name(place.script).map(|name| {
            // Names that begin with an underscore are the library's own affair.
            let part = place.library.and_then(|site| self.first_name(site));
            match part.filter(|part| !part.starts_with('_')) {
                Some(part) => format!("{name}.{part}"),
                None => name,
            }
        });
        Born { name, line }
    }

    /// The variable or attribute to which the instructions after a call bind its result.
    fn first_name(&self, site: Site) -> Option<String> {
        let program = &self.image.program;
        let code = &program.codes[site.code.0 as usize];
        let next = site.next as usize;
        let mut holds = match code.ops.get(next.checked_sub(1)?)? {
            Op::Call { dst, .. }
            | Op::CallKw { dst, .. }
            | Op::CallSpread { dst, .. }
            | Op::CallMethod { dst, .. } => *dst,
            _ => return None,
        };
        // An item of a list or the like has the list's name.
        let mut part = "";
        for op in code.ops.iter().skip(next).take(REACH) {
            if let Some(name) = local(code, holds, &program.names) {
                return Some(name + part);
            }
            let within = |base: Reg, count: u16| (base.0..base.0 + count).contains(&holds.0);
            match *op {
                Op::SetGlobal { src, global } if src == holds => {
                    let name = program.globals[global.0 as usize].name;
                    return Some(program.names[name.0 as usize].to_string() + part);
                }
                Op::SetAttr { src, site, .. } | Op::SetClassVar { src, site, .. }
                    if src == holds =>
                {
                    let name = code.sites[site.0 as usize];
                    return Some(program.names[name.0 as usize].to_string() + part);
                }
                Op::SetCell { cell, src } if src == holds => {
                    return local(code, cell, &program.names).map(|name| name + part);
                }
                Op::SetFree { src, free } if src == holds => {
                    return Some(self.image.free_name(site.code, free.0) + part);
                }
                Op::Move { dst, src } if src == holds => holds = dst,
                Op::ListAppend { list, src } if src == holds => {
                    (holds, part) = (list, "[…]");
                }
                Op::BuildList { dst, base, count } | Op::BuildTuple { dst, base, count }
                    if within(base, count.0) =>
                {
                    (holds, part) = (dst, "[…]");
                }
                Op::BuildDict { dst, base, count } if within(base, 2 * count.0) => {
                    (holds, part) = (dst, "[…]");
                }
                Op::DictInsert { dict, src, .. } if src == holds => {
                    (holds, part) = (dict, "[…]");
                }
                Op::Return { .. } | Op::Raise { .. } => return None,
                _ => {}
            }
        }
        None
    }
}

/// The name of the local that lives in a register.
fn local(code: &Code, register: Reg, names: &[Arc<str>]) -> Option<String> {
    let mut locals = code.locals.iter();
    let (_, name) = locals.find(|(it, _)| *it == register)?;
    Some(names[name.0 as usize].to_string())
}
