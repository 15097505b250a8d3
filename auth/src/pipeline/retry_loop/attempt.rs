//! One attempt of a call: its request, and its response or error.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use reqwest::Request;

use super::RetryLoop;
use crate::{
    clock::within,
    oauth::token::Token,
    pipeline::{
        error::{Error, ErrorKind},
        outcome::AttemptOutcome,
        problem_details::{ProblemDetails, names_of_request},
        response::Body,
    },
    wire::{body::IncomingBody, connection::Cause, retry_after::retry_after, transport::location},
};

/// The timeout for the body of an error response, whose status is what counts.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// The response to an attempt.
pub(crate) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// The reason why an attempt has no successful response.
pub(super) enum Failure {
    Refused(Refusal),
    Failed(Error),
}

/// An error response, with at most 64 KiB of its body.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    unknown_coding: Option<String>,
}

impl RetryLoop<'_> {
    /// Sends the request once.
    pub(super) async fn send(
        &mut self,
        token: &Arc<Token>,
    ) -> Result<(AttemptOutcome, Result<Received, Failure>), Error> {
        let left = self.left();
        if left.is_zero() {
            return Err(self.out_of_time());
        }
        let limit = self.attempt.min(left);
        let sent = self.client.http.execute(self.take_request(token)?);
        let response = match within(self.client.clock.as_ref(), limit, sent).await {
            Some(Ok(response)) => response,
            Some(Err(source)) if source.is_builder() => {
                self.context.attempts -= 1;
                return Err(self.unsendable(source));
            }
            Some(Err(source)) => {
                let (outcome, error) = self.unanswered(source);
                return Ok((outcome, Err(Failure::Failed(error))));
            }
            None => {
                let detail = if left <= self.attempt {
                    self.too_late()
                } else {
                    format!("no response within {limit:?} (`Timeouts::attempt`)")
                };
                let outcome = AttemptOutcome::TimedOut;
                return Ok((outcome, Err(Failure::Failed(self.failed(outcome, ErrorKind::Timeout, detail, None)))));
            }
        };
        let status = response.status();
        let (headers, mut body) = IncomingBody::of(response);
        let outcome = AttemptOutcome::Responded(status);
        if !status.is_success() {
            return Ok((outcome, Err(Failure::Refused(Box::pin(self.read_refusal(status, headers, body)).await))));
        }
        self.context.may_have_written |= outcome.may_have_written(self.idempotency);
        if !self.buffered {
            return Ok((outcome, Ok(Received { status, headers, body: Body::Incoming(Box::new(body)) })));
        }
        match self.context.collect(&mut body).await {
            Ok(body) => Ok((outcome, Ok(Received { status, headers, body: Body::Whole(body) }))),
            Err(failure) => {
                let error = self.context.broken(failure, status, &headers);
                // Another attempt would fail in the same way.
                let is_final = matches!(error.kind(), ErrorKind::TooLarge | ErrorKind::Decode);
                Ok((if is_final { outcome } else { AttemptOutcome::Broken }, Err(Failure::Failed(error))))
            }
        }
    }

    /// Returns the request of this attempt with its token, and keeps one for the next.
    fn take_request(&mut self, token: &Arc<Token>) -> Result<Request, Error> {
        let copy = self.request.as_ref().and_then(|kept| match kept.body() {
            None if self.is_plain => Some(copy_of_plain(kept)),
            _ => kept.try_clone(),
        });
        // A stream has no copy.
        let Some(mut request) = copy.or_else(|| self.request.take()) else {
            return Err(self.context.error(ErrorKind::Request, "the body is a stream and was sent already"));
        };
        request.headers_mut().insert(&self.client.authorization_header, token.header());
        self.context.secrets.token = Some(Arc::clone(token));
        self.context.attempts += 1;
        Ok(request)
    }

    /// Returns the outcome and the error of an attempt without a response.
    fn unanswered(&self, source: reqwest::Error) -> (AttemptOutcome, Error) {
        let cause = Cause::of(&source);
        let (outcome, kind, what) = match cause {
            _ if cause.is_final() => {
                (AttemptOutcome::NotConnectable, ErrorKind::Connect, "no connection could be made")
            }
            _ if source.is_connect() => {
                (AttemptOutcome::NotConnected, ErrorKind::Connect, "no connection could be made")
            }
            Cause::Timeout => (AttemptOutcome::TimedOut, ErrorKind::Timeout, "no response"),
            Cause::Head => (AttemptOutcome::Broken, ErrorKind::Broken, "the response cannot be read"),
            _ => (AttemptOutcome::Broken, ErrorKind::Broken, "the connection broke before the response arrived"),
        };
        let detail = format!("{what}{}", cause.detail(&source));
        let error = self.failed(outcome, kind, detail, Some(source));
        (outcome, error.with(|inner| inner.is_permanent = cause.is_permanent()))
    }

    async fn read_refusal(&self, status: StatusCode, headers: HeaderMap, mut body: IncomingBody) -> Refusal {
        let timeout = ERROR_BODY_TIMEOUT.min(self.left());
        let (body, unknown_coding) = self.context.collect_part(&mut body, timeout).await;
        Refusal { status, headers, body, unknown_coding }
    }

    pub(super) fn refused(&self, refusal: Refusal) -> Error {
        let Refusal { status, headers, body, unknown_coding } = refusal;
        let throttle = self.client.throttle.as_ref().filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
        let wall = self.client.clock.wall();
        let asked = retry_after(&headers, wall).or_else(|| throttle.map(|throttle| throttle.cooldown(&body, wall)));
        let (kind, detail) = if status.is_redirection() {
            let to = self.context.secrets.redact(&location(&headers, &self.client.api_url));
            (ErrorKind::Redirect, format!("the API redirects ({}) to {to}; no redirect is followed", status.as_u16()))
        } else if status == StatusCode::TOO_MANY_REQUESTS {
            let asked = asked.map_or(String::new(), |asked| format!(", to be retried after {} s", asked.as_secs()));
            (ErrorKind::RateLimited, format!("the API responded with 429{asked}"))
        } else {
            let reason = status.canonical_reason().map_or(String::new(), |reason| format!(" {reason}"));
            let names = names_in(&body, self.request.as_ref());
            let hint = match (unknown_coding, &names[..]) {
                (Some(coding), _) => format!("; its body has the unsupported content coding `{coding}`"),
                (None, []) if body.is_empty() => String::new(),
                (None, []) => "; the response body may say why".to_owned(),
                (None, names) => format!("; it names `{}`, and the response body may say why", names.join("`, `")),
            };
            (ErrorKind::Status, format!("the API responded with {}{reason}{hint}", status.as_u16()))
        };
        self.context.error(kind, detail).with(|inner| {
            inner.status = Some(status);
            inner.request_id = self.context.request_id(&headers);
            inner.retry_after = asked;
            inner.body = Some(body);
        })
    }

    fn failed(
        &self,
        outcome: AttemptOutcome,
        kind: ErrorKind,
        detail: String,
        source: Option<reqwest::Error>,
    ) -> Error {
        let may_have_written = self.context.may_have_written || outcome.may_have_written(self.idempotency);
        self.context.error(kind, detail).with(|inner| {
            inner.may_have_written = may_have_written;
            inner.source = source.map(|source| Arc::new(source.without_url()) as _);
        })
    }

    fn unsendable(&self, source: reqwest::Error) -> Error {
        self.failed(
            AttemptOutcome::NotConnected,
            ErrorKind::Request,
            "the request cannot be sent".to_owned(),
            Some(source),
        )
    }
}

/// Copies a request without a body. `Request::try_clone` allocates for extensions, which a plain one does not have.
fn copy_of_plain(kept: &Request) -> Request {
    /// The headers that are added: `Authorization` here, `Accept`, `User-Agent` and `Host` below.
    const ROOM: usize = 4;
    let mut headers = HeaderMap::with_capacity(kept.headers().len() + ROOM);
    for (name, value) in kept.headers() {
        headers.append(name, value.clone());
    }
    let mut copy = Request::new(kept.method().clone(), kept.url().clone());
    *copy.headers_mut() = headers;
    copy
}

/// Returns the names of fields and parameters in the body of an error response that an error may show.
fn names_in(body: &[u8], request: Option<&Request>) -> Vec<String> {
    let Some(problem) = ProblemDetails::read(body).filter(|problem| !problem.errors.is_empty()) else {
        return Vec::new();
    };
    problem.names(&request.map(names_of_request).unwrap_or_default())
}
