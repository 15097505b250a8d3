//! The command's own settings.

use std::{fs, io, str::FromStr};

use toml_edit::{DocumentMut, Item, Table, value};

use super::directory::Directory;
use crate::{files::replace_file, output::Failure};

/// The settings of the command, beside the profiles.
#[derive(Debug)]
pub(crate) struct Settings {
    document: DocumentMut,
}

impl Settings {
    /// Reads the settings. Without a file there are none.
    pub(super) fn read(directory: &Directory) -> Result<Self, Failure> {
        let document = read_document(&directory.settings_file())?.unwrap_or_default();
        Ok(Self { document })
    }

    /// Returns the show to use when none is named.
    pub(crate) fn default_show(&self) -> Option<&str> {
        self.document.get("default_show")?.as_str()
    }

    /// Sets the show to use when none is named.
    pub(super) fn set_default_show(&mut self, name: Option<&str>) {
        match name {
            Some(name) => self.document["default_show"] = value(name),
            None => drop(self.document.remove("default_show")),
        }
    }

    /// Returns the names of the shows whose secret is in the keyring.
    pub(super) fn keyring_names(&self) -> impl Iterator<Item = &str> {
        let shows = self.document.get("keyring").and_then(Item::as_table_like);
        shows.into_iter().flat_map(|shows| shows.iter()).map(|(name, _)| name)
    }

    /// Returns a show whose secret is in the keyring.
    pub(super) fn keyring_show(&self, name: &str) -> Option<&Item> {
        self.document.get("keyring")?.get(name)
    }

    /// Returns such a show to write.
    pub(super) fn keyring_show_mut(&mut self, name: &str) -> &mut Item {
        let shows = self.document.entry("keyring").or_insert_with(|| {
            let mut shows = Table::new();
            shows.set_implicit(true);
            Item::Table(shows)
        });
        &mut shows[name]
    }

    /// Removes such a show.
    pub(super) fn remove_keyring_show(&mut self, name: &str) {
        if let Some(shows) = self.document.get_mut("keyring").and_then(Item::as_table_like_mut) {
            shows.remove(name);
        }
    }

    /// Writes the settings.
    pub(super) fn write(&self, directory: &Directory) -> Result<(), Failure> {
        replace_file(&directory.settings_file(), self.document.to_string().as_bytes())
    }
}

/// Reads a TOML file. The error names the line and quotes nothing, since a secret may be in the wrong file.
pub(super) fn read_document(path: &std::path::Path) -> Result<Option<DocumentMut>, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("read", path, &error)),
    };
    DocumentMut::from_str(&text).map(Some).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Failure::usage(format!("`{}` is not TOML: correct line {line}", path.display()))
    })
}
