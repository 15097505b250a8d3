//! The HTTP client under everything: proxy, no redirects, and where a secret may go.

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

/// How connections are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Transport {
    pub(crate) proxy: Option<reqwest::Proxy>,
    pub(crate) tls: Tls,
    pub(crate) http_builder: Option<HttpBuilder>,
    pub(crate) user_agent: Option<String>,
}

/// Makes the reqwest builder to start from, once for each runtime.
#[derive(Clone)]
pub(crate) struct HttpBuilder(pub(crate) Arc<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>);

impl std::fmt::Debug for HttpBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpBuilder").finish_non_exhaustive()
    }
}

/// Connections that several clients share: one pool for each way to make them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<Way, HttpClients>>>);

/// User agent, connect timeout, https, this machine.
type Way = (Option<String>, Duration, bool, bool);

impl Transport {
    /// Whether it may share a pool: nothing was set but a user agent.
    pub(crate) fn is_plain(&self) -> bool {
        self.proxy.is_none() && self.http_builder.is_none() && self.tls.is_plain()
    }

    /// The clients of this transport, but what was built before in the same way is used again.
    pub(crate) fn pooled(
        self,
        pool: &Pool,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<HttpClients, BuildError> {
        let way = (self.user_agent.clone(), connect, remote_tls, loopback);
        let mut clients = pool.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&way) {
            return Ok(client.clone());
        }
        let client = HttpClients::new(self, connect, remote_tls, loopback)?;
        clients.insert(way, client.clone());
        Ok(client)
    }

    /// The client. `remote_tls` says whether any address it will talk to is https; `loopback` whether any is on this machine.
    pub(crate) fn build(
        &self,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<reqwest::Client, BuildError> {
        // A builder's own proxies are kept; to add one takes only those of the environment away.
        let has_own_proxies = self.http_builder.is_some();
        let mut builder =
            self.tls.apply(self.http_builder.as_ref().map(|make| (make.0)()).unwrap_or_default(), remote_tls)?;
        if let Some(user_agent) = &self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        builder = match &self.proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            // A proxy of the environment would carry off secrets that were meant for this machine alone.
            None if loopback && has_own_proxies => builder.proxy(reqwest::Proxy::custom(|_| None::<Url>)),
            None if loopback => builder.no_proxy(),
            None => builder,
        };
        builder
            .redirect(Policy::none())
            .referer(false)
            // Bodies are decoded by `body`: reqwest reads the first member of a gzip body only.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(connect)
            .build()
            .map_err(|error| BuildError::new([format!("the HTTP client cannot be built: {}", causes(&error))]))
    }
}

/// Asks for the only coding that is decoded here, unless the request says otherwise. A range is one of the encoded body.
pub(crate) fn accept_gzip(headers: &mut HeaderMap) {
    if !headers.contains_key(ACCEPT_ENCODING) && !headers.contains_key(RANGE) {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

/// What went wrong, with all its causes, since reqwest's own text is only the outermost.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Whether a secret may go to this address: https, this machine, or a host that was named.
pub(crate) fn may_carry_secrets(url: &Url, allowed: &[String]) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => {
            is_loopback(url) || url.host_str().is_some_and(|host| allowed.iter().any(|a| a.eq_ignore_ascii_case(host)))
        }
        _ => false,
    }
}

/// Whether the address is this machine, whatever a name server says.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An address without query and user info, which may hold secrets.
pub(crate) fn address(url: &Url) -> String {
    let origin = url.origin();
    let origin = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
    format!("{origin}{}", url.path())
}

/// Where a redirect pointed, without query and user info, which may hold secrets.
pub(crate) fn location(headers: &HeaderMap, base: &Url) -> String {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|text| base.join(text).ok());
    match target {
        None => "an address that it does not name".to_owned(),
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
    fn secrets_go_to_https_to_this_machine_and_to_hosts_that_were_named() {
        let named = ["legacy.example".to_owned()];
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
            assert_eq!(may_carry_secrets(&url(address), &named), allowed, "{address}");
        }
    }

    #[test]
    fn a_redirect_is_named_without_what_may_be_secret() {
        let mut headers = HeaderMap::new();
        assert_eq!(location(&headers, &url("https://a.example/x")), "an address that it does not name");
        headers.insert(LOCATION, http::HeaderValue::from_static("https://u:p@evil.example/login?token=t#f"));
        assert_eq!(location(&headers, &url("https://a.example/x")), "https://evil.example/login");
        headers.insert(LOCATION, http::HeaderValue::from_static("/elsewhere?q=1"));
        assert_eq!(location(&headers, &url("https://a.example/x")), "https://a.example/elsewhere");
    }
}
