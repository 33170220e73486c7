//! What a dataclass says of its `__init__`: that it fills the fields with its arguments, by
//! position or name, and does nothing else. Then a call of the class makes the instance at once
//! (`call/construct.rs`). It is kept in the class where no script can reach it.

use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, Record};
use crate::vm::heap::object::Object;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx, Native, native};

pub(super) const NATIVES: &[Native] = &[native(
    "_class_record",
    "class_, init, names, defaults, frozen, /",
    class_record,
)];

impl Vm {
    /// The record of a class, if it still holds: a subclass has none, nor has a class that has got
    /// another `__init__`, a `__setattr__` that has a say, or a property in the place of a field.
    pub(in crate::vm) fn record(&self, class: Ref<Class>, init: Value) -> Option<&Record> {
        let record = self.heap.classes[class].record.as_deref()?;
        let property = |&field: &Name| {
            matches!(
                self.class_attribute(class, field),
                Some(Value::Object(it)) if matches!(self.heap.objects[it], Object::Property { .. })
            )
        };
        (record.init.same(init)
            && (record.frozen || !self.sets_attributes(class))
            && !record.fields.iter().any(property))
        .then_some(record)
    }
}

fn class_record(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let Value::Class(class) = ctx.arg(0) else {
        return Err(ctx.type_error("a record is of a class"));
    };
    let (init, names, defaults) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let frozen = matches!(ctx.arg(4), Value::Bool(true));
    let (names, defaults) = (ctx.collect(names)?, ctx.collect(defaults)?);
    let object = &ctx.vm.heap.classes[class];
    if object.exception || object.makes || object.builtin.is_some() {
        return Ok(Value::None);
    }
    if defaults.len() > names.len() {
        return Err(ctx.type_error("a default is of a field"));
    }
    let mut shape = object.root_shape;
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let Value::Str(text) = name else {
            return Err(ctx.type_error("a field has a name"));
        };
        let text = ctx.vm.heap.text_arc(text);
        let name = ctx.vm.intern(&text);
        if fields.contains(&name) {
            return Err(ctx.type_error("a field has a name of its own"));
        }
        shape = ctx.vm.shape_with(shape, name);
        fields.push(name);
    }
    ctx.vm.heap.classes[class].record = Some(Box::new(Record {
        init,
        shape,
        fields,
        defaults,
        frozen,
    }));
    Ok(Value::None)
}
