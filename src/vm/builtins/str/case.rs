//! Strings: upper and lower case, and what kind of characters they have.

use crate::vm::builtins::str::{reserve_copies, this};
use crate::vm::heap::SHORT;
use crate::vm::heap::class::Type;
use crate::vm::heap::text::character::{
    decimal_value, is_alnum, is_alpha, is_cased, is_digit, is_numeric, is_printable, is_space,
    is_title, push_folded, push_title,
};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx, Native, method};
use smol_str::SmolStr;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    method(Type::Str, "upper", "self, /", |ctx| {
        changed(ctx, <[u8]>::make_ascii_uppercase, str::to_uppercase)
    }),
    method(Type::Str, "lower", "self, /", |ctx| {
        changed(ctx, <[u8]>::make_ascii_lowercase, str::to_lowercase)
    }),
    method(Type::Str, "casefold", "self, /", |ctx| {
        changed(ctx, <[u8]>::make_ascii_lowercase, folded)
    }),
    method(Type::Str, "capitalize", "self, /", |ctx| {
        changed(ctx, capitalize_ascii, capitalized)
    }),
    method(Type::Str, "title", "self, /", |ctx| {
        changed(ctx, title_ascii, titled)
    }),
    method(Type::Str, "swapcase", "self, /", |ctx| {
        changed(ctx, swap_ascii, swapped)
    }),
    method(Type::Str, "isalnum", "self, /", |ctx| all(ctx, is_alnum)),
    method(Type::Str, "isalpha", "self, /", |ctx| all(ctx, is_alpha)),
    method(Type::Str, "isascii", "self, /", |ctx| {
        test(ctx, str::is_ascii)
    }),
    method(Type::Str, "isdecimal", "self, /", |ctx| {
        all(ctx, |it| decimal_value(it).is_some())
    }),
    method(Type::Str, "isdigit", "self, /", |ctx| all(ctx, is_digit)),
    method(Type::Str, "isidentifier", "self, /", |ctx| {
        test(ctx, is_identifier)
    }),
    method(Type::Str, "islower", "self, /", |ctx| {
        test(ctx, |it| one_case(it, char::is_lowercase))
    }),
    method(Type::Str, "isnumeric", "self, /", |ctx| {
        all(ctx, is_numeric)
    }),
    method(Type::Str, "isprintable", "self, /", |ctx| {
        test(ctx, |it| it.chars().all(is_printable))
    }),
    method(Type::Str, "isspace", "self, /", |ctx| all(ctx, is_space)),
    method(Type::Str, "istitle", "self, /", |ctx| {
        test(ctx, has_title_case)
    }),
    method(Type::Str, "isupper", "self, /", |ctx| {
        test(ctx, |it| one_case(it, char::is_uppercase))
    }),
];

/// The receiver changed: by the first function, in place, if it is ASCII, whose letters change one
/// by one.
fn changed(
    ctx: &mut Ctx<'_>,
    change_ascii: fn(&mut [u8]),
    change: fn(&str) -> String,
) -> Result<Value, Abrupt> {
    // The other case of a letter may be three, and be made of the small text.
    let ascii = ctx.vm.heap.strs[this(ctx)].is_ascii();
    reserve_copies(ctx, if ascii { 2 } else { 8 })?;
    let this = this(ctx);
    let text = ctx.vm.heap.text(this);
    if !ctx.vm.heap.strs[this].is_ascii() {
        let changed = change(text);
        return Ok(ctx.vm.heap.new_string(changed));
    }
    let length = text.len();
    let changed = if length < SHORT {
        let mut bytes = [0; SHORT];
        bytes[..length].copy_from_slice(text.as_bytes());
        change_ascii(&mut bytes[..length]);
        SmolStr::from_utf8(&bytes[..length]).ok()
    } else {
        let mut bytes = text.as_bytes().to_vec();
        change_ascii(&mut bytes);
        String::from_utf8(bytes).ok().map(SmolStr::from)
    };
    let changed = changed.expect("letters of ASCII have their other case in ASCII");
    Ok(ctx.vm.heap.new_ascii(changed))
}

fn test(ctx: &mut Ctx<'_>, test: fn(&str) -> bool) -> Result<Value, Abrupt> {
    Ok(Value::Bool(test(ctx.vm.heap.text(this(ctx)))))
}

