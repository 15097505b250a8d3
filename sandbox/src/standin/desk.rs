//! The desk: everything that a stand-in knows, and which request goes where.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::behavior::StandInBehavior;
use super::codes::Codes;
use super::system::{Authorize, Call, System};
use super::{authorize, endpoint};
use crate::answer::{Refusal, not_yet, wrong_method};
use crate::bearer;
use crate::behavior::RetryAfter;
use crate::budget::{Account, Budget};
use crate::exchange::{Host, Part};
use crate::fault::{Fault, status_answer};
use crate::ledger::Ledger;
use crate::refused::Refused;
use crate::traffic::Traffic;

/// What a stand-in starts from.
pub(crate) struct Start {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uri: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) tenant_id: String,
    pub(crate) subscription_key: String,
}

pub(crate) struct Desk {
    pub(crate) system: &'static System,
    pub(crate) start: Start,
    pub(crate) traffic: Traffic,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) behavior: StandInBehavior,
    pub(crate) ledger: Ledger,
    pub(crate) codes: Codes,
    budget: Budget,
}

impl Desk {
    pub(crate) fn new(system: &'static System, start: Start, journal_cap: usize, behavior: StandInBehavior) -> Self {
        let state = State { behavior, ledger: Ledger::default(), codes: Codes::default(), budget: Budget::default() };
        let traffic = Traffic::new(&start.client_id, journal_cap);
        let desk = Self { system, start, traffic, state: Mutex::new(state) };
        desk.new_code();
        desk
    }

    /// The state. A panic of one request must not take the others down with it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_code(&self) -> String {
        let State { codes, behavior, .. } = &mut *self.state();
        codes.newest = codes.issue(&self.start.redirect_uri, None, behavior, self.traffic.clock.now());
        codes.newest.clone()
    }

    pub(crate) fn issue_token(&self) -> String {
        let State { ledger, behavior, .. } = &mut *self.state();
        let family = ledger.found();
        ledger.issue(family, &behavior.terms(), self.traffic.clock.now())
    }

    fn route<'a>(&self, path: &'a str) -> Route<'a> {
        if path == self.system.token_path {
            return Route::Token;
        }
        if let Some(authorize) = self.system.authorize.as_ref().filter(|authorize| path == authorize.path) {
            return Route::Authorize(authorize);
        }
        let call = path.strip_prefix(self.system.base).unwrap_or_default();
        match self.system.example.id(call) {
            Some(id) => Route::Example { id },
            None if self.system.example.id(&format!("{call}/")).is_some() => Route::ShortOfASlash,
            None => Route::Unknown,
        }
    }

    fn example(&self, id: &str, parts: &Parts, body: &Bytes) -> Response {
        let example = &self.system.example;
        if parts.uri.query().is_some() {
            let message = "query parameters of this call are not in the sandbox";
            return Refusal::new(StatusCode::NOT_IMPLEMENTED, "not_in_sandbox", message).into_response();
        }
        let refused = (example.headers)(&parts.headers, &self.start).or_else(|| self.refuse(&parts.headers));
        if let Some(refused) = refused {
            return refused;
        }
        match (example.answer)(&Call { id, headers: &parts.headers, body }) {
            Err(refusal) => refusal.into_response(),
            Ok(answer) => match self.state().behavior.example_answer.clone() {
                None => Json(answer).into_response(),
                Some(own) => status_answer(200, &own.content_type, own.body, &[]).map(Body::from),
            },
        }
    }

    /// Refuses a call without a live access token, or one too many.
    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let State { behavior, ledger, budget, .. } = &mut *self.state();
        let now = self.traffic.clock.now();
        let unauthorized = self.system.example.unauthorized;
        match bearer::token(headers) {
            None => return Some(unauthorized("an access token is needed")),
            Some(token) if !ledger.is_live(token, now) => {
                return Some(unauthorized("the access token is unknown, expired or revoked"));
            }
            Some(_) => {}
        }
        let free = budget.spend(Account::Show, behavior.rate?, false, now).refused_until?;
        let wait = (free - now).to_std().unwrap_or_default();
        Some(ordered((self.system.too_many_requests)(wait, now)))
    }
}

/// The answer of a [`Fault::Status`].
fn ordered(fault: Fault) -> Response {
    match fault {
        Fault::Status { code, content_type, body, headers } => {
            status_answer(code, &content_type, body, &headers).map(Body::from)
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Host for Desk {
    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn part(&self, uri: &Uri) -> Part {
        match self.route(uri.path()) {
            Route::Token => Part::Token,
            Route::Authorize(_) => Part::Aside,
            _ => Part::Api,
        }
    }

    async fn process(&self, request: Request<Bytes>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        match self.route(parts.uri.path()) {
            Route::Token if method == Method::POST => endpoint::answer(self, &parts, &body),
            Route::Authorize(authorize) if method == Method::GET => authorize::answer(self, authorize, &parts),
            Route::Example { id } if method == self.system.example.method => self.example(id, &parts, &body),
            Route::ShortOfASlash => {
                Refusal::new(StatusCode::NOT_FOUND, "not_found", "this path ends in a slash").into_response()
            }
            Route::Unknown => not_yet(method, parts.uri).await.into_response(),
            _ => wrong_method(method, parts.uri).await.into_response(),
        }
    }

    fn unauthorized(&self, part: Part) -> Response {
        match part {
            Part::Token => {
                let refused = Refused::new("invalid_client", "the client or its secret is not known");
                (self.system.refusal)(&refused.with_status(self.system.wrong_client), self.traffic.clock.now())
            }
            _ => (self.system.example.unauthorized)("the access token is unknown, expired or revoked"),
        }
    }

    fn too_many_requests(&self, wait: Duration, _: RetryAfter) -> Response {
        ordered((self.system.too_many_requests)(wait, self.traffic.clock.now()))
    }
}

/// Where a path leads.
enum Route<'a> {
    Token,
    Authorize(&'static Authorize),
    Example { id: &'a str },
    ShortOfASlash,
    Unknown,
}
