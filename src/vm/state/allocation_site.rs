//! Where the script made an object to wait with, and what it called it first: `not_empty of Queue
//! jobs (line 3)`. Only the place is kept with the object; the names are read off the instructions
//! that follow it when a report asks.

use crate::bytecode::code::{self, Code};
use crate::bytecode::op::{CodeIx, Op, Operand, Reg};
use crate::vm::Vm;
use crate::vm::heap::object::Object;
use crate::vm::heap::primitive::{AllocationSite, Inside, Site};
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::state::thread::Frame;
use std::fmt::Write as _;
use std::sync::Arc;

/// What a report calls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// What the script made, if the object is a part of it: `Queue`.
    pub whole: Option<String>,
    /// Which part of that, where the library gives it a name for all: `not_empty`.
    pub part: Option<String>,
    /// The variable or attribute it was first bound to, if it was.
    pub name: Option<String>,
    /// The line that made it.
    pub line: u32,
    /// It is a channel whose messages mean nothing: a lock of processes.
    pub tokens: bool,
}

impl Origin {
    /// `Lock forks[…] (line 8)`, `a Future (line 5)`, `not_empty of Queue jobs (line 3)`; `kind` is
    /// the object's own.
    #[must_use]
    pub fn describe(&self, kind: &str) -> String {
        let mut text = String::new();
        if let Some(part) = &self.part {
            let _ = write!(text, "{part} of ");
        }
        let thing = self.whole.as_deref().unwrap_or(kind);
        if self.name.is_none() {
            text.push_str(article(thing));
        }
        text.push_str(thing);
        if let Some(name) = &self.name {
            let _ = write!(text, " {name}");
        }
        let _ = write!(text, " (line {})", self.line);
        text
    }

    /// Is it a part of something, so that its own kind says little?
    #[must_use]
    pub fn is_part(&self, kind: &str) -> bool {
        self.part.is_some() || self.whole.as_deref().is_some_and(|whole| whole != kind)
    }
}

/// `a ` or `an `.
#[must_use]
pub fn article(noun: &str) -> &'static str {
    if noun.starts_with(['A', 'E', 'I', 'O']) || noun == "RLock" {
        "an "
    } else {
        "a "
    }
}

/// So many instructions after the call are looked at; a name is usually bound by the first.
const REACH: usize = 16;

impl Vm {
    /// Where a thread is, for what it makes now.
    pub(in crate::vm) fn allocation_site(&mut self, thread: ThreadId) -> Option<AllocationSite> {
        let program = self.image.program.clone();
        let module_of = |frame: &Frame| program.codes[frame.code.0 as usize].module;
        let state = &self.threads[thread.0 as usize];
        let at = state.frames.iter().rposition(|it| module_of(it) == 0)?;
        let script = site_of(&state.frames[at]);
        let Some(top) = state.frames[at + 1..].last() else {
            return Some(AllocationSite {
                script,
                library: None,
            });
        };
        let site = site_of(top);
        let name_of = |frame: &Frame| &program.codes[frame.code.0 as usize].name;
        let maker = state.frames[at + 1..]
            .iter()
            .find(|frame| **name_of(frame) == *"__init__");
        let receiver = maker.map(|frame| state.stack[frame.base as usize]);
        let asked = match receiver {
            Some(receiver @ Value::Instance(_)) => {
                self.heap.classes[self.class_of(receiver)].name.clone()
            }
            _ => name_of(&state.frames[at + 1]).clone(),
        };
        // A name of the program's, so that there are not many.
        let asked = self.intern(&asked);
        self.names.keep(asked);
        Some(AllocationSite {
            script,
            library: Some(Inside { site, asked }),
        })
    }

    /// What the script called a synchronisation object, and where it made it.
    #[must_use]
    pub fn origin(&self, object: Ref<Object>) -> Option<Origin> {
        self.allocation_site_of(object)
            .map(|place| self.origin_at(place))
    }

    /// Where a synchronisation object was made.
    #[must_use]
    pub fn allocation_site_of(&self, object: Ref<Object>) -> Option<AllocationSite> {
        match &self.heap.objects[object] {
            Object::Lock(it) => it.origin,
            Object::RLock(it) => it.origin,
            Object::Condition(it) => it.origin,
            Object::Semaphore(it) => it.origin,
            Object::Event(it) => it.origin,
            Object::Channel { origin, .. } => *origin,
            _ => None,
        }
    }

    /// The same for a channel, as far as this VM has an end of it.
    #[must_use]
    pub fn channel_origin(&self, number: u64) -> Option<Origin> {
        self.heap.objects.iter().find_map(|object| match object {
            Object::Channel {
                channel,
                origin: Some(place),
                ..
            } if *channel == number => Some(self.origin_at(*place)),
            _ => None,
        })
    }

