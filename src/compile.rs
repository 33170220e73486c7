//! Tree to bytecode: scopes, registers, instructions, and the refusal of what Mini leaves out.
//! Knows no VM and reads no file.
//!
//! In order: `modules` parses the script and what it imports; `resolve` walks each tree, `bind`
//! settles its names, both with the refusals of `refuse`; `emit` and the files around it make the
//! code of each unit; `jumps` lays it out; `pool` holds what all code shares.

mod assembly;
mod assign;
mod bind;
mod call;
mod comprehension;
mod condition;
mod derived;
mod display;
mod emit;
mod expr;
mod fields;
mod fold;
mod function;
mod handlers;
mod jumps;
mod left_out;
mod loops;
mod modules;
mod pool;
mod refuse;
mod resolve;
mod scope;
mod standard;
mod stmt;
mod unit;

use crate::bytecode::code::{Module, Program};
use crate::bytecode::frozen::Frozen;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};
use crate::syntax::ast::{Block, Interner};
use derived::Derived;
use emit::Emitter;
use modules::{Modules, Origin};
use pool::Pool;
use resolve::Resolver;
use rustc_hash::FxHashMap;
use scope::{MODULE, Scopes};
use unit::{Unit, instructions_for};

/// What a compilation may refer to besides the script itself; the VM's tables supply it.
#[derive(Clone, Copy)]
pub struct Environment {
    /// Is there a builtin of this name? Names that begin with an underscore are for embedded
    /// modules alone.
    pub is_builtin: fn(&str) -> bool,
    /// The text of an embedded module.
    pub embedded: fn(&str) -> Option<&'static str>,
    /// The module that the VM itself calls into, compiled; without it, its text is.
    pub frozen: Option<&'static Frozen>,
}

/// A linked program and what is wrong with it; it may run only if no diagnostic was given.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// In order of place. All are errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a script and every embedded module that it imports, directly or through another, and
/// links them.
#[must_use]
pub fn compile(script: Source, environment: &Environment) -> Compiled {
    let mut interner = Interner::default();
    let mut diagnostics = Vec::new();
    let mut modules = Modules::gather(script, environment, &mut interner, &mut diagnostics);
    let mut bodies: Vec<Block> = modules
        .all
        .iter_mut()
        .map(|module| std::mem::take(&mut module.body))
        .collect();
    let bytes = modules.sources.iter().map(|source| source.text.len()).sum();
    let mut derived = Derived::of_texts(bytes);
    let mut all_scopes = Vec::new();
    for (module, body) in modules.all.iter().zip(&mut bodies) {
        let resolver = Resolver::walk(
            &modules,
            module,
            body,
            environment,
            &mut interner,
            &mut derived,
            &mut diagnostics,
        );
        all_scopes.push(bind::bind(resolver));
    }
    let mut program = Program::default();
    if diagnostics.is_empty() {
        program = link(
            &modules,
            &bodies,
            &all_scopes,
            environment,
            &mut interner,
            &mut derived,
            &mut diagnostics,
        );
    }
    if derived.exhausted {
        let message = "the qualified and the private names of the script take too much room";
        let mut report = Diagnostic::new(Code::E0508, SourceId(0), Span::default(), message);
        report.help = Some("give functions and classes shorter names".to_owned());
        diagnostics.push(report);
    }
    program.sources = modules.sources;
    diagnostics.sort_by_key(|it| (it.source, it.span, it.code));
    Compiled {
        program,
        diagnostics,
    }
}

/// Assembles a script from its text in assembly (`bytecode::assemble`), and links it as `compile`
/// does.
#[must_use]
pub fn assemble(script: Source, environment: &Environment) -> Compiled {
    assembly::assemble_script(script, environment)
}

/// Is this the module that every program has, since the VM itself calls into it? Assembly text
/// leaves it out.
#[must_use]
pub fn is_always_linked(module: &str) -> bool {
    module == modules::BUILTINS
}

/// Makes the code of all modules and puts the program together.
fn link(
    modules: &Modules,
    bodies: &[Block],
    all_scopes: &[Scopes],
    environment: &Environment,
    interner: &mut Interner,
    derived: &mut Derived,
    diagnostics: &mut Vec<Diagnostic>,
) -> Program {
    let mut pool = Pool::default();
    let mut codes = vec![Frozen::CODE; modules.all.len()];
    // The VM's own module comes first, whether it is frozen or not: its tables are then the
    // beginning of the program's.
    let mut order: Vec<usize> = (0..modules.all.len()).collect();
    order.sort_by_key(|&at| &*modules.all[at].name != modules::BUILTINS);
    for at in order {
        let (text, body, scopes) = (&modules.all[at], &bodies[at], &all_scopes[at]);
        let module = at as u32;
        if let Some(frozen) = text.frozen {
            pool.thaw(frozen, module, text.source, interner);
            codes[at] = Frozen::CODE;
            continue;
        }
        let own = scopes.get(MODULE);
        let bytes = modules.sources[usize::from(text.source.0)].text.len();
        let room = instructions_for(bytes);
        let mut emitter = Emitter {
            modules,
            module,
            text,
            scopes,
            environment,
            interner,
            derived,
            pool: &mut pool,
            diagnostics,
            unit: Unit::new(MODULE, own.registers, &own.unbindable, room),
            blocks: Vec::new(),
            outer: Vec::new(),
            scope: MODULE,
            made: FxHashMap::default(),
        };
        codes[at] = emitter.module_code(body);
        // What other modules take from this one must be among its variables.
        if text.origin == Origin::Embedded {
            for &name in &text.exports {
                emitter.own_global(name);
            }
        }
    }
    pool.module_globals.resize_with(modules.all.len(), Vec::new);
    let listed = modules.all.iter().zip(codes).zip(pool.module_globals);
    Program {
        codes: pool.codes,
        consts: pool.consts,
        names: pool.names,
        globals: pool.globals,
        modules: listed
            .map(|((text, code), globals)| Module {
                name: text.name.clone(),
                code,
                globals,
            })
            .collect(),
        sources: Vec::new(),
    }
}
