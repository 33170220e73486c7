//! Functions about objects as such: classes, identity, attributes, text, hash; and the wrappers
//! that a class body uses (`property` …).

use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::object::{Instance, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::protocol::address;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("object", "*args", object),
    native("type", "*args", type_of),
    native("isinstance", "obj, class_or_tuple, /", isinstance),
    native("issubclass", "cls, class_or_tuple, /", issubclass),
    native("callable", "obj, /", |ctx| {
        Ok(Value::Bool(ctx.is_callable(ctx.arg(0))))
    }),
    native("id", "obj, /", |ctx| Ok(Value::Int(address(ctx.arg(0))))),
    native("hash", "obj, /", hash),
    native("repr", "obj, /", repr),
    native("getattr", "object, name, default=, /", getattr),
    native("setattr", "obj, name, value, /", setattr),
    native("delattr", "obj, name, /", delattr),
    native("hasattr", "obj, name, /", hasattr),
    native("vars", "object, /", vars),
    native("_instance_new", "cls, /", instance_new),
    native("_attribute", "object, name, /", attribute),
    native("property", "fget=, fset=, fdel=, doc=", property),
    method(Type::Property, "getter", "self, function, /", |ctx| {
        property_with(ctx, 0)
    }),
    method(Type::Property, "setter", "self, function, /", |ctx| {
        property_with(ctx, 1)
    }),
    method(Type::Property, "deleter", "self, function, /", |ctx| {
        property_with(ctx, 2)
    }),
    native("staticmethod", "function, /", |ctx| {
        let function = ctx.arg(0);
        Ok(ctx.vm.heap.new_object(Object::StaticMethod(function)))
    }),
    native("classmethod", "function, /", |ctx| {
        let function = ctx.arg(0);
        Ok(ctx.vm.heap.new_object(Object::ClassMethod(function)))
    }),
];

fn object(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    if !ctx.rest().is_empty() {
        return Err(ctx.type_error("object() takes no arguments"));
    }
    let class = Type::Object.class();
    let shape = ctx.vm.heap.classes[class].root_shape;
    Ok(ctx.vm.heap.new_instance(Instance {
        class,
        shape,
        ..Instance::default()
    }))
}

fn type_of(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    match *ctx.rest() {
        [value] => Ok(Value::Class(ctx.vm.class_of(value))),
        [_, _, _] => {
            Err(ctx
                .type_error("type() with 3 arguments is not part of Mini; write a class statement"))
        }
        _ => Err(ctx.type_error("type() takes 1 or 3 arguments")),
    }
}

fn isinstance(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let class = ctx.vm.class_of(ctx.arg(0));
    let wanted = ctx.arg(1);
    within(
        ctx,
        class,
        wanted,
        "isinstance() arg 2 must be a type, a tuple of types, or a union",
    )
}

fn issubclass(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Class(class) = ctx.arg(0) else {
        return Err(ctx.type_error("issubclass() arg 1 must be a class"));
    };
    let wanted = ctx.arg(1);
    within(
        ctx,
        class,
        wanted,
        "issubclass() arg 2 must be a class, a tuple of classes, or a union",
    )
}

/// Does a class derive from another, or from one of a tuple, which may hold tuples in turn? A class
/// of the library may stand for a built-in one that it does not derive from.
fn within(
    ctx: &mut Ctx<'_>,
    class: Ref<Class>,
    wanted: Value,
    refusal: &str,
) -> Result<Value, Abrupt> {
    let mut pending = vec![wanted];
    while let Some(wanted) = pending.pop() {
        match wanted {
            Value::Class(of) => {
                let stands = ctx.vm.class_attribute(class, name::STANDS_FOR);
                if ctx.vm.is_subclass(class, of)
                    || matches!(stands, Some(Value::Class(it)) if ctx.vm.is_subclass(it, of))
                {
                    return Ok(Value::Bool(true));
                }
            }
            Value::Tuple(classes) => {
                pending.extend(ctx.vm.heap.tuples[classes].0.iter().rev());
            }
            _ => return Err(ctx.type_error(refusal)),
        }
    }
    Ok(Value::Bool(false))
}

fn hash(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    Ok(Value::Int(ctx.hash(value)?))
}

fn repr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    let text = ctx.repr(value)?;
    Ok(ctx.vm.heap.new_string(text))
}

