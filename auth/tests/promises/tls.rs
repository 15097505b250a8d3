//! TLS over real sockets: a root of one's own, a client certificate, a configuration of one's own.

use std::sync::Arc;

use perenso_auth::{Client, ClientBuilder, Credentials, ErrorKind, Profile, RetryPolicy, TokenPolicy};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// An authority that nobody knows.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for this machine, and its key.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }
}

/// A server that issues one token and returns, for everything else, the number of client certificates.
async fn serve(authority: &Authority) -> (String, JoinHandle<()>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .unwrap();
    let (certificate, key) = authority.issue();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let shown = stream.get_ref().1.peer_certificates().map_or(0, <[_]>::len);
                let mut request = vec![0; 8192];
                while let Ok(read @ 1..) = stream.read(&mut request).await {
                    let is_token = request[..read].starts_with(b"POST /token");
                    let body = if is_token { r#"{"access_token":"tok-0"}"#.to_owned() } else { shown.to_string() };
                    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    if stream.write_all(response.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, task)
}

fn builder(url: &str) -> ClientBuilder {
    Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(format!("{url}/token"))
        .api_url(url)
        .token_policy(TokenPolicy::default().attempts(1))
        .retry(RetryPolicy::never())
}

#[tokio::test]
async fn a_root_of_ones_own_is_trusted_and_without_it_nothing_is_sent() {
    let authority = Authority::new();
    let (url, serving) = serve(&authority).await;
    let error = builder(&url).build().unwrap().get("/x").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    assert!(error.to_string().contains("certificate") && !error.is_transient(), "{error:?}");
    // No retry helps, neither of the token request nor of the call.
    let api = crate::generous(300).await;
    let token_first = crate::builder(&api).token_url(format!("{url}/token")).build().unwrap();
    let error = token_first.get("/x").send().await.unwrap_err();
    assert!(error.to_string().contains("certificate") && !error.is_transient(), "{error:?}");
    let api_second = crate::builder(&api).api_url(&url).build().unwrap();
    let error = api_second.get("/x").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.is_transient()), (ErrorKind::Connect, 1, false), "{error}");
    let trusting = builder(&url).root_certificate(authority.pem.clone()).build().unwrap();
    assert_eq!(trusting.get("/x").send().await.unwrap().text().await.unwrap(), "0");
    serving.abort();
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let authority = Authority::new();
    let (url, serving) = serve(&authority).await;
    let (certificate, key) = authority.issue();
    let client = builder(&url)
        .root_certificate(authority.pem.clone())
        .client_certificate(format!("{certificate}\n{key}"))
        .build()
        .unwrap();
    assert_eq!(client.get("/x").send().await.unwrap().text().await.unwrap(), "1");
    serving.abort();
}

#[tokio::test]
async fn a_configuration_of_ones_own_is_used_as_it_is() {
    let authority = Authority::new();
    let (url, serving) = serve(&authority).await;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots())
        .with_no_client_auth();
    let client = builder(&url).rustls_config(config).build().unwrap();
    assert_eq!(client.get("/x").send().await.unwrap().text().await.unwrap(), "0");
    serving.abort();
}

#[test]
fn an_invalid_certificate_is_named_and_never_shown() {
    let wrong = |builder: ClientBuilder| builder.build().unwrap_err().to_string();
    let url = "https://localhost:1";
    for error in [
        wrong(builder(url).root_certificate("s3cr3t")),
        wrong(builder(url).root_certificate("-----BEGIN CERTIFICATE-----\ns3cr3t\n-----END CERTIFICATE-----")),
        wrong(builder(url).client_certificate("s3cr3t")),
        wrong(builder(url).client_certificate(Authority::new().issue().0)),
    ] {
        assert!(error.contains("certificate") && !error.contains("s3cr3t"), "{error}");
    }
    let error = wrong(builder(url).keep_tls());
    assert!(error.contains("http_builder"), "{error}");
    let error = wrong(builder(url).http_builder(reqwest::Client::builder).keep_tls());
    assert!(error.contains("rustls_config"), "{error}");
}
