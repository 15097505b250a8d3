//! The settings of a sandbox.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::http::server::Server;
use crate::http::shows::Shows;
use crate::model::document::Document;
use crate::model::exports::Export;
use crate::model::reference::Reference;
use crate::model::tokens::Rotation;
use crate::sandbox::Sandbox;
use crate::show::Show;
use crate::show::behavior::{Behavior, Rate};
use crate::show::state::ShowSettings;

/// Settings for a [`Sandbox`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use perenso_sandbox::Sandbox;
///
/// let sandbox = Sandbox::builder()
///     .client_id("SPRING26")
///     .customers(500)
///     .seed(7) // the same records every time
///     .page_cap(20)
///     .token_lifetime(Duration::from_secs(2))
///     .start()
///     .await?;
/// assert_eq!((sandbox.client_id(), sandbox.customers().len()), ("SPRING26", 500));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    address: SocketAddr,
    remote: bool,
    has_admin: bool,
    before: Vec<ShowSettings>,
    /// The show that the settings are for.
    last: ShowSettings,
}

impl Sandbox {
    /// Starts a sandbox with default settings on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error::Listen`] if no port is free.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Returns the default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            remote: false,
            has_admin: true,
            before: Vec::new(),
            last: ShowSettings::new("sandbox-show".to_owned()),
        }
    }
}

impl Builder {
    /// Sets the port. 0, the default, picks a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
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

    /// Disables the admin calls below `/sandbox`. They give all secrets to anybody who can reach the address.
    pub fn without_admin(mut self) -> Self {
        self.has_admin = false;
        self
    }

    /// Adds another show with this client id. The settings that follow apply to it alone and start from the defaults.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), perenso_sandbox::Error> {
    /// use perenso_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::builder().client_id("SPRING26").customers(3);
    /// let builder = builder.another_show("AUTUMN26").customers(5);
    /// let sandbox = builder.start().await?;
    /// assert_eq!(sandbox.customers().len(), 3);
    /// let autumn = sandbox.show("AUTUMN26").expect("it was added");
    /// assert_eq!(autumn.customers().len(), 5);
    /// // A client of it needs its `url`, `token_url`, `client_id` and `client_secret`.
    /// # Ok(())
    /// # }
    /// ```
    pub fn another_show(mut self, client_id: impl Into<String>) -> Self {
        self.before.push(std::mem::replace(&mut self.last, ShowSettings::new(client_id.into())));
        self
    }

