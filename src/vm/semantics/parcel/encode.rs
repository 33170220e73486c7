//! Copying out. Checks everything first to last before anything is sent, so a refusal leaves
//! nothing behind.

use super::{CUSTOM, Refusal, Tag, find_global, function_path};
use crate::vm::Vm;
use crate::vm::heap::class::{Class, Type, name};
use crate::vm::heap::memory::{Counted, counted};
use crate::vm::heap::object::Object;
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::protocol::address;
use crate::vm::state::slice::{Held, Parcel};
use rustc_hash::FxHashMap;
use std::sync::Arc;

counted! { Parcel: 40, (u64, ChannelEnd): 16 }

/// What a parcel takes beside its bytes.
const OUTER_BYTES: usize = Parcel::BYTES + 64;

/// Copies a value out of a VM, to be sent to a process that runs.
pub fn encode(vm: &mut Vm, value: Value) -> Result<Parcel, Refusal> {
    encode_with(vm, value, None)
}

/// Copies a value out of a VM for a process that begins with it: queues, pipes and locks may go
/// along.
pub fn encode_for_child(vm: &mut Vm, value: Value) -> Result<Parcel, Refusal> {
    encode_with(vm, value, Some(0))
}

fn encode_with(vm: &mut Vm, value: Value, ends_above: Option<usize>) -> Result<Parcel, Refusal> {
    let mut encoder = Encoder {
        room: vm.room(),
        vm,
        bytes: Vec::new(),
        seen: FxHashMap::default(),
        next: vec![value],
        ends: Vec::new(),
        shared: None,
        ends_above,
    };
    while let Some(value) = encoder.next.pop() {
        // The parts of a proxy have all been written.
        if encoder.ends_above.is_some_and(|it| encoder.next.len() < it) {
            encoder.ends_above = None;
        }
        encoder.value(value)?;
        encoder.check_room(0)?;
    }
    let (bytes, ends) = (encoder.bytes, encoder.ends);
    let taken = bytes.len() + OUTER_BYTES + ends.len() * <(u64, ChannelEnd)>::BYTES;
    let charge = vm.pay(taken).ok_or(Refusal::Room(taken))?;
    Ok(Parcel {
        bytes: bytes.into(),
        ends: ends.into(),
        held: Held(Arc::new(charge)),
    })
}

struct Encoder<'a> {
    vm: &'a Vm,
    /// Bytes of memory that it may take.
    room: usize,
    bytes: Vec<u8>,
    /// Objects written so far, by kind and slot, with their numbers.
    seen: FxHashMap<(u8, u32), u64>,
    /// What is still to be written, the next one last.
    next: Vec<Value>,
    /// The ends of channels met so far.
    ends: Vec<(u64, ChannelEnd)>,
    /// The object of `multiprocessing` that is being written, for the message if it may not go
    /// along.
    shared: Option<Ref<Class>>,
    /// They may go along while more than so much is still to be written.
    ends_above: Option<usize>,
}

