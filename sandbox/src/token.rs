//! Perenso's token endpoint: credentials in, tokens out, as the vendor's guide and RFC 6749 have it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::behavior::{Behavior, ClientAuthentication, ExpiresIn, ScopeRule, TokenType};
use crate::parameters::{Parameters, basic};
use crate::refused::Refused;
use crate::show::Show;
use crate::state::State;

/// The scope that stands for the REST API.
const SCOPE: &str = "100214";

const UNKNOWN: &str = "the show or its secret is not known";

pub(crate) const PATH: &str = "/auth/oauth/token";

pub(crate) async fn answer(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Response {
    match grant(&show, &headers, &body) {
        Ok(answer) => unstored(Json(answer).into_response()),
        Err(refused) => refusal(&refused),
    }
}

/// The refusal of a client that is not known.
pub(crate) fn unauthorized() -> Response {
    refusal(&Refused::new("invalid_client", UNKNOWN).with_status(StatusCode::UNAUTHORIZED))
}

fn unstored(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refusal(refused: &Refused) -> Response {
    let mut response = unstored((refused.status, Json(refused.body())).into_response());
    if refused.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"perenso-sandbox\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

fn grant(show: &Show, headers: &HeaderMap, body: &[u8]) -> Result<Value, Refused> {
    let parameters = Parameters::form(headers, body)?;
    let grant_type = parameters.need("grant_type")?;

    let State { ledger, behavior, .. } = &mut *show.state();
    let in_body = check_client(show, behavior, headers, &parameters)?;
    let now = show.clock().now();
    let terms = behavior.terms();
    let (family, next_refresh) = match grant_type {
        "client_credentials" => {
            let is_needed = in_body && matches!(behavior.scope, ScopeRule::InBody | ScopeRule::InEveryBody);
            check_scope(parameters.get("scope"), is_needed, behavior)?;
            let family = ledger.found();
            (family, Some(ledger.issue_refresh(family, &terms, now)))
        }
        "refresh_token" => {
            let is_needed = in_body && behavior.scope == ScopeRule::InEveryBody;
            check_scope(parameters.get("scope"), is_needed, behavior)?;
            ledger.refresh(parameters.need("refresh_token")?, &terms, now).ok_or_else(Refused::refresh_token)?
        }
        _ => return Err(Refused::new("unsupported_grant_type", "this grant is not offered")),
    };
    Ok(issued(ledger.issue(family, &terms, now), next_refresh, behavior))
}

/// The answer with a token.
fn issued(access: String, refresh: Option<String>, behavior: &Behavior) -> Value {
    let mut answer = Map::new();
    answer.insert("access_token".into(), access.into());
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
    answer.extend(token_type.map(|name| ("token_type".into(), name.into())));
    answer.extend(expires_in.map(|value| ("expires_in".into(), value)));
    answer.extend(refresh.map(|token| ("refresh_token".into(), token.into())));
    Value::Object(answer)
}

fn check_scope(scope: Option<&str>, is_needed: bool, behavior: &Behavior) -> Result<(), Refused> {
    match scope {
        _ if behavior.scope == ScopeRule::Ignored => Ok(()),
        None if is_needed => Err(Refused::new("invalid_scope", "the scope is missing, it must be 100214")),
        Some(scope) if scope != SCOPE => Err(Refused::new("invalid_scope", "the scope must be 100214")),
        _ => Ok(()),
    }
}

/// Checks who asks; says whether the credentials came in the body.
fn check_client(
    show: &Show,
    behavior: &Behavior,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<bool, Refused> {
    let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
    let in_body = id.is_some() || secret.is_some();
    let header = headers.get(AUTHORIZATION);
    if header.is_some() && in_body {
        return Err(Refused::new("invalid_request", "the credentials come in the header or in the body, not in both"));
    }
    let is_right = match header {
        Some(header) => {
            basic(header).as_deref() == Some(format!("{}:{}", show.client_id(), show.client_secret()).as_str())
        }
        None => id == Some(show.client_id()) && secret == Some(show.client_secret()),
    };
    let description = match (behavior.client_authentication, header) {
        (ClientAuthentication::Basic, None) => "the show and its secret must come in a Basic header",
        (ClientAuthentication::Body, Some(_)) => "the show and its secret must come in the body",
        _ if is_right => return Ok(in_body),
        _ => UNKNOWN,
    };
    let answers_400 = header.is_none() && behavior.body_credentials_answer_400;
    let status = if answers_400 { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    Err(Refused::new("invalid_client", description).with_status(status))
}
