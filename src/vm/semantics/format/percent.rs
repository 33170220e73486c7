//! `%` formatting of strings and bytes, after `unicode_format` in `Objects/unicodeobject.c`. Bytes
//! go the same way, each byte as the character of its number.

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::decimal::{Layout, float_text};
use crate::vm::heap::object::{Bytes, Tuple};
use crate::vm::heap::text::{Str, escape_non_ascii};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx};
use smol_str::SmolStr;

/// Strings up to this length are written without a look at how much memory is left.
const SHORT_STRING: usize = 1000;

/// The values to be put in.
struct Arguments {
    all: All,
    next: usize,
    /// What `%(key)s` looks into.
    mapping: Option<Value>,
}

enum All {
    Tuple(Ref<Tuple>),
    One(Value),
}

/// One `%` with what belongs to it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag character")]
struct Directive {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

/// The text of one value, before it is padded.
struct Piece {
    text: String,
    /// Is it a number, with a sign and filled with zeros if asked?
    number: bool,
}

/// The format, and where we are.
struct Reader {
    text: SmolStr,
    /// A place in the text, before a character or at the end; past that, once more was read than
    /// there is.
    at: usize,
    /// Is it a format of bytes?
    bytes: bool,
}

impl Reader {
    fn next(&mut self) -> Result<char, Fault> {
        let found = self.peek();
        self.at += found.map_or(1, char::len_utf8);
        found.ok_or_else(|| Fault::value("incomplete format"))
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    /// Up to the next `%`, or the end.
    fn literal(&mut self) -> &str {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        self.at += memchr::memchr(b'%', rest).unwrap_or(rest.len());
        &self.text[start..self.at]
    }

    fn count(&mut self, what: &str) -> Result<usize, Fault> {
        let mut count = 0usize;
        while let Some(digit) = self.peek().and_then(|it| it.to_digit(10)) {
            count = count
                .checked_mul(10)
                .and_then(|it| it.checked_add(digit as usize))
                .filter(|&it| i32::try_from(it).is_ok())
                .ok_or_else(|| Fault::value(format!("{what} too big")))?;
            self.at += 1;
        }
        Ok(count)
    }
}

impl Ctx<'_> {
    /// `text % values`.
    pub(in crate::vm) fn percent_str(
        &mut self,
        format: Ref<Str>,
        values: Value,
    ) -> Result<Value, Abrupt> {
        let format = self.vm.heap.text_to_keep(format);
        let text = self.percent(format, values, false)?;
        Ok(self.vm.heap.new_string(text))
    }

    /// `bytes % values`.
    pub(in crate::vm) fn percent_bytes(
        &mut self,
        format: Ref<Bytes>,
        values: Value,
    ) -> Result<Value, Abrupt> {
        // As text, which a string keeps, and as what is made of it.
        self.reserve(4 * self.vm.heap.bytes[format].0.len())?;
        let chars = self.vm.heap.bytes[format].0.iter().copied();
        let text = self.percent(chars.map(char::from).collect(), values, true)?;
        self.reserve_bytes(text.len())?;
        let bytes: Vec<u8> = text.chars().map(|it| it as u8).collect();
        Ok(self.vm.heap.new_bytes(Bytes(bytes.into())))
    }

    fn percent(&mut self, text: SmolStr, values: Value, bytes: bool) -> Result<String, Abrupt> {
        let mut arguments = self.percent_arguments(values, bytes);
        let mut out = String::with_capacity(text.len() + 16);
        let mut reader = Reader { text, at: 0, bytes };
        loop {
            out.push_str(reader.literal());
            if reader.peek().is_none() {
                break;
            }
            reader.at += 1;
            let directive = self.directive(&mut reader, &mut arguments)?;
            if directive.kind == '%' {
                out.push('%');
                continue;
            }
            let value = self.next_argument(&mut arguments)?;
            if self.push_plain(&mut out, &directive, value, bytes) {
                continue;
            }
            self.held = reader.text.len() + out.len();
            let piece = self.piece(&directive, value, &reader)?;
            self.held += piece.text.len();
            self.reserve_text(out.len() + directive.width.max(piece.text.len()))?;
            pad(&mut out, &directive, &piece);
        }
        self.held = 0;
        if arguments.mapping.is_none() && self.argument(&arguments).is_some() {
            let what = if bytes { "bytes" } else { "string" };
            return Err(self.type_error(format!(
                "not all arguments converted during {what} formatting"
            )));
        }
        Ok(out)
    }

