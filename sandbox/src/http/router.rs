//! The router of a show: its API and its token endpoint.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State as Context};
use axum::http::uri::PathAndQuery;
use axum::http::{Extensions, HeaderMap, Request, Response, StatusCode, Uri, Version};
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::IntoResponse;
use axum::routing::post;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::api_error::{method_not_allowed, not_implemented, with_error_body};
use super::body::require_length;
use super::exchange::ShowHost;
use super::middleware::{bearer, contract, rate_limit};
use super::retry_after::too_many_requests;
use super::{resources, token};
use crate::model::document::DOCUMENT;
use crate::show::behavior::RetryAfter;
use crate::show::faults::EndpointKind;
use crate::show::traffic::Traffic;
use crate::show::{Show, TOKEN_PATH};

fn router(show: &Arc<Show>) -> Router {
    let api = resources::routes(show)
        .fallback(not_implemented)
        // axum runs the layer that was added last first.
        .layer(from_fn_with_state(show.clone(), contract::check))
        .layer(from_fn_with_state(show.clone(), rate_limit::check))
        .layer(from_fn_with_state(show.clone(), bearer::check));
    Router::new()
        .route(TOKEN_PATH, post(token::issue).fallback(method_not_allowed))
        .with_state(show.clone())
        .fallback_service(api)
        // The exchange has already limited the body.
        .layer(DefaultBodyLimit::disable())
        .layer(map_response_with_state(show.clone(), error_body))
        .layer(gzip(show.clone()))
}

async fn error_body(Context(show): Context<Arc<Show>>, response: Response<Body>) -> Response<Body> {
    let error_body = show.state().behavior.error_body;
    with_error_body(response, error_body)
}

fn gzip(show: Arc<Show>) -> CompressionLayer<impl Predicate> {
    let is_on = move |_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| show.state().behavior.gzip;
    // A dependent crate may have enabled the other algorithms.
    let layer = CompressionLayer::new().no_br().no_deflate().no_zstd().quality(CompressionLevel::Fastest);
    layer.compress_when(SizeAbove::new(1).and(is_on))
}

/// Handles the requests of one show.
pub(crate) struct ShowApi {
    pub(crate) show: Arc<Show>,
    router: TowerToHyperService<Router>,
}

impl ShowApi {
    pub(crate) fn new(show: Arc<Show>) -> Self {
        Self { router: TowerToHyperService::new(router(&show)), show }
    }
}

impl ShowHost for ShowApi {
    fn traffic(&self) -> &Traffic {
        &self.show.traffic
    }

    fn endpoint_kind(&self, uri: &Uri) -> EndpointKind {
        match uri.path() {
            TOKEN_PATH => EndpointKind::Token,
            _ => EndpointKind::Api,
        }
    }

    async fn process(&self, mut request: Request<Bytes>) -> Response<Body> {
        let (ignore_case, error_body) = {
            let behavior = &self.show.state().behavior;
            (behavior.ignore_path_case, behavior.error_body)
        };
        if let Err(error) = require_length(request.method(), request.headers()) {
            return with_error_body(error.into_response(), error_body);
        }
        // A path of the sandbox's own document is spelled as it is there.
        let is_documented =
            self.show.has_own_document() && self.show.document().path_item(request.uri().path()).is_some();
        *request.uri_mut() = normalize(request.uri(), ignore_case && !is_documented);
        let Ok(response) = self.router.call(request.map(Body::from)).await;
        response
    }

    fn unauthorized(&self, kind: EndpointKind) -> Response<Body> {
        match kind {
            EndpointKind::Token => token::unauthorized(),
            _ => with_error_body(bearer::unauthorized().into_response(), self.show.state().behavior.error_body),
        }
    }

    fn too_many_requests(&self, wait: Duration, retry_after: RetryAfter) -> Response<Body> {
        let error = too_many_requests("a test ordered this 429", wait, retry_after, self.show.clock().now());
        with_error_body(error.into_response(), self.show.state().behavior.error_body)
    }
}

/// The names in the paths, in the spelling of the documents.
static NAMES: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| DOCUMENT.path_segments().into_iter().chain(resources::undocumented_path_segments()).collect());

/// Normalises a path: names in the documented spelling if case is ignored, ids unchanged, and no trailing slash, so that
/// an empty id reaches the collection, as on common servers.
fn normalize(uri: &Uri, ignore_case: bool) -> Uri {
    let mut segments: Vec<&str> = uri.path().split('/').collect();
    if segments.len() > 2 && segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    if ignore_case {
        let is_v2 = segments.get(1).is_some_and(|segment| segment.eq_ignore_ascii_case("v2"));
        let named = if is_v2 { segments.len() } else { 2 };
        for segment in segments.iter_mut().take(named) {
            if let Some(name) = NAMES.iter().find(|name| name.eq_ignore_ascii_case(segment)) {
                *segment = name;
            }
        }
    }
    let path = segments.join("/");
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(whole).ok();
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}
