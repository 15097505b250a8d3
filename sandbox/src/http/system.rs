//! The system endpoints: health, documentation page and admin calls. They belong to no show, need no token, and are
//! neither recorded nor counted.

mod admin;
#[cfg(feature = "docs")]
mod docs;
mod state;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, Response};
#[cfg(feature = "docs")]
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::api_error::{method_not_allowed, not_implemented};
pub(crate) use state::SystemState;

/// Routes requests to the system endpoints.
pub(crate) struct SystemRouter {
    has_admin: bool,
    router: TowerToHyperService<Router>,
}

impl SystemRouter {
    pub(crate) fn new(state: SystemState, has_admin: bool) -> Self {
        let router = Router::new().route("/health", get(health).fallback(method_not_allowed));
        let router = if has_admin { router.merge(admin::routes(&state)) } else { router };
        #[cfg(feature = "docs")]
        let router = router.merge(docs::routes().layer(from_fn_with_state(state.clone(), admin::check_origin)));
        let router = router.fallback(not_implemented).with_state(state);
        Self { has_admin, router: TowerToHyperService::new(router) }
    }

    /// Returns true for a request to a system endpoint.
    pub(crate) fn handles(&self, parts: &Parts) -> bool {
        if self.has_admin && admin::handles(parts.uri.path()) {
            return true;
        }
        #[cfg(feature = "docs")]
        if docs::handles(parts) {
            return true;
        }
        // Without the page too, so that the response names the page and not a missing token.
        ["/health", "/docs"].contains(&parts.uri.path())
    }

    pub(crate) async fn process(&self, request: Request<Bytes>) -> Response<Body> {
        let Ok(response) = self.router.call(request.map(Body::from)).await;
        response
    }
}

/// Reports that the server runs, and its version.
async fn health(State(state): State<SystemState>) -> Json<Value> {
    let shows: Vec<&str> = state.shows.iter().map(|show| show.client_id()).collect();
    let server = "perenso-sandbox: a stand-in, not the Perenso service";
    Json(json!({ "status": "ok", "server": server, "version": env!("CARGO_PKG_VERSION"), "shows": shows }))
}
