//! From a file's name to a program that may run, or the messages why it may not.

use crate::bytecode::verify::{Fault, Verified, verify_linked};
use crate::cli::render::render;
use crate::cli::stray::cannot_open;
use crate::cli::{Trouble, say, terminal};
use crate::compile::{Compiled, Environment, assemble, compile};
use crate::diagnostic::Diagnostic;
use crate::printable;
use crate::source::{Source, SourceId};
use crate::stdlib;
use crate::syntax::{self, MAX_SOURCE_BYTES};
use crate::vm::builtins::is_builtin;
use anyhow::Context;
use std::io::Read;
use std::path::Path;

/// What programs may refer to.
const ENVIRONMENT: Environment = Environment {
    is_builtin,
    embedded: stdlib::embedded,
    frozen: Some(&stdlib::BUILTINS),
};

/// A file that is to be a program.
pub(super) struct Text {
    /// What messages call it.
    name: String,
    /// No more than one more than a text may have.
    pub(super) bytes: Vec<u8>,
}

impl Text {
    /// The last part of its name.
    pub(super) fn file_name(&self) -> String {
        let name = Path::new(&self.name).file_name();
        name.map_or_else(String::new, |it| it.to_string_lossy().into_owned())
    }

    /// The same under another name.
    pub(super) fn called(self, name: &str) -> Text {
        Text {
            name: name.to_owned(),
            ..self
        }
    }
}

/// Reads, compiles (or assembles) and verifies a program. None: it is not right, and the messages
/// have been printed.
pub(super) fn load(file: &Path, paint: bool) -> Result<Option<Verified>, Trouble> {
    build(file, &read(file)?, paint)
}

/// The same for what has been read of a file.
pub(super) fn build(file: &Path, text: &Text, paint: bool) -> Result<Option<Verified>, Trouble> {
    let source = match syntax::read(&text.name, &text.bytes, SourceId(0)) {
        Ok(source) => source,
        Err(no_text) => {
            let (shown, diagnostic) = *no_text;
            complain(&[diagnostic], &[shown], paint)?;
            return Ok(None);
        }
    };
    let is_assembly = file
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("masm"));
    let Compiled {
        program,
        diagnostics,
    } = if is_assembly {
        assemble(source, &ENVIRONMENT)
    } else {
        compile(source, &ENVIRONMENT)
    };
    if !diagnostics.is_empty() {
        complain(&diagnostics, &program.sources, paint)?;
        return Ok(None);
    }
    let sources = program.sources.clone();
    match verify_linked(program, &stdlib::BUILTINS) {
        Ok(verified) => Ok(Some(verified)),
        Err(faults) => {
            refuse(&faults, &sources, paint)?;
            Ok(None)
        }
    }
}

/// Reads a file; `-` is standard input.
#[expect(clippy::disallowed_methods, reason = "scripts are read here")]
pub(super) fn read(file: &Path) -> Result<Text, Trouble> {
    let (name, mut input): (String, Box<dyn Read>) = if file.as_os_str() == "-" {
        ("<stdin>".into(), Box::new(terminal::input()))
    } else {
        let name = file.display().to_string();
        let opened = std::fs::File::open(file).map_err(|error| cannot_open(file, &error))?;
        (name, Box::new(opened))
    };
    let mut bytes = Vec::new();
    input
        .by_ref()
        .take(MAX_SOURCE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("can't read file '{name}'"))?;
    Ok(Text { name, bytes })
}

fn complain(diagnostics: &[Diagnostic], sources: &[Source], paint: bool) -> Result<(), Trouble> {
    say(&render(diagnostics, sources, paint))
}

/// Says why a program may not run: for assembly text, the author's mistake; for a script, ours.
fn refuse(faults: &[Fault], sources: &[Source], paint: bool) -> Result<(), Trouble> {
    let placed: Vec<Diagnostic> = faults.iter().filter_map(Fault::diagnostic).collect();
    complain(&placed, sources, paint)?;
    for fault in faults.iter().filter(|it| it.diagnostic().is_none()) {
        say(&printable!("mini: ", fault, "\n"))?;
    }
    Ok(())
}
