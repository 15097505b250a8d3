//! The token endpoint of a mock server: expected requests and their responses.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use httpmock::{HttpMockRequest, Then, When};
use serde_json::json;

use crate::runtime::mock::too_many_requests;

/// The path of the token endpoint, as in the vendor's guide.
pub(super) const PATH: &str = "/auth/oauth/token";

/// The expectations of a token request.
///
/// None of them needs the client secret, so tests do not contain one.
pub struct TokenWhen(When);

impl TokenWhen {
    pub(super) fn new(inner: When) -> Self {
        Self(inner.method("POST").path(PATH))
    }

    /// Returns the `When` of `httpmock`, for further expectations.
    pub fn into_inner(self) -> When {
        self.0
    }

    /// Expects a request by client id and secret.
    pub fn client_credentials(self) -> Self {
        self.field("grant_type", "client_credentials")
    }

    /// Expects a refresh.
    pub fn refresh(self) -> Self {
        self.field("grant_type", "refresh_token")
    }

    /// Expects this refresh token.
    pub fn refresh_token(self, token: impl Into<String>) -> Self {
        self.field("refresh_token", token)
    }

    /// Expects this client id, in the body or in the `Authorization` header.
    pub fn client_id(self, id: impl Into<String>) -> Self {
        let id = id.into();
        Self(self.0.is_true(move |request| client_id(request).as_deref() == Some(&id)))
    }

    /// Expects a field of the form with this value.
    pub fn field(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        Self(self.0.is_true(move |request| form(request, &name).as_deref() == Some(&value)))
    }
}

fn form(request: &HttpMockRequest, name: &str) -> Option<String> {
    form_urlencoded::parse(request.body_ref()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn client_id(request: &HttpMockRequest) -> Option<String> {
    form(request, "client_id").or_else(|| {
        let (_, value) = request.headers_vec().iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
        let basic = value.strip_prefix("Basic ")?;
        let pair = String::from_utf8(BASE64_STANDARD.decode(basic).ok()?).ok()?;
        Some(pair.split_once(':')?.0.to_owned())
    })
}

/// The response to a token request.
pub struct TokenThen(Then);

impl TokenThen {
    pub(super) fn new(inner: Then) -> Self {
        Self(inner)
    }

    /// Returns the `Then` of `httpmock`, for further settings of the response.
    pub fn into_inner(self) -> Then {
        self.0
    }

    /// Responds with a token.
    pub fn ok(self, token: &Token) -> Self {
        let mut response = json!({
            "access_token": token.access_token,
            "token_type": "Bearer",
            "expires_in": token.lifetime.as_secs(),
        });
        if let Some(refresh_token) = &token.refresh_token {
            response["refresh_token"] = json!(refresh_token);
        }
        self.response(200, &response)
    }

    /// Responds with status 400 and an error of RFC 6749, such as `invalid_grant` or `invalid_scope`.
    pub fn bad_request(self, error: &str) -> Self {
        self.response(400, &json!({ "error": error }))
    }

    /// Responds with status 401 and the error `invalid_client`: id or secret are wrong.
    pub fn unauthorized(self) -> Self {
        self.response(401, &json!({ "error": "invalid_client" }))
    }

    /// Responds with status 429. `Retry-After` is in whole seconds, rounded up.
    pub fn too_many_requests(self, retry_after: Duration) -> Self {
        Self(too_many_requests(self.0, retry_after))
    }

    fn response(self, status: u16, body: &serde_json::Value) -> Self {
        let then = self.0.status(status).header("cache-control", "no-store");
        Self(then.header("content-type", "application/json").json_body_obj(body))
    }
}

/// A made-up token, for [`TokenThen::ok`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    access_token: String,
    refresh_token: Option<String>,
    lifetime: Duration,
}

impl Token {
    /// Creates an access token that is valid for 300 seconds, without a refresh token.
    pub fn new(access_token: impl Into<String>) -> Self {
        Self { access_token: access_token.into(), refresh_token: None, lifetime: Duration::from_secs(300) }
    }

    /// Sets the lifetime, in whole seconds.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Adds a refresh token.
    #[must_use]
    pub fn refresh_token(mut self, token: impl Into<String>) -> Self {
        self.refresh_token = Some(token.into());
        self
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}
