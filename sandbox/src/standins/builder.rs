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

    /// Sets the address to listen on; default 127.0.0.1 with a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Allows an address that other machines can reach. By default only loopback addresses are allowed.
    pub fn allow_remote(mut self) -> Self {
        self.remote = true;
        self
    }

    /// Sets the client id.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// Sets the client secret. By default a random one is generated, which contains `+`, `/` and `=`.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// Sets the registered redirect URI (Priava, Perspio).
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = uri.into();
        self
    }

    /// Sets the number of requests in the journal; default 100,000. With 0 it records nothing.
    pub fn journal_cap(mut self, entries: usize) -> Self {
        self.journal_cap = entries;
        self
    }

    /// Changes the initial behavior.
    pub fn behavior(mut self, change: impl FnOnce(&mut StandInBehavior)) -> Self {
        change(&mut self.behavior);
        self
    }

    /// Starts the stand-in.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines can reach, unless
    /// [`allow_remote`](Self::allow_remote) was called; [`Error::Listen`] if the address is not available.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
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
