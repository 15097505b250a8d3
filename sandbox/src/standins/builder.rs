//! The settings of a stand-in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::StandIn;
use super::behavior::StandInBehavior;
use super::server::VendorServer;
use super::vendor::{Credentials, Vendor};
use crate::error::Error;
use crate::http::server::Server;
use crate::model::tokens::{random_letters, random_secret};

/// Settings for a [`StandIn`].
#[derive(Clone)]
#[must_use]
pub struct StandInBuilder {
    vendor: &'static Vendor,
    address: SocketAddr,
    remote: bool,
    client_id: String,
    client_secret: Option<String>,
    redirect_uri: String,
    journal_cap: usize,
    behavior: StandInBehavior,
}

impl StandInBuilder {
    pub(super) fn new(vendor: &'static Vendor) -> Self {
        Self {
            vendor,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            remote: false,
            client_id: vendor.client_id.to_owned(),
            client_secret: None,
            redirect_uri: vendor.redirect_uri.to_owned(),
            journal_cap: 100_000,
            behavior: (vendor.behavior)(),
        }
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

    /// The client id.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// The client secret; by default one is made up that holds `+`, `/` and `=`.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// The registered redirect URI (Priava, Perspio).
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = uri.into();
        self
    }

    /// How many requests the journal remembers; default 100,000. With 0 it remembers nothing.
    pub fn journal_cap(mut self, entries: usize) -> Self {
        self.journal_cap = entries;
        self
    }

    /// Changes how the stand-in behaves from the start.
    pub fn behavior(mut self, change: impl FnOnce(&mut StandInBehavior)) -> Self {
        change(&mut self.behavior);
        self
    }

    /// Starts the stand-in. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines can reach, unless they were let in;
    /// [`Error::Listen`] when the address cannot be listened on.
    pub async fn start(self) -> Result<StandIn, Error> {
        let credentials = Credentials {
            client_id: self.client_id,
            client_secret: self.client_secret.unwrap_or_else(random_secret),
            redirect_uri: self.redirect_uri,
            username: format!("exporter-{}", random_letters(6)),
            password: random_secret(),
            tenant_id: format!("in-{}", random_letters(8)),
            subscription_key: random_letters(32),
        };
        let vendor_server = VendorServer::new(self.vendor, credentials, self.journal_cap, self.behavior);
        let vendor_server = Arc::new(vendor_server);
        let server = Server::start(self.address, self.remote, vendor_server.clone()).await?;
        Ok(StandIn { vendor_server, server })
    }
}

impl std::fmt::Debug for StandInBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandInBuilder")
            .field("system", &self.vendor.name)
            .field("address", &self.address)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
