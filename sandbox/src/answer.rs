//! Answers of the API that are not data: one JSON shape for every refusal.

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::problem::Problem;

use crate::behavior::ErrorBody;

/// A refusal: `{"error": code, "message": text}`, and `"fields": [names]` where fields or parameters are to blame.
///
/// The vendor shows no error body at all: the shape is the sandbox's own, and [`ErrorBody`] has others.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    message: String,
    fields: Vec<String>,
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self { status, error, message: message.into(), fields: Vec::new(), header: None }
    }

    pub(crate) fn bad_request(error: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, message)
    }

    /// A query parameter that cannot be used.
    pub(crate) fn parameter(name: &str, message: &str) -> Self {
        Self::bad_request("invalid_parameter", format!("{name}: {message}")).naming([name.to_owned()])
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no {what} with the id {id:?}"))
    }

    pub(crate) fn naming(mut self, fields: impl IntoIterator<Item = String>) -> Self {
        self.fields = fields.into_iter().collect();
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let told = Told(self.message.clone());
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
        response.extensions_mut().insert(told);
        response
    }
}

/// What a refusal says: an extension of its answer.
#[derive(Clone)]
struct Told(String);

/// The answer with the body of a refusal in this form; one that is no refusal stays as it is.
pub(crate) fn in_form(mut answer: Response, form: ErrorBody) -> Response {
    let Some(Told(message)) = answer.extensions_mut().remove() else {
        return answer;
    };
    let (content_type, body) = match form {
        ErrorBody::Json => return answer,
        ErrorBody::Text => (Some("text/plain; charset=utf-8"), message),
        ErrorBody::Html => {
            let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            (Some("text/html; charset=utf-8"), format!("<!DOCTYPE html><html><body><p>{message}</p></body></html>"))
        }
        ErrorBody::Empty => (None, String::new()),
    };
    let headers = answer.headers_mut();
    headers.remove(CONTENT_LENGTH);
    match content_type {
        Some(content_type) => headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type)),
        None => headers.remove(CONTENT_TYPE),
    };
    answer.map(|_| Body::from(body))
}

/// The answer for what the real API may well do and the sandbox does not: never a made-up success.
pub(crate) async fn not_yet(method: Method, uri: Uri) -> Refusal {
    Refusal::new(
        StatusCode::NOT_IMPLEMENTED,
        "not_in_sandbox",
        format!("{method} {} is not in the sandbox yet; the real service may know it", uri.path()),
    )
}

/// The answer for a known path with a method that the vendor's documents do not show for it.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    refuse_method(&method, &uri)
}

pub(crate) fn refuse_method(method: &Method, uri: &Uri) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("{} does not take {method}", uri.path()))
}

/// The answer for a record that is JSON, and not one that the API takes.
pub(crate) fn unprocessable(problems: Vec<Problem>) -> Refusal {
    let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", messages.join("; "))
        .naming(problems.into_iter().map(|problem| problem.field))
}
