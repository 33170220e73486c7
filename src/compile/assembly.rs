//! A script that is given as assembly text: assembled, and linked with the embedded modules that it
//! imports.

use crate::bytecode::assemble::{Assembled, Surroundings, assemble};
use crate::compile::modules::is_package;
use crate::compile::{Compiled, Environment, compile};
use crate::source::Source;

/// Assembles a script. What it gives may still break a rule that only the verifier looks at.
pub(super) fn assemble_script(script: Source, environment: &Environment) -> Compiled {
    let surroundings = Surroundings {
        is_builtin: &environment.is_builtin,
        is_embedded: &|name| {
            (environment.embedded)(name).is_some() || is_package(name, environment)
        },
        link: &|names| {
            let text: String = names
                .iter()
                .flat_map(|name| ["import ", name, "\n"])
                .collect();
            let library = compile(Source::new("<import>", &text), environment);
            library.diagnostics.is_empty().then_some(library.program)
        },
    };
    let Assembled {
        program,
        diagnostics,
    } = assemble(script, &surroundings);
    Compiled {
        program,
        diagnostics,
    }
}
