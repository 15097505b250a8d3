//! The builder of a Redis store, which checks its settings.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::redis::{ConnectionAddr, IntoConnectionInfo};
use reqwest::Url;

use super::{
    RedisStore, Shared,
    link::{Address, AddressSource, Link},
    tls,
};
use crate::{error::BuildError, pasted_value, secret::Secret, wire::transport::is_loopback};

/// Builds a [`RedisStore`].
///
/// ```no_run
/// use std::time::Duration;
/// use perenso_auth::store::RedisStore;
///
/// # fn example(sealing_secret: String) -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::builder("rediss://cache.example:6379")
///     .prefix("erp")
///     .sealing_secret(sealing_secret)
///     .connect_timeout(Duration::from_secs(1))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisStoreBuilder {
    url: Secret,
    prefix: String,
    sealing_secret: Option<Secret>,
    allow_plain: Vec<String>,
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Duration,
    response_timeout: Duration,
    url_source: Option<UrlSource>,
}

/// Reads the URL again. Returns `None` if it cannot be read.
type UrlSource = Arc<dyn Fn() -> Option<Secret> + Send + Sync>;

impl RedisStoreBuilder {
    pub(super) fn new(url: Secret) -> Self {
        Self {
            url,
            prefix: "perenso-auth:".to_owned(),
            sealing_secret: None,
            allow_plain: Vec::new(),
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(1),
            url_source: None,
        }
    }

    /// Reads the URL again when no connection can be made with it.
    #[cfg(feature = "registry")]
    pub(crate) fn url_source(mut self, source: impl Fn() -> Option<Secret> + Send + Sync + 'static) -> Self {
        self.url_source = Some(Arc::new(source));
        self
    }

    /// Sets the prefix of all keys. Defaults to `perenso-auth:`. Fleets with different prefixes share nothing.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Encrypts tokens with a key derived from this secret instead of the client secret, so that stored tokens outlive a rotated
    /// client secret. All processes of the fleet need the same.
    pub fn sealing_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.sealing_secret = Some(secret.into());
        self
    }

    /// Allows a connection to this host without TLS. Loopback is always allowed.
    pub fn allow_plain(mut self, host: impl Into<String>) -> Self {
        self.allow_plain.push(host.into());
        self
    }

    /// Adds trusted root certificates in PEM, besides those of the machine.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Sets the timeout for connecting, including TLS and login. Defaults to one second.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets the timeout for a response. Defaults to one second.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.response_timeout = limit;
        self
    }

    /// Builds the store. It connects on first use.
    ///
    /// # Errors
    /// [`BuildError`] with all problems, each with the setter to call.
    pub fn build(self) -> Result<RedisStore, BuildError> {
        let mut problems = Vec::new();
        if let Some(secret) = &self.sealing_secret {
            if secret.expose().is_empty() {
                problems.push("`sealing_secret` is empty: remove it to use the client secret".to_owned());
            }
            problems.extend(pasted_value::invisible("sealing secret", secret.expose(), "call `sealing_secret`"));
        }
        if self.connect_timeout.is_zero() || self.response_timeout.is_zero() {
            problems.push("`connect_timeout` and `response_timeout` must not be zero".to_owned());
        }
        let url = self.url().inspect_err(|error| problems.extend_from_slice(error.problems()));
        let (Ok(url), true) = (url, problems.is_empty()) else { return Err(BuildError::new(problems)) };
        let address = self.address(url)?;
        let (prefix, sealing_secret) = (self.prefix.clone(), self.sealing_secret.clone());
        let link = Link::new(address, self.address_source());
        Ok(RedisStore { shared: Arc::new(Shared { link, prefix, sealing_secret }) })
    }

    fn address(&self, url: Url) -> Result<Address, BuildError> {
        let tls = if url.scheme() == "rediss" { Some(tls::connector(&self.root_certificates)?) } else { None };
        let (host, port, login) = login(url)?;
        let Self { connect_timeout, response_timeout, .. } = *self;
        Ok(Address { host, port, login, tls, connect_timeout, response_timeout })
    }

    /// Returns a source that reads the URL again. It returns the address if it has changed and tokens may be sent to it.
    fn address_source(self) -> Option<AddressSource> {
        let read = self.url_source.clone()?;
        let builder = Mutex::new(self);
        Some(Arc::new(move || {
            let url = read()?;
            let mut builder = builder.lock().unwrap_or_else(PoisonError::into_inner);
            if url.expose() == builder.url.expose() {
                return None;
            }
            builder.url = url;
            let url = builder.url().ok()?;
            builder.address(url).ok()
        }))
    }

    /// Parses the URL and checks that secrets may be sent to it. Messages do not show it, since it may contain a password.
    fn url(&self) -> Result<Url, BuildError> {
        let problem = |problem: String| Err(BuildError::new([problem]));
        let form = "`rediss://[user:password@]host[:port][/database]`";
        if let Some(invisible) =
            pasted_value::invisible("URL of Redis", self.url.expose(), "call `RedisStore::builder`")
        {
            return problem(invisible);
        }
        let Ok(url) = Url::parse(self.url.expose()) else {
            return problem(format!("the URL of Redis cannot be read: expected {form}"));
        };
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return problem(format!("the URL of Redis has no host: expected {form}"));
        };
        if url.query().is_some() || url.fragment().is_some() {
            return problem(format!(
                "the URL of Redis has a query or a fragment: expected {form}; use the setters for settings"
            ));
        }
        let allowed = self.allow_plain.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
        match url.scheme() {
            "rediss" => Ok(url),
            "redis" if allowed || is_loopback(&url) => Ok(url),
            "redis" => problem(format!(
                "tokens are not sent to Redis at `{host}` without TLS: use `rediss`, or `allow_plain(\"{host}\")` if that is \
                 intended"
            )),
            other => problem(format!("the URL of Redis has the scheme `{other}`: expected `rediss` or `redis`")),
        }
    }
}

