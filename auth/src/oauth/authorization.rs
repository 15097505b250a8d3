//! The authorization request of RFC 6749 section 4.1.1, by which a person grants access, with state and PKCE.

use std::fmt;

use oauth2::{
    AuthUrl, ClientId, CsrfToken, EndpointNotSet, EndpointSet, PkceCodeChallenge, Scope, StandardRevocableToken,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use reqwest::Url;

use crate::{
    error::BuildError,
    oauth::{
        credentials::AuthorizationCode,
        token_response::{TokenFields, shown},
    },
    pasted_value,
    profile::{Occasion, Profile},
    secret::Secret,
};

type OauthClient<HasAuthUrl> = oauth2::Client<
    BasicErrorResponse,
    TokenFields,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    HasAuthUrl,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

/// A request for access that a person grants in a browser. Keep it until the browser is redirected back: its state and its
/// PKCE verifier are needed then.
///
/// ```
/// use perenso_auth::{AuthorizationRequest, Credentials, Profile};
///
/// let profile = Profile::perspio("in-4711", "subscription-key");
/// let request = AuthorizationRequest::new(&profile, "client-1", "http://localhost")?;
/// println!("please open {}", request.url());
/// // The browser is redirected to `http://localhost/?code=…&state=…`:
/// # let callback = format!("http://localhost/?code=abc&state={}", request.state());
/// let code = request.callback(&callback)?;
/// let credentials = Credentials::new("client-1", "s3cr3t").code(code);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AuthorizationRequest {
    url: Url,
    state: Secret,
    pkce_verifier: Secret,
    redirect_uri: String,
}

impl AuthorizationRequest {
    /// Creates a request for the scope of the profile.
    ///
    /// # Errors
    /// [`BuildError`] if the profile has no authorization URL, or if a value is empty or a URL invalid.
    pub fn new(
        profile: &Profile,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<Self, BuildError> {
        let scope = profile.scope_on(Occasion::Authorize).flatten().map(str::to_owned);
        Self::with_scope(profile, client_id, redirect_uri, scope)
    }

    /// Creates a request for a scope, or without one.
    ///
    /// # Errors
    /// Fails as [`new`](Self::new) does.
    pub fn with_scope(
        profile: &Profile,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
        scope: Option<String>,
    ) -> Result<Self, BuildError> {
        let fail = |problem: String| BuildError::new([problem]);
        let (client_id, redirect_uri) = (client_id.into(), redirect_uri.into());
        let remedy = "call `AuthorizationRequest::new`";
        let problems = [("client id", &client_id), ("redirect URI", &redirect_uri)]
            .into_iter()
            .filter_map(|(what, value)| pasted_value::problem(what, value, remedy));
        let problems: Vec<_> = problems.collect();
        if !problems.is_empty() {
            return Err(BuildError::new(problems));
        }
        if Url::parse(&redirect_uri).is_err() {
            return Err(fail(
                "the redirect URI is not a URL: use the one that the client is registered with".to_owned(),
            ));
        }
        let authorize_url = profile.authorize_url.clone().ok_or_else(|| {
            fail(format!("`{}` has no authorization URL: call `Profile::authorize_url`", profile.name()))
        })?;
        let authorize_url = AuthUrl::new(authorize_url)
            .map_err(|_| fail("the authorization URL is invalid: call `Profile::authorize_url`".to_owned()))?;
        let client: OauthClient<EndpointSet> =
            oauth2::Client::<_, _, _, _, _, EndpointNotSet, _, _, _, _>::new(ClientId::new(client_id))
                .set_auth_uri(authorize_url);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scope.map(Scope::new))
            .add_extra_param("redirect_uri", redirect_uri.as_str())
            .set_pkce_challenge(challenge);
        for (name, value) in &profile.authorize_fields {
            request = request.add_extra_param(name.as_str(), value.as_str());
        }
        let (url, state) = request.url();
        Ok(Self {
            url,
            state: Secret::from(state.secret().as_str()),
            pkce_verifier: Secret::from(verifier.into_secret()),
            redirect_uri,
        })
    }

    /// The URL that the person has to open.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The state of the request. [`callback`](Self::callback) checks it.
    #[must_use]
    pub fn state(&self) -> &str {
        self.state.expose()
    }

    /// Reads the code from the address that the browser was redirected to: a whole URL, or its path and query. Whitespace,
    /// invisible characters, `&amp;`, and brackets or quotes around it, as copying leaves them, are accepted.
    ///
    /// The request is not consumed, so another address can be tried after an error.
    ///
    /// # Errors
    /// [`CallbackError`] if the state is not that of this request, if access was denied, or if there is no code.
    pub fn callback(&self, address: &str) -> Result<AuthorizationCode, CallbackError> {
        let address = pasted(address);
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let field = |name: &str| {
            let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            found.next().map(|(_, value)| value.into_owned())
        };
        // Without the state of this request, nothing else in the address is trusted.
        if field("state").as_deref() != Some(self.state.expose()) {
            return Err(CallbackError::State);
        }
        if let Some(error) = field("error") {
            let secrets = [self.state.expose(), self.pkce_verifier.expose()];
            let description = field("error_description").map(|text| shown(&text, &secrets));
            return Err(CallbackError::Denied { error: shown(&error, &secrets), description });
        }
        let code = field("code").filter(|code| !pasted_value::trimmed(code).is_empty()).ok_or(CallbackError::NoCode)?;
        Ok(AuthorizationCode::new(code, &self.redirect_uri).pkce_verifier(self.pkce_verifier.clone()))
    }
}

