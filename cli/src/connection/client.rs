//! The client of the show to use.

use std::fmt;

use perenso::{Perenso, auth::store::FileStore};
use perenso_sandbox::Sandbox;

use super::{Profiles, directory::Directory};
use crate::{
    arguments::Globals,
    output::{Failure, Output},
};

/// The variables of the SDK any of which says that the environment names a show.
const CREDENTIALS: [&str; 3] = ["PERENSO_CLIENT_ID", "PERENSO_CLIENT_SECRET", "PERENSO_CLIENT_SECRET_FILE"];

/// The place of a show's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Sandbox,
    Environment,
    Profile(String),
}

impl Source {
    /// Finds the show to use: `--sandbox`, `--show`, `PERENSO_SHOW`, credentials in the environment, the default
    /// profile, the only profile.
    pub(crate) fn find(globals: &Globals) -> Result<Self, Failure> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if globals.sandbox {
            return Ok(Self::Sandbox);
        }
        if let Some(name) = &globals.show {
            return Ok(Self::Profile(name.clone()));
        }
        if let Some(name) = variable("PERENSO_SHOW") {
            return Ok(Self::Profile(name.to_string_lossy().into_owned()));
        }
        if CREDENTIALS.iter().any(|name| variable(name).is_some()) {
            return Ok(Self::Environment);
        }
        Profiles::read()?.default_name().map(Self::Profile)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox => f.write_str("the sandbox"),
            Self::Environment => f.write_str("the show of the environment variables"),
            Self::Profile(name) => write!(f, "the show `{name}`"),
        }
    }
}

/// A client, and the sandbox that it uses, if there is one.
pub(crate) struct Connection {
    pub(crate) show: Perenso,
    pub(crate) source: Source,
    /// Ends with the connection.
    _sandbox: Option<Sandbox>,
}

impl Connection {
    /// Returns a name for files of the show; `None` for that of the environment.
    pub(crate) fn label(&self) -> Option<&str> {
        match &self.source {
            Source::Sandbox => Some("sandbox"),
            Source::Environment => None,
            Source::Profile(name) => Some(name),
        }
    }

    /// Returns what tells the show from others: its address, and its id, which is that of the login.
    pub(crate) fn identity(&self) -> Result<String, Failure> {
        let client_id = match &self.source {
            Source::Sandbox => None,
            Source::Environment => std::env::var("PERENSO_CLIENT_ID").ok(),
            Source::Profile(name) => Profiles::read()?.value(name, "client_id").map(str::to_owned),
        };
        Ok(format!("{} {}", self.show.auth_client().api_url(), client_id.unwrap_or_default()))
    }
}

/// The tokens of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// Tokens of the store, shared with all other commands.
    Shared,
    /// Tokens of its own, in memory.
    Own,
}

/// Connects to the show to use. Nothing is sent yet.
pub(crate) async fn connect(globals: &Globals, output: Output, tokens: Tokens) -> Result<Connection, Failure> {
    let source = Source::find(globals)?;
    let (show, sandbox) = match &source {
        Source::Sandbox => {
            let sandbox = Sandbox::start()
                .await
                .map_err(|error| Failure::failed(format!("the sandbox cannot be started: {error}")))?;
            output.note("note: this is a sandbox with made-up records, which end with this command");
            (Perenso::from_vars(sandbox.vars())?, Some(sandbox))
        }
        Source::Environment => (from_environment(tokens)?, None),
        Source::Profile(name) => (Profiles::read()?.client(name, tokens)?, None),
    };
    Ok(Connection { show, source, _sandbox: sandbox })
}

/// Returns the client of the environment variables, with the token store of the profiles if there is a place for one.
fn from_environment(tokens: Tokens) -> Result<Perenso, Failure> {
    // Its errors name the variables.
    let show = Perenso::from_env()?;
    match Directory::find() {
        Ok(directory) if tokens == Tokens::Shared => {
            let store = FileStore::new(directory.tokens());
            Ok(Perenso::builder_from_env_prefix("PERENSO")?.store(store).build()?)
        }
        _ => Ok(show),
    }
}
