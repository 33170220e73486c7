//! Hashes: CPython's numbers for everything but text (whose hash CPython draws at random for each
//! run; here it is fixed), so that sets of numbers and of tuples of numbers have CPython's order.
//! Tuples after `Objects/tupleobject.c` (xxHash), frozensets after `Objects/setobject.c`.

use super::identity::identity_hash;
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Class, name};
use crate::vm::heap::number::hash::{hash_big, hash_float, hash_int};
use crate::vm::heap::object::{DictView, Object};
use crate::vm::heap::set::Set;
use crate::vm::heap::text::Str;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

/// Why there is no hash at once.
#[derive(Clone, Copy)]
enum NoHash {
    /// A `__hash__` of the script must be asked.
    Ask,
    /// This value has none.
    Unhashable(Value),
    TooDeep,
    /// It was given up, since the engine wants something.
    Flagged,
}

/// How instances hash.
enum InstanceHash {
    Identity,
    Method(Value),
    None,
}

impl Ctx<'_> {
    /// `hash(value)`, CPython's numbers for everything but text.
    pub fn hash(&mut self, value: Value) -> Result<i64, Abrupt> {
        let left = self.nesting_left();
        let mut none = |_, _| Err(NoHash::Ask);
        match self.vm.heap.hash_with(value, left, &mut none) {
            Ok(hash) => return Ok(hash),
            Err(NoHash::Ask) => {}
            Err(reason) => return Err(self.no_hash(reason)),
        }
        let mut calls = Vec::new();
        let mut note = |method, value| {
            calls.push((method, vec![value]));
            Ok(0)
        };
        if let Err(reason) = self.vm.heap.hash_with(value, left, &mut note) {
            return Err(self.no_hash(reason));
        }
        let mut hashes = Vec::with_capacity(calls.len());
        for answer in self.call_all(calls)? {
            hashes.push(match answer {
                Value::Int(-1) => -2,
                Value::Int(hash) => hash,
                Value::Bool(truth) => i64::from(truth),
                Value::Big(it) => hash_big(&self.vm.heap.bigs[it]),
                _ => return Err(self.type_error("__hash__ method should return an integer")),
            });
        }
        let mut hashes = hashes.into_iter();
        let mut given = |_, _| hashes.next().ok_or(NoHash::Ask);
        self.vm
            .heap
            .hash_with(value, left, &mut given)
            .map_err(|reason| self.no_hash(reason))
    }

    /// `hash` as a builtin class defines it, even if the value's own class has another.
    pub(in crate::vm) fn inherited_hash(&mut self, value: Value) -> Result<i64, Abrupt> {
        match value {
            Value::Instance(_) => Ok(identity_hash(value)),
            _ => self.hash(value),
        }
    }

    fn no_hash(&mut self, reason: NoHash) -> Abrupt {
        match reason {
            NoHash::Unhashable(value) => {
                let message = format!("unhashable type: '{}'", self.vm.type_name(value));
                self.type_error(message)
            }
            NoHash::Ask | NoHash::TooDeep => self.too_deep(""),
            NoHash::Flagged => Abrupt::Flagged,
        }
    }
}

impl Heap {
    /// The hash of a key, unless the script must be asked or there is none.
    #[inline]
    #[must_use]
    pub fn hash_fast(&self, key: Value) -> Option<u64> {
        match key {
            Value::Int(number) => Some(hash_int(number) as u64),
            Value::Str(text) => Some(self.str_hash(text)),
            _ => self
                .hash_with(key, super::NESTING, &mut |_, _| Err(NoHash::Ask))
                .ok()
                .map(|hash| hash as u64),
        }
    }

    /// The hash of a string, which it remembers.
    #[inline]
    #[must_use]
    pub fn str_hash(&self, text: Ref<Str>) -> u64 {
        let known = self.strs[text].hash.get();
        if known != 0 {
            return known;
        }
        let hash = hash_text(self.text(text).as_bytes());
        self.worked(Work::Hash, self.strs[text].bytes as usize);
        self.strs[text].hash.set(hash);
        hash
    }

