//! The heap: one arena for each type of object, handles instead of pointers, no reference counts.
//! Collected by marking from roots and sweeping. Knows no thread but by its number, no instruction,
//! and not what an operation means.

pub(super) mod arena;
pub mod class;
pub mod dict;
pub mod fault;
pub mod flag;
pub(super) mod list;
pub mod memory;
pub mod number;
pub mod object;
pub mod primitive;
pub mod ring;
pub mod set;
#[cfg(test)]
mod tests;
pub mod text;
pub mod tuning;
pub mod value;
mod weight;
pub mod work;

pub use weight::Weight;

use crate::vm::heap::arena::{Arena, Marks};
use crate::vm::heap::class::Class;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::flag::InterruptFlag;
use crate::vm::heap::list::List;
use crate::vm::heap::memory::{Charge, Counted};
use crate::vm::heap::object::{
    Bytes, Cell, Function, Generator, Instance, Iter, Method, Object, Trace, Tuple,
};
use crate::vm::heap::set::Set;
use crate::vm::heap::text::{Buffer, CachedHash, Form, Str};
use crate::vm::heap::tuning::Tuning;
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::heap::work::{Allowance, Done, Units, Work};
use num_bigint::BigInt;
use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use std::ops::Range;
use std::sync::Arc;

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
    pub ranges: Arena<object::Range>,
    pub functions: Arena<Function>,
    pub methods: Arena<Method>,
    pub classes: Arena<Class>,
    pub instances: Arena<Instance>,
    pub generators: Arena<Generator>,
    pub iters: Arena<Iter>,
    pub cells: Arena<Cell>,
    pub objects: Arena<Object>,
    /// Roughly the bytes allocated since the last collection; growth of containers is reported by
    /// whoever grows them.
    pub allocated: usize,
    /// Bytes in use after the last collection, those that forks share among them.
    pub live: usize,
    /// May there be pages that others share, which take memory where they are copied?
    shares: bool,
    /// What was counted in `allocated` before the last collection.
    allocated_before: u64,
    /// How much of all that were copies of pages that others share, which no script asked for.
    copied: u64,
    /// The strings of one character of Latin-1, unbound before they are first wanted.
    characters: Vec<Value>,
    /// How often the loop met an object that others share, since there are any.
    shared_uses: u32,
    /// When to collect, and what to share.
    pub(super) tuning: Tuning,
    /// What natives did in proportion to the size of something (`worked`).
    done: Done,
    /// By which its engine reaches a builtin that is under way.
    flag: Arc<InterruptFlag>,
}

