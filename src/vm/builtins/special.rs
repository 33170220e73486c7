//! The special methods of builtin types, for scripts that call them by name (`(3).__add__(4)`,
//! `super().__repr__()`) or ask whether they are there. The operators do not come by here.

use crate::operator::{BinaryOp, CompareOp, UnaryOp};
use crate::vm::heap::class::Type;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};

/// For each type, the names of its special methods.
macro_rules! specials {
    ($($of:ident: $($name:ident)*;)*) => {
        &[$($(special!($of $name)),*),*]
    };
}

macro_rules! special {
    ($of:ident eq) => {
        method(Type::$of, "__eq__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Eq)
        })
    };
    ($of:ident ne) => {
        method(Type::$of, "__ne__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Ne)
        })
    };
    ($of:ident lt) => {
        method(Type::$of, "__lt__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Lt)
        })
    };
    ($of:ident le) => {
        method(Type::$of, "__le__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Le)
        })
    };
    ($of:ident gt) => {
        method(Type::$of, "__gt__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Gt)
        })
    };
    ($of:ident ge) => {
        method(Type::$of, "__ge__", "self, value, /", |ctx| {
            compare(ctx, CompareOp::Ge)
        })
    };
    ($of:ident add) => {
        method(Type::$of, "__add__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Add)
        })
    };
    ($of:ident sub) => {
        method(Type::$of, "__sub__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Sub)
        })
    };
    ($of:ident mul) => {
        method(Type::$of, "__mul__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Mul)
        })
    };
    ($of:ident truediv) => {
        method(Type::$of, "__truediv__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Div)
        })
    };
    ($of:ident floordiv) => {
        method(Type::$of, "__floordiv__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::FloorDiv)
        })
    };
    ($of:ident modulo) => {
        method(Type::$of, "__mod__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Mod)
        })
    };
    ($of:ident pow) => {
        method(Type::$of, "__pow__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Pow)
        })
    };
    ($of:ident and) => {
        method(Type::$of, "__and__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::BitAnd)
        })
    };
    ($of:ident or) => {
        method(Type::$of, "__or__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::BitOr)
        })
    };
    ($of:ident xor) => {
        method(Type::$of, "__xor__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::BitXor)
        })
    };
    ($of:ident lshift) => {
        method(Type::$of, "__lshift__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Shl)
        })
    };
    ($of:ident rshift) => {
        method(Type::$of, "__rshift__", "self, value, /", |ctx| {
            binary(ctx, BinaryOp::Shr)
        })
    };
    ($of:ident radd) => {
        method(Type::$of, "__radd__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Add)
        })
    };
    ($of:ident rsub) => {
        method(Type::$of, "__rsub__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Sub)
        })
    };
    ($of:ident rmul) => {
        method(Type::$of, "__rmul__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Mul)
        })
    };
    ($of:ident rtruediv) => {
        method(Type::$of, "__rtruediv__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Div)
        })
    };
    ($of:ident rfloordiv) => {
        method(Type::$of, "__rfloordiv__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::FloorDiv)
        })
    };
    ($of:ident rmod) => {
        method(Type::$of, "__rmod__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Mod)
        })
    };
    ($of:ident rpow) => {
        method(Type::$of, "__rpow__", "self, value, /", |ctx| {
            reflected(ctx, BinaryOp::Pow)
        })
    };
    ($of:ident iadd) => {
        method(Type::$of, "__iadd__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::Add)
        })
    };
    ($of:ident imul) => {
        method(Type::$of, "__imul__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::Mul)
        })
    };
    ($of:ident iand) => {
        method(Type::$of, "__iand__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::BitAnd)
        })
    };
    ($of:ident ior) => {
        method(Type::$of, "__ior__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::BitOr)
        })
    };
    ($of:ident ixor) => {
        method(Type::$of, "__ixor__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::BitXor)
        })
    };
    ($of:ident isub) => {
        method(Type::$of, "__isub__", "self, value, /", |ctx| {
            in_place(ctx, BinaryOp::Sub)
        })
    };
    ($of:ident neg) => {
        method(Type::$of, "__neg__", "self, /", |ctx| {
            unary(ctx, UnaryOp::Neg)
        })
    };
    ($of:ident pos) => {
        method(Type::$of, "__pos__", "self, /", |ctx| {
            unary(ctx, UnaryOp::Pos)
        })
    };
    ($of:ident invert) => {
        method(Type::$of, "__invert__", "self, /", |ctx| {
            unary(ctx, UnaryOp::Invert)
        })
    };
    ($of:ident boolean) => {
        method(Type::$of, "__bool__", "self, /", boolean)
    };
    ($of:ident index) => {
        method(Type::$of, "__index__", "self, /", index)
    };
    ($of:ident int) => {
        method(Type::$of, "__int__", "self, /", |ctx| {
            converted(ctx, Type::Int)
        })
    };
    ($of:ident float) => {
        method(Type::$of, "__float__", "self, /", |ctx| {
            converted(ctx, Type::Float)
        })
    };
    ($of:ident abs) => {
        method(Type::$of, "__abs__", "self, /", |ctx| {
            by_function(ctx, "abs")
        })
    };
    ($of:ident round) => {
        method(Type::$of, "__round__", "self, ndigits=, /", |ctx| {
            by_function(ctx, "round")
        })
    };
    ($of:ident divmod) => {
        method(Type::$of, "__divmod__", "self, value, /", |ctx| {
            by_function(ctx, "divmod")
        })
    };
    ($of:ident repr) => {
        method(Type::$of, "__repr__", "self, /", repr)
    };
    ($of:ident str) => {
        method(Type::$of, "__str__", "self, /", str)
    };
    ($of:ident hash) => {
        method(Type::$of, "__hash__", "self, /", hash)
    };
    ($of:ident format) => {
        method(Type::$of, "__format__", "self, format_spec, /", format)
    };
    ($of:ident len) => {
        method(Type::$of, "__len__", "self, /", len)
    };
    ($of:ident iter) => {
        method(Type::$of, "__iter__", "self, /", iter)
    };
    ($of:ident contains) => {
        method(Type::$of, "__contains__", "self, key, /", contains)
    };
    ($of:ident getitem) => {
        method(Type::$of, "__getitem__", "self, key, /", getitem)
    };
    ($of:ident setitem) => {
        method(Type::$of, "__setitem__", "self, key, value, /", setitem)
    };
    ($of:ident delitem) => {
        method(Type::$of, "__delitem__", "self, key, /", delitem)
    };
    ($of:ident call) => {
        method(Type::$of, "__call__", "self, /, *args, **kwargs", call)
    };
}

