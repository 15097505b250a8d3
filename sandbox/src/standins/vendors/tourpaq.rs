//! Tourpaq: the password grant with a Basic header, tokens for half an hour, and exports of any content type.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::http::api_error::ApiError;
use crate::show::faults::Fault;
use crate::standins::behavior::StandInBehavior;
use crate::standins::vendor::{Call, CredentialsLocation, Example, Grant, GrantType, Scope, Vendor};

pub(crate) static VENDOR: Vendor = Vendor {
    name: "tourpaq",
    base: "",
    token_path: "/api/token",
    authorize: None,
    client_id: "booking.sandbox.example",
    redirect_uri: "",
    values: &["client_id", "client_secret", "username", "password"],
    behavior: || StandInBehavior { token_lifetime: Duration::from_secs(1799), ..StandInBehavior::default() },
    needs_charset: false,
    credentials_location: CredentialsLocation::Basic,
    invalid_client_status: StatusCode::BAD_REQUEST,
    grants: &[grant(GrantType::Password), grant(GrantType::RefreshToken)],
    token_type: Some("bearer"),
    token_headers: |_| Ok(()),
    extend: |_, _| {},
    error_response: |error, _| (error.status, Json(error.body())).into_response(),
    example: Example {
        method: Method::GET,
        path: "/api/HotelListExport/{id}",
        headers: |_, _| None,
        unauthorized,
        respond: hotel_list,
    },
    too_many_requests: |_, _| Fault::status(429),
};

const fn grant(grant_type: GrantType) -> Grant {
    Grant { grant_type, scope: Scope::Exactly("read"), is_refreshable: true, needs_redirect_uri: false }
}

fn unauthorized(message: &'static str) -> Response {
    let body = json!({ "Message": message });
    let headers = [(CONTENT_TYPE, "application/json; charset=utf-8"), (WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response()
}

/// Responds with invented rows, since no page shows a response.
fn hotel_list(call: &Call<'_>) -> Result<Value, ApiError> {
    let Ok(id) = call.id.parse::<i64>() else {
        return Err(ApiError::bad_request("invalid_id", "the id of an export is an integer"));
    };
    Ok(json!({
        "id": id,
        "hotels": [
            { "hotel": "Hotel Example", "roomType": "Double", "units": 4, "passengers": 7 },
            { "hotel": "Sample Inn", "roomType": "Single", "units": 2, "passengers": 2 },
        ],
    }))
}
