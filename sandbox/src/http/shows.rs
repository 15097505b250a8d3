//! Routes requests to the shows of one sandbox.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response};

use super::exchange::ShowRouter;
use super::middleware::bearer;
use super::router::ShowApi;
use super::system::{SystemRouter, SystemState};
use super::token::{Parameters, basic};
use crate::show::{Show, TOKEN_PATH};

pub(crate) struct Shows {
    apis: Vec<ShowApi>,
    system: SystemRouter,
}

impl Shows {
    /// Takes at least one show.
    pub(crate) fn new(shows: Arc<[Arc<Show>]>, remote: bool, has_admin: bool) -> Self {
        let apis = shows.iter().map(|show| ShowApi::new(show.clone())).collect();
        Self { apis, system: SystemRouter::new(SystemState::new(shows, remote), has_admin) }
    }
}

impl ShowRouter for Shows {
    type Host = ShowApi;

    /// A token request belongs to the show whose client id it names, an API call to the show that issued its token. The
    /// first show rejects the rest.
    fn host(&self, parts: &Parts, body: &[u8]) -> &ShowApi {
        let matches = |api: &&ShowApi| match parts.uri.path() {
            TOKEN_PATH => client_id(&parts.headers, body).as_deref() == Some(api.show.client_id()),
            _ => bearer::token(&parts.headers).is_some_and(|token| token.starts_with(&api.show.token_prefix)),
        };
        self.apis.iter().find(matches).unwrap_or(&self.apis[0])
    }

    async fn system(&self, parts: &Parts, body: &Bytes) -> Option<Response<Body>> {
        if !self.system.handles(parts) {
            return None;
        }
        Some(self.system.process(Request::from_parts(parts.clone(), body.clone())).await)
    }
}

/// Returns the client id of a token request from its header or its body.
fn client_id(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    match headers.get(AUTHORIZATION) {
        Some(header) => basic(header)?.split_once(':').map(|(id, _)| id.to_owned()),
        None => Parameters::parse(body).ok()?.get("client_id").map(str::to_owned),
    }
}
