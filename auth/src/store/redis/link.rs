//! The connection to Redis: made on first use, made anew when it breaks, and left alone for a moment when it cannot be made.
//!
//! A lone task carries the bytes of an open connection. It has no timer and sends nothing by itself.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use ::redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError, aio::MultiplexedConnection,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use super::tls::{self, Connector};
use crate::{
    per_runtime::PerRuntime,
    store::{StoreError, StoreErrorKind},
};

/// How long Redis is left alone after it could not be reached.
const ALONE: Duration = Duration::from_secs(1);

/// A connection that was idle for longer is made anew: what lies between may have forgotten it without a word.
const IDLE: Duration = Duration::from_secs(60);

const LOGIN: &str = ": put the right user and password into its URL";

const NO_SCRIPTS: &str =
    ": it knows no scripts (EVAL), so it is no Redis, or a Sentinel; the address must be that of the primary";

const RIGHTS: &str = ": allow its user `+eval +get +set +del +pttl +pexpire +info +time`, `+select` for a database in the URL, and \
                      the keys `~perenso-auth:*`, or those of the `prefix` that is set";

/// What to do about a refusal, by its code.
const ADVICE: [(&[&str], &str); 8] = [
    (
        &["MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN", "TRYAGAIN"],
        ": it is a node of a cluster, and this is no client of a cluster: use a Redis that is none, or a proxy that routes \
         by key",
    ),
    (&["READONLY", "MASTERDOWN"], ": it is a replica, and the address must be that of the primary"),
    (&["LOADING", "BUSY"], ": it is busy, and it is asked again when it is next needed"),
    (&["DENIED"], ": it is in protected mode: set a password, or `protected-mode no`"),
    (&["MISCONF"], ": it cannot save to its disk, and takes no writes before it can"),
    (&["OOM"], ": it is full: raise its `maxmemory`, or let it evict keys that end"),
    (&["NOREPLICAS"], ": it has fewer replicas than its `min-replicas-to-write`"),
    (&["EXECABORT", "NOSCRIPT"], ": what lies between does not hand on scripts (EVAL)"),
];

/// Where Redis is, and how to get there.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: RedisConnectionInfo,
    pub(super) tls: Option<Connector>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

/// Returns another address than before, where there is one.
pub(super) type AddressSource = Arc<dyn Fn() -> Option<Address> + Send + Sync>;

/// The connection, open or not.
pub(crate) struct Link {
    address: Mutex<Arc<Address>>,
    source: Option<AddressSource>,
    /// One a runtime, which drives it.
    open: PerRuntime<Arc<tokio::sync::Mutex<Option<Open>>>>,
    away: Mutex<Option<(Instant, StoreError)>>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    /// Ends with the last clone.
    driver: Arc<JoinSet<()>>,
    used: Instant,
    fresh: bool,
}

/// A script that can be run twice without harm: one whose answer is lost to a broken connection is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script(pub(crate) &'static str);

impl Script {
    fn command(self, keys: &[&str], arguments: &[&[u8]]) -> Cmd {
        let mut command = ::redis::cmd("EVAL");
        command.arg(self.0).arg(keys.len()).arg(keys);
        for argument in arguments {
            command.arg(argument);
        }
        command
    }
}

impl Link {
    pub(super) fn new(address: Address, source: Option<AddressSource>) -> Self {
        let address = Mutex::new(Arc::new(address));
        Self { address, source, open: PerRuntime::new(), away: Mutex::new(None) }
    }

