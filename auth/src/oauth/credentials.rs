//! The credentials of a client, fixed or from a provider. A provider is asked once more in each renewal that is refused.

use std::{fmt, future::Future, panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::Mutex;

use crate::{
    pasted_value,
    profile::{
        Profile,
        grant::{ClientAuth, Grant},
    },
    secret::Secret,
    store::identity::fingerprint,
};

/// A client id, its secret, and what else the grant takes.
///
/// They decide the grant: [`user`](Self::user) selects the password grant, [`code`](Self::code) an authorization code,
/// [`refresh_token`](Self::refresh_token) a refresh token obtained elsewhere. The default is client credentials.
///
/// ```
/// use perenso_auth::{AuthorizationCode, Credentials, Grant};
///
/// let code = AuthorizationCode::new("copied-by-hand", "https://erp.example/callback");
/// let credentials = Credentials::new("client-1", "s3cr3t").code(code);
/// assert_eq!(credentials.grant(), Grant::AuthorizationCode);
/// ```
#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) grant: GrantCredentials,
}

/// The part of the credentials that belongs to the grant.
#[derive(Clone, Debug)]
pub(crate) enum GrantCredentials {
    None,
    User { name: String, password: Secret },
    Code(AuthorizationCode),
    RefreshToken(Secret),
}

impl Credentials {
    /// Creates credentials of a client id and its secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<Secret>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into(), grant: GrantCredentials::None }
    }

    /// Selects the password grant for this user.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.grant = GrantCredentials::User { name: name.into(), password: password.into() };
        self
    }

    /// Selects an authorization code. It is sent once. Renewals then use its refresh token, so the tokens need a store that
    /// outlives the process.
    #[must_use]
    pub fn code(mut self, code: AuthorizationCode) -> Self {
        self.grant = GrantCredentials::Code(code);
        self
    }

    /// Selects a refresh token that was obtained elsewhere. It is used until the server issues another, which the store keeps.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<Secret>) -> Self {
        self.grant = GrantCredentials::RefreshToken(token.into());
        self
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The grant that these credentials select.
    #[must_use]
    pub fn grant(&self) -> Grant {
        match &self.grant {
            GrantCredentials::None => Grant::ClientCredentials,
            GrantCredentials::User { .. } => Grant::Password,
            GrantCredentials::Code(_) => Grant::AuthorizationCode,
            GrantCredentials::RefreshToken(_) => Grant::RefreshToken,
        }
    }

    /// The user name, or an empty string.
    pub(crate) fn user_name(&self) -> &str {
        match &self.grant {
            GrantCredentials::User { name, .. } => name,
            _ => "",
        }
    }

    /// Returns the fingerprint of the code or refresh token that a person provided, to tell whether it is used up.
    pub(crate) fn once_only(&self) -> Option<String> {
        match &self.grant {
            GrantCredentials::Code(code) => Some(fingerprint(&code.code)),
            GrantCredentials::RefreshToken(token) => Some(fingerprint(token)),
            GrantCredentials::None | GrantCredentials::User { .. } => None,
        }
    }

    /// Returns true if client and grant are equal.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let public = |credentials: &Self| match &credentials.grant {
            GrantCredentials::None | GrantCredentials::RefreshToken(_) => None,
            GrantCredentials::User { name, .. } => Some(name.clone()),
            GrantCredentials::Code(code) => Some(code.redirect_uri.clone()),
        };
        self.client_id == other.client_id
            && self.grant() == other.grant()
            && public(self) == public(other)
            && self.secrets().eq(other.secrets())
    }

    /// The values that no error may show.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let proof = match &self.grant {
            GrantCredentials::None => [None, None],
            GrantCredentials::User { password, .. } => [Some(password), None],
            GrantCredentials::Code(code) => [Some(&code.code), code.pkce_verifier.as_ref()],
            GrantCredentials::RefreshToken(token) => [Some(token), None],
        };
        [Some(&self.client_secret)].into_iter().chain(proof).flatten().map(Secret::expose)
    }

    /// Returns the problems of using them with this profile, each with the setter to call.
    pub(crate) fn problems(&self, profile: &Profile) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |what: &str, value: &str, setter: &str| {
            problems.extend(pasted_value::problem(what, value, &format!("call `{setter}`")));
        };
        check("client id", &self.client_id, "credentials");
        check("client secret", self.client_secret.expose(), "credentials");
        match &self.grant {
            GrantCredentials::None => {}
            GrantCredentials::User { name, password } => {
                check("user name", name, "Credentials::user");
                check("password", password.expose(), "Credentials::user");
            }
            GrantCredentials::Code(code) => {
                check("authorization code", code.code.expose(), "Credentials::code");
                check("redirect URI", &code.redirect_uri, "AuthorizationCode::new");
            }
            GrantCredentials::RefreshToken(token) => {
                check("refresh token", token.expose(), "Credentials::refresh_token")
            }
        }
        let places = [profile.client_auth, profile.refresh_client_auth];
        if self.client_id.contains(':') && places.contains(&ClientAuth::BasicPlain) {
            problems.push("a client id with `:` cannot go into a plain Basic header: set `client_auth` to `BasicEncoded` or `Body`".to_owned());
        }
        if !profile.takes(self.grant()) {
            let setters: Vec<_> = profile.grants.iter().map(|grant| setter(*grant)).collect();
            problems.push(format!(
                "`{}` gives no tokens for the grant `{}`: call {}",
                profile.name,
                self.grant().name(),
                setters.join(" or ")
            ));
        }
        problems
    }
}

