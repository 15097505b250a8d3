//! Perspio: tokens of Microsoft's identity platform, an API behind Azure API Management.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::http::token::OAuthError;
use crate::model::tokens::Rotation;
use crate::show::behavior::Rate;
use crate::show::faults::Fault;
use crate::standins::behavior::StandInBehavior;
use crate::standins::vendor::Credentials;
use crate::standins::vendor::{Authorize, CredentialsLocation, Example, Grant, GrantType, Scope, Vendor};

pub(crate) static VENDOR: Vendor = Vendor {
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
    credentials_location: CredentialsLocation::Body,
    invalid_client_status: StatusCode::UNAUTHORIZED,
    grants: &[
        Grant {
            grant_type: GrantType::ClientCredentials,
            scope: Scope::Exactly("api://perspiotalk/.default"),
            is_refreshable: false,
            needs_redirect_uri: false,
        },
        user_grant(GrantType::AuthorizationCode),
        user_grant(GrantType::RefreshToken),
    ],
    token_type: Some("Bearer"),
    token_headers: |_| Ok(()),
    extend: add_user_fields,
    error_response,
    example: Example {
        method: Method::GET,
        path: "/assets/v3/",
        headers,
        unauthorized,
        respond: |_| {
            Ok(json!([
                { "id": "IN-000101", "name": "Cool box 1" },
                { "id": "IN-000102", "name": "Trailer 2" },
            ]))
        },
    },
    too_many_requests,
};

/// The scopes that a user can grant.
const SCOPES: &[&str] =
    &["api://perspiotalk/access_as_user", "api://perspiotalk/all_readwrite", "offline_access", "openid", "profile"];

const fn user_grant(grant_type: GrantType) -> Grant {
    Grant { grant_type, scope: Scope::AnyOf(SCOPES), is_refreshable: true, needs_redirect_uri: false }
}

fn add_user_fields(grant: &Grant, body: &mut Map<String, Value>) {
    if grant.grant_type != GrantType::ClientCredentials {
        body.insert("scope".into(), "api://perspiotalk/all_readwrite".into());
        body.insert("id_token".into(), "made.up.id-token".into());
    }
}

/// Responds with an error body of Microsoft's format.
fn error_response(error: &OAuthError, now: DateTime<Utc>) -> Response {
    let number = match error.error {
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
        error.description
    );
    let body = json!({
        "error": error.error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
    });
    (error.status, Json(body)).into_response()
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

fn headers(headers: &HeaderMap, credentials: &Credentials) -> Option<Response> {
    let expected = [("ocp-apim-subscription-key", &credentials.subscription_key), ("tid", &credentials.tenant_id)];
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
