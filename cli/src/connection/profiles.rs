//! The profiles: one TOML file, which the SDK's `Shows` reads too.

use std::path::{Path, PathBuf};

use perenso::{
    Perenso, Shows,
    auth::store::{FileStore, MemoryStore},
};
use toml_edit::{DocumentMut, Item, Table, value};

use super::{
    client::Tokens,
    directory::Directory,
    keyring, secret,
    settings::{Settings, read_document},
};
use crate::{
    files::replace_file,
    output::{Code, Failure},
};

/// The profiles of all shows, and which of them is used when none is named.
///
/// A show whose secret is in the keyring is in the command's own settings, since the SDK reads secrets from files only.
#[derive(Debug)]
pub(crate) struct Profiles {
    directory: Directory,
    path: PathBuf,
    document: DocumentMut,
    pub(crate) settings: Settings,
}

/// A profile to write.
#[derive(Debug)]
pub(crate) struct Profile<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) api_url: Option<&'a str>,
    pub(crate) token_url: Option<&'a str>,
    /// Keeps the secret in the keyring of the system.
    pub(crate) keyring: bool,
}

impl Profiles {
    /// Reads the profiles. Without files there are none.
    pub(crate) fn read() -> Result<Self, Failure> {
        let directory = Directory::find()?;
        let path = directory.shows_file();
        let document = read_document(&path)?.unwrap_or_default();
        let settings = Settings::read(&directory)?;
        Ok(Self { directory, path, document, settings })
    }

