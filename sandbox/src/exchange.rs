//! An exchange: one request from its arrival to its answer, through journal and faults.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::DATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use hyper::body::{Body as _, Incoming};
use serde_json::json;

use crate::answer::Refusal;
use crate::behavior::RetryAfter;
use crate::clock::http_date;
use crate::fault::{Dropped, Fault, cut, half, slow, status_answer};
use crate::traffic::Traffic;

/// The longest body that is read, so that a broken client cannot eat the machine's memory.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The header by which a request orders a fault for itself.
const FAULT: &str = "sandbox-fault";

/// What stands in it, for who has written something else.
const FORMS: &str = concat!(
    r#"a fault is a status as `503`, a word as `cut_body`, or JSON as `{"status": 503, "body": "down"}`, "#,
    r#"`{"slow": {"piece": 1000, "pause": 0.1}}`, `{"too_many_requests": {"retry_after": 30}}`"#
);

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

    /// The answer for a token or a client that is not known.
    fn unauthorized(&self, part: Part) -> Response<Body>;

    /// The answer for one call too many.
    fn too_many_requests(&self, wait: Duration, retry_after: RetryAfter) -> Response<Body>;
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
    let body = match to_bytes(Body::new(body), MAX_BODY).await {
        Ok(body) => body,
        Err(error) => return Ok(unread(&error).into_response()),
    };
    if let Some(answer) = house.aside(&parts, &body).await {
        return Ok(answer);
    }
    let host = house.host(&parts, &body);
    let part = host.part(&parts.uri);
    let (number, fault) = host.traffic().arrive(part, &parts, &body, own_fault(&parts.headers));
    let (mut answer, shown) = match fault {
        Some(Fault::DropConnection) => return Err(Dropped::Closed),
        Some(Fault::Reset) => return Err(Dropped::Reset),
        Some(Fault::Status { code, ref content_type, ref body, ref headers }) => {
            whole(status_answer(code, content_type, body.clone(), headers))
        }
        Some(Fault::Unauthorized) => kept(host.unauthorized(part)).await?,
        Some(Fault::TooManyRequests { wait, retry_after }) => kept(host.too_many_requests(wait, retry_after)).await?,
        Some(Fault::Delay(time)) => {
            let house = house.clone();
            // A client that gives up meanwhile does not stop it, as it would not stop a real server.
            let processed = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                let host = house.host(&parts, &body);
                host.process(Request::from_parts(parts, body)).await
            });
            kept(processed.await.map_err(|_| Dropped::Closed)?).await?
        }
        _ => kept(host.process(Request::from_parts(parts, body)).await).await?,
    };
    // Its clock may be ahead, and a date in `Retry-After` is read against this one.
    if let Some(date) = http_date(host.traffic().clock.now()) {
        answer.headers_mut().entry(DATE).or_insert(date);
    }
    let is_lost = matches!(fault, Some(Fault::DropAnswer | Fault::ResetAnswer));
    let status = Some(answer.status()).filter(|_| !is_lost);
    host.traffic().answered(number, status, answer.headers(), &shown);
    match fault {
        Some(Fault::DropAnswer) => Err(Dropped::Closed),
        Some(Fault::ResetAnswer) => Err(Dropped::Reset),
        Some(Fault::CutBody) => half(answer).await,
        Some(Fault::CutAfter(bytes)) => Ok(cut(answer, bytes)),
        Some(Fault::Slow { piece, pause }) => Ok(slow(answer, piece, pause)),
        // A refusal stays one: it must not look like a success.
        Some(Fault::EmptyBody) if answer.status().is_success() => Ok(Response::new(Body::empty())),
        _ => Ok(answer),
    }
}

/// The refusal of a body that could not be read. A client that broke off does not read it any more.
fn unread(error: &axum::Error) -> Refusal {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<hyper::Error>() {
            return Refusal::bad_request("broken_body", "the body does not come as its head announces it");
        }
        cause = error.source();
    }
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", "at most 64 MiB are read")
}

/// What a request orders for itself; what cannot be read is answered by a 400 that says why.
fn own_fault(headers: &HeaderMap) -> Option<Fault> {
    let text = String::from_utf8_lossy(headers.get(FAULT)?.as_bytes());
    Some(Fault::read(&text).unwrap_or_else(|error| {
        let body = json!({ "error": "invalid_fault", "message": format!("{FAULT}: {error}; {FORMS}") });
        Fault::answer(400, "application/json", body.to_string().into_bytes())
    }))
}

/// The answer, and its body for the journal: an answer of unknown length is passed on as it comes, and not kept.
async fn kept(answer: Response<Body>) -> Result<(Response<Body>, Bytes), Dropped> {
    let (parts, body) = answer.into_parts();
    if body.size_hint().exact().is_none() {
        return Ok((Response::from_parts(parts, body), Bytes::new()));
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped::Closed)?;
    Ok(whole(Response::from_parts(parts, body)))
}

fn whole(answer: Response<Bytes>) -> (Response<Body>, Bytes) {
    let shown = answer.body().clone();
    (answer.map(Body::from), shown)
}