impl Encoder<'_> {
    /// Is there room for what it has, and so much more?
    fn check_room(&self, more: usize) -> Result<(), Refusal> {
        // At the end the bytes are copied once. A vector and a table have some room to spare.
        let bytes = 2 * self.bytes.len()
            + 2 * size_of::<Value>() * self.next.len()
            + 48 * self.seen.len()
            + more;
        if bytes > self.room {
            return Err(Refusal::Room(bytes));
        }
        Ok(())
    }

    fn value(&mut self, value: Value) -> Result<(), Refusal> {
        let vm = self.vm;
        match value {
            Value::Unbound => self.tag(Tag::Unbound),
            Value::None => self.tag(Tag::None),
            Value::NotImplemented => self.tag(Tag::NotImplemented),
            Value::Ellipsis => self.tag(Tag::Ellipsis),
            Value::Bool(false) => self.tag(Tag::False),
            Value::Bool(true) => self.tag(Tag::True),
            Value::Int(number) => {
                self.tag(Tag::Int);
                // Small numbers of either sign are short.
                self.number(((number << 1) ^ (number >> 63)) as u64);
            }
            Value::Float(number) => {
                self.tag(Tag::Float);
                self.bytes.extend(number.to_bits().to_le_bytes());
            }
            Value::Big(it) => {
                if self.is_new(0, it, Tag::Big) {
                    let bytes = vm.heap.bigs[it].to_signed_bytes_le();
                    self.raw(&bytes)?;
                }
            }
            Value::Str(it) => {
                if self.is_new(1, it, Tag::Str) {
                    self.raw(vm.heap.text(it).as_bytes())?;
                }
            }
            Value::Bytes(it) => {
                if self.is_new(2, it, Tag::Bytes) {
                    self.raw(&vm.heap.bytes[it].0)?;
                }
            }
            Value::Range(it) => {
                if self.is_new(3, it, Tag::Range) {
                    let range = vm.heap.ranges[it];
                    for number in [range.start, range.stop, range.step] {
                        self.bytes.extend(number.to_le_bytes());
                    }
                }
            }
            Value::Tuple(it) => {
                if self.is_new(4, it, Tag::Tuple) {
                    self.items(&vm.heap.tuples[it].0)?;
                }
            }
            Value::List(it) => {
                if self.is_new(5, it, Tag::List) {
                    let items = &vm.heap.lists[it];
                    self.check_room(items.len() * size_of::<Value>())?;
                    self.items(&items.to_vec())?;
                }
            }
            Value::Dict(it) => {
                if self.is_new(6, it, Tag::Dict) {
                    self.dict(it)?;
                }
            }
            Value::Set(it) => {
                let set = &vm.heap.sets[it];
                let tag = if set.frozen { Tag::FrozenSet } else { Tag::Set };
                if self.is_new(7, it, tag) {
                    self.check_room(set.len() * 2 * size_of::<Value>())?;
                    self.number(set.len() as u64);
                    for (hash, _) in set.iter() {
                        self.bytes.extend(hash.to_le_bytes());
                    }
                    let items: Vec<Value> = set.iter().map(|(_, item)| item).collect();
                    self.next.extend(items.into_iter().rev());
                }
            }
            Value::Function(_) => self.function(value)?,
            Value::Native(native) => {
                self.tag(Tag::Native);
                self.number(native.0.into());
            }
            Value::Method(it) => {
                if self.is_new(9, it, Tag::Method) {
                    let method = vm.heap.methods[it];
                    self.next.extend([method.function, method.receiver]);
                }
            }
            Value::Class(class) => self.class(class)?,
            Value::Instance(it) => {
                let instance = &vm.heap.instances[it];
                self.refuse_custom(instance.class)?;
                if self.shared.is_none() && is_shared(&vm.heap.classes[instance.class]) {
                    self.shared = Some(instance.class);
                }
                let tag = match instance.exception {
                    Some(_) => Tag::Exception,
                    None => Tag::Instance,
                };
                if self.is_new(10, it, tag) {
                    if self.ends_above.is_none() && self.is_proxy(instance.class) {
                        self.ends_above = Some(self.next.len());
                    }
                    let names = &vm.shapes[instance.shape].names;
                    // One more than there are; nothing where the attributes are in a dict.
                    self.number(match instance.dict {
                        Some(_) => 0,
                        None => names.len() as u64 + 1,
                    });
                    for &name in names {
                        self.raw(vm.name_text(name).as_bytes())?;
                    }
                    let args = vm.arguments_to_make(it);
                    if tag == Tag::Exception {
                        self.number(args.len() as u64);
                    }
                    self.next.extend(args.iter().rev());
                    self.next.extend(instance.slots[..names.len()].iter().rev());
                    self.next.extend(instance.dict.map(Value::Dict));
                    self.next.push(Value::Class(instance.class));
                }
            }
            Value::Object(it) => self.object(it)?,
            Value::Generator(_) | Value::Iter(_) | Value::Cell(_) | Value::Module(_) => {
                return Err(cannot_pickle(vm.type_name(value)));
            }
        }
        Ok(())
    }

    fn tag(&mut self, tag: Tag) {
        self.bytes.push(tag as u8);
    }

    /// A number in groups of seven bits, lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.check_room(2 * bytes.len())?;
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Begins an object that is met for the first time; writes the number of one that was met
    /// before.
    fn is_new<T>(&mut self, kind: u8, object: Ref<T>, tag: Tag) -> bool {
        let number = self.seen.len() as u64;
        let known = *self.seen.entry((kind, object.slot)).or_insert(number);
        if known == number {
            self.tag(tag);
            return true;
        }
        self.tag(Tag::Again);
        self.number(known);
        false
    }

    fn items(&mut self, items: &[Value]) -> Result<(), Refusal> {
        self.check_room(2 * size_of_val(items))?;
        self.number(items.len() as u64);
        self.next.extend(items.iter().rev());
        Ok(())
    }

    fn dict(&mut self, dict: Ref<crate::vm::heap::dict::Dict>) -> Result<(), Refusal> {
        let dict = &self.vm.heap.dicts[dict];
        self.check_room(dict.len() * 6 * size_of::<Value>())?;
        self.number(dict.len() as u64);
        // The hashes, for keys whose hash only the script knows.
        for entry in dict.iter() {
            self.bytes.extend(entry.hash.to_le_bytes());
        }
        let entries: Vec<_> = dict.iter().collect();
        for entry in entries.into_iter().rev() {
            self.next.extend([entry.value, entry.key]);
        }
        Ok(())
    }

    fn class(&mut self, class: Ref<Class>) -> Result<(), Refusal> {
        let vm = self.vm;
        let it = &vm.heap.classes[class];
        if let Some(builtin) = it.builtin {
            self.tag(Tag::BuiltinClass);
            self.number(builtin as u64);
            return Ok(());
        }
        if self.is_new(8, class, Tag::Class) {
            let found = find_global(vm, &it.module, &it.qualname);
            let shown = format!("<class '{}.{}'>", it.module, it.qualname);
            self.path(&it.module, &it.qualname, &shown, Value::Class(class), found)?;
        }
        Ok(())
    }

    fn function(&mut self, function: Value) -> Result<(), Refusal> {
        let vm = self.vm;
        let Value::Function(it) = function else {
            return Ok(());
        };
        if self.is_new(11, it, Tag::Function) {
            let (module, qualname) = function_path(vm, function).unwrap_or_default();
            let found = find_global(vm, &module, &qualname);
            let shown = format!("<function {qualname} at {:#x}>", address(function));
            self.path(&module, &qualname, &shown, function, found)?;
        }
        Ok(())
    }

    /// Where the other VM will find a class or function; refused if that is not where this one has
    /// it.
    fn path(
        &mut self,
        module: &str,
        qualname: &str,
        shown: &str,
        value: Value,
        found: Option<Value>,
    ) -> Result<(), Refusal> {
        match found {
            Some(found) if found.same(value) => {
                self.raw(module.as_bytes())?;
                self.raw(qualname.as_bytes())
            }
            Some(_) => Err(Refusal::never(
                Type::PicklingError,
                format!("Can't pickle {shown}: it's not the same object as {module}.{qualname}"),
            )),
            None if qualname.contains("<locals>") => Err(Refusal::never(
                Type::AttributeError,
                format!("Can't pickle local object '{qualname}'"),
            )),
            None => Err(Refusal::never(
                Type::PicklingError,
                format!("Can't pickle {shown}: attribute lookup {qualname} on {module} failed"),
            )),
        }
    }

    /// A manager's proxy stands for an object outside of all processes: it may go everywhere.
    fn is_proxy(&self, class: Ref<Class>) -> bool {
        self.vm.heap.classes[class].mro.iter().any(|&base| {
            let base = &self.vm.heap.classes[base];
            &*base.name == "BaseProxy" && &*base.module == "multiprocessing.managers"
        })
    }

    fn refuse_custom(&self, class: Ref<Class>) -> Result<(), Refusal> {
        for &base in &self.vm.heap.classes[class].mro {
            let base = &self.vm.heap.classes[base];
            if base.builtin.is_some() {
                break;
            }
            // Where a class of the library has a text in that place, it says why its objects do not
            // travel.
            if let Some(Value::Str(why)) = base.own(name::REDUCE) {
                let why = self.vm.heap.text(why).to_owned();
                return Err(Refusal::never(Type::NotImplementedError, why));
            }
            if let Some(&name) = CUSTOM.iter().find(|&&name| base.own(name).is_some()) {
                return Err(Refusal::never(
                    Type::TypeError,
                    format!(
                        "cannot pickle '{}' object: Mini copies attributes and does not call {}",
                        base.name,
                        self.vm.name_text(name)
                    ),
                ));
            }
        }
        Ok(())
    }

    fn object(&mut self, it: Ref<Object>) -> Result<(), Refusal> {
        let vm = self.vm;
        match &vm.heap.objects[it] {
            Object::Slice { lower, upper, step } => {
                if self.is_new(12, it, Tag::Slice) {
                    self.next.extend([*step, *upper, *lower]);
                }
                Ok(())
            }
            Object::Namespace(dict) => {
                if self.is_new(12, it, Tag::Namespace) {
                    self.next.push(Value::Dict(*dict));
                }
                Ok(())
            }
            Object::Ring(ring) => {
                if self.is_new(12, it, Tag::Ring) {
                    self.number(ring.bound().map_or(0, |bound| bound as u64 + 1));
                    self.check_room(ring.bytes())?;
                    self.items(&ring.iter().collect::<Vec<_>>())?;
                }
                Ok(())
            }
            // In CPython these are made of locks, and the first lock inside is what cannot be
            // copied.
            Object::Semaphore(_) | Object::Event(_) | Object::ThreadHandle(_) => {
                Err(cannot_pickle(Type::Lock.name()))
            }
            Object::Condition(condition) => Err(cannot_pickle(vm.type_name(condition.lock))),
            Object::Channel { channel, end, .. } if self.ends_above.is_some() => {
                let tag = match end {
                    ChannelEnd::Reader => Tag::Reader,
                    ChannelEnd::Writer => Tag::Writer,
                };
                if self.is_new(12, it, tag) {
                    self.number(*channel);
                    self.ends.push((*channel, *end));
                }
                Ok(())
            }
            Object::Channel { .. } => {
                let of = self
                    .shared
                    .map_or("channel", |it| &vm.heap.classes[it].name);
                let message = format!(
                    "{of} objects should only be shared between processes through inheritance"
                );
                Err(Refusal::never(Type::RuntimeError, message))
            }
            Object::Free
            | Object::Property { .. }
            | Object::StaticMethod(_)
            | Object::ClassMethod(_)
            | Object::Super { .. }
            | Object::View { .. }
            | Object::Lock(_)
            | Object::RLock(_)
            | Object::ProcessHandle { .. }
            | Object::Traceback(_) => Err(cannot_pickle(vm.type_name(Value::Object(it)))),
        }
    }
}

/// Would CPython refuse this class by its name? The others are made of these.
fn is_shared(class: &Class) -> bool {
    match &*class.module {
        "multiprocessing.synchronize" => !matches!(&*class.name, "Event" | "Barrier"),
        "multiprocessing.queues"
        | "multiprocessing.connection"
        | "multiprocessing.sharedctypes" => true,
        _ => false,
    }
}

fn cannot_pickle(type_name: &str) -> Refusal {
    Refusal::never(
        Type::TypeError,
        format!("cannot pickle '{type_name}' object"),
    )
}
