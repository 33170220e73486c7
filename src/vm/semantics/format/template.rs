//! `str.format` and `str.format_map`: texts with fields in braces, after
//! `Objects/stringlib/unicode_format.h`.

use crate::vm::heap::class::Type;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::text::character::decimal_value;
use crate::vm::heap::text::escape_non_ascii;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};

/// Where the fields' values come from.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// The arguments of `format`.
    Arguments {
        positional: &'a [Value],
        named: &'a [(String, Value)],
    },
    /// The mapping of `format_map`.
    Mapping(Value),
}

/// How positional fields have been numbered so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Unknown,
    /// By `{}`; the next number.
    Automatic(usize),
    /// By `{0}`.
    Manual,
}

/// A field, not yet looked up.
struct Field {
    name: Vec<char>,
    conversion: Option<char>,
    spec: Vec<char>,
}

/// One step from a value to a part of it.
enum Step {
    Attribute(String),
    Index(usize),
    Key(String),
}

/// How deep fields may stand in the specifications of fields.
const MAX_NESTED: u32 = 2;

impl Ctx<'_> {
    /// The template with its fields filled in.
    pub fn fill_template(&mut self, template: &str, fields: Fields<'_>) -> Result<String, Abrupt> {
        let bytes = template.len().saturating_mul(size_of::<char>());
        self.reserve(bytes)?;
        let chars: Vec<char> = template.chars().collect();
        self.held += bytes + template.len();
        self.fill(&chars, fields, MAX_NESTED, &mut Numbering::Unknown)
    }

    fn fill(
        &mut self,
        template: &[char],
        fields: Fields<'_>,
        depth: u32,
        numbering: &mut Numbering,
    ) -> Result<String, Abrupt> {
        if depth == 0 {
            return Err(self.value_error("Max string recursion exceeded"));
        }
        let mut out = String::new();
        let mut at = 0;
        while at < template.len() {
            let literal = next_literal(template, &mut at, &mut out);
            if !self.ok(literal)? {
                continue;
            }
            let field = read_field(template, &mut at);
            let field = self.ok(field)?;
            let value = self.field_value(&field.name, fields, numbering)?;
            let value = match field.conversion {
                None => value,
                Some(conversion) => self.converted(value, conversion)?,
            };
            let spec = if field.spec.contains(&'{') {
                self.fill(&field.spec, fields, depth - 1, numbering)?
            } else {
                field.spec.iter().collect()
            };
            let before = self.held;
            self.held += out.len();
            let filled = self.format(value, &spec)?;
            self.held += filled.len();
            self.reserve_text(out.len() + filled.len())?;
            self.held = before;
            out.push_str(&filled);
        }
        Ok(out)
    }

    fn converted(&mut self, value: Value, conversion: char) -> Result<Value, Abrupt> {
        let text = match conversion {
            's' => self.str(value)?,
            'r' => self.repr(value)?,
            'a' => escape_non_ascii(&self.repr(value)?),
            _ => {
                let shown = if matches!(conversion, '!'..='~') {
                    conversion.to_string()
                } else {
                    format!("\\x{:x}", u32::from(conversion))
                };
                return Err(self.value_error(format!("Unknown conversion specifier {shown}")));
            }
        };
        Ok(self.vm.heap.new_string(text))
    }

    fn field_value(
        &mut self,
        name: &[char],
        fields: Fields<'_>,
        numbering: &mut Numbering,
    ) -> Result<Value, Abrupt> {
        let end = name
            .iter()
            .position(|it| matches!(it, '.' | '['))
            .unwrap_or(name.len());
        let (first, rest) = name.split_at(end);
        let index = read_index(first).and_then(|index| number_field(first, index, numbering));
        let mut value = match (self.ok(index)?, fields) {
            (Some(index), Fields::Arguments { positional, .. }) => {
                let Some(&value) = positional.get(index) else {
                    return Err(self.error(
                        Type::IndexError,
                        format!("Replacement index {index} out of range for positional args tuple"),
                    ));
                };
                value
            }
            (Some(_), Fields::Mapping(_)) => {
                return Err(self.value_error("Format string contains positional fields"));
            }
            (None, Fields::Arguments { named, .. }) => {
                let key: String = first.iter().collect();
                let Some(&(_, value)) = named.iter().find(|(name, _)| *name == key) else {
                    return Err(self.error(Type::KeyError, key));
                };
                value
            }
            (None, Fields::Mapping(mapping)) => {
                let key: String = first.iter().collect();
                let key = self.once(|ctx| Ok(ctx.vm.heap.new_string(key)))?;
                self.get_item(mapping, key)?
            }
        };
        let mut at = 0;
        while at < rest.len() {
            let step = read_step(rest, &mut at);
            value = match self.ok(step)? {
                Step::Attribute(attribute) => {
                    let attribute = self.vm.intern(&attribute);
                    self.get_attr(value, attribute)?
                }
                Step::Index(index) => self.get_item(value, Value::Int(index as i64))?,
                Step::Key(key) => {
                    let key = self.once(|ctx| Ok(ctx.vm.heap.new_string(key)))?;
                    self.get_item(value, key)?
                }
            };
        }
        Ok(value)
    }
}

