//! The bearer token of an API call.

use std::sync::Arc;

use axum::extract::{Request, State as Context};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::api_error::ApiError;
use crate::show::Show;

/// Rejects a call without a valid access token.
pub(crate) async fn check(
    Context(show): Context<Arc<Show>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match token(request.headers()) {
        None => Err(error("an access token is required", "Bearer")),
        Some(token) if !show.state().tokens.is_live(token, show.clock().now()) => Err(unauthorized()),
        Some(_) => Ok(next.run(request).await),
    }
}

/// The 401 for a token that is not valid.
pub(crate) fn unauthorized() -> ApiError {
    error("the access token is unknown, expired or revoked", "Bearer error=\"invalid_token\"")
}

fn error(message: &str, challenge: &'static str) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Returns the token of a request.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
