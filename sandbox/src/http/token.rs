//! Perenso's token endpoint, as in the vendor's guide and RFC 6749.

mod error;
mod parameters;

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::show::Show;
use crate::show::behavior::{Behavior, ClientAuthentication, ExpiresIn, ScopeRule, TokenType};
use crate::show::state::State;
pub(crate) use error::OAuthError;
pub(crate) use parameters::{Parameters, basic, grant_type};

/// The scope of the REST API.
const SCOPE: &str = "100214";

const UNKNOWN_CLIENT: &str = "the client id or the secret is wrong";

/// Handles a token request.
pub(crate) async fn issue(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Response {
    match grant(&show, &headers, &body) {
        Ok(body) => no_store(Json(body).into_response()),
        Err(error) => error_response(&error),
    }
}

/// The 401 for an unknown client.
pub(crate) fn unauthorized() -> Response {
    error_response(&OAuthError::new("invalid_client", UNKNOWN_CLIENT).with_status(StatusCode::UNAUTHORIZED))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn error_response(error: &OAuthError) -> Response {
    let mut response = no_store((error.status, Json(error.body())).into_response());
    if error.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"perenso-sandbox\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn grant(show: &Show, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    let parameters = Parameters::form(headers, body)?;
    let grant_type = parameters.require("grant_type")?;

    let State { tokens, behavior, .. } = &mut *show.state();
    let in_body = check_client(show, behavior, headers, &parameters)?;
    let now = show.clock().now();
    let terms = behavior.token_terms();
    let (family, next_refresh) = match grant_type {
        "client_credentials" => {
            let is_needed = in_body && matches!(behavior.scope, ScopeRule::InBody | ScopeRule::InEveryBody);
            check_scope(parameters.get("scope"), is_needed, behavior)?;
            let family = tokens.new_family();
            (family, Some(tokens.issue_refresh(family, &terms, now)))
        }
        "refresh_token" => {
            let is_needed = in_body && behavior.scope == ScopeRule::InEveryBody;
            check_scope(parameters.get("scope"), is_needed, behavior)?;
            tokens
                .refresh(parameters.require("refresh_token")?, &terms, now)
                .ok_or_else(OAuthError::invalid_refresh_token)?
        }
        _ => return Err(OAuthError::new("unsupported_grant_type", "this grant type is not supported")),
    };
    Ok(token_response(tokens.issue_access(family, &terms, now), next_refresh, behavior))
}

/// Builds the body with the tokens.
fn token_response(access: String, refresh: Option<String>, behavior: &Behavior) -> Value {
    let mut body = Map::new();
    body.insert("access_token".into(), access.into());
    let token_type = match behavior.token_type {
        TokenType::Bearer => Some("Bearer"),
        TokenType::LowerCase => Some("bearer"),
        TokenType::UpperCase => Some("BEARER"),
        TokenType::Missing => None,
    };
    let seconds = behavior.token_lifetime.as_secs();
    let expires_in = match behavior.expires_in {
        ExpiresIn::Number => Some(Value::from(seconds)),
        ExpiresIn::Text => Some(Value::from(seconds.to_string())),
        ExpiresIn::Missing => None,
    };
    body.extend(token_type.map(|name| ("token_type".into(), name.into())));
    body.extend(expires_in.map(|value| ("expires_in".into(), value)));
    body.extend(refresh.map(|token| ("refresh_token".into(), token.into())));
    Value::Object(body)
}

fn check_scope(scope: Option<&str>, is_needed: bool, behavior: &Behavior) -> Result<(), OAuthError> {
    match scope {
        _ if behavior.scope == ScopeRule::Ignored => Ok(()),
        None if is_needed => Err(OAuthError::new("invalid_scope", "the scope is missing, it must be 100214")),
        Some(scope) if scope != SCOPE => Err(OAuthError::new("invalid_scope", "the scope must be 100214")),
        _ => Ok(()),
    }
}

/// Authenticates the client. Returns whether the credentials were in the body.
fn check_client(
    show: &Show,
    behavior: &Behavior,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<bool, OAuthError> {
    let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
    let in_body = id.is_some() || secret.is_some();
    let header = headers.get(AUTHORIZATION);
    if header.is_some() && in_body {
        return Err(OAuthError::new(
            "invalid_request",
            "the credentials must be in the header or in the body, not in both",
        ));
    }
    let is_right = match header {
        Some(header) => {
            basic(header).as_deref() == Some(format!("{}:{}", show.client_id(), show.client_secret()).as_str())
        }
        None => id == Some(show.client_id()) && secret == Some(show.client_secret()),
    };
    let description = match (behavior.client_authentication, header) {
        (ClientAuthentication::Basic, None) => "the client id and secret must be in a Basic header",
        (ClientAuthentication::Body, Some(_)) => "the client id and secret must be in the body",
        _ if is_right => return Ok(in_body),
        _ => UNKNOWN_CLIENT,
    };
    let answers_400 = header.is_none() && behavior.body_credentials_answer_400;
    let status = if answers_400 { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    Err(OAuthError::new("invalid_client", description).with_status(status))
}