/// Returns the setter that selects this grant.
fn setter(grant: Grant) -> &'static str {
    match grant {
        Grant::ClientCredentials => "`Credentials::new` and nothing more",
        Grant::AuthorizationCode => "`Credentials::code`",
        Grant::Password => "`Credentials::user`",
        Grant::RefreshToken => "`Credentials::refresh_token`",
    }
}

/// An authorization code, copied by hand or returned by
/// [`AuthorizationRequest::callback`](crate::AuthorizationRequest::callback).
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    pub(crate) code: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) pkce_verifier: Option<Secret>,
}

impl AuthorizationCode {
    /// Creates a code with the exact redirect URI that it was issued for. Surrounding whitespace and invisible characters are
    /// removed from the code.
    pub fn new(code: impl Into<Secret>, redirect_uri: impl Into<String>) -> Self {
        let code = Secret::from(pasted_value::trimmed(code.into().expose()));
        Self { code, redirect_uri: redirect_uri.into(), pkce_verifier: None }
    }

    /// Sets the PKCE verifier of the authorization request (RFC 7636).
    #[must_use]
    pub fn pkce_verifier(mut self, verifier: impl Into<Secret>) -> Self {
        self.pkce_verifier = Some(verifier.into());
        self
    }
}

/// Provides credentials from a vault, a file or a service. Any async function that returns [`Credentials`] implements it.
///
/// It is asked when a token is first needed, and once more in each renewal whose credentials are refused, so that a rotated
/// secret needs no restart.
///
/// Each renewal has a short-lived tokio runtime of its own. A provider must not keep connections between calls.
///
/// ```
/// use std::io;
/// use perenso_auth::{Client, Credentials, Profile};
///
/// let client = Client::builder(Profile::perenso())
///     .credentials_provider(async || {
///         let secret = std::fs::read_to_string("/run/secrets/perenso")?;
///         Ok::<_, io::Error>(Credentials::new("SHOWID", secret.trim()))
///     })
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait CredentialsProvider: Send + Sync + 'static {
    /// Returns the current credentials.
    ///
    /// # Errors
    /// Fails if there are none. The error becomes a cause of the call's error, so its message must hold no secret.
    async fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>>;
}

#[async_trait]
impl<F, Fut, E> CredentialsProvider for F
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credentials, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    async fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        self().await.map_err(Into::into)
    }
}

/// The source of credentials.
pub(crate) enum Source {
    Fixed(Arc<Credentials>),
    /// The lock is held while the provider is asked, so concurrent callers ask it once.
    Provider {
        provider: Arc<dyn CredentialsProvider>,
        latest: Mutex<Option<Arc<Credentials>>>,
    },
}

/// The reason there are no credentials.
pub(crate) enum CredentialsError {
    Failed(Box<dyn std::error::Error + Send + Sync>),
    Panicked,
    /// The provided credentials cannot be used. They are not kept, so the provider is asked again.
    Unusable(String),
}

impl Source {
    pub(crate) fn provider(provider: Arc<dyn CredentialsProvider>) -> Self {
        Self::Provider { provider, latest: Mutex::new(None) }
    }

    /// Returns true if the credentials may change.
    pub(crate) fn may_change(&self) -> bool {
        matches!(self, Self::Provider { .. })
    }

    /// Returns the latest credentials, or asks the provider and checks its credentials with `problems`.
    pub(crate) async fn get(
        &self,
        problems: impl Fn(&Credentials) -> Vec<String>,
    ) -> Result<Arc<Credentials>, CredentialsError> {
        match self {
            Self::Fixed(credentials) => Ok(Arc::clone(credentials)),
            Self::Provider { provider, latest } => {
                let mut latest = latest.lock().await;
                match &*latest {
                    Some(latest) => Ok(Arc::clone(latest)),
                    None => ask(provider.as_ref(), &mut latest, problems).await,
                }
            }
        }
    }

    /// Returns the latest credentials without asking a provider.
    pub(crate) fn known(&self) -> Option<Arc<Credentials>> {
        match self {
            Self::Fixed(credentials) => Some(Arc::clone(credentials)),
            Self::Provider { latest, .. } => latest.try_lock().ok()?.clone(),
        }
    }

