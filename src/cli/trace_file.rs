//! The file that `--trace` writes. It takes the place of nothing but a trace, unless it is told to,
//! and never of the script or of what the run prints.

use crate::cli::Trouble;
use crate::event::trace::MAGIC;
use anyhow::{anyhow, bail};
use same_file::Handle;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

/// Opens it for a run of this script; it is empty then.
pub(super) fn open(path: &Path, force: bool, script: &Path) -> Result<File, Trouble> {
    if path.as_os_str() == "-" {
        bail!("--trace needs a file: standard output is the script's");
    }
    let name = path.display();
    let lost = |error: io::Error| anyhow!("can't write trace '{name}': {error}");
    let kind = match fs::metadata(path) {
        Ok(found) => Some(found.file_type()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(lost(error)),
    };
    let Some(kind) = kind else {
        // Not through a link to a file that is yet to be, either.
        if path.is_symlink() {
            bail!("trace '{name}' is a link to a file that is not there");
        }
        let mut options = OpenOptions::new();
        return options
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(lost);
    };
    if !kind.is_file() {
        if !force {
            bail!("trace '{name}' is there and is no plain file; --force writes to it");
        }
        return OpenOptions::new().write(true).open(path).map_err(lost);
    }
    // Looked at through the same handle, so that nobody can put another file there meanwhile.
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).open(path).map_err(lost)?;
    let this = Handle::from_file(file.try_clone().map_err(lost)?).map_err(lost)?;
    let of_script = if script.as_os_str() == "-" {
        Handle::stdin()
    } else {
        Handle::from_path(script)
    };
    if of_script.is_ok_and(|it| it == this) {
        bail!("trace '{name}' is the script itself; give the trace another name");
    }
    if [Handle::stdout(), Handle::stderr()]
        .iter()
        .flatten()
        .any(|it| *it == this)
    {
        bail!("trace '{name}' is where the run's output goes; give the trace another name");
    }
    if !force && !is_trace(&mut file).map_err(lost)? {
        bail!("'{name}' is there and is no trace; --force overwrites it");
    }
    file.set_len(0).and_then(|()| file.rewind()).map_err(lost)?;
    Ok(file)
}

fn is_trace(file: &mut File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning == MAGIC)
}
