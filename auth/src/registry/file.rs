//! The format of a registry file. Its errors do not show values of the file.

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer};

use crate::{
    pasted_value,
    profile::{
        Rate,
        grant::{BodyEncoding, ClientAuth},
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) store: Option<Store>,
    pub(super) shows: BTreeMap<String, Show>,
}

/// A registry in a file with other tables.
#[derive(Deserialize)]
struct OpenFile {
    store: Option<Store>,
    shows: BTreeMap<String, Show>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    pub(super) directory: Option<PathBuf>,
    pub(super) redis_url_file: Option<PathBuf>,
    pub(super) replicas: Option<u32>,
    #[cfg_attr(not(feature = "redis"), allow(dead_code))]
    pub(super) sealing_secret_file: Option<PathBuf>,
    #[cfg_attr(not(feature = "redis"), allow(dead_code))]
    pub(super) prefix: Option<String>,
    #[serde(default)]
    #[cfg_attr(not(feature = "redis"), allow(dead_code))]
    pub(super) allow_plain: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Show {
    pub(super) profile: String,
    pub(super) client_id: String,
    pub(super) client_secret_file: PathBuf,
    pub(super) code_file: Option<PathBuf>,
    pub(super) redirect_uri: Option<String>,
    pub(super) refresh_token_file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) region: Option<String>,
    pub(super) tid_file: Option<PathBuf>,
    pub(super) subscription_key_file: Option<PathBuf>,
    pub(super) api_url: Option<String>,
    pub(super) token_url: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) client_auth: Option<Place>,
    pub(super) refresh_client_auth: Option<Place>,
    pub(super) body_encoding: Option<Encoding>,
    pub(super) rate: Option<Quota>,
    #[serde(default)]
    pub(super) memory_only: bool,
    #[serde(default)]
    pub(super) allow_http: Vec<String>,
}

impl Show {
    /// Trims whitespace and invisible characters of every value. Returns the problem of the first one that is empty or has
    /// invisible characters inside.
    pub(super) fn trim(&mut self) -> Option<String> {
        let values = [
            ("profile", Some(&mut self.profile)),
            ("client_id", Some(&mut self.client_id)),
            ("redirect_uri", self.redirect_uri.as_mut()),
            ("username", self.username.as_mut()),
            ("region", self.region.as_mut()),
            ("api_url", self.api_url.as_mut()),
            ("token_url", self.token_url.as_mut()),
            ("scope", self.scope.as_mut()),
        ];
        values.into_iter().find_map(|(key, value)| {
            let value = value?;
            *value = pasted_value::trimmed(value).to_owned();
            pasted_value::problem(&format!("value of `{key}`"), value, "write it")
        })
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    Body,
    BasicPlain,
    BasicEncoded,
}

impl From<Place> for ClientAuth {
    fn from(place: Place) -> Self {
        match place {
            Place::Body => Self::Body,
            Place::BasicPlain => Self::BasicPlain,
            Place::BasicEncoded => Self::BasicEncoded,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    Form,
    Json,
}

impl From<Encoding> for BodyEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Form => Self::Form,
            Encoding::Json => Self::Json,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quota {
    calls: NonZeroU32,
    seconds: NonZeroU32,
    burst: NonZeroU32,
}

impl From<Quota> for Rate {
    fn from(quota: Quota) -> Self {
        let Quota { calls, seconds, burst } = quota;
        Self::new(calls.get(), Duration::from_secs(seconds.get().into()), burst.get())
    }
}

impl From<OpenFile> for File {
    fn from(OpenFile { store, shows }: OpenFile) -> Self {
        Self { store, shows }
    }
}

impl File {
    /// Parses a TOML string. The error names the line and no value, since a secret may be in the wrong place.
    pub(super) fn parse(toml: &str, foreign_tables: bool) -> Result<Self, String> {
        let file = if foreign_tables { toml::from_str::<OpenFile>(toml).map(Self::from) } else { toml::from_str(toml) };
        let file = file.map_err(|error| {
            let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            format!("line {line}: {}", without_values(error.message()))
        })?;
        file.with_shows()
    }

    /// Reads a table of another format. It is converted to TOML first, since the message of a foreign error may quote values.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(table: D, foreign_tables: bool) -> Result<Self, String> {
        let table = toml::Value::deserialize(table).map_err(|_| "it cannot be converted to a TOML table".to_owned())?;
        let file = if foreign_tables {
            serde_path_to_error::deserialize::<_, OpenFile>(table).map(Self::from)
        } else {
            serde_path_to_error::deserialize(table)
        };
        let file =
            file.map_err(|error| format!("at `{}`: {}", error.path(), without_values(error.inner().message())))?;
        file.with_shows()
    }

    fn with_shows(self) -> Result<Self, String> {
        if self.shows.is_empty() {
            return Err("it has no show: add a table `[shows.NAME]`".to_owned());
        }
        Ok(self)
    }
}

/// Returns the message of a TOML error without its values.
fn without_values(message: &str) -> String {
    match message.split_once(", expected ") {
        Some((found, expected)) if found.starts_with("unknown field") => {
            format!("{found}, expected {expected}; secrets belong in files of their own")
        }
        Some((_, expected)) => format!("expected {expected}"),
        None if message.starts_with("missing field") => message.to_owned(),
        None => "it is not TOML".to_owned(),
    }
}
