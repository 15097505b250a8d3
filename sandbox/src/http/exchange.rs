//! An exchange: one request and its response, with journal and faults.

mod damage;
mod fault_response;

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

use super::api_error::ApiError;
use super::retry_after::http_date;
use super::token::grant_type;
use crate::show::behavior::RetryAfter;
use crate::show::faults::{EndpointKind, Fault};
use crate::show::headers::Headers;
use crate::show::journal;
use crate::show::traffic::Traffic;
pub(crate) use damage::Dropped;
use damage::{cut_after, cut_in_half, slow_down};
pub(crate) use fault_response::status_response;

/// The maximum length of a request body, so that a faulty client cannot exhaust the memory.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The header that requests a fault.
const FAULT: &str = "sandbox-fault";

/// The accepted values of that header, for the 400 about an invalid one.
const FAULT_SYNTAX: &str = concat!(
    r#"a fault is a status as `503`, a word as `cut_body`, or JSON as `{"status": 503, "body": "down"}`, "#,
    r#"`{"slow": {"piece": 1000, "pause": 0.1}}`, `{"too_many_requests": {"retry_after": 30}}`"#
);

/// Finds the host of a request: a show, or the server of another vendor.
pub(crate) trait ShowRouter: Send + Sync + 'static {
    type Host: ShowHost;

    /// Returns the host of a request.
    fn host(&self, parts: &Parts, body: &[u8]) -> &Self::Host;

    /// Handles a request that belongs to no host. It is not recorded.
    fn system(&self, parts: &Parts, body: &Bytes) -> impl Future<Output = Option<Response<Body>>> + Send;
}

/// A single host needs no routing.
impl<H: ShowHost> ShowRouter for H {
    type Host = Self;

    fn host(&self, _: &Parts, _: &[u8]) -> &Self {
        self
    }

    async fn system(&self, _: &Parts, _: &Bytes) -> Option<Response<Body>> {
        None
    }
}

/// Handles the requests of one show or stand-in.
pub(crate) trait ShowHost: Send + Sync + 'static {
    fn traffic(&self) -> &Traffic;

    fn endpoint_kind(&self, uri: &Uri) -> EndpointKind;

    fn process(&self, request: Request<Bytes>) -> impl Future<Output = Response<Body>> + Send;

    /// Returns the response to an unknown token or client.
    fn unauthorized(&self, kind: EndpointKind) -> Response<Body>;

    /// Returns the response to a call beyond the rate limit.
    fn too_many_requests(&self, wait: Duration, retry_after: RetryAfter) -> Response<Body>;
}

/// Handles a request. An error makes hyper close the connection without a response.
pub(crate) async fn run<R: ShowRouter>(router: Arc<R>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = match to_bytes(Body::new(body), MAX_BODY).await {
        Ok(body) => body,
        Err(error) => return Ok(unreadable(&error).into_response()),
    };
    if let Some(response) = router.system(&parts, &body).await {
        return Ok(response);
    }
    let host = router.host(&parts, &body);
    let kind = host.endpoint_kind(&parts.uri);
    let (number, fault) = record_request(host.traffic(), kind, &parts, &body);
    let (mut response, recorded) = match fault {
        Some(Fault::DropConnection) => return Err(Dropped::Closed),
        Some(Fault::Reset) => return Err(Dropped::Reset),
        Some(Fault::Status { code, ref content_type, ref body, ref headers }) => {
            split(status_response(code, content_type, body.clone(), headers))
        }
        Some(Fault::Unauthorized) => buffer(host.unauthorized(kind)).await?,
        Some(Fault::TooManyRequests { wait, retry_after }) => buffer(host.too_many_requests(wait, retry_after)).await?,
        Some(Fault::Delay(delay)) => {
            let router = router.clone();
            // A spawned task goes on if the client gives up, as a real server does.
            let processed = tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let host = router.host(&parts, &body);
                host.process(Request::from_parts(parts, body)).await
            });
            buffer(processed.await.map_err(|_| Dropped::Closed)?).await?
        }
        _ => buffer(host.process(Request::from_parts(parts, body)).await).await?,
    };
    // The clock may be ahead, and clients compare a date in `Retry-After` with this one.
    if let Some(date) = http_date(host.traffic().clock.now()) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    let is_lost = matches!(fault, Some(Fault::DropResponse | Fault::ResetResponse));
    let status = Some(response.status().as_u16()).filter(|_| !is_lost);
    host.traffic().record_response(number, status, headers(response.headers()), &recorded);
    match fault {
        Some(Fault::DropResponse) => Err(Dropped::Closed),
        Some(Fault::ResetResponse) => Err(Dropped::Reset),
        Some(Fault::CutBody) => cut_in_half(response).await,
        Some(Fault::CutAfter(bytes)) => Ok(cut_after(response, bytes)),
        Some(Fault::Slow { piece, pause }) => Ok(slow_down(response, piece, pause)),
        // An error stays an error, since it must not look like a success.
        Some(Fault::EmptyBody) if response.status().is_success() => Ok(Response::new(Body::empty())),
        Some(
            Fault::Status { .. }
            | Fault::Unauthorized
            | Fault::TooManyRequests { .. }
            | Fault::Delay(_)
            | Fault::EmptyBody
            | Fault::DropConnection
            | Fault::Reset,
        )
        | None => Ok(response),
    }
}

fn record_request(traffic: &Traffic, kind: EndpointKind, parts: &Parts, body: &Bytes) -> (u64, Option<Fault>) {
    let is_token = kind == EndpointKind::Token;
    let grant_type = is_token.then(|| grant_type(&parts.headers, body)).flatten();
    let request = journal::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: headers(&parts.headers),
        body,
    };
    traffic.record_request(kind, request, grant_type.as_deref(), requested_fault(&parts.headers))
}

/// Returns the headers as data. Bytes that are not UTF-8 are replaced.
fn headers(headers: &HeaderMap) -> Headers {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(header).collect()
}

/// The response to a body that cannot be read. A client that closed the connection does not receive it.
fn unreadable(error: &axum::Error) -> ApiError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<hyper::Error>() {
            return ApiError::bad_request("broken_body", "the body is shorter than its headers announce");
        }
        cause = error.source();
    }
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_long", "the body is longer than 64 MiB")
}

/// Returns the fault that the request asks for. An invalid one becomes a 400 with the reason.
fn requested_fault(headers: &HeaderMap) -> Option<Fault> {
    let text = String::from_utf8_lossy(headers.get(FAULT)?.as_bytes());
    Some(Fault::parse(&text).unwrap_or_else(|error| {
        let message = format!("{FAULT}: {error}; {FAULT_SYNTAX}");
        let body = json!({ "error": "invalid_fault", "message": message });
        Fault::response(400, "application/json", body.to_string().into_bytes())
    }))
}

/// Reads a body of known length, and returns it for the journal. A stream is passed on and not recorded.
async fn buffer(response: Response<Body>) -> Result<(Response<Body>, Bytes), Dropped> {
    let (parts, body) = response.into_parts();
    if body.size_hint().exact().is_none() {
        return Ok((Response::from_parts(parts, body), Bytes::new()));
    }
    let body = to_bytes(body, usize::MAX).await.map_err(|_| Dropped::Closed)?;
    Ok(split(Response::from_parts(parts, body)))
}

fn split(response: Response<Bytes>) -> (Response<Body>, Bytes) {
    let body = response.body().clone();
    (response.map(Body::from), body)
}