    fn origin_at(&self, place: AllocationSite) -> Origin {
        let program = &self.image.program;
        let code = &program.codes[place.script.code.0 as usize];
        let source = &program.sources[code.source.0 as usize];
        let made = (place.script.next as usize).saturating_sub(1);
        let line = code
            .spans
            .get(made)
            .map_or(0, |span| source.line(span.start));
        let part = place.library.and_then(|it| self.first_name(it.site));
        let whole = place.library.map(|it| self.name_text(it.asked).to_string());
        let module_of = |it: Inside| program.codes[it.site.code.0 as usize].module;
        Origin {
            // Names in small letters are those of functions on the way.
            whole: whole.filter(|it| it.starts_with(char::is_uppercase)),
            // Names that begin with an underscore are the library's own affair.
            part: part
                .and_then(|it| it.strip_prefix("self.").map(str::to_owned))
                .filter(|part| !part.starts_with('_')),
            name: self.first_name(place.script),
            line,
            tokens: place.library.is_some_and(|it| {
                &*program.modules[module_of(it) as usize].name == "multiprocessing.synchronize"
            }),
        }
    }

    /// The variable or attribute to which the instructions after a call bind its result.
    fn first_name(&self, site: Site) -> Option<String> {
        let code = &self.image.program.codes[site.code.0 as usize];
        let next = site.next as usize;
        match code.ops.get(next.checked_sub(1)?)? {
            Op::Call { dst, .. }
            | Op::CallKw { dst, .. }
            | Op::CallSpread { dst, .. }
            | Op::CallMethod { dst, .. } => self.bound(site.code, next, *dst),
            _ => None,
        }
    }

    /// To what the instructions from `next` on bind what a register holds.
    fn bound(&self, code: CodeIx, next: usize, mut holds: Reg) -> Option<String> {
        let program = &self.image.program;
        let number = code;
        let code = &program.codes[number.0 as usize];
        let text = |name: code::Name| program.names[name.0 as usize].to_string();
        // An item of a list or the like has the list's name.
        let mut part = "";
        for (at, op) in code.ops.iter().enumerate().skip(next).take(REACH) {
            if let Some(name) = local(code, holds, &program.names) {
                return Some(name + part);
            }
            let within = |base: Reg, count: u16| (base.0..base.0 + count).contains(&holds.0);
            match *op {
                Op::SetGlobal { src, global } if src == holds => {
                    return Some(text(program.globals[global.0 as usize].name) + part);
                }
                Op::SetAttr { object, src, site } if src == holds => {
                    let name = text(code.sites[site.0 as usize]);
                    return Some(match local(code, object, &program.names) {
                        Some(object) => format!("{object}.{name}{part}"),
                        None => name + part,
                    });
                }
                Op::SetClassVar { src, site, .. } if src == holds => {
                    return Some(text(code.sites[site.0 as usize]) + part);
                }
                Op::SetCell { cell, src } if src == holds => {
                    return local(code, cell, &program.names).map(|name| name + part);
                }
                Op::SetFree { src, free } if src == holds => {
                    return Some(self.image.free_name(number, free.0) + part);
                }
                Op::Unpack { src, base, count } if src == holds => {
                    let names = (base.0..base.0 + count.0)
                        .filter_map(|register| self.bound(number, at + 1, Reg(register)));
                    return Some(names.collect::<Vec<_>>().join(", "));
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
                // What a manager enters is the manager itself, nearly always.
                Op::WithEnter { dst, manager, .. } if manager == holds => holds = dst,
                Op::DictInsert { dict, key, src } if src == holds || key == holds => {
                    (holds, part) = (dict, "[…]");
                }
                Op::Return { .. } | Op::Raise { .. } => return None,
                other if overwrites(other, holds) => return None,
                _ => {}
            }
        }
        None
    }
}

/// Does an instruction put something else into a register?
fn overwrites(op: Op, register: Reg) -> bool {
    let kind = op.kind();
    kind.operands()
        .iter()
        .zip(op.operands())
        .any(|(&(field, _), operand)| operand == Operand::Reg(register) && kind.writes(field))
}

/// The name of the local that lives in a register.
fn local(code: &Code, register: Reg, names: &[Arc<str>]) -> Option<String> {
    let mut locals = code.locals.iter();
    let (_, name) = locals.find(|(it, _)| *it == register)?;
    Some(names[name.0 as usize].to_string())
}

/// The call that a frame is in.
fn site_of(frame: &Frame) -> Site {
    Site {
        code: frame.code,
        next: frame.pc,
    }
}
