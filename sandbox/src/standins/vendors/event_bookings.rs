//! EventBookings: token requests in JSON, token responses without a type.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::api_error::ApiError;
use crate::show::faults::Fault;
use crate::standins::behavior::{StandInBehavior, TokenBody};
use crate::standins::vendor::{CredentialsLocation, Example, Grant, GrantType, Scope, Vendor};

pub(crate) static VENDOR: Vendor = Vendor {
    name: "event-bookings",
    base: "",
    token_path: "/connect/token",
    authorize: None,
    client_id: "sandbox-event-bookings",
    redirect_uri: "",
    values: &["client_id", "client_secret"],
    behavior: || StandInBehavior { token_body: TokenBody::Json, ..StandInBehavior::default() },
    needs_charset: false,
    credentials_location: CredentialsLocation::Body,
    invalid_client_status: StatusCode::BAD_REQUEST,
    grants: &[grant(GrantType::ClientCredentials), grant(GrantType::RefreshToken)],
    token_type: None,
    token_headers: |_| Ok(()),
    extend: |_, _| {},
    // The minimum of RFC 6749.
    error_response: |error, _| (error.status, Json(json!({ "error": error.error }))).into_response(),
    example: Example {
        method: Method::GET,
        // Invented, since no page shows a call.
        path: "/events",
        headers: |_, _| None,
        unauthorized,
        respond: |_| {
            Ok(json!([
                { "id": "1", "name": "Spring Trade Fair" },
                { "id": "2", "name": "Wholesale Day" },
            ]))
        },
    },
    too_many_requests: |_, _| Fault::status(429),
};

const fn grant(grant_type: GrantType) -> Grant {
    Grant { grant_type, scope: Scope::Unknown, is_refreshable: true, needs_redirect_uri: false }
}

fn unauthorized(message: &'static str) -> Response {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}
