//! Copying out. Checks everything first to last before anything is sent, so a refusal leaves nothing behind.

use super::{CUSTOM, Parcel, Tag, find_global, function_path};
use crate::vm::Vm;
use crate::vm::class::{Class, Type};
use crate::vm::object::Object;
use crate::vm::protocol::address;
use crate::vm::value::{Ref, Value};
use rustc_hash::FxHashMap;

/// What refuses a value: the class of the exception and its message.
type Refusal = (Type, String);

/// Copies a value out of a VM.
pub fn encode(vm: &Vm, value: Value) -> Result<Parcel, (Type, String)> {
    let mut encoder = Encoder {
        vm,
        bytes: Vec::new(),
        seen: FxHashMap::default(),
        next: vec![value],
    };
    while let Some(value) = encoder.next.pop() {
        encoder.value(value)?;
    }
    Ok(Parcel {
        bytes: encoder.bytes.into(),
    })
}

struct Encoder<'a> {
    vm: &'a Vm,
    bytes: Vec<u8>,
    /// Objects written so far, by kind and slot, with their numbers.
    seen: FxHashMap<(u8, u32), u64>,
    /// What is still to be written, the next one last.
    next: Vec<Value>,
}

impl Encoder<'_> {
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
                    self.raw(&bytes);
                }
            }
            Value::Str(it) => {
                if self.is_new(1, it, Tag::Str) {
                    self.raw(vm.heap.text(it).as_bytes());
                }
            }
            Value::Bytes(it) => {
                if self.is_new(2, it, Tag::Bytes) {
                    self.raw(&vm.heap.bytes[it].0);
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
                    self.items(&vm.heap.tuples[it].0);
                }
            }
            Value::List(it) => {
                if self.is_new(5, it, Tag::List) {
                    self.items(&vm.heap.lists[it].to_vec());
                }
            }
            Value::Dict(it) => {
                if self.is_new(6, it, Tag::Dict) {
                    self.dict(it);
                }
            }
            Value::Set(it) => {
                let set = &vm.heap.sets[it];
                let tag = if set.frozen { Tag::FrozenSet } else { Tag::Set };
                if self.is_new(7, it, tag) {
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
                let tag = match instance.exception {
                    Some(_) => Tag::Exception,
                    None => Tag::Instance,
                };
                if self.is_new(10, it, tag) {
                    let names = &vm.shapes[instance.shape as usize].names;
                    self.number(names.len() as u64);
                    for &name in names {
                        self.raw(vm.name_text(name).as_bytes());
                    }
                    let args = instance
                        .exception
                        .as_ref()
                        .map_or(&[][..], |exception| &exception.args);
                    if tag == Tag::Exception {
                        self.number(args.len() as u64);
                    }
                    self.next.extend(args.iter().rev());
                    self.next.extend(instance.slots[..names.len()].iter().rev());
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

    fn raw(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins an object that is met for the first time; writes the number of one that was met before.
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

    fn items(&mut self, items: &[Value]) {
        self.number(items.len() as u64);
        self.next.extend(items.iter().rev());
    }

    fn dict(&mut self, dict: Ref<crate::vm::dict::Dict>) {
        let dict = &self.vm.heap.dicts[dict];
        self.number(dict.len() as u64);
        // The hashes, for keys whose hash only the script knows.
        for entry in dict.iter() {
            self.bytes.extend(entry.hash.to_le_bytes());
        }
        let entries: Vec<_> = dict.iter().collect();
        for entry in entries.into_iter().rev() {
            self.next.extend([entry.value, entry.key]);
        }
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

    /// Where the other VM will find a class or function; refused if that is not where this one has it.
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
                self.raw(module.as_bytes());
                self.raw(qualname.as_bytes());
                Ok(())
            }
            Some(_) => Err((
                Type::PicklingError,
                format!("Can't pickle {shown}: it's not the same object as {module}.{qualname}"),
            )),
            None if qualname.contains("<locals>") => Err((
                Type::AttributeError,
                format!("Can't pickle local object '{qualname}'"),
            )),
            None => Err((
                Type::PicklingError,
                format!("Can't pickle {shown}: attribute lookup {qualname} on {module} failed"),
            )),
        }
    }

    fn refuse_custom(&self, class: Ref<Class>) -> Result<(), Refusal> {
        for &base in &self.vm.heap.classes[class].mro {
            let base = &self.vm.heap.classes[base];
            if base.builtin.is_some() {
                break;
            }
            if let Some(&name) = CUSTOM.iter().find(|&&name| base.own(name).is_some()) {
                return Err((
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
                    self.items(&ring.iter().collect::<Vec<_>>());
                }
                Ok(())
            }
            // In CPython these are made of locks, and the first lock inside is what cannot be copied.
            Object::Semaphore(_) | Object::Event(_) | Object::ThreadHandle(_) => {
                Err(cannot_pickle(Type::Lock.name()))
            }
            Object::Condition(condition) => Err(cannot_pickle(vm.type_name(condition.lock))),
            Object::Channel { .. } => Err((
                Type::RuntimeError,
                "queues, pipes and locks should only be shared between processes through inheritance"
                    .into(),
            )),
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

fn cannot_pickle(type_name: &str) -> Refusal {
    (
        Type::TypeError,
        format!("cannot pickle '{type_name}' object"),
    )
}