    /// Writes an integer within 64 bits (`%d`) or a short string (`%s`) that is to be shown as it
    /// is; false if it is something else.
    fn push_plain(
        &self,
        out: &mut String,
        directive: &Directive,
        value: Value,
        bytes: bool,
    ) -> bool {
        let plain = directive.width == 0
            && directive.precision.is_none()
            && !directive.plus
            && !directive.blank;
        match (directive.kind, value) {
            ('d', Value::Int(number)) if plain => {
                out.push_str(itoa::Buffer::new().format(number));
                true
            }
            ('s', Value::Str(text))
                if plain && !bytes && self.vm.heap.strs[text].len() <= SHORT_STRING =>
            {
                out.push_str(self.vm.heap.text(text));
                true
            }
            _ => false,
        }
    }

    fn percent_arguments(&self, values: Value, bytes: bool) -> Arguments {
        // A namedtuple is an object that keeps a tuple.
        let values = match values {
            Value::Instance(it) => match self.vm.instance_attribute(it, name::PLAIN) {
                Some(plain @ Value::Tuple(_))
                    if self.vm.special(values, name::STANDS_FOR).is_some() =>
                {
                    plain
                }
                _ => values,
            },
            _ => values,
        };
        let mapping = match values {
            Value::Dict(_) | Value::List(_) | Value::Range(_) => true,
            Value::Tuple(_) | Value::Int(_) | Value::Float(_) => false,
            Value::Bytes(_) => !bytes,
            Value::Str(_) => bytes,
            _ => self.vm.special(values, name::GETITEM).is_some(),
        };
        Arguments {
            all: match values {
                Value::Tuple(items) => All::Tuple(items),
                _ => All::One(values),
            },
            next: 0,
            mapping: mapping.then_some(values),
        }
    }

    /// The argument that is the next one.
    fn argument(&self, arguments: &Arguments) -> Option<Value> {
        match arguments.all {
            All::Tuple(all) => self.vm.heap.tuples[all].0.get(arguments.next).copied(),
            All::One(value) => (arguments.next == 0).then_some(value),
        }
    }

    fn next_argument(&mut self, arguments: &mut Arguments) -> Result<Value, Abrupt> {
        let Some(value) = self.argument(arguments) else {
            return Err(self.type_error("not enough arguments for format string"));
        };
        arguments.next += 1;
        Ok(value)
    }

    /// Reads what follows a `%`, taking arguments for `*`.
    fn directive(
        &mut self,
        reader: &mut Reader,
        arguments: &mut Arguments,
    ) -> Result<Directive, Abrupt> {
        let mut directive = Directive::default();
        if reader.peek() == Some('(') {
            reader.at += 1;
            let value = self.keyed_argument(reader, arguments)?;
            arguments.all = All::One(value);
            arguments.next = 0;
        }
        loop {
            match reader.peek() {
                Some('-') => directive.left = true,
                Some('+') => directive.plus = true,
                Some(' ') => directive.blank = true,
                Some('#') => directive.alternate = true,
                Some('0') => directive.zero = true,
                _ => break,
            }
            reader.at += 1;
        }
        if reader.peek() == Some('*') {
            reader.at += 1;
            let width = self.star(arguments, "width")?;
            directive.left |= width < 0;
            directive.width = width.unsigned_abs() as usize;
        } else {
            let width = reader.count("width");
            directive.width = self.ok(width)?;
        }
        if reader.peek() == Some('.') {
            reader.at += 1;
            directive.precision = Some(if reader.peek() == Some('*') {
                reader.at += 1;
                usize::try_from(self.star(arguments, "precision")?).unwrap_or(0)
            } else {
                let precision = reader.count("precision");
                self.ok(precision)?
            });
        }
        if matches!(reader.peek(), Some('h' | 'l' | 'L')) {
            reader.at += 1;
        }
        let kind = reader.next();
        directive.kind = self.ok(kind)?;
        Ok(directive)
    }

    /// The value of `%(key)`.
    fn keyed_argument(
        &mut self,
        reader: &mut Reader,
        arguments: &Arguments,
    ) -> Result<Value, Abrupt> {
        let Some(mapping) = arguments.mapping else {
            return Err(self.type_error("format requires a mapping"));
        };
        let start = reader.at;
        let mut depth = 1;
        while depth > 0 {
            match reader.peek() {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some(_) => {}
                None => return Err(self.value_error("incomplete format key")),
            }
            reader.at += reader.peek().map_or(0, char::len_utf8);
        }
        let key = reader.text[start..reader.at - 1].to_owned();
        let bytes = reader.bytes;
        let key = self.once(|ctx| {
            Ok(if bytes {
                let bytes: Vec<u8> = key.chars().map(|it| it as u8).collect();
                ctx.vm.heap.new_bytes(Bytes(bytes.into()))
            } else {
                ctx.vm.heap.new_string(key)
            })
        })?;
        self.get_item(mapping, key)
    }

