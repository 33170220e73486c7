//! `mini explain`: a diagnostic's code at length.

use crate::cli::args::ExplainArgs;
use crate::cli::{Trouble, exit, print};
use crate::diagnostic::Code;
use crate::printable;
use crate::printable::Printable;
use anyhow::bail;

/// Explains a code, or lists them all.
pub(super) fn explain(args: &ExplainArgs) -> Result<i32, Trouble> {
    let Some(wanted) = &args.code else {
        print(&list(Code::ALL))?;
        return Ok(exit::DONE);
    };
    let wanted = wanted.trim().to_ascii_uppercase();
    let Some(code) = Code::ALL.iter().find(|code| code.name() == wanted) else {
        let near = near(&wanted);
        if near.is_empty() {
            bail!("there is no code `{wanted}`; `mini explain` lists all");
        }
        let near: Vec<String> = near
            .iter()
            .map(|code| format!("{} ({})", code.name(), code.title()))
            .collect();
        bail!(
            "there is no code `{wanted}`; near it are {}",
            near.join(", ")
        );
    };
    let explanation = Printable::lines(code.explanation().trim());
    print(&printable!(
        code.name(),
        ": ",
        code.title(),
        "\n\n",
        explanation,
        "\n"
    ))?;
    Ok(exit::DONE)
}

fn list(codes: &[Code]) -> Printable {
    let mut text = Printable::new();
    for code in codes {
        text.append(&printable!(code.name(), "  ", code.title(), "\n"));
    }
    text
}

/// Codes that are one digit away, or else of the same hundred.
fn near(wanted: &str) -> Vec<Code> {
    let differing = |code: &Code| {
        code.name()
            .bytes()
            .zip(wanted.bytes())
            .filter(|(a, b)| a != b)
            .count()
    };
    let by = |test: &dyn Fn(&Code) -> bool| {
        Code::ALL
            .iter()
            .copied()
            .filter(|code| code.name().len() == wanted.len() && test(code))
            .collect::<Vec<Code>>()
    };
    let one_off = by(&|code| differing(code) == 1);
    if one_off.is_empty() {
        by(&|code| code.name().get(..3) == wanted.get(..3))
    } else {
        one_off
    }
}
