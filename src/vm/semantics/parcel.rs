//! Values on their way between VMs: copied out of one heap, carried as plain data, and made anew in
//! the other. What `pickle` is to CPython, and it refuses what `pickle` refuses, in its words.
//!
//! A parcel is the value in preorder, one tag each. Objects are numbered as they come, and come
//! back by number, so that sharing and cycles survive; classes and functions go by module and
//! qualified name, since every VM of a run has the same program. Both directions keep a stack of
//! their own: depth costs no host stack, and time is in proportion to size. Where it departs from
//! `pickle`: `__reduce__`, `__getstate__` and their kin are not called, and a class that defines
//! one is refused.

mod decode;
mod encode;

pub use decode::{decode, decode_with_room};
pub use encode::{encode, encode_for_child};

use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};
use std::sync::Arc;

/// Why a value is not packed, or not unpacked.
#[derive(Debug)]
pub enum Refusal {
    /// It cannot be.
    Never(Fault),
    /// It takes so many bytes of memory, at least, and there are fewer.
    Room(usize),
}

impl Refusal {
    fn never(class: Type, message: String) -> Refusal {
        Refusal::Never(Fault::new(class, message))
    }

    /// What is raised where no room can be made.
    #[must_use]
    pub fn fault(self) -> Fault {
        match self {
            Refusal::Never(fault) => fault,
            Refusal::Room(_) => Fault::memory(),
        }
    }

    /// What a native comes to that wanted it.
    pub(in crate::vm) fn interrupt(self, ctx: &mut Ctx<'_>) -> Abrupt {
        match self {
            Refusal::Never(fault) => ctx.raise(fault),
            Refusal::Room(bytes) => Abrupt::Room { bytes },
        }
    }
}

macro_rules! tags {
    ($($tag:ident)*) => {
        /// What comes next in a parcel.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        enum Tag { $($tag),* }

        const TAGS: &[Tag] = &[$(Tag::$tag),*];
    };
}
tags! {
    Unbound None NotImplemented Ellipsis False True Int Float
    Big Str Bytes Tuple List Dict Set FrozenSet Range Slice Namespace Ring Reader Writer
    Class BuiltinClass Function Native Method Instance Exception
    Again
}

/// What `qualname` means in a module of this program: through the attributes of classes, as
/// `pickle` looks it up.
fn find_global(vm: &Vm, module: &str, qualname: &str) -> Option<Value> {
    let index = vm
        .image
        .program
        .modules
        .iter()
        .position(|it| &*it.name == module)?;
    let mut parts = qualname.split('.');
    let global = vm.module_global(index as u32, known_name(vm, parts.next()?)?)?;
    let mut found = vm.globals[global as usize];
    for part in parts {
        let Value::Class(class) = found else {
            return None;
        };
        found = vm.heap.classes[class].own(known_name(vm, part)?)?;
    }
    found.is_bound().then_some(found)
}

fn known_name(vm: &Vm, text: &str) -> Option<Name> {
    vm.names.find(text)
}

/// The module and the qualified name of a function.
fn function_path(vm: &Vm, function: Value) -> Option<(Arc<str>, Arc<str>)> {
    let Value::Function(function) = function else {
        return None;
    };
    let function = &vm.heap.functions[function];
    let program = &vm.image.program;
    let code = &program.codes[function.code.0 as usize];
    // `functools.wraps` gives a function another's name.
    let renamed = function
        .attributes
        .and_then(|it| vm.dict_get_str(it, "__qualname__"));
    let qualname = match renamed {
        Some(Value::Str(text)) => vm.heap.text_arc(text),
        _ => code.qualname.clone(),
    };
    Some((program.modules[code.module as usize].name.clone(), qualname))
}

/// Methods by which a class would have `pickle` treat its instances in a way of its own.
const CUSTOM: &[Name] = &[name::REDUCE, name::GETSTATE, name::SETSTATE];