pub(super) const NATIVES: &[Native] = specials! {
    Object: eq ne lt le gt ge repr str hash format;
    BaseException: repr str;
    Type: call;
    Function: call;
    BuiltinFunction: call;
    MethodType: call;
    Int: eq ne lt le gt ge add sub mul truediv floordiv modulo pow and or xor lshift rshift radd rsub rmul rtruediv rfloordiv rmod rpow
        neg pos invert boolean index int float abs round divmod repr hash format;
    Float: eq ne lt le gt ge add sub mul truediv floordiv modulo pow radd rsub rmul rtruediv rfloordiv rmod rpow
        neg pos boolean int float abs round divmod repr hash format;
    Str: eq ne lt le gt ge add mul rmul modulo repr str hash format len iter contains getitem;
    Bytes: eq ne lt le gt ge add mul rmul modulo repr hash len iter contains getitem;
    List: eq ne lt le gt ge add mul rmul iadd imul repr len iter contains getitem setitem delitem;
    Tuple: eq ne lt le gt ge add mul rmul repr hash len iter contains getitem;
    Dict: eq ne or ior repr len iter contains getitem setitem delitem;
    Set: eq ne lt le gt ge and or xor sub iand ior ixor isub repr len iter contains;
    FrozenSet: eq ne lt le gt ge and or xor sub repr hash len iter contains;
    Range: eq ne repr hash len iter contains getitem;
    DictKeys: eq ne lt le gt ge and or xor sub repr len iter contains;
    DictValues: repr len iter;
    DictItems: eq ne lt le gt ge and or xor sub repr len iter contains;
};

/// Does the receiver's type know how to compare or combine itself with the other value?
fn knows(ctx: &Ctx<'_>, this: Value, other: Value) -> bool {
    let heap = &ctx.vm.heap;
    match (this, other) {
        (
            Value::Bool(_) | Value::Int(_) | Value::Big(_),
            Value::Bool(_) | Value::Int(_) | Value::Big(_),
        )
        | (Value::Float(_), Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_))
        | (Value::Str(_), Value::Str(_))
        | (Value::Bytes(_), Value::Bytes(_))
        | (Value::List(_), Value::List(_))
        | (Value::Tuple(_), Value::Tuple(_))
        | (Value::Dict(_), Value::Dict(_))
        | (Value::Range(_), Value::Range(_)) => true,
        _ => heap.is_set_like(this) && heap.is_set_like(other),
    }
}

