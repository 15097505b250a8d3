//! Perspio: tokens from Microsoft's identity platform, an API behind Azure API Management.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::behavior::StandInBehavior;
use super::desk::Start;
use super::system::{Authorize, Example, Grant, GrantType, Place, Scope, System};
use crate::behavior::Rate;
use crate::fault::Fault;
use crate::ledger::Rotation;
use crate::refused::Refused;

pub(crate) static SYSTEM: System = System {
    name: "perspio",
    base: "",
    token_path: "/0f9b4c52-3d1e-4a7b-8c66-5e2d7a90b1c3/oauth2/v2.0/token",
    authorize: Some(Authorize { path: "/0f9b4c52-3d1e-4a7b-8c66-5e2d7a90b1c3/oauth2/v2.0/authorize", scopes: SCOPES }),
    client_id: "6b1d3a70-52c8-4e0f-9a41-c7f2805e6d94",
    redirect_uri: "http://localhost",
    values: &["client_id", "client_secret", "code", "redirect_uri", "tenant_id", "subscription_key"],
    behavior: || StandInBehavior {
        token_lifetime: Duration::from_secs(3599),
        refresh_token_lifetime: Some(Duration::from_secs(90 * 24 * 3600)),
        code_lifetime: Some(Duration::from_secs(600)),
        rotation: Rotation::Add,
        rate: Some(Rate::new(20, Duration::from_secs(90))),
        ..StandInBehavior::default()
    },
    needs_charset: false,
    place: Place::Body,
    wrong_client: StatusCode::UNAUTHORIZED,
    grants: &[
        Grant {
            kind: GrantType::ClientCredentials,
            scope: Scope::Exactly("api://perspiotalk/.default"),
            is_refreshable: false,
            needs_redirect_uri: false,
        },
        of_a_user(GrantType::AuthorizationCode),
        of_a_user(GrantType::RefreshToken),
    ],
    token_type: Some("Bearer"),
    token_headers: |_| Ok(()),
    more,
    refusal,
    example: Example {
        method: Method::GET,
        path: "/assets/v3/",
        headers,
        unauthorized,
        answer: |_| {
            Ok(json!([
                { "id": "IN-000101", "name": "Cool box 1" },
                { "id": "IN-000102", "name": "Trailer 2" },
            ]))
        },
    },
    too_many_requests,
};

/// The scopes that a person can be asked for.
const SCOPES: &[&str] =
    &["api://perspiotalk/access_as_user", "api://perspiotalk/all_readwrite", "offline_access", "openid", "profile"];

const fn of_a_user(kind: GrantType) -> Grant {
    Grant { kind, scope: Scope::AnyOf(SCOPES), is_refreshable: true, needs_redirect_uri: false }
}

fn more(grant: &Grant, answer: &mut Map<String, Value>) {
    if grant.kind != GrantType::ClientCredentials {
        answer.insert("scope".into(), "api://perspiotalk/all_readwrite".into());
        answer.insert("id_token".into(), "made.up.id-token".into());
    }
}

/// The body of Microsoft's errors, in words of our own.
fn refusal(refused: &Refused, now: DateTime<Utc>) -> Response {
    let number = match refused.error {
        "invalid_client" => 7_000_215,
        "invalid_scope" => 70_011,
        "unsupported_grant_type" => 70_003,
        "invalid_grant" => 70_008,
        _ => 900_144,
    };
    let timestamp = now.format("%Y-%m-%d %H:%M:%SZ").to_string();
    let (trace, correlation) = (guid(), guid());
    let description = format!(
        "AADSTS{number}: {}.\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}",
        refused.description
    );
    let body = json!({
        "error": refused.error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
    });
    (refused.status, Json(body)).into_response()
}

fn guid() -> String {
    let part = || fastrand::u16(..);
    format!(
        "{:04x}{:04x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(),
        part(),
        part(),
        part(),
        part(),
        fastrand::u64(..1 << 48)
    )
}

fn headers(headers: &HeaderMap, start: &Start) -> Option<Response> {
    let expected = [("ocp-apim-subscription-key", &start.subscription_key), ("tid", &start.tenant_id)];
    let (name, given) = expected.into_iter().find_map(|(name, expected)| match headers.get(name) {
        Some(given) if given == expected => None,
        given => Some((name, given)),
    })?;
    let problem = if given.is_some() { "not known" } else { "missing" };
    Some(gateway(&format!("access denied, {name} is {problem}")))
}

fn unauthorized(message: &'static str) -> Response {
    gateway(message)
}

fn gateway(message: &str) -> Response {
    let body = json!({ "statusCode": 401, "message": message });
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn too_many_requests(wait: Duration, _: DateTime<Utc>) -> Fault {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let body = json!({ "statusCode": 429, "message": format!("Too many calls: the next one in {seconds} seconds") });
    let fault = Fault::Status {
        code: 429,
        content_type: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
        headers: Vec::new(),
    };
    fault.with_header("Retry-After", &seconds.to_string())
}
