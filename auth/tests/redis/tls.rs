//! Redis behind TLS.

use std::path::PathBuf;

use perenso_auth::store::{RedisStore, StoreErrorKind, TokenStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{
    chain,
    conformance::{identity, now, save, texts, tokens},
    server::RedisServer,
};

/// A root that nobody knows, and the files of a certificate that it has given to this machine.
struct Papers {
    root: String,
    folder: PathBuf,
}

impl Papers {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        let folder = std::env::temp_dir().join(format!("perenso-redis-tls-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("certificate.pem"), certificate).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        std::fs::write(folder.join("root.pem"), &root).unwrap();
        Self { root, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn tls_trusts_a_root_that_was_given_and_no_other() {
    let papers = Papers::new();
    let (certificate, key, root) = (papers.path("certificate.pem"), papers.path("key.pem"), papers.path("root.pem"));
    let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &root];
    let settings = [&["--port", "0", "--tls-port", "%port%", "--tls-auth-clients", "no"], &files[..]].concat();
    let Some(server) = RedisServer::start_with(&settings) else { return };
    let identity = identity("show-1");
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("rediss://{host}:{}", server.port);
        let store = RedisStore::builder(&*url).root_certificate(papers.root.as_bytes()).build().unwrap();
        save(&store, &identity, &tokens(None, Some("refresh"), None)).await;
        assert_eq!(texts(store.load(&identity, now()).await.unwrap()).1.as_deref(), Some("refresh"));

        let error = RedisStore::new(url).unwrap().load(&identity, now()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(chain(&error).to_lowercase().contains("certificate"), "{}", chain(&error));
    }
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let error = RedisStore::builder("rediss://localhost").root_certificate("no PEM").build().unwrap_err();
    assert!(error.to_string().contains("root certificate"), "{error}");
}
