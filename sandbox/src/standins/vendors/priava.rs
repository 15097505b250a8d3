//! Priava: an authorization code, a region in every request, and reads by POST.

use std::time::Duration;

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::{Value, json};

use crate::http::api_error::ApiError;
use crate::http::body::object;
use crate::http::token::OAuthError;
use crate::model::timestamp::saturating_add;
use crate::show::behavior::Rate;
use crate::show::faults::Fault;
use crate::standins::behavior::StandInBehavior;
use crate::standins::vendor::Credentials;
use crate::standins::vendor::{Call, CredentialsLocation, Example, Grant, GrantType, Scope, Vendor};

pub(crate) static VENDOR: Vendor = Vendor {
    name: "priava",
    base: "/api/rest",
    token_path: "/api/rest/oauth/token",
    authorize: None,
    client_id: "sandbox-priava",
    redirect_uri: "https://app.example/oauth2callback",
    values: &["client_id", "client_secret", "code", "redirect_uri"],
    behavior: || StandInBehavior {
        token_lifetime: Duration::from_secs(21_600),
        rate: Some(Rate::new(450, Duration::from_secs(300))),
        ..StandInBehavior::default()
    },
    needs_charset: true,
    credentials_location: CredentialsLocation::Body,
    invalid_client_status: StatusCode::BAD_REQUEST,
    grants: &[grant(GrantType::AuthorizationCode), grant(GrantType::RefreshToken)],
    token_type: Some("BEARER"),
    token_headers: |headers| match has_region(headers) {
        true => Ok(()),
        false => Err(OAuthError::new("invalid_request", REGION)),
    },
    extend: |_, _| {},
    error_response: |error, _| (error.status, Json(error.body())).into_response(),
    example: Example { method: Method::POST, path: "/v2/event/get", headers, unauthorized, respond: events },
    too_many_requests,
};

const REGION: &str = "the header TenantRegion must be APAC, EU or US";

const fn grant(grant_type: GrantType) -> Grant {
    Grant { grant_type, scope: Scope::Unknown, is_refreshable: true, needs_redirect_uri: true }
}

fn has_region(headers: &HeaderMap) -> bool {
    headers.get("tenantregion").is_some_and(|region| ["APAC", "EU", "US"].iter().any(|known| region == known))
}

fn headers(headers: &HeaderMap, _: &Credentials) -> Option<Response> {
    let error = || ApiError::bad_request("invalid_region", REGION).into_response();
    (!has_region(headers)).then(error)
}

fn unauthorized(message: &'static str) -> Response {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}

/// Responds with the end of the wait in the body, without a zone. The stand-in uses UTC.
fn too_many_requests(wait: Duration, now: DateTime<Utc>) -> Fault {
    // Rounded up to whole seconds, so that it is not too early.
    let until = saturating_add(saturating_add(now, wait), Duration::from_nanos(999_999_999));
    let body = json!({
        "error": "the limit of requests is reached",
        "limits": "450 requests per 300 seconds",
        "retry-after": until.format("%a, %d %b %Y %H:%M:%S").to_string(),
    });
    Fault::Status {
        code: 429,
        content_type: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
        headers: Vec::new(),
    }
}

/// Searches events. Unknown filters are never ignored.
fn events(call: &Call<'_>) -> Result<Value, ApiError> {
    let filters = object(call.headers, call.body)?;
    let mut events = made_up_events();
    let mut rows = 50;
    for (name, wanted) in &filters {
        let wrong = || ApiError::parameter(name, "the value is invalid");
        let wanted = match wanted {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match name.as_str() {
            "EventNumber" | "EventName" => events.retain(|event| event[name.as_str()] == wanted),
            "StartDate" => {
                let from = timestamp(&wanted).ok_or_else(wrong)?;
                events.retain(|event| event["StartDate"].as_str().and_then(timestamp) >= Some(from));
            }
            "EndDate" => {
                let to = timestamp(&wanted).ok_or_else(wrong)?;
                events.retain(|event| event["EndDate"].as_str().and_then(timestamp) <= Some(to));
            }
            "RecordsPerPage" => rows = wanted.parse().map_err(|_| wrong())?,
            _ => {
                let message = format!("the stand-in does not support the filter {name}");
                return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, "not_in_sandbox", message));
            }
        }
    }
    events.truncate(rows);
    Ok(json!({ "success": true, "result": events }))
}

/// Parses a timestamp as in the samples: day first, with or without seconds.
fn timestamp(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// Returns made-up events with the fields of the page about saving an event.
fn made_up_events() -> Vec<Value> {
    let event = |number: &str, name: &str, start: &str, end: &str| {
        json!({
            "EventNumber": number,
            "EventName": name,
            "StartDate": start,
            "EndDate": end,
            "EventType": { "Id": 3, "Name": "Conference" },
            "EventStatus": { "Id": 1, "Name": "Confirmed" },
            "EventPax": 120,
        })
    };
    vec![
        event("2677", "Spring Trade Fair", "06/05/2030 09:00", "08/05/2030 18:00"),
        event("2678", "Wholesale Day", "12/06/2030 10:00", "12/06/2030 17:30"),
        event("2681", "Harvest Dinner", "21/09/2030 19:00", "21/09/2030 23:30"),
    ]
}
