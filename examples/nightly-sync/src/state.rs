//! What the show is known to hold, from one run to the next.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use perenso::types::CustomerV2;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Failure;

/// The state file: for each customer the digest of what the show holds, or nothing where that is not known.
///
/// It holds no personal data. Without it, everything is sent once more, which does no harm.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    show: String,
    customers: BTreeMap<String, Option<String>>,
    #[serde(skip)]
    path: PathBuf,
}

impl State {
    /// The state of this show, empty where there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be read, is none of ours, or belongs to another show.
    pub fn open(path: impl Into<PathBuf>, show: &str) -> Result<Self, Failure> {
        let path = path.into();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { show: show.to_owned(), customers: BTreeMap::new(), path });
            }
            text => text?,
        };
        let state: Self = serde_json::from_slice(&text).map_err(|error| {
            format!("{} is no state file ({error}): delete it, and all is sent again", path.display())
        })?;
        if state.show != show {
            return Err(format!("{} belongs to the show {}, and not to {show}", path.display(), state.show).into());
        }
        Ok(Self { path, ..state })
    }

    /// What the show is known to hold of a customer.
    #[must_use]
    pub fn held(&self, number: &str) -> Option<&str> {
        self.customers.get(number)?.as_deref()
    }

    /// Sets what the show is known to hold, or that it is not known; gives what stood there before.
    pub fn set(&mut self, number: &str, digest: Option<String>) -> Option<String> {
        self.customers.insert(number.to_owned(), digest).flatten()
    }

    /// Writes the file: beside the old one, then in its place, so that there is always a whole one.
    ///
    /// # Errors
    /// When it cannot be written; the old one is still there.
    pub fn save(&self) -> Result<(), Failure> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// The same for the same record, in every run and on every machine.
pub(crate) fn digest(customer: &CustomerV2) -> Result<String, Failure> {
    let bytes = Sha256::digest(serde_json::to_vec(customer)?);
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
