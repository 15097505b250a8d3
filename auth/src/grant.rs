//! How a client asks for a token: the grant of RFC 6749, and where its own credentials go.

use crate::secret::Secret;

/// The grant that a token is first obtained with. Renewal by refresh token is not chosen: it happens when one is there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Grant {
    /// RFC 6749 section 4.4: the client speaks for itself.
    ClientCredentials,
}

/// Where the client's id and secret travel in a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// As `client_id` and `client_secret` in the body.
    #[default]
    Body,
    /// As `Authorization: Basic`, the plain Base64 of `id:secret`.
    BasicPlain,
    /// As `Authorization: Basic`, both form-encoded before the Base64, as RFC 6749 section 2.3.1 has it.
    BasicEncoded,
}

impl ClientAuth {
    /// Whether the credentials go into a header.
    pub(crate) const fn is_basic(self) -> bool {
        matches!(self, Self::BasicPlain | Self::BasicEncoded)
    }
}

/// What a client proves itself with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
}

impl Credentials {
    /// A client id and its secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }
}
