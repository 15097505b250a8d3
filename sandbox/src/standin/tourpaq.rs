//! Tourpaq: the password grant with a Basic header, half an hour of life, exports of any content type.

use std::time::Duration;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::behavior::StandInBehavior;
use super::system::{Call, Example, Grant, GrantType, Place, Scope, System};
use crate::answer::Refusal;
use crate::fault::Fault;

pub(crate) static SYSTEM: System = System {
    name: "tourpaq",
    base: "",
    token_path: "/api/token",
    authorize: None,
    client_id: "booking.sandbox.example",
    redirect_uri: "",
    values: &["client_id", "client_secret", "username", "password"],
    behavior: || StandInBehavior { token_lifetime: Duration::from_secs(1799), ..StandInBehavior::default() },
    needs_charset: false,
    place: Place::Basic,
    wrong_client: StatusCode::BAD_REQUEST,
    grants: &[grant(GrantType::Password), grant(GrantType::RefreshToken)],
    token_type: Some("bearer"),
    token_headers: |_| Ok(()),
    more: |_, _| {},
    refusal: |refused, _| (refused.status, Json(refused.body())).into_response(),
    example: Example {
        method: Method::GET,
        path: "/api/HotelListExport/{id}",
        headers: |_, _| None,
        unauthorized,
        answer: hotel_list,
    },
    too_many_requests: |_, _| Fault::status(429),
};

const fn grant(kind: GrantType) -> Grant {
    Grant { kind, scope: Scope::Exactly("read"), is_refreshable: true, needs_redirect_uri: false }
}

fn unauthorized(message: &'static str) -> Response {
    let body = json!({ "Message": message });
    let headers = [(CONTENT_TYPE, "application/json; charset=utf-8"), (WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response()
}

/// Made-up rows: no page shows an answer.
fn hotel_list(call: &Call<'_>) -> Result<Value, Refusal> {
    let Ok(id) = call.id.parse::<i64>() else {
        return Err(Refusal::bad_request("invalid_id", "the id of an export is an integer"));
    };
    Ok(json!({
        "id": id,
        "hotels": [
            { "hotel": "Hotel Example", "roomType": "Double", "units": 4, "passengers": 7 },
            { "hotel": "Sample Inn", "roomType": "Single", "units": 2, "passengers": 2 },
        ],
    }))
}
