//! HTTP below the pipeline: connections, TLS, bodies and headers.

pub(crate) mod body;
pub(crate) mod connection;
pub mod decode;
mod gzip;
pub(crate) mod http_clients;
pub(crate) mod retry_after;
pub(crate) mod tls;
pub(crate) mod transport;
