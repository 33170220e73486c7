//! What instructions call when their fast paths do not apply: each operator as a native, so that a
//! dunder method of the script can be asked.

use crate::operator::{BinaryOp, CompareOp, UnaryOp};
use crate::vm::builtins::generator;
use crate::vm::heap::class::{Name, name};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{NativeId, Value};
use crate::vm::semantics::protocol::Algebra;
use crate::vm::state::native::{Abrupt, Ctx, Native, native};
use smol_str::SmolStr;

macro_rules! operators {
    ($($constant:ident $name:literal $signature:literal $function:expr;)*) => {
        #[expect(clippy::upper_case_acronyms, non_camel_case_types, reason = "an index list, one variant for each constant")]
        enum Place { $($constant),* }
        $(pub const $constant: NativeId = NativeId(generator::NATIVES.len() as u16 + Place::$constant as u16);)*
        pub const NATIVES: &[Native] = &[$(native($name, $signature, $function)),*];
    };
}

operators! {
    TRUTH "_truth" "value, /" |ctx| { let value = ctx.arg(0); Ok(Value::Bool(ctx.truth(value)?)) };
    NOT "_not" "value, /" |ctx| unary(ctx, UnaryOp::Not);
    NEG "_neg" "value, /" |ctx| unary(ctx, UnaryOp::Neg);
    POS "_pos" "value, /" |ctx| unary(ctx, UnaryOp::Pos);
    INVERT "_invert" "value, /" |ctx| unary(ctx, UnaryOp::Invert);
    ADD "_add" "a, b, /" |ctx| binary(ctx, BinaryOp::Add);
    SUB "_sub" "a, b, /" |ctx| binary(ctx, BinaryOp::Sub);
    MUL "_mul" "a, b, /" |ctx| binary(ctx, BinaryOp::Mul);
    DIV "_div" "a, b, /" |ctx| binary(ctx, BinaryOp::Div);
    FLOOR_DIV "_floordiv" "a, b, /" |ctx| binary(ctx, BinaryOp::FloorDiv);
    MOD "_mod" "a, b, /" |ctx| binary(ctx, BinaryOp::Mod);
    POW "_pow" "a, b, /" |ctx| binary(ctx, BinaryOp::Pow);
    BIT_AND "_bitand" "a, b, /" |ctx| binary(ctx, BinaryOp::BitAnd);
    BIT_OR "_bitor" "a, b, /" |ctx| binary(ctx, BinaryOp::BitOr);
    BIT_XOR "_bitxor" "a, b, /" |ctx| binary(ctx, BinaryOp::BitXor);
    SHL "_shl" "a, b, /" |ctx| binary(ctx, BinaryOp::Shl);
    SHR "_shr" "a, b, /" |ctx| binary(ctx, BinaryOp::Shr);
    IN_PLACE_ADD "_iadd" "a, b, /" |ctx| in_place(ctx, BinaryOp::Add);
    IN_PLACE_SUB "_isub" "a, b, /" |ctx| in_place(ctx, BinaryOp::Sub);
    IN_PLACE_MUL "_imul" "a, b, /" |ctx| in_place(ctx, BinaryOp::Mul);
    IN_PLACE_DIV "_idiv" "a, b, /" |ctx| in_place(ctx, BinaryOp::Div);
    IN_PLACE_FLOOR_DIV "_ifloordiv" "a, b, /" |ctx| in_place(ctx, BinaryOp::FloorDiv);
    IN_PLACE_MOD "_imod" "a, b, /" |ctx| in_place(ctx, BinaryOp::Mod);
    IN_PLACE_POW "_ipow" "a, b, /" |ctx| in_place(ctx, BinaryOp::Pow);
    IN_PLACE_BIT_AND "_ibitand" "a, b, /" |ctx| in_place(ctx, BinaryOp::BitAnd);
    IN_PLACE_BIT_OR "_ibitor" "a, b, /" |ctx| in_place(ctx, BinaryOp::BitOr);
    IN_PLACE_BIT_XOR "_ibitxor" "a, b, /" |ctx| in_place(ctx, BinaryOp::BitXor);
    IN_PLACE_SHL "_ishl" "a, b, /" |ctx| in_place(ctx, BinaryOp::Shl);
    IN_PLACE_SHR "_ishr" "a, b, /" |ctx| in_place(ctx, BinaryOp::Shr);
    EQ "_eq" "a, b, /" |ctx| compare(ctx, CompareOp::Eq);
    NE "_ne" "a, b, /" |ctx| compare(ctx, CompareOp::Ne);
    LT "_lt" "a, b, /" |ctx| compare(ctx, CompareOp::Lt);
    LE "_le" "a, b, /" |ctx| compare(ctx, CompareOp::Le);
    GT "_gt" "a, b, /" |ctx| compare(ctx, CompareOp::Gt);
    GE "_ge" "a, b, /" |ctx| compare(ctx, CompareOp::Ge);
    IS "_is" "a, b, /" |ctx| compare(ctx, CompareOp::Is);
    IS_NOT "_isnot" "a, b, /" |ctx| compare(ctx, CompareOp::IsNot);
    IN "_in" "a, b, /" |ctx| compare(ctx, CompareOp::In);
    NOT_IN "_notin" "a, b, /" |ctx| compare(ctx, CompareOp::NotIn);
    ITER "_iter" "value, /" |ctx| { let value = ctx.arg(0); ctx.iterator_of(value) };
    STEP "_step" "iterator, /" |ctx| { let iterator = ctx.arg(0); Ok(ctx.next(iterator)?.unwrap_or(Value::Unbound)) };
    GET_ITEM "_getitem" "object, key, /" |ctx| { let (object, key) = (ctx.arg(0), ctx.arg(1)); ctx.get_item(object, key) };
    SET_ITEM "_setitem" "object, key, value, /" |ctx| {
        let (object, key, value) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
        ctx.set_item(object, key, value)?;
        Ok(Value::None)
    };
    DEL_ITEM "_delitem" "object, key, /" |ctx| {
        let (object, key) = (ctx.arg(0), ctx.arg(1));
        ctx.del_item(object, key)?;
        Ok(Value::None)
    };
    GET_ATTR "_getattribute" "object, name, /" |ctx| { let (object, name) = (ctx.arg(0), name_operand(ctx)); ctx.get_attr(object, name) };
    SET_ATTR "_setattribute" "object, name, value, /" |ctx| {
        let (object, name, value) = (ctx.arg(0), name_operand(ctx), ctx.arg(2));
        ctx.set_attr(object, name, value)?;
        Ok(Value::None)
    };
    DEL_ATTR "_delattribute" "object, name, /" |ctx| {
        let (object, name) = (ctx.arg(0), name_operand(ctx));
        ctx.del_attr(object, name)?;
        Ok(Value::None)
    };
    FORMAT "_format" "value, spec, conversion, /" format;
    EXTEND "_extend" "list, iterable, callee, /" extend;
    SET_ADD "_setadd" "set, item, /" |ctx| {
        let (Value::Set(set), item) = (ctx.arg(0), ctx.arg(1)) else { unreachable!("the instruction checked its set") };
        ctx.set_add(set, item)?;
        Ok(Value::None)
    };
    SET_UPDATE "_setupdate" "set, iterable, folded, /" set_update;
    BUILD_SET "_buildset" "*items" |ctx| {
        let made = ctx.once(|ctx| Ok(ctx.vm.heap.new_set(Set::default())))?;
        let Value::Set(set) = made else { unreachable!("new_set makes a set") };
        for item in ctx.rest() {
            ctx.set_add(set, item)?;
        }
        Ok(made)
    };
    BUILD_DICT "_builddict" "*pairs" |ctx| {
        let dict = ctx.once(|ctx| Ok(ctx.vm.heap.new_dict(Dict::default())))?;
        for pair in ctx.rest().chunks(2) {
            ctx.set_item(dict, pair[0], pair[1])?;
        }
        Ok(dict)
    };
    DESCRIBE "_describe" "*exceptions" |ctx| {
        let mut texts = Vec::new();
        for exception in ctx.rest() {
            let text = if let Some(method) = ctx.vm.special(exception, name::STR) {
                match ctx.try_call(method, &[exception])? {
                    Ok(text @ Value::Str(_)) => text,
                    _ => ctx.vm.heap.new_str("<exception str() failed>"),
                }
            } else {
                let text = ctx.str(exception)?;
                ctx.vm.heap.new_string(text)
            };
            texts.push(text);
        }
        Ok(ctx.vm.heap.new_tuple(texts))
    };
    MERGE "_merge" "dict, mapping, once, callee, /" merge;
    UNPACK "_unpack" "iterable, count, after, /" unpack;
}

