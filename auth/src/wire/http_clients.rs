//! One reqwest client for each tokio runtime, since a connection is driven by the runtime that opened it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tokio::runtime::Id;

use crate::{
    error::BuildError,
    per_runtime::{self, PerRuntime},
    wire::transport::Transport,
};

/// The HTTP clients of one transport. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct HttpClients(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    transport: Transport,
    connect: Duration,
    remote_tls: bool,
    loopback: bool,
    first: reqwest::Client,
    /// The runtime of the first client.
    first_runtime: OnceLock<Option<Id>>,
    by_runtime: PerRuntime<reqwest::Client>,
}

impl HttpClients {
    /// Builds the first client, which shows that the others can be built. `remote_tls` is true if any address is https,
    /// `loopback` if any address is on this machine.
    pub(crate) fn new(
        mut transport: Transport,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<Self, BuildError> {
        transport.tls.prepare(remote_tls)?;
        let first = transport.build(connect, remote_tls, loopback)?;
        let first_runtime = OnceLock::new();
        let by_runtime = PerRuntime::new();
        Ok(Self(Arc::new(Shared { transport, connect, remote_tls, loopback, first, first_runtime, by_runtime })))
    }

    /// Returns the client that was built first, for building requests.
    pub(crate) fn first(&self) -> &reqwest::Client {
        &self.0.first
    }

    /// Sends a request by the client of the current runtime.
    pub(crate) fn execute(
        &self,
        request: reqwest::Request,
    ) -> impl Future<Output = Result<reqwest::Response, reqwest::Error>> + use<> {
        let Shared { first, first_runtime, by_runtime, .. } = &*self.0;
        let current = per_runtime::current();
        // Most programs have one runtime, and take no lock.
        if *first_runtime.get_or_init(|| current) == current {
            return first.execute(request);
        }
        by_runtime.get_for(current, || self.fresh()).execute(request)
    }

    /// Creates a client without connections, for a runtime that ends soon.
    pub(crate) fn fresh(&self) -> reqwest::Client {
        let Shared { transport, connect, remote_tls, loopback, first, .. } = &*self.0;
        // The first client was built with the same settings.
        transport.build(*connect, *remote_tls, *loopback).unwrap_or_else(|_| first.clone())
    }
}
