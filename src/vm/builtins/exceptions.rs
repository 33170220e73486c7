//! Methods of `object` and of exceptions that scripts call through `super()`.

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};

pub const NATIVES: &[Native] = &[
    method(Type::Object, "__init__", "self, /, *args", object_init),
    method(
        Type::Object,
        "__setattr__",
        "self, name, value, /",
        object_setattr,
    ),
    method(Type::Object, "__delattr__", "self, name, /", object_delattr),
    method(Type::BaseException, "__init__", "self, /, *args", |ctx| {
        exception_init(ctx, Type::BaseException)
    }),
    method(Type::OSError, "__init__", "self, /, *args", |ctx| {
        exception_init(ctx, Type::OSError)
    }),
    method(Type::StopIteration, "__init__", "self, /, *args", |ctx| {
        exception_init(ctx, Type::StopIteration)
    }),
    method(Type::SystemExit, "__init__", "self, /, *args", |ctx| {
        exception_init(ctx, Type::SystemExit)
    }),
    method(
        Type::BaseException,
        "with_traceback",
        "self, traceback, /",
        with_traceback,
    ),
    method(Type::BaseException, "add_note", "self, note, /", add_note),
];

fn object_init(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    if ctx.rest().is_empty() {
        return Ok(Value::None);
    }
    let of = ctx.vm.type_name(this).to_owned();
    Err(ctx.type_error(format!(
        "{of}.__init__() takes exactly one argument (the instance to initialize)"
    )))
}

fn object_setattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, key, value) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let (Value::Instance(instance), Value::Str(text)) = (this, key) else {
        return Err(ctx.type_error("__setattr__ takes an instance and the name of an attribute"));
    };
    let text = ctx.vm.heap.text_arc(text);
    let wanted = ctx.vm.intern(&text);
    ctx.set_attr_plainly(this, instance, wanted, value)?;
    Ok(Value::None)
}

fn object_delattr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, key) = (ctx.arg(0), ctx.arg(1));
    let (Value::Instance(instance), Value::Str(text)) = (this, key) else {
        return Err(ctx.type_error("__delattr__ takes an instance and the name of an attribute"));
    };
    let text = ctx.vm.heap.text_arc(text);
    let wanted = ctx.vm.intern(&text);
    ctx.del_attr_plainly(this, instance, wanted)?;
    Ok(Value::None)
}

fn exception_init(ctx: &mut Ctx<'_>, of: Type) -> Result<Value, Abrupt> {
    let args = ctx.rest();
    if let Value::Instance(instance) = ctx.arg(0) {
        ctx.vm.init_exception(instance, of, args);
    }
    Ok(Value::None)
}

fn with_traceback(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, traceback) = (ctx.arg(0), ctx.arg(1));
    ctx.set_attr(this, name::TRACEBACK, traceback)?;
    Ok(this)
}

fn add_note(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (Value::Instance(instance), note) = (ctx.arg(0), ctx.arg(1)) else {
        unreachable!("the receiver was checked")
    };
    if !matches!(note, Value::Str(_)) {
        let of = ctx.vm.type_name(note).to_owned();
        return Err(ctx.type_error(format!("note must be a str, not '{of}'")));
    }
    if let Some(Value::List(notes)) = ctx.vm.instance_attribute(instance, name::NOTES) {
        ctx.vm.heap.lists[notes].push(note);
    } else {
        let notes = ctx.vm.heap.new_list(vec![note]);
        ctx.vm.set_instance_attribute(instance, name::NOTES, notes);
    }
    Ok(Value::None)
}
