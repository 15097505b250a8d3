//! The lobby: what stands before all shows, needs no token, and leaves no trace in journal and budget.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use axum::routing::get;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::answer::{health, not_yet, wrong_method};
use crate::show::Show;

/// What a request to the lobby may look at and change.
#[derive(Clone)]
pub(crate) struct Lobby {
    /// The first one is meant where none is named.
    #[allow(dead_code, reason = "for the admin calls")]
    pub(crate) shows: Arc<[Arc<Show>]>,
}

/// Serves the paths that belong to no show.
pub(crate) struct Porter(TowerToHyperService<Router>);

impl Porter {
    pub(crate) fn new(lobby: Lobby) -> Self {
        let router = Router::new().route("/health", get(health).fallback(wrong_method));
        #[cfg(feature = "docs")]
        let router = router.merge(crate::docs::routes());
        let router = router.fallback(not_yet).with_state(lobby);
        Self(TowerToHyperService::new(router))
    }

    /// Whether a request is for no show.
    pub(crate) fn knows(parts: &Parts) -> bool {
        #[cfg(feature = "docs")]
        if crate::docs::knows(parts) {
            return true;
        }
        // Without the page too, so that the answer names what is missing instead of a token.
        ["/health", "/docs"].contains(&parts.uri.path())
    }

    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Response<Body> {
        let Ok(answer) = self.0.call(request.map(Body::from)).await;
        answer
    }
}
