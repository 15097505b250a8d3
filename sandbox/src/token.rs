//! The token endpoint: credentials in, tokens out, as the vendor's guide and RFC 6749 have it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::body::media_type;
use crate::clock::after;
use crate::show::{Show, Start, State};

/// The scope that stands for the REST API.
const SCOPE: &str = "100214";

pub(crate) const PATH: &str = "/auth/oauth/token";

/// How many token requests arrived, by grant, refused and disturbed ones included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequests {
    /// With `grant_type=client_credentials`.
    pub client_credentials: u64,
    /// With `grant_type=refresh_token`.
    pub refresh_token: u64,
    /// With another grant, or none that could be read.
    pub other: u64,
}

impl TokenRequests {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.client_credentials + self.refresh_token + self.other
    }

    pub(crate) fn count(&mut self, body: &[u8]) {
        match field(body, "grant_type").as_deref() {
            Some("client_credentials") => self.client_credentials += 1,
            Some("refresh_token") => self.refresh_token += 1,
            _ => self.other += 1,
        }
    }
}

/// The tokens that were handed out, with the moment at which each dies.
#[derive(Default)]
pub(crate) struct Tokens {
    access: HashMap<String, DateTime<Utc>>,
    refresh: HashMap<String, DateTime<Utc>>,
    pub(crate) requests: TokenRequests,
}

impl Tokens {
    pub(crate) fn is_live(&self, access_token: &str, now: DateTime<Utc>) -> bool {
        is_live(&self.access, access_token, now)
    }

    pub(crate) fn issue(&mut self, lifetime: Duration, only_one: bool, now: DateTime<Utc>) -> String {
        if only_one {
            self.access.clear();
        }
        self.access.retain(|_, expiry| now < *expiry);
        let token: String = std::iter::repeat_with(fastrand::alphanumeric).take(48).collect();
        self.access.insert(token.clone(), after(now, lifetime));
        token
    }

    fn issue_refresh(&mut self, lifetime: Option<Duration>, now: DateTime<Utc>) -> String {
        let token = secret();
        let expiry = lifetime.map_or(DateTime::<Utc>::MAX_UTC, |lifetime| after(now, lifetime));
        self.refresh.insert(token.clone(), expiry);
        token
    }

    pub(crate) fn revoke_access(&mut self) {
        self.access.clear();
    }

    pub(crate) fn revoke_refresh(&mut self) {
        self.refresh.clear();
    }
}

fn is_live(tokens: &HashMap<String, DateTime<Utc>>, token: &str, now: DateTime<Utc>) -> bool {
    tokens.get(token).is_some_and(|expiry| now < *expiry)
}

/// A made-up secret that holds, as the vendor's do, what has to be encoded in a form: `+`, `/` and `=`.
pub(crate) fn secret() -> String {
    let part = || -> String { std::iter::repeat_with(fastrand::alphanumeric).take(14).collect() };
    format!("{}+{}/{}=", part(), part(), part())
}

pub(crate) async fn answer(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = match grant(&show, &headers, &body) {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refused.into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal of RFC 6749, section 5.2.
struct Refused {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

impl Refused {
    fn new(error: &'static str, description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"perenso-sandbox\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn grant(show: &Show, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refused> {
    if media_type(headers).as_deref() != Some("application/x-www-form-urlencoded") {
        return Err(Refused::new("invalid_request", "the content type must be application/x-www-form-urlencoded"));
    }
    let mut names: Vec<_> = form_urlencoded::parse(body).map(|(name, _)| name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refused::new("invalid_request", "a parameter is given twice"));
    }
    let grant_type =
        field(body, "grant_type").ok_or_else(|| Refused::new("invalid_request", "grant_type is missing"))?;

    let State { tokens, behavior, .. } = &mut *show.state();
    let in_body = check_client(&show.start, behavior.body_credentials_answer_400, headers, body)?;
    let now = show.clock.now();
    let scope = field(body, "scope");
    if scope.as_ref().is_some_and(|scope| scope != SCOPE) {
        return Err(Refused::new("invalid_scope", "the scope must be 100214"));
    }
    let next_refresh = match grant_type.as_str() {
        "client_credentials" if in_body && scope.is_none() => {
            return Err(Refused::new("invalid_scope", "the scope is missing, it must be 100214"));
        }
        "client_credentials" => true,
        "refresh_token" => {
            let given = field(body, "refresh_token")
                .ok_or_else(|| Refused::new("invalid_request", "refresh_token is missing"))?;
            if !is_live(&tokens.refresh, &given, now) {
                return Err(Refused::new("invalid_grant", "the refresh token is unknown, used up, expired or revoked"));
            }
            if behavior.rotate_refresh_tokens {
                tokens.refresh.remove(&given);
            }
            behavior.rotate_refresh_tokens
        }
        _ => {
            return Err(Refused::new("unsupported_grant_type", "this grant is not offered"));
        }
    };
    let mut answer = json!({
        "access_token": tokens.issue(behavior.token_lifetime, behavior.one_live_token, now),
        "token_type": "Bearer",
        "expires_in": behavior.token_lifetime.as_secs(),
    });
    if next_refresh {
        answer["refresh_token"] = tokens.issue_refresh(behavior.refresh_token_lifetime, now).into();
    }
    Ok(answer)
}

/// Checks who asks; says whether the credentials came in the body.
fn check_client(start: &Start, body_answers_400: bool, headers: &HeaderMap, body: &[u8]) -> Result<bool, Refused> {
    let in_body = field(body, "client_id").is_some() || field(body, "client_secret").is_some();
    let header = headers.get(AUTHORIZATION);
    if header.is_some() && in_body {
        return Err(Refused::new("invalid_request", "the credentials come in the header or in the body, not in both"));
    }
    let is_right = match header {
        Some(header) => {
            basic(header).as_deref() == Some(format!("{}:{}", start.client_id, start.client_secret).as_str())
        }
        None => {
            field(body, "client_id").as_ref() == Some(&start.client_id)
                && field(body, "client_secret").as_ref() == Some(&start.client_secret)
        }
    };
    if is_right {
        return Ok(in_body);
    }
    let mut refused = Refused::new("invalid_client", "the show or its secret is not known");
    if header.is_some() || !body_answers_400 {
        refused.status = StatusCode::UNAUTHORIZED;
    }
    Err(refused)
}

/// What stands in a Basic header: base64 of `SHOWID:API_SECRET` as they are, without the form encoding of RFC 6749.
fn basic(header: &HeaderValue) -> Option<String> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

/// A field of the form; an empty one counts as missing, as RFC 6749 says.
fn field(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body)
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}