/// The name in the second argument.
fn wanted(ctx: &mut Ctx<'_>) -> Result<Name, Abrupt> {
    match ctx.arg(1) {
        Value::Str(text) => {
            let text = ctx.vm.heap.text_arc(text);
            Ok(ctx.vm.intern(&text))
        }
        other => {
            let message = format!(
                "attribute name must be string, not '{}'",
                ctx.vm.type_name(other)
            );
            Err(ctx.type_error(message))
        }
    }
}

/// An instance on which `__init__` has yet to be called: for the library's `__new__`.
fn instance_new(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Class(class) = ctx.arg(0) else {
        return Err(ctx.type_error("expected a class"));
    };
    let shape = ctx.vm.heap.classes[class].root_shape;
    Ok(ctx.vm.heap.new_instance(Instance {
        class,
        shape,
        ..Instance::default()
    }))
}

/// An attribute by its name's text; also what `getattr` asks for when it must survive an exception
/// of the script.
fn attribute(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let name = wanted(ctx)?;
    let object = ctx.arg(0);
    ctx.get_attr(object, name)
}

/// The attribute, or none if there is no such one.
fn find(ctx: &mut Ctx<'_>) -> Result<Option<Value>, Abrupt> {
    wanted(ctx)?;
    let (object, text) = (ctx.arg(0), ctx.arg(1));
    let Some(native) = ctx.vm.image.natives.find("_attribute") else {
        unreachable!("it is in this file's table")
    };
    match ctx.try_call(Value::Native(native), &[object, text])? {
        Ok(value) => Ok(Some(value)),
        Err(exception)
            if ctx
                .vm
                .is_subclass(ctx.vm.class_of(exception), Type::AttributeError.class()) =>
        {
            Ok(None)
        }
        Err(exception) => Err(Abrupt::Throw(exception)),
    }
}

fn getattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let otherwise = ctx.arg(2);
    if !otherwise.is_bound() {
        return attribute(ctx);
    }
    Ok(find(ctx)?.unwrap_or(otherwise))
}

fn hasattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    Ok(Value::Bool(find(ctx)?.is_some()))
}

fn setattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let name = wanted(ctx)?;
    let (object, value) = (ctx.arg(0), ctx.arg(2));
    ctx.set_attr(object, name, value)?;
    Ok(Value::None)
}

fn delattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let name = wanted(ctx)?;
    let object = ctx.arg(0);
    ctx.del_attr(object, name)?;
    Ok(Value::None)
}

fn vars(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = ctx.arg(0);
    match ctx.get_attr(object, name::DICT) {
        Err(Abrupt::Throw(_)) => {
            Err(ctx.type_error("vars() argument must have __dict__ attribute"))
        }
        other => other,
    }
}

fn property(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let [getter, setter, deleter, doc] = [0, 1, 2, 3].map(|at| ctx.arg(at).or(Value::None));
    let doc = match (doc, getter) {
        (Value::None, Value::Function(_)) => ctx.get_attr(getter, name::DOC)?,
        _ => doc,
    };
    Ok(ctx.vm.heap.new_object(Object::Property {
        getter,
        setter,
        deleter,
        doc,
        name: None,
    }))
}

/// A copy of a property with another getter, setter or deleter.
fn property_with(ctx: &mut Ctx<'_>, which: usize) -> Result<Value, Abrupt> {
    let function = ctx.arg(1);
    let Value::Object(it) = ctx.arg(0) else {
        unreachable!("the receiver was checked")
    };
    let Object::Property {
        getter,
        setter,
        deleter,
        doc,
        name,
    } = ctx.vm.heap.objects[it]
    else {
        unreachable!("the receiver was checked")
    };
    let mut functions = [getter, setter, deleter];
    functions[which] = function;
    let [getter, setter, deleter] = functions;
    Ok(ctx.vm.heap.new_object(Object::Property {
        getter,
        setter,
        deleter,
        doc,
        name,
    }))
}

impl Ctx<'_> {
    /// Can it be called?
    pub(in crate::vm) fn is_callable(&self, value: Value) -> bool {
        match value {
            Value::Function(_) | Value::Native(_) | Value::Method(_) | Value::Class(_) => true,
            Value::Instance(it) => self
                .vm
                .class_attribute(self.vm.heap.instances[it].class, name::CALL)
                .is_some(),
            Value::Object(it) => matches!(self.vm.heap.objects[it], Object::StaticMethod(_)),
            _ => false,
        }
    }
}
