//! A static file, with its entity tag, compression, and security headers.

use std::borrow::Cow;
use std::io::Read;
use std::sync::OnceLock;

use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::http::api_error::ApiError;

/// Allows this origin only. The style sheet of Swagger UI has `data:` images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) struct File {
    content_type: &'static str,
    content: &'static [u8],
    is_gzip: bool,
    tag: OnceLock<String>,
}

impl File {
    pub(super) const fn plain(content_type: &'static str, content: &'static [u8]) -> Self {
        Self { content_type, content, is_gzip: false, tag: OnceLock::new() }
    }

    /// A file that is stored compressed, since nearly every client accepts gzip.
    pub(super) const fn gzip(content_type: &'static str, content: &'static [u8]) -> Self {
        Self { content_type, content, is_gzip: true, tag: OnceLock::new() }
    }

    /// Responds to a request with these headers.
    pub(super) fn respond(&self, headers: &HeaderMap) -> Response {
        let tag = self.tag.get_or_init(|| tag(self.content));
        if !self.is_gzip || takes_gzip(headers) {
            return respond(headers, self.content_type, tag, self.content.into(), self.is_gzip);
        }
        let mut plain = Vec::new();
        match GzDecoder::new(self.content).read_to_end(&mut plain) {
            Ok(_) => respond(headers, self.content_type, &format!("plain-{tag}"), plain.into(), false),
            Err(error) => {
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "file_broken", error.to_string()).into_response()
            }
        }
    }
}

/// Responds with this content, or with 304 if the client has it.
pub(super) fn respond(
    headers: &HeaderMap,
    content_type: &'static str,
    tag: &str,
    body: Cow<'static, [u8]>,
    gzip: bool,
) -> Response {
    let tag = format!("\"{tag}\"");
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|value| {
        let value = value.trim();
        value == "*" || value.strip_prefix("W/").unwrap_or(value) == tag
    });
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = body.into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if gzip {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    let fixed: [(HeaderName, &'static str); 7] = [
        // Caches must revalidate: another version of the sandbox may run at this address.
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept-encoding, host"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let refused = parts.filter_map(|part| part.strip_prefix("q=")).any(|weight| weight.parse() == Ok(0.0_f32));
        is_gzip && !refused
    })
}

/// Returns the entity tag of this content.
pub(super) fn tag(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
