//! The connection to Redis. It is opened on first use and reopened when it breaks. After a failure, calls fail at once for a
//! second.
//!
//! One task drives an open connection. It has no timer and sends nothing by itself.

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

/// The time for which calls fail at once after Redis could not be reached.
const COOLDOWN: Duration = Duration::from_secs(1);

/// A connection that was idle for longer is reopened, since a firewall may have dropped it silently.
const IDLE: Duration = Duration::from_secs(60);

const LOGIN: &str = ": check the user and password in its URL";

const NO_SCRIPTS: &str =
    ": it does not support scripts (EVAL), so it is not Redis, or a Sentinel: use the address of the primary";

const RIGHTS: &str = ": allow its user `+eval +get +set +del +pttl +pexpire +info +time`, `+select` for a database in the URL, and \
                      the keys `~perenso-auth:*`, or those of the `prefix` that is set";

/// The advice for an error response, by its code.
const ADVICE: [(&[&str], &str); 8] = [
    (
        &["MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN", "TRYAGAIN"],
        ": it is a node of a cluster, which is not supported: use a Redis without cluster mode, or a proxy that routes by \
         key",
    ),
    (&["READONLY", "MASTERDOWN"], ": it is a replica: use the address of the primary"),
    (&["LOADING", "BUSY"], ": it is busy, and is tried again when it is next needed"),
    (&["DENIED"], ": it is in protected mode: set a password, or `protected-mode no`"),
    (&["MISCONF"], ": it cannot save to disk, and accepts no writes until it can: check its disk"),
    (&["OOM"], ": its memory is full: raise its `maxmemory`, or set the eviction policy `volatile-ttl`"),
    (&["NOREPLICAS"], ": it has fewer replicas than its `min-replicas-to-write`"),
    (&["EXECABORT", "NOSCRIPT"], ": the proxy in between does not support scripts (EVAL)"),
];

/// The address of Redis, with the settings of connections.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: RedisConnectionInfo,
    pub(super) tls: Option<Connector>,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Duration,
}

/// Returns the address if it has changed.
pub(super) type AddressSource = Arc<dyn Fn() -> Option<Address> + Send + Sync>;

/// The connection, which may be closed.
pub(crate) struct Link {
    address: Mutex<Arc<Address>>,
    source: Option<AddressSource>,
    /// One for each runtime, which drives it.
    open: PerRuntime<Arc<tokio::sync::Mutex<Option<Open>>>>,
    /// The last failure to reach Redis, and its time.
    failure: Mutex<Option<(Instant, StoreError)>>,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    /// The task that drives the connection. It is aborted when the last clone is dropped.
    driver: Arc<JoinSet<()>>,
    used: Instant,
    /// No script has been run on it yet.
    is_new: bool,
}

/// An idempotent script. It is sent again if the connection breaks before its response.
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
        Self { address, source, open: PerRuntime::new(), failure: Mutex::new(None) }
    }

    fn address(&self) -> Arc<Address> {
        Arc::clone(&self.address.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The timeout of one script, including the connection.
    fn reply_timeout(&self) -> Duration {
        let address = self.address();
        address.connect_timeout + address.response_timeout
    }

    /// The maximum time until a process notices that Redis is available again.
    pub(crate) fn delay(&self) -> Duration {
        self.reply_timeout() + COOLDOWN
    }

    /// Runs a script.
    pub(crate) async fn run<T: FromRedisValue>(
        &self,
        script: Script,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<T, StoreError> {
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        let command = script.command(keys, arguments);
        timeout(self.reply_timeout(), self.ask(&command)).await.unwrap_or_else(|_| {
            let limit = self.reply_timeout();
            Err(self.failed(&StoreError::new(
                StoreErrorKind::Unavailable,
                format!("{self} did not respond within {limit:?}"),
            )))
        })
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        loop {
            let mut open = self.open().await?;
            let error = match command.query_async(&mut open.connection).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if error.code().is_some_and(|code| code != "READONLY") {
                return Err(self.refusal(&error));
            }
            // The connection is broken, out of sync, or to a server that is no longer the primary.
            self.close(&open).await;
            if open.is_new || error.is_timeout() {
                return Err(self.failed(&self.error(error)));
            }
        }
    }

    async fn open(&self) -> Result<Open, StoreError> {
        let slot = self.open.get(Arc::default);
        let mut slot = slot.lock().await;
        // A caller that held the lock before may have failed to connect.
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        if let Some(open) = slot.as_mut().filter(|open| open.used.elapsed() < IDLE) {
            open.used = Instant::now();
            return Ok(Open { is_new: false, ..open.clone() });
        }
        *slot = None;
        let mut connected = self.connect_in_time().await;
        // A password, or the whole address, may have been rotated.
        if connected.is_err() && self.refreshes_address().await {
            connected = self.connect_in_time().await;
        }
        let open = connected.map_err(|error| self.failed(&error))?;
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
            None => self.log_in(stream).await,
            Some(connector) => {
                let stream = tls::connect(connector, host, stream).await.map_err(|error| self.unreachable(error))?;
                self.log_in(stream).await
            }
        }
    }

    async fn log_in(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Open, StoreError> {
        let address = self.address();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(address.response_timeout));
        let (connection, task) = MultiplexedConnection::new_with_config(&address.login, stream, config)
            .await
            .map_err(|error| self.error(error))?;
        let mut driver = JoinSet::new();
        driver.spawn(task);
        Ok(Open { connection, driver: Arc::new(driver), used: Instant::now(), is_new: true })
    }

    fn recent_failure(&self) -> Option<StoreError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().filter(|(at, _)| at.elapsed() < COOLDOWN).map(|(_, error)| error.clone())
    }

    fn failed(&self, error: &StoreError) -> StoreError {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), error.clone()));
        error.clone()
    }

    fn unreachable(&self, cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, format!("{self} cannot be reached")).because(cause)
    }

    fn error(&self, error: RedisError) -> StoreError {
        if error.is_io_error() { self.unreachable(error) } else { self.refusal(&error) }
    }

    /// Returns the error of an error response by its code. Its message may repeat the request, including the password.
    fn refusal(&self, error: &RedisError) -> StoreError {
        let code = error.code().unwrap_or_else(|| error.category());
        let advice = match code {
            _ if error.kind() == ErrorKind::AuthenticationFailed => LOGIN,
            "NOAUTH" | "WRONGPASS" => LOGIN,
            "ERR" if error.detail().is_some_and(|detail| detail.starts_with("unknown command")) => NO_SCRIPTS,
            // Redis 7 has no other code for a command that a script may not use.
            "ERR" if error.detail().is_some_and(|detail| detail.contains("user executing the script")) => RIGHTS,
            "NOPERM" => RIGHTS,
            _ => ADVICE.iter().find(|(codes, _)| codes.contains(&code)).map_or("", |(_, advice)| advice),
        };
        StoreError::new(StoreErrorKind::Unavailable, format!("{self} responded with `{code}`{advice}"))
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
