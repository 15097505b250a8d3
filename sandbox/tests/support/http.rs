//! A client for plain HTTP to this machine.

/// TLS is not spoken here, but a reqwest that was built with rustls wants a crypto provider all the same.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
