//! Files that are replaced as a whole.

use std::{fs, io::Write, path::Path};

use perenso::exports::files::AtomicFile;

use crate::output::Failure;

/// Replaces a file as a whole, and creates its directory. On Unix nobody else can read either.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) {
        create_directory(parent)?;
    }
    let mut file = AtomicFile::private(path)?;
    file.write_all(content).map_err(|error| Failure::file("written", path, &error))?;
    Ok(file.persist()?)
}

fn create_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Failure::file("created", path, &error))
}
