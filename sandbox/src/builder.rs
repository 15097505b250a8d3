//! The settings of a sandbox.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::http::server::Server;
use crate::http::shows::Shows;
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
    /// [`Error::Listen`] when there is no such port. Must be called inside a tokio runtime.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Settings for a sandbox.
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

    /// Leaves the admin calls below `/sandbox` out. With them, whoever reaches the address gets all secrets.
    pub fn without_admin(mut self) -> Self {
        self.has_admin = false;
        self
    }

    /// Adds another show with this client id: the settings of a show that follow are its own, and begin with the defaults.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), perenso_sandbox::Error> {
    /// use perenso_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::builder().client_id("SPRING26").customers(3).another_show("AUTUMN26").customers(5);
    /// let sandbox = builder.start().await?;
    /// assert_eq!(sandbox.customers().len(), 3);
    /// let autumn = sandbox.show("AUTUMN26").expect("it was added");
    /// assert_eq!(autumn.customers().len(), 5);
    /// // A client of it: `autumn.url()`, `autumn.token_url()`, `autumn.client_id()`, `autumn.client_secret()`.
    /// # Ok(())
    /// # }
    /// ```
    pub fn another_show(mut self, client_id: impl Into<String>) -> Self {
        self.before.push(std::mem::replace(&mut self.last, ShowSettings::new(client_id.into())));
        self
    }

    /// The client id; default `sandbox-show`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.last.client_id = id.into();
        self
    }

    /// The client secret; by default one is made up that holds `+`, `/` and `=`, as the vendor's do.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.last.client_secret = Some(secret.into());
        self
    }

    /// How many customers there are at the start; default 45.
    pub fn customers(mut self, count: usize) -> Self {
        self.last.seed.customers = count as u64;
        self
    }

    /// How many products there are at the start, each in two ordering units; default 12.
    pub fn products(mut self, count: usize) -> Self {
        self.last.seed.products = count as u64;
        self
    }

    /// How many orders there are at the start; default 20. They are orders of customers for products: where there are no
    /// customers or no products, there are no orders either.
    pub fn orders(mut self, count: usize) -> Self {
        self.last.seed.orders = count as u64;
        self
    }

    /// Adds something that customers and vendors may refer to.
    pub fn reference(mut self, reference: Reference, key: impl Into<String>) -> Self {
        self.last.references.push((reference, key.into()));
        self
    }

    /// What the made-up data follows from; default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.last.seed.seed = seed;
        self
    }

    /// How many requests the journal remembers, of which bodies and answers may have 64 MiB in all; default 100,000. With 0 it
    /// remembers nothing.
    pub fn journal_cap(mut self, entries: usize) -> Self {
        self.last.journal_cap = entries;
        self
    }

    /// Adds an export to those of the vendor's guide, in the place of one that has its id.
    pub fn export(mut self, export: Export) -> Self {
        match self.last.exports.iter_mut().find(|known| known.id == export.id) {
            Some(known) => *known = export,
            None => self.last.exports.push(export),
        }
        self
    }

    /// Adds several, as [`Export::read`] and [`Export::from_json`] give them.
    pub fn exports(self, exports: impl IntoIterator<Item = Export>) -> Self {
        exports.into_iter().fold(self, Self::export)
    }

    /// All switches at once; those that were set before are lost.
    pub fn behavior(mut self, behavior: Behavior) -> Self {
        self.last.behavior = behavior;
        self
    }

    /// See [`Behavior::token_lifetime`].
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.last.behavior.token_lifetime = lifetime;
        self
    }

    /// See [`Behavior::rotation`], a guess.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.last.behavior.rotation = rotation;
        self
    }

    /// See [`Behavior::detect_refresh_reuse`], a guess.
    pub fn detect_refresh_reuse(mut self, detect: bool) -> Self {
        self.last.behavior.detect_refresh_reuse = detect;
        self
    }

    /// See [`Behavior::one_live_token`], a guess.
    pub fn one_live_token(mut self, only_one: bool) -> Self {
        self.last.behavior.one_live_token = only_one;
        self
    }

    /// See [`Behavior::rate`].
    pub fn rate(mut self, requests: u32, per: Duration) -> Self {
        self.last.behavior.rate = Some(Rate::new(requests, per));
        self
    }

    /// No limit on the number of requests.
    pub fn unlimited(mut self) -> Self {
        self.last.behavior.rate = None;
        self
    }

    /// See [`Behavior::page_cap`], a guess.
    pub fn page_cap(mut self, rows: usize) -> Self {
        self.last.behavior.page_cap = Some(rows);
        self
    }

    /// Starts the sandbox. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`Error::NotLoopback`] for an address that other machines can reach, unless they were let in;
    /// [`Error::Listen`] when the address cannot be listened on; [`Error::DuplicateShow`] for two shows of one id.
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
            // Nobody else has set it.
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
