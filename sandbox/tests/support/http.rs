//! A client for plain HTTP on this machine.

/// reqwest with rustls needs a crypto provider even for plain HTTP.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
