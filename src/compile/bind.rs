//! What each mentioned name means, once all mentions are known: the rules of CPython's
//! `Python/symtable.c`, and the register of each variable.

use crate::bytecode::op::Reg;
use crate::compile::refuse;
use crate::compile::resolve::{Path, Resolver};
use crate::compile::scope::{Binding, Place, ScopeId, ScopeKind, Scopes, Variable, VariableId};
use crate::diagnostic::Code;
use crate::syntax::ast::Symbol;
use rustc_hash::FxHashMap;

/// Most registers that the named locals of one code object may take.
const MAX_LOCALS: u32 = 60_000;

/// Settles all names of a module.
pub(super) fn bind(mut resolver: Resolver) -> Scopes {
    let class_cell = resolver.interner.intern("__class__");
    make_variables(&mut resolver);
    module_names(&mut resolver);
    let count = u32::try_from(resolver.scopes.all.len()).expect("counted in u32 as they were made");
    for scope in (0..count).map(ScopeId) {
        for at in 0..resolver.scopes.get(scope).order.len() {
            let name = resolver.scopes.get(scope).order[at];
            let place = meaning(&mut resolver, scope, name, class_cell);
            if let Place::Variable(id) = place {
                let unit = resolver.scopes.get(scope).unit;
                let variable = &mut resolver.scopes.variables[id.0 as usize];
                variable.captured |= variable.unit != unit;
            }
            resolver.scopes.get_mut(scope).places.insert(name, place);
            if place == Place::Global {
                refuse::global_name(&mut resolver, scope, name);
            }
        }
    }
    for (scope, name, span) in std::mem::take(&mut resolver.bases) {
        if is_untouched_builtin(&resolver, scope, name) {
            refuse::base(&mut resolver, span, name);
        }
    }
    for (scope, name, span) in std::mem::take(&mut resolver.made_classes) {
        if is_untouched_builtin(&resolver, scope, name) {
            refuse::made_class(&mut resolver, span);
        }
    }
    for path in std::mem::take(&mut resolver.paths) {
        check_path(&mut resolver, &path);
    }
    resolver.scopes
}

/// Does the name mean the builtin for certain?
fn is_untouched_builtin(resolver: &Resolver, scope: ScopeId, name: Symbol) -> bool {
    resolver.scopes.get(scope).places[&name] == Place::Global
        && !resolver.scopes.module_bound.contains_key(&name)
        && (resolver.environment.is_builtin)(resolver.interner.text(name))
}

/// Gives each local of a function its variable and register: parameters first, then the others in
/// order of mention. The variables of comprehensions come after; two comprehensions share the
/// registers of names that they have in common, unless one stands inside the other.
fn make_variables(resolver: &mut Resolver) {
    let mut shared: FxHashMap<(ScopeId, Symbol, usize), Reg> = FxHashMap::default();
    let count = u32::try_from(resolver.scopes.all.len()).expect("counted in u32 as they were made");
    for id in (0..count).map(ScopeId) {
        match resolver.scopes.get(id).kind {
            ScopeKind::Module => {}
            // The base, then the class itself.
            ScopeKind::Class => resolver.scopes.get_mut(id).registers = 2,
            kind @ (ScopeKind::Function | ScopeKind::Generator) => {
                if kind == ScopeKind::Generator {
                    resolver.scopes.get_mut(id).registers = 1;
                }
                for parameters in [true, false] {
                    for name in locals(&resolver.scopes, id, parameters) {
                        let register = next_register(resolver, id, name);
                        make_variable(&mut resolver.scopes, id, id, name, register);
                    }
                }
            }
            ScopeKind::Comprehension => {
                let unit = resolver.scopes.get(id).unit;
                for name in locals(&resolver.scopes, id, false) {
                    let nesting = nested_uses(&resolver.scopes, id, name);
                    let register = match shared.get(&(unit, name, nesting)) {
                        Some(&register) => register,
                        None => next_register(resolver, unit, name),
                    };
                    shared.insert((unit, name, nesting), register);
                    make_variable(&mut resolver.scopes, id, unit, name, register);
                }
            }
        }
    }
}

/// The local names of a scope: its parameters, or the others.
fn locals(scopes: &Scopes, id: ScopeId, parameters: bool) -> Vec<Symbol> {
    let scope = scopes.get(id);
    let names = scope.order.iter().copied();
    names
        .filter(|name| {
            let mention = &scope.mentions[name];
            mention.parameter == parameters
                && mention.bound.is_some()
                && mention.global.is_none()
                && mention.nonlocal.is_none()
        })
        .collect()
}

/// How many comprehensions around this one, in the same code, bind the same name.
fn nested_uses(scopes: &Scopes, id: ScopeId, name: Symbol) -> usize {
    let mut count = 0;
    let mut at = scopes.get(id).parent;
    while scopes.get(at).kind == ScopeKind::Comprehension {
        let mentions = &scopes.get(at).mentions;
        count += usize::from(mentions.get(&name).is_some_and(|it| it.bound.is_some()));
        at = scopes.get(at).parent;
    }
    count
}

fn next_register(resolver: &mut Resolver, unit: ScopeId, name: Symbol) -> Reg {
    let scope = resolver.scopes.get_mut(unit);
    let next = scope.registers;
    scope.registers += 1;
    if next == MAX_LOCALS {
        let span = scope.mentions.get(&name).map(|mention| mention.span);
        let message = format!("more than {MAX_LOCALS} local variables in one function");
        resolver.report(Code::E0508, span.unwrap_or_default(), message, None);
    }
    Reg(u16::try_from(next.min(MAX_LOCALS)).expect("the limit fits"))
}

