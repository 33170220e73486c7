//! `str`: the constructor, the functions of characters, and the methods, in files by kind.

pub(super) mod case;
pub(super) mod layout;
pub(super) mod search;
pub(super) mod split;
pub(super) mod translate;

use crate::vm::heap::class::Type;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::object::Bytes;
use crate::vm::heap::text::codec::{decode, encode};
use crate::vm::heap::text::{Str, escape_non_ascii};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::semantics::format::template::Fields;
use crate::vm::state::native::{Abrupt, Ctx, Native, method, native};

pub(super) const NATIVES: &[Native] = &[
    native("str", "object=, encoding=, errors=", str),
    native("ord", "c, /", ord),
    native("chr", "i, /", chr),
    native("ascii", "obj, /", ascii),
    native("format", "value, format_spec=, /", format),
    method(
        Type::Str,
        "encode",
        "self, /, encoding=, errors=",
        encode_method,
    ),
    method(
        Type::Str,
        "format",
        "self, /, *args, **kwargs",
        format_method,
    ),
    method(Type::Str, "format_map", "self, mapping, /", format_map),
    method(Type::Str, "join", "self, iterable, /", join),
];

/// The receiver of a string's method.
pub(super) fn this(ctx: &Ctx<'_>) -> Ref<Str> {
    match ctx.arg(0) {
        Value::Str(text) => text,
        _ => unreachable!("the method's owner is str"),
    }
}

/// A copy of a text, to work on while the heap changes.
pub(super) fn text(ctx: &Ctx<'_>, text: Ref<Str>) -> String {
    ctx.vm.heap.text(text).to_owned()
}

/// A string that must be one; `what` begins the message.
pub(super) fn string(ctx: &mut Ctx<'_>, value: Value, what: &str) -> Result<Ref<Str>, Abrupt> {
    if let Value::Str(text) = value {
        return Ok(text);
    }
    let message = format!("{what} must be str, not {}", ctx.vm.type_name(value));
    Err(ctx.type_error(message))
}

/// The names of an encoding and of an error handler from two arguments.
pub(super) fn coding(ctx: &mut Ctx<'_>, at: usize) -> Result<(String, String), Abrupt> {
    let mut names = ["utf-8".to_owned(), "strict".to_owned()];
    for (offset, what) in ["encoding", "errors"].into_iter().enumerate() {
        let value = ctx.arg(at + offset);
        if value.is_bound() {
            let what = format!("{}() argument '{what}'", ctx.shown_name());
            let name = string(ctx, value, &what)?;
            names[offset] = text(ctx, name);
        }
    }
    let [encoding, errors] = names;
    Ok((encoding, errors))
}

fn str(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let object = ctx.arg(0);
    if !ctx.arg(1).is_bound() && !ctx.arg(2).is_bound() {
        return match object {
            Value::Unbound => Ok(ctx.vm.heap.new_str("")),
            Value::Str(_) => Ok(object),
            Value::Int(number) => {
                let text = ctx.vm.heap.new_int_text(number);
                let length = ctx.vm.heap.len_fast(text).unwrap_or(0);
                ctx.vm.heap.worked(Work::Write, length);
                Ok(text)
            }
            _ => {
                let text = ctx.str(object)?;
                Ok(ctx.vm.heap.new_string(text))
            }
        };
    }
    let (encoding, errors) = coding(ctx, 1)?;
    match object {
        Value::Unbound => Ok(ctx.vm.heap.new_str("")),
        Value::Bytes(bytes) => {
            let text = decode(&ctx.vm.heap.bytes[bytes].0, &encoding, &errors);
            let text = ctx.ok(text)?;
            Ok(ctx.vm.heap.new_string(text))
        }
        Value::Str(_) => Err(ctx.type_error("decoding str is not supported")),
        _ => {
            let message = format!(
                "decoding to str: need a bytes-like object, {} found",
                ctx.vm.type_name(object)
            );
            Err(ctx.type_error(message))
        }
    }
}

fn ord(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let length = match ctx.arg(0) {
        Value::Str(text) => {
            let mut chars = ctx.vm.heap.text(text).chars();
            if let (Some(character), None) = (chars.next(), chars.next()) {
                return Ok(Value::Int(u32::from(character).into()));
            }
            ctx.vm.heap.strs[text].len()
        }
        Value::Bytes(bytes) => match &ctx.vm.heap.bytes[bytes].0[..] {
            [byte] => return Ok(Value::Int((*byte).into())),
            bytes => bytes.len(),
        },
        other => {
            let message = format!(
                "ord() expected string of length 1, but {} found",
                ctx.vm.type_name(other)
            );
            return Err(ctx.type_error(message));
        }
    };
    Err(ctx.type_error(format!(
        "ord() expected a character, but string of length {length} found"
    )))
}