/// Is there a character, and are all of this kind?
fn all(ctx: &mut Ctx<'_>, kind: fn(char) -> bool) -> Result<Value, Abrupt> {
    let text = ctx.vm.heap.text(this(ctx));
    Ok(Value::Bool(!text.is_empty() && text.chars().all(kind)))
}

fn capitalize_ascii(text: &mut [u8]) {
    text.make_ascii_lowercase();
    if let Some(first) = text.first_mut() {
        first.make_ascii_uppercase();
    }
}

fn title_ascii(text: &mut [u8]) {
    let mut inside = false;
    for byte in text {
        if inside {
            byte.make_ascii_lowercase();
        } else {
            byte.make_ascii_uppercase();
        }
        inside = byte.is_ascii_alphabetic();
    }
}

fn swap_ascii(text: &mut [u8]) {
    for byte in text.iter_mut().filter(|it| it.is_ascii_alphabetic()) {
        *byte ^= b' ';
    }
}

fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|it| push_folded(&mut out, it));
    out
}

fn capitalized(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let Some(first) = text.chars().next() else {
        return out;
    };
    push_title(&mut out, first);
    // Of the whole text, since the form of a small sigma depends on what stands before it.
    let before: String = first.to_lowercase().collect();
    out.push_str(&text.to_lowercase()[before.len()..]);
    out
}

fn titled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    each_with_small(text, |character, small| {
        if inside {
            out.push_str(small);
        } else {
            push_title(&mut out, character);
        }
        inside = is_cased(character);
    });
    out
}

fn swapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    each_with_small(text, |character, small| {
        if character.is_uppercase() {
            out.push_str(small);
        } else if character.is_lowercase() {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
    });
    out
}

/// Each character, and what it is in lower case there: a capital sigma at the end of a word becomes
/// another small one, which is as long.
fn each_with_small(text: &str, mut each: impl FnMut(char, &str)) {
    let whole = text.to_lowercase();
    let mut rest = whole.as_str();
    for character in text.chars() {
        let length = character.to_lowercase().map(char::len_utf8).sum();
        let (small, behind) = rest.split_at(length);
        rest = behind;
        each(character, small);
    }
}

fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|it| it == '_' || unicode_ident::is_xid_start(it))
        && chars.all(unicode_ident::is_xid_continue)
}

/// Are there letters with case, and all of them in this one?
fn one_case(text: &str, case: fn(char) -> bool) -> bool {
    let mut cased = text.chars().filter(|&it| is_cased(it)).peekable();
    cased.peek().is_some() && cased.all(case)
}

/// Does each word begin with a capital, and go on in small letters?
fn has_title_case(text: &str) -> bool {
    let (mut inside, mut found) = (false, false);
    for character in text.chars() {
        if character.is_uppercase() || is_title(character) {
            if inside {
                return false;
            }
            (inside, found) = (true, true);
        } else if character.is_lowercase() {
            if !inside {
                return false;
            }
        } else {
            inside = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{
        capitalize_ascii, capitalized, folded, has_title_case, one_case, swap_ascii, swapped,
        title_ascii, titled,
    };

    #[test]
    fn case_follows_the_place_in_the_word() {
        assert_eq!(titled("they're bill's ßx ΑΣ"), "They'Re Bill'S Ssx Ας");
        assert_eq!(capitalized("ǆABC ΑΣ"), "ǅabc ας");
        assert_eq!(swapped("aBcΣ"), "AbCς");
        assert_eq!(folded("Straße ΣΑΣ"), "strasse σασ");
    }

    /// What is done with ASCII in place is what is done with any text.
    #[test]
    fn ascii_changes_as_other_texts_do() {
        let text = "they're BILL's 1st x_y (aB) \t~";
        let in_place = |change: fn(&mut [u8])| {
            let mut bytes = text.as_bytes().to_vec();
            change(&mut bytes);
            String::from_utf8(bytes).expect("it is ASCII")
        };
        assert_eq!(in_place(title_ascii), titled(text));
        assert_eq!(in_place(capitalize_ascii), capitalized(text));
        assert_eq!(in_place(swap_ascii), swapped(text));
    }

    #[test]
    fn one_case_needs_a_letter() {
        assert!(one_case("a1!", char::is_lowercase) && !one_case("1!", char::is_lowercase));
        assert!(!one_case("ǅ", char::is_lowercase) && !one_case("aB", char::is_lowercase));
        assert!(has_title_case("A Title 1St") && !has_title_case("Not title"));
        assert!(!has_title_case("AB") && !has_title_case("12"));
    }
}
