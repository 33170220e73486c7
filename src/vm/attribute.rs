//! Attributes: look-up through classes, descriptors, `__getattr__`, shapes of instances, and special methods.

use crate::vm::Vm;
use crate::vm::builtins;
use crate::vm::class::{Class, Name, Shape, Type, name};
use crate::vm::native::{Ctx, Interrupt, Kind, NativeId};
use crate::vm::object::{DictView, Function, Instance, Iter, Method, Object};
use crate::vm::value::{Ref, Value};
use std::sync::Arc;

/// How many caches a site has. The loop looks at the first one; the second, for a site at which two classes alternate, costs a call.
pub(super) const CACHES: usize = 2;

/// What an instruction that looks up an attribute found last time, and under which condition it still holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Cache {
    #[default]
    Empty,
    /// Instances of this shape have it in this slot, as long as no class changes.
    Slot { shape: u32, slot: u32, version: u32 },
    /// Setting it adds it to instances of one shape, which have the other one then, as long as no class changes.
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
    /// Values of this builtin type, or instances of this class that stands for one, have this native as a method.
    Native { class: u32, native: NativeId },
    /// In this module, it is this variable.
    Global { module: u32, global: u32 },
    /// The second cache of a site behind `super`: the first holds for what is above this class.
    Super { above: Ref<Class> },
}

/// One entry of the memory of look-ups through classes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    class: u32,
    name: u32,
    version: u32,
    found: Option<Value>,
}

pub(super) const LOOKUPS: usize = 1024;

/// The shape of instances whose attributes are in a dict: it has no names, and no instruction remembers it.
const NO_SHAPE: u32 = 0;

impl Default for Lookup {
    fn default() -> Lookup {
        Lookup {
            class: u32::MAX,
            name: u32::MAX,
            version: u32::MAX,
            found: None,
        }
    }
}

impl Vm {
    /// Notes what a site found. What the first cache holds stays there as long as it can still be true.
    pub(super) fn remember(&mut self, at: usize, found: Cache) {
        let lasting = match self.caches[at] {
            Cache::Slot { version, .. }
            | Cache::Add { version, .. }
            | Cache::Method { version, .. }
            | Cache::Function { version, .. } => version == self.class_version,
            Cache::Empty | Cache::Native { .. } | Cache::Global { .. } | Cache::Super { .. } => {
                false
            }
        };
        self.caches[at + usize::from(lasting)] = found;
    }