fn chr(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let code = ctx.arg(0);
    let Value::Int(code) = ctx.integer(code)? else {
        return Err(ctx.raise(Fault::overflow("Python int too large to convert to C int")));
    };
    if i32::try_from(code).is_err() {
        let message = if code > 0 {
            "signed integer is greater than maximum"
        } else {
            "signed integer is less than minimum"
        };
        return Err(ctx.raise(Fault::overflow(message)));
    }
    match u32::try_from(code).ok().filter(|&code| code <= 0x0010_ffff) {
        Some(code) => match char::from_u32(code) {
            Some(character) => Ok(ctx.vm.heap.new_character(character)),
            None => Err(ctx.value_error(format!(
                "chr() arg is the surrogate {code:#x}, which Mini's text cannot hold"
            ))),
        },
        None => Err(ctx.value_error("chr() arg not in range(0x110000)")),
    }
}

/// Sees that there is room for so many texts as long as the receiver.
pub(super) fn reserve_copies(ctx: &mut Ctx<'_>, copies: usize) -> Result<(), Abrupt> {
    let length = ctx.vm.heap.text(this(ctx)).len();
    ctx.reserve_text(length.saturating_mul(copies))
}

fn ascii(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    /// `\u00e9` for two bytes, in a text that grows by doubling.
    const MOST: usize = 6;
    let object = ctx.arg(0);
    let text = ctx.repr(object)?;
    ctx.held = text.len();
    ctx.reserve(text.len() * if text.is_ascii() { 1 } else { MOST })?;
    let text = escape_non_ascii(&text);
    Ok(ctx.vm.heap.new_string(text))
}

fn format(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (value, spec) = (ctx.arg(0), ctx.arg(1));
    let spec = if spec.is_bound() {
        let spec = string(ctx, spec, "format() argument 2")?;
        text(ctx, spec)
    } else {
        String::new()
    };
    let formatted = ctx.format(value, &spec)?;
    Ok(ctx.vm.heap.new_string(formatted))
}

fn encode_method(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (encoding, errors) = coding(ctx, 1)?;
    // They are copied once; UTF-32 has four bytes for one.
    reserve_copies(ctx, if encoding.contains(['1', '3']) { 8 } else { 2 })?;
    let bytes = encode(ctx.vm.heap.text(this(ctx)), &encoding, &errors);
    let bytes = ctx.ok(bytes)?;
    Ok(ctx.vm.heap.new_bytes(Bytes(bytes.into())))
}

fn format_method(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let template = text(ctx, this(ctx));
    let positional = ctx.rest();
    let named: Vec<(String, Value)> = ctx
        .keywords()
        .iter()
        .map(|&(name, value)| (ctx.vm.names[name].to_string(), value))
        .collect();
    let fields = Fields::Arguments {
        positional: &positional,
        named: &named,
    };
    let filled = ctx.fill_template(&template, fields)?;
    Ok(ctx.vm.heap.new_string(filled))
}

fn format_map(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let template = text(ctx, this(ctx));
    let mapping = ctx.arg(1);
    let filled = ctx.fill_template(&template, Fields::Mapping(mapping))?;
    Ok(ctx.vm.heap.new_string(filled))
}

fn join(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let iterable = ctx.arg(1);
    if !ctx.is_iterable(iterable) || ctx.refuses_iteration(iterable) {
        return Err(ctx.type_error("can only join an iterable"));
    }
    // A list is not copied for this, which would take longer than to join it.
    let pieces = match iterable {
        Value::List(list) => {
            let items = ctx.vm.heap.lists[list].iter();
            ctx.vm.heap.worked(Work::Visit, items.len());
            strings(items)
        }
        other => strings(ctx.collect_sequence(other)?.into_iter()),
    };
    let pieces = pieces.map_err(|(at, item)| {
        let found = ctx.vm.type_name(item);
        let message = format!("sequence item {at}: expected str instance, {found} found");
        ctx.type_error(message)
    })?;
    if let [only] = pieces[..] {
        return Ok(Value::Str(only));
    }
    let strs = &ctx.vm.heap.strs;
    let separator = this(ctx);
    let gaps = pieces.len().saturating_sub(1);
    let mut bytes = gaps.saturating_mul(strs[separator].bytes as usize);
    let mut chars = gaps.saturating_mul(strs[separator].len());
    for &piece in &pieces {
        let piece = &strs[piece];
        bytes = bytes.saturating_add(piece.bytes as usize);
        chars = chars.saturating_add(piece.len());
    }
    ctx.reserve_text(bytes)?;
    let heap = &mut ctx.vm.heap;
    let mut joined = String::with_capacity(bytes);
    if let Some((&first, rest)) = pieces.split_first() {
        joined.push_str(heap.text(first));
        let separator = heap.text(separator);
        // One character is not worth a copy of memory.
        let mut characters = separator.chars();
        let one = characters.next().filter(|_| characters.next().is_none());
        for &piece in rest {
            match one {
                Some(character) => joined.push(character),
                None => joined.push_str(separator),
            }
            joined.push_str(heap.text(piece));
        }
    }
    Ok(heap.new_text(joined, chars))
}

/// The strings that these values are, or the first that is none, and its place.
fn strings(items: impl ExactSizeIterator<Item = Value>) -> Result<Vec<Ref<Str>>, (usize, Value)> {
    let mut strings = Vec::with_capacity(items.len());
    for (at, item) in items.enumerate() {
        let Value::Str(string) = item else {
            return Err((at, item));
        };
        strings.push(string);
    }
    Ok(strings)
}
