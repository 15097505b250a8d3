//! The grants of RFC 6749, client authentication, and the encoding of token requests.

/// The original grant of a token, selected by the [`Credentials`](crate::Credentials). Later renewals use a refresh token if
/// there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grant {
    /// RFC 6749 section 4.4: the client acts for itself.
    ClientCredentials,
    /// RFC 6749 section 4.1: a person has granted access. The code can be used once.
    AuthorizationCode,
    /// RFC 6749 section 4.3: the client has the name and password of a user.
    Password,
    /// RFC 6749 section 6: a refresh token. As the grant of credentials, one that a person obtained elsewhere.
    RefreshToken,
}

impl Grant {
    /// Returns true if lost tokens can be replaced only by a person.
    pub(crate) const fn needs_a_person(self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::RefreshToken)
    }

    /// The value of `grant_type`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// The client authentication of a token request: where client id and secret are sent.
///
/// ```
/// use perenso_auth::{ClientAuth, Client, Credentials, Profile};
///
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", "API_SECRET"))
///     .client_auth(ClientAuth::BasicPlain)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Sends `client_id` and `client_secret` in the body.
    #[default]
    Body,
    /// Sends `Authorization: Basic` with the plain Base64 of `id:secret`.
    BasicPlain,
    /// Sends `Authorization: Basic` with both form-encoded before the Base64 (RFC 6749 section 2.3.1).
    BasicEncoded,
}

impl ClientAuth {
    /// Returns true if the credentials are sent in a header.
    pub(crate) const fn is_basic(self) -> bool {
        matches!(self, Self::BasicPlain | Self::BasicEncoded)
    }
}

/// The encoding of the body of a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BodyEncoding {
    /// `application/x-www-form-urlencoded`, as in RFC 6749.
    #[default]
    Form,
    /// `application/json`: one object of strings.
    Json,
}