/// The native of a binary operator.
#[must_use]
pub const fn of_binary(op: BinaryOp, in_place: bool) -> NativeId {
    let first = if in_place { IN_PLACE_ADD } else { ADD };
    NativeId(first.0 + op as u16)
}

/// The native of a comparison operator.
#[must_use]
pub const fn of_compare(op: CompareOp) -> NativeId {
    NativeId(EQ.0 + op as u16)
}

fn unary(ctx: &mut Ctx<'_>, op: UnaryOp) -> Result<Value, Abrupt> {
    let value = ctx.arg(0);
    ctx.unary(op, value)
}

fn binary(ctx: &mut Ctx<'_>, op: BinaryOp) -> Result<Value, Abrupt> {
    let (a, b) = (ctx.arg(0), ctx.arg(1));
    ctx.binary(op, a, b)
}

fn in_place(ctx: &mut Ctx<'_>, op: BinaryOp) -> Result<Value, Abrupt> {
    let (a, b) = (ctx.arg(0), ctx.arg(1));
    ctx.in_place(op, a, b)
}

fn compare(ctx: &mut Ctx<'_>, op: CompareOp) -> Result<Value, Abrupt> {
    let (a, b) = (ctx.arg(0), ctx.arg(1));
    ctx.compare(op, a, b)
}

