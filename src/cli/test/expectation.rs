//! What scripts are expected to print, kept in files beside them.

use crate::cli::Trouble;
use crate::printable;
use crate::printable::Printable;
use anyhow::{Context, bail};
use similar::TextDiff;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

/// No script prints more in all its runs.
const LONGEST: u64 = 1 << 28;

/// A longer difference is not shown to its end.
const MAX_LINES: usize = 200;

/// Looking for the least difference ends after this; then any will do.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is expected, if that is kept.
#[expect(clippy::disallowed_methods, reason = "expectations are files")]
pub(super) fn read(kept: &Path) -> Result<Option<String>, Trouble> {
    let name = kept.display();
    match fs::metadata(kept) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => bail!("can't read '{name}': {error}"),
        Ok(of) if !of.is_file() => bail!("'{name}' is no plain file"),
        Ok(of) if of.len() > LONGEST => bail!("'{name}' is too long to be what a script prints"),
        Ok(_) => {}
    }
    let mut text = String::new();
    File::open(kept)
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
        .with_context(|| format!("can't read '{name}'"))?;
    Ok(Some(text))
}

/// Keeps what is printed now. Never through a link, which may lead anywhere; and in a new file that
/// takes the place of the old one, since that may have another name elsewhere.
pub(super) fn write(kept: &Path, text: &str) -> Result<(), Trouble> {
    let name = kept.display();
    if kept.is_symlink() {
        bail!("'{name}' is a link, and --accept writes through none; put a file in its place");
    }
    let new = kept.with_file_name({
        let mut name = OsString::from(kept.file_name().unwrap_or_default());
        name.push(".new");
        name
    });
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&new)
        .with_context(|| format!("can't write '{}'", new.display()))?
        .write_all(text.as_bytes())
        .and_then(|()| fs::rename(&new, kept));
    if let Err(error) = written {
        let _ = fs::remove_file(&new);
        bail!("can't write '{name}': {error}");
    }
    Ok(())
}

/// How what is printed differs from what is expected.
pub(super) fn difference(expected: &str, printed: &str) -> Printable {
    let difference = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(expected, printed)
        .unified_diff()
        .header("expected", "printed")
        .to_string();
    let lines = difference.lines().count();
    let Some(more) = lines.checked_sub(MAX_LINES).filter(|it| *it > 0) else {
        return Printable::lines(&difference);
    };
    let shown: Vec<&str> = difference.lines().take(MAX_LINES).collect();
    printable!(
        Printable::lines(&shown.join("\n")),
        "\n… and ",
        more,
        " more lines\n"
    )
}
