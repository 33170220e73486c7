//! Generates the parsers from `grammar/`, and says how to link.

#[expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a build script hears cargo in its environment and speaks to it by printing"
)]
fn main() {
    // lalrpop names the grammars it knows; a new one shows in the folder.
    println!("cargo:rerun-if-changed=grammar");
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .emit_rerun_directives(true)
        .process()
        .unwrap_or_else(|error| panic!("the grammars in `grammar/` do not build: {error}"));
    // A program that lies where it was linked to has nothing to relocate when it starts. (Debian's python3 is linked like that for the same reason.)
    if ["CARGO_CFG_TARGET_OS", "CARGO_CFG_TARGET_ENV"].map(std::env::var)
        == [Ok("linux".into()), Ok("gnu".into())]
    {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
