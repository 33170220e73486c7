//! Attributes of builtin objects that are data, not methods: `range.start`, `slice.stop`,
//! `property.fget`.

use crate::vm::Vm;
use crate::vm::heap::class::{Name, name};
use crate::vm::heap::object::{Object, Range};
use crate::vm::heap::value::Value;

/// The data attribute of a builtin value, if it has one of this name.
pub(in crate::vm) fn builtin_attribute(vm: &mut Vm, value: Value, wanted: Name) -> Option<Value> {
    let text = vm.names[wanted].clone();
    match value {
        Value::Range(it) => {
            let Range { start, stop, step } = vm.heap.ranges[it];
            match &*text {
                "start" => Some(Value::Int(start)),
                "stop" => Some(Value::Int(stop)),
                "step" => Some(Value::Int(step)),
                _ => None,
            }
        }
        Value::Object(it) => match &vm.heap.objects[it] {
            Object::Slice { lower, upper, step } => match &*text {
                "start" => Some(*lower),
                "stop" => Some(*upper),
                "step" => Some(*step),
                _ => None,
            },
            Object::Property {
                getter,
                setter,
                deleter,
                doc,
                name: _,
            } => match &*text {
                "fget" => Some(*getter),
                "fset" => Some(*setter),
                "fdel" => Some(*deleter),
                _ if wanted == name::DOC => Some(*doc),
                _ => None,
            },
            Object::StaticMethod(inner) | Object::ClassMethod(inner) => {
                (wanted == name::FUNC || wanted == name::WRAPPED).then_some(*inner)
            }
            Object::View { dict, .. } => (&*text == "mapping").then_some(Value::Dict(*dict)),
            Object::Namespace(dict) => {
                let dict = *dict;
                if wanted == name::DICT {
                    return Some(Value::Dict(dict));
                }
                vm.dict_get_str(dict, &text)
            }
            _ => None,
        },
        _ => None,
    }
}
