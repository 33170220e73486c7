//! The walk that writes the text of a value. It keeps what is still to be written in a list of its
//! own, so that nesting takes no room on the host's stack. Calls nothing: where a method of the
//! script must speak, it leaves a hole.

use super::identity::address;
use crate::vm::Vm;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::decimal_text;
use crate::vm::heap::number::repr_float;
use crate::vm::heap::object::{DictView, Function, Instance, Object, Range};
use crate::vm::heap::text::codec::{decode_message, encode_message};
use crate::vm::heap::text::{repr_bytes, repr_str};
use crate::vm::heap::value::{Ref, Value};
use std::fmt::Write;

/// A text under construction.
pub(super) struct Writer {
    pub(super) out: String,
    pub(super) holes: Vec<Hole>,
    /// Why a value has no text: an integer with too many digits.
    pub(super) fault: Option<Fault>,
    /// Bytes of memory that the text takes, where there are not as many.
    pub(super) wants: Option<usize>,
    /// Bytes of memory that it may take.
    room: usize,
    /// What is still to be written, the next on top.
    parts: Vec<Part>,
    /// The containers being written, outermost first.
    within: Vec<Value>,
    /// How many there may be.
    most: usize,
}

/// A place for what a method of the script will say.
pub(super) struct Hole {
    /// The offset in the text.
    pub(super) at: usize,
    pub(super) method: Value,
    pub(super) object: Value,
    /// `__repr__` or `__str__`.
    pub(super) called: &'static str,
}

/// How long the `repr` of a text is at most, where that is much.
fn most_of_repr(text: &[u8]) -> usize {
    /// `\x00` for one byte.
    const ESCAPED: usize = 4;
    const MUCH: usize = 1 << 12;
    if text.len() < MUCH {
        return text.len();
    }
    let plain = |byte: &&u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'\'' | b'\\');
    let plain = text.iter().filter(plain).count();
    plain + (text.len() - plain) * ESCAPED
}

/// The containers are nested too deep.
pub(super) struct TooDeep;

/// `<module '__main__' from 'hello.mini'>`: only the script comes from a file.
pub(in crate::vm) fn module_text(vm: &Vm, module: usize) -> String {
    let program = &vm.image.program;
    let name = &program.modules[module].name;
    match module {
        0 => format!("<module '{name}' from '{}'>", program.sources[0].name),
        _ => format!("<module '{name}' (built-in)>"),
    }
}

enum Part {
    Text(&'static str),
    Repr(Value),
    Str(Value),
    /// What is left of a container: its items from a place on.
    Items {
        of: Value,
        at: usize,
        first: bool,
    },
    /// The end of a container.
    Leave(&'static str),
}

impl Writer {
    pub(super) fn new(most: usize, room: usize) -> Writer {
        Writer {
            out: String::new(),
            holes: Vec::new(),
            fault: None,
            wants: None,
            room,
            parts: Vec::new(),
            within: Vec::new(),
            most,
        }
    }

    /// Writes a text as it is.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes `repr(value)`.
    pub(super) fn repr(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        self.parts.push(Part::Repr(value));
        self.finish(vm)
    }

    /// Writes `str(value)`.
    pub(super) fn str(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        self.parts.push(Part::Str(value));
        self.finish(vm)
    }

    /// Writes what `object.__repr__` or `BaseException.__repr__` says of an instance.
    pub(super) fn inherited_repr(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Instance(it) => self.plain_instance(vm, value, it)?,
            _ => self.parts.push(Part::Repr(value)),
        }
        self.finish(vm)
    }

    /// Writes what `object.__str__` or `BaseException.__str__` says of an instance.
    pub(super) fn inherited_str(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Instance(it) => match &vm.heap.instances[it].exception {
                Some(exception) => self.exception_str(vm, it, &exception.args)?,
                None => self.parts.push(Part::Repr(value)),
            },
            _ => self.parts.push(Part::Str(value)),
        }
        self.finish(vm)
    }

