//! An exchange: one request from its arrival to its answer, through journal and faults.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;

use crate::answer::Refusal;
use crate::body::has_length;
use crate::fault::{Dropped, Fault, cut, status_answer};
use crate::route::{Part, normal};
use crate::show::Show;

/// The longest body that is read, so that a broken client cannot eat the machine's memory.
const MAX_BODY: usize = 64 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Exchange {
    show: Arc<Show>,
    router: TowerToHyperService<Router>,
}

impl Exchange {
    pub(crate) fn new(show: Arc<Show>, router: Router) -> Self {
        Self { show, router: TowerToHyperService::new(router) }
    }

    /// Answers a request; an error makes hyper close the connection without a word.
    pub(crate) async fn run(self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(Body::new(body), MAX_BODY).await else {
            // A client that broke off does not read this any more, so it can only be read by one that sent too much.
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(Refusal::new(status, "body_too_long", "at most 64 MiB are read").into_response());
        };
        let part = Part::of(&parts.uri);
        let (number, fault) = {
            let mut state = self.show.state();
            let number = state.journal.arrive(self.show.clock.now(), &parts, &body);
            let fault = match part {
                Part::Health => None,
                Part::Token => {
                    state.tokens.requests.count(&body);
                    state.token_faults.pop_front()
                }
                Part::Api => state.faults.pop_front(),
            };
            (number, fault)
        };
        let answer = match fault {
            Some(Fault::DropConnection) => return Err(Dropped),
            Some(Fault::Status { code, ref content_type, ref body, ref headers }) => {
                status_answer(code, content_type, body.clone(), headers)
            }
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                self.process(Request::from_parts(parts, body)).await?
            }
            _ => self.process(Request::from_parts(parts, body)).await?,
        };
        let is_dropped = matches!(fault, Some(Fault::DropAnswer));
        let status = Some(answer.status()).filter(|_| !is_dropped);
        self.show.state().journal.answered(number, status, answer.body());
        match fault {
            Some(Fault::DropAnswer) => Err(Dropped),
            Some(Fault::CutBody) => Ok(cut(answer)),
            Some(Fault::EmptyBody) => Ok(Response::new(Body::empty())),
            _ => Ok(answer.map(Body::from)),
        }
    }

    async fn process(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let answer = match has_length(request.method(), request.headers()) {
            Err(refusal) => refusal.into_response(),
            Ok(()) => {
                let ignore_case = self.show.state().behavior.ignore_path_case;
                *request.uri_mut() = normal(request.uri(), ignore_case);
                let Ok(answer) = self.router.call(request.map(Body::from)).await;
                answer
            }
        };
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped)?;
        Ok(Response::from_parts(parts, body))
    }
}