    /// The number for a `*`.
    fn star(&mut self, arguments: &mut Arguments, what: &str) -> Result<i64, Abrupt> {
        match self.next_argument(arguments)? {
            Value::Bool(truth) => Ok(i64::from(truth)),
            Value::Int(number) if i32::try_from(number).is_ok() => Ok(number),
            Value::Int(_) => Err(self.raise(Fault::overflow(format!("{what} too big")))),
            Value::Big(_) => Err(self.raise(Fault::overflow(
                "Python int too large to convert to C ssize_t",
            ))),
            _ => Err(self.type_error("* wants int")),
        }
    }

    /// The text of a value.
    fn piece(
        &mut self,
        directive: &Directive,
        value: Value,
        reader: &Reader,
    ) -> Result<Piece, Abrupt> {
        let text = match directive.kind {
            's' | 'b' if reader.bytes => self.bytes_piece(value)?,
            'r' | 'a' if reader.bytes => escape_non_ascii(&self.repr(value)?),
            's' => self.str(value)?,
            'r' => self.repr(value)?,
            'a' => escape_non_ascii(&self.repr(value)?),
            'c' => {
                let text = self.character(value, reader.bytes)?;
                return Ok(Piece {
                    text,
                    number: false,
                });
            }
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
                let text = self.integer_piece(directive, value)?;
                return Ok(Piece { text, number: true });
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let text = self.float_piece(directive, value, reader.bytes)?;
                return Ok(Piece { text, number: true });
            }
            kind => {
                let shown = if matches!(kind, '\x1f'..='\x7f') {
                    kind
                } else {
                    '?'
                };
                let message = format!(
                    "unsupported format character '{shown}' (0x{:x}) at index {}",
                    u32::from(kind),
                    reader.text[..reader.at].chars().count() - 1
                );
                return Err(self.value_error(message));
            }
        };
        let text = match directive.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        Ok(Piece {
            text,
            number: false,
        })
    }

    /// `%s` in bytes.
    fn bytes_piece(&mut self, value: Value) -> Result<String, Abrupt> {
        let bytes = match value {
            Value::Bytes(_) => value,
            _ => match self.vm.special(value, name::BYTES) {
                Some(method) => self.call(method, &[value])?,
                None => Value::None,
            },
        };
        if let Value::Bytes(bytes) = bytes {
            let bytes = &self.vm.heap.bytes[bytes].0;
            return Ok(bytes.iter().map(|&it| char::from(it)).collect());
        }
        let message = format!(
            "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
            self.vm.type_name(value)
        );
        Err(self.type_error(message))
    }

    /// `%c`.
    fn character(&mut self, value: Value, bytes: bool) -> Result<String, Abrupt> {
        match value {
            Value::Str(text) if !bytes && self.vm.heap.strs[text].len() == 1 => {
                return Ok(self.vm.heap.text(text).to_owned());
            }
            Value::Bytes(it) if bytes && self.vm.heap.bytes[it].0.len() == 1 => {
                return Ok(char::from(self.vm.heap.bytes[it].0[0]).to_string());
            }
            _ => {}
        }
        let is_integer = matches!(value, Value::Int(_) | Value::Big(_) | Value::Bool(_))
            || self.vm.special(value, name::INDEX).is_some();
        if !is_integer {
            return Err(self.type_error(if bytes {
                "%c requires an integer in range(256) or a single byte"
            } else {
                "%c requires int or char"
            }));
        }
        let most = if bytes { 0xff } else { 0x0010_ffff };
        let code = match self.integer(value)? {
            Value::Int(code) => u32::try_from(code).ok().filter(|&code| code <= most),
            _ => None,
        };
        match code.and_then(char::from_u32) {
            Some(character) => Ok(character.to_string()),
            None => Err(self.raise(Fault::overflow(format!(
                "%c arg not in range({})",
                if bytes { "256" } else { "0x110000" }
            )))),
        }
    }