    /// Asks for credentials other than the refused ones. Returns `None` if there are no others.
    pub(crate) async fn get_other(
        &self,
        refused: &Credentials,
        problems: impl Fn(&Credentials) -> Vec<String>,
    ) -> Result<Option<Arc<Credentials>>, CredentialsError> {
        match self {
            Self::Fixed(_) => Ok(None),
            Self::Provider { provider, latest } => {
                let credentials = ask(provider.as_ref(), &mut *latest.lock().await, problems).await?;
                Ok(Some(credentials).filter(|credentials| !credentials.is_same_as(refused)))
            }
        }
    }
}

async fn ask(
    provider: &dyn CredentialsProvider,
    latest: &mut Option<Arc<Credentials>>,
    problems: impl Fn(&Credentials) -> Vec<String>,
) -> Result<Arc<Credentials>, CredentialsError> {
    let given = AssertUnwindSafe(async { provider.credentials().await }).catch_unwind().await;
    let credentials = given.map_err(|_| CredentialsError::Panicked)?.map_err(CredentialsError::Failed)?;
    let problems = problems(&credentials);
    if !problems.is_empty() {
        return Err(CredentialsError::Unusable(problems.join("; ")));
    }
    Ok(Arc::clone(latest.insert(Arc::new(credentials))))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(_) => "Fixed",
            Self::Provider { .. } => "Provider",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_an_error_without_the_value() {
        let code = AuthorizationCode::new("\u{feff}c0\nde\r\n", "https://erp.example/cb\t");
        let all = Credentials::new("client-1\n", "hush\0").code(code).problems(&Profile::new("x"));
        assert_eq!(all.len(), 4, "{all:?}");
        assert!(
            all.iter().all(|problem| problem.contains("control character") && !problem.contains("hush")),
            "{all:?}"
        );
        let user = Credentials::new("client-1", "s").user("jane", "pa ss\n").problems(&Profile::new("x"));
        assert!(user.len() == 1 && user[0].contains("`Credentials::user`"), "{user:?}");
        assert!(Credentials::new("client 1", "s ecret").problems(&Profile::new("x")).is_empty());
        assert_eq!(AuthorizationCode::new(" \u{200b}c0de\r\n", "https://erp.example/cb").code.expose(), "c0de");
    }

    #[test]
    fn credentials_are_the_same_if_every_part_is() {
        let code = |code: &str, uri: &str| AuthorizationCode::new(code, uri);
        let all = [
            Credentials::new("c", "s"),
            Credentials::new("d", "s"),
            Credentials::new("c", "t"),
            Credentials::new("c", "s").user("u", "p"),
            Credentials::new("c", "s").user("v", "p"),
            Credentials::new("c", "s").user("u", "q"),
            Credentials::new("c", "s").refresh_token("p"),
            Credentials::new("c", "s").code(code("p", "https://erp.example/a")),
            Credentials::new("c", "s").code(code("p", "https://erp.example/b")),
            Credentials::new("c", "s").code(code("p", "https://erp.example/a").pkce_verifier("v")),
            Credentials::new("c", "s").code(code("p", "https://erp.example/a").pkce_verifier("w")),
        ];
        for (i, one) in all.iter().enumerate() {
            for (j, other) in all.iter().enumerate() {
                assert_eq!(one.is_same_as(&other.clone()), i == j, "{i} {j}");
            }
        }
    }

    #[test]
    fn invisible_characters_are_an_error_in_every_value() {
        let profile = Profile::new("x");
        let hidden = "hu\u{200b}sh";
        for (credentials, what, setter) in [
            (Credentials::new(hidden, "s"), "client id", "`credentials`"),
            (Credentials::new("\u{feff}c", "s"), "client id", "`credentials`"),
            (Credentials::new("c", hidden), "client secret", "`credentials`"),
            (Credentials::new("c", "s").user(hidden, "p"), "user name", "`Credentials::user`"),
            (Credentials::new("c", "s").user("u", "p\u{2060}"), "password", "`Credentials::user`"),
            (Credentials::new("c", "s").refresh_token(hidden), "refresh token", "`Credentials::refresh_token`"),
            (
                Credentials::new("c", "s").code(AuthorizationCode::new(hidden, "https://erp.example/cb")),
                "authorization code",
                "`Credentials::code`",
            ),
            (
                Credentials::new("c", "s").code(AuthorizationCode::new("c0de", "https://erp.example/cb\u{200d}")),
                "redirect URI",
                "`AuthorizationCode::new`",
            ),
        ] {
            let problems = credentials.problems(&profile);
            let [problem] = &problems[..] else { panic!("{what}: {problems:?}") };
            assert!(problem.contains(&format!("the {what} contains the invisible character")), "{problem}");
            assert!(problem.contains(setter) && !problem.contains("hu"), "{problem}");
        }
    }
}
