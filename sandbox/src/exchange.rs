//! An exchange: one request from its arrival to its answer, through journal and faults.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use hyper::body::{Body as _, Incoming};

use crate::answer::Refusal;
use crate::fault::{Dropped, Fault, cut, half, slow, status_answer};
use crate::traffic::Traffic;

/// The longest body that is read, so that a broken client cannot eat the machine's memory.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What a server serves: one host or several, of which a request is for one.
pub(crate) trait House: Send + Sync + 'static {
    type Host: Host;

    /// The host that a request is for.
    fn host(&self, parts: &Parts, body: &[u8]) -> &Self::Host;

    /// Answers what is for no host, and leaves no trace.
    fn aside(&self, parts: &Parts, body: &Bytes) -> impl Future<Output = Option<Response<Body>>> + Send;
}

/// A host is a house of its own.
impl<H: Host> House for H {
    type Host = Self;

    fn host(&self, _: &Parts, _: &[u8]) -> &Self {
        self
    }

    async fn aside(&self, _: &Parts, _: &Bytes) -> Option<Response<Body>> {
        None
    }
}

/// Whom requests are for.
pub(crate) trait Host: Send + Sync + 'static {
    fn traffic(&self) -> &Traffic;

    fn part(&self, uri: &Uri) -> Part;

    fn process(&self, request: Request<Bytes>) -> impl Future<Output = Response<Body>> + Send;
}

/// Which part of a host a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Token,
    Api,
    /// Neither: no fault is ordered for it.
    Aside,
}

/// Answers a request; an error makes hyper close the connection without a word.
pub(crate) async fn run<H: House>(house: Arc<H>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), MAX_BODY).await else {
        // A client that broke off does not read this any more, so it can only be read by one that sent too much.
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(Refusal::new(status, "body_too_long", "at most 64 MiB are read").into_response());
    };
    if let Some(answer) = house.aside(&parts, &body).await {
        return Ok(answer);
    }
    let host = house.host(&parts, &body);
    let (number, fault) = host.traffic().arrive(host.part(&parts.uri), &parts, &body);
    let (answer, shown) = match fault {
        Some(Fault::DropConnection) => return Err(Dropped),
        Some(Fault::Status { code, ref content_type, ref body, ref headers }) => {
            whole(status_answer(code, content_type, body.clone(), headers))
        }
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            process(host, Request::from_parts(parts, body)).await?
        }
        _ => process(host, Request::from_parts(parts, body)).await?,
    };
    let is_dropped = matches!(fault, Some(Fault::DropAnswer));
    let status = Some(answer.status()).filter(|_| !is_dropped);
    host.traffic().answered(number, status, &shown);
    match fault {
        Some(Fault::DropAnswer) => Err(Dropped),
        Some(Fault::CutBody) => half(answer).await,
        Some(Fault::CutAfter(bytes)) => Ok(cut(answer, bytes)),
        Some(Fault::Slow { piece, pause }) => Ok(slow(answer, piece, pause)),
        Some(Fault::EmptyBody) => Ok(Response::new(Body::empty())),
        _ => Ok(answer),
    }
}

/// The answer, and its body for the journal: an answer of unknown length is passed on as it comes, and not kept.
async fn process(host: &impl Host, request: Request<Bytes>) -> Result<(Response<Body>, Bytes), Dropped> {
    let (parts, body) = host.process(request).await.into_parts();
    if body.size_hint().exact().is_none() {
        return Ok((Response::from_parts(parts, body), Bytes::new()));
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped)?;
    Ok(whole(Response::from_parts(parts, body)))
}

fn whole(answer: Response<Bytes>) -> (Response<Body>, Bytes) {
    let shown = answer.body().clone();
    (answer.map(Body::from), shown)
}
