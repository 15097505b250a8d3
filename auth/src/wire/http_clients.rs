//! One reqwest client for each tokio runtime, since a connection is driven by the runtime that opened it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{error::BuildError, per_runtime::PerRuntime, wire::transport::Transport};

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
    is_first_taken: AtomicBool,
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
        let is_first_taken = AtomicBool::new(false);
        let by_runtime = PerRuntime::new();
        Ok(Self(Arc::new(Shared { transport, connect, remote_tls, loopback, first, is_first_taken, by_runtime })))
    }

    /// Returns the client that was built first, for building requests.
    pub(crate) fn first(&self) -> &reqwest::Client {
        &self.0.first
    }

    /// Returns the client of the current runtime.
    pub(crate) fn current(&self) -> reqwest::Client {
        let Shared { first, is_first_taken, by_runtime, .. } = &*self.0;
        by_runtime.get(|| if is_first_taken.swap(true, Ordering::Relaxed) { self.fresh() } else { first.clone() })
    }

    /// Creates a client without connections, for a runtime that ends soon.
    pub(crate) fn fresh(&self) -> reqwest::Client {
        let Shared { transport, connect, remote_tls, loopback, first, .. } = &*self.0;
        // The first client was built with the same settings.
        transport.build(*connect, *remote_tls, *loopback).unwrap_or_else(|_| first.clone())
    }
}