    /// The slot that a site's second cache knows for this object.
    pub(super) fn second_slot(&self, at: usize, instance: Ref<Instance>) -> Option<usize> {
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

    /// The class of a value: `type(value)`.
    #[must_use]
    pub fn class_of(&self, value: Value) -> Ref<Class> {
        let of = match value {
            Value::Instance(it) => return self.heap.instances[it].class,
            Value::Unbound | Value::None => Type::NoneType,
            Value::NotImplemented => Type::NotImplementedType,
            Value::Ellipsis => Type::EllipsisType,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) | Value::Big(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Str(_) => Type::Str,
            Value::Bytes(_) => Type::Bytes,
            Value::Tuple(_) => Type::Tuple,
            Value::List(_) => Type::List,
            Value::Dict(_) => Type::Dict,
            Value::Set(it) => {
                if self.heap.sets[it].frozen {
                    Type::FrozenSet
                } else {
                    Type::Set
                }
            }
            Value::Range(_) => Type::Range,
            Value::Function(_) => Type::Function,
            Value::Native(_) => Type::BuiltinFunction,
            Value::Method(it) => match self.heap.methods[it].function {
                Value::Native(_) => Type::BuiltinFunction,
                _ => Type::MethodType,
            },
            Value::Class(_) => Type::Type,
            Value::Generator(_) => Type::Generator,
            Value::Iter(it) => match &self.heap.iters[it] {
                Iter::Done | Iter::List { .. } | Iter::Items { .. } => Type::ListIterator,
                Iter::Tuple { .. } => Type::TupleIterator,
                Iter::Str { .. } => Type::StrIterator,
                Iter::Bytes { .. } => Type::BytesIterator,
                Iter::Range { .. } => Type::RangeIterator,
                Iter::Dict {
                    view: DictView::Keys,
                    ..
                } => Type::DictKeyIterator,
                Iter::Dict {
                    view: DictView::Values,
                    ..
                } => Type::DictValueIterator,
                Iter::Dict {
                    view: DictView::Items,
                    ..
                } => Type::DictItemIterator,
                Iter::Set { .. } => Type::SetIterator,
                Iter::Reversed { .. } => Type::ReversedIterator,
                Iter::Enumerate { .. } => Type::Enumerate,
                Iter::Zip { .. } => Type::Zip,
                Iter::Map { .. } => Type::Map,
                Iter::Filter { .. } => Type::Filter,
                Iter::Call { .. } => Type::CallableIterator,
                Iter::Sequence { .. } => Type::SequenceIterator,
            },
            Value::Cell(_) => Type::Cell,
            Value::Module(_) => Type::Module,
            Value::Object(it) => match &self.heap.objects[it] {
                Object::Free => Type::Object,
                Object::Slice { .. } => Type::Slice,
                Object::Property { .. } => Type::Property,
                Object::StaticMethod(_) => Type::StaticMethod,
                Object::ClassMethod(_) => Type::ClassMethod,
                Object::Super { .. } => Type::Super,
                Object::View {
                    view: DictView::Keys,
                    ..
                } => Type::DictKeys,
                Object::View {
                    view: DictView::Values,
                    ..
                } => Type::DictValues,
                Object::View {
                    view: DictView::Items,
                    ..
                } => Type::DictItems,
                Object::Lock(_) => Type::Lock,
                Object::RLock(_) => Type::RLock,
                Object::Condition(_) => Type::Condition,
                Object::Semaphore(_) => Type::Semaphore,
                Object::Event(_) => Type::Event,
                Object::ThreadHandle(_) => Type::ThreadHandle,
                Object::ProcessHandle { .. } => Type::ProcessHandle,
                Object::Channel { .. } => Type::Channel,
                Object::Ring(_) => Type::Ring,
                Object::Traceback(_) => Type::Traceback,
                Object::Namespace(_) => Type::Namespace,
            },
        };
        of.class()
    }

    /// What a class or its bases have under a name, without binding.
    #[must_use]
    pub fn class_attribute(&self, class: Ref<Class>, name: Name) -> Option<Value> {
        let at = (class.slot.wrapping_mul(31).wrapping_add(name.0)) as usize & (LOOKUPS - 1);
        let lookup = &self.lookups[at];
        let lookup = lookup.get();
        if lookup.class == class.slot
            && lookup.name == name.0
            && lookup.version == self.class_version
        {
            return lookup.found;
        }
        let found = self.heap.classes[class]
            .mro
            .iter()
            .find_map(|&class| self.heap.classes[class].own(name));
        self.lookups[at].set(Lookup {
            class: class.slot,
            name: name.0,
            version: self.class_version,
            found,
        });
        found
    }

    /// What the classes of `of` that come after `above` have by this name.
    pub(super) fn attribute_above(
        &self,
        of: Ref<Class>,
        above: Ref<Class>,
        wanted: Name,
    ) -> Option<Value> {
        let mut after = self.heap.classes[of].mro.iter();
        after.find(|&&it| it == above);
        after.find_map(|&base| self.heap.classes[base].own(wanted))
    }

    /// The script's own method for a protocol (`__len__`, `__add__` …) of a value: only what a class of the script or the library defines, since builtin
    /// types are done in Rust. To be called with the value as first argument.
    #[must_use]
    pub fn special(&self, value: Value, name: Name) -> Option<Value> {
        let Value::Instance(it) = value else {
            return None;
        };
        match self.class_attribute(self.heap.instances[it].class, name)? {
            Value::Native(native) if builtins::table()[native.0 as usize].kind != Kind::Method => {
                None
            }
            found => Some(found),
        }
    }

    /// Is this native a class's own method? Then the class stands for one that CPython has in C: neither it nor its instances can have something else by this
    /// name.
    pub(super) fn is_fixed(&self, class: Ref<Class>, wanted: Name) -> bool {
        matches!(
            self.heap.classes[class].own(wanted),
            Some(Value::Native(native)) if builtins::table()[native.0 as usize].kind == Kind::Method
        )
    }

    /// The native that calling a method of an instance comes down to.
    pub(super) fn library_method(&self, instance: Ref<Instance>, wanted: Name) -> Option<NativeId> {
        let class = self.heap.instances[instance].class;
        let Value::Native(native) = self.class_attribute(class, wanted)? else {
            return None;
        };
        (builtins::table()[native.0 as usize].kind == Kind::Method
            && self.instance_attribute(instance, wanted).is_none())
        .then_some(native)
    }

    /// The name for a text, made at need.
    pub fn intern(&mut self, text: &str) -> Name {
        if let Some(&name) = self.name_index.get(text) {
            return name;
        }
        let name = Name(self.names.len() as u32);
        let text: Arc<str> = text.into();
        self.names.push(text.clone());
        self.name_index.insert(text, name);
        name
    }

    /// The text of a name.
    #[must_use]
    pub fn name_text(&self, name: Name) -> &Arc<str> {
        &self.names[name.0 as usize]
    }

    /// The text of a name as a string object.
    pub fn name_value(&mut self, name: Name) -> Value {
        let text = self.names[name.0 as usize].clone();
        self.heap.new_str(text)
    }

    /// The name of a value's type, as messages give it.
    #[must_use]
    pub fn type_name(&self, value: Value) -> &str {
        &self.heap.classes[self.class_of(value)].name
    }

    /// Is `class` the same as `of` or derived from it?
    #[must_use]
    pub fn is_subclass(&self, class: Ref<Class>, of: Ref<Class>) -> bool {
        self.heap.classes[class].mro.contains(&of)
    }

    /// Is the value an instance of this class or one derived from it?
    #[must_use]
    pub fn is_instance(&self, value: Value, of: Ref<Class>) -> bool {
        self.is_subclass(self.class_of(value), of)
    }

    /// Sets a class's own attribute.
    pub(super) fn set_class_attribute(&mut self, class: Ref<Class>, name: Name, value: Value) {
        let object = &mut self.heap.classes[class];
        if let Some(&at) = object.index.get(&name) {
            let old = std::mem::replace(&mut object.attributes[at as usize].1, value);
            if is_plain(old) && is_plain(value) {
                // Look-ups remember plain values too, but instructions do not; forgetting those few is cheaper than forgetting everything.
                self.forget(name);
                return;
            }
        } else {
            object.makes |= name == name::NEW;
            object.index.insert(name, object.attributes.len() as u32);
            object.attributes.push((name, value));
        }
        self.class_version += 1;
    }

    /// Deletes a class's own attribute; false if it has none.
    pub(super) fn delete_class_attribute(&mut self, class: Ref<Class>, name: Name) -> bool {
        let object = &mut self.heap.classes[class];
        let Some(at) = object.index.remove(&name) else {
            return false;
        };
        object.attributes.remove(at as usize);
        for position in object.index.values_mut() {
            if *position > at {
                *position -= 1;
            }
        }
        self.class_version += 1;
        true
    }

    fn forget(&mut self, name: Name) {
        for lookup in &self.lookups {
            if lookup.get().name == name.0 {
                lookup.set(Lookup::default());
            }
        }
    }

    /// The slot of an instance's own attribute.
    #[must_use]
    pub(super) fn instance_slot(&self, instance: &Instance, name: Name) -> Option<usize> {
        self.shapes[instance.shape as usize]
            .names
            .iter()
            .position(|&it| it == name)
    }

    /// An instance's own attribute.
    #[must_use]
    pub fn instance_attribute(&self, instance: Ref<Instance>, name: Name) -> Option<Value> {
        let instance = &self.heap.instances[instance];
        if let Some(dict) = instance.dict {
            return self.dict_get_str(dict, &self.names[name.0 as usize]);
        }
        self.instance_slot(instance, name)
            .map(|slot| instance.slots[slot])
    }

    /// The shape that adding a name to a shape leads to.
    pub(super) fn shape_with(&mut self, shape: u32, name: Name) -> u32 {
        if let Some(&next) = self.shapes[shape as usize].transitions.get(&name) {
            return next;
        }
        let mut names = self.shapes[shape as usize].names.clone();
        names.push(name);
        let next = self.shapes.len() as u32;
        self.shapes.push(Shape {
            names,
            transitions: rustc_hash::FxHashMap::default(),
        });
        self.shapes[shape as usize].transitions.insert(name, next);
        next
    }

    /// Sets an instance's own attribute.
    pub fn set_instance_attribute(&mut self, instance: Ref<Instance>, name: Name, value: Value) {
        let object = &self.heap.instances[instance];
        if let Some(dict) = object.dict {
            let text = self.names[name.0 as usize].clone();
            self.dict_set_str(dict, &text, value);
            return;
        }
        if let Some(slot) = self.instance_slot(object, name) {
            self.heap.instances[instance].slots[slot] = value;
            return;
        }
        let shape = self.shape_with(object.shape, name);
        let object = &mut self.heap.instances[instance];
        object.shape = shape;
        object.slots.push(value);
        self.heap.allocated += size_of::<Value>();
    }

    /// Deletes an instance's own attribute; false if it has none.
    fn delete_instance_attribute(&mut self, instance: Ref<Instance>, name: Name) -> bool {
        let object = &self.heap.instances[instance];
        if let Some(dict) = object.dict {
            let text = self.names[name.0 as usize].clone();
            return self.dict_remove_str(dict, &text).is_some();
        }
        let Some(slot) = self.instance_slot(object, name) else {
            return false;
        };
        let mut shape = self.heap.classes[object.class].root_shape;
        for kept in self.shapes[object.shape as usize].names.clone() {
            if kept != name {
                shape = self.shape_with(shape, kept);
            }
        }
        let object = &mut self.heap.instances[instance];
        object.shape = shape;
        object.slots.remove(slot);
        true
    }

    /// Binds what was found in a class to the value through which it was looked up. A property is left to the caller.
    fn bind(&mut self, found: Value, receiver: Value, class: Ref<Class>) -> Value {
        match found {
            Value::Function(_) => self.heap.new_method(Method {
                receiver,
                function: found,
            }),
            Value::Native(native) => match builtins::table()[native.0 as usize].kind {
                Kind::Static | Kind::Getter => found,
                Kind::Plain | Kind::Method => self.heap.new_method(Method {
                    receiver,
                    function: found,
                }),
                Kind::Class => self.heap.new_method(Method {
                    receiver: Value::Class(class),
                    function: found,
                }),
            },
            Value::Object(object) => match self.heap.objects[object] {
                Object::StaticMethod(inner) => inner,
                Object::ClassMethod(function) => self.heap.new_method(Method {
                    receiver: Value::Class(class),
                    function,
                }),
                _ => found,
            },
            _ => found,
        }
    }

    fn property_getter(&self, found: Value) -> Option<Value> {
        match found {
            Value::Object(object) => match self.heap.objects[object] {
                Object::Property { getter, .. } => Some(getter),
                _ => None,
            },
            _ => None,
        }
    }

    /// Names that a value of a builtin kind has besides its class's: functions, classes, exceptions, modules.
    fn intrinsic(&mut self, object: Value, wanted: Name) -> Option<Value> {
        match object {
            _ if wanted == name::CLASS => Some(Value::Class(self.class_of(object))),
            Value::Function(function) => self.function_attribute(function, wanted),
            Value::Native(native) => match wanted {
                name::NAME | name::QUALNAME => Some(
                    self.heap
                        .new_str(builtins::table()[native.0 as usize].shown),
                ),
                name::DOC => Some(Value::None),
                name::MODULE => Some(self.heap.new_str("builtins")),
                _ => None,
            },
            Value::Method(method) => {
                let Method { receiver, function } = self.heap.methods[method];
                match wanted {
                    name::SELF => Some(receiver),
                    name::FUNC => Some(function),
                    _ => self.intrinsic(function, wanted),
                }
            }
            Value::Generator(it) => {
                let function = self.heap.generators[it].function;
                matches!(wanted, name::NAME | name::QUALNAME)
                    .then(|| self.function_attribute(function, wanted))
                    .flatten()
            }
            Value::Instance(instance) => self.exception_attribute(instance, wanted),
            Value::Module(module) => (wanted == name::NAME).then(|| {
                let text = self.image.program.modules[module as usize].name.clone();
                self.heap.new_str(text)
            }),
            _ => crate::vm::protocol::builtin_attribute(self, object, wanted),
        }
    }

    fn function_attribute(&mut self, function: Ref<Function>, wanted: Name) -> Option<Value> {
        if let Some(attributes) = self.heap.functions[function].attributes {
            let text = self.names[wanted.0 as usize].clone();
            if let Some(value) = self.dict_get_str(attributes, &text) {
                return Some(value);
            }
        }
        let code = &self.image.program.codes[self.heap.functions[function].code.0 as usize];
        let text = match wanted {
            name::NAME => code.name.clone(),
            name::QUALNAME => code.qualname.clone(),
            name::MODULE => self.image.program.modules[code.module as usize]
                .name
                .clone(),
            name::DOC => match &code.docstring {
                Some(text) => text.clone(),
                None => return Some(Value::None),
            },
            name::DICT => {
                let attributes = self.function_dict(function);
                return Some(Value::Dict(attributes));
            }
            name::DEFAULTS => {
                let defaults = self.heap.functions[function].defaults.clone();
                return Some(if defaults.is_empty() {
                    Value::None
                } else {
                    self.heap.new_tuple(defaults)
                });
            }
            _ => return None,
        };
        Some(self.heap.new_str(text))
    }

    fn function_dict(&mut self, function: Ref<Function>) -> Ref<crate::vm::dict::Dict> {
        if let Some(attributes) = self.heap.functions[function].attributes {
            return attributes;
        }
        let Value::Dict(attributes) = self.heap.new_dict(crate::vm::dict::Dict::default()) else {
            unreachable!("new_dict makes a dict")
        };
        self.heap.functions[function].attributes = Some(attributes);
        attributes
    }

    fn exception_attribute(&mut self, instance: Ref<Instance>, wanted: Name) -> Option<Value> {
        if wanted == name::DICT {
            return Some(Value::Dict(self.instance_dict(instance)));
        }
        let object = &self.heap.instances[instance];
        let exception = object.exception.as_deref()?;
        let class = object.class;
        Some(match wanted {
            name::ARGS => {
                let args = exception.args.clone();
                self.heap.new_tuple(args)
            }
            name::CAUSE => exception.cause.unwrap_or(Value::None),
            name::CONTEXT => exception.context.unwrap_or(Value::None),
            name::SUPPRESS_CONTEXT => Value::Bool(exception.suppress_context),
            name::TRACEBACK => {
                if exception.traceback.is_empty() {
                    Value::None
                } else {
                    let entries = exception.traceback.clone();
                    self.heap.new_object(Object::Traceback(entries))
                }
            }
            name::VALUE if self.is_subclass(class, Type::StopIteration.class()) => {
                exception.args.first().copied().unwrap_or(Value::None)
            }
            name::ERRNO
                if exception.args.len() >= 2 && self.is_subclass(class, Type::OSError.class()) =>
            {
                exception.args[0]
            }
            name::STRERROR
                if exception.args.len() >= 2 && self.is_subclass(class, Type::OSError.class()) =>
            {
                exception.args[1]
            }
            name::ERRNO | name::STRERROR | name::FILENAME
                if self.is_subclass(class, Type::OSError.class()) =>
            {
                if wanted == name::FILENAME && exception.args.len() >= 3 {
                    exception.args[2]
                } else {
                    Value::None
                }
            }
            name::ENCODING | name::OBJECT | name::START | name::END | name::REASON
                if exception.args.len() == 5
                    && self.is_subclass(class, Type::UnicodeError.class()) =>
            {
                let parts = [
                    name::ENCODING,
                    name::OBJECT,
                    name::START,
                    name::END,
                    name::REASON,
                ];
                let at = parts.iter().position(|&it| it == wanted);
                exception.args[at.unwrap_or(0)]
            }
            name::MSG if self.is_subclass(class, Type::ImportError.class()) => {
                exception.args.first().copied().unwrap_or(Value::None)
            }
            name::EXCEPTION_NAME | name::OBJ
                if [Type::ImportError, Type::AttributeError, Type::NameError]
                    .iter()
                    .any(|of| self.is_subclass(class, of.class())) =>
            {
                Value::None
            }
            name::CODE if self.is_subclass(class, Type::SystemExit.class()) => {
                match exception.args.len() {
                    0 => Value::None,
                    1 => exception.args[0],
                    _ => {
                        let args = exception.args.clone();
                        self.heap.new_tuple(args)
                    }
                }
            }
            _ => return None,
        })
    }

    /// The `__dict__` of an instance, in which its attributes live from now on.
    fn instance_dict(&mut self, instance: Ref<Instance>) -> Ref<crate::vm::dict::Dict> {
        if let Some(dict) = self.heap.instances[instance].dict {
            return dict;
        }
        let Value::Dict(dict) = self.heap.new_dict(crate::vm::dict::Dict::default()) else {
            unreachable!("new_dict makes a dict")
        };
        let names = self.shapes[self.heap.instances[instance].shape as usize]
            .names
            .clone();
        let slots = std::mem::take(&mut self.heap.instances[instance].slots);
        for (name, value) in names.into_iter().zip(slots) {
            let text = self.names[name.0 as usize].clone();
            self.dict_set_str(dict, &text, value);
        }
        let object = &mut self.heap.instances[instance];
        object.dict = Some(dict);
        object.shape = NO_SHAPE;
        dict
    }

    fn class_intrinsic(&mut self, class: Ref<Class>, wanted: Name) -> Option<Value> {
        let object = &self.heap.classes[class];
        Some(match wanted {
            // The builtin `_thread.lock` has its module in its name, as messages show it.
            name::NAME if object.builtin.is_some() => {
                let text = object.name.rsplit('.').next().unwrap_or_default();
                let text: Arc<str> = text.into();
                self.heap.new_str(text)
            }
            name::NAME => {
                let text = object.name.clone();
                self.heap.new_str(text)
            }
            name::QUALNAME => {
                let text = object.qualname.clone();
                self.heap.new_str(text)
            }
            name::MODULE => {
                let text = object.module.clone();
                self.heap.new_str(text)
            }
            name::BASE => object.base.map_or(Value::None, Value::Class),
            name::BASES => {
                let bases: Vec<Value> =
                    object.base.iter().map(|&base| Value::Class(base)).collect();
                self.heap.new_tuple(bases)
            }
            name::MRO => {
                let mro: Vec<Value> = object
                    .mro
                    .iter()
                    .map(|&class| Value::Class(class))
                    .collect();
                self.heap.new_tuple(mro)
            }
            name::DOC => Value::None,
            name::CLASS => Type::Type.value(),
            name::DICT => {
                let attributes = object.attributes.clone();
                let Value::Dict(dict) = self.heap.new_dict(crate::vm::dict::Dict::default()) else {
                    unreachable!("new_dict makes a dict")
                };
                for (name, value) in attributes {
                    let text = self.names[name.0 as usize].clone();
                    self.dict_set_str(dict, &text, value);
                }
                Value::Dict(dict)
            }
            _ => return None,
        })
    }

    /// Looks an attribute up without calling the script: the value, or what must be called for it, or nothing.
    pub(super) fn look_up(&mut self, object: Value, wanted: Name) -> Found {
        match object {
            Value::Class(class) => {
                if let Some(found) = self.class_attribute(class, wanted) {
                    let bound = match found {
                        Value::Function(_) => found,
                        Value::Native(native)
                            if builtins::table()[native.0 as usize].kind != Kind::Class =>
                        {
                            found
                        }
                        _ => self.bind(found, object, class),
                    };
                    return Found::Value(bound);
                }
                self.class_intrinsic(class, wanted)
                    .map_or(Found::Nothing, Found::Value)
            }
            Value::Module(module) => {
                if let Some(global) = self.module_global(module, wanted)
                    && self.globals[global as usize].is_bound()
                {
                    return Found::Value(self.globals[global as usize]);
                }
                self.intrinsic(object, wanted)
                    .map_or(Found::Nothing, Found::Value)
            }
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                let Object::Super { class, object } = self.heap.objects[it] else {
                    unreachable!("just matched")
                };
                let (of, receiver) = match object {
                    Value::Class(of) => (of, object),
                    _ => (self.class_of(object), object),
                };
                let Some(found) = self.attribute_above(of, class, wanted) else {
                    return Found::Nothing;
                };
                if let Some(getter) = self.property_getter(found) {
                    return Found::Call(getter, receiver);
                }
                if matches!(receiver, Value::Class(_)) && matches!(found, Value::Function(_)) {
                    return Found::Value(found);
                }
                Found::Value(self.bind(found, receiver, of))
            }
            _ => {
                let class = self.class_of(object);
                let found = self.class_attribute(class, wanted);
                if let Some(found) = found
                    && let Some(getter) = self.property_getter(found)
                {
                    return Found::Call(getter, object);
                }
                match object {
                    Value::Instance(instance) => {
                        if let Some(value) = self.instance_attribute(instance, wanted) {
                            return Found::Value(value);
                        }
                    }
                    Value::Object(it) => {
                        if let Object::Namespace(dict) = self.heap.objects[it] {
                            let text = self.names[wanted.0 as usize].clone();
                            if let Some(value) = self.dict_get_str(dict, &text) {
                                return Found::Value(value);
                            }
                        }
                    }
                    _ => {}
                }
                if let Some(found) = found {
                    return Found::Value(self.bind(found, object, class));
                }
                if let Some(value) = self.intrinsic(object, wanted) {
                    return Found::Value(value);
                }
                if let Value::Instance(_) = object {
                    if let Some(hook) = self.class_attribute(class, name::GETATTR) {
                        return Found::Hook(hook);
                    }
                    if wanted == name::DOC || wanted == name::MODULE {
                        return self
                            .class_intrinsic(class, wanted)
                            .map_or(Found::Nothing, Found::Value);
                    }
                }
                Found::Nothing
            }
        }
    }