fn make_variable(
    scopes: &mut Scopes,
    scope: ScopeId,
    unit: ScopeId,
    name: Symbol,
    register: Reg,
) -> VariableId {
    let id = VariableId(u32::try_from(scopes.variables.len()).expect("fewer than bytes of text"));
    scopes.variables.push(Variable {
        name,
        unit,
        register,
        captured: false,
    });
    let mention = scopes.get(scope).mentions.get(&name);
    let unbound = mention.is_some_and(|mention| mention.unbound);
    scopes
        .get_mut(scope)
        .places
        .insert(name, Place::Variable(id));
    let unit = scopes.get_mut(unit);
    unit.variables.push(id);
    if unbound {
        unit.unbindable.push(register);
    }
    id
}

/// Collects the names that are variables of the module.
fn module_names(resolver: &mut Resolver) {
    let mut bound: FxHashMap<Symbol, Binding> = FxHashMap::default();
    for scope in &resolver.scopes.all {
        for (&name, mention) in &scope.mentions {
            if scope.kind != ScopeKind::Module && mention.global.is_none() {
                continue;
            }
            if let Some(binding) = mention.bound {
                bound
                    .entry(name)
                    .and_modify(|before| {
                        if *before != binding {
                            *before = Binding::Other;
                        }
                    })
                    .or_insert(binding);
            }
        }
    }
    resolver.scopes.module_bound = bound;
}

fn meaning(resolver: &mut Resolver, scope: ScopeId, name: Symbol, class_cell: Symbol) -> Place {
    let it = resolver.scopes.get(scope);
    let mention = it.mentions[&name];
    if it.kind == ScopeKind::Module || mention.global.is_some() {
        return Place::Global;
    }
    if mention.nonlocal.is_some() {
        let found = enclosing(&mut resolver.scopes, scope, name, class_cell);
        if found == Place::Global {
            let message = format!(
                "no binding for nonlocal '{}' found",
                resolver.interner.text(name)
            );
            let help = "`nonlocal` means a variable of a surrounding function; for one of the module, write `global`";
            let span = mention.nonlocal.unwrap_or(mention.span);
            resolver.report(Code::E0412, span, message, Some(help));
        }
        return found;
    }
    if it.kind == ScopeKind::Class {
        let given = matches!(resolver.interner.text(name), "__module__" | "__qualname__");
        if mention.bound.is_some() || given {
            return Place::ClassBody;
        }
    } else if let Some(&own) = it.places.get(&name) {
        return own;
    }
    enclosing(&mut resolver.scopes, scope, name, class_cell)
}

/// What a name means that `scope` does not bind: a variable of a surrounding function, or the
/// module's.
fn enclosing(scopes: &mut Scopes, scope: ScopeId, name: Symbol, class_cell: Symbol) -> Place {
    let mut at = scopes.get(scope).parent;
    loop {
        let it = scopes.get(at);
        match it.kind {
            ScopeKind::Module => return Place::Global,
            ScopeKind::Class => {
                if name == class_cell {
                    return Place::Variable(class_variable(scopes, at, name));
                }
            }
            ScopeKind::Function | ScopeKind::Generator | ScopeKind::Comprehension => {
                if let Some(mention) = it.mentions.get(&name) {
                    if mention.global.is_some() {
                        return Place::Global;
                    }
                    if mention.bound.is_some() && mention.nonlocal.is_none() {
                        return it.places[&name];
                    }
                }
            }
        }
        at = scopes.get(at).parent;
    }
}

/// The variable `__class__` of a class body.
fn class_variable(scopes: &mut Scopes, class: ScopeId, name: Symbol) -> VariableId {
    if let Some(id) = scopes.get(class).class_cell {
        return id;
    }
    let it = scopes.get_mut(class);
    let register = Reg(u16::try_from(it.registers.min(MAX_LOCALS)).expect("the limit fits"));
    it.registers += 1;
    let id = VariableId(u32::try_from(scopes.variables.len()).expect("fewer than bytes of text"));
    scopes.variables.push(Variable {
        name,
        unit: class,
        register,
        captured: true,
    });
    let it = scopes.get_mut(class);
    it.class_cell = Some(id);
    it.variables.push(id);
    id
}

/// If `root.a.b` reaches into a module, that module must have the name.
fn check_path(resolver: &mut Resolver, path: &Path) {
    let Some(mut module) = module_named(&resolver.scopes, path.scope, path.root) else {
        return;
    };
    let (last, inner) = path.rest.split_last().expect("at least one attribute");
    let modules = resolver.modules;
    for name in inner {
        let inner = &modules.all[module as usize].inner;
        match inner.iter().find(|(known, _)| *known == name.name) {
            Some(&(_, found)) => module = found,
            None => return,
        }
    }
    let module = &modules.all[module as usize];
    if !module.defines(last.name) {
        refuse::module_attribute(resolver, module, *last);
    }
}

/// The module that a name surely means: imports of that one module bind it, and nothing else.
fn module_named(scopes: &Scopes, scope: ScopeId, name: Symbol) -> Option<u32> {
    let binding = match scopes.get(scope).places.get(&name)? {
        Place::Global => scopes.module_bound.get(&name).copied(),
        Place::Variable(id) => {
            let unit = scopes.get(scopes.variable(*id).unit);
            if unit.places.get(&name) != Some(&Place::Variable(*id)) {
                return None;
            }
            let mention = unit.mentions.get(&name)?;
            // A name that inner functions may bind through `nonlocal` is left alone.
            (!scopes.variable(*id).captured)
                .then_some(mention.bound)
                .flatten()
        }
        Place::ClassBody => None,
    };
    match binding {
        Some(Binding::Module(at)) => Some(at),
        Some(Binding::Other) | None => None,
    }
}
