//! The interactive page at `/docs`, and the document that it shows.

mod examples;
mod file;
mod node;
mod openapi;

use axum::Router;
use axum::extract::{Path, Query, State as Context};
use axum::http::header::{ACCEPT, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::state::SystemState;
use crate::http::api_error::{ApiError, method_not_allowed};
use file::File;

const PAGE: &str = "/docs";
const DOCUMENT: &str = "/openapi.json";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

static INDEX: File = File::plain(HTML, include_bytes!("../../../docs/index.html"));
static FILES: [(&str, File); 6] = [
    ("page.js", File::plain(SCRIPT, include_bytes!("../../../docs/page.js"))),
    ("page.css", File::plain(STYLE, include_bytes!("../../../docs/page.css"))),
    ("icon.svg", File::plain("image/svg+xml", include_bytes!("../../../docs/icon.svg"))),
    ("swagger-ui.js", File::gzip(SCRIPT, include_bytes!("../../../docs/swagger-ui/swagger-ui-bundle.js.gz"))),
    ("swagger-ui.css", File::gzip(STYLE, include_bytes!("../../../docs/swagger-ui/swagger-ui.css.gz"))),
    ("licences.txt", File::plain(TEXT, LICENCES.as_bytes())),
];
const LICENCES: &str = concat!(
    include_str!("../../../docs/swagger-ui/NOTICE"),
    "\n\n",
    include_str!("../../../docs/swagger-ui/LICENSE"),
    "\n\n",
    include_str!("../../../docs/swagger-ui/swagger-ui-bundle.js.LICENSE.txt"),
);

pub(crate) fn routes() -> Router<SystemState> {
    Router::new()
        .route("/", get(async || Redirect::to(PAGE)))
        .route(PAGE, get(async |headers: HeaderMap| INDEX.respond(&headers)).fallback(method_not_allowed))
        .route("/docs/", get(async || Redirect::to(PAGE)))
        .route("/docs/{file}", get(file).fallback(method_not_allowed))
        .route(DOCUMENT, get(document).fallback(method_not_allowed))
}

/// Returns true for a request to the page. The root redirects to it only in a browser.
pub(crate) fn handles(parts: &Parts) -> bool {
    match parts.uri.path() {
        PAGE | DOCUMENT => true,
        "/" => {
            let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
            parts.method == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
        }
        path => path.starts_with("/docs/"),
    }
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    file.map(|(_, file)| file.respond(&headers)).ok_or_else(|| ApiError::not_found("file", &name))
}

#[derive(Deserialize)]
struct Parameters {
    show: Option<String>,
}

async fn document(
    Context(state): Context<SystemState>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let body = openapi::served(state.show(parameters.show.as_deref())?, host)
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "document_broken", error.to_string()))?;
    let tag = file::tag(&body);
    Ok(file::respond(&headers, "application/json", &tag, body.into(), false))
}
