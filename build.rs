//! Generates the parsers from `grammar/`.

#[expect(
    clippy::disallowed_macros,
    reason = "a build script speaks to cargo by printing"
)]
fn main() {
    // lalrpop names the grammars it knows; a new one shows in the folder.
    println!("cargo:rerun-if-changed=grammar");
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .emit_rerun_directives(true)
        .process()
        .unwrap_or_else(|error| panic!("the grammars in `grammar/` do not build: {error}"));
}
