//! The builder: what a sandbox is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::behavior::{Behavior, Rate};
use crate::catalog::guide;
use crate::error::Error;
use crate::export::Export;
use crate::ledger::secret;
use crate::route::Api;
use crate::sandbox::Sandbox;
use crate::server::Server;
use crate::show::{Show, Start};

/// Settings for a [`Sandbox`].
#[derive(Clone)]
#[must_use]
pub struct Builder {
    address: SocketAddr,
    remote: bool,
    client_id: String,
    client_secret: Option<String>,
    customers: usize,
    seed: u64,
    journal_cap: usize,
    behavior: Behavior,
    exports: Vec<Export>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            remote: false,
            client_id: "sandbox-show".to_owned(),
            client_secret: None,
            customers: 45,
            seed: 1,
            journal_cap: 100_000,
            behavior: Behavior::default(),
            exports: guide(),
        }
    }
}

impl Builder {
    /// The port; 0, the default, is a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// The address to listen on, instead of 127.0.0.1 and a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Lets other machines in: without this only a loopback address is listened on.
    pub fn allow_remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// The client id; default `sandbox-show`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// The client secret; by default one is made up that holds `+`, `/` and `=`, as the vendor's do.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// How many customers there are at the start; default 45.
    pub fn customers(mut self, count: usize) -> Self {
        self.customers = count;
        self
    }

    /// What the made-up data follows from; default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many requests the journal remembers; default 100,000. With 0 it remembers nothing.
    pub fn journal_cap(mut self, entries: usize) -> Self {
        self.journal_cap = entries;
        self
    }

    /// Adds an export to those of the vendor's guide, in the place of one that has its id.
    pub fn export(mut self, export: Export) -> Self {
        match self.exports.iter_mut().find(|known| known.id == export.id) {
            Some(known) => *known = export,
            None => self.exports.push(export),
        }
        self
    }

    /// All switches at once; those that were set before are lost.
    pub fn behavior(mut self, behavior: Behavior) -> Self {
        self.behavior = behavior;
        self
    }

    /// See [`Behavior::token_lifetime`].
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.behavior.token_lifetime = lifetime;
        self
    }

    /// See [`Behavior::rotate_refresh_tokens`], a guess.
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.behavior.rotate_refresh_tokens = rotate;
        self
    }

    /// See [`Behavior::detect_refresh_reuse`], a guess.
    pub fn detect_refresh_reuse(mut self, detect: bool) -> Self {
        self.behavior.detect_refresh_reuse = detect;
        self
    }

    /// See [`Behavior::one_live_token`], a guess.
    pub fn one_live_token(mut self, only_one: bool) -> Self {
        self.behavior.one_live_token = only_one;
        self
    }

    /// See [`Behavior::rate`].
    pub fn rate(mut self, requests: u32, per: Duration) -> Self {
        self.behavior.rate = Some(Rate::new(requests, per));
        self
    }

    /// No limit on the number of requests.
    pub fn unlimited(mut self) -> Self {
        self.behavior.rate = None;
        self
    }

    /// See [`Behavior::page_cap`], a guess.
    pub fn page_cap(mut self, rows: usize) -> Self {
        self.behavior.page_cap = Some(rows);
        self
    }

    /// Starts the sandbox. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines can reach, unless they were let in;
    /// [`Error::Listen`] when the address cannot be listened on.
    pub async fn start(self) -> Result<Sandbox, Error> {
        let show = Arc::new(Show::new(Start {
            client_id: self.client_id,
            client_secret: self.client_secret.unwrap_or_else(secret),
            customers: self.customers,
            seed: self.seed,
            journal_cap: self.journal_cap,
            behavior: self.behavior,
            exports: self.exports,
        }));
        let server = Server::start(self.address, self.remote, Arc::new(Api::new(show.clone()))).await?;
        Ok(Sandbox { show, server })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("address", &self.address)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
