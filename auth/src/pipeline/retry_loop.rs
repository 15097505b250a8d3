//! The retry loop of one call: token, permit, send, classify; then return, replay, or wait and retry.

mod admission;
mod attempt;

use std::time::{Duration, Instant};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use reqwest::Request;
use tracing::Instrument;

use self::attempt::{Failure, Received, Refusal};
use crate::{
    clock::millis,
    oauth::token::Token,
    pipeline::{
        context::{Call, CallContext, ClientState},
        error::{Error, ErrorKind},
        options::Idempotency,
        outcome::{self, AttemptOutcome, RetryDecision},
        response::Response,
        spans::CallSpan,
        stop::{Stop, unless_stopped},
    },
    policy::{Backoff, RetryPolicy},
    wire::transport::accept_gzip,
};

/// Sends a request through the whole pipeline, in a span if a subscriber is interested.
// Boxed, since a caller moves the whole future, and so does each function on its way.
pub(super) fn execute<'a>(
    client: &'a ClientState,
    mut request: Request,
    call: Call<'a>,
) -> impl Future<Output = Result<Response, Error>> + Send + 'a {
    let prepared = prepare(client, &mut request, &call);
    let span = prepared.is_ok().then(|| CallSpan::of(client, &request, &call)).flatten();
    let mut retry_loop = RetryLoop::new(client, request, call);
    Box::pin(async move {
        prepared?;
        let received = match &span {
            Some(span) => retry_loop.run().instrument(span.span()).await,
            None => retry_loop.run().await,
        };
        let result = received.map(|received| {
            let Received { status, headers, body } = received;
            Response { status, headers, body, context: retry_loop.context }
        });
        if let Some(span) = span {
            span.finish(&result);
        }
        result
    })
}

/// The state of one call.
pub(crate) struct RetryLoop<'a> {
    client: &'a ClientState,
    /// The request of the next attempt. A body that is a stream has only one.
    request: Option<Request>,
    idempotency: Idempotency,
    buffered: bool,
    is_plain: bool,
    retry: RetryPolicy,
    attempt: Duration,
    deadline: Option<Duration>,
    stop: Option<&'a Stop>,
    started: Instant,
    // Boxed, since few calls are retried.
    backoff: Option<Box<Backoff>>,
    replayed: bool,
    /// The generation of the token that was refused.
    refused: Option<u64>,
    /// The body is a stream, which can be sent once.
    is_stream: bool,
    /// The headers of API calls were read again.
    headers_refreshed: bool,
    headers_of_caller: Option<&'a HeaderMap>,
    context: CallContext,
}

impl<'a> RetryLoop<'a> {
    pub(crate) fn new(client: &'a ClientState, request: Request, call: Call<'a>) -> Self {
        let options = call.options;
        Self {
            client,
            idempotency: options.and_then(|options| options.idempotency).unwrap_or(call.idempotency),
            buffered: call.buffered,
            is_plain: call.is_plain,
            retry: options.and_then(|options| options.retry).unwrap_or(client.retry),
            attempt: options.and_then(|options| options.attempt).unwrap_or(client.timeouts.attempt),
            deadline: options.and_then(|options| options.deadline),
            stop: options.and_then(|options| options.stop.as_ref()),
            started: client.clock.monotonic(),
            backoff: None,
            replayed: false,
            refused: None,
            is_stream: request.body().is_some_and(|body| body.as_bytes().is_none()),
            headers_refreshed: false,
            headers_of_caller: options.map(|options| &options.headers),
            context: client.context(call.operation),
            request: Some(request),
        }
    }

    /// Runs the call to its response or final error.
    // What a call rarely needs is boxed, since a caller moves the whole future.
    pub(crate) async fn run(&mut self) -> Result<Received, Error> {
        loop {
            // The token first: calls that hold a permit and wait for a token would be sent as one burst.
            let mut token = self.token().await?;
            if self.wait_for_permit().await? {
                token = self.token().await?;
            }
            let (outcome, result) = self.send(&token).await?;
            if matches!(outcome, AttemptOutcome::Responded(status) if outcome::proves_the_token(status)) {
                token.accept();
                if self.replayed {
                    self.client.unauthorized.forget(&self.context.operation);
                }
            }
            self.context.may_have_written |= outcome.may_have_written(self.idempotency);
            match result {
                Ok(received) => return Ok(received),
                Err(failure) => Box::pin(self.prepare_next(&token, outcome, failure)).await?,
            }
        }
    }

    /// Prepares the next attempt. Returns the error of the call if there is none.
    async fn prepare_next(&mut self, token: &Token, outcome: AttemptOutcome, failure: Failure) -> Result<(), Error> {
        let decision = outcome.decide(self.idempotency);
        let error = match failure {
            Failure::Refused(refusal) if decision == RetryDecision::Reauthorise => {
                if self.refreshes_headers().await && self.request.is_some() {
                    return Ok(());
                }
                return self.reauthorise(token, refusal);
            }
            Failure::Refused(refusal) => {
                let error = self.refused(refusal);
                self.start_cooldown(&error).await;
                error
            }
            Failure::Failed(error) => error,
        };
        if self.request.is_none() || decision != RetryDecision::Retry {
            return Err(error);
        }
        self.wait_before_retry(error).await
    }

    /// Reads the headers of API calls again, once for each call, since a 401 may also be caused by an old header.
    async fn refreshes_headers(&mut self) -> bool {
        if std::mem::replace(&mut self.headers_refreshed, true) {
            return false;
        }
        let mut unsent = HeaderMap::new();
        let headers = self.request.as_mut().map_or(&mut unsent, Request::headers_mut);
        self.client.api_headers.refresh(headers, self.headers_of_caller).await
    }

