//! The types that client, request, retry loop and response share.

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, Method};
use reqwest::Url;

use crate::{
    clock::Clock,
    oauth::{
        cache::Cache,
        fault::Fault,
        token::{Token, without_scheme},
        token_response::redact,
    },
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

/// The name, idempotency and options of a call, for [`Client::execute`](crate::Client::execute).
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use http::Method;
/// use perenso_auth::{Call, Idempotency};
///
/// // A request that was built elsewhere, for example by a generated client.
/// // `Url::join` would drop the path of a base address such as
/// // `https://api.example/v2`.
/// let url = format!("{}/Customer", client.api_url().as_str().trim_end_matches('/'));
/// let request = client.http().request(Method::GET, url).build()?;
/// let call = Call::new("customer_list", Idempotency::Safe);
/// let response = client.execute(request, call).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub(super) operation: Cow<'static, str>,
    pub(super) idempotency: Idempotency,
    pub(super) buffered: bool,
    /// The request is made of a method, a URL, headers and a body alone.
    pub(super) is_plain: bool,
    pub(super) options: Option<&'a CallOptions>,
}

impl<'a> Call<'a> {
    /// Creates a call with this name, which errors and spans show.
    pub fn new(operation: impl Into<Cow<'static, str>>, idempotency: Idempotency) -> Self {
        Self { operation: operation.into(), idempotency, buffered: false, is_plain: false, options: None }
    }

    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }

    /// Reads the body as a part of the call, so that an incomplete or stalled body is a failed attempt like any other. Only the
    /// idle timeout applies to the body.
    #[must_use]
    pub fn buffered(mut self) -> Self {
        self.buffered = true;
        self
    }

    /// Sets the options of this call.
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
    /// Creates the context of a call.
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
    /// Names the shared budget after the credentials. Fails without credentials, since no call can be sent then.
    pub(crate) async fn identify_budget(&self) -> Result<(), Fault> {
        if !self.budget.needs_name() {
            return Ok(());
        }
        let exchange = &self.cache.source.exchange;
        let identity = exchange.identity(&*exchange.credentials().await?);
        self.budget.set_name(|budget| budget.name(self.api_url.as_str(), &identity));
        Ok(())
    }
}

impl ClientState {
    /// Returns a path below the base address as one from the root, with room for parameters.
    pub(crate) fn target(&self, path: &str) -> String {
        const ROOM: usize = 64;
        let base = self.api_url.path().trim_end_matches('/');
        let mut target = String::with_capacity(base.len() + path.len() + ROOM);
        target.push_str(base);
        target.push_str(path);
        target
    }
}

/// Returns the address of a request, whose path must not lead elsewhere. `target` is the path from the root, with parameters.
pub(crate) fn address(api_url: &Url, path: &str, target: &str) -> Result<Url, String> {
    let route = path.split('?').next().unwrap_or_default();
    if !path.starts_with('/') || path.starts_with("//") {
        return Err("the path must start with exactly one `/`, as in `/Customer`".to_owned());
    }
    // One pass over the bytes: few paths have a letter that is not ASCII.
    let is_refused = |byte: u8| matches!(byte, b'#' | b'\\') || byte.is_ascii_control() || byte.is_ascii_whitespace();
    if path.bytes().any(is_refused)
        || (!path.is_ascii() && path.contains(|c: char| c.is_control() || c.is_whitespace()))
    {
        return Err(
            "the path contains `#`, a backslash, whitespace or a control character: percent-encode it".to_owned()
        );
    }
    let is_dots = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    };
    // Few paths have a dot, encoded or not.
    if route.contains(['.', '%']) && route.split('/').any(is_dots) {
        return Err("the path has a segment `.` or `..`, which would change the address: remove it".to_owned());
    }
    let (route, query) = target.split_once('?').map_or((target, None), |(route, query)| (route, Some(query)));
    // Not parsed as a whole, since most of the time goes into the host.
    let mut url = api_url.clone();
    url.set_path(route);
    url.set_query(query);
    Ok(url)
}

/// The facts of a call that its errors and its response report.
pub(crate) struct CallContext {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) attempts: u32,
    /// The time waited for the rate budget, for `Retry-After` and between attempts.
    pub(crate) waited: Duration,
    pub(crate) waited_for_budget: Duration,
    pub(crate) may_have_written: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) idle: Duration,
    pub(crate) max_body_bytes: usize,
    pub(crate) secrets: Secrets,
}

const SHORTEST_SECRET: usize = 4;

/// The secrets that a server may echo: the token of the call and those of the credentials.
pub(crate) struct Secrets {
    pub(crate) token: Option<Arc<Token>>,
    pub(crate) cache: Arc<Cache>,
}

impl Secrets {
    /// Removes them from a string of the server.
    pub(crate) fn redact(&self, text: &str) -> String {
        let credentials = self.cache.source.exchange.credentials.known();
        let token = self.token.as_ref().map(|token| token.header());
        let token = token.as_ref().and_then(without_scheme);
        let secrets = token.into_iter().chain(credentials.iter().flat_map(|known| known.secrets()));
        // A shorter secret would also match parts of words.
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

    /// The request id, redacted and truncated.
    pub(crate) fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = self.secrets.redact(id_header(headers)?);
        Some(cut(&id).to_owned())
    }
}

/// The default idempotency of a method.
pub(crate) fn idempotency_of(method: &Method) -> Idempotency {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Idempotency::Safe,
        Method::PUT | Method::DELETE => Idempotency::Idempotent,
        _ => Idempotency::NotRepeatable,
    }
}

/// The request id in one of the usual headers.
pub(super) fn id_header(headers: &HeaderMap) -> Option<&str> {
    ["x-request-id", "request-id", "x-correlation-id", "x-ms-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
}

/// Truncates a string of the server to fit a line.
pub(super) fn cut(text: &str) -> &str {
    text.get(..100).unwrap_or(text)
}
