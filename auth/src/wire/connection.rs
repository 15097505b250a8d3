//! Names what a request met before its response was there, from the causes of reqwest's error.

use std::{error::Error, io};

/// The cause of a failed request, as far as there is something to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The certificate of one side was not accepted by the other.
    Certificate,
    /// The proxy answered CONNECT with 407.
    ProxyAuthorization,
    /// The host has no address.
    UnknownHost,
    /// A timeout that was set on the reqwest builder, or one of the operating system.
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
        // The types below reqwest are those of several crates and TLS backends; all of them have their words.
        let text = causes(error).to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|words| text.contains(words));
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

    /// Returns whether the same request would fail in the same way, so that no retry helps.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Certificate | Self::ProxyAuthorization)
    }

    /// Returns whether it is no fault of the moment, although a retry may be worth it.
    pub(crate) fn is_permanent(self) -> bool {
        self.is_final() || self == Self::UnknownHost
    }

    /// Names the cause and what to do about it, to be put after what failed.
    pub(crate) fn detail(self, error: &reqwest::Error) -> String {
        match self {
            Self::Certificate => format!(
                ": a certificate was not accepted ({}); check the host name, the clock, and `root_certificate` or \
                 `client_certificate`",
                innermost(error)
            ),
            Self::ProxyAuthorization => {
                ": the proxy asks for authorization (407); put user and password into the address of the proxy"
                    .to_owned()
            }
            Self::UnknownHost => format!(": the name of the host has no address ({}); check it", innermost(error)),
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

/// The causes of an error without its own text, which may hold an address with its query.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let next = |error: &&'a (dyn Error + 'static)| {
        let error = *error;
        // An I/O error hides the one that it was made of, and gives the cause of that.
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
