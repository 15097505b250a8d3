//! How a client asks for a token: the grants of RFC 6749, where its own credentials go, and how the body is written.

/// The grant that a token is first obtained with. It follows from what the [`Credentials`](crate::Credentials) hold.
/// Renewal by refresh token is not chosen: it happens when there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grant {
    /// RFC 6749 section 4.4: the client speaks for itself.
    ClientCredentials,
    /// RFC 6749 section 4.1: a person has allowed it, and a code says so. The code can be used once.
    AuthorizationCode,
    /// RFC 6749 section 4.3: the client has a user's name and password.
    Password,
    /// RFC 6749 section 6: the refresh token was obtained elsewhere, with a person's help.
    RefreshToken,
}

impl Grant {
    /// Whether a person has to come when its tokens are lost.
    pub(crate) const fn needs_a_person(self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::RefreshToken)
    }

    /// As the field `grant_type` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// Where the client's id and secret travel in a token request.
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

/// How the body of a token request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum BodyEncoding {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    #[default]
    Form,
    /// `application/json`: one object of texts.
    Json,
}
