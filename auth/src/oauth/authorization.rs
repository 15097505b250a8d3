//! Sending a person to allow access: the authorization request of RFC 6749 section 4.1.1, with state and PKCE.

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
        token_response::{TokenAnswer, shown},
    },
    pasted_value,
    profile::{Occasion, Profile},
    secret::Secret,
};

type OauthClient<HasAuthUrl> = oauth2::Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    HasAuthUrl,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
>;

/// A request that a person answers in a browser. Keep it until the browser comes back: the state and the PKCE verifier in
/// it belong to this one request.
///
/// ```
/// use perenso_auth::{AuthorizationRequest, Credentials, Profile};
///
/// let profile = Profile::perspio("in-4711", "subscription-key");
/// let request = AuthorizationRequest::new(&profile, "client-1", "http://localhost")?;
/// println!("please open {}", request.url());
/// // The browser comes back to `http://localhost/?code=…&state=…`:
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
    /// A request for the profile's own scope.
    ///
    /// # Errors
    /// [`BuildError`] when the profile has no authorize address, or one of the addresses is none.
    pub fn new(
        profile: &Profile,
        client_id: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<Self, BuildError> {
        let scope = profile.scope_on(Occasion::Authorize).flatten().map(str::to_owned);
        Self::with_scope(profile, client_id, redirect_uri, scope)
    }

    /// A request for a scope, or for none.
    ///
    /// # Errors
    /// As [`new`](Self::new).
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
            return Err(fail("the redirect URI is no URL: give the one that the client is registered with".to_owned()));
        }
        let authorize_url = profile.authorize_url.clone().ok_or_else(|| {
            fail(format!("no authorize address is known for `{}`: call `Profile::authorize_url`", profile.name()))
        })?;
        let authorize_url = AuthUrl::new(authorize_url)
            .map_err(|_| fail("the authorize address is no URL: call `Profile::authorize_url`".to_owned()))?;
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

    /// Where to send the person.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The state that has to come back; [`callback`](Self::callback) checks it.
    #[must_use]
    pub fn state(&self) -> &str {
        self.state.expose()
    }

    /// The code from the address that the browser came back to: a whole address, or path and query of one. Blanks, line ends,
    /// invisible characters, `&amp;` and the brackets or quotes around it come from copying it, and do no harm.
    ///
    /// The request remains as it is, so that another address can be tried after an error.
    ///
    /// # Errors
    /// [`CallbackError`] when the state is not the one of this request, when access was denied, or when there is no code.
    pub fn callback(&self, address: &str) -> Result<AuthorizationCode, CallbackError> {
        let address = pasted(address);
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let field = |name: &str| {
            let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            found.next().map(|(_, value)| value.into_owned())
        };
        // Whatever else stands in it was not sent for this request.
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

/// Returns the address without what copying it leaves in and around it. A URL has none of these characters itself.
fn pasted(address: &str) -> String {
    let address: String = address.chars().filter(|c| !pasted_value::is_stray(*c) && !"<>\"".contains(*c)).collect();
    ["&amp;", "&#38;", "&#x26;"].iter().fold(address, |address, ampersand| address.replace(ampersand, "&"))
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

/// Why a browser that came back brought no code.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackError {
    /// The state is missing or another request's: it may be forged, so nothing of it is used.
    #[error(
        "there is no `state` of this request in the address: give the whole address that the browser came back to after \
         it was sent to `url`, or start again with a new `AuthorizationRequest`"
    )]
    State,
    /// The person, or the server, said no.
    #[error("access was not granted: {error}{}", .description.as_ref().map_or(String::new(), |text| format!(": {text}")))]
    Denied {
        /// The code of RFC 6749 section 4.1.2.1, such as `access_denied`.
        error: String,
        /// The text for people.
        description: Option<String>,
    },
    /// There is a state and no code.
    #[error("there is no `code` in the address: give the whole address that the browser came back to")]
    NoCode,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> AuthorizationRequest {
        AuthorizationRequest::new(&Profile::perspio("in-1", "key"), "client-1", "http://localhost").unwrap()
    }

    #[test]
    fn the_address_carries_what_the_vendor_documents_and_state_and_pkce() {
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
    fn the_state_is_checked_before_anything_else() {
        for address in ["http://localhost/?code=abc", "/?code=abc&state=other", "/?error=access_denied", "nothing"] {
            assert_eq!(request().callback(address).unwrap_err(), CallbackError::State, "{address}");
        }
    }

    #[test]
    fn an_address_may_be_pasted_as_mails_chats_and_terminals_give_it() {
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
    fn an_address_that_is_refused_leaves_the_request_as_it_was() {
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
    fn a_denial_and_a_missing_code_are_told_apart() {
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
