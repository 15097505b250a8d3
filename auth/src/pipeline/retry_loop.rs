//! The retry loop of one call: token, permit, send, classify; then return, replay, or wait and retry.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use reqwest::Request;
use tracing::Instrument;

use crate::{
    clock::{millis, within},
    oauth::token::Token,
    pipeline::{
        budget::Exhausted,
        context::{Call, CallContext, ClientState},
        error::{Error, ErrorKind},
        options::Idempotency,
        outcome::{self, AttemptOutcome, RetryDecision},
        problem_details::{ProblemDetails, names_of_request},
        response::{Body, Response},
        spans::CallSpan,
        stop::{Stop, unless_stopped},
    },
    policy::{Backoff, RetryPolicy},
    wire::{
        body::IncomingBody,
        connection::Cause,
        retry_after::retry_after,
        transport::{accept_gzip, location},
    },
};

/// The timeout for the body of an error response, whose status is what counts.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends a request through the whole pipeline, in a span if a subscriber is interested.
// Not an async function, which would store the request and the state of the call twice: a caller moves the whole future.
pub(super) fn execute<'a>(
    client: &'a ClientState,
    mut request: Request,
    call: Call<'a>,
) -> impl Future<Output = Result<Response, Error>> + Send + 'a {
    let prepared = prepare(client, &mut request, &call);
    let span = prepared.is_ok().then(|| CallSpan::of(client, &request, &call)).flatten();
    let mut retry_loop = RetryLoop::new(client, request, call);
    async move {
        prepared?;
        let Some(span) = span else {
            let Received { status, headers, body } = retry_loop.run().await?;
            return Ok(Response { status, headers, body, context: retry_loop.context });
        };
        let received = retry_loop.run().instrument(span.span()).await;
        let result = received.map(|received| {
            let Received { status, headers, body } = received;
            Response { status, headers, body, context: retry_loop.context }
        });
        span.finish(&result);
        result
    }
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

/// The response to an attempt.
pub(crate) struct Received {
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
}

impl Received {
    fn new(response: reqwest::Response) -> Self {
        let status = response.status();
        let (headers, body) = IncomingBody::of(response);
        Self { status, headers, body: Body::Incoming(body) }
    }
}

/// The reason why an attempt has no successful response.
enum Failure {
    Refused(Refusal),
    Failed(Error),
}

/// An error response, with at most 64 KiB of its body.
struct Refusal {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    unknown_coding: Option<String>,
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

    /// Waits for a permit. Returns true if the call waited, so that its token may have expired.
    async fn wait_for_permit(&mut self) -> Result<bool, Error> {
        self.unless_stop_is_requested()?;
        if self.client.budget.try_permit() {
            return Ok(false);
        }
        let waited = self.context.waited_for_budget;
        match unless_stopped(self.stop, Box::pin(self.permit())).await {
            Some(permit) => permit?,
            None => return Err(self.stopped()),
        }
        Ok(self.context.waited_for_budget != waited)
    }

    async fn permit(&mut self) -> Result<(), Error> {
        let own = self.client.timeouts.budget;
        let limit = self.until_deadline().map_or(own, |left| own.min(left));
        #[cfg(feature = "redis")]
        match within(self.client.clock.as_ref(), limit, self.client.identify_budget()).await {
            Some(Ok(())) => {}
            Some(Err(fault)) => return Err(self.context.token_error(Arc::new(fault))),
            None => return Err(self.out_of_time()),
        }
        let permit = self.client.budget.permit(limit).await;
        let (Ok(waited) | Err(Exhausted { waited, .. })) = &permit;
        self.context.waited_for_budget += *waited;
        self.context.waited += *waited;
        match permit {
            Ok(_) => Ok(()),
            Err(Exhausted { cooldown: Some(cooldown), .. }) => {
                let detail = format!("the server asked for a cooldown of all calls, which lasts another {cooldown:?}");
                Err(self.context.error(ErrorKind::RateLimited, detail).with(|inner| inner.retry_after = Some(cooldown)))
            }
            Err(_) if limit < own => Err(self.out_of_time()),
            Err(_) => {
                let detail = format!(
                    "the rate budget granted no permit within {own:?}; send fewer calls at once, or raise `Timeouts::budget` \
                     or the rate"
                );
                Err(self.context.error(ErrorKind::Budget, detail))
            }
        }
    }