/// The second argument: the number of a name.
fn name_operand(ctx: &Ctx<'_>) -> Name {
    match ctx.arg(1) {
        Value::Int(name) => Name(name as u32),
        other => unreachable!("instructions pass names by number, not {other:?}"),
    }
}

fn format(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (value, spec, Value::Int(conversion)) = (ctx.arg(0), ctx.arg(1), ctx.arg(2)) else {
        unreachable!("the instruction passes a conversion")
    };
    let spec = match spec {
        Value::Str(text) => ctx.vm.heap.text_to_keep(text),
        _ => SmolStr::default(),
    };
    let converted = match conversion {
        1 => ctx.str(value)?,
        2 => ctx.repr(value)?,
        3 => {
            let text = ctx.repr(value)?;
            crate::vm::heap::text::escape_non_ascii(&text)
        }
        _ => {
            let text = ctx.format(value, &spec)?;
            return Ok(ctx.vm.heap.new_string(text));
        }
    };
    if spec.is_empty() {
        return Ok(ctx.vm.heap.new_string(converted));
    }
    let converted = ctx.once(|ctx| Ok(ctx.vm.heap.new_string(converted)))?;
    let text = ctx.format(converted, &spec)?;
    Ok(ctx.vm.heap.new_string(text))
}

/// A display of constants goes through two frozen sets, as CPython's compiler and its marshalling
/// have it; each has its own order.
fn set_update(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (Value::Set(set), iterable) = (ctx.arg(0), ctx.arg(1)) else {
        unreachable!("the instruction checked its set")
    };
    if matches!(ctx.arg(2), Value::Bool(true)) {
        let items = collect(ctx, iterable, Use::Spread)?;
        let first = ctx.vm.heap.new_list(items);
        let once = ctx.set_from(first, true)?;
        let items = ctx.collect(once)?;
        let second = ctx.vm.heap.new_list(items);
        let Value::Set(twice) = ctx.set_from(second, true)? else {
            unreachable!("a set is made")
        };
        // Constants of one frozen set are all different, so none is equal to another.
        let twice = ctx.vm.heap.sets[twice].clone();
        ctx.vm.heap.sets[set].merge(&twice, |_, _| false);
        return Ok(Value::None);
    }
    if ctx.is_iterable(iterable) {
        ctx.combine_in_place(Algebra::Union, set, iterable)?;
    } else {
        collect(ctx, iterable, Use::Spread)?;
    }
    Ok(Value::None)
}

fn extend(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (Value::List(list), iterable) = (ctx.arg(0), ctx.arg(1)) else {
        unreachable!("the instruction checked its list")
    };
    let callee = ctx.arg(2);
    let items = collect(
        ctx,
        iterable,
        if callee.is_bound() && !matches!(callee, Value::None) {
            Use::Call(callee)
        } else {
            Use::Spread
        },
    )?;
    ctx.vm.heap.allocated += items.len() * size_of::<Value>();
    ctx.vm.heap.lists[list].extend(items);
    Ok(Value::None)
}

/// `{**mapping}` and `f(**mapping)`.
fn merge(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (dict, mapping, Value::Bool(once)) = (ctx.arg(0), ctx.arg(1), ctx.arg(2)) else {
        unreachable!("the instruction passes a truth value")
    };
    let Value::Dict(other) = mapping else {
        if let Some(keys) = ctx.vm.special(mapping, name::KEYS) {
            let keys = ctx.call(keys, &[mapping])?;
            // All of it is asked for before anything is inserted: a question runs this function
            // anew.
            let mut entries = Vec::new();
            for key in ctx.collect(keys)? {
                entries.push((key, ctx.get_item(mapping, key)?));
            }
            for (key, value) in entries {
                insert(ctx, dict, key, value, once)?;
            }
            return Ok(Value::None);
        }
        let of = ctx.vm.type_name(mapping).to_owned();
        let message = if once {
            format!(
                "{}argument after ** must be a mapping, not {of}",
                callee_text(ctx, ctx.arg(3))
            )
        } else {
            format!("'{of}' object is not a mapping")
        };
        return Err(ctx.type_error(message));
    };
    if let (Value::Dict(dict), false) = (dict, once) {
        ctx.dict_merge(dict, other)?;
        return Ok(Value::None);
    }
    // A copy of the entries, and what they become.
    ctx.reserve(3 * ctx.vm.heap.dicts[other].bytes())?;
    let entries: Vec<_> = ctx.vm.heap.dicts[other].iter().collect();
    for entry in entries {
        insert(ctx, dict, entry.key, entry.value, once)?;
    }
    Ok(Value::None)
}