    /// The variable of a module.
    #[must_use]
    pub(super) fn module_global(&self, module: u32, wanted: Name) -> Option<u32> {
        self.module_names.get(&(module, wanted)).copied()
    }

    /// The message of an `AttributeError`.
    pub(super) fn no_attribute(&mut self, object: Value, wanted: Name) -> Value {
        let text = self.names[wanted.0 as usize].clone();
        let message = match object {
            Value::Class(class) => format!(
                "type object '{}' has no attribute '{text}'",
                self.heap.classes[class].name
            ),
            Value::Module(module) => format!(
                "module '{}' has no attribute '{text}'",
                self.image.program.modules[module as usize].name
            ),
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                format!("'super' object has no attribute '{text}'")
            }
            _ => format!(
                "'{}' object has no attribute '{text}'",
                self.type_name(object)
            ),
        };
        let message = self.heap.new_str(message);
        self.new_exception(Type::AttributeError, vec![message])
    }

    /// Fills the cache of an instruction that read `wanted` from `object`, if the look-up is of a kind that can be remembered.
    pub(super) fn cache_for(&self, object: Value, wanted: Name) -> Cache {
        match object {
            Value::Instance(instance) => {
                let object = &self.heap.instances[instance];
                if object.dict.is_some() {
                    return Cache::Empty;
                }
                let found = self.class_attribute(object.class, wanted);
                if let Some(found) = found
                    && self.property_getter(found).is_some()
                {
                    return Cache::Empty;
                }
                if let Some(slot) = self.instance_slot(object, wanted) {
                    return Cache::Slot {
                        shape: object.shape,
                        slot: slot as u32,
                        version: self.class_version,
                    };
                }
                match found {
                    Some(Value::Function(function)) => Cache::Method {
                        shape: object.shape,
                        version: self.class_version,
                        function,
                    },
                    Some(Value::Native(native)) if self.is_fixed(object.class, wanted) => {
                        Cache::Native {
                            class: object.class.slot,
                            native,
                        }
                    }
                    _ => Cache::Empty,
                }
            }
            Value::Module(module) => self
                .module_global(module, wanted)
                .map_or(Cache::Empty, |global| Cache::Global { module, global }),
            Value::Class(class) => match self.class_attribute(class, wanted) {
                Some(Value::Function(function)) => Cache::Function {
                    class,
                    version: self.class_version,
                    function,
                },
                _ => Cache::Empty,
            },
            // What a `super()` finds depends on its class, not on its type.
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                Cache::Empty
            }
            _ => {
                let class = self.class_of(object);
                match self.class_attribute(class, wanted) {
                    Some(Value::Native(native))
                        if builtins::table()[native.0 as usize].kind == Kind::Plain =>
                    {
                        Cache::Native {
                            class: class.slot,
                            native,
                        }
                    }
                    _ => Cache::Empty,
                }
            }
        }
    }
}