fn compare(ctx: &mut Ctx<'_>, op: CompareOp) -> Result<Value, Abrupt> {
    let (this, other) = (ctx.arg(0), ctx.arg(1));
    let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
    if knows(ctx, this, other) && (equality || !matches!(this, Value::Dict(_) | Value::Range(_))) {
        return ctx.compare(op, this, other);
    }
    // What every object can say: it is equal to itself, and `!=` is the opposite of its own `==`.
    match op {
        CompareOp::Eq if this.same(other) => Ok(Value::Bool(true)),
        CompareOp::Ne if matches!(this, Value::Instance(_)) => {
            let Some(method) = ctx.vm.special(this, crate::vm::heap::class::name::EQ) else {
                return Ok(if this.same(other) {
                    Value::Bool(false)
                } else {
                    Value::NotImplemented
                });
            };
            let equal = ctx.call(method, &[this, other])?;
            match equal {
                Value::NotImplemented => Ok(equal),
                _ => Ok(Value::Bool(!ctx.truth(equal)?)),
            }
        }
        _ => Ok(Value::NotImplemented),
    }
}

fn binary(ctx: &mut Ctx<'_>, op: BinaryOp) -> Result<Value, Abrupt> {
    let (this, other) = (ctx.arg(0), ctx.arg(1));
    combine(ctx, op, this, other, this)
}

fn reflected(ctx: &mut Ctx<'_>, op: BinaryOp) -> Result<Value, Abrupt> {
    let (this, other) = (ctx.arg(0), ctx.arg(1));
    combine(ctx, op, other, this, this)
}

/// `a op b` as one of them, the receiver, sees it.
fn combine(
    ctx: &mut Ctx<'_>,
    op: BinaryOp,
    a: Value,
    b: Value,
    this: Value,
) -> Result<Value, Abrupt> {
    let other = if this.same(a) { b } else { a };
    // Sequences raise what they cannot take; everything else leaves it to the other side.
    let sequence = matches!(
        this,
        Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_)
    );
    if sequence || knows(ctx, this, other) {
        ctx.binary(op, a, b)
    } else {
        Ok(Value::NotImplemented)
    }
}

fn in_place(ctx: &mut Ctx<'_>, op: BinaryOp) -> Result<Value, Abrupt> {
    let (this, other) = (ctx.arg(0), ctx.arg(1));
    if matches!(this, Value::Set(_)) && !knows(ctx, this, other) {
        return Ok(Value::NotImplemented);
    }
    ctx.in_place(op, this, other)
}

fn unary(ctx: &mut Ctx<'_>, op: UnaryOp) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    ctx.unary(op, this)
}

fn boolean(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    Ok(Value::Bool(ctx.truth(this)?))
}

fn index(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    ctx.integer(this)
}

fn converted(ctx: &mut Ctx<'_>, to: Type) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    ctx.call(to.value(), &[this])
}

/// What the builtin function of this name does.
fn by_function(ctx: &mut Ctx<'_>, function: &str) -> Result<Value, Abrupt> {
    let args: Vec<Value> = [ctx.arg(0), ctx.arg(1)]
        .into_iter()
        .filter(|arg| arg.is_bound())
        .collect();
    let Some(function) = ctx.vm.image.natives.find(function) else {
        unreachable!("there is a builtin function of this name")
    };
    ctx.call(Value::Native(function), &args)
}

fn repr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    let text = ctx.inherited_repr(this)?;
    Ok(ctx.vm.heap.new_string(text))
}

fn str(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    let text = ctx.inherited_str(this)?;
    Ok(ctx.vm.heap.new_string(text))
}

fn hash(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    Ok(Value::Int(ctx.inherited_hash(this)?))
}

fn format(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, spec) = (ctx.arg(0), ctx.arg(1));
    let Value::Str(text) = spec else {
        let message = format!(
            "__format__() argument must be str, not {}",
            ctx.vm.type_name(spec)
        );
        return Err(ctx.type_error(message));
    };
    let spec = ctx.vm.heap.text(text).to_owned();
    let text = match this {
        Value::Instance(_) if spec.is_empty() => ctx.str(this)?,
        Value::Instance(_) => {
            let message = format!(
                "unsupported format string passed to {}.__format__",
                ctx.vm.type_name(this)
            );
            return Err(ctx.type_error(message));
        }
        _ => ctx.format(this, &spec)?,
    };
    Ok(ctx.vm.heap.new_string(text))
}

fn len(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    Ok(Value::Int(ctx.len(this)? as i64))
}

fn iter(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    ctx.iterator_of(this)
}

fn contains(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, item) = (ctx.arg(0), ctx.arg(1));
    Ok(Value::Bool(ctx.contains(this, item)?))
}

fn getitem(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, key) = (ctx.arg(0), ctx.arg(1));
    ctx.get_item(this, key)
}

fn setitem(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, key, value) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    ctx.set_item(this, key, value)?;
    Ok(Value::None)
}

fn delitem(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (this, key) = (ctx.arg(0), ctx.arg(1));
    ctx.del_item(this, key)?;
    Ok(Value::None)
}

fn call(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let this = ctx.arg(0);
    if !ctx.keywords().is_empty() {
        return Err(ctx.type_error("__call__() takes no keyword arguments here"));
    }
    let args = ctx.rest();
    ctx.call(this, &args)
}