    fn address(&self) -> Arc<Address> {
        Arc::clone(&self.address.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The longest that one question can take.
    fn reply_timeout(&self) -> Duration {
        let address = self.address();
        address.connect_timeout + address.response_timeout
    }

    /// How long it takes, at most, until one who believes Redis away finds it back.
    pub(crate) fn delay(&self) -> Duration {
        self.reply_timeout() + ALONE
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, StoreError> {
        if let Some(error) = self.is_away() {
            return Err(error);
        }
        let command = script.command(keys, arguments);
        timeout(self.reply_timeout(), self.ask(&command)).await.unwrap_or_else(|_| {
            let limit = self.reply_timeout();
            Err(self.gone(&StoreError::new(
                StoreErrorKind::Unavailable,
                format!("{self} has not answered within {limit:?}"),
            )))
        })
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        loop {
            let mut open = self.open().await?;
            let error = match command.query_async(&mut open.connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.code().is_some_and(|code| code != "READONLY") {
                return Err(self.refusal(&error));
            }
            // Broken, out of step, or to a machine that is the primary no more.
            self.close(&open).await;
            if open.fresh || error.is_timeout() {
                return Err(self.gone(&self.failure(error)));
            }
        }
    }

    async fn open(&self) -> Result<Open, StoreError> {
        let slot = self.open.get(Arc::default);
        let mut slot = slot.lock().await;
        // Whoever stood before us may have tried in vain.
        if let Some(error) = self.is_away() {
            return Err(error);
        }
        if let Some(open) = slot.as_mut().filter(|open| open.used.elapsed() < IDLE) {
            open.used = Instant::now();
            return Ok(Open { fresh: false, ..open.clone() });
        }
        *slot = None;
        let mut connected = self.connect_in_time().await;
        // A password, or the whole address, may have been rotated.
        if connected.is_err() && self.refreshes_address().await {
            connected = self.connect_in_time().await;
        }
        let open = connected.map_err(|error| self.gone(&error))?;
        *slot = Some(open.clone());
        Ok(open)
    }

    async fn close(&self, broken: &Open) {
        let slot = self.open.get(Arc::default);
        let mut slot = slot.lock().await;
        if slot.as_ref().is_some_and(|open| Arc::ptr_eq(&open.driver, &broken.driver)) {
            *slot = None;
        }
    }

    async fn refreshes_address(&self) -> bool {
        let Some(source) = self.source.clone() else { return false };
        let Ok(Some(address)) = tokio::task::spawn_blocking(move || source()).await else { return false };
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(address);
        true
    }

    async fn connect_in_time(&self) -> Result<Open, StoreError> {
        let limit = self.address().connect_timeout;
        timeout(limit, self.connect()).await.unwrap_or_else(|_| {
            Err(self.unreachable(io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))))
        })
    }

    async fn connect(&self) -> Result<Open, StoreError> {
        let address = self.address();
        let Address { host, port, tls, .. } = &*address;
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| self.unreachable(error))?;
        stream.set_nodelay(true).map_err(|error| self.unreachable(error))?;
        match tls {
            None => self.greet(stream).await,
            Some(connector) => {
                let stream = tls::connect(connector, host, stream).await.map_err(|error| self.unreachable(error))?;
                self.greet(stream).await
            }
        }
    }

    async fn greet(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Open, StoreError> {
        let address = self.address();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(address.response_timeout));
        let (connection, carry) = MultiplexedConnection::new_with_config(&address.login, stream, config)
            .await
            .map_err(|error| self.failure(error))?;
        let mut driver = JoinSet::new();
        driver.spawn(carry);
        Ok(Open { connection, driver: Arc::new(driver), used: Instant::now(), fresh: true })
    }

    fn is_away(&self) -> Option<StoreError> {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.as_ref().filter(|(since, _)| since.elapsed() < ALONE).map(|(_, error)| error.clone())
    }

    fn gone(&self, error: &StoreError) -> StoreError {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
        error.clone()
    }

    fn unreachable(&self, cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, format!("{self} cannot be reached")).because(cause)
    }

    fn failure(&self, error: RedisError) -> StoreError {
        if error.is_io_error() { self.unreachable(error) } else { self.refusal(&error) }
    }

    /// What Redis has said, by its code alone: some of its texts repeat what was sent, the password not excepted.
    fn refusal(&self, error: &RedisError) -> StoreError {
        let code = error.code().unwrap_or_else(|| error.category());
        let advice = match code {
            _ if error.kind() == ErrorKind::AuthenticationFailed => LOGIN,
            "NOAUTH" | "WRONGPASS" => LOGIN,
            "ERR" if error.detail().is_some_and(|detail| detail.starts_with("unknown command")) => NO_SCRIPTS,
            // Redis 7 refuses a command of a script by this text alone.
            "ERR" if error.detail().is_some_and(|detail| detail.contains("user executing the script")) => RIGHTS,
            "NOPERM" => RIGHTS,
            _ => ADVICE.iter().find(|(codes, _)| codes.contains(&code)).map_or("", |(_, advice)| advice),
        };
        StoreError::new(StoreErrorKind::Unavailable, format!("{self} refuses with `{code}`{advice}"))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address();
        write!(f, "Redis at {}:{}", address.host, address.port)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({self})")
    }
}