/// What a look-up came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Value(Value),
    /// The value is what this getter returns for this receiver.
    Call(Value, Value),
    /// The class has a `__getattr__`, to be called with the object and the name.
    Hook(Value),
    Nothing,
}

/// No function, property or other thing that changes how attributes are looked up.
fn is_plain(value: Value) -> bool {
    !matches!(
        value,
        Value::Function(_) | Value::Native(_) | Value::Object(_) | Value::Unbound
    )
}

impl Ctx<'_> {
    /// `object.name`; raises `AttributeError`.
    pub fn get_attr(&mut self, object: Value, name: Name) -> Result<Value, Interrupt> {
        match self.vm.look_up(object, name) {
            Found::Value(value) => Ok(value),
            Found::Call(Value::None, _) => {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no getter"),
                ))
            }
            Found::Call(getter, receiver) => {
                let hook = match receiver {
                    Value::Instance(it) => self
                        .vm
                        .class_attribute(self.vm.heap.instances[it].class, name::GETATTR),
                    _ => None,
                };
                let Some(hook) = hook else {
                    return self.call(getter, &[receiver]);
                };
                match self.try_call(getter, &[receiver])? {
                    Ok(value) => Ok(value),
                    Err(exception)
                        if self.vm.is_instance(exception, Type::AttributeError.class()) =>
                    {
                        let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                        self.call(hook, &[receiver, text])
                    }
                    Err(exception) => Err(Interrupt::Throw(exception)),
                }
            }
            Found::Hook(hook) => {
                let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                self.call(hook, &[object, text])
            }
            Found::Nothing => Err(Interrupt::Throw(self.vm.no_attribute(object, name))),
        }
    }

    /// `object.name = value`.
    pub fn set_attr(&mut self, object: Value, name: Name, value: Value) -> Result<(), Interrupt> {
        match object {
            Value::Instance(instance) => {
                let class = self.vm.heap.instances[instance].class;
                if let Some(hook) = self.vm.class_attribute(class, name::SETATTR)
                    && !matches!(hook, Value::Native(_))
                {
                    let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                    self.call(hook, &[object, text, value])?;
                    return Ok(());
                }
                self.set_attr_plainly(object, instance, name, value)
            }
            Value::Class(class) => {
                if self.vm.heap.classes[class].builtin.is_some() {
                    let text = self.vm.name_text(name).clone();
                    let of = self.vm.heap.classes[class].name.clone();
                    return Err(self.type_error(format!(
                        "cannot set '{text}' attribute of immutable type '{of}'"
                    )));
                }
                if self.vm.is_fixed(class, name) {
                    let text = self.vm.name_text(name).clone();
                    let of = self.vm.heap.classes[class].clone();
                    return Err(self.type_error(format!(
                        "cannot set '{text}' attribute of immutable type '{}.{}'",
                        of.module, of.name
                    )));
                }
                match (name, value) {
                    (name::NAME, Value::Str(text)) => {
                        self.vm.heap.classes[class].name = self.vm.heap.text_arc(text)
                    }
                    (name::QUALNAME, Value::Str(text)) => {
                        self.vm.heap.classes[class].qualname = self.vm.heap.text_arc(text)
                    }
                    _ => self.vm.set_class_attribute(class, name, value),
                }
                Ok(())
            }
            Value::Function(function) => {
                let dict = self.vm.function_dict(function);
                let text = self.vm.name_text(name).clone();
                self.vm.dict_set_str(dict, &text, value);
                Ok(())
            }
            Value::Module(module) => {
                if let Some(global) = self.vm.module_global(module, name) {
                    self.vm.globals[global as usize] = value;
                } else {
                    let global = self.vm.globals.len() as u32;
                    self.vm.globals.push(value);
                    self.vm.module_names.insert((module, name), global);
                }
                Ok(())
            }
            Value::Object(it) if matches!(self.vm.heap.objects[it], Object::Namespace(_)) => {
                let Object::Namespace(dict) = self.vm.heap.objects[it] else {
                    unreachable!("just matched")
                };
                let text = self.vm.name_text(name).clone();
                self.vm.dict_set_str(dict, &text, value);
                Ok(())
            }
            _ => {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                let known = self
                    .vm
                    .class_attribute(self.vm.class_of(object), name)
                    .is_some();
                let message = if known {
                    format!("'{of}' object attribute '{text}' is read-only")
                } else {
                    format!("'{of}' object has no attribute '{text}'")
                };
                Err(self.error(Type::AttributeError, message))
            }
        }
    }

    /// `object.__setattr__` as every class has it: properties, then the instance's own attributes.
    pub(super) fn set_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
        value: Value,
    ) -> Result<(), Interrupt> {
        let class = self.vm.heap.instances[instance].class;
        if self.vm.is_fixed(class, name) {
            let text = self.vm.name_text(name).clone();
            let of = &self.vm.heap.classes[class];
            let message = format!(
                "'{}.{}' object attribute '{text}' is read-only",
                of.module, of.name
            );
            return Err(self.error(Type::AttributeError, message));
        }
        if let Some(Value::Object(found)) = self.vm.class_attribute(class, name)
            && let Object::Property { setter, .. } = self.vm.heap.objects[found]
        {
            if matches!(setter, Value::None) {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                return Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no setter"),
                ));
            }
            self.call(setter, &[object, value])?;
            return Ok(());
        }
        if name == name::DICT {
            let Value::Dict(dict) = value else {
                let of = self.vm.type_name(value).to_owned();
                return Err(self.type_error(format!(
                    "__dict__ must be set to a dictionary, not a '{of}'"
                )));
            };
            let object = &mut self.vm.heap.instances[instance];
            object.dict = Some(dict);
            object.shape = NO_SHAPE;
            object.slots = Vec::new();
            return Ok(());
        }
        if let Some(exception) = self.vm.heap.instances[instance].exception.as_deref_mut() {
            let given = |value| {
                if matches!(value, Value::None) {
                    None
                } else {
                    Some(value)
                }
            };
            match (name, value) {
                (name::CAUSE, _) => {
                    exception.cause = given(value);
                    exception.suppress_context = true;
                    return Ok(());
                }
                (name::CONTEXT, _) => {
                    exception.context = given(value);
                    return Ok(());
                }
                (name::SUPPRESS_CONTEXT, Value::Bool(yes)) => {
                    exception.suppress_context = yes;
                    return Ok(());
                }
                (name::TRACEBACK, _) => {
                    exception.traceback = match value {
                        Value::Object(it) => match &self.vm.heap.objects[it] {
                            Object::Traceback(entries) => entries.clone(),
                            _ => Vec::new(),
                        },
                        _ => Vec::new(),
                    };
                    return Ok(());
                }
                (name::ARGS, _) => {
                    let args = self.collect(value)?;
                    if let Some(exception) =
                        self.vm.heap.instances[instance].exception.as_deref_mut()
                    {
                        exception.args = args;
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        self.vm.set_instance_attribute(instance, name, value);
        Ok(())
    }

    /// `object.__delattr__` as every class has it.
    pub(super) fn del_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
    ) -> Result<(), Interrupt> {
        let class = self.vm.heap.instances[instance].class;
        if let Some(Value::Object(found)) = self.vm.class_attribute(class, name)
            && let Object::Property { deleter, .. } = self.vm.heap.objects[found]
        {
            if matches!(deleter, Value::None) {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                return Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no deleter"),
                ));
            }
            self.call(deleter, &[object])?;
            return Ok(());
        }
        if self.vm.delete_instance_attribute(instance, name) {
            return Ok(());
        }
        Err(Interrupt::Throw(self.vm.no_attribute(object, name)))
    }

    /// `del object.name`.
    pub fn del_attr(&mut self, object: Value, name: Name) -> Result<(), Interrupt> {
        let deleted = match object {
            Value::Instance(instance) => {
                let class = self.vm.heap.instances[instance].class;
                if let Some(hook) = self.vm.class_attribute(class, name::DELATTR)
                    && !matches!(hook, Value::Native(_))
                {
                    let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                    self.call(hook, &[object, text])?;
                    return Ok(());
                }
                return self.del_attr_plainly(object, instance, name);
            }
            Value::Class(class)
                if self.vm.heap.classes[class].builtin.is_none()
                    && !self.vm.is_fixed(class, name) =>
            {
                self.vm.delete_class_attribute(class, name)
            }
            Value::Module(module) => match self.vm.module_global(module, name) {
                Some(global) => {
                    let slot = &mut self.vm.globals[global as usize];
                    std::mem::replace(slot, Value::Unbound).is_bound()
                }
                None => false,
            },
            _ => false,
        };
        if deleted {
            return Ok(());
        }
        Err(Interrupt::Throw(self.vm.no_attribute(object, name)))
    }
}
