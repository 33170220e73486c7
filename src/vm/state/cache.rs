//! The inline caches of instructions that look up attributes. What they hold must agree with the
//! look-up in `vm::semantics::attribute`.

use crate::vm::Vm;
use crate::vm::heap::class::Class;
use crate::vm::heap::object::{Function, Instance};
use crate::vm::heap::value::{NativeId, Ref, Value};

/// How many caches a site has. The loop looks at the first one; the second, for a site at which two
/// classes alternate, costs a call.
pub(in crate::vm) const CACHES: usize = 2;

/// What an instruction that looks up an attribute found last time, and under which condition it
/// still holds.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::vm) enum Cache {
    #[default]
    Empty,
    /// Instances of this shape have it in this slot, as long as no class changes.
    Slot { shape: u32, slot: u32, version: u32 },
    /// Setting it adds it to instances of one shape, which have the other one then, as long as no
    /// class changes.
    Add { from: u32, to: u32, version: u32 },
    /// Instances of this shape find this function in their class, as long as no class changes.
    Method {
        shape: u32,
        version: u32,
        function: Ref<Function>,
    },
    /// This class has this function, as long as no class changes.
    Function {
        class: Ref<Class>,
        version: u32,
        function: Ref<Function>,
    },
    /// Values of this builtin type, or instances of this class that stands for one, have this
    /// native as a method.
    Native { class: u32, native: NativeId },
    /// In this module, it is this variable.
    Global { module: u32, global: u32 },
    /// Instances of this shape find this function above a class, as long as no class changes. Which
    /// class that is stands in the second cache.
    SuperMethod {
        shape: u32,
        version: u32,
        function: Ref<Function>,
    },
    /// The second cache of a site behind `super`: the first holds for what is above this class.
    Super { above: Ref<Class> },
}

impl Cache {
    /// Does it still hold, classes having changed as often as this?
    fn is_current(self, class_version: u32) -> bool {
        match self {
            Cache::Slot { version, .. }
            | Cache::Add { version, .. }
            | Cache::Method { version, .. }
            | Cache::SuperMethod { version, .. }
            | Cache::Function { version, .. } => version == class_version,
            Cache::Empty | Cache::Native { .. } | Cache::Global { .. } | Cache::Super { .. } => {
                true
            }
        }
    }

    /// Forgets what no longer holds, so that it keeps no object alive.
    pub(in crate::vm) fn forget_stale(&mut self, class_version: u32) {
        if !self.is_current(class_version) {
            *self = Cache::Empty;
        }
    }

    /// The shapes for whose instances it holds, and leads to.
    pub(in crate::vm) fn shapes(self) -> impl Iterator<Item = u32> {
        let (first, second) = match self {
            Cache::Slot { shape, .. }
            | Cache::Method { shape, .. }
            | Cache::SuperMethod { shape, .. } => (Some(shape), None),
            Cache::Add { from, to, .. } => (Some(from), Some(to)),
            Cache::Empty
            | Cache::Function { .. }
            | Cache::Native { .. }
            | Cache::Global { .. }
            | Cache::Super { .. } => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The objects that must live as long as it is remembered.
    pub(in crate::vm) fn holds(self) -> impl Iterator<Item = Value> {
        let (class, function) = match self {
            Cache::Method { function, .. } | Cache::SuperMethod { function, .. } => {
                (None, Some(function))
            }
            Cache::Function {
                class, function, ..
            } => (Some(class), Some(function)),
            Cache::Super { above } => (Some(above), None),
            Cache::Native { class, .. } => (Some(Ref::new(class)), None),
            Cache::Empty | Cache::Slot { .. } | Cache::Add { .. } | Cache::Global { .. } => {
                (None, None)
            }
        };
        let class = class.map(Value::Class);
        class.into_iter().chain(function.map(Value::Function))
    }
}

impl Vm {
    /// Notes what a site found. What the first cache holds stays there as long as it can still be
    /// true.
    pub(in crate::vm) fn remember(&mut self, at: usize, found: Cache) {
        let lasting = match self.caches[at] {
            Cache::Empty | Cache::Native { .. } | Cache::Global { .. } | Cache::Super { .. } => {
                false
            }
            versioned => versioned.is_current(self.class_version),
        };
        self.caches[at + usize::from(lasting)] = found;
    }

    /// The slot that a site's second cache knows for this object.
    pub(in crate::vm) fn second_slot(&self, at: usize, instance: Ref<Instance>) -> Option<usize> {
        match self.caches[at + 1] {
            Cache::Slot {
                shape,
                slot,
                version,
            } if version == self.class_version && self.heap.instances[instance].shape == shape => {
                Some(slot as usize)
            }
            _ => None,
        }
    }
}
