//! EventBookings: a token request in JSON, an answer without a token type.

use axum::Json;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::behavior::{StandInBehavior, TokenBody};
use super::system::{Example, Grant, GrantType, Place, Scope, System};
use crate::answer::Refusal;
use crate::fault::Fault;

pub(crate) static SYSTEM: System = System {
    name: "event-bookings",
    base: "",
    token_path: "/connect/token",
    authorize: None,
    client_id: "sandbox-event-bookings",
    redirect_uri: "",
    values: &["client_id", "client_secret"],
    behavior: || StandInBehavior { token_body: TokenBody::Json, ..StandInBehavior::default() },
    needs_charset: false,
    place: Place::Body,
    wrong_client: StatusCode::BAD_REQUEST,
    grants: &[grant(GrantType::ClientCredentials), grant(GrantType::RefreshToken)],
    token_type: None,
    token_headers: |_| Ok(()),
    more: |_, _| {},
    // The fewest words that a server may use.
    refusal: |refused, _| (refused.status, Json(json!({ "error": refused.error }))).into_response(),
    example: Example {
        method: Method::GET,
        // Made up, as no page shows any call.
        path: "/events",
        headers: |_, _| None,
        unauthorized,
        answer: |_| {
            Ok(json!([
                { "id": "1", "name": "Spring Trade Fair" },
                { "id": "2", "name": "Wholesale Day" },
            ]))
        },
    },
    too_many_requests: |_, _| Fault::status(429),
};

const fn grant(kind: GrantType) -> Grant {
    Grant { kind, scope: Scope::Unknown, is_refreshable: true, needs_redirect_uri: false }
}

fn unauthorized(message: &'static str) -> Response {
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}
