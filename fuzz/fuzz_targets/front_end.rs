//! Any text through lexer, parser, checks, compiler and the drawing of messages. Bytes that are no
//! UTF-8 are refused with their place.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mini::compile::compile;
use mini::source::SourceId;
use mini::syntax;
use mini_fuzz::{ENVIRONMENT, sound};

fuzz_target!(|bytes: &[u8]| {
    match syntax::read("fuzz.mini", bytes, SourceId(0)) {
        Ok(source) => drop(sound(compile(source, &ENVIRONMENT), true)),
        Err(refused) => {
            let (source, diagnostic) = *refused;
            let span = diagnostic.span;
            assert!(span.start <= span.end && span.end as usize <= source.text.len());
            assert!(!mini::cli::render::render(&[diagnostic], &[source], true).is_empty());
        }
    }
});
