//! The records that the show is known to hold, stored between runs.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use perenso::{exports::files::AtomicFile, types::CustomerV2};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Failure;

/// The state file: for each customer the digest of the record at the show, or `None` if that is unknown.
///
/// It contains no personal data. Without it all records are sent again, which does no harm.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    show: String,
    customers: BTreeMap<String, Option<String>>,
    #[serde(skip)]
    path: PathBuf,
}

impl State {
    /// Reads the state of this show. It is empty if there is no file yet.
    ///
    /// # Errors
    /// If the file cannot be read, is not a state file, or belongs to another show.
    pub fn open(path: impl Into<PathBuf>, show: &str) -> Result<Self, Failure> {
        let path = path.into();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { show: show.to_owned(), customers: BTreeMap::new(), path });
            }
            text => text?,
        };
        let state: Self = serde_json::from_slice(&text).map_err(|error| {
            format!("{} is not a state file ({error}): delete it, and all records are sent again", path.display())
        })?;
        if state.show != show {
            return Err(format!("{} belongs to the show {}, and not to {show}", path.display(), state.show).into());
        }
        Ok(Self { path, ..state })
    }

    /// Returns the digest of the record that the show is known to hold for a customer.
    #[must_use]
    pub fn held(&self, number: &str) -> Option<&str> {
        self.customers.get(number)?.as_deref()
    }

    /// Sets the digest of a customer, or `None` if it is unknown. Returns the previous digest.
    pub fn set(&mut self, number: &str, digest: Option<String>) -> Option<String> {
        self.customers.insert(number.to_owned(), digest).flatten()
    }

    /// Writes a temporary file and renames it, so that the state file is always complete.
    ///
    /// # Errors
    /// If the file cannot be written. The previous one is then unchanged.
    pub fn save(&self) -> Result<(), Failure> {
        let mut file = AtomicFile::new(&self.path)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        Ok(file.persist()?)
    }
}

/// Returns a digest that is the same for equal records in every run and on every machine.
pub(crate) fn digest(customer: &CustomerV2) -> Result<String, Failure> {
    let bytes = Sha256::digest(serde_json::to_vec(customer)?);
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
