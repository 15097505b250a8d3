//! TLS for the connection to Redis, with the root certificates of this machine and its own crypto provider.

use std::io;

use tokio::net::TcpStream;

use crate::error::BuildError;

#[cfg(not(feature = "rustls"))]
fn problem(what: &str, error: impl std::fmt::Display) -> BuildError {
    BuildError::new([format!("{what}: {error}")])
}

#[cfg(feature = "rustls")]
mod backend {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use tokio_rustls::{TlsConnector, client::TlsStream};

    use super::{BuildError, TcpStream, io};
    use crate::wire::tls::Tls;

    pub(in super::super) type Connector = TlsConnector;

    pub(in super::super) fn connector(roots: &[Vec<u8>]) -> Result<Connector, BuildError> {
        let tls = Tls { root_certificates: roots.to_vec(), ..Tls::default() };
        let config = tls.rustls(true)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }

    pub(in super::super) async fn connect(
        connector: &Connector,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        connector.connect(name, stream).await
    }
}

#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
mod backend {
    use tokio_native_tls::{
        TlsConnector, TlsStream,
        native_tls::{self, Certificate},
    };

    use super::{BuildError, TcpStream, io, problem};

    pub(in super::super) type Connector = TlsConnector;

    pub(in super::super) fn connector(roots: &[Vec<u8>]) -> Result<Connector, BuildError> {
        let mut builder = native_tls::TlsConnector::builder();
        for pem in roots {
            let certificate = Certificate::from_pem(pem);
            builder.add_root_certificate(certificate.map_err(|error| problem("a root certificate is not PEM", error))?);
        }
        let connector = builder.build().map_err(|error| problem("TLS cannot be set up", error))?;
        Ok(TlsConnector::from(connector))
    }

    pub(in super::super) async fn connect(
        connector: &Connector,
        host: &str,
        stream: TcpStream,
    ) -> io::Result<TlsStream<TcpStream>> {
        connector.connect(host, stream).await.map_err(io::Error::other)
    }
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
mod backend {
    use super::{BuildError, TcpStream, io, problem};

    /// Without a TLS feature there is no connector.
    #[derive(Clone)]
    pub(in super::super) enum Connector {}

    pub(in super::super) fn connector(_: &[Vec<u8>]) -> Result<Connector, BuildError> {
        Err(problem("`rediss` needs TLS", "enable the feature `rustls` or `native-tls`"))
    }

    pub(in super::super) async fn connect(connector: &Connector, _: &str, _: TcpStream) -> io::Result<TcpStream> {
        match *connector {}
    }
}

pub(super) use backend::{Connector, connect, connector};
