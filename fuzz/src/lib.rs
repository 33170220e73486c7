//! What the targets share: how a text becomes a program, and a simulated run that is bounded in
//! every way. The run itself is the one of Mini's own tests.

#[path = "../../tests/it/sim/machine.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use more of it")]
mod machine;

use machine::Machine;
use mini::bytecode::verify::verify;
use mini::compile::{Compiled, Environment};
use mini::engine::outcome::{End, RunLimits};
use mini::source::Source;
use mini::vm::link::Image;
use mini::vm::tuning::Tuning;
use mini::vm::{Limits, builtins};
use std::sync::Arc;

pub const ENVIRONMENT: Environment = Environment {
    is_builtin: builtins::is_builtin,
    embedded: mini::stdlib::embedded,
    frozen: Some(&mini::stdlib::BUILTINS),
};

/// Instructions of a run.
const INSTRUCTIONS: u64 = 20_000;

/// Looks at what came of a text: places lie in their texts, messages can be shown, and a program
/// without messages passes the verifier if that is `promised`.
pub fn sound(compiled: Compiled, promised: bool) -> Option<Arc<Image>> {
    let Compiled {
        program,
        diagnostics,
    } = compiled;
    for it in &diagnostics {
        let places = it.related.iter().map(|(span, _)| *span);
        for span in places.chain([it.span]) {
            let source: &Source = &program.sources[usize::from(it.source.0)];
            let text = source.text.get(span.start as usize..span.end as usize);
            assert!(text.is_some(), "{it:?}");
        }
    }
    let shown = mini::cli::render::render(&diagnostics, &program.sources, true);
    assert_eq!(shown.is_empty(), diagnostics.is_empty());
    if !diagnostics.is_empty() {
        return None;
    }
    match verify(program) {
        Ok(verified) => Some(Arc::new(Image::new(&verified, builtins::table()))),
        Err(faults) => {
            assert!(!promised, "{}", faults[0]);
            None
        }
    }
}

/// Runs a program, simulated, within small bounds: it ends, and not by a fault of Mini's.
pub fn run(image: &Arc<Image>, tuning: Tuning) {
    let machine = Machine {
        limits: Limits {
            memory_bytes: 8 << 20,
            recursion: 100,
            threads: 20,
            tuning,
        },
        run_limits: RunLimits {
            processes: 5,
            instructions: Some(INSTRUCTIONS),
            output_bytes: Some(64 << 10),
            ..RunLimits::default()
        },
        ..Machine::under("cpython-3.12")
    };
    let end = machine.run(image).outcome.end;
    assert!(!matches!(end, End::Bug(_)), "{end:?}");
}
