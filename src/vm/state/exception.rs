//! Making exceptions, and what some builtin ones keep beside their `args` (`Objects/exceptions.c`):
//! `OSError` fills its fields when it is made, or, where a class has an `__init__` of its own, when
//! that calls `OSError`'s; `StopIteration` and `SystemExit` in their `__init__`. Knows nothing of
//! frames or handlers.

use crate::vm::Vm;
use crate::vm::heap::Weight;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::fault::{Coded, Fault};
use crate::vm::heap::memory::Counted;
use crate::vm::heap::object::{Bytes, Exception, Instance};
use crate::vm::heap::value::{Ref, Value};
use smol_str::SmolStr;

/// Which fields an exception has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    None,
    /// `errno`, `strerror`, `filename`, `filename2`.
    Os,
    /// `value`.
    Stop,
    /// `code`.
    Exit,
}

impl Fields {
    fn names(self) -> &'static [Name] {
        match self {
            Fields::None => &[],
            Fields::Os => &[name::ERRNO, name::STRERROR, name::FILENAME, name::FILENAME2],
            Fields::Stop => &[name::VALUE],
            Fields::Exit => &[name::CODE],
        }
    }
}

impl Vm {
    /// An exception object of a builtin class.
    pub fn new_exception(&mut self, class: Type, args: Vec<Value>) -> Value {
        self.new_exception_of(class.class(), args)
    }

    /// An exception object of an exception class.
    pub fn new_exception_of(&mut self, class: Ref<Class>, args: Vec<Value>) -> Value {
        let shape = self.heap.classes[class].root_shape;
        let exception = self.made_exception(class, args);
        self.heap.allocated += Exception::BYTES + exception.outer_bytes();
        self.heap.new_instance(Instance {
            class,
            shape,
            slots: Vec::new(),
            dict: None,
            exception: Some(Box::new(exception)),
        })
    }

    /// The exception that a fault describes.
    pub fn exception_of(&mut self, fault: Fault) -> Value {
        if let Some(coding) = fault.coding {
            let args = vec![
                self.heap.new_string(coding.encoding),
                match coding.object {
                    Coded::Text(text) => self.heap.new_string(text),
                    Coded::Bytes(bytes) => self.heap.new_bytes(Bytes(bytes.into())),
                },
                Value::Int(coding.start as i64),
                Value::Int(coding.end as i64),
                self.heap.new_string(coding.reason),
            ];
            return self.new_exception(fault.class, args);
        }
        let mut args: Vec<Value> = fault.errno.map(Value::Int).into_iter().collect();
        if !fault.message.is_empty() {
            args.push(self.heap.new_str(fault.message));
        }
        self.new_exception(fault.class, args)
    }

    /// An exception with one message.
    pub(in crate::vm) fn throw(&mut self, class: Type, message: impl Into<SmolStr>) -> Value {
        let message = self.heap.new_str(message);
        self.new_exception(class, vec![message])
    }

    /// `MemoryError`.
    pub(in crate::vm) fn out_of_memory(&mut self) -> Value {
        self.new_exception(Type::MemoryError, Vec::new())
    }

    fn fields_of(&self, class: Ref<Class>) -> Fields {
        let is = |of: Type| self.is_subclass(class, of.class());
        if is(Type::OSError) {
            Fields::Os
        } else if is(Type::StopIteration) {
            Fields::Stop
        } else if is(Type::SystemExit) {
            Fields::Exit
        } else {
            Fields::None
        }
    }

    /// Has the class an `__init__` of the script's?
    fn has_own_init(&self, class: Ref<Class>) -> bool {
        matches!(
            self.class_attribute(class, name::INIT),
            Some(Value::Function(_))
        )
    }

    /// Is it a class of exceptions whose instances are made by an `__init__` of the script's?
    pub(in crate::vm) fn is_made_by_script(&self, value: Value) -> bool {
        match value {
            Value::Class(class) => self.heap.classes[class].exception && self.has_own_init(class),
            _ => false,
        }
    }

    /// What a new exception of a class has; its own `__init__` has not run yet, if it has one.
    pub(in crate::vm) fn made_exception(
        &mut self,
        class: Ref<Class>,
        args: Vec<Value>,
    ) -> Exception {
        let fields = self.fields_of(class);
        if self.has_own_init(class) {
            let args = if fields == Fields::Os {
                Vec::new()
            } else {
                args
            };
            return Exception {
                args,
                ..Exception::default()
            };
        }
        self.initialized(class, fields, args)
    }