    fn finish(&mut self, vm: &Vm) -> Result<(), TooDeep> {
        while let Some(part) = self.parts.pop() {
            // A short list can stand for a text longer than the machine's memory: it may hold the
            // same long text many times.
            if !self.fits(0) {
                break;
            }
            match part {
                Part::Text(text) => self.out.push_str(text),
                Part::Repr(value) => self.repr_part(vm, value)?,
                Part::Str(value) => self.str_part(vm, value)?,
                Part::Items { of, at, first } => self.item(vm, of, at, first),
                Part::Leave(close) => {
                    self.out.push_str(close);
                    self.within.pop();
                }
            }
        }
        Ok(())
    }

    /// Is there room for so much more? Otherwise there is no text.
    fn fits(&mut self, more: usize) -> bool {
        // It grows by doubling.
        let bytes = 2 * (self.out.len() + more);
        if bytes <= self.room {
            return true;
        }
        self.wants = Some(bytes);
        self.parts.clear();
        false
    }

    /// Begins a container: its items come next, then `close`.
    fn enter(&mut self, value: Value, open: &str, close: &'static str) -> Result<(), TooDeep> {
        if self.within.len() >= self.most {
            return Err(TooDeep);
        }
        self.within.push(value);
        self.out.push_str(open);
        self.parts.push(Part::Leave(close));
        Ok(())
    }

    /// Begins a container whose items can be looked up one by one; or, if it is being written
    /// already, says so.
    fn container(
        &mut self,
        value: Value,
        open: &str,
        close: &'static str,
        again: &str,
    ) -> Result<(), TooDeep> {
        if self.within.iter().any(|it| it.same(value)) {
            self.out.push_str(again);
            return Ok(());
        }
        self.enter(value, open, close)?;
        self.parts.push(Part::Items {
            of: value,
            at: 0,
            first: true,
        });
        Ok(())
    }

    /// Writes a few values between brackets.
    fn row(&mut self, open: &str, values: &[Value], close: &'static str) -> Result<(), TooDeep> {
        self.enter(Value::Unbound, open, close)?;
        for (at, &value) in values.iter().enumerate().rev() {
            self.parts.push(Part::Repr(value));
            if at > 0 {
                self.parts.push(Part::Text(", "));
            }
        }
        Ok(())
    }

    /// The next item of a container.
    fn item(&mut self, vm: &Vm, of: Value, at: usize, first: bool) {
        let heap = &vm.heap;
        let Some((at, key, value)) = (match of {
            Value::List(it) => heap.lists[it]
                .get(at)
                .map(|item| (at, item, Value::Unbound)),
            Value::Tuple(it) => heap.tuples[it]
                .0
                .get(at)
                .map(|&item| (at, item, Value::Unbound)),
            Value::Set(it) => heap.sets[it]
                .next_element(at)
                .map(|(at, item)| (at, item, Value::Unbound)),
            _ => dict_behind(vm, of)
                .and_then(|dict| heap.dicts[dict].next_entry(at))
                .map(|(at, entry)| (at, entry.key, entry.value)),
        }) else {
            return;
        };
        if !first {
            self.out.push_str(", ");
        }
        self.parts.push(Part::Items {
            of,
            at: at + 1,
            first: false,
        });
        match of {
            Value::Dict(_) => {
                self.parts.push(Part::Repr(value));
                self.parts.push(Part::Text(": "));
                self.parts.push(Part::Repr(key));
            }
            Value::Object(it) => match &heap.objects[it] {
                Object::Namespace(_) => {
                    self.parts.push(Part::Repr(value));
                    self.parts.push(Part::Text("="));
                    self.parts.push(Part::Str(key));
                }
                Object::View {
                    view: DictView::Values,
                    ..
                } => self.parts.push(Part::Repr(value)),
                Object::View {
                    view: DictView::Items,
                    ..
                } => {
                    self.parts.push(Part::Text(")"));
                    self.parts.push(Part::Repr(value));
                    self.parts.push(Part::Text(", "));
                    self.parts.push(Part::Repr(key));
                    self.parts.push(Part::Text("("));
                }
                _ => self.parts.push(Part::Repr(key)),
            },
            _ => self.parts.push(Part::Repr(key)),
        }
    }

