//! The heap: one arena for each type of object, handles instead of pointers, no reference counts. Collected by marking from roots and sweeping.

use crate::vm::class::Class;
use crate::vm::dict::Dict;
use crate::vm::list::List;
use crate::vm::object::{
    Bytes, Cell, Function, Generator, Instance, Iter, Method, Object, Range, Trace, Tuple,
};
use crate::vm::set::Set;
use crate::vm::text::{Buffer, Form, Str};
use crate::vm::value::{Ref, Value};
use crate::vm::work::{Done, Units, Work};
use num_bigint::BigInt;
use smol_str::SmolStr;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// Objects of one type. A free slot holds a default object.
#[derive(Clone, Debug, Default)]
pub struct Arena<T> {
    slots: Vec<T>,
    free: Vec<u32>,
    marked: Vec<bool>,
}

impl<T: Default> Arena<T> {
    /// Puts an object into a slot.
    pub fn insert(&mut self, object: T) -> Ref<T> {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = object;
            return Ref::new(slot);
        }
        let slot = u32::try_from(self.slots.len()).expect("the memory limit is under 2^32 objects");
        self.slots.push(object);
        Ref::new(slot)
    }

    /// All slots, the free ones among them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter()
    }

    /// How many objects live in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Does none live in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Two objects at once, the first of them to change.
    #[must_use]
    pub fn pair_mut(&mut self, first: Ref<T>, second: Ref<T>) -> Option<(&mut T, &T)> {
        let [a, b] = self
            .slots
            .get_disjoint_mut([first.slot as usize, second.slot as usize])
            .ok()?;
        Some((a, b))
    }

    fn mark(&mut self, object: Ref<T>) -> bool {
        let slot = object.slot as usize;
        if self.marked.len() < self.slots.len() {
            self.marked.resize(self.slots.len(), false);
        }
        !std::mem::replace(&mut self.marked[slot], true)
    }

    fn sweep(&mut self, keep: usize) {
        self.marked.resize(self.slots.len(), false);
        self.marked[..keep.min(self.slots.len())].fill(true);
        for &slot in &self.free {
            self.marked[slot as usize] = true;
        }
        // From the top down, so that low slots are reused first and the arena stays dense.
        let mut freed = Vec::new();
        for slot in (0..self.slots.len()).rev() {
            if !self.marked[slot] {
                self.slots[slot] = T::default();
                freed.push(slot as u32);
            }
        }
        self.free.extend(freed);
        self.marked.clear();
    }
}

impl<T> Index<Ref<T>> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, object: Ref<T>) -> &T {
        &self.slots[object.slot as usize]
    }
}

impl<T> IndexMut<Ref<T>> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, object: Ref<T>) -> &mut T {
        &mut self.slots[object.slot as usize]
    }
}

/// All objects of a VM.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    pub bigs: Arena<BigInt>,
    pub strs: Arena<Str>,
    pub buffers: Arena<Buffer>,
    pub bytes: Arena<Bytes>,
    pub tuples: Arena<Tuple>,
    pub lists: Arena<List>,
    pub dicts: Arena<Dict>,
    pub sets: Arena<Set>,
    pub ranges: Arena<Range>,
    pub functions: Arena<Function>,
    pub methods: Arena<Method>,
    pub classes: Arena<Class>,
    pub instances: Arena<Instance>,
    pub generators: Arena<Generator>,
    pub iters: Arena<Iter>,
    pub cells: Arena<Cell>,
    pub objects: Arena<Object>,
    /// Roughly the bytes allocated since the last collection; growth of containers is reported by whoever grows them.
    pub allocated: usize,
    /// Roughly the bytes in use after the last collection.
    pub live: usize,
    /// What was allocated before the last collection: with `allocated`, all that ever was.
    pub allocated_before: u64,
    /// What natives did in proportion to the size of something (`worked`).
    done: Done,
}

