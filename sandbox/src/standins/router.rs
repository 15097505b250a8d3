//! Routes the requests of a stand-in.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::server::{State, VendorServer};
use super::vendor::{Authorize, Call};
use super::{authorize, endpoint};
use crate::http::api_error::{ApiError, method_not_allowed, not_implemented};
use crate::http::bearer;
use crate::http::exchange::{ShowHost, status_response};
use crate::http::token::OAuthError;
use crate::show::behavior::RetryAfter;
use crate::show::faults::{EndpointKind, Fault};
use crate::show::rate_limiter::RateKey;
use crate::show::traffic::Traffic;

impl VendorServer {
    fn route<'a>(&self, path: &'a str) -> Route<'a> {
        if path == self.vendor.token_path {
            return Route::Token;
        }
        if let Some(authorize) = self.vendor.authorize.as_ref().filter(|authorize| path == authorize.path) {
            return Route::Authorize(authorize);
        }
        let call = path.strip_prefix(self.vendor.base).unwrap_or_default();
        match self.vendor.example.id(call) {
            Some(id) => Route::Example { id },
            None if self.vendor.example.id(&format!("{call}/")).is_some() => Route::WithoutFinalSlash,
            None => Route::Unknown,
        }
    }

    fn example(&self, id: &str, parts: &Parts, body: &Bytes) -> Response {
        let example = &self.vendor.example;
        if parts.uri.query().is_some() {
            let message = "the stand-in supports no query parameters for this call";
            return ApiError::new(StatusCode::NOT_IMPLEMENTED, "not_in_sandbox", message).into_response();
        }
        let rejected = (example.headers)(&parts.headers, &self.credentials).or_else(|| self.reject(&parts.headers));
        if let Some(response) = rejected {
            return response;
        }
        match (example.respond)(&Call { id, headers: &parts.headers, body }) {
            Err(error) => error.into_response(),
            Ok(body) => match self.state().behavior.example_response.clone() {
                None => Json(body).into_response(),
                Some(own) => status_response(200, &own.content_type, own.body, &[]).map(Body::from),
            },
        }
    }

    /// Rejects a call without a valid access token or beyond the rate limit.
    fn reject(&self, headers: &HeaderMap) -> Option<Response> {
        let State { behavior, tokens, rate_limiter, .. } = &mut *self.state();
        let now = self.traffic.clock.now();
        let unauthorized = self.vendor.example.unauthorized;
        match bearer::token(headers) {
            None => return Some(unauthorized("an access token is required")),
            Some(token) if !tokens.is_live(token, now) => {
                return Some(unauthorized("the access token is unknown, expired or revoked"));
            }
            Some(_) => {}
        }
        let free = rate_limiter.check(RateKey::Show, behavior.rate?, false, now).rejected_until?;
        let wait = (free - now).to_std().unwrap_or_default();
        Some(fault_response((self.vendor.too_many_requests)(wait, now)))
    }
}

/// Builds the response of a [`Fault::Status`].
fn fault_response(fault: Fault) -> Response {
    match fault {
        Fault::Status { code, content_type, body, headers } => {
            status_response(code, &content_type, body, &headers).map(Body::from)
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl ShowHost for VendorServer {
    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn endpoint_kind(&self, uri: &Uri) -> EndpointKind {
        match self.route(uri.path()) {
            Route::Token => EndpointKind::Token,
            Route::Authorize(_) => EndpointKind::Other,
            _ => EndpointKind::Api,
        }
    }

    async fn process(&self, request: Request<Bytes>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        match self.route(parts.uri.path()) {
            Route::Token if method == Method::POST => endpoint::respond(self, &parts, &body),
            Route::Authorize(authorize) if method == Method::GET => authorize::respond(self, authorize, &parts),
            Route::Example { id } if method == self.vendor.example.method => self.example(id, &parts, &body),
            Route::WithoutFinalSlash => {
                ApiError::new(StatusCode::NOT_FOUND, "not_found", "this path must end in a slash").into_response()
            }
            Route::Unknown => not_implemented(method, parts.uri).await.into_response(),
            _ => method_not_allowed(method, parts.uri).await.into_response(),
        }
    }

    fn unauthorized(&self, kind: EndpointKind) -> Response {
        match kind {
            EndpointKind::Token => {
                let error = OAuthError::new("invalid_client", "the client id or the secret is wrong");
                (self.vendor.error_response)(
                    &error.with_status(self.vendor.invalid_client_status),
                    self.traffic.clock.now(),
                )
            }
            _ => (self.vendor.example.unauthorized)("the access token is unknown, expired or revoked"),
        }
    }

    fn too_many_requests(&self, wait: Duration, _: RetryAfter) -> Response {
        fault_response((self.vendor.too_many_requests)(wait, self.traffic.clock.now()))
    }
}

/// The route of a path.
enum Route<'a> {
    Token,
    Authorize(&'static Authorize),
    Example { id: &'a str },
    WithoutFinalSlash,
    Unknown,
}