macro_rules! makers {
    ($($(#[doc = $doc:literal])+ $name:ident $arena:ident $type:ty => $variant:ident ($object:ident) $size:expr;)*) => {
        impl Heap { $(
            $(#[doc = $doc])+
            pub fn $name(&mut self, $object: $type) -> Value {
                self.allocated += <$type>::BYTES + $size;
                Value::$variant(self.$arena.insert($object))
            }
        )* }
    };
}
makers! {
    /// A bytes object.
    new_bytes bytes Bytes => Bytes(object) object.0.len();
    /// A set.
    new_set sets Set => Set(object) object.bytes();
    /// A dict.
    new_dict dicts Dict => Dict(object) object.bytes();
    /// A range.
    new_range ranges object::Range => Range(object) 0;
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

/// Strings up to this many bytes are concatenated into a text of their own; longer ones into a
/// buffer.
pub(in crate::vm) const WHOLE_LIMIT: usize = 256;

/// A string's length is counted in 32 bits.
pub(super) const MAX_TEXT_BYTES: usize = u32::MAX as usize;

/// Texts shorter than this are put together in the string object itself, which holds them.
pub const SHORT: usize = 24;

/// What the instruction loop makes without asking whether there is room for it, in bytes.
pub(super) const MAX_UNASKED: usize = 64 << 10;

/// How many characters Latin-1 has.
const LATIN_1: usize = 256;

impl Heap {
    /// An empty one.
    #[must_use]
    pub(super) fn new(tuning: Tuning) -> Heap {
        Heap {
            tuning,
            ..Heap::default()
        }
    }

    /// The strings of one character that were made already; unbound where they were not.
    pub(super) fn known_characters(&self) -> &[Value] {
        &self.characters
    }

    /// A string.
    pub fn new_str(&mut self, text: impl Into<SmolStr>) -> Value {
        let string = Str::new(text.into());
        if string.len() == 1 {
            return self.only_one(string);
        }
        self.insert_str(string)
    }

    /// A string whose text was made for it. A long one is not copied.
    pub fn new_string(&mut self, text: String) -> Value {
        let chars = text.chars().count();
        self.new_text(text, chars)
    }

    /// A string of one character.
    pub fn new_character(&mut self, character: char) -> Value {
        match self.characters.get(u32::from(character) as usize) {
            Some(&known @ Value::Str(_)) => known,
            _ => self.only_one(Str::new(SmolStr::new_inline(
                character.encode_utf8(&mut [0; 4]),
            ))),
        }
    }

    /// A string of one character. Those of Latin-1 are made once, as in CPython.
    fn only_one(&mut self, string: Str) -> Value {
        let character = match &string.form {
            Form::Whole(text) => text.chars().next(),
            Form::Prefix(_) => None,
        };
        let code = character.map_or(LATIN_1, |it| u32::from(it) as usize);
        if code >= LATIN_1 {
            return self.insert_str(string);
        }
        self.characters.resize(LATIN_1, Value::Unbound);
        if !self.characters[code].is_bound() {
            self.characters[code] = self.insert_str(string);
        }
        self.characters[code]
    }

    /// A part of a string: these bytes of its text, which begin and end between characters.
    pub fn new_part(&mut self, whole: Ref<Str>, part: Range<usize>) -> Value {
        let text = &self.text(whole)[part];
        if !self.strs[whole].is_ascii() {
            return self.new_str(SmolStr::new(text));
        }
        match text.as_bytes() {
            &[only] => self.new_character(char::from(only)),
            _ => self.insert_str(Str::ascii(SmolStr::new(text))),
        }
    }

    /// How many bytes and characters strings have together; none if a value is no string.
    pub(super) fn length_together(&self, parts: &[Value]) -> Option<(usize, usize)> {
        parts
            .iter()
            .try_fold((0, 0), |(bytes, chars), part| match *part {
                Value::Str(part) => {
                    let part = &self.strs[part];
                    Some((bytes + part.bytes as usize, chars + part.len()))
                }
                _ => None,
            })
    }

    /// Strings put together, which have so many bytes and characters.
    pub(super) fn join(&mut self, parts: &[Value], (bytes, chars): (usize, usize)) -> Value {
        let texts = parts.iter().map(|part| match *part {
            Value::Str(part) => self.text(part),
            _ => "",
        });
        if bytes < SHORT {
            let text: SmolStr = texts.collect();
            return if bytes == chars {
                self.new_ascii(text)
            } else {
                self.new_str(text)
            };
        }
        let mut text = String::with_capacity(bytes);
        text.extend(texts);
        self.new_text(text, chars)
    }

    fn insert_str(&mut self, string: Str) -> Value {
        self.allocated += Str::BYTES + string.outer_bytes();
        Value::Str(self.strs.insert(string))
    }

    /// The same, of a text with so many characters.
    pub fn new_text(&mut self, mut text: String, chars: usize) -> Value {
        if text.len() < WHOLE_LIMIT {
            return if text.len() == chars {
                self.new_ascii(text)
            } else {
                self.insert_str(Str::new(text.into()))
            };
        }
        let bytes = text.len() as u32;
        if text.capacity() / 2 > text.len() {
            text.shrink_to_fit();
        }
        self.allocated += Str::BYTES + text.capacity();
        let form = Form::Prefix(self.buffers.insert(Buffer(text)));
        Value::Str(self.strs.insert(Str {
            form,
            chars: chars as u32,
            bytes,
            hash: CachedHash::default(),
        }))
    }

    /// The decimal text of an integer, as a string.
    pub fn new_int_text(&mut self, number: i64) -> Value {
        match u8::try_from(number) {
            Ok(digit) if digit < 10 => self.new_character(char::from(b'0' + digit)),
            _ => self.new_ascii(itoa::Buffer::new().format(number)),
        }
    }

    /// A string of ASCII characters alone.
    pub fn new_ascii(&mut self, text: impl Into<SmolStr>) -> Value {
        let text = text.into();
        match text.as_bytes() {
            &[only] => self.new_character(char::from(only)),
            _ => self.insert_str(Str::ascii(text)),
        }
    }

    /// A list.
    #[inline(never)]
    pub fn new_list(&mut self, items: impl Into<List>) -> Value {
        let list = items.into();
        self.allocated += List::BYTES + list.bytes();
        Value::List(self.lists.insert(list))
    }

    /// A tuple.
    #[inline(never)]
    pub fn new_tuple(&mut self, items: impl Into<Box<[Value]>>) -> Value {
        let items = items.into();
        self.allocated += Tuple::BYTES + items.len() * size_of::<Value>();
        Value::Tuple(self.tuples.insert(Tuple(items)))
    }

    /// An integer of any size.
    pub fn new_int(&mut self, integer: BigInt) -> Value {
        if let Ok(small) = i64::try_from(&integer) {
            return Value::Int(small);
        }
        self.allocated += BigInt::BYTES + usize::try_from(integer.bits() / 8).unwrap_or(usize::MAX);
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

    /// The text of a string, to keep while the heap changes.
    #[must_use]
    pub fn text_to_keep(&self, string: Ref<Str>) -> SmolStr {
        match &self.strs[string].form {
            Form::Whole(text) => text.clone(),
            Form::Prefix(_) => self.text(string).into(),
        }
    }

    /// The text of a string, to keep for good.
    #[must_use]
    pub fn text_arc(&self, string: Ref<Str>) -> Arc<str> {
        self.text_to_keep(string).into()
    }

    /// How many bytes more `left + right` will take, where they are many: more than there can be if
    /// it is longer than a string can be.
    pub(super) fn growth_of_concatenation(&self, left: Ref<Str>, right: Ref<Str>) -> usize {
        let (l, r) = (&self.strs[left], &self.strs[right]);
        let bytes = l.bytes as usize + r.bytes as usize;
        if bytes < WHOLE_LIMIT || r.bytes == 0 || l.bytes == 0 {
            return 0;
        }
        self.growth_to(bytes, self.buffer_that_ends_with(l))
    }

    /// The buffer that ends where a string does, so that the string can grow in it.
    fn buffer_that_ends_with(&self, string: &Str) -> Option<Ref<Buffer>> {
        match string.form {
            Form::Prefix(buffer) => {
                let ends = self.buffers[buffer].0.len() == string.bytes as usize;
                ends.then_some(buffer)
            }
            Form::Whole(_) => None,
        }
    }

    /// How many bytes more a string of so many will take in this buffer, or in a new one.
    fn growth_to(&self, bytes: usize, buffer: Option<Ref<Buffer>>) -> usize {
        let capacity = buffer.map_or(0, |it| self.buffers[it].0.capacity());
        if bytes > MAX_TEXT_BYTES {
            usize::MAX
        } else if bytes <= capacity {
            0
        } else if buffer.is_some() {
            // A vector that grows at least doubles.
            bytes.max(2 * capacity) - capacity
        } else {
            2 * bytes
        }
    }

    /// `left + right`, in time proportional to `right` where `left` was itself made by
    /// concatenation. Unbound where it would take more than `most` bytes: small ones are put
    /// together in this one call from the instruction loop, since what lives across two takes
    /// registers from it.
    #[inline(never)]
    pub fn concatenate(&mut self, left: Ref<Str>, right: Ref<Str>, most: usize) -> Value {
        let (l, r) = (&self.strs[left], &self.strs[right]);
        if r.bytes == 0 {
            return Value::Str(left);
        }
        if l.bytes == 0 {
            return Value::Str(right);
        }
        let bytes = l.bytes as usize + r.bytes as usize;
        let (chars, added) = (l.chars as usize + r.chars as usize, r.bytes as usize);
        let form = if bytes < WHOLE_LIMIT {
            let text: SmolStr = [self.text(left), self.text(right)].into_iter().collect();
            Form::Whole(text)
        } else {
            let buffer = self.buffer_that_ends_with(l);
            if self.growth_to(bytes, buffer) > most {
                return Value::Unbound;
            }
            let buffer = buffer.unwrap_or_else(|| self.new_buffer(left, bytes * 2));
            let grown = &mut self.buffers[buffer].0;
            let before = grown.capacity();
            match &self.strs[right].form {
                Form::Whole(text) => grown.push_str(text),
                // The same buffer: its text is in `grown`.
                Form::Prefix(other) if *other == buffer => grown.extend_from_within(..added),
                Form::Prefix(other) => {
                    let Some((grown, other)) = self.buffers.pair_mut(buffer, *other) else {
                        unreachable!("they are two")
                    };
                    grown.0.push_str(&other.0[..added]);
                }
            }
            self.allocated += self.buffers[buffer].0.capacity() - before;
            Form::Prefix(buffer)
        };
        let string = Str {
            form,
            chars: chars as u32,
            bytes: bytes as u32,
            hash: CachedHash::default(),
        };
        self.allocated += Str::BYTES + string.outer_bytes();
        Value::Str(self.strs.insert(string))
    }

    /// A buffer with room for so many bytes that begins with the text of a string.
    #[cold]
    fn new_buffer(&mut self, string: Ref<Str>, capacity: usize) -> Ref<Buffer> {
        let mut text = String::with_capacity(capacity);
        text.push_str(self.text(string));
        self.allocated += text.capacity();
        self.buffers.insert(Buffer(text))
    }

    /// Notes that the run loop met an object that others share. A heap to which that happens often
    /// copies what is shared, bit by bit.
    pub(super) fn note_shared_use(&mut self) {
        self.shared_uses += 1;
        let Tuning {
            unshare_after,
            unshare_every,
            ..
        } = self.tuning;
        if self.shared_uses == unshare_after + unshare_every {
            self.shared_uses = unshare_after;
            self.unshare_page();
        }
        self.count_copies();
    }

    /// May there be pages that others share?
    #[inline]
    pub(super) fn shares(&self) -> bool {
        self.shares
    }

    /// Counts what was copied since, because it is shared and somebody changes it.
    #[inline]
    pub(super) fn count_copies(&mut self) {
        if self.shares {
            self.count_copied_pages();
        }
    }

    /// Notes what a native does in proportion to the size of something.
    #[inline]
    pub(in crate::vm) fn worked(&self, kind: Work, units: usize) {
        self.done.note(kind, units);
    }

    /// Bounds what natives may do until `take_work`.
    pub fn allow_work(&mut self, allowance: Option<Allowance>) {
        self.done.allowance = allowance;
    }

    /// Gives the VM another flag. Until then it shares that of the one that it was forked from.
    pub fn set_flag(&mut self, flag: Arc<InterruptFlag>) {
        self.flag = flag;
    }

    /// Is a builtin that is under way to give up? For loops of short steps.
    #[inline]
    #[must_use]
    pub(in crate::vm) fn is_flagged(&self) -> bool {
        self.flag.is_up() || self.done.is_soon_too_much()
    }

    /// The same for whoever looks seldom.
    #[inline]
    #[must_use]
    pub(in crate::vm) fn is_flagged_now(&self) -> bool {
        self.flag.is_up() || self.done.is_too_much()
    }

    /// The same for who has done so much more that is not noted yet.
    pub(in crate::vm) fn is_flagged_after(&self, kind: Work, units: usize) -> bool {
        self.flag.is_up() || self.done.is_too_much_with(kind, units)
    }

    /// What natives have done since this was last asked, if anything.
    #[inline]
    #[must_use]
    pub fn take_work(&self) -> Option<Units> {
        self.done.take()
    }

    /// Roughly the bytes that were ever allocated for what the script asked for.
    #[must_use]
    pub fn bytes_ever(&self) -> u64 {
        self.allocated_before + self.allocated as u64 - self.copied
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

    /// Frees everything that cannot be reached from the roots, each of which is to be visited, but
    /// for the known characters. What the threads hold that are reached by their handles is to be
    /// visited, too. Gives those threads.
    pub(super) fn collect(
        &mut self,
        roots: impl FnOnce(&mut dyn FnMut(Value)),
        held_by_thread: impl Fn(ThreadId, &mut dyn FnMut(Value)),
    ) -> FxHashSet<ThreadId> {
        let mut tracer = Tracer::new(self);
        roots(&mut |root| tracer.reach(root));
        self.characters.iter().for_each(|&it| tracer.reach(it));
        let mut known = FxHashSet::default();
        loop {
            tracer.finish();
            let Some(thread) = tracer.threads.pop() else {
                break;
            };
            if known.insert(thread) {
                held_by_thread(thread, &mut |held| tracer.reach(held));
            }
        }
        tracer.marks.sweep(self);
        known
    }
}

macro_rules! all_marks {
    ($($arena:ident)*) => {
        /// Which objects of a heap were reached.
        struct AllMarks {
            $($arena: Marks,)*
        }

        impl AllMarks {
            fn none(heap: &Heap) -> AllMarks {
                AllMarks { $($arena: heap.$arena.unmarked(),)* }
            }

            /// Frees the others.
            fn sweep(self, heap: &mut Heap) {
                $(heap.$arena.sweep(self.$arena);)*
            }
        }

        impl Heap {
            /// Lets the next clones share large parts with this heap, until one side changes them,
            /// and what has been paid for these parts.
            pub(super) fn freeze(&mut self, paid: &mut Charge) {
                self.shared_uses = 0;
                $(self.$arena.freeze(self.tuning.sharing, paid);)*
                self.shares = false $(|| self.$arena.is_shared())*;
            }

            #[cold]
            fn count_copied_pages(&mut self) {
                let copied = 0 $(+ self.$arena.take_copied_bytes())*;
                self.allocated += copied;
                self.copied += copied as u64;
            }

            /// What it has for itself, and what it shares, in bytes.
            pub(super) fn weigh(&mut self) -> (usize, usize) {
                // What was copied is weighed with all the rest.
                self.count_copied_pages();
                self.allocated_before += std::mem::take(&mut self.allocated) as u64;
                self.shares = false $(|| self.$arena.is_shared())*;
                (0 $(+ self.$arena.weigh())*, 0 $(+ self.$arena.shared_bytes())*)
            }

            /// Bytes of free slots.
            pub(super) fn idle_bytes(&self) -> usize {
                0 $(+ self.$arena.idle_bytes())*
            }

            /// Shares a page of each arena less.
            fn unshare_page(&mut self) {
                $(self.$arena.unshare_page();)*
            }
        }
    };
}
all_marks! {
    bigs strs buffers bytes tuples lists dicts sets ranges functions methods classes instances generators iters cells objects
}

/// Finds what can be reached.
struct Tracer<'a> {
    heap: &'a Heap,
    marks: AllMarks,
    /// What was reached and holds things that may not have been.
    gray: Vec<Value>,
    /// Threads that objects name.
    threads: Vec<ThreadId>,
}

impl Tracer<'_> {
    fn new(heap: &Heap) -> Tracer<'_> {
        Tracer {
            heap,
            marks: AllMarks::none(heap),
            gray: Vec::new(),
            threads: Vec::new(),
        }
    }

    /// Follows what was reached so far to its end.
    fn finish(&mut self) {
        while let Some(value) = self.gray.pop() {
            self.trace(value);
        }
    }

    /// Marks a value; what it holds is still to be traced.
    fn reach(&mut self, value: Value) {
        let marks = &mut self.marks;
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
                if marks.strs.mark(string)
                    && let Form::Prefix(buffer) = self.heap.strs[string].form
                {
                    marks.buffers.mark(buffer);
                }
                return;
            }
            Value::Big(it) => {
                marks.bigs.mark(it);
                return;
            }
            Value::Bytes(it) => {
                marks.bytes.mark(it);
                return;
            }
            Value::Range(it) => {
                marks.ranges.mark(it);
                return;
            }
            Value::Tuple(it) => marks.tuples.mark(it),
            Value::List(it) => marks.lists.mark(it),
            Value::Dict(it) => marks.dicts.mark(it),
            Value::Set(it) => marks.sets.mark(it),
            Value::Function(it) => marks.functions.mark(it),
            Value::Method(it) => marks.methods.mark(it),
            Value::Class(it) => marks.classes.mark(it),
            Value::Instance(it) => marks.instances.mark(it),
            Value::Generator(it) => marks.generators.mark(it),
            Value::Iter(it) => marks.iters.mark(it),
            Value::Cell(it) => marks.cells.mark(it),
            Value::Object(it) => marks.objects.mark(it),
        };
        if fresh {
            self.gray.push(value);
        }
    }

    /// Marks what an object holds.
    fn trace(&mut self, value: Value) {
        let heap = self.heap;
        let mut visit = |value| self.reach(value);
        match value {
            Value::Tuple(it) => heap.tuples[it].trace(&mut visit),
            Value::List(it) => heap.lists[it].trace(&mut visit),
            Value::Dict(it) => heap.dicts[it].iter().for_each(|entry| {
                visit(entry.key);
                visit(entry.value);
            }),
            Value::Set(it) => heap.sets[it].iter().for_each(|(_, value)| visit(value)),
            Value::Function(it) => heap.functions[it].trace(&mut visit),
            Value::Method(it) => heap.methods[it].trace(&mut visit),
            Value::Class(it) => {
                let class = &heap.classes[it];
                class.mro.iter().for_each(|&it| visit(Value::Class(it)));
                class.attributes.iter().for_each(|&(_, it)| visit(it));
                if let Some(record) = &class.record {
                    visit(record.init);
                    record.defaults.iter().for_each(|&it| visit(it));
                }
            }
            Value::Instance(it) => heap.instances[it].trace(&mut visit),
            Value::Generator(it) => heap.generators[it].trace(&mut visit),
            Value::Iter(it) => heap.iters[it].trace(&mut visit),
            Value::Cell(it) => heap.cells[it].trace(&mut visit),
            Value::Object(it) => {
                heap.objects[it].trace(&mut visit);
                self.threads.extend(heap.objects[it].thread());
            }
            _ => {}
        }
    }
}
