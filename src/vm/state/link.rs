//! What the run loop needs to know of each code object beside its instructions, worked out once for
//! a program and shared by all VMs that run it.

use crate::bytecode::code::{Capture, Const, Program};
use crate::bytecode::op::{CodeIx, Op};
use crate::bytecode::verify::Verified;
use crate::vm::heap::class::{Name, WELL_KNOWN};
use crate::vm::state::cache::CACHES;
use crate::vm::state::natives::Natives;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A program with everything that follows from it.
#[derive(Debug)]
pub struct Image {
    pub program: Arc<Program>,
    /// What the machine has in Rust.
    pub natives: &'static Natives,
    pub(in crate::vm) links: Vec<Link>,
    /// The program's names as the VM numbers them (the well-known ones come first there).
    pub(in crate::vm) names: Vec<Name>,
    /// All names at the start of a VM.
    pub(in crate::vm) all_names: Vec<Arc<str>>,
    /// For each constant that is a list of names, those names as the VM numbers them.
    pub(in crate::vm) keyword_names: Vec<Box<[Name]>>,
    /// The variable `sys.stdout`, where `print` looks, if the program has the module.
    pub(in crate::vm) standard_output: Option<u32>,
    /// How many inline caches the program's sites need.
    pub(in crate::vm) caches: usize,
}

/// A code object, linked.
#[derive(Debug)]
pub(in crate::vm) struct Link {
    /// A call with as many positional arguments as there are parameters needs no binding.
    pub(in crate::vm) simple: bool,
    /// The number of arguments with which a call needs nothing but a frame.
    pub(in crate::vm) direct: Option<u16>,
    pub(in crate::vm) positional: u16,
    pub(in crate::vm) registers: u16,
    pub(in crate::vm) generator: bool,
    /// The instructions, once more, where the loop finds them.
    pub(in crate::vm) ops: Box<[Op]>,
    /// The most instructions that can run before a backward jump or a change of frame, as a
    /// distance in bytes.
    pub(in crate::vm) longest_run: isize,
    /// How many instructions the codes before it have.
    pub(in crate::vm) first_op: u32,
    /// Where its sites' caches begin.
    pub(in crate::vm) cache_base: u32,
    /// The attribute names of its sites.
    pub(in crate::vm) sites: Box<[Name]>,
    /// Registers that must be unbound when a call begins, since the code may read them before it
    /// has written them.
    pub(in crate::vm) unbound: Box<[u16]>,
}

impl Image {
    /// Links a program. Only a verified one has an image, and only an image runs: that is what the
    /// run loop's `unsafe` code stands on.
    #[must_use]
    pub fn new(verified: &Verified, natives: &'static Natives) -> Image {
        let program = verified.program().clone();
        let mut all_names: Vec<Arc<str>> = WELL_KNOWN.iter().map(|&text| text.into()).collect();
        let mut index: FxHashMap<Arc<str>, Name> = all_names
            .iter()
            .enumerate()
            .map(|(at, text)| (text.clone(), Name(at as u32)))
            .collect();
        let names: Vec<Name> = program
            .names
            .iter()
            .map(|text| {
                *index.entry(text.clone()).or_insert_with(|| {
                    all_names.push(text.clone());
                    Name(all_names.len() as u32 - 1)
                })
            })
            .collect();
        let mut caches = 0;
        let mut ops = 0;
        let links = program
            .codes
            .iter()
            .enumerate()
            .map(|(at, code)| {
                let link = Link {
                    first_op: ops,
                    ..Link::new(verified, CodeIx(at as u32), &names, caches)
                };
                caches += (CACHES * code.sites.len()) as u32;
                ops += code.ops.len() as u32;
                link
            })
            .collect();
        let keyword_names = program
            .consts
            .iter()
            .map(|constant| match constant {
                Const::Names(list) => list.iter().map(|name| names[name.0 as usize]).collect(),
                _ => Box::default(),
            })
            .collect();
        let standard_output = program
            .modules
            .iter()
            .find(|module| &*module.name == "sys")
            .and_then(|sys| {
                let mut globals = sys.globals.iter();
                globals.find(|(name, _)| &*program.names[name.0 as usize] == "stdout")
            })
            .map(|(_, global)| global.0);
        Image {
            standard_output,
            keyword_names,
            links,
            names,
            all_names,
            caches: caches as usize,
            program,
            natives,
        }
    }
}

impl Image {
    /// All instructions of the program in a row: the codes one after the other. Observers of
    /// straight runs count in it.
    pub fn flat(&self) -> impl Iterator<Item = Op> {
        let codes = self.program.codes.iter();
        codes.flat_map(|code| code.ops.iter().copied())
    }

    /// The name of a captured variable: that of the local in the function which owns its cell.
    pub(in crate::vm) fn free_name(&self, code: CodeIx, free: u16) -> String {
        let codes = &self.program.codes;
        let (mut code, mut free) = (code, free);
        // A function that makes itself would have no end of makers.
        for _ in 0..codes.len() {
            let maker = codes.iter().position(|it| {
                it.ops
                    .iter()
                    .any(|op| matches!(op, Op::MakeFunction { code: made, .. } if *made == code))
            });
            let (Some(maker), Some(capture)) =
                (maker, codes[code.0 as usize].captures.get(free as usize))
            else {
                break;
            };
            match *capture {
                Capture::Free(outer) => (code, free) = (CodeIx(maker as u32), outer.0),
                Capture::Local(reg) => {
                    let found = codes[maker].locals.iter().find(|(it, _)| *it == reg);
                    return found
                        .map_or("<captured>", |(_, name)| {
                            &self.program.names[name.0 as usize]
                        })
                        .to_owned();
                }
            }
        }
        "<captured>".to_owned()
    }
}

impl Link {
    fn new(verified: &Verified, index: CodeIx, names: &[Name], cache_base: u32) -> Link {
        let code = &verified.program().codes[index.0 as usize];
        let params = &code.params;
        let unbound: Box<[u16]> = verified
            .unset_at_entry(index)
            .iter()
            .map(|reg| reg.0)
            .collect();
        let simple =
            !params.star && !params.double_star && params.keyword_only == 0 && !code.generator;
        Link {
            simple,
            direct: (simple && unbound.is_empty()).then_some(params.positional),
            positional: params.positional,
            registers: code.registers,
            generator: code.generator,
            longest_run: verified.longest_run(index) as isize * size_of::<Op>() as isize,
            ops: code.ops.clone().into(),
            first_op: 0,
            cache_base,
            sites: code
                .sites
                .iter()
                .map(|name| names[name.0 as usize])
                .collect(),
            unbound,
        }
    }
}
