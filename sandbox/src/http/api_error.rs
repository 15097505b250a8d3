//! Error responses of the API, all of one JSON shape.

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::model::document::Problem;
use crate::show::behavior::ErrorBody;

/// An error response: `{"error": code, "message": text}`, and `"fields": [names]` if it is about fields or parameters.
///
/// The vendor documents no error body. The shape is the sandbox's own, and [`ErrorBody`] has others.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    error: &'static str,
    message: String,
    fields: Vec<String>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), fields: Vec::new(), header: None }
    }

    pub(crate) fn bad_request(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, message)
    }

    /// A 400 for a query parameter.
    pub(crate) fn parameter(name: &str, message: &str) -> Self {
        Self::bad_request("invalid_parameter", format!("{name}: {message}")).with_fields([name.to_owned()])
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} with the id {id:?}"))
    }

    pub(crate) fn with_fields(mut self, fields: impl IntoIterator<Item = String>) -> Self {
        self.fields = fields.into_iter().collect();
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let message = ErrorMessage(self.message.clone());
        let mut body = Map::new();
        body.insert("error".into(), self.error.into());
        body.insert("message".into(), self.message.into());
        if !self.fields.is_empty() {
            body.insert("fields".into(), self.fields.into());
        }
        let mut response = (self.status, Json(Value::Object(body))).into_response();
        if let Some(header) = self.header {
            response.headers_mut().insert(header.0, header.1);
        }
        response.extensions_mut().insert(message);
        response
    }
}

/// The message of a error, as an extension of its response.
#[derive(Clone)]
struct ErrorMessage(String);

/// Rewrites the body of a error. Other responses are returned unchanged.
pub(crate) fn with_error_body(mut response: Response, body: ErrorBody) -> Response {
    let Some(ErrorMessage(message)) = response.extensions_mut().remove() else {
        return response;
    };
    let (content_type, body) = match body {
        ErrorBody::Json => return response,
        ErrorBody::Text => (Some("text/plain; charset=utf-8"), message),
        ErrorBody::Html => {
            let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            (Some("text/html; charset=utf-8"), format!("<!DOCTYPE html><html><body><p>{message}</p></body></html>"))
        }
        ErrorBody::Empty => (None, String::new()),
    };
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    match content_type {
        Some(content_type) => headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type)),
        None => headers.remove(CONTENT_TYPE),
    };
    response.map(|_| Body::from(body))
}

/// The 501 for a call that the real API may have and the sandbox does not.
pub(crate) async fn not_implemented(method: Method, uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "not_in_sandbox",
        format!("the sandbox does not support {method} {}; the real service may", uri.path()),
    )
}

/// The 405 for a method that the vendor's documents do not show for this path.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    wrong_method(&method, &uri)
}

pub(crate) fn wrong_method(method: &Method, uri: &Uri) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{} does not support {method}", uri.path()),
    )
}

/// The 422 for a JSON record that the API rejects.
pub(crate) fn unprocessable(problems: Vec<Problem>) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", Problem::join(&problems))
        .with_fields(problems.into_iter().map(|problem| problem.field))
}