    /// `OSError.__init__` and its like: `of` is the class whose `__init__` is called.
    pub(in crate::vm) fn init_exception(
        &mut self,
        instance: Ref<Instance>,
        of: Type,
        args: Vec<Value>,
    ) {
        let class = self.heap.instances[instance].class;
        let fields = self.fields_of(class);
        let made = match (of, fields) {
            // It was filled when it was made.
            (Type::OSError, Fields::Os) if !self.has_own_init(class) => return,
            (Type::OSError, Fields::Os)
            | (Type::StopIteration, Fields::Stop)
            | (Type::SystemExit, Fields::Exit) => self.initialized(class, fields, args),
            _ => {
                if let Some(exception) = self.heap.instances[instance].exception.as_deref_mut() {
                    exception.args = args;
                }
                return;
            }
        };
        if let Some(exception) = self.heap.instances[instance].exception.as_deref_mut() {
            exception.args = made.args;
            exception.fields = made.fields;
        }
    }

    /// What an exception of a class has once it is whole, whoever's `__init__` saw to it.
    pub(in crate::vm) fn whole_exception(
        &mut self,
        class: Ref<Class>,
        args: Vec<Value>,
    ) -> Exception {
        self.initialized(class, self.fields_of(class), args)
    }

    fn initialized(
        &mut self,
        class: Ref<Class>,
        fields: Fields,
        mut args: Vec<Value>,
    ) -> Exception {
        let fields = match fields {
            Fields::None => Vec::new(),
            Fields::Stop => args.first().copied().into_iter().collect(),
            Fields::Exit => match args[..] {
                [] => Vec::new(),
                [code] => vec![code],
                _ => vec![self.heap.new_tuple(args.clone())],
            },
            Fields::Os if !(2..=5).contains(&args.len()) => Vec::new(),
            Fields::Os => {
                let file = |at: usize| args.get(at).copied().unwrap_or(Value::None);
                // The third argument of `BlockingIOError` may be how many characters were written.
                let counts = class == Type::BlockingIOError.class()
                    && matches!(file(2), Value::Int(_) | Value::Bool(_) | Value::Float(_));
                let mut fields = vec![args[0], args[1]];
                if !counts && !matches!(file(2), Value::None) {
                    fields.extend([file(2), file(4)]);
                    args.truncate(2);
                }
                fields
            }
        };
        Exception {
            args,
            fields,
            ..Exception::default()
        }
    }

    /// The field of this name, if the exception has such a field.
    pub(in crate::vm) fn exception_field(
        &self,
        instance: Ref<Instance>,
        wanted: Name,
    ) -> Option<Value> {
        let object = &self.heap.instances[instance];
        let fields = &object.exception.as_deref()?.fields;
        let names = self.fields_of(object.class).names();
        let at = names.iter().position(|&name| name == wanted)?;
        let field = fields.get(at).copied().unwrap_or(Value::None);
        Some(field.or(Value::None))
    }

    /// Sets a field; false if the exception has no such field.
    pub(in crate::vm) fn set_exception_field(
        &mut self,
        instance: Ref<Instance>,
        wanted: Name,
        value: Value,
    ) -> bool {
        let names = self.fields_of(self.heap.instances[instance].class).names();
        let Some(at) = names.iter().position(|&name| name == wanted) else {
            return false;
        };
        let Some(exception) = self.heap.instances[instance].exception.as_deref_mut() else {
            return false;
        };
        if exception.fields.len() <= at {
            exception.fields.resize(at + 1, Value::Unbound);
        }
        exception.fields[at] = value;
        true
    }

    /// The arguments that make such an exception anew: those of an `OSError` with the files that
    /// they do not show.
    pub(in crate::vm) fn arguments_to_make(&self, instance: Ref<Instance>) -> Vec<Value> {
        let Some(exception) = self.heap.instances[instance].exception.as_deref() else {
            return Vec::new();
        };
        let mut args = exception.args.clone();
        let file = |wanted| {
            self.exception_field(instance, wanted)
                .unwrap_or(Value::None)
        };
        let (first, second) = (file(name::FILENAME), file(name::FILENAME2));
        if args.len() == 2 && !matches!(first, Value::None) {
            args.push(first);
            if !matches!(second, Value::None) {
                args.extend([Value::None, second]);
            }
        }
        args
    }

    pub(in crate::vm) fn is_stop_iteration(&self, exception: Value) -> bool {
        self.is_instance(exception, Type::StopIteration.class())
    }

    /// `StopIteration.value`.
    pub(in crate::vm) fn stop_value(&self, exception: Value) -> Value {
        match exception {
            Value::Instance(it) => self.exception_field(it, name::VALUE).unwrap_or(Value::None),
            _ => Value::None,
        }
    }
}