    /// Sets the client id; default `sandbox-show`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.last.client_id = id.into();
        self
    }

    /// Sets the client secret. By default a random one is generated. As the vendor's, it contains `+`, `/` and `=`.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.last.client_secret = Some(secret.into());
        self
    }

    /// Sets the initial number of customers; default 45.
    pub fn customers(mut self, count: usize) -> Self {
        self.last.seed.customers = count as u64;
        self
    }

    /// Sets the initial number of products, each in two ordering units; default 12.
    pub fn products(mut self, count: usize) -> Self {
        self.last.seed.products = count as u64;
        self
    }

    /// Sets the initial number of orders; default 20. Orders refer to customers and products, so without either there are
    /// none.
    pub fn orders(mut self, count: usize) -> Self {
        self.last.seed.orders = count as u64;
        self
    }

    /// Adds a key that customers and vendors may refer to.
    pub fn reference(mut self, reference: Reference, key: impl Into<String>) -> Self {
        self.last.references.push((reference, key.into()));
        self
    }

    /// Sets the seed of the made-up data; default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.last.seed.seed = seed;
        self
    }

    /// Sets the number of requests in the journal; default 100,000. With 0 it records nothing. The bodies of all requests
    /// and responses are limited to 64 MiB.
    pub fn journal_cap(mut self, entries: usize) -> Self {
        self.last.journal_cap = entries;
        self
    }

    /// Adds an export. It replaces one with the same id.
    pub fn export(mut self, export: Export) -> Self {
        match self.last.exports.iter_mut().find(|known| known.id == export.id) {
            Some(known) => *known = export,
            None => self.last.exports.push(export),
        }
        self
    }

    /// Adds several exports, as returned by [`Export::read`] and [`Export::from_json`].
    pub fn exports(self, exports: impl IntoIterator<Item = Export>) -> Self {
        exports.into_iter().fold(self, Self::export)
    }

    /// Sets all switches at once, also those that were set before.
    pub fn behavior(mut self, behavior: Behavior) -> Self {
        self.last.behavior = behavior;
        self
    }

    /// Sets [`Behavior::token_lifetime`].
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.last.behavior.token_lifetime = lifetime;
        self
    }

    /// Sets [`Behavior::rotation`], a guess.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.last.behavior.rotation = rotation;
        self
    }

    /// Sets [`Behavior::detect_refresh_reuse`], a guess.
    pub fn detect_refresh_reuse(mut self, detect: bool) -> Self {
        self.last.behavior.detect_refresh_reuse = detect;
        self
    }

    /// Sets [`Behavior::one_live_token`], a guess.
    pub fn one_live_token(mut self, only_one: bool) -> Self {
        self.last.behavior.one_live_token = only_one;
        self
    }

    /// Sets [`Behavior::rate`].
    pub fn rate(mut self, requests: u32, per: Duration) -> Self {
        self.last.behavior.rate = Some(Rate::new(requests, per));
        self
    }

    /// Removes the rate limit.
    pub fn unlimited(mut self) -> Self {
        self.last.behavior.rate = None;
        self
    }

    /// Sets [`Behavior::page_cap`], a guess.
    pub fn page_cap(mut self, rows: usize) -> Self {
        self.last.behavior.page_cap = Some(rows);
        self
    }

    /// Sets another document than the vendored one, as OpenAPI 3.0 in JSON without references outside of schemas, which is what
    /// `perenso-openapi` writes when it normalises a document.
    ///
    /// Requests are checked against it. A path with a list and a path below it for one record are a resource, which keeps what it
    /// is sent; a list ignores its query parameters, and an update keeps the fields that it does not name. A resource that the
    /// sandbox has without a document too has the same records, with ids as the document describes them; those of the vendored
    /// document keep their handlers, and gain the operations that they lack. Any other resource starts empty. Every other operation
    /// has an example as its response, from the document or made up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), perenso_sandbox::Error> {
    /// use perenso_sandbox::Sandbox;
    ///
    /// let document = r#"{
    ///     "openapi": "3.0.3",
    ///     "info": {"title": "Shop", "version": "1"},
    ///     "paths": {"/ping": {"get": {"responses": {"200": {
    ///         "description": "Alive.",
    ///         "content": {"application/json": {"schema": {"type": "boolean"}}}
    ///     }}}}}
    /// }"#;
    /// let sandbox = Sandbox::builder().document(document)?.start().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Data`] if it is not such a document.
    pub fn document(mut self, json: &str) -> Result<Self, Error> {
        let document = Document::parse(json).map_err(|error| Error::data("the document", error))?;
        self.last.document = Some(Arc::new(document));
        Ok(self)
    }

    /// Starts the sandbox.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines can reach, unless
    /// [`allow_remote`](Self::allow_remote) was called; [`Error::Listen`] if the address is not available;
    /// [`Error::DuplicateShow`] for two shows with the same client id.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<Sandbox, Error> {
        let starts: Vec<ShowSettings> = self.before.into_iter().chain([self.last]).collect();
        let mut ids = HashSet::new();
        if let Some(twice) = starts.iter().find(|start| !ids.insert(&start.client_id)) {
            return Err(Error::DuplicateShow(twice.client_id.clone()));
        }
        let shows: Arc<[Arc<Show>]> = starts.into_iter().map(|start| Arc::new(Show::new(start))).collect();
        let router = Shows::new(shows.clone(), self.remote, self.has_admin);
        let server = Server::start(self.address, self.remote, Arc::new(router)).await?;
        for show in shows.iter() {
            // It is set only here, so this cannot fail.
            let _ = show.url.set(server.url.clone());
        }
        Ok(Sandbox { shows, server })
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("address", &self.address)
            .field("client_id", &self.last.client_id)
            .finish_non_exhaustive()
    }
}
