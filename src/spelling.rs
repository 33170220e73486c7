//! What somebody may have meant who typed a name that there is not. Knows no names.

/// The name that comes nearest to what was typed, if one is near: the same but for case and signs
/// (`cpython3.12`), one of which this is the number (`3.12`, `py3.12`), or one that a slip of the
/// finger in three letters is away (`cpyhton-3.12`). The first of several.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = plain(typed);
    let mut best: Option<(usize, &str)> = None;
    for name in names {
        if let Some(distance) = distance(&typed, &plain(name))
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The end of a message: what was meant, as a question, or nothing.
#[must_use]
pub fn did_you_mean(meant: Option<impl std::fmt::Display>) -> String {
    meant.map_or_else(String::new, |it| format!("; did you mean `{it}`?"))
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|it| it.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// How far apart two names are, if they are near.
fn distance(typed: &str, name: &str) -> Option<usize> {
    let length = typed.chars().count();
    let slips = strsim::osa_distance(typed, name);
    if slips <= length.max(3) / 3 && slips < length {
        return Some(slips);
    }
    is_version_of(typed, name).then_some(length)
}

/// Has it the same number, and only letters of the other's?
fn is_version_of(typed: &str, name: &str) -> bool {
    let split = |text: &str| {
        let at = text.find(|it: char| it.is_ascii_digit())?;
        Some((text[..at].to_owned(), text[at..].to_owned()))
    };
    let (Some((letters, number)), Some((name_letters, name_number))) = (split(typed), split(name))
    else {
        return false;
    };
    let mut rest = name_letters.chars();
    number == name_number && letters.chars().all(|it| rest.any(|of| of == it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found() {
        let commands = [
            "run", "sim", "sweep", "timeline", "test", "check", "explain",
        ];
        for (typed, meant) in [
            ("rnu", Some("run")),
            ("rum", Some("run")),
            ("swep", Some("sweep")),
            ("timelien", Some("timeline")),
            ("Check", Some("check")),
            ("x", None),
            ("fo", None),
            ("story", None),
        ] {
            assert_eq!(nearest(typed, commands), meant, "{typed}");
        }
        let locks = [
            "cpython-3.1",
            "cpython-3.12",
            "cpython-3.13",
            "cpython-3.13t",
            "cruby-3.3",
        ];
        for (typed, meant) in [
            ("cpython3.12", Some("cpython-3.12")),
            ("3.12", Some("cpython-3.12")),
            ("py3.13t", Some("cpython-3.13t")),
            ("python-3.13", Some("cpython-3.13")),
            ("CPython 3.12", Some("cpython-3.12")),
            ("ruby3.3", Some("cruby-3.3")),
            ("cpyhton-3.1", Some("cpython-3.1")),
            ("", None),
            ("-", None),
            ("7", None),
        ] {
            assert_eq!(nearest(typed, locks), meant, "{typed}");
        }
        assert_eq!(did_you_mean(None::<&str>), "");
        assert_eq!(did_you_mean(Some("x")), "; did you mean `x`?");
    }
}
