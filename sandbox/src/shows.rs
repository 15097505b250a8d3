//! The shows of one sandbox: which of them a request is for.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response};

use crate::bearer;
use crate::exchange::House;
use crate::lobby::{Lobby, Porter};
use crate::parameters::{Parameters, basic};
use crate::route::Api;
use crate::show::Show;
use crate::token;

pub(crate) struct Shows {
    apis: Vec<Api>,
    porter: Porter,
}

impl Shows {
    /// Takes at least one show.
    pub(crate) fn new(shows: Arc<[Arc<Show>]>, remote: bool, has_admin: bool) -> Self {
        let apis = shows.iter().map(|show| Api::new(show.clone())).collect();
        Self { apis, porter: Porter::new(Lobby::new(shows, remote), has_admin) }
    }
}

impl House for Shows {
    type Host = Api;

    /// A token request is for the show whose id it names, a call for the show that handed out its token. What is for
    /// none is left to the first one, which refuses it.
    fn host(&self, parts: &Parts, body: &[u8]) -> &Api {
        let is_meant = |api: &&Api| match parts.uri.path() {
            token::PATH => client_id(&parts.headers, body).as_deref() == Some(api.show.client_id()),
            _ => bearer::token(&parts.headers).is_some_and(|token| token.starts_with(&api.show.tag)),
        };
        self.apis.iter().find(is_meant).unwrap_or(&self.apis[0])
    }

    async fn aside(&self, parts: &Parts, body: &Bytes) -> Option<Response<Body>> {
        if !self.porter.knows(parts) {
            return None;
        }
        Some(self.porter.answer(Request::from_parts(parts.clone(), body.clone())).await)
    }
}

/// The client id of a token request, wherever it stands.
fn client_id(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    match headers.get(AUTHORIZATION) {
        Some(header) => basic(header)?.split_once(':').map(|(id, _)| id.to_owned()),
        None => Parameters::read(body).ok()?.get("client_id").map(str::to_owned),
    }
}