    /// Returns the file that the SDK reads too.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the names of the shows at Perenso, in alphabetical order. Other systems are the SDK's alone.
    pub(crate) fn names(&self) -> Vec<&str> {
        let shows = self.document.get("shows").and_then(Item::as_table_like);
        let is_perenso = |show: &Item| show.get("profile").and_then(Item::as_str) == Some("perenso");
        let shows = shows.into_iter().flat_map(|shows| shows.iter()).filter(|(_, show)| is_perenso(show));
        let mut names: Vec<_> = shows.map(|(name, _)| name).chain(self.settings.keyring_names()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the show to use when none is named: the default one, or the only one.
    pub(crate) fn default_name(&self) -> Result<String, Failure> {
        let names = self.names();
        match (self.settings.default_show(), &names[..]) {
            (Some(default), names) if names.contains(&default) => Ok(default.to_owned()),
            (_, [only]) => Ok((*only).to_owned()),
            (_, []) => Err(Failure::usage(
                "no show is known yet: run `perenso login`, or add `--sandbox` to try the command with a made-up show",
            )),
            (_, names) => Err(Failure::usage(format!("say which show: add `--show` with one of {}", names.join(", ")))),
        }
    }

    /// Returns a string of a profile.
    pub(crate) fn value(&self, name: &str, key: &str) -> Option<&str> {
        let show = self.settings.keyring_show(name).or_else(|| self.document.get("shows")?.get(name));
        show?.get(key)?.as_str()
    }

    /// Returns the file of a secret, unless it is in the keyring.
    pub(crate) fn secret_file(&self, name: &str) -> Option<PathBuf> {
        let directory = self.path.parent().unwrap_or(Path::new(""));
        Some(directory.join(self.value(name, "client_secret_file")?))
    }

    /// Fails if there is no show of this name.
    pub(crate) fn check(&self, name: &str) -> Result<(), Failure> {
        let names = self.names();
        if names.contains(&name) {
            return Ok(());
        }
        let known = match names.is_empty() {
            true => "run `perenso login` first".to_owned(),
            false => format!("the file {} has {}", self.path.display(), names.join(", ")),
        };
        Err(Failure::new(Code::NotFound, format!("there is no show `{name}`: {known}")))
    }

    /// Returns the client of a show.
    pub(crate) fn client(&self, name: &str, tokens: Tokens) -> Result<Perenso, Failure> {
        self.check(name)?;
        if self.settings.keyring_show(name).is_some() {
            return self.keyring_client(name, tokens);
        }
        check_writers(&self.path)?;
        if let Some(path) = self.secret_file(name) {
            secret::check_mode(&path)?;
        }
        // The file decides where tokens are kept. Without a word of it they are kept where it would be written here.
        let has_store = self.document.get("store").is_some();
        let shows = Shows::read_with(&self.path, |_, builder| match tokens {
            Tokens::Own => builder.store(MemoryStore::new()),
            Tokens::Shared if has_store => builder,
            Tokens::Shared => builder.store(FileStore::new(self.directory.tokens())),
        })?;
        Ok(shows.get(name)?.clone())
    }

    fn keyring_client(&self, name: &str, tokens: Tokens) -> Result<Perenso, Failure> {
        check_writers(&self.directory.settings_file())?;
        let id = self.value(name, "client_id").unwrap_or_default();
        let mut builder = Perenso::builder().client_id(id).client_secret(keyring::read(name)?).label(name);
        if let Some(url) = self.value(name, "api_url") {
            builder = builder.api_url(url);
        }
        if let Some(url) = self.value(name, "token_url") {
            builder = builder.token_url(url);
        }
        if tokens == Tokens::Shared {
            builder = builder.store(FileStore::new(self.directory.tokens()));
        }
        Ok(builder.build()?)
    }

    /// Adds or replaces a profile, with its secret in a file of its own, which is returned, or in the keyring.
    pub(crate) fn set(&mut self, name: &str, profile: &Profile<'_>) -> Result<Option<PathBuf>, Failure> {
        if profile.keyring {
            keyring::write(name, profile.secret)?;
            // The one before.
            self.remove_from_files(name)?;
            fill(self.settings.keyring_show_mut(name), profile);
            self.settings.write(&self.directory)?;
            return Ok(None);
        }
        let path = self.directory.secret_file(name);
        secret::write(&path, profile.secret)?;
        if self.document.get("store").is_none() {
            self.document["store"] = Item::Table(Table::from_iter([("directory", value("tokens"))]));
        }
        let shows = self.document.entry("shows").or_insert_with(|| {
            let mut shows = Table::new();
            shows.set_implicit(true);
            Item::Table(shows)
        });
        let show = &mut shows[name];
        fill(show, profile);
        show["profile"] = value("perenso");
        show["client_secret_file"] = value(format!("secrets/{name}"));
        self.write()?;
        self.remove_from_keyring(name)?;
        Ok(Some(path))
    }

    /// Removes a profile, and its secret if this command wrote it.
    pub(crate) fn remove(&mut self, name: &str) -> Result<(), Failure> {
        self.remove_from_files(name)?;
        self.remove_from_keyring(name)?;
        if self.settings.default_show() == Some(name) {
            self.settings.set_default_show(None);
            self.settings.write(&self.directory)?;
        }
        Ok(())
    }

    /// Writes which show is used when none is named.
    pub(crate) fn set_default(&mut self, name: &str) -> Result<(), Failure> {
        self.settings.set_default_show(Some(name));
        self.settings.write(&self.directory)
    }

    fn remove_from_files(&mut self, name: &str) -> Result<(), Failure> {
        let Some(shows) = self.document.get("shows").filter(|shows| shows.get(name).is_some()) else { return Ok(()) };
        let file = shows.get(name).and_then(|show| show.get("client_secret_file")?.as_str());
        let own = self.directory.secret_file(name);
        if file.map(|file| self.path.parent().unwrap_or(Path::new("")).join(file)).as_ref() == Some(&own) {
            secret::remove(&own)?;
        }
        if let Some(shows) = self.document.get_mut("shows").and_then(Item::as_table_like_mut) {
            shows.remove(name);
        }
        self.write()
    }

    fn remove_from_keyring(&mut self, name: &str) -> Result<(), Failure> {
        if self.settings.keyring_show(name).is_none() {
            return Ok(());
        }
        keyring::remove(name)?;
        self.settings.remove_keyring_show(name);
        self.settings.write(&self.directory)
    }

    fn write(&self) -> Result<(), Failure> {
        replace_file(&self.path, self.document.to_string().as_bytes())
    }
}

/// Writes what every profile has. What the user has added by hand, such as a rate, stays.
fn fill(show: &mut Item, profile: &Profile<'_>) {
    if !show.is_table_like() {
        *show = Item::Table(Table::new());
    }
    show["client_id"] = value(profile.client_id);
    for (key, url) in [("api_url", profile.api_url), ("token_url", profile.token_url)] {
        match (url, show.as_table_like_mut()) {
            (Some(url), _) => show[key] = value(url),
            (None, Some(table)) => drop(table.remove(key)),
            (None, None) => {}
        }
    }
}

/// Refuses profiles that other users can change: they could send the secret elsewhere.
#[cfg(unix)]
fn check_writers(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;

    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::usage(format!("other users can change `{path}` (mode {mode:04o}): run `chmod go-w {path}`")))
}

#[cfg(not(unix))]
fn check_writers(_: &Path) -> Result<(), Failure> {
    Ok(())
}
