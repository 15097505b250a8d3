//! The HTTP client under everything: TLS, proxy, no redirects, and where a secret may go.

use std::time::Duration;

use http::{HeaderMap, header::LOCATION};
use reqwest::{Url, redirect::Policy};

use crate::error::BuildError;

/// How connections are made.
#[derive(Debug, Default)]
pub(crate) struct Transport {
    pub(crate) proxy: Option<reqwest::Proxy>,
    pub(crate) root_certificates: Vec<Vec<u8>>,
    pub(crate) client_certificate: Option<crate::secret::Secret>,
    pub(crate) http_builder: Option<reqwest::ClientBuilder>,
    pub(crate) keep_tls: bool,
    #[cfg(feature = "rustls")]
    pub(crate) rustls_config: Option<rustls::ClientConfig>,
    pub(crate) user_agent: Option<String>,
}

impl Transport {
    /// The client. `remote_tls` says whether any address it will talk to is https; `loopback` whether all are local.
    pub(crate) fn build(
        mut self,
        connect: Duration,
        remote_tls: bool,
        loopback: bool,
    ) -> Result<reqwest::Client, BuildError> {
        #[cfg(feature = "rustls")]
        if self.keep_tls && rustls::crypto::CryptoProvider::get_default().is_none() {
            // reqwest would panic.
            let text = "`keep_tls` needs a rustls crypto provider that is installed for the process; without one, call \
                        `rustls_config` in its place";
            return Err(BuildError::new([text.to_owned()]));
        }
        #[cfg(feature = "rustls")]
        let own = self
            .rustls_config
            .map(|config| self.http_builder.take().unwrap_or_default().tls_backend_preconfigured(config));
        #[cfg(not(feature = "rustls"))]
        let own = None;
        let mut builder = match own {
            Some(builder) => builder,
            None if self.keep_tls => self.http_builder.unwrap_or_default(),
            None => {
                let builder = self.http_builder.unwrap_or_default();
                tls(builder, &self.root_certificates, self.client_certificate.as_ref(), remote_tls)?
            }
        };
        if let Some(user_agent) = self.user_agent {
            builder = builder.user_agent(user_agent);
        }
        builder = match self.proxy {
            Some(proxy) => builder.proxy(proxy),
            // A proxy of the environment would carry off secrets that were meant for this machine alone.
            None if loopback => builder.no_proxy(),
            None => builder,
        };
        builder
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(connect)
            .build()
            .map_err(|error| BuildError::new([format!("the HTTP client cannot be built: {}", causes(&error))]))
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

#[cfg(feature = "rustls")]
fn tls(
    builder: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    client_certificate: Option<&crate::secret::Secret>,
    remote_tls: bool,
) -> Result<reqwest::ClientBuilder, BuildError> {
    use std::sync::Arc;

    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    use rustls_platform_verifier::Verifier;

    let fail = |what: &str, error: &dyn std::error::Error| BuildError::new([format!("{what}: {error}")]);
    let mut extra = Vec::new();
    for pem in roots {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            extra.push(certificate.map_err(|error| fail("a root certificate is not PEM", &error))?);
        }
    }
    if extra.is_empty() && !roots.is_empty() {
        return Err(BuildError::new(["a root certificate holds no PEM block `CERTIFICATE`".to_owned()]));
    }
    // A provider of our own: none is installed for the whole process behind the user's back.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| fail("TLS cannot be set up", &error))?;
    let config = if remote_tls {
        let verifier = Verifier::new_with_extra_roots(extra, provider)
            .map_err(|error| fail("the certificates of this machine cannot be read", &error))?;
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        // Only plain http to this machine: a container without certificates will do.
        config.with_root_certificates(rustls::RootCertStore::empty())
    };
    let config = match client_certificate {
        None => config.with_no_client_auth(),
        Some(pem) => {
            let pem = pem.expose().as_bytes();
            let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .map_err(|error| fail("the client certificate is not PEM", &error))?;
            let key = PrivateKeyDer::from_pem_slice(pem)
                .map_err(|error| fail("the client certificate comes without a readable private key", &error))?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|error| fail("the client certificate cannot be used", &error))?
        }
    };
    Ok(builder.tls_backend_preconfigured(config))
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
fn tls(
    builder: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    client_certificate: Option<&crate::secret::Secret>,
    _remote_tls: bool,
) -> Result<reqwest::ClientBuilder, BuildError> {
    let fail = |what: &str, error: &dyn std::error::Error| BuildError::new([format!("{what}: {error}")]);
    let mut extra = Vec::new();
    for pem in roots {
        let bundle = reqwest::Certificate::from_pem_bundle(pem);
        extra.extend(bundle.map_err(|error| fail("a root certificate is not PEM", &error))?);
    }
    let builder = if extra.is_empty() { builder } else { builder.tls_certs_merge(extra) };
    match client_certificate {
        None => Ok(builder),
        Some(pem) => {
            let pem = pem.expose().as_bytes();
            let identity = reqwest::Identity::from_pkcs8_pem(pem, pem)
                .map_err(|error| fail("the client certificate cannot be used", &error))?;
            Ok(builder.identity(identity))
        }
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn tls(
    builder: reqwest::ClientBuilder,
    roots: &[Vec<u8>],
    client_certificate: Option<&crate::secret::Secret>,
    remote_tls: bool,
) -> Result<reqwest::ClientBuilder, BuildError> {
    if remote_tls || !roots.is_empty() || client_certificate.is_some() {
        let text =
            "https needs TLS: enable the feature `rustls` or `native-tls`, or bring a client with TLS of its own";
        return Err(BuildError::new([text.to_owned()]));
    }
    Ok(builder)
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

/// Where a redirect pointed, without query and user info, which may hold secrets.
pub(crate) fn location(headers: &HeaderMap, base: &Url) -> String {
    let target = headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|text| base.join(text).ok());
    match target {
        None => "an address that it does not name".to_owned(),
        Some(url) => {
            let origin = url.origin();
            let origin = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
            format!("{origin}{}", url.path())
        }
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