    fn ask(&mut self, method: Value, object: Value, called: &'static str) {
        self.holes.push(Hole {
            at: self.out.len(),
            method,
            object,
            called,
        });
    }

    fn str_part(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Str(text) => {
                let text = vm.heap.text(text);
                if self.fits(text.len()) {
                    self.out.push_str(text);
                }
            }
            Value::Instance(it) => {
                if let Some(method) = vm.special(value, name::STR) {
                    self.ask(method, value, "__str__");
                } else if let Some(exception) = &vm.heap.instances[it].exception {
                    return self.exception_str(vm, it, &exception.args);
                } else {
                    return self.repr_part(vm, value);
                }
            }
            _ => return self.repr_part(vm, value),
        }
        Ok(())
    }

    /// `str` of an `OSError` that has a number and a text, or a file; false if it has neither.
    fn os_error_str(&mut self, vm: &Vm, instance: Ref<Instance>) -> Result<bool, TooDeep> {
        let field = |wanted| vm.exception_field(instance, wanted).unwrap_or(Value::None);
        let [number, text] = [name::ERRNO, name::STRERROR].map(field);
        let [file, other] = [name::FILENAME, name::FILENAME2].map(field);
        let given = |value| !matches!(value, Value::None);
        let exception = vm.heap.instances[instance].exception.as_deref();
        let fields = exception.map_or(&[][..], |exception| &exception.fields);
        let numbered = fields.len() >= 2 && fields[..2].iter().all(|field| field.is_bound());
        if !given(file) && !numbered {
            return Ok(false);
        }
        self.enter(Value::Unbound, "[Errno ", "")?;
        if given(file) && given(other) {
            self.parts.push(Part::Repr(other));
            self.parts.push(Part::Text(" -> "));
        }
        if given(file) {
            self.parts.push(Part::Repr(file));
            self.parts.push(Part::Text(": "));
        }
        self.parts.push(Part::Str(text));
        self.parts.push(Part::Text("] "));
        self.parts.push(Part::Str(number));
        Ok(true)
    }

    /// `str(exception)`: what its arguments say.
    fn exception_str(
        &mut self,
        vm: &Vm,
        instance: Ref<Instance>,
        args: &[Value],
    ) -> Result<(), TooDeep> {
        let is = |of: Type| vm.is_subclass(vm.heap.instances[instance].class, of.class());
        if is(Type::OSError) && self.os_error_str(vm, instance)? {
            return Ok(());
        }
        match *args {
            [] => Ok(()),
            [arg] => {
                self.enter(Value::Unbound, "", "")?;
                self.parts.push(if is(Type::KeyError) {
                    Part::Repr(arg)
                } else {
                    Part::Str(arg)
                });
                Ok(())
            }
            [
                Value::Str(encoding),
                object,
                Value::Int(start),
                Value::Int(end),
                Value::Str(reason),
            ] if is(Type::UnicodeError) => {
                let heap = &vm.heap;
                let (encoding, reason) = (heap.text(encoding), heap.text(reason));
                let place = |at: i64| usize::try_from(at).unwrap_or(0);
                let (start, end) = (place(start), place(end));
                let message = match object {
                    Value::Str(text) => {
                        encode_message(encoding, heap.text(text), start, end, reason)
                    }
                    Value::Bytes(bytes) => {
                        decode_message(encoding, &heap.bytes[bytes].0, start, end, reason)
                    }
                    _ => return self.row("(", args, ")"),
                };
                self.text(&message);
                Ok(())
            }
            _ => self.row("(", args, ")"),
        }
    }

    fn repr_part(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Unbound => self.text("<NULL>"),
            Value::None => self.text("None"),
            Value::NotImplemented => self.text("NotImplemented"),
            Value::Ellipsis => self.text("Ellipsis"),
            Value::Bool(true) => self.text("True"),
            Value::Bool(false) => self.text("False"),
            Value::Int(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.text(&repr_float(number)),
            Value::Big(it) => match decimal_text(&vm.heap.bigs[it]) {
                Ok(text) => self.text(&text),
                Err(fault) => self.fault = Some(fault),
            },
            Value::Str(it) => {
                let text = vm.heap.text(it);
                if self.fits(2 * most_of_repr(text.as_bytes())) {
                    self.text(&repr_str(text));
                }
            }
            Value::Bytes(it) => {
                let bytes = &vm.heap.bytes[it].0;
                if self.fits(2 * most_of_repr(bytes)) {
                    self.text(&repr_bytes(bytes));
                }
            }
            Value::Tuple(it) => {
                let close = if vm.heap.tuples[it].0.len() == 1 {
                    ",)"
                } else {
                    ")"
                };
                return self.container(value, "(", close, "(...)");
            }
            Value::List(_) => return self.container(value, "[", "]", "[...]"),
            Value::Dict(_) => return self.container(value, "{", "}", "{...}"),
            Value::Set(it) => {
                let set = &vm.heap.sets[it];
                let (open, close) = match (set.frozen, set.is_empty()) {
                    (false, true) => ("set(", ")"),
                    (false, false) => ("{", "}"),
                    (true, true) => ("frozenset(", ")"),
                    (true, false) => ("frozenset({", "})"),
                };
                return self.container(value, open, close, "set(...)");
            }
            Value::Range(it) => {
                let Range { start, stop, step } = vm.heap.ranges[it];
                let _ = write!(self.out, "range({start}, {stop}");
                if step != 1 {
                    let _ = write!(self.out, ", {step}");
                }
                self.text(")");
            }
            Value::Function(it) => self.object(&format!("function {}", qualname(vm, it)), value),
            Value::Native(it) => {
                let native = &vm.image.natives[it];
                let _ = match native.owner {
                    Some(owner) => {
                        let of = owner.name();
                        write!(self.out, "<method '{}' of '{of}' objects>", native.shown)
                    }
                    None => write!(self.out, "<built-in function {}>", native.shown),
                };
            }
            Value::Method(it) => {
                let method = vm.heap.methods[it];
                let receiver = method.receiver;
                if let Value::Native(native) = method.function {
                    let native = vm.image.natives[native].shown;
                    let of = vm.type_name(receiver);
                    self.object(
                        &format!("built-in method {native} of {of} object"),
                        receiver,
                    );
                    return Ok(());
                }
                let name = match method.function {
                    Value::Function(it) => qualname(vm, it),
                    _ => "?".to_owned(),
                };
                self.enter(Value::Unbound, &format!("<bound method {name} of "), ">")?;
                self.parts.push(Part::Repr(receiver));
            }
            Value::Class(it) => {
                let class = &vm.heap.classes[it];
                let module = shown_module(&class.module);
                let _ = write!(self.out, "<class '{module}{}'>", class.qualname);
            }
            Value::Instance(it) => match vm.special(value, name::REPR) {
                Some(method) => self.ask(method, value, "__repr__"),
                None => return self.plain_instance(vm, value, it),
            },
            Value::Generator(it) => {
                let name = qualname(vm, vm.heap.generators[it].function);
                self.object(&format!("generator object {name}"), value);
            }
            Value::Iter(_) => self.object(&format!("{} object", vm.type_name(value)), value),
            Value::Cell(_) => self.object("cell", value),
            Value::Module(it) => {
                self.out.push_str(&module_text(vm, it as usize));
            }
            Value::Object(it) => return self.other(vm, value, &vm.heap.objects[it]),
        }
        Ok(())
    }

    /// `<what at 0x…>`.
    fn object(&mut self, what: &str, value: Value) {
        let _ = write!(self.out, "<{what} at {:#x}>", address(value));
    }

    /// An instance as `object` or `BaseException` shows it.
    fn plain_instance(&mut self, vm: &Vm, value: Value, it: Ref<Instance>) -> Result<(), TooDeep> {
        let class = &vm.heap.classes[vm.heap.instances[it].class];
        if let Some(exception) = &vm.heap.instances[it].exception {
            self.text(&class.name);
            return self.row("(", &exception.args, ")");
        }
        let module = shown_module(&class.module);
        self.object(&format!("{module}{} object", class.qualname), value);
        Ok(())
    }

    fn other(&mut self, vm: &Vm, value: Value, object: &Object) -> Result<(), TooDeep> {
        match object {
            Object::Slice { lower, upper, step } => {
                return self.row("slice(", &[*lower, *upper, *step], ")");
            }
            Object::View { view, .. } => {
                let open = match view {
                    DictView::Keys => "dict_keys([",
                    DictView::Values => "dict_values([",
                    DictView::Items => "dict_items([",
                };
                return self.container(value, open, "])", "...");
            }
            Object::Namespace(_) => {
                return self.container(value, "namespace(", ")", "namespace(...)");
            }
            Object::StaticMethod(inner) => return self.row("<staticmethod(", &[*inner], ")>"),
            Object::ClassMethod(inner) => return self.row("<classmethod(", &[*inner], ")>"),
            Object::Super { class, object } => {
                let class = &vm.heap.classes[*class].name;
                let of = match object {
                    Value::None => "NULL".to_owned(),
                    _ => format!("<{} object>", vm.type_name(*object)),
                };
                let _ = write!(self.out, "<super: <class '{class}'>, {of}>");
            }
            Object::Lock(lock) => {
                let state = if lock.locked { "locked" } else { "unlocked" };
                self.object(&format!("{state} _thread.lock object"), value);
            }
            Object::RLock(lock) => {
                let state = if lock.count > 0 { "locked" } else { "unlocked" };
                let owner = lock.holder.map_or(0, |thread| i64::from(thread.0) + 1);
                let count = lock.count;
                let what = format!("{state} _thread.RLock object owner={owner} count={count}");
                self.object(&what, value);
            }
            Object::Property { getter, .. } if let Some(native) = vm.builtin_getter(*getter) => {
                let of = native.owner.map_or("", Type::name);
                let _ = write!(self.out, "<attribute '{}' of '{of}' objects>", native.shown);
            }
            Object::Free
            | Object::Property { .. }
            | Object::Condition(_)
            | Object::Semaphore(_)
            | Object::Event(_)
            | Object::ThreadHandle(_)
            | Object::ProcessHandle { .. }
            | Object::Channel { .. }
            | Object::Ring(_)
            | Object::Traceback(_) => {
                self.object(&format!("{} object", vm.type_name(value)), value);
            }
        }
        Ok(())
    }
}

/// The dict that holds the items of a dict, a view or a namespace.
fn dict_behind(vm: &Vm, value: Value) -> Option<Ref<crate::vm::heap::dict::Dict>> {
    match value {
        Value::Dict(dict) => Some(dict),
        Value::Object(it) => match vm.heap.objects[it] {
            Object::View { dict, .. } | Object::Namespace(dict) => Some(dict),
            _ => None,
        },
        _ => None,
    }
}

/// A class's module as it stands before the class's name: builtins are shown without.
fn shown_module(module: &str) -> String {
    match module {
        "builtins" => String::new(),
        module => format!("{module}."),
    }
}

/// The name by which a function shows itself.
fn qualname(vm: &Vm, function: Ref<Function>) -> String {
    let function = &vm.heap.functions[function];
    if let Some(attributes) = function.attributes
        && let Some(Value::Str(text)) = vm.dict_get_str(attributes, "__qualname__")
    {
        return vm.heap.text(text).to_owned();
    }
    vm.image.program.codes[function.code.0 as usize]
        .qualname
        .to_string()
}
