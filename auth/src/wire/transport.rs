//! Builds the HTTP client, and decides which addresses secrets may be sent to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, LOCATION, RANGE},
};
use reqwest::{Url, redirect::Policy};

use crate::{
    error::BuildError,
    wire::{http_clients::HttpClients, tls::Tls},
};

/// The settings of connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transport {
    pub(crate) proxy: Option<reqwest::Proxy>,
    pub(crate) tls: Tls,
    pub(crate) http_builder: Option<HttpBuilder>,
    pub(crate) user_agent: Option<String>,
}

/// The function that creates the reqwest builder, called once for each runtime.
#[derive(Clone)]
pub(crate) struct HttpBuilder(pub(crate) Arc<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>);

impl std::fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpBuilder").finish_non_exhaustive()
    }
}

/// HTTP clients that are shared by all clients with the same connection settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<PoolKey, HttpClients>>>);

/// The user agent, the connect timeout, `remote_tls` and `loopback`.
type PoolKey = (Option<String>, Duration, bool, bool);

impl Transport {
    /// Returns true if it can share a pool, since nothing but a user agent was set.
    pub(crate) fn is_plain(&self) -> bool {
        self.proxy.is_none() && self.http_builder.is_none() && self.tls.is_plain()
    }

    /// Returns the clients of the pool with the same settings, or builds and adds them.
    pub(crate) fn pooled(
        self,
        pool: &Pool,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<HttpClients, BuildError> {
        let key = (self.user_agent.clone(), connect, remote_tls, loopback);
        let mut clients = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = HttpClients::new(self, connect, remote_tls, loopback)?;
        clients.insert(key, client.clone());
        Ok(client)
    }

    /// Builds a client. `remote_tls` is true if any address is https, `loopback` if any address is on this machine.
    pub(crate) fn build(
        &self,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<reqwest::Client, BuildError> {
        // Proxies of the builder are kept. Adding a proxy only removes those of the environment.
        let has_own_proxies = self.http_builder.is_some();
        let mut builder =
            self.tls.apply(self.http_builder.as_ref().map(|make| (make.0)()).unwrap_or_default(), remote_tls)?;
        if let Some(user_agent) = &self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        builder = match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            // A proxy of the environment would receive secrets that are meant for this machine.
            None if loopback && has_own_proxies => builder.proxy(reqwest::Proxy::custom(|_| None::<Url>)),
            None if loopback => builder.no_proxy(),
            None => builder,
        };
        builder
            .redirect(Policy::none())
            .referer(false)
            // Bodies are decoded in `body`, since reqwest reads only the first member of a gzip body.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(connect)
            .build()
            .map_err(|error| BuildError::new([format!("the HTTP client cannot be built: {}", causes(&error))]))
    }
}

/// Requests gzip, unless the request has an `Accept-Encoding` or a `Range`, which would be a range of the encoded body.
pub(crate) fn accept_gzip(headers: &mut HeaderMap) {
    if !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// Returns the message of an error with those of all its causes, since the message of reqwest is only the outermost.
fn causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

/// Returns true if secrets may be sent to this address: https, this machine, or an allowed host.
pub(crate) fn may_carry_secrets(url: &Url, allowed: &[String]) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => {
            is_loopback(url) || url.host_str().is_some_and(|host| allowed.iter().any(|a| a.eq_ignore_ascii_case(host)))
        }
        _ => false,
    }
}

/// Returns true if the address is on this machine, without resolving its name.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns a URL without query and user info, which may contain secrets.
pub(crate) fn address(url: &Url) -> String {
    let origin = url.origin();
    let origin = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
    format!("{origin}{}", url.path())
}

/// Returns the target of a redirect without query and user info, which may contain secrets.
pub(crate) fn location(headers: &HeaderMap, base: &Url) -> String {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|text| base.join(text).ok());
    match target {
        None => "an unknown address".to_owned(),
        Some(url) => address(&url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn secrets_may_be_sent_over_https_to_this_machine_and_to_allowed_hosts() {
        let hosts = ["legacy.example".to_owned()];
        for (address, allowed) in [
            ("https://api.example", true),
            ("http://127.0.0.1:8080", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:99", true),
            ("http://localhost:1", true),
            ("http://LEGACY.example/x", true),
            ("http://api.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://10.0.0.1", false),
            ("http://0.0.0.0", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(may_carry_secrets(&url(address), &hosts), allowed, "{address}");
        }
    }

    #[test]
    fn the_target_of_a_redirect_is_shown_without_query_and_user_info() {
        let mut headers = HeaderMap::new();
        assert_eq!(location(&headers, &url("https://a.example/x")), "an unknown address");
        headers.insert(LOCATION, http::HeaderValue::from_static("https://u:p@evil.example/login?token=t#f"));
        assert_eq!(location(&headers, &url("https://a.example/x")), "https://evil.example/login");
        headers.insert(LOCATION, http::HeaderValue::from_static("/elsewhere?q=1"));
        assert_eq!(location(&headers, &url("https://a.example/x")), "https://a.example/elsewhere");
    }
}
