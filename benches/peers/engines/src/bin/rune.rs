//! Runs a Rune file: its function `main`.

use rune::termcolor::{ColorChoice, StandardStream};
use rune::{Context, Diagnostics, Source, Sources, Vm};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).expect("usage: rune FILE");
    let context = Context::with_default_modules()?;
    let runtime = Arc::new(context.runtime()?);
    let mut sources = Sources::new();
    sources.insert(Source::from_path(Path::new(&path))?)?;
    let mut diagnostics = Diagnostics::new();
    let unit = rune::prepare(&mut sources)
        .with_context(&context)
        .with_diagnostics(&mut diagnostics)
        .build();
    if !diagnostics.is_empty() {
        diagnostics.emit(&mut StandardStream::stderr(ColorChoice::Auto), &sources)?;
    }
    Vm::new(runtime, Arc::new(unit?)).call(["main"], ())?;
    Ok(())
}