    fn hash_with(
        &self,
        value: Value,
        left: usize,
        ask: &mut dyn FnMut(Value, Value) -> Result<i64, NoHash>,
    ) -> Result<i64, NoHash> {
        Ok(match value {
            Value::Int(number) => hash_int(number),
            Value::Bool(truth) => i64::from(truth),
            Value::Float(number) => hash_float(number).unwrap_or(0),
            Value::Big(it) => hash_big(&self.bigs[it]),
            Value::Str(text) => self.str_hash(text) as i64,
            Value::Bytes(it) => hash_text(&self.bytes[it].0) as i64,
            Value::Tuple(it) => {
                let Some(left) = left.checked_sub(1) else {
                    return Err(NoHash::TooDeep);
                };
                if self.is_flagged() {
                    return Err(NoHash::Flagged);
                }
                let items = &self.tuples[it].0;
                self.worked(Work::Visit, items.len());
                let mut mixer = TupleHash::new();
                for &item in items {
                    mixer.add(self.hash_with(item, left, ask)?);
                }
                mixer.finish(items.len())
            }
            Value::Set(it) if self.sets[it].frozen => hash_set(&self.sets[it]),
            Value::Range(it) => {
                let range = &self.ranges[it];
                let none = identity_hash(Value::None);
                let length = range.len();
                let mut mixer = TupleHash::new();
                mixer.add(hash_int(length as i64));
                mixer.add(if length > 0 {
                    hash_int(range.start)
                } else {
                    none
                });
                mixer.add(if length > 1 {
                    hash_int(range.step)
                } else {
                    none
                });
                mixer.finish(3)
            }
            Value::Instance(it) => match self.instance_hash(self.instances[it].class) {
                InstanceHash::Identity => identity_hash(value),
                InstanceHash::Method(method) => ask(method, value)?,
                InstanceHash::None => return Err(NoHash::Unhashable(value)),
            },
            Value::Method(it) => {
                let method = &self.methods[it];
                identity_hash(method.receiver) ^ identity_hash(method.function).rotate_left(17)
            }
            Value::List(_) | Value::Dict(_) | Value::Set(_) => {
                return Err(NoHash::Unhashable(value));
            }
            Value::Object(it) => match &self.objects[it] {
                Object::Slice { .. }
                | Object::Namespace(_)
                | Object::View {
                    view: DictView::Keys | DictView::Items,
                    ..
                } => return Err(NoHash::Unhashable(value)),
                _ => identity_hash(value),
            },
            Value::Unbound
            | Value::None
            | Value::NotImplemented
            | Value::Ellipsis
            | Value::Function(_)
            | Value::Native(_)
            | Value::Class(_)
            | Value::Generator(_)
            | Value::Iter(_)
            | Value::Cell(_)
            | Value::Module(_) => identity_hash(value),
        })
    }

    /// How instances of a class hash: by the nearest `__hash__`, and not at all where `__eq__` is
    /// defined nearer.
    fn instance_hash(&self, class: Ref<Class>) -> InstanceHash {
        for &class in &self.classes[class].mro {
            let class = &self.classes[class];
            if class.builtin.is_some() {
                break;
            }
            match class.own(name::HASH) {
                Some(Value::None) => return InstanceHash::None,
                Some(Value::Native(_)) => return InstanceHash::Identity,
                Some(method) => return InstanceHash::Method(method),
                None if class.own(name::EQ).is_some() => return InstanceHash::None,
                None => {}
            }
        }
        InstanceHash::Identity
    }
}

