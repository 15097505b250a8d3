//! The parts that client, request, retry loop and response share.

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;

use crate::{
    clock::Clock,
    oauth::{cache::Cache, fault::Fault, token::without_scheme, token_response::redact},
    pipeline::{
        api_headers::ApiHeaders,
        budget::Budget,
        error::{Error, ErrorKind},
        options::{CallOptions, Idempotency, Timeouts},
        unauthorized::UnauthorizedOperations,
    },
    policy::RetryPolicy,
    profile::Throttle,
    wire::http_clients::HttpClients,
};

/// What the pipeline needs to know of a call besides its request.
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use http::Method;
/// use perenso_auth::{Call, Idempotency};
///
/// // A request that was built elsewhere, by a generated client for example.
/// // Not `join("/Customer")`, which drops the path of a base address such as `https://api.example/v2`.
/// let url = format!("{}/Customer", client.api_url().as_str().trim_end_matches('/'));
/// let request = client.http().request(Method::GET, url).build()?;
/// let answer = client.execute(request, Call::new("customer_list", Idempotency::Safe)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub(super) operation: Cow<'static, str>,
    pub(super) idempotency: Idempotency,
    pub(super) whole: bool,
    pub(super) options: Option<&'a CallOptions>,
}

impl<'a> Call<'a> {
    /// A call of this name, which errors and spans show.
    pub fn new(operation: impl Into<Cow<'static, str>>, idempotency: Idempotency) -> Self {
        Self { operation: operation.into(), idempotency, whole: false, options: None }
    }

    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// Reads the body as a part of the call: one that breaks off or stops coming is a failed attempt like any other, and
    /// not the end of the call. Its deadlines still are those up to the headers, and the idle limit.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// What this call does differently.
    #[must_use]
    pub fn options(mut self, options: &'a CallOptions) -> Self {
        self.options = Some(options);
        self
    }
}

pub(crate) struct ClientState {
    pub(crate) label: String,
    pub(crate) profile: Cow<'static, str>,
    pub(crate) api_url: Url,
    pub(crate) api_headers: ApiHeaders,
    pub(crate) http: HttpClients,
    pub(crate) authorization_header: HeaderName,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) unauthorized_hint: Cow<'static, str>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) unauthorized: UnauthorizedOperations,
    pub(crate) budget: Budget,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) max_body_bytes: usize,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ClientState {
    /// A call that has not left yet.
    pub(crate) fn context(&self, operation: Cow<'static, str>) -> CallContext {
        CallContext {
            operation,
            attempts: 0,
            waited: Duration::ZERO,
            waited_for_budget: Duration::ZERO,
            may_have_written: false,
            clock: Arc::clone(&self.clock),
            idle: self.timeouts.idle,
            max_body_bytes: self.max_body_bytes,
            secrets: Secrets { token: None, cache: Arc::clone(&self.cache) },
        }
    }
}

#[cfg(feature = "redis")]
impl ClientState {
    /// Tells the shared budget who draws on it. Without credentials nobody does, and no call can leave.
    pub(crate) async fn name_budget(&self) -> Result<(), Fault> {
        if !self.budget.is_nameless() {
            return Ok(());
        }
        let exchange = &self.cache.supply.exchange;
        let identity = exchange.identity(&*exchange.credentials().await?);
        self.budget.introduce(|budget| budget.name(self.api_url.as_str(), &identity));
        Ok(())
    }
}

impl ClientState {
    /// The address of a path below the base.
    pub(crate) fn url(&self, path: &str) -> Result<Url, String> {
        let route = path.split(['?']).next().unwrap_or_default();
        if !path.starts_with('/') || path.starts_with("//") {
            return Err("a path starts with one `/`, as in `/Customer`".to_owned());
        }
        if path.contains(['#', '\\']) || path.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(
                "a path holds no `#`, no backslash, no blank and no control character; percent-encode them".to_owned()
            );
        }
        let is_dots = |segment: &str| {
            let segment = segment.to_ascii_lowercase().replace("%2e", ".");
            segment == "." || segment == ".."
        };
        if route.split('/').any(is_dots) {
            return Err("a path has no segment `.` or `..`: it would lead elsewhere".to_owned());
        }
        let base = self.api_url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).map_err(|error| format!("the path makes no address: {error}"))
    }
}

/// What is known of a call when its answer is there, for the errors of reading it.
#[derive(Clone)]
pub(crate) struct CallContext {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) attempts: u32,
    /// For the rate budget, for the server, and between attempts.
    pub(crate) waited: Duration,
    pub(crate) waited_for_budget: Duration,
    pub(crate) may_have_written: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) idle: Duration,
    pub(crate) max_body_bytes: usize,
    pub(crate) secrets: Secrets,
}

const SHORTEST_SECRET: usize = 4;

/// The secrets that a server may echo in what errors show of it: the token of the call, and those of the credentials.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) token: Option<HeaderValue>,
    pub(crate) cache: Arc<Cache>,
}

impl Secrets {
    /// Takes them out of a text of the server.
    pub(crate) fn redact(&self, text: &str) -> String {
        let credentials = self.cache.supply.exchange.credentials.known();
        let token = self.token.as_ref().and_then(without_scheme);
        let secrets = token.into_iter().chain(credentials.iter().flat_map(|known| known.secrets()));
        // One of fewer letters would be found in words as well.
        redact(text, &secrets.filter(|secret| secret.len() >= SHORTEST_SECRET).collect::<Vec<_>>())
    }
}

impl CallContext {
    pub(crate) fn error(&self, kind: ErrorKind, detail: impl Into<String>) -> Error {
        Error::new(kind, self.operation.clone(), detail).with(|inner| {
            inner.attempts = self.attempts;
            inner.waited = self.waited;
            inner.may_have_written = self.may_have_written;
        })
    }

    /// Returns a token fault as the error of this call.
    pub(crate) fn token_error(&self, fault: Arc<Fault>) -> Error {
        let kind = match *fault {
            Fault::Refused(_) => ErrorKind::Refused,
            Fault::Redirected { .. } => ErrorKind::Redirect,
            Fault::PersonNeeded { .. } => ErrorKind::PersonNeeded,
            Fault::TooShort { .. } => ErrorKind::Request,
            Fault::Credentials { .. }
            | Fault::StoreAway(_)
            | Fault::Unreadable { .. }
            | Fault::UnexpectedStatus { .. }
            | Fault::Unavailable { .. }
            | Fault::Abandoned => ErrorKind::TokenUnavailable,
        };
        self.error(kind, fault.to_string()).with(|inner| {
            inner.status = fault.status();
            inner.body = fault.body().cloned();
            inner.is_permanent = fault.is_permanent();
            if let Fault::Unavailable { retry_after, .. } = &*fault {
                inner.retry_after = *retry_after;
            }
            inner.fault = Some(fault);
        })
    }

    /// The id of the request, fit to be shown.
    pub(crate) fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = self.secrets.redact(id_header(headers)?);
        Some(cut(&id).to_owned())
    }
}

/// How a method repeats where nothing else is known of it.
pub(crate) fn idempotency_of(method: &Method) -> Idempotency {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Idempotency::Safe,
        Method::PUT | Method::DELETE => Idempotency::Idempotent,
        _ => Idempotency::NotRepeatable,
    }
}

/// The id that a server gave to the request, under the names that are in use.
pub(super) fn id_header(headers: &HeaderMap) -> Option<&str> {
    ["x-request-id", "request-id", "x-correlation-id", "x-ms-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
}

/// Text of a server, cut to what fits a line.
pub(super) fn cut(text: &str) -> &str {
    text.get(..100).unwrap_or(text)
}
