//! Files that are replaced as a whole.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::output::Failure;

/// Replaces a file as a whole, and creates its directory. On Unix nobody else can read either.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_directory(parent)?;
    let fail = |error: io::Error| Failure::file("written", path, &error);
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(fail)?;
    file.write_all(content).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
    file.persist(path).map(drop).map_err(|error| fail(error.error))
}

fn create_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Failure::file("created", path, &error))
}
