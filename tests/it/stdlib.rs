//! The standard modules as texts: each compiles with all that it imports, and refers to no native
//! that does not exist.

use mini::bytecode::verify::verify;
use mini::compile::{Compiled, Environment, compile};
use mini::source::Source;
use mini::stdlib;
use mini::vm::builtins;
use std::fs;
use std::path::Path;

fn compiled(name: &str, text: &str) -> Compiled {
    let environment = Environment {
        is_builtin: builtins::is_builtin,
        embedded: stdlib::embedded,
        frozen: Some(&stdlib::BUILTINS),
    };
    compile(Source::new(name, text), &environment)
}

fn assert_sound(name: &str, text: &str) {
    let compiled = compiled(name, text);
    assert!(
        compiled.diagnostics.is_empty(),
        "{name}: {:#?}",
        compiled.diagnostics
    );
    if let Err(error) = verify(compiled.program) {
        panic!("{name}: {error:?}");
    }
}

#[test]
fn every_module_compiles() {
    for name in stdlib::names() {
        assert_sound(name, &format!("import {name}\n"));
    }
}

#[test]
fn every_example_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("examples/ is there") {
        let path = entry.expect("examples/ can be read").path();
        if path.extension().is_some_and(|it| it == "mini") {
            let text = fs::read_to_string(&path).expect("an example is text");
            assert_sound(&path.display().to_string(), &text);
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} examples were found");
}