/// The hash of a text: eight bytes at a time, multiplied and folded, so that its low bits depend on
/// all of them. Never 0, which means "not yet known".
#[must_use]
pub(in crate::vm) fn hash_text(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let fold = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(FACTOR);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut hash = bytes.len() as u64 ^ 0xA076_1D64_78BD_642F;
    let (words, rest) = bytes.as_chunks::<8>();
    for &word in words {
        hash = fold(hash, u64::from_le_bytes(word)).wrapping_add(FACTOR);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    hash = fold(hash, u64::from_le_bytes(last));
    hash = fold(hash, FACTOR.rotate_left(29));
    hash.max(1)
}

struct TupleHash(u64);

impl TupleHash {
    const PRIME_1: u64 = 11_400_714_785_074_694_791;
    const PRIME_2: u64 = 14_029_467_366_897_019_727;
    const PRIME_5: u64 = 2_870_177_450_012_600_261;
    /// Keeps `hash(())` at what it was before xxHash.
    const OF_LENGTH: u64 = 3_527_539;

    fn new() -> TupleHash {
        TupleHash(TupleHash::PRIME_5)
    }
    fn add(&mut self, hash: i64) {
        self.0 = self
            .0
            .wrapping_add((hash as u64).wrapping_mul(TupleHash::PRIME_2))
            .rotate_left(31)
            .wrapping_mul(TupleHash::PRIME_1);
    }
    fn finish(self, items: usize) -> i64 {
        let hash = self
            .0
            .wrapping_add(items as u64 ^ (TupleHash::PRIME_5 ^ TupleHash::OF_LENGTH))
            as i64;
        if hash == -1 { 1_546_275_796 } else { hash }
    }
}

/// `hash(frozenset)`: does not depend on the order of the elements.
pub(super) fn hash_set(set: &Set) -> i64 {
    // `_shuffle_bits` in `Objects/setobject.c`.
    const SPREAD: u64 = 89_869_747;
    let shuffled = set.iter().fold(0, |hash, (element, _)| {
        hash ^ ((element ^ SPREAD) ^ (element << 16)).wrapping_mul(3_644_798_167)
    });
    let mut hash: u64 = shuffled ^ (set.len() as u64 + 1).wrapping_mul(1_927_868_237);
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
    if hash == u64::MAX {
        hash = 590_923_713;
    }
    hash as i64
}

#[cfg(test)]
mod tests {
    use super::hash_text;
    use crate::vm::heap::Heap;
    use crate::vm::heap::object::Range;
    use crate::vm::heap::set::Set;
    use crate::vm::heap::value::Value;

    fn hash(heap: &Heap, value: Value) -> i64 {
        heap.hash_fast(value).expect("hashable") as i64
    }

    /// The numbers are CPython's.
    #[test]
    fn tuples_and_frozen_sets_hash_as_in_cpython() {
        let mut heap = Heap::default();
        let empty = heap.new_tuple([]);
        assert_eq!(hash(&heap, empty), 5_740_354_900_026_072_187);
        let pair = heap.new_tuple([Value::Int(1), Value::Int(2)]);
        assert_eq!(hash(&heap, pair), -3_550_055_125_485_641_917);
        let inner = heap.new_tuple([Value::Int(2), Value::Float(3.5)]);
        let nested = heap.new_tuple([Value::Int(1), inner]);
        assert_eq!(hash(&heap, nested), -9_148_893_311_433_065_316);
        let mut set = Set::new(true);
        for value in [1, 2, 3].map(Value::Int) {
            set.add_new(heap.hash_fast(value).expect("hashable"), value);
        }
        let frozen = heap.new_set(set);
        assert_eq!(hash(&heap, frozen), -272_375_401_224_217_160);
    }

    #[test]
    fn what_is_equal_hashes_alike() {
        let mut heap = Heap::default();
        let range = |stop, step| Range {
            start: 0,
            stop,
            step,
        };
        let (a, b) = (heap.new_range(range(5, 2)), heap.new_range(range(6, 2)));
        assert_eq!(heap.equal_fast(a, b), Some(true));
        assert_eq!(hash(&heap, a), hash(&heap, b));
        let (a, b) = (heap.new_str("text"), heap.new_str("text"));
        assert_eq!(hash(&heap, a), hash(&heap, b));
        assert_eq!(
            hash(&heap, Value::Bool(true)),
            hash(&heap, Value::Float(1.0))
        );
        let list = heap.new_list(Vec::new());
        assert_eq!(heap.hash_fast(list), None);
    }

    /// Texts that differ in one byte anywhere differ in the low bits, by which tables are indexed,
    /// about as often as chance has it.
    #[test]
    fn texts_spread_over_the_low_bits() {
        let mut seen = [0_u32; 256];
        for number in 0..25_600 {
            let text = format!("key{number}");
            seen[(hash_text(text.as_bytes()) & 255) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (50..=160).contains(&count)));
        assert_ne!(hash_text(b""), 0);
    }
}
