//! The lobby: what stands before all shows, needs no token, and leaves no trace in journal and budget.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

use crate::admin;
use crate::answer::{not_yet, wrong_method};
use crate::show::Show;
use crate::snapshot::Snapshot;

/// What a request to the lobby may look at and change.
#[derive(Clone)]
pub(crate) struct Lobby {
    /// The first one is meant where none is named.
    pub(crate) shows: Arc<[Arc<Show>]>,
    /// Whether other machines were let in.
    pub(crate) remote: bool,
    shelf: Arc<Mutex<Shelf>>,
}

/// The snapshots that have a name, by the id of their show and that name.
type Shelf = BTreeMap<(String, String), Snapshot>;

impl Lobby {
    pub(crate) fn new(shows: Arc<[Arc<Show>]>, remote: bool) -> Self {
        Self { shows, remote, shelf: Arc::default() }
    }

    /// The snapshots. A panic of one request must not take the others down with it.
    pub(crate) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves the paths that belong to no show.
pub(crate) struct Porter {
    has_admin: bool,
    router: TowerToHyperService<Router>,
}

impl Porter {
    pub(crate) fn new(lobby: Lobby, has_admin: bool) -> Self {
        let router = Router::new().route("/health", get(health).fallback(wrong_method));
        let router = if has_admin { router.merge(admin::routes(&lobby)) } else { router };
        #[cfg(feature = "docs")]
        let router = router.merge(crate::docs::routes().layer(from_fn_with_state(lobby.clone(), admin::check_origin)));
        let router = router.fallback(not_yet).with_state(lobby);
        Self { has_admin, router: TowerToHyperService::new(router) }
    }

    /// Whether a request is for no show.
    pub(crate) fn knows(&self, parts: &Parts) -> bool {
        if self.has_admin && admin::knows(parts.uri.path()) {
            return true;
        }
        #[cfg(feature = "docs")]
        if crate::docs::knows(parts) {
            return true;
        }
        // Without the page too, so that the answer names what is missing instead of a token.
        ["/health", "/docs"].contains(&parts.uri.path())
    }

    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Response<Body> {
        let Ok(answer) = self.router.call(request.map(Body::from)).await;
        answer
    }
}

/// The answer that says that the server runs, and what it is.
async fn health(State(lobby): State<Lobby>) -> Json<Value> {
    let shows: Vec<&str> = lobby.shows.iter().map(|show| show.client_id()).collect();
    let server = "perenso-sandbox: a stand-in, not the Perenso service";
    Json(json!({ "status": "ok", "server": server, "version": env!("CARGO_PKG_VERSION"), "shows": shows }))
}
