//! Routes: which path of a show's API leads where, and what stands before it.

use std::sync::Arc;
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

use crate::answer::{in_form, not_yet, wrong_method};
use crate::behavior::RetryAfter;
use crate::body::has_length;
use crate::collection::Resource;
use crate::exchange::{Host, Part};
use crate::fault::too_many_requests;
use crate::show::Show;
use crate::traffic::Traffic;
use crate::{bearer, booth, budget, bulk, catalog, collection, contract, order, token};

fn router(show: &Arc<Show>) -> Router {
    let api = Router::new()
        .merge(collection::routes(show, Resource::Customer))
        .merge(collection::routes(show, Resource::Warehouse))
        .merge(collection::routes(show, Resource::Attendee))
        .merge(bulk::routes(show))
        .merge(booth::routes(show))
        .merge(order::routes(show))
        .merge(catalog::routes(show))
        .fallback(not_yet)
        // The last one that is added is the first one that is asked.
        .layer(from_fn_with_state(show.clone(), contract::check))
        .layer(from_fn_with_state(show.clone(), budget::check))
        .layer(from_fn_with_state(show.clone(), bearer::check));
    Router::new()
        .route(token::PATH, post(token::answer).fallback(wrong_method))
        .with_state(show.clone())
        .fallback_service(api)
        // The exchange has bounded the body already.
        .layer(DefaultBodyLimit::disable())
        .layer(map_response_with_state(show.clone(), error_body))
        .layer(gzip(show.clone()))
}

async fn error_body(Context(show): Context<Arc<Show>>, answer: Response<Body>) -> Response<Body> {
    let form = show.state().behavior.error_body;
    in_form(answer, form)
}

fn gzip(show: Arc<Show>) -> CompressionLayer<impl Predicate> {
    let is_on = move |_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| show.state().behavior.gzip;
    // Whoever uses this crate may have turned on what else it can do.
    let layer = CompressionLayer::new().no_br().no_deflate().no_zstd().quality(CompressionLevel::Fastest);
    layer.compress_when(SizeAbove::new(1).and(is_on))
}

/// The API of a show, with its token endpoint.
pub(crate) struct Api {
    pub(crate) show: Arc<Show>,
    router: TowerToHyperService<Router>,
}

impl Api {
    pub(crate) fn new(show: Arc<Show>) -> Self {
        Self { router: TowerToHyperService::new(router(&show)), show }
    }
}

impl Host for Api {
    fn traffic(&self) -> &Traffic {
        &self.show.traffic
    }

    fn part(&self, uri: &Uri) -> Part {
        match uri.path() {
            token::PATH => Part::Token,
            _ => Part::Api,
        }
    }

    async fn process(&self, mut request: Request<Bytes>) -> Response<Body> {
        let (ignore_case, error_body) = {
            let behavior = &self.show.state().behavior;
            (behavior.ignore_path_case, behavior.error_body)
        };
        if let Err(refusal) = has_length(request.method(), request.headers()) {
            return in_form(refusal.into_response(), error_body);
        }
        *request.uri_mut() = normal(request.uri(), ignore_case);
        let Ok(answer) = self.router.call(request.map(Body::from)).await;
        answer
    }

    fn unauthorized(&self, part: Part) -> Response<Body> {
        match part {
            Part::Token => token::unauthorized(),
            _ => in_form(bearer::unauthorized().into_response(), self.show.state().behavior.error_body),
        }
    }

    fn too_many_requests(&self, wait: Duration, retry_after: RetryAfter) -> Response<Body> {
        let refusal = too_many_requests(wait, retry_after, self.show.clock().now());
        in_form(refusal.into_response(), self.show.state().behavior.error_body)
    }
}

/// The names in the paths, as the documents write them.
const NAMES: [&str; 10] =
    ["Customer", "Warehouse", "attendee", "Order", "BoothProduct", "Export", "v2", "customers", "vendors", "bulk"];

/// The path as the router knows it: names as documented where case does not count, ids untouched, and no slash at
/// the end, so that an empty id reaches the whole collection as it does on common servers.
fn normal(uri: &Uri, ignore_case: bool) -> Uri {
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