    /// Returns a token that was not refused.
    async fn token(&self) -> Result<Arc<Token>, Error> {
        self.unless_stop_is_requested()?;
        let refused = match self.client.cache.hit() {
            Some(token) if self.is_refused(&token) => Some(token.generation),
            Some(token) => return Ok(token),
            None => self.refused,
        };
        unless_stopped(self.stop, Box::pin(self.new_token(refused))).await.unwrap_or_else(|| Err(self.stopped()))
    }

    async fn new_token(&self, refused: Option<u64>) -> Result<Arc<Token>, Error> {
        let asked = self.client.cache.ask_other(Duration::ZERO, refused);
        match within(self.client.clock.as_ref(), self.left(), asked).await {
            Some(Ok(token)) => Ok(token),
            Some(Err(fault)) => {
                if self.replayed {
                    self.client.unauthorized.forget(&self.context.operation);
                }
                Err(self.context.token_error(fault))
            }
            None => Err(self.out_of_time()),
        }
    }

    /// Returns true if this call needs another token: the API returned 401 for this one, or the body can be sent only once and
    /// the token is in doubt.
    fn is_refused(&self, token: &Token) -> bool {
        self.refused == Some(token.generation) || (self.is_stream && token.is_doubted())
    }

    async fn send(&mut self, token: &Arc<Token>) -> Result<(AttemptOutcome, Result<Received, Failure>), Error> {
        let left = self.left();
        if left.is_zero() {
            return Err(self.out_of_time());
        }
        let limit = self.attempt.min(left);
        let sent = self.client.http.execute(self.take_request(token)?);
        let mut received = match within(self.client.clock.as_ref(), limit, sent).await {
            Some(Ok(response)) => Received::new(response),
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
        let outcome = AttemptOutcome::Responded(received.status);
        if !received.status.is_success() {
            return Ok((outcome, Err(Failure::Refused(Box::pin(self.read_refusal(received)).await))));
        }
        self.context.may_have_written |= outcome.may_have_written(self.idempotency);
        if !self.buffered {
            return Ok((outcome, Ok(received)));
        }
        match self.context.collect(&mut received.body).await {
            Ok(body) => {
                received.body = Body::Whole(body);
                Ok((outcome, Ok(received)))
            }
            Err(failure) => {
                let error = self.context.broken(failure, received.status, &received.headers);
                // Another attempt would fail in the same way.
                let is_final = matches!(error.kind(), ErrorKind::TooLarge | ErrorKind::Decode);
                Ok((if is_final { outcome } else { AttemptOutcome::Broken }, Err(Failure::Failed(error))))
            }
        }
    }

    /// Returns the request of this attempt with its token, and keeps one for the next.
    fn take_request(&mut self, token: &Arc<Token>) -> Result<Request, Error> {
        let Some(mut request) = self.request.take() else {
            return Err(self.context.error(ErrorKind::Request, "the body is a stream and was sent already"));
        };
        self.request = match request.body() {
            // `try_clone` allocates for extensions, which this one does not have.
            None if self.is_plain => {
                let mut copy = Request::new(request.method().clone(), request.url().clone());
                copy.headers_mut().clone_from(request.headers());
                Some(copy)
            }
            _ => request.try_clone(),
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

    async fn read_refusal(&self, received: Received) -> Refusal {
        let Received { status, headers, mut body } = received;
        let timeout = ERROR_BODY_TIMEOUT.min(self.left());
        let (body, unknown_coding) = self.context.collect_part(&mut body, timeout).await;
        Refusal { status, headers, body, unknown_coding }
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
        let is_sent_for_good = self.request.is_none();
        if another && !is_sent_for_good {
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

    fn refused(&self, refusal: Refusal) -> Error {
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

/// Returns the names of fields and parameters in the body of an error response that an error may show.
fn names_in(body: &[u8], request: Option<&Request>) -> Vec<String> {
    let Some(problem) = ProblemDetails::read(body).filter(|problem| !problem.errors.is_empty()) else {
        return Vec::new();
    };
    problem.names(&request.map(names_of_request).unwrap_or_default())
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
