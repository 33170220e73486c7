//! From a file's name to a program that may run, or the messages why it may not.

use crate::bytecode::assemble::{Surroundings, assemble};
use crate::bytecode::code::Program;
use crate::bytecode::verify::{Fault, Verified, verify};
use crate::cli::render::render;
use crate::cli::{Trouble, say};
use crate::compile::{Environment, compile};
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::stdlib;
use crate::vm::builtins::is_builtin;
use anyhow::{Context, bail};
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

/// What programs may refer to.
const ENVIRONMENT: Environment = Environment {
    is_builtin,
    embedded: stdlib::embedded,
};

/// Largest text that is read. Places in it are 32 bits wide.
const MAX_BYTES: u64 = 1 << 30;

/// Reads, compiles (or assembles) and verifies a program. None: it is not right, and the messages have been printed.
pub(super) fn load(file: &Path, paint: bool) -> Result<Option<Verified>, Trouble> {
    let source = read(file)?;
    let is_assembly = file
        .extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("masm"));
    let (program, diagnostics) = if is_assembly {
        let assembled = assemble(
            source,
            &Surroundings {
                is_builtin: &is_builtin,
                is_embedded: &|name| stdlib::embedded(name).is_some(),
                link: &link,
            },
        );
        (assembled.program, assembled.diagnostics)
    } else {
        let compiled = compile(source, &ENVIRONMENT);
        (compiled.program, compiled.diagnostics)
    };
    if !diagnostics.is_empty() {
        complain(&diagnostics, &program.sources, paint);
        return Ok(None);
    }
    let sources = program.sources.clone();
    match verify(program) {
        Ok(verified) => Ok(Some(verified)),
        Err(faults) => {
            refuse(&faults, &sources, paint);
            Ok(None)
        }
    }
}

/// A program whose script does nothing but import these modules.
fn link(modules: &[&str]) -> Option<Program> {
    let mut text = String::new();
    for module in modules {
        let _ = writeln!(text, "import {module}");
    }
    let compiled = compile(Source::new("<link>", &text), &ENVIRONMENT);
    compiled.diagnostics.is_empty().then_some(compiled.program)
}

/// Reads a text; `-` is standard input.
#[expect(clippy::disallowed_methods, reason = "scripts are read here")]
pub(super) fn read(file: &Path) -> Result<Source, Trouble> {
    let (name, mut input): (String, Box<dyn Read>) = if file.as_os_str() == "-" {
        ("<stdin>".into(), Box::new(std::io::stdin()))
    } else {
        let name = file.display().to_string();
        let opened =
            std::fs::File::open(file).with_context(|| format!("can't open file '{name}'"))?;
        (name, Box::new(opened))
    };
    let mut bytes = Vec::new();
    input
        .by_ref()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("can't read file '{name}'"))?;
    if bytes.len() as u64 > MAX_BYTES {
        bail!("'{name}' is larger than 1 GiB");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(&name, &text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let sound = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
            let (line, column) = Source::new(&name, &sound).line_column(at as u32);
            bail!(
                "'{name}' is not UTF-8 text: byte 0x{:02x} at line {line}, column {column}",
                error.as_bytes()[at]
            )
        }
    }
}

fn complain(diagnostics: &[Diagnostic], sources: &[Source], paint: bool) {
    say(&render(diagnostics, sources, paint));
}

/// Says why a program may not run: for assembly text, the author's mistake; for a script, ours.
fn refuse(faults: &[Fault], sources: &[Source], paint: bool) {
    let placed: Vec<Diagnostic> = faults.iter().filter_map(Fault::diagnostic).collect();
    complain(&placed, sources, paint);
    for fault in faults.iter().filter(|it| it.diagnostic().is_none()) {
        say(&format!("mini: {fault}\n"));
    }
}
