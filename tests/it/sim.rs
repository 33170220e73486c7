//! The simulated engine and its presets.

mod again;
mod atomicity;
mod examples;
mod losses;
pub(crate) mod machine;
pub(crate) mod measure;
mod polls;
mod slices;
mod stories;
mod waits;

/// `docs/gil-presets.md` is the table of presets.
#[test]
fn the_page_of_presets_is_made_from_the_table() {
    let page = mini::gil::preset::page();
    let path = "docs/gil-presets.md";
    if std::env::var_os("MINI_UPDATE").is_some() {
        std::fs::write(path, &page).expect("docs/gil-presets.md can be written");
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/gil-presets.md is out of date: MINI_UPDATE=1 cargo test writes it anew"
    );
}
