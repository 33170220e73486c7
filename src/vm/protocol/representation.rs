//! `repr` and `str`. One walk over a value writes what is known and leaves holes where an object has its own `__repr__`; then all of these are asked at once
//! and fill the holes, so that the text of a list of ten thousand objects takes two passes, not ten thousand.

use super::identity::address;
use crate::vm::Vm;
use crate::vm::builtins;
use crate::vm::class::{Type, name};
use crate::vm::fault::Fault;
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::number::integer::decimal_text;
use crate::vm::number::repr_float;
use crate::vm::object::{DictView, Function, Instance, Iter, Object, Range};
use crate::vm::text::{repr_bytes, repr_str};
use crate::vm::value::{Ref, Value};
use std::fmt::Write;

/// A text under construction.
pub(in crate::vm) struct Writer {
    out: String,
    holes: Vec<Hole>,
    /// The containers being written, outermost first.
    within: Vec<Value>,
    left: usize,
    /// Why a value has no text: an integer with too many digits.
    fault: Option<Fault>,
}

/// A place for what a method of the script will say.
struct Hole {
    /// The offset in the text.
    at: usize,
    method: Value,
    object: Value,
    /// `__repr__` or `__str__`.
    called: &'static str,
}

/// The containers are nested too deep.
struct TooDeep;

impl Ctx<'_> {
    /// `repr(value)`.
    pub fn repr(&mut self, value: Value) -> Result<String, Interrupt> {
        self.write(|writer, vm| writer.repr(vm, value))
    }

    /// `str(value)`.
    pub fn str(&mut self, value: Value) -> Result<String, Interrupt> {
        if let Value::Str(text) = value {
            return Ok(self.vm.heap.text(text).to_owned());
        }
        self.write(|writer, vm| writer.str(vm, value))
    }

    /// `str` of several values, with a text between them and one at the end: what `print` writes.
    pub fn str_all(
        &mut self,
        values: &[Value],
        between: &str,
        end: &str,
    ) -> Result<String, Interrupt> {
        self.write(|writer, vm| {
            for (at, &value) in values.iter().enumerate() {
                if at > 0 {
                    writer.out.push_str(between);
                }
                writer.str(vm, value)?;
            }
            writer.out.push_str(end);
            Ok(())
        })
    }

    /// `repr` as a builtin class defines it, even if the value's own class has another.
    pub(in crate::vm) fn inherited_repr(&mut self, value: Value) -> Result<String, Interrupt> {
        self.write(|writer, vm| match value {
            Value::Instance(it) => writer.plain_instance(vm, value, it),
            _ => writer.repr(vm, value),
        })
    }

    /// `str` as a builtin class defines it: what an exception says, or the value's `repr`.
    pub(in crate::vm) fn inherited_str(&mut self, value: Value) -> Result<String, Interrupt> {
        self.write(|writer, vm| match value {
            Value::Instance(it) => match &vm.heap.instances[it].exception {
                Some(exception) => writer.exception_str(vm, it, &exception.args),
                None => writer.repr(vm, value),
            },
            _ => writer.str(vm, value),
        })
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut Writer, &Vm) -> Result<(), TooDeep>,
    ) -> Result<String, Interrupt> {
        let mut writer = Writer {
            out: String::new(),
            holes: Vec::new(),
            within: Vec::new(),
            left: self.nesting_left(),
            fault: None,
        };
        if write(&mut writer, self.vm).is_err() {
            return Err(self.too_deep(" while getting the repr of an object"));
        }
        let Writer {
            out, holes, fault, ..
        } = writer;
        if let Some(fault) = fault {
            return Err(self.raise(fault));
        }
        if holes.is_empty() {
            return Ok(out);
        }
        let calls = holes.iter().map(|it| (it.method, vec![it.object]));
        let answers = self.call_all(calls.collect())?;
        let mut whole = String::with_capacity(out.len() * 2);
        let mut from = 0;
        for (hole, answer) in holes.iter().zip(answers) {
            let Value::Str(text) = answer else {
                let message = format!(
                    "{} returned non-string (type {})",
                    hole.called,
                    self.vm.type_name(answer)
                );
                return Err(self.type_error(message));
            };
            whole.push_str(&out[from..hole.at]);
            whole.push_str(self.vm.heap.text(text));
            from = hole.at;
        }
        whole.push_str(&out[from..]);
        Ok(whole)
    }
}

