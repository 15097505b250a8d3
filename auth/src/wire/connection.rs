//! Finds the cause of a failed request in the error of reqwest.

use std::{error::Error, io};

/// The cause of a failed request. The named causes need different actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server's or the client's certificate was not accepted.
    Certificate,
    /// The proxy responded 407 to CONNECT.
    ProxyAuthorization,
    /// The host has no address.
    UnknownHost,
    /// A timeout of the reqwest builder or of the operating system.
    Timeout,
    /// The head of the response is not HTTP, or too large.
    Head,
    Other,
}

impl Cause {
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        // The errors below reqwest are of several crates and TLS backends, and only their messages tell them apart.
        let messages = causes(error).to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| messages.contains(part));
        if has(&["certificate", "unknownissuer", "unknown ca", "unknownca"]) {
            Self::Certificate
        } else if has(&["proxy authorization required"]) {
            Self::ProxyAuthorization
        } else if error.is_dns() && !has(&["temporary", "try again"]) {
            Self::UnknownHost
        } else if has(&["message head is too large", " parsed"]) {
            Self::Head
        } else {
            Self::Other
        }
    }

    /// Returns true if a retry would fail in the same way.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Certificate | Self::ProxyAuthorization)
    }

    /// Returns true if the cause is not transient, although a retry may be worthwhile.
    pub(crate) fn is_permanent(self) -> bool {
        self.is_final() || self == Self::UnknownHost
    }

    /// Returns the cause and what to do about it, to be appended to a message.
    pub(crate) fn detail(self, error: &reqwest::Error) -> String {
        match self {
            Self::Certificate => format!(
                ": a certificate was not accepted ({}); check the host name, the clock, and `root_certificate` or \
                 `client_certificate`",
                innermost(error)
            ),
            Self::ProxyAuthorization => {
                ": the proxy requires authorization (407); add user and password to the address of the proxy".to_owned()
            }
            Self::UnknownHost => format!(": the host name does not resolve ({}); check it", innermost(error)),
            Self::Timeout => {
                " in time (`Timeouts::connect`, a timeout of the reqwest builder or of the operating system)".to_owned()
            }
            Self::Head => {
                format!(": the head of the response is not HTTP, or has more than 100 headers ({})", innermost(error))
            }
            Self::Other => String::new(),
        }
    }
}

/// Returns the causes of an error without the error itself, whose message may contain a URL with its query.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        // The source of an I/O error skips the error that it wraps.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    };
    std::iter::successors(error.source(), next)
}

fn causes(error: &reqwest::Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn innermost(error: &reqwest::Error) -> String {
    chain(error).last().map_or_else(String::new, |cause| cause.to_string().chars().take(200).collect())
}
