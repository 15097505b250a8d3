//! Perenso's token endpoint: credentials in, tokens out, as the vendor's guide and RFC 6749 have it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::parameters::{Parameters, basic};
use crate::refused::Refused;
use crate::show::{Show, State};

/// The scope that stands for the REST API.
const SCOPE: &str = "100214";

pub(crate) const PATH: &str = "/auth/oauth/token";

pub(crate) async fn answer(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = match grant(&show, &headers, &body) {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refusal(&refused),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refusal(refused: &Refused) -> Response {
    let mut response = (refused.status, Json(refused.body())).into_response();
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
    let in_body = check_client(show, behavior.body_credentials_answer_400, headers, &parameters)?;
    let now = show.clock().now();
    let terms = behavior.terms();
    let scope = parameters.get("scope");
    if scope.is_some_and(|scope| scope != SCOPE) {
        return Err(Refused::new("invalid_scope", "the scope must be 100214"));
    }
    let (family, next_refresh) = match grant_type {
        "client_credentials" if in_body && scope.is_none() => {
            return Err(Refused::new("invalid_scope", "the scope is missing, it must be 100214"));
        }
        "client_credentials" => {
            let family = ledger.found();
            (family, Some(ledger.issue_refresh(family, &terms, now)))
        }
        "refresh_token" => {
            ledger.refresh(parameters.need("refresh_token")?, &terms, now).ok_or_else(Refused::refresh_token)?
        }
        _ => return Err(Refused::new("unsupported_grant_type", "this grant is not offered")),
    };
    let mut answer = json!({
        "access_token": ledger.issue(family, &terms, now),
        "token_type": "Bearer",
        "expires_in": behavior.token_lifetime.as_secs(),
    });
    if let Some(token) = next_refresh {
        answer["refresh_token"] = token.into();
    }
    Ok(answer)
}

/// Checks who asks; says whether the credentials came in the body.
fn check_client(
    show: &Show,
    body_answers_400: bool,
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
    if is_right {
        return Ok(in_body);
    }
    let answers_400 = header.is_none() && body_answers_400;
    let status = if answers_400 { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED };
    Err(Refused::new("invalid_client", "the show or its secret is not known").with_status(status))
}
