//! What a dataclass says of its `__init__`: that it fills the fields with its arguments, by position or name, and does nothing else. Then a call of the class
//! makes the instance at once. It is an attribute of the class that scripts do not see the inside of: (class, `__init__`, shape, names, defaults).

use crate::vm::Vm;
use crate::vm::class::{Class, Name, Type, name};
use crate::vm::native::{Ctx, Interrupt, Native, native};
use crate::vm::object::Object;
use crate::vm::value::{Ref, Value};

pub(super) const NATIVES: &[Native] = &[native(
    "_class_record",
    "class_, init, names, defaults, /",
    class_record,
)];

pub(in crate::vm) struct Record<'a> {
    /// That of an instance with all fields.
    pub(in crate::vm) shape: u32,
    /// Their names, by number, in order.
    pub(in crate::vm) fields: &'a [Value],
    /// Of the last fields.
    pub(in crate::vm) defaults: &'a [Value],
}

impl<'a> Record<'a> {
    /// That of a class, if it still holds: a subclass has none, nor has a class with another `__init__` or a property in the place of a field.
    pub(in crate::vm) fn of(vm: &'a Vm, class: Ref<Class>, init: Value) -> Option<Record<'a>> {
        let Value::Tuple(record) = vm.class_attribute(class, name::RECORD)? else {
            return None;
        };
        let [
            of,
            known,
            Value::Int(shape),
            Value::Tuple(fields),
            Value::Tuple(defaults),
        ] = *vm.heap.tuples[record].0
        else {
            return None;
        };
        if !of.same(Value::Class(class)) || !known.same(init) {
            return None;
        }
        let record = Record {
            shape: shape as u32,
            fields: &vm.heap.tuples[fields].0,
            defaults: &vm.heap.tuples[defaults].0,
        };
        let property = record.fields.iter().any(|&field| {
            let Value::Int(field) = field else {
                return true;
            };
            match vm.class_attribute(class, Name(field as u32)) {
                Some(Value::Object(it)) => matches!(vm.heap.objects[it], Object::Property { .. }),
                _ => false,
            }
        });
        (!property).then_some(record)
    }
}

fn class_record(ctx: &mut Ctx<'_>) -> Result<Value, Interrupt> {
    let Value::Class(class) = ctx.arg(0) else {
        return Err(ctx.type_error("a record is of a class"));
    };
    let (init, names, defaults) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let (names, defaults) = (ctx.collect(names)?, ctx.collect(defaults)?);
    if ctx.vm.heap.classes[class].exception || ctx.vm.heap.classes[class].makes {
        return Ok(Value::None);
    }
    let mut shape = ctx.vm.heap.classes[class].root_shape;
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let Value::Str(text) = name else {
            return Err(ctx.error(Type::TypeError, "a field has a name"));
        };
        let text = ctx.vm.heap.text_arc(text);
        let name = ctx.vm.intern(&text);
        shape = ctx.vm.shape_with(shape, name);
        fields.push(Value::Int(name.0.into()));
    }
    let fields = ctx.vm.heap.new_tuple(fields);
    let defaults = ctx.vm.heap.new_tuple(defaults);
    let shape = Value::Int(shape.into());
    let record = [Value::Class(class), init, shape, fields, defaults];
    let record = ctx.vm.heap.new_tuple(record);
    ctx.vm.set_class_attribute(class, name::RECORD, record);
    Ok(Value::None)
}