/// Copies text up to the next field; true if there is one.
fn next_literal(template: &[char], at: &mut usize, out: &mut String) -> Result<bool, Fault> {
    while let Some(&character) = template.get(*at) {
        *at += 1;
        if !matches!(character, '{' | '}') {
            out.push(character);
            continue;
        }
        let next = template.get(*at);
        if next == Some(&character) {
            out.push(character);
            *at += 1;
            return Ok(false);
        }
        if character == '}' || next.is_none() {
            return Err(Fault::value(format!(
                "Single '{character}' encountered in format string"
            )));
        }
        return Ok(true);
    }
    Ok(false)
}

/// Reads a field behind its opening brace.
fn read_field(template: &[char], at: &mut usize) -> Result<Field, Fault> {
    let start = *at;
    let mut end = None;
    while let Some(&character) = template.get(*at) {
        *at += 1;
        match character {
            '{' => return Err(Fault::value("unexpected '{' in field name")),
            '[' => {
                while template.get(*at).is_some_and(|&it| it != ']') {
                    *at += 1;
                }
            }
            '}' | ':' | '!' => {
                end = Some(character);
                break;
            }
            _ => {}
        }
    }
    let Some(end) = end else {
        return Err(Fault::value("expected '}' before end of string"));
    };
    let mut field = Field {
        name: template[start..*at - 1].to_vec(),
        conversion: None,
        spec: Vec::new(),
    };
    if end == '}' {
        return Ok(field);
    }
    if end == '!' {
        let Some(&conversion) = template.get(*at) else {
            return Err(Fault::value(
                "end of string while looking for conversion specifier",
            ));
        };
        field.conversion = Some(conversion);
        *at += 1;
        if let Some(&follows) = template.get(*at) {
            *at += 1;
            match follows {
                '}' => return Ok(field),
                ':' => {}
                _ => return Err(Fault::value("expected ':' after conversion specifier")),
            }
        }
    }
    let start = *at;
    let mut depth = 1;
    while let Some(&character) = template.get(*at) {
        *at += 1;
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            field.spec = template[start..*at - 1].to_vec();
            return Ok(field);
        }
    }
    Err(Fault::value("unmatched '{' in format spec"))
}

/// A name that is a number.
fn read_index(name: &[char]) -> Result<Option<usize>, Fault> {
    let mut index: usize = 0;
    for &character in name {
        let Some(digit) = decimal_value(character) else {
            return Ok(None);
        };
        index = index
            .checked_mul(10)
            .and_then(|it| it.checked_add(digit as usize))
            .filter(|&it| isize::try_from(it).is_ok())
            .ok_or_else(|| Fault::value("Too many decimal digits in format string"))?;
    }
    Ok((!name.is_empty()).then_some(index))
}

/// The position that a field means: its own, or the next one if it has no name; none if it has a
/// name that is no number.
fn number_field(
    name: &[char],
    index: Option<usize>,
    numbering: &mut Numbering,
) -> Result<Option<usize>, Fault> {
    let automatic = name.is_empty();
    if !automatic && index.is_none() {
        return Ok(None);
    }
    if *numbering == Numbering::Unknown {
        *numbering = if automatic {
            Numbering::Automatic(0)
        } else {
            Numbering::Manual
        };
    }
    match (numbering, automatic) {
        (Numbering::Automatic(next), true) => {
            *next += 1;
            Ok(Some(*next - 1))
        }
        (Numbering::Automatic(_), false) => Err(Fault::value(
            "cannot switch from automatic field numbering to manual field specification",
        )),
        (Numbering::Manual, true) => Err(Fault::value(
            "cannot switch from manual field specification to automatic field numbering",
        )),
        (Numbering::Manual | Numbering::Unknown, _) => Ok(index),
    }
}

/// Reads `.attribute` or `[item]`.
fn read_step(rest: &[char], at: &mut usize) -> Result<Step, Fault> {
    let opening = rest[*at];
    *at += 1;
    let start = *at;
    let ends = |it: char| match opening {
        '.' => matches!(it, '.' | '['),
        _ => it == ']',
    };
    while rest.get(*at).is_some_and(|&it| !ends(it)) {
        *at += 1;
    }
    let name = &rest[start..*at];
    match opening {
        '.' => {}
        '[' => {
            if *at == rest.len() {
                return Err(Fault::value("Missing ']' in format string"));
            }
            *at += 1;
        }
        _ => {
            return Err(Fault::value(
                "Only '.' or '[' may follow ']' in format field specifier",
            ));
        }
    }
    if name.is_empty() {
        return Err(Fault::value("Empty attribute in format string"));
    }
    let text: String = name.iter().collect();
    if opening == '.' {
        return Ok(Step::Attribute(text));
    }
    Ok(match read_index(name)? {
        Some(index) => Step::Index(index),
        None => Step::Key(text),
    })
}
