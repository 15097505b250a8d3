//! The interactive page at `/docs`, the document that it shows, and the headers both go out with.

mod examples;
mod openapi;

use std::borrow::Cow;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use axum::extract::{Path, Query, State as Context};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::answer::{Refusal, wrong_method};
use crate::lobby::Lobby;
use crate::show::Show;

const PAGE: &str = "/docs";
const DOCUMENT: &str = "/openapi.json";

/// Everything comes from here and goes here. Images in the style sheet of Swagger UI are `data:` addresses.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Lobby> {
    Router::new()
        .route("/", get(async || Redirect::to(PAGE)))
        .route(PAGE, get(page).fallback(wrong_method))
        .route("/docs/", get(async || Redirect::to(PAGE)))
        .route("/docs/{file}", get(file).fallback(wrong_method))
        .route(DOCUMENT, get(document).fallback(wrong_method))
        .route("/sandbox/token", post(token))
}

/// Whether a request is for the page; the root is only for a browser that a person has opened.
pub(crate) fn knows(parts: &Parts) -> bool {
    match parts.uri.path() {
        PAGE | DOCUMENT | "/sandbox/token" => true,
        "/" => {
            let accept = parts.headers.get(axum::http::header::ACCEPT).and_then(|accept| accept.to_str().ok());
            parts.method == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
        }
        path => path.starts_with("/docs/"),
    }
}

struct File {
    name: &'static str,
    content_type: &'static str,
    content: Content,
    tag: OnceLock<String>,
}

enum Content {
    Plain(&'static [u8]),
    /// Compressed, as most browsers take it.
    Gzip(&'static [u8]),
}

const fn file_of(name: &'static str, content_type: &'static str, content: Content) -> File {
    File { name, content_type, content, tag: OnceLock::new() }
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

static INDEX: File = file_of("", HTML, Content::Plain(include_bytes!("../docs/index.html")));
static FILES: [File; 6] = [
    file_of("page.js", SCRIPT, Content::Plain(include_bytes!("../docs/page.js"))),
    file_of("page.css", STYLE, Content::Plain(include_bytes!("../docs/page.css"))),
    file_of("icon.svg", "image/svg+xml", Content::Plain(include_bytes!("../docs/icon.svg"))),
    file_of("swagger-ui.js", SCRIPT, Content::Gzip(include_bytes!("../docs/swagger-ui/swagger-ui-bundle.js.gz"))),
    file_of("swagger-ui.css", STYLE, Content::Gzip(include_bytes!("../docs/swagger-ui/swagger-ui.css.gz"))),
    file_of("licences.txt", TEXT, Content::Plain(LICENCES.as_bytes())),
];
const LICENCES: &str = concat!(
    include_str!("../docs/swagger-ui/NOTICE"),
    "\n\n",
    include_str!("../docs/swagger-ui/LICENSE"),
    "\n\n",
    include_str!("../docs/swagger-ui/swagger-ui-bundle.js.LICENSE.txt"),
);

async fn page(headers: HeaderMap) -> Response {
    INDEX.answer(&headers)
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let file = FILES.iter().find(|file| file.name == name);
    file.map(|file| file.answer(&headers)).ok_or_else(|| Refusal::not_found("file", &name))
}

async fn token(Context(lobby): Context<Lobby>, Query(wanted): Query<Wanted>) -> Result<Response, Refusal> {
    let show = show(&lobby, &wanted)?;
    let lifetime = show.behavior().token_lifetime.as_secs();
    Ok(Json(json!({ "access_token": show.issue_token(), "expires_in": lifetime })).into_response())
}

#[derive(Deserialize)]
struct Wanted {
    show: Option<String>,
}

fn show<'a>(lobby: &'a Lobby, wanted: &Wanted) -> Result<&'a Show, Refusal> {
    let show = match &wanted.show {
        None => lobby.shows.first(),
        Some(id) => lobby.shows.iter().find(|show| show.client_id() == id),
    };
    show.map(Arc::as_ref).ok_or_else(|| Refusal::not_found("show", wanted.show.as_deref().unwrap_or_default()))
}

async fn document(
    Context(lobby): Context<Lobby>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let show = show(&lobby, &wanted)?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let body = openapi::served(show, host)
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "document_broken", error.to_string()))?;
    let tag = tag(&body);
    Ok(answer(&headers, "application/json", &tag, body.into(), false))
}

impl File {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let (stored, may_gzip) = match self.content {
            Content::Plain(stored) => (stored, false),
            Content::Gzip(stored) => (stored, takes_gzip(headers)),
        };
        let tag = self.tag.get_or_init(|| tag(stored));
        match self.content {
            Content::Gzip(stored) if !may_gzip => {
                let mut plain = Vec::new();
                if let Err(error) = GzDecoder::new(stored).read_to_end(&mut plain) {
                    let message = format!("{} is not valid gzip: {error}", self.name);
                    return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "file_broken", message).into_response();
                }
                answer(headers, self.content_type, &format!("plain-{tag}"), plain.into(), false)
            }
            _ => answer(headers, self.content_type, tag, stored.into(), may_gzip),
        }
    }
}

fn answer(
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
        // Kept, and asked for again each time: another version of the sandbox may be there.
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

fn tag(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