/// Reads host, port and login with the redis crate. It would refuse `rediss`, since its TLS feature is off.
fn login(mut url: Url) -> Result<(String, u16, ::redis::RedisConnectionInfo), BuildError> {
    let problem = || {
        BuildError::new([
            "the user, the password or the database in the URL of Redis is invalid: percent-encode user and \
                          password, and use a number as the database"
                .to_owned(),
        ])
    };
    url.set_scheme("redis").map_err(|()| problem())?;
    let info = url.into_connection_info().map_err(|_| problem())?;
    let ConnectionAddr::Tcp(host, port) = info.addr() else { return Err(problem()) };
    Ok((host.clone(), *port, info.redis_settings().clone()))
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(builder: RedisStoreBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    #[test]
    fn tokens_are_sent_over_tls_to_this_machine_or_to_an_allowed_host() {
        for url in ["redis://localhost", "redis://127.0.0.1:7000/3", "redis://user:pass@[::1]", "redis://127.8.9.1"] {
            assert!(RedisStore::new(url).is_ok(), "{url}");
        }
        let text = problem(RedisStore::builder("redis://redis.example"));
        assert!(text.contains("allow_plain(\"redis.example\")") && text.contains("`rediss`"), "{text}");
        assert!(RedisStore::builder("redis://Redis.Example").allow_plain("redis.example").build().is_ok());
        assert!(RedisStore::builder("redis://other.example").allow_plain("redis.example").build().is_err());
    }

    #[test]
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    fn tls_is_always_allowed() {
        let store = RedisStore::new("rediss://redis.example").unwrap();
        assert_eq!(format!("{store:?}"), "RedisStore(Redis at redis.example:6379)");
    }

    #[test]
    #[cfg(not(any(feature = "rustls", feature = "native-tls")))]
    fn tls_without_a_feature_names_it() {
        let text = problem(RedisStore::builder("rediss://redis.example"));
        assert!(text.contains("`rustls` or `native-tls`"), "{text}");
    }

    #[test]
    fn an_invalid_url_is_an_error_that_never_shows_the_password() {
        for (url, part) in [
            ("hunter2", "cannot be read"),
            ("redis://:hunter2@", "cannot be read"),
            ("redis:hunter2", "no host"),
            ("https://:hunter2@redis.example", "the scheme `https`"),
            ("redis://:hunter2@redis.example", "allow_plain"),
            ("redis://:hunter2@localhost/zero", "a number"),
            ("redis://:hunter2@localhost/?protocol=resp3", "has a query or a fragment"),
            ("rediss://:hunter2@localhost/#insecure", "has a query or a fragment"),
            ("redis://:hunter2%ff@localhost", "percent-encode"),
            ("\u{feff}redis://:hunter2@localhost", "invisible character U+FEFF"),
            ("redis://:hunter2\u{200b}@localhost", "invisible character U+200B"),
        ] {
            let text = problem(RedisStore::builder(url));
            assert!(text.contains(part), "{url}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let builder = RedisStore::builder("redis://:hunter2@localhost").sealing_secret("hunter3");
        assert!(!format!("{builder:?} {:?}", builder.clone().build()).contains("hunter"));
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let builder = RedisStore::builder("redis://redis.example").sealing_secret("").connect_timeout(Duration::ZERO);
        let text = problem(builder);
        for part in ["`sealing_secret`", "`connect_timeout`", "allow_plain"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
