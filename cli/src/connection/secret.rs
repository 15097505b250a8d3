//! Files of secrets.

use std::{fs, io, path::Path};

use crate::{files::replace_file, output::Failure};

/// Refuses a file that other users of the machine can read.
#[cfg(unix)]
pub(super) fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    // One that is missing is the SDK's to report.
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "other users can read the secret in `{path}` (mode {mode:04o}): run `chmod 600 {path}`, and ask for a new secret if \
         somebody may have read it",
        path = path.display(),
    )))
}

/// Windows keeps the files of a user's profile from other users.
#[cfg(not(unix))]
pub(super) fn check_mode(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// Writes the secret of a show into a file of its own.
pub(super) fn write(path: &Path, secret: &str) -> Result<(), Failure> {
    replace_file(path, secret.as_bytes())
}

/// Removes the secret of a show.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::file("removed", path, &error)),
        _ => Ok(()),
    }
}
