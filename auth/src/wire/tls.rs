//! The TLS settings of connections: rustls, the platform's TLS, or the caller's own configuration.

use crate::{error::BuildError, secret::Secret};

/// The TLS settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// Trusted root certificates in PEM, besides those of the machine.
    pub(crate) root_certificates: Vec<Vec<u8>>,
    /// The client certificate chain and its private key in PEM.
    pub(crate) client_certificate: Option<Secret>,
    /// Keeps the TLS settings of the reqwest builder.
    pub(crate) keep: bool,
    #[cfg(feature = "rustls")]
    pub(crate) config: Option<rustls::ClientConfig>,
}

impl Tls {
    /// Returns true if nothing was set.
    pub(crate) fn is_plain(&self) -> bool {
        #[cfg(feature = "rustls")]
        let has_config = self.config.is_some();
        #[cfg(not(feature = "rustls"))]
        let has_config = false;
        self.root_certificates.is_empty() && self.client_certificate.is_none() && !self.keep && !has_config
    }

    /// Returns the contradictory settings, each with the setter to call.
    pub(crate) fn problems(&self, has_builder: bool) -> Vec<String> {
        let mut problems = Vec::new();
        let has_certificates = self.client_certificate.is_some() || !self.root_certificates.is_empty();
        if self.keep && has_certificates {
            problems.push("`keep_tls` keeps the certificates of the reqwest builder: set them there".to_owned());
        }
        if self.keep && !has_builder {
            problems.push("`keep_tls` needs a reqwest builder: call `http_builder`".to_owned());
        }
        #[cfg(feature = "rustls")]
        {
            if self.keep && self.config.is_none() && rustls::crypto::CryptoProvider::get_default().is_none() {
                // reqwest would panic.
                let text = "`keep_tls` needs a rustls crypto provider that is installed for the process: install one, or \
                            call `rustls_config` instead";
                problems.push(text.to_owned());
            }
            if self.config.is_some() && (self.keep || has_certificates) {
                problems.push("`rustls_config` replaces all TLS settings: remove the other setters of TLS".to_owned());
            }
        }
        problems
    }
}

fn problem(what: &str, error: impl std::fmt::Display) -> BuildError {
    BuildError::new([format!("{what}: {error}")])
}

impl Tls {
    /// Reads the certificates once for all clients.
    pub(crate) fn prepare(&mut self, remote: bool) -> Result<(), BuildError> {
        #[cfg(feature = "rustls")]
        if self.config.is_none() && !self.keep {
            self.config = Some(self.rustls(remote)?);
        }
        #[cfg(not(feature = "rustls"))]
        let _ = remote;
        Ok(())
    }
}

#[cfg(feature = "rustls")]
impl Tls {
    pub(crate) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
        remote: bool,
    ) -> Result<reqwest::ClientBuilder, BuildError> {
        match &self.config {
            Some(config) => Ok(builder.tls_backend_preconfigured(config.clone())),
            None if self.keep => Ok(builder),
            None => Ok(builder.tls_backend_preconfigured(self.rustls(remote)?)),
        }
    }

    /// Creates a configuration with the root certificates of this machine and its own crypto provider.
    pub(crate) fn rustls(&self, remote: bool) -> Result<rustls::ClientConfig, BuildError> {
        use std::sync::Arc;

        use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

        let mut extra = Vec::new();
        for pem in &self.root_certificates {
            let before = extra.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                extra.push(certificate.map_err(|error| problem("a root certificate is not PEM", error))?);
            }
            if extra.len() == before {
                return Err(problem("a root certificate is not PEM", "it has no block `CERTIFICATE`"));
            }
        }
        // Installing a provider for the whole process would affect the caller.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| problem("TLS cannot be set up", error))?;
        let config = if remote {
            let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider)
                .map_err(|error| problem("the certificates of this machine cannot be read", error))?;
            config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            // All addresses are plain http, so a container without root certificates works too.
            config.with_root_certificates(rustls::RootCertStore::empty())
        };
        let Some(pem) = &self.client_certificate else { return Ok(config.with_no_client_auth()) };
        let pem = pem.expose().as_bytes();
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| problem("the client certificate is not PEM", error))?;
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|error| problem("the client certificate has no readable private key", error))?;
        config
            .with_client_auth_cert(chain, key)
            .map_err(|error| problem("the client certificate cannot be used", error))
    }
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
impl Tls {
    pub(crate) fn apply(&self, builder: reqwest::ClientBuilder, _: bool) -> Result<reqwest::ClientBuilder, BuildError> {
        let mut builder = builder;
        for pem in &self.root_certificates {
            let bundle = reqwest::Certificate::from_pem_bundle(pem);
            builder = builder.tls_certs_merge(bundle.map_err(|error| problem("a root certificate is not PEM", error))?);
        }
        let Some(pem) = &self.client_certificate else { return Ok(builder) };
        let pem = pem.expose().as_bytes();
        let identity = reqwest::Identity::from_pkcs8_pem(pem, pem)
            .map_err(|error| problem("the client certificate cannot be used", error))?;
        Ok(builder.identity(identity))
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
impl Tls {
    pub(crate) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
        remote: bool,
    ) -> Result<reqwest::ClientBuilder, BuildError> {
        let wanted = remote || !self.root_certificates.is_empty() || self.client_certificate.is_some();
        if wanted && !self.keep {
            let features = "enable the feature `rustls` or `native-tls`, or call `http_builder` and `keep_tls`";
            return Err(problem("https needs TLS", features));
        }
        Ok(builder)
    }
}
