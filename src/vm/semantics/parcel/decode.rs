//! Making a value anew. Containers are made empty when their beginning is read and filled when
//! their last item is there: a handle is valid in between, so a cycle through a tuple is no
//! trouble.

use super::{Refusal, TAGS, Tag, find_global};
use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::{Bytes, Instance, Method, Object, Range, Tuple};
use crate::vm::heap::primitive::ChannelEnd;
use crate::vm::heap::ring::Ring;
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{NativeId, Ref, Value};
use crate::vm::semantics::protocol::module_text;
use crate::vm::state::slice::Parcel;
use num_bigint::BigInt;

/// Makes the value anew in a VM of the same program. Refused if a class or function is no longer
/// where it was found.
pub fn decode(vm: &mut Vm, parcel: &Parcel) -> Result<Value, Refusal> {
    let mut decoder = Decoder {
        allocated_before: vm.heap.allocated,
        vm,
        bytes: &parcel.bytes,
        made: Vec::new(),
        open: Vec::new(),
    };
    loop {
        let Some(mut value) = decoder.begin()? else {
            continue;
        };
        // A value that is complete may be the last one of what it stands in.
        loop {
            let Some(open) = decoder.open.last_mut() else {
                return Ok(value);
            };
            open.items.push(value);
            let is_full = |open: &mut Open| open.items.len() >= open.wanted;
            let Some(full) = decoder.open.pop_if(is_full) else {
                break;
            };
            value = decoder.close(full);
        }
    }
}

/// The same, where garbage may be collected.
pub fn decode_with_room(vm: &mut Vm, parcel: &Parcel) -> Result<Value, Refusal> {
    /// Each asks for more by this part, so that a value for which there is room is not refused.
    const MORE: usize = 8;
    loop {
        match decode(vm, parcel) {
            Err(Refusal::Room(bytes)) if vm.make_room(bytes + bytes / MORE) => {}
            done => return done,
        }
    }
}

struct Decoder<'a> {
    /// The heap's count when it began.
    allocated_before: usize,
    vm: &'a mut Vm,
    bytes: &'a [u8],
    /// Objects by number.
    made: Vec<Value>,
    /// Containers whose items are still coming, the innermost last.
    open: Vec<Open>,
}

/// A container whose items are still coming.
struct Open {
    /// Made already, but empty.
    value: Value,
    items: Vec<Value>,
    wanted: usize,
    /// Of keys or elements, in order.
    hashes: Vec<u64>,
    /// Of attributes, in order.
    names: Vec<Name>,
    /// Does a dict of attributes follow the class, instead?
    has_dict: bool,
}

impl Open {
    fn new(value: Value, wanted: usize) -> Open {
        Open {
            value,
            items: Vec::with_capacity(wanted),
            wanted,
            hashes: Vec::new(),
            names: Vec::new(),
            has_dict: false,
        }
    }
}

