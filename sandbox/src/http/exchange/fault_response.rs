//! The response of a fault that replaces the real one.

use axum::body::Bytes;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};

/// Builds the response of a [`Fault::Status`](crate::Fault::Status).
pub(crate) fn status_response(
    code: u16,
    content_type: &str,
    body: Vec<u8>,
    headers: &[(String, String)],
) -> Response<Bytes> {
    build(code, content_type, body, headers).unwrap_or_else(|| {
        let mut response = Response::new(Bytes::from_static(b"the response of this fault is not valid HTTP"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn build(code: u16, content_type: &str, body: Vec<u8>, headers: &[(String, String)]) -> Option<Response<Bytes>> {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Bytes::from(body));
    // A 1xx is not a final response, and hyper does not send it as one.
    *response.status_mut() = StatusCode::from_u16(code).ok().filter(|code| !code.is_informational())?;
    if !content_type.is_empty() {
        let value = HeaderValue::from_str(content_type).ok()?;
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
    for (name, value) in headers {
        let name = HeaderName::try_from(name).ok()?;
        let value = HeaderValue::from_str(value).ok()?;
        // hyper trusts this header, or panics in a debug build.
        if name == CONTENT_LENGTH && value != length {
            return None;
        }
        response.headers_mut().append(name, value);
    }
    Some(response)
}