fn insert(
    ctx: &mut Ctx<'_>,
    dict: Value,
    key: Value,
    value: Value,
    once: bool,
) -> Result<(), Abrupt> {
    if once {
        let (Value::Dict(it), Value::Str(text)) = (dict, key) else {
            return Err(ctx.type_error("keywords must be strings"));
        };
        let text = ctx.vm.heap.text_arc(text);
        if ctx.vm.dict_get_str(it, &text).is_some() {
            let callee = callee_text(ctx, ctx.arg(3));
            return Err(ctx.type_error(format!(
                "{callee}got multiple values for keyword argument '{text}'"
            )));
        }
    }
    ctx.set_item(dict, key, value)
}

/// How messages name the function whose keyword arguments are being put together.
fn callee_text(ctx: &Ctx<'_>, callee: Value) -> String {
    match callee {
        Value::Function(it) => {
            let program = &ctx.vm.image.program;
            let code = &program.codes[ctx.vm.heap.functions[it].code.0 as usize];
            format!(
                "{}.{}() ",
                program.modules[code.module as usize].name, code.qualname
            )
        }
        Value::Class(it) => format!(
            "{}.{}() ",
            ctx.vm.heap.classes[it].module, ctx.vm.heap.classes[it].qualname
        ),
        Value::Native(native) => format!("{}() ", ctx.vm.image.natives[native].shown),
        _ => String::new(),
    }
}

/// Exactly `count` items, or with `after` at least as many as the star leaves: a tuple of what goes
/// into the registers.
fn unpack(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, Value::Int(count), after) = (ctx.arg(0), ctx.arg(1), ctx.arg(2)) else {
        unreachable!("the instruction passes a count")
    };
    // Of a lazy iterable only one item more than is needed is taken, not all.
    if !ctx.is_iterable(iterable) {
        let _ = collect(ctx, iterable, Use::Unpack)?;
    }
    let lazy = matches!(
        iterable,
        Value::Generator(_) | Value::Instance(_) | Value::Iter(_)
    );
    let items = if lazy && matches!(after, Value::None) {
        let take = ctx.vm.library("take");
        let taken = ctx.call(take, &[iterable, Value::Int(count + 1)])?;
        ctx.collect(taken)?
    } else if let Value::Instance(_) = iterable {
        let take = ctx.vm.library("take_and_rest");
        let taken = ctx.call(take, &[iterable, Value::Int(count)])?;
        ctx.collect(taken)?
    } else {
        collect(ctx, iterable, Use::Unpack)?
    };
    let (count, got) = (count as usize, items.len());
    let Value::Int(after) = after else {
        if got < count {
            return Err(ctx.value_error(format!(
                "not enough values to unpack (expected {count}, got {got})"
            )));
        }
        if got > count {
            return Err(ctx.value_error(format!("too many values to unpack (expected {count})")));
        }
        return Ok(ctx.vm.heap.new_tuple(items));
    };
    let after = after as usize;
    if got < count + after {
        let needed = count + after;
        return Err(ctx.value_error(format!(
            "not enough values to unpack (expected at least {needed}, got {got})"
        )));
    }
    let mut parts: Vec<Value> = items[..count].to_vec();
    parts.push(ctx.vm.heap.new_list(items[count..got - after].to_vec()));
    parts.extend(&items[got - after..]);
    Ok(ctx.vm.heap.new_tuple(parts))
}

/// What the items of an iterable are wanted for, which decides the message when it is none.
#[derive(Clone, Copy)]
enum Use {
    Spread,
    /// The arguments of this callee.
    Call(Value),
    Unpack,
}

fn collect(ctx: &mut Ctx<'_>, iterable: Value, wanted: Use) -> Result<Vec<Value>, Abrupt> {
    if !ctx.is_iterable(iterable) {
        let of = ctx.vm.type_name(iterable).to_owned();
        return Err(ctx.type_error(match wanted {
            Use::Spread => format!("Value after * must be an iterable, not {of}"),
            Use::Call(callee) => format!(
                "{}argument after * must be an iterable, not {of}",
                callee_text(ctx, callee)
            ),
            Use::Unpack => format!("cannot unpack non-iterable {of} object"),
        }));
    }
    ctx.collect(iterable)
}
