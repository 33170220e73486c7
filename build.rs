//! Generates the parsers from `grammar/`.

fn main() {
    lalrpop::Configuration::new()
        .set_in_dir("grammar")
        .emit_rerun_directives(true)
        .process()
        .unwrap_or_else(|error| panic!("the grammars in `grammar/` do not build: {error}"));
}