    /// Prepares a replay with another token. Returns an error that names the likely causes of the 401 if there is none.
    fn reauthorise(&mut self, token: &Token, refusal: Refusal) -> Result<(), Error> {
        // A 401 to a replay says more about the request than about its token, which other calls may use successfully.
        let ClientState { cache, unauthorized, .. } = self.client;
        let may_renew = |now| unauthorized.allows_renewal(&self.context.operation, now);
        let another = !self.replayed && cache.refused(token, may_renew);
        if another && self.request.is_some() {
            tracing::info!(
                target: "perenso_auth::call",
                operation = %self.context.operation,
                "the API refused the token (401), sending the request again with a new one"
            );
            self.replayed = true;
            self.refused = Some(token.generation);
            return Ok(());
        }
        let why = if another {
            token.doubt();
            "the body is a stream and cannot be sent again; the next call gets a new token".to_owned()
        } else {
            format!("a new token does not help: the likely causes are {}", self.client.unauthorized_hint)
        };
        let Refusal { status, headers, body, .. } = refusal;
        let error = self.context.error(ErrorKind::Unauthorized, format!("the API responded with 401; {why}"));
        Err(error.with(|inner| {
            inner.status = Some(status);
            inner.request_id = self.context.request_id(&headers);
            inner.body = Some(body);
        }))
    }

    /// Starts the cooldown of all calls that a 429 asks for, whether or not this call is retried.
    async fn start_cooldown(&self, failure: &Error) {
        if failure.kind() == ErrorKind::RateLimited
            && let Some(asked) = failure.retry_after()
        {
            self.client.budget.cool_down(asked.min(self.retry.max_retry_after)).await;
        }
    }

    /// Waits before the next attempt. Returns the failure if there is no further attempt.
    async fn wait_before_retry(&mut self, failure: Error) -> Result<(), Error> {
        let retry = self.retry;
        let asked = failure.retry_after();
        let Some(backoff) = self.backoff.get_or_insert_with(|| Box::new(retry.delays())).next() else {
            return Err(failure);
        };
        let delay = match outcome::retry_delay(backoff, asked, retry.max_retry_after) {
            Some(delay) if delay < self.left() => delay,
            _ => return Err(failure),
        };
        tracing::info!(
            target: "perenso_auth::call",
            operation = %self.context.operation,
            attempt = self.context.attempts,
            wait_ms = millis(delay),
            error = %failure,
            "attempt failed, retrying"
        );
        let before = self.client.clock.monotonic();
        let slept = unless_stopped(self.stop, self.client.clock.sleep(delay)).await;
        self.context.waited += self.client.clock.monotonic().saturating_duration_since(before);
        slept.ok_or(failure)
    }

    /// Returns the time left for the call. A call with a deadline ends there; any other ends after the overall timeout, which does
    /// not count the time waited for the budget.
    fn left(&self) -> Duration {
        let elapsed = self.client.clock.monotonic().saturating_duration_since(self.started);
        let overall =
            self.client.timeouts.overall.saturating_add(self.context.waited_for_budget).saturating_sub(elapsed);
        let overall = if self.deadline.is_some() { Duration::MAX } else { overall };
        self.until_deadline().map_or(overall, |left| left.min(overall))
    }

    fn until_deadline(&self) -> Option<Duration> {
        let elapsed = self.client.clock.monotonic().saturating_duration_since(self.started);
        self.deadline.map(|deadline| deadline.saturating_sub(elapsed))
    }

    fn unless_stop_is_requested(&self) -> Result<(), Error> {
        if self.stop.is_some_and(Stop::is_requested) { Err(self.stopped()) } else { Ok(()) }
    }

    fn stopped(&self) -> Error {
        let detail = match self.context.attempts {
            0 => "stopped before the request was sent (`stop_when`)",
            _ => "stopped before the request was sent again (`stop_when`)",
        };
        self.context.error(ErrorKind::Stopped, detail)
    }

    fn out_of_time(&self) -> Error {
        self.context.error(ErrorKind::Timeout, self.too_late())
    }

    /// Returns the message for a passed limit of the whole call, with the setter to raise it.
    fn too_late(&self) -> String {
        let (limit, setter) = match self.deadline {
            Some(deadline) => (deadline, "CallOptions::deadline"),
            None => (self.client.timeouts.overall, "Timeouts::overall"),
        };
        format!("not completed within {limit:?} (`{setter}`)")
    }
}

/// Checks the address of a request and completes its headers.
pub(crate) fn prepare(client: &ClientState, request: &mut Request, call: &Call<'_>) -> Result<(), Error> {
    let url = request.url();
    let api = &client.api_url;
    if (url.scheme(), url.host_str(), url.port_or_known_default())
        != (api.scheme(), api.host_str(), api.port_or_known_default())
    {
        let origin = api.origin().ascii_serialization();
        let detail = format!("the request is to another address than {origin}, and the token is sent only there");
        return Err(Error::new(ErrorKind::Request, call.operation.clone(), detail));
    }
    let may_lack_length = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    let has_body = request.body().is_some_and(|body| body.as_bytes() != Some(b""));
    let headers = request.headers_mut();
    if may_lack_length && !has_body {
        // Servers on http.sys respond 411 to a POST without `Content-Length`.
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    client.api_headers.add_to(headers);
    for (name, value) in call.options.map(|options| &options.headers).into_iter().flatten() {
        let own = [AUTHORIZATION, HOST, CONTENT_LENGTH, TRANSFER_ENCODING];
        if own.contains(name) || *name == client.authorization_header {
            let detail = format!("callers cannot set `{name}`: remove it from `CallOptions::header`");
            return Err(Error::new(ErrorKind::Request, call.operation.clone(), detail));
        }
        headers.insert(name, value.clone());
    }
    accept_gzip(headers);
    Ok(())
}