/// `str(value)` as far as it goes without calling the script; where a method of the script would be called, nothing is written.
pub(in crate::vm) fn plain_str(vm: &Vm, value: Value) -> String {
    let mut writer = Writer {
        out: String::new(),
        holes: Vec::new(),
        within: Vec::new(),
        left: 100,
        fault: None,
    };
    match writer.str(vm, value) {
        Ok(()) => writer.out,
        Err(TooDeep) => "<too deeply nested>".to_owned(),
    }
}

impl Writer {
    fn ask(&mut self, method: Value, object: Value, called: &'static str) {
        self.holes.push(Hole {
            at: self.out.len(),
            method,
            object,
            called,
        });
    }

    fn str(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Str(text) => {
                self.out.push_str(vm.heap.text(text));
                Ok(())
            }
            Value::Instance(instance) => {
                if let Some(method) = vm.special(value, name::STR) {
                    self.ask(method, value, "__str__");
                    Ok(())
                } else if let Some(exception) = &vm.heap.instances[instance].exception {
                    self.exception_str(vm, instance, &exception.args)
                } else {
                    self.repr(vm, value)
                }
            }
            _ => self.repr(vm, value),
        }
    }

    /// `str(exception)`: what its arguments say.
    fn exception_str(
        &mut self,
        vm: &Vm,
        instance: Ref<Instance>,
        args: &[Value],
    ) -> Result<(), TooDeep> {
        let is = |of: Type| vm.is_subclass(vm.heap.instances[instance].class, of.class());
        match *args {
            [] => Ok(()),
            [arg] if is(Type::KeyError) => self.repr(vm, arg),
            [arg] => self.str(vm, arg),
            [number, text] if is(Type::OSError) => {
                self.out.push_str("[Errno ");
                self.str(vm, number)?;
                self.out.push_str("] ");
                self.str(vm, text)
            }
            [number, text, file] if is(Type::OSError) => {
                self.out.push_str("[Errno ");
                self.str(vm, number)?;
                self.out.push_str("] ");
                self.str(vm, text)?;
                self.out.push_str(": ");
                self.repr(vm, file)
            }
            _ => self.items(vm, "(", args.iter().copied(), ")"),
        }
    }

    fn repr(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        match value {
            Value::Unbound => self.out.push_str("<NULL>"),
            Value::None => self.out.push_str("None"),
            Value::NotImplemented => self.out.push_str("NotImplemented"),
            Value::Ellipsis => self.out.push_str("Ellipsis"),
            Value::Bool(true) => self.out.push_str("True"),
            Value::Bool(false) => self.out.push_str("False"),
            Value::Int(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&repr_float(number)),
            Value::Big(it) => match decimal_text(&vm.heap.bigs[it]) {
                Ok(text) => self.out.push_str(&text),
                Err(fault) => self.fault = Some(fault),
            },
            Value::Str(it) => self.out.push_str(&repr_str(vm.heap.text(it))),
            Value::Bytes(it) => self.out.push_str(&repr_bytes(&vm.heap.bytes[it].0)),
            Value::Tuple(_) | Value::List(_) | Value::Dict(_) | Value::Set(_) => {
                return self.container(vm, value);
            }
            Value::Range(it) => {
                let Range { start, stop, step } = vm.heap.ranges[it];
                let _ = write!(self.out, "range({start}, {stop}");
                if step != 1 {
                    let _ = write!(self.out, ", {step}");
                }
                self.out.push(')');
            }
            Value::Function(it) => {
                let name = qualname(vm, it);
                self.object(&format!("function {name}"), value);
            }
            Value::Native(it) => {
                let native = &builtins::table()[it.0 as usize];
                let _ = match native.owner {
                    Some(owner) => {
                        write!(
                            self.out,
                            "<method '{}' of '{}' objects>",
                            native.name,
                            owner.name()
                        )
                    }
                    None => write!(self.out, "<built-in function {}>", native.name),
                };
            }
            Value::Method(it) => {
                let method = vm.heap.methods[it];
                match method.function {
                    Value::Native(native) => {
                        let native = builtins::table()[native.0 as usize].name;
                        let of = vm.type_name(method.receiver);
                        let at = address(method.receiver);
                        let _ = write!(
                            self.out,
                            "<built-in method {native} of {of} object at {at:#x}>"
                        );
                    }
                    function => {
                        let name = match function {
                            Value::Function(it) => qualname(vm, it),
                            _ => "?".to_owned(),
                        };
                        let _ = write!(self.out, "<bound method {name} of ");
                        self.enter(vm, method.receiver)?;
                        self.out.push('>');
                    }
                }
            }
            Value::Class(it) => {
                let class = &vm.heap.classes[it];
                let _ = if &*class.module == "builtins" {
                    write!(self.out, "<class '{}'>", class.qualname)
                } else {
                    write!(self.out, "<class '{}.{}'>", class.module, class.qualname)
                };
            }
            Value::Instance(it) => return self.instance(vm, value, it),
            Value::Generator(it) => {
                let name = qualname(vm, vm.heap.generators[it].function);
                self.object(&format!("generator object {name}"), value);
            }
            Value::Iter(it) => {
                let kind = match &vm.heap.iters[it] {
                    Iter::Reversed {
                        sequence: Value::Tuple(_) | Value::Instance(_),
                        ..
                    } => "reversed",
                    _ => vm.type_name(value),
                };
                self.object(&format!("{kind} object"), value);
            }
            Value::Cell(_) => self.object("cell", value),
            Value::Module(it) => {
                let name = &vm.image.program.modules[it as usize].name;
                let _ = write!(self.out, "<module '{name}' (built-in)>");
            }
            Value::Object(it) => return self.other(vm, value, &vm.heap.objects[it]),
        }
        Ok(())
    }

    /// `<what at 0x…>`.
    fn object(&mut self, what: &str, value: Value) {
        let _ = write!(self.out, "<{what} at {:#x}>", address(value));
    }

    fn instance(&mut self, vm: &Vm, value: Value, it: Ref<Instance>) -> Result<(), TooDeep> {
        if let Some(method) = vm.special(value, name::REPR) {
            self.ask(method, value, "__repr__");
            return Ok(());
        }
        self.plain_instance(vm, value, it)
    }

    /// An instance as `object` or `BaseException` shows it.
    fn plain_instance(&mut self, vm: &Vm, value: Value, it: Ref<Instance>) -> Result<(), TooDeep> {
        let class = &vm.heap.classes[vm.heap.instances[it].class];
        if let Some(exception) = &vm.heap.instances[it].exception {
            self.out.push_str(&class.name);
            return self.items(vm, "(", exception.args.iter().copied(), ")");
        }
        self.object(
            &format!("{}.{} object", class.module, class.qualname),
            value,
        );
        Ok(())
    }

    fn container(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        let heap = &vm.heap;
        if self.within.iter().any(|it| it.same(value)) {
            self.out.push_str(match value {
                Value::Tuple(_) => "(...)",
                Value::List(_) => "[...]",
                Value::Dict(_) => "{...}",
                _ => "set(...)",
            });
            return Ok(());
        }
        self.within.push(value);
        match value {
            Value::Tuple(it) => {
                let items = &heap.tuples[it].0;
                let close = if items.len() == 1 { ",)" } else { ")" };
                self.items(vm, "(", items.iter().copied(), close)?;
            }
            Value::List(it) => self.items(vm, "[", heap.lists[it].iter(), "]")?,
            Value::Dict(it) => {
                self.out.push('{');
                for (at, entry) in heap.dicts[it].iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.enter(vm, entry.key)?;
                    self.out.push_str(": ");
                    self.enter(vm, entry.value)?;
                }
                self.out.push('}');
            }
            Value::Set(it) => {
                let set = &heap.sets[it];
                let (open, close) = match (set.frozen, set.is_empty()) {
                    (false, true) => ("set(", ")"),
                    (false, false) => ("{", "}"),
                    (true, true) => ("frozenset(", ")"),
                    (true, false) => ("frozenset({", "})"),
                };
                self.items(vm, open, set.iter().map(|it| it.1), close)?;
            }
            _ => {}
        }
        self.within.pop();
        Ok(())
    }

    fn items(
        &mut self,
        vm: &Vm,
        open: &str,
        items: impl Iterator<Item = Value>,
        close: &str,
    ) -> Result<(), TooDeep> {
        self.out.push_str(open);
        for (at, item) in items.enumerate() {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.enter(vm, item)?;
        }
        self.out.push_str(close);
        Ok(())
    }

    /// `repr` of a part.
    fn enter(&mut self, vm: &Vm, value: Value) -> Result<(), TooDeep> {
        self.left = self.left.checked_sub(1).ok_or(TooDeep)?;
        self.repr(vm, value)?;
        self.left += 1;
        Ok(())
    }

    fn other(&mut self, vm: &Vm, value: Value, object: &Object) -> Result<(), TooDeep> {
        match object {
            Object::Slice { lower, upper, step } => {
                self.items(vm, "slice(", [*lower, *upper, *step].into_iter(), ")")
            }
            Object::View { dict, view } => {
                if self.within.iter().any(|it| it.same(value)) {
                    self.out.push_str("...");
                    return Ok(());
                }
                self.within.push(value);
                let entries = vm.heap.dicts[*dict].iter();
                match view {
                    DictView::Keys => self.items(vm, "dict_keys([", entries.map(|it| it.key), "])"),
                    DictView::Values => {
                        self.items(vm, "dict_values([", entries.map(|it| it.value), "])")
                    }
                    DictView::Items => {
                        self.out.push_str("dict_items([");
                        for (at, entry) in entries.enumerate() {
                            if at > 0 {
                                self.out.push_str(", ");
                            }
                            self.items(vm, "(", [entry.key, entry.value].into_iter(), ")")?;
                        }
                        self.out.push_str("])");
                        Ok(())
                    }
                }?;
                self.within.pop();
                Ok(())
            }
            Object::Namespace(dict) => {
                if self.within.iter().any(|it| it.same(value)) {
                    self.out.push_str("namespace(...)");
                    return Ok(());
                }
                self.within.push(value);
                self.out.push_str("namespace(");
                for (at, entry) in vm.heap.dicts[*dict].iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.str(vm, entry.key)?;
                    self.out.push('=');
                    self.enter(vm, entry.value)?;
                }
                self.out.push(')');
                self.within.pop();
                Ok(())
            }
            Object::StaticMethod(inner) => {
                self.out.push_str("<staticmethod(");
                self.enter(vm, *inner)?;
                self.out.push_str(")>");
                Ok(())
            }
            Object::ClassMethod(inner) => {
                self.out.push_str("<classmethod(");
                self.enter(vm, *inner)?;
                self.out.push_str(")>");
                Ok(())
            }
            Object::Super { class, object } => {
                let _ = write!(
                    self.out,
                    "<super: <class '{}'>, <{} object>>",
                    vm.heap.classes[*class].name,
                    vm.type_name(*object)
                );
                Ok(())
            }
            Object::Lock(lock) => {
                let state = if lock.locked { "locked" } else { "unlocked" };
                self.object(&format!("{state} _thread.lock object"), value);
                Ok(())
            }
            Object::RLock(lock) => {
                let state = if lock.count > 0 { "locked" } else { "unlocked" };
                let owner = lock.holder.map_or(0, |thread| i64::from(thread.0) + 1);
                let what = format!(
                    "{state} _thread.RLock object owner={owner} count={}",
                    lock.count
                );
                self.object(&what, value);
                Ok(())
            }
            Object::Free
            | Object::Property { .. }
            | Object::Condition(_)
            | Object::Semaphore(_)
            | Object::Event(_)
            | Object::ThreadHandle(_)
            | Object::ProcessHandle { .. }
            | Object::Channel { .. }
            | Object::Traceback(_) => {
                self.object(&format!("{} object", vm.type_name(value)), value);
                Ok(())
            }
        }
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
