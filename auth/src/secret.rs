//! A string that is not shown by accident: `Debug` hides it, there is no `Display`, and it is wiped when dropped.

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
    /// Returns the secret string. Do not copy it further than needed: copies are not wiped.
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
