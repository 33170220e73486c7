//! What kind of character one is, in Python's terms: Rust's own tables, corrected where Python asks
//! for another property of Unicode (`isalpha` is a category, not the property Alphabetic;
//! `isnumeric` counts Chinese numerals; title case is a mapping of its own).

/// Can `repr` show it as it is? Everything but control, format, private, unassigned and separator
/// characters; a plain space can.
#[must_use]
pub fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    // Rust's `escape_debug` has the same rule; not at the beginning of a text, where it escapes
    // combining marks too.
    let mut buffer = [b'a', 0, 0, 0, 0];
    let bytes = 1 + character.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..bytes])
        .is_ok_and(|text| text.escape_debug().nth(1) == Some(character))
}

/// `str.isalpha` of one character: a letter.
#[must_use]
pub fn is_alpha(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphabetic();
    }
    character.is_alphabetic()
        && !character.is_numeric()
        && !matches!(character, '\u{24b6}'..='\u{24e9}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}')
        && !is_mark(character)
}

/// A combining mark among the alphabetic characters: what can go on with an identifier but not
/// begin it.
fn is_mark(character: char) -> bool {
    match character {
        '\u{1885}' | '\u{1886}' => true,
        '\u{e33}' | '\u{eb3}' | '\u{ff9e}' | '\u{ff9f}' => false,
        _ => unicode_ident::is_xid_continue(character) && !unicode_ident::is_xid_start(character),
    }
}

/// The value of a decimal digit of any script.
#[must_use]
pub fn decimal_value(character: char) -> Option<u32> {
    if character.is_ascii() {
        return character.to_digit(10);
    }
    let code = u32::from(character);
    let at = DECIMAL_ZEROS.partition_point(|&zero| zero <= code);
    let value = code - DECIMAL_ZEROS[at - 1];
    (value < 10).then_some(value)
}

/// `str.isdigit` of one character: a decimal digit, or one in a circle, raised, lowered and the
/// like.
#[must_use]
pub fn is_digit(character: char) -> bool {
    decimal_value(character).is_some()
        || DIGIT_RANGES
            .iter()
            .any(|&(first, last)| (first..=last).contains(&character))
}

/// `str.isnumeric` of one character.
#[must_use]
pub fn is_numeric(character: char) -> bool {
    character.is_numeric() || NUMERAL_IDEOGRAPHS.contains(character)
}

/// `str.isalnum` of one character.
#[must_use]
pub fn is_alnum(character: char) -> bool {
    is_alpha(character) || is_numeric(character)
}

/// `str.isspace` of one character.
#[must_use]
pub fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Does `str.splitlines` end a line at it?
#[must_use]
pub fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// A letter of the third case: `ǅ` and the Greek capitals with iota.
#[must_use]
pub fn is_title(character: char) -> bool {
    matches!(
        character,
        'ǅ' | 'ǈ' | 'ǋ' | 'ǲ' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}' | 'ᾼ' | 'ῌ' | 'ῼ'
    )
}

/// Has it case at all?
#[must_use]
pub fn is_cased(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || is_title(character)
}