macro_rules! makers {
    ($($(#[doc = $doc:literal])+ $name:ident $arena:ident $type:ty => $variant:ident ($object:ident) $size:expr;)*) => {
        impl Heap { $(
            $(#[doc = $doc])+
            pub fn $name(&mut self, $object: $type) -> Value {
                self.allocated += size_of::<$type>() + $size;
                Value::$variant(self.$arena.insert($object))
            }
        )* }
    };
}
makers! {
    /// A bytes object.
    new_bytes bytes Bytes => Bytes(object) object.0.len();
    /// A set.
    new_set sets Set => Set(object) object.len() * 40;
    /// A dict.
    new_dict dicts Dict => Dict(object) object.bytes();
    /// A range.
    new_range ranges Range => Range(object) 0;
    /// A function.
    new_function functions Function => Function(object) 0;
    /// A bound method.
    new_method methods Method => Method(object) 0;
    /// A class.
    new_class classes Class => Class(object) 500;
    /// An instance.
    new_instance instances Instance => Instance(object) object.slots.capacity() * size_of::<Value>();
    /// A generator.
    new_generator generators Generator => Generator(object) object.registers.len() * size_of::<Value>();
    /// An iterator.
    new_iter iters Iter => Iter(object) 0;
    /// A cell.
    new_cell cells Cell => Cell(object) 0;
    /// One of the less frequent objects.
    new_object objects Object => Object(object) 0;
}

/// Strings up to this many bytes are concatenated into a text of their own; longer ones into a buffer.
const WHOLE_LIMIT: usize = 256;

impl Heap {
    /// A string.
    pub fn new_str(&mut self, text: impl Into<SmolStr>) -> Value {
        let string = Str::new(text.into());
        self.allocated += size_of::<Str>() + string.outer_bytes();
        Value::Str(self.strs.insert(string))
    }

    /// The decimal text of an integer, as a string.
    pub fn new_int_text(&mut self, number: i64) -> Value {
        let mut digits = [0_u8; 20];
        let mut at = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            at -= 1;
            digits[at] = b'-';
        }
        let text = std::str::from_utf8(&digits[at..]).expect("digits are ASCII");
        self.new_str(text)
    }

    /// A list.
    pub fn new_list(&mut self, items: impl Into<List>) -> Value {
        let list = items.into();
        self.allocated += size_of::<List>() + list.bytes();
        Value::List(self.lists.insert(list))
    }

    /// A tuple.
    pub fn new_tuple(&mut self, items: impl Into<Box<[Value]>>) -> Value {
        let items = items.into();
        self.allocated += size_of::<Tuple>() + items.len() * size_of::<Value>();
        Value::Tuple(self.tuples.insert(Tuple(items)))
    }

    /// An integer of any size.
    pub fn new_int(&mut self, integer: BigInt) -> Value {
        if let Ok(small) = i64::try_from(&integer) {
            return Value::Int(small);
        }
        self.allocated +=
            size_of::<BigInt>() + usize::try_from(integer.bits() / 8).unwrap_or(usize::MAX);
        Value::Big(self.bigs.insert(integer))
    }

    /// The text of a string.
    #[inline]
    #[must_use]
    pub fn text(&self, string: Ref<Str>) -> &str {
        let object = &self.strs[string];
        match &object.form {
            Form::Whole(text) => text,
            Form::Prefix(buffer) => &self.buffers[*buffer].0[..object.bytes as usize],
        }
    }

    /// The text of a string, to keep.
    #[must_use]
    pub fn text_arc(&self, string: Ref<Str>) -> Arc<str> {
        match &self.strs[string].form {
            Form::Whole(text) => text.clone().into(),
            Form::Prefix(_) => self.text(string).into(),
        }
    }

    /// `left + right`, in time proportional to `right` where `left` was itself made by concatenation.
    pub fn concatenate(&mut self, left: Ref<Str>, right: Ref<Str>) -> Value {
        let (l, r) = (&self.strs[left], &self.strs[right]);
        if r.bytes == 0 {
            return Value::Str(left);
        }
        if l.bytes == 0 {
            return Value::Str(right);
        }
        let (bytes, chars) = (l.bytes + r.bytes, l.chars + r.chars);
        if (bytes as usize) < WHOLE_LIMIT {
            let text: SmolStr = [self.text(left), self.text(right)].into_iter().collect();
            return self.new_str(text);
        }
        let buffer = match l.form {
            Form::Prefix(buffer) if self.buffers[buffer].0.len() == l.bytes as usize => buffer,
            _ => {
                let mut text = String::with_capacity(bytes as usize * 2);
                text.push_str(self.text(left));
                self.allocated += text.capacity();
                self.buffers.insert(Buffer(text))
            }
        };
        let mut grown = std::mem::take(&mut self.buffers[buffer].0);
        let before = grown.capacity();
        if self.strs[right].bytes == 0 {
            unreachable!("an empty right side was returned above");
        }
        match &self.strs[right].form {
            Form::Whole(text) => grown.push_str(text),
            // The same buffer: its text is in `grown` now.
            Form::Prefix(other) if *other == buffer => {
                grown.extend_from_within_str(self.strs[right].bytes as usize)
            }
            Form::Prefix(other) => {
                grown.push_str(&self.buffers[*other].0[..self.strs[right].bytes as usize])
            }
        }
        self.allocated += grown.capacity() - before + size_of::<Str>();
        self.buffers[buffer].0 = grown;
        Value::Str(self.strs.insert(Str {
            form: Form::Prefix(buffer),
            chars,
            bytes,
            hash: std::cell::Cell::new(0),
        }))
    }

    /// Notes what a native does in proportion to the size of something.
    #[inline]
    pub(in crate::vm) fn worked(&self, kind: Work, units: usize) {
        self.done.note(kind, units);
    }

    /// What natives have done since this was last asked, if anything.
    #[inline]
    #[must_use]
    pub fn take_work(&self) -> Option<Units> {
        self.done.take()
    }

    /// How many objects live.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.bigs.len()
            + self.strs.len()
            + self.bytes.len()
            + self.tuples.len()
            + self.lists.len()
            + self.dicts.len()
            + self.sets.len()
            + self.ranges.len()
            + self.functions.len()
            + self.methods.len()
            + self.classes.len()
            + self.instances.len()
            + self.generators.len()
            + self.iters.len()
            + self.cells.len()
            + self.objects.len()
    }

    /// Frees everything that cannot be reached from the roots.
    pub(super) fn collect(&mut self, roots: impl IntoIterator<Item = Value>) {
        let mut gray: Vec<Value> = Vec::new();
        for root in roots {
            self.reach(root, &mut gray);
        }
        while let Some(value) = gray.pop() {
            self.trace(value, &mut gray);
        }
        self.bigs.sweep(0);
        self.strs.sweep(0);
        self.buffers.sweep(0);
        self.bytes.sweep(0);
        self.tuples.sweep(0);
        self.lists.sweep(0);
        self.dicts.sweep(0);
        self.sets.sweep(0);
        self.ranges.sweep(0);
        self.functions.sweep(0);
        self.methods.sweep(0);
        self.classes.sweep(crate::vm::class::Type::ALL.len());
        self.instances.sweep(0);
        self.generators.sweep(0);
        self.iters.sweep(0);
        self.cells.sweep(0);
        self.objects.sweep(0);
        self.allocated_before += self.allocated as u64;
        self.allocated = 0;
        self.live = self.measure();
    }

    /// Marks a value; what must still be traced goes to `gray`.
    fn reach(&mut self, value: Value, gray: &mut Vec<Value>) {
        let fresh = match value {
            Value::Unbound
            | Value::None
            | Value::NotImplemented
            | Value::Ellipsis
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Native(_)
            | Value::Module(_) => return,
            Value::Str(string) => {
                if self.strs.mark(string)
                    && let Form::Prefix(buffer) = self.strs[string].form
                {
                    self.buffers.mark(buffer);
                }
                return;
            }
            Value::Big(it) => {
                self.bigs.mark(it);
                return;
            }
            Value::Bytes(it) => {
                self.bytes.mark(it);
                return;
            }
            Value::Range(it) => {
                self.ranges.mark(it);
                return;
            }
            Value::Tuple(it) => self.tuples.mark(it),
            Value::List(it) => self.lists.mark(it),
            Value::Dict(it) => self.dicts.mark(it),
            Value::Set(it) => self.sets.mark(it),
            Value::Function(it) => self.functions.mark(it),
            Value::Method(it) => self.methods.mark(it),
            Value::Class(it) => self.classes.mark(it),
            Value::Instance(it) => self.instances.mark(it),
            Value::Generator(it) => self.generators.mark(it),
            Value::Iter(it) => self.iters.mark(it),
            Value::Cell(it) => self.cells.mark(it),
            Value::Object(it) => self.objects.mark(it),
        };
        if fresh {
            gray.push(value);
        }
    }

    /// Marks what an object holds. It is taken out of its place meanwhile, so that its values are read where they are: a list of a million numbers would
    /// need a second one otherwise.
    fn trace(&mut self, value: Value, gray: &mut Vec<Value>) {
        macro_rules! within {
            ($arena:ident, $it:expr, |$object:ident, $visit:ident| $trace:expr) => {{
                let $object = std::mem::take(&mut self.$arena[$it]);
                let $visit = &mut |value| self.reach(value, gray);
                $trace;
                self.$arena[$it] = $object;
            }};
        }
        match value {
            Value::Tuple(it) => within!(tuples, it, |object, visit| object.trace(visit)),
            Value::List(it) => within!(lists, it, |object, visit| object.trace(visit)),
            Value::Dict(it) => {
                within!(dicts, it, |object, visit| object.iter().for_each(|entry| {
                    visit(entry.key);
                    visit(entry.value);
                }))
            }
            Value::Set(it) => {
                within!(sets, it, |object, visit| object
                    .iter()
                    .for_each(|(_, value)| visit(value)));
            }
            Value::Function(it) => within!(functions, it, |object, visit| object.trace(visit)),
            Value::Method(it) => within!(methods, it, |object, visit| object.trace(visit)),
            Value::Class(it) => within!(classes, it, |object, visit| {
                object
                    .mro
                    .iter()
                    .for_each(|&class| visit(Value::Class(class)));
                object
                    .attributes
                    .iter()
                    .for_each(|&(_, value)| visit(value));
            }),
            Value::Instance(it) => within!(instances, it, |object, visit| object.trace(visit)),
            Value::Generator(it) => within!(generators, it, |object, visit| object.trace(visit)),
            Value::Iter(it) => within!(iters, it, |object, visit| object.trace(visit)),
            Value::Cell(it) => within!(cells, it, |object, visit| object.trace(visit)),
            Value::Object(it) => within!(objects, it, |object, visit| object.trace(visit)),
            _ => {}
        }
    }

    /// Roughly the bytes in use.
    fn measure(&self) -> usize {
        let texts: usize = self.strs.slots.iter().map(Str::outer_bytes).sum();
        let buffers: usize = self.buffers.slots.iter().map(|it| it.0.capacity()).sum();
        let lists: usize = self.lists.slots.iter().map(List::bytes).sum();
        let tuples: usize = self
            .tuples
            .slots
            .iter()
            .map(|it| it.0.len() * size_of::<Value>())
            .sum();
        let dicts: usize = self.dicts.slots.iter().map(Dict::bytes).sum();
        let slots: usize = self
            .instances
            .slots
            .iter()
            .map(|it| it.slots.capacity() * size_of::<Value>())
            .sum();
        let rings: usize = self.objects.slots.iter().map(Object::bytes).sum();
        texts + buffers + lists + tuples + dicts + slots + rings + self.objects() * 48
    }
}

/// Appends a string's own beginning to it.
trait ExtendFromWithin {
    fn extend_from_within_str(&mut self, bytes: usize);
}

impl ExtendFromWithin for String {
    fn extend_from_within_str(&mut self, bytes: usize) {
        self.extend_from_within(..bytes);
    }
}
