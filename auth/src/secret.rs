//! A text that nobody gets to see by accident: no `Debug`, no `Display`, wiped when dropped.

use secrecy::{ExposeSecret, SecretString};

/// A client secret, a password or a refresh token.
///
/// ```
/// use perenso_auth::Secret;
///
/// let secret = Secret::from("s3cr3t/+=");
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert_eq!(secret.expose(), "s3cr3t/+=");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The text itself. Keep what you do with it short.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