/// Removes the characters that copying leaves in and around an address. A URL has none of them itself.
fn pasted(address: &str) -> String {
    let address: String = address.chars().filter(|c| !pasted_value::is_stray(*c) && !"<>\"".contains(*c)).collect();
    ["&amp;", "&#38;", "&#x26;"].iter().fold(address, |address, ampersand| address.replace(ampersand, "&"))
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// The error of a callback without a code.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The state is missing, or that of another request. The address may be forged, so nothing in it is used.
    #[error(
        "the address does not have the `state` of this request: pass the whole address that the browser was redirected to \
         from `url`, or start again with a new `AuthorizationRequest`"
    )]
    State,
    /// The person or the server denied access.
    #[error("access was not granted: {error}{}", .description.as_ref().map_or(String::new(), |text| format!(": {text}")))]
    Denied {
        /// The code of RFC 6749 section 4.1.2.1, such as `access_denied`.
        error: String,
        /// The description, for people.
        description: Option<String>,
    },
    /// There is no code beside the state.
    #[error("the address has no `code`: pass the whole address that the browser was redirected to")]
    NoCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> AuthorizationRequest {
        AuthorizationRequest::new(&Profile::perspio("in-1", "key"), "client-1", "http://localhost").unwrap()
    }

    #[test]
    fn the_url_has_the_documented_parameters_state_and_pkce() {
        let request = request();
        let fields: std::collections::HashMap<_, _> = request.url().query_pairs().into_owned().collect();
        for (name, value) in [
            ("client_id", "client-1"),
            ("response_type", "code"),
            ("redirect_uri", "http://localhost"),
            ("response_mode", "query"),
            ("scope", "api://perspiotalk/access_as_user"),
            ("code_challenge_method", "S256"),
            ("state", request.state()),
        ] {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(fields["code_challenge"].len() == 43 && request.state().len() >= 16);
        assert!(!format!("{request:?}").contains(request.state()));
    }

    #[test]
    fn the_state_is_checked_first() {
        for address in ["http://localhost/?code=abc", "/?code=abc&state=other", "/?error=access_denied", "nothing"] {
            assert_eq!(request().callback(address).unwrap_err(), CallbackError::State, "{address}");
        }
    }

    #[test]
    fn an_address_may_be_pasted_from_mails_chats_and_terminals() {
        for (what, pasted) in [
            ("a line end", "http://localhost/?code=a%2Fb&state=STATE\r\n"),
            ("blanks", " \t http://localhost/?code=a%2Fb&state=STATE \u{a0}"),
            ("no width", "\u{feff}http://localhost/?code=a%2Fb&state=STATE\u{200b}"),
            ("no width inside", "http://localhost/?code=\u{200b}a%2Fb\u{2060}&state=STATE\u{200d}&x=1"),
            ("a wrapped line", "http://localhost/?code=a%2\n  Fb&sta\r\nte=STATE"),
            ("HTML", "http://localhost/?session=1&amp;code=a%2Fb&amp;state=STATE"),
            ("HTML by numbers", "http://localhost/?code=a%2Fb&#38;state=STATE&#x26;session=1"),
            ("brackets", "<http://localhost/?state=STATE&code=a%2Fb>"),
            ("quotes", "\"http://localhost/?state=STATE&code=a%2Fb\""),
        ] {
            let request = request();
            let code = request
                .callback(&pasted.replace("STATE", request.state()))
                .unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(code.code.expose(), "a/b", "{what}");
        }
    }

    #[test]
    fn another_address_can_be_tried_after_an_error() {
        let request = request();
        let state = request.state().to_owned();
        for (address, error, says) in [
            ("http://localhost/?code=abc&state=other", CallbackError::State, "the whole address"),
            ("c0de", CallbackError::State, "the whole address"),
            (&format!("/?state={state}"), CallbackError::NoCode, "the whole address"),
            (&format!("/?code=%E2%80%8B&state={state}"), CallbackError::NoCode, "the whole address"),
        ] {
            let refused = request.callback(address).unwrap_err();
            assert_eq!(refused, error, "{address}");
            assert!(refused.to_string().contains(says), "{refused}");
        }
        assert_eq!(request.callback(&format!("/?code=c0de&state={state}")).unwrap().code.expose(), "c0de");
    }

    #[test]
    fn a_denial_and_a_missing_code_are_different_errors() {
        let request = request();
        let address = format!("/?error=access_denied&error_description=not%20today%0A&state={}", request.state());
        let denied = request.callback(&address).unwrap_err();
        assert_eq!(denied.to_string(), "access was not granted: access_denied: not today ");
        let request = self::request();
        let address = format!("/?state={}", request.state());
        assert_eq!(request.callback(&address).unwrap_err(), CallbackError::NoCode);
    }

    #[test]
    fn a_code_keeps_its_redirect_uri_and_its_verifier() {
        let request = request();
        let verifier = request.pkce_verifier.expose().to_owned();
        let address = format!("http://localhost/?code=a%2Fb&state={}#fragment", request.state());
        let code = request.callback(&address).unwrap();
        assert_eq!((code.code.expose(), code.redirect_uri.as_str()), ("a/b", "http://localhost"));
        assert_eq!(code.pkce_verifier.unwrap().expose(), verifier);
    }
}