impl Decoder<'_> {
    /// Reads one tag and what belongs to it: a complete value, or none if its items are to come.
    fn begin(&mut self) -> Result<Option<Value>, Refusal> {
        let tag = TAGS[self.byte() as usize];
        let value = match tag {
            Tag::Unbound => Value::Unbound,
            Tag::None => Value::None,
            Tag::NotImplemented => Value::NotImplemented,
            Tag::Ellipsis => Value::Ellipsis,
            Tag::False => Value::Bool(false),
            Tag::True => Value::Bool(true),
            Tag::Int => {
                let folded = self.number();
                Value::Int((folded >> 1) as i64 ^ -((folded & 1) as i64))
            }
            Tag::Float => Value::Float(f64::from_bits(self.word())),
            Tag::Big => {
                let bytes = self.raw()?;
                let value = self.vm.heap.new_int(BigInt::from_signed_bytes_le(bytes));
                self.made(value)
            }
            Tag::Str => {
                let text = self.text()?;
                let value = self.vm.heap.new_str(text);
                self.made(value)
            }
            Tag::Bytes => {
                let bytes = self.raw()?;
                let value = self.vm.heap.new_bytes(Bytes(bytes.into()));
                self.made(value)
            }
            Tag::Range => {
                let [start, stop, step] = [(); 3].map(|()| self.word() as i64);
                let value = self.vm.heap.new_range(Range { start, stop, step });
                self.made(value)
            }
            Tag::Reader | Tag::Writer => {
                let end = match tag {
                    Tag::Reader => ChannelEnd::Reader,
                    _ => ChannelEnd::Writer,
                };
                let channel = self.number();
                let value = self.vm.heap.new_object(Object::Channel {
                    channel,
                    end,
                    origin: None,
                });
                self.made(value)
            }
            Tag::Native => Value::Native(NativeId(self.number() as u16)),
            Tag::BuiltinClass => Type::ALL[self.number() as usize].value(),
            Tag::Class | Tag::Function => {
                let (module, qualname) = (self.text()?, self.text()?);
                let Some(value) = find_global(self.vm, module, qualname) else {
                    let modules = &self.vm.image.program.modules;
                    let at = modules.iter().position(|it| *it.name == *module);
                    let module = at.map_or(module.into(), |at| module_text(self.vm, at));
                    return Err(Refusal::never(
                        Type::AttributeError,
                        format!("Can't get attribute '{qualname}' on {module}"),
                    ));
                };
                self.made(value)
            }
            Tag::Again => {
                let number = self.number() as usize;
                self.made[number]
            }
            Tag::Tuple
            | Tag::List
            | Tag::Dict
            | Tag::Set
            | Tag::FrozenSet
            | Tag::Slice
            | Tag::Namespace
            | Tag::Ring
            | Tag::Method
            | Tag::Instance
            | Tag::Exception => {
                let open = self.open(tag)?;
                self.made.push(open.value);
                if open.wanted == 0 {
                    return Ok(Some(self.close(open)));
                }
                self.open.push(open);
                return Ok(None);
            }
        };
        Ok(Some(value))
    }

    /// Reads how many items come, for which there is room.
    fn length(&mut self) -> Result<usize, Refusal> {
        let length = self.number() as usize;
        // A list of the items, and what they are made into.
        self.check_room(length * 2 * size_of::<Value>())?;
        Ok(length)
    }

    /// Is there room for what it has made, and so much more?
    fn check_room(&mut self, more: usize) -> Result<(), Refusal> {
        if self.vm.has_room(more) {
            return Ok(());
        }
        let made = self.vm.heap.allocated.saturating_sub(self.allocated_before);
        Err(Refusal::Room(made + more))
    }

    fn open(&mut self, tag: Tag) -> Result<Open, Refusal> {
        Ok(match tag {
            Tag::Tuple => {
                let value = self.vm.heap.new_tuple([]);
                Open::new(value, self.length()?)
            }
            Tag::List => {
                let value = self.vm.heap.new_list(Vec::new());
                Open::new(value, self.length()?)
            }
            Tag::Dict => {
                let value = self.vm.heap.new_dict(Dict::default());
                let keys = self.length()?;
                self.check_room(keys * 5 * size_of::<Value>())?;
                let mut open = Open::new(value, keys * 2);
                open.hashes = (0..keys).map(|_| self.word()).collect();
                open
            }
            Tag::Set | Tag::FrozenSet => {
                let value = self.vm.heap.new_set(Set::new(tag == Tag::FrozenSet));
                let mut open = Open::new(value, self.length()?);
                open.hashes = (0..open.wanted).map(|_| self.word()).collect();
                open
            }
            Tag::Slice => {
                let value = self.vm.heap.new_object(Object::Slice {
                    lower: Value::None,
                    upper: Value::None,
                    step: Value::None,
                });
                Open::new(value, 3)
            }
            Tag::Namespace => {
                let value = self.vm.heap.new_object(Object::Free);
                Open::new(value, 1)
            }
            Tag::Ring => {
                let bound = self.number().checked_sub(1).map(|bound| bound as usize);
                let ring = Object::Ring(Box::new(Ring::new(bound)));
                let value = self.vm.heap.new_object(ring);
                Open::new(value, self.length()?)
            }
            Tag::Method => {
                let value = self.vm.heap.new_method(Method::default());
                Open::new(value, 2)
            }
            _ => {
                let value = self.vm.heap.new_instance(Instance {
                    exception: (tag == Tag::Exception).then(Box::default),
                    ..Instance::default()
                });
                let form = self.number();
                let names: Vec<Name> = (1..form)
                    .map(|_| {
                        let text = self.text()?;
                        Ok(self.vm.intern(text))
                    })
                    .collect::<Result<_, Refusal>>()?;
                let args = if tag == Tag::Exception {
                    self.number() as usize
                } else {
                    0
                };
                let has_dict = form == 0;
                let wanted = 1 + names.len() + usize::from(has_dict) + args;
                let mut open = Open::new(value, wanted);
                open.names = names;
                open.has_dict = has_dict;
                open
            }
        })
    }

    /// Fills a container.
    fn close(&mut self, open: Open) -> Value {
        let heap = &mut self.vm.heap;
        match open.value {
            Value::Tuple(it) => {
                heap.allocated += open.items.len() * size_of::<Value>();
                heap.tuples[it] = Tuple(open.items.into());
            }
            Value::List(it) => {
                heap.allocated += open.items.len() * size_of::<Value>();
                heap.lists[it] = open.items.into_iter().collect();
            }
            Value::Dict(it) => {
                let mut dict = Dict::with_capacity(open.hashes.len(), false);
                for (&hash, entry) in open.hashes.iter().zip(open.items.chunks_exact(2)) {
                    let hash = heap.hash_fast(entry[0]).unwrap_or(hash);
                    dict.push(hash, entry[0], entry[1]);
                }
                heap.allocated += dict.bytes();
                heap.dicts[it] = dict;
            }
            Value::Set(it) => {
                let mut set = Set::new(heap.sets[it].frozen);
                for (&hash, &item) in open.hashes.iter().zip(&open.items) {
                    set.add_new(heap.hash_fast(item).unwrap_or(hash), item);
                }
                heap.allocated += set.bytes();
                heap.sets[it] = set;
            }
            Value::Method(it) => {
                heap.methods[it] = Method {
                    receiver: open.items[0],
                    function: open.items[1],
                };
            }
            Value::Object(it) => {
                if let Object::Ring(ring) = &mut heap.objects[it] {
                    ring.replace(open.items);
                    heap.allocated += ring.bytes();
                    return open.value;
                }
                heap.objects[it] = match open.items[..] {
                    [Value::Dict(dict)] => Object::Namespace(dict),
                    [lower, upper, step] => Object::Slice { lower, upper, step },
                    _ => unreachable!("a namespace has a dict, a slice three parts"),
                };
            }
            Value::Instance(it) => self.fill_instance(it, &open),
            _ => unreachable!("nothing else has items"),
        }
        open.value
    }

    fn fill_instance(&mut self, it: Ref<Instance>, open: &Open) {
        let Value::Class(class) = open.items[0] else {
            unreachable!("an instance's first item is its class")
        };
        self.vm.heap.instances[it].class = class;
        let args = match &open.items[1..] {
            // Whoever else has the dict that came along has another one.
            &[Value::Dict(dict), ref args @ ..] if open.has_dict => {
                let attributes = self.vm.heap.dicts[dict].clone();
                let Value::Dict(attributes) = self.vm.heap.new_dict(attributes) else {
                    unreachable!("new_dict makes a dict")
                };
                self.vm.keep_attributes_in(it, attributes);
                args
            }
            items => {
                let (slots, args) = items.split_at(open.names.len());
                self.vm.give_attributes(it, &open.names, slots);
                args
            }
        };
        if self.vm.heap.instances[it].exception.is_some() {
            let exception = Box::new(self.vm.whole_exception(class, args.to_vec()));
            self.vm.heap.instances[it].exception = Some(exception);
        }
    }

    fn made(&mut self, value: Value) -> Value {
        self.made.push(value);
        value
    }

    fn byte(&mut self) -> u8 {
        let (&first, rest) = self.bytes.split_first().expect("a parcel is whole");
        self.bytes = rest;
        first
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn word(&mut self) -> u64 {
        let (word, rest) = self.bytes.split_first_chunk().expect("a parcel is whole");
        self.bytes = rest;
        u64::from_le_bytes(*word)
    }
}

impl<'a> Decoder<'a> {
    fn raw(&mut self) -> Result<&'a [u8], Refusal> {
        let length = self.number() as usize;
        self.check_room(length)?;
        let (raw, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Ok(raw)
    }

    fn text(&mut self) -> Result<&'a str, Refusal> {
        let raw = self.raw()?;
        Ok(std::str::from_utf8(raw).expect("texts are written as UTF-8"))
    }
}
