//! The scripts of a folder. Links to folders are not followed: they may lead out of it, or into
//! itself.

use crate::cli::Trouble;
use crate::cli::stray::cannot_open;
use std::fs;
use std::path::{Path, PathBuf};

/// What there is in a folder.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) what: What,
}

/// What it is.
pub(super) enum What {
    Script,
    /// It is called like a script, or may hold some, and this is why it cannot be tested.
    Unfit(String),
    /// A link to a folder.
    Link,
}

/// The script itself, or all under a folder, in order.
pub(super) fn scripts(path: &Path) -> Result<Vec<Found>, Trouble> {
    let of = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    if !of.is_dir() {
        return Ok(vec![found(path.to_owned())]);
    }
    let mut all = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        if let Err(error) = list(&folder, &mut folders, &mut all) {
            all.push(Found {
                path: folder,
                what: What::Unfit(format!("it cannot be listed: {error}")),
            });
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

fn list(folder: &Path, folders: &mut Vec<PathBuf>, all: &mut Vec<Found>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Of the entry itself, not of what it links to.
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.is_dir() {
            all.push(Found {
                path,
                what: What::Link,
            });
        } else if path.extension().is_some_and(|it| it == "mini") {
            all.push(found(path));
        }
    }
    Ok(())
}

fn found(path: PathBuf) -> Found {
    let what = match fs::metadata(&path) {
        Ok(of) if of.is_file() => What::Script,
        Ok(_) => What::Unfit("it is no plain file".into()),
        Err(error) => What::Unfit(format!("it cannot be opened: {error}")),
    };
    Found { path, what }
}