/// Appends the title case of a character, which may be several characters.
pub fn push_title(out: &mut String, character: char) {
    if character.is_ascii() {
        out.push(character.to_ascii_uppercase());
        return;
    }
    match character {
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        // Georgian has capitals for whole words in capitals only.
        'ა'..='ჺ' | 'ჽ'..='ჿ' => out.push(character),
        'ŉ' => out.push_str("ʼN"),
        'ᾀ'..='ᾯ' => {
            let Some(title) = char::from_u32(u32::from(character) | 8) else {
                unreachable!("it is a letter of the same row")
            };
            out.push(title);
        }
        'ᾳ' | 'ᾼ' => out.push('ᾼ'),
        'ῃ' | 'ῌ' => out.push('ῌ'),
        'ῳ' | 'ῼ' => out.push('ῼ'),
        'ᾲ' => out.push_str("Ὰ\u{345}"),
        'ᾴ' => out.push_str("Ά\u{345}"),
        'ᾷ' => out.push_str("ᾼ\u{342}"),
        'ῂ' => out.push_str("Ὴ\u{345}"),
        'ῄ' => out.push_str("Ή\u{345}"),
        'ῇ' => out.push_str("ῌ\u{342}"),
        'ῲ' => out.push_str("Ὼ\u{345}"),
        'ῴ' => out.push_str("Ώ\u{345}"),
        'ῷ' => out.push_str("ῼ\u{342}"),
        _ => {
            // Of several characters only the first is a capital: ß gives Ss.
            let mut upper = character.to_uppercase();
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
    }
}

/// Appends what `str.casefold` makes of a character.
pub fn push_folded(out: &mut String, character: char) {
    match character {
        'ı' | '\u{13a0}'..='\u{13f5}' => out.push(character),
        '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => out.extend(character.to_uppercase()),
        _ => out.extend(character.to_uppercase().flat_map(char::to_lowercase)),
    }
}

/// The zeros of all decimal digits (category Nd, Unicode 14 as in CPython 3.11); nine more follow
/// each.
const DECIMAL_ZEROS: &[u32] = &[
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Characters that are digits without being decimal (`Numeric_Type=Digit`).
const DIGIT_RANGES: &[(char, char)] = &[
    ('\u{b2}', '\u{b3}'),
    ('\u{b9}', '\u{b9}'),
    ('\u{1369}', '\u{1371}'),
    ('\u{19da}', '\u{19da}'),
    ('\u{2070}', '\u{2070}'),
    ('\u{2074}', '\u{2079}'),
    ('\u{2080}', '\u{2089}'),
    ('\u{2460}', '\u{2468}'),
    ('\u{2474}', '\u{247c}'),
    ('\u{2488}', '\u{2490}'),
    ('\u{24ea}', '\u{24ea}'),
    ('\u{24f5}', '\u{24fd}'),
    ('\u{24ff}', '\u{24ff}'),
    ('\u{2776}', '\u{277e}'),
    ('\u{2780}', '\u{2788}'),
    ('\u{278a}', '\u{2792}'),
    ('\u{10a40}', '\u{10a43}'),
    ('\u{10e60}', '\u{10e68}'),
    ('\u{11052}', '\u{1105a}'),
    ('\u{1f100}', '\u{1f10a}'),
];

/// Ideographs that are numerals, the only numeric characters outside the number categories.
const NUMERAL_IDEOGRAPHS: &str = "㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零\u{f96b}\u{f973}\u{f978}\u{f9b2}\u{f9d1}\u{f9d3}\u{f9fd}\u{20001}\u{20064}\u{200e2}\u{20121}\u{2092a}\u{20983}\u{2098c}\u{2099c}\u{20aea}\u{20afd}\u{20b19}\u{22390}\u{22998}\u{23b1b}\u{2626d}\u{2f890}";

#[cfg(test)]
mod tests {
    use super::{decimal_value, is_alpha, is_numeric, is_printable, push_folded, push_title};

    #[test]
    fn kinds_follow_python_not_the_derived_properties_of_unicode() {
        assert!(is_alpha('é') && is_alpha('ำ') && is_alpha('一'));
        assert!(!is_alpha('\u{345}') && !is_alpha('Ⓐ') && !is_alpha('Ⅷ'));
        assert!(is_numeric('一') && is_numeric('½') && !is_numeric('x'));
        assert_eq!(decimal_value('٣'), Some(3));
        assert_eq!(decimal_value('²'), None);
        assert!(is_printable('\u{300}') && !is_printable('\u{200b}') && !is_printable('\u{3000}'));
    }

    #[test]
    fn title_and_folded_case_may_take_several_characters() {
        let mut out = String::new();
        "ßǆαა".chars().for_each(|it| push_title(&mut out, it));
        assert_eq!(out, "SsǅΑა");
        out.clear();
        "ßςıꭰ".chars().for_each(|it| push_folded(&mut out, it));
        assert_eq!(out, "ssσıᎠ");
    }
}