    fn integer_piece(&mut self, directive: &Directive, value: Value) -> Result<String, Abrupt> {
        let decimal = matches!(directive.kind, 'd' | 'i' | 'u');
        let integer = if decimal {
            self.try_int(value)?
        } else if matches!(value, Value::Float(_)) {
            None
        } else if Number::of(value).is_some() || self.vm.special(value, name::INDEX).is_some() {
            Some(self.integer(value)?)
        } else {
            None
        };
        let Some(number) = integer.and_then(Number::of) else {
            let wanted = if decimal {
                "a real number"
            } else {
                "an integer"
            };
            let message = format!(
                "%{} format: {wanted} is required, not {}",
                directive.kind,
                self.vm.type_name(value)
            );
            return Err(self.type_error(message));
        };
        if decimal {
            let text = self.number_text(number)?;
            return Ok(zero_padded(&text, "", directive.precision));
        }
        let integer = number.big(&self.vm.heap);
        let (radix, prefix) = match directive.kind {
            'o' => (8, "0o"),
            'x' => (16, "0x"),
            _ => (16, "0X"),
        };
        let mut text = integer.to_str_radix(radix);
        if directive.kind == 'X' {
            text.make_ascii_uppercase();
        }
        let prefix = if directive.alternate { prefix } else { "" };
        Ok(zero_padded(&text, prefix, directive.precision))
    }

    fn float_piece(
        &mut self,
        directive: &Directive,
        value: Value,
        bytes: bool,
    ) -> Result<String, Abrupt> {
        let Some(float) = self.try_float(value)? else {
            let type_name = self.vm.type_name(value);
            let message = if bytes {
                format!("float argument required, not {type_name}")
            } else {
                format!("must be real number, not {type_name}")
            };
            return Err(self.type_error(message));
        };
        let precision = directive.precision.unwrap_or(6);
        let layout = match directive.kind {
            'e' | 'E' => Layout::Exponent(precision),
            'f' | 'F' => Layout::Fixed(precision),
            _ => Layout::General(precision),
        };
        self.reserve_text(precision)?;
        let mut text = float_text(float, layout, directive.alternate, false);
        if directive.kind.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        Ok(text)
    }

    /// `int(value)` of a number; none if it is not one. (`PyNumber_Long` without its reading of
    /// text.)
    pub(in crate::vm) fn try_int(&mut self, value: Value) -> Result<Option<Value>, Abrupt> {
        match Number::of(value) {
            Some(Number::Float(float)) => {
                let integer = crate::vm::heap::number::float::to_integer(float);
                return self.new_integer(integer).map(Some);
            }
            Some(number) => return Ok(Some(number.value())),
            None => {}
        }
        if let Some(method) = self.vm.special(value, name::INT) {
            return match self.call(method, &[value])? {
                result @ (Value::Int(_) | Value::Big(_)) => Ok(Some(result)),
                Value::Bool(truth) => Ok(Some(Value::Int(i64::from(truth)))),
                other => {
                    let message = format!(
                        "__int__ returned non-int (type {})",
                        self.vm.type_name(other)
                    );
                    Err(self.type_error(message))
                }
            };
        }
        if self.vm.special(value, name::INDEX).is_some() {
            return self.integer(value).map(Some);
        }
        if let Some(method) = self.vm.special(value, name::TRUNC) {
            let whole = self.call(method, &[value])?;
            if matches!(whole, Value::Int(_) | Value::Big(_) | Value::Bool(_))
                || self.vm.special(whole, name::INDEX).is_some()
            {
                return self.integer(whole).map(Some);
            }
            let message = format!(
                "__trunc__ returned non-Integral (type {})",
                self.vm.type_name(whole)
            );
            return Err(self.error(Type::TypeError, message));
        }
        Ok(None)
    }
}

/// An integer's text with its prefix behind the sign, and zeros up to the precision.
fn zero_padded(text: &str, prefix: &str, precision: Option<usize>) -> String {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
    format!("{sign}{prefix}{}{digits}", "0".repeat(zeros))
}

/// Appends a piece at its width.
fn pad(out: &mut String, directive: &Directive, piece: &Piece) {
    let mut body = piece.text.as_str();
    let mut head = String::new();
    if piece.number {
        if let Some(rest) = body.strip_prefix('-') {
            head.push('-');
            body = rest;
        } else if directive.plus {
            head.push('+');
        } else if directive.blank {
            head.push(' ');
        }
        if directive.alternate && matches!(directive.kind, 'x' | 'X' | 'o') {
            head.push_str(&body[..2]);
            body = &body[2..];
        }
    }
    let length = if piece.number {
        head.len() + body.len()
    } else {
        body.chars().count()
    };
    let missing = directive.width.saturating_sub(length);
    let fill = |count: usize, with: char| std::iter::repeat_n(with, count);
    if directive.left {
        out.push_str(&head);
        out.push_str(body);
        out.extend(fill(missing, ' '));
    } else if piece.number && directive.zero {
        out.push_str(&head);
        out.extend(fill(missing, '0'));
        out.push_str(body);
    } else {
        out.extend(fill(missing, ' '));
        out.push_str(&head);
        out.push_str(body);
    }
}
