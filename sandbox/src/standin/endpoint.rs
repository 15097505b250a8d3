//! The token endpoint that all stand-ins share.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::behavior::{StandInBehavior, TokenBody};
use super::desk::{Desk, State};
use super::system::{GrantType, Place};
use crate::parameters::{Parameters, basic};
use crate::refused::Refused;

pub(crate) fn answer(desk: &Desk, parts: &Parts, body: &Bytes) -> Response {
    let mut response = match grant(desk, &parts.headers, body) {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => (desk.system.refusal)(&refused, desk.traffic.clock.now()),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn grant(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refused> {
    let Desk { system, start, .. } = desk;
    let State { behavior, ledger, codes, .. } = &mut *desk.state();
    (system.token_headers)(headers)?;
    let parameters = match behavior.token_body {
        TokenBody::Json => Parameters::json(headers, body)?,
        TokenBody::Form if system.needs_charset && !is_utf8(headers) => {
            return Err(Refused::new("invalid_request", "the content type must say charset=utf-8"));
        }
        TokenBody::Form => Parameters::form(headers, body)?,
    };
    let grant_type = parameters.need("grant_type")?;
    check_client(desk, behavior, headers, &parameters)?;
    let Some(grant) = system.grants.iter().find(|grant| grant.kind.name() == grant_type) else {
        return Err(Refused::new("unsupported_grant_type", "this grant is not offered"));
    };
    grant.scope.check(parameters.get("scope"))?;
    if grant.needs_redirect_uri && parameters.need("redirect_uri")? != start.redirect_uri {
        return Err(Refused::new("invalid_grant", "the redirect_uri is not the registered one"));
    }

    let now = desk.traffic.clock.now();
    let terms = behavior.terms();
    let (family, next_refresh) = match grant.kind {
        GrantType::RefreshToken => {
            ledger.refresh(parameters.need("refresh_token")?, &terms, now).ok_or_else(Refused::refresh_token)?
        }
        kind => {
            let family = match kind {
                GrantType::AuthorizationCode => codes.exchange(&parameters, behavior, ledger, now)?,
                GrantType::Password => {
                    let given = (parameters.need("username")?, parameters.need("password")?);
                    if given != (&start.username, &start.password) {
                        return Err(Refused::new("invalid_grant", "the user or the password is wrong"));
                    }
                    ledger.found()
                }
                _ => ledger.found(),
            };
            let next = grant.is_refreshable && behavior.refresh_tokens;
            (family, next.then(|| ledger.issue_refresh(family, &terms, now)))
        }
    };
    let mut answer = Map::new();
    answer.insert("access_token".into(), ledger.issue(family, &terms, now).into());
    answer.insert("expires_in".into(), behavior.token_lifetime.as_secs().into());
    if let Some(token_type) = system.token_type {
        answer.insert("token_type".into(), token_type.into());
    }
    if let Some(token) = next_refresh {
        answer.insert("refresh_token".into(), token.into());
    }
    (system.more)(grant, &mut answer);
    Ok(answer)
}

fn check_client(
    desk: &Desk,
    behavior: &StandInBehavior,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(), Refused> {
    let (id, secret) = (desk.start.client_id.as_str(), desk.start.client_secret.as_str());
    let header = headers.get(AUTHORIZATION);
    let is_right = match desk.system.place {
        Place::Body if header.is_some() => {
            return Err(Refused::new("invalid_request", "the credentials come in the body, not in a header"));
        }
        Place::Basic if parameters.get("client_secret").is_some() => {
            return Err(Refused::new("invalid_request", "the credentials come in a Basic header, not in the body"));
        }
        Place::Body => parameters.need("client_id")? == id && parameters.need("client_secret")? == secret,
        Place::Basic => {
            let expected = match behavior.form_encoded_basic {
                true => format!("{}:{}", form_encoded(id), form_encoded(secret)),
                false => format!("{id}:{secret}"),
            };
            header.and_then(basic) == Some(expected)
        }
    };
    if is_right {
        return Ok(());
    }
    let refused = Refused::new("invalid_client", "the client or its secret is not known");
    Err(refused.with_status(desk.system.wrong_client))
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Whether the content type says that the body is UTF-8.
fn is_utf8(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    parameters.any(|(name, value)| {
        name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}
