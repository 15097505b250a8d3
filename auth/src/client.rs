//! A client for authorised calls: cheap to clone, one set of tokens, one budget, one pool of connections.

use std::{
    borrow::Cow,
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::{HeaderName, Method};
use reqwest::Url;
use tracing::Instrument;

#[cfg(feature = "redis")]
use crate::fault::Fault;
use crate::{
    api_headers::ApiHeaders,
    budget::Budget,
    builder::ClientBuilder,
    cache::Cache,
    call::{Call, Journey, of_fault, prepare},
    clock::Clock,
    error::Error,
    http_clients::HttpClients,
    policy::{Idempotency, RetryPolicy, Timeouts},
    profile::{Profile, Throttle},
    request::RequestBuilder,
    response::{Response, Secrets, Trip},
    spans::CallSpan,
    token::AccessToken,
    unauthorized::UnauthorizedOperations,
};

/// Makes authorised calls to one API with one set of credentials.
///
/// Clones share tokens, rate budget and connections. Nothing runs while nobody calls.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_auth::{Client, Credentials, Profile};
///
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", std::env::var("SHOW_SECRET")?))
///     .build()?;
/// let customers: serde_json::Value = client.get("/Customer").send().await?.json().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) label: String,
    pub(crate) profile: Cow<'static, str>,
    pub(crate) api_url: Url,
    pub(crate) api_headers: ApiHeaders,
    pub(crate) http: HttpClients,
    pub(crate) authorization_header: HeaderName,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) causes_of_401: Cow<'static, str>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) unauthorized: UnauthorizedOperations,
    pub(crate) budget: Budget,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) largest_body: usize,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Inner {
    /// A call that has not left yet.
    pub(crate) fn trip(&self, operation: Cow<'static, str>) -> Trip {
        Trip {
            operation,
            attempts: 0,
            waited: Duration::ZERO,
            waited_for_budget: Duration::ZERO,
            may_have_written: false,
            clock: Arc::clone(&self.clock),
            idle: self.timeouts.idle,
            largest_body: self.largest_body,
            secrets: Secrets { token: None, cache: Arc::clone(&self.cache) },
        }
    }
}

#[cfg(feature = "redis")]
impl Inner {
    /// Tells the shared budget who draws on it. Without credentials nobody does, and no call can leave.
    pub(crate) async fn introduce(&self) -> Result<(), Fault> {
        if !self.budget.is_nameless() {
            return Ok(());
        }
        let exchange = &self.cache.supply.exchange;
        let identity = exchange.identity(&*exchange.credentials().await?);
        self.budget.introduce(|budget| budget.name(self.api_url.as_str(), &identity));
        Ok(())
    }
}

impl Client {
    /// A client of the system that the profile describes.
    pub fn builder(profile: Profile) -> ClientBuilder {
        ClientBuilder::new(profile)
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The name of the profile, such as `perenso`.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.inner.profile
    }

    /// The base address of the API.
    #[must_use]
    pub fn api_url(&self) -> &Url {
        &self.inner.api_url
    }

    /// The HTTP client underneath, for building requests. What is sent through it directly goes out without a token.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        self.inner.http.first()
    }

    /// A call to a path below the base address; it starts with `/`.
    pub fn request(&self, method: Method, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        RequestBuilder::new(self.clone(), method, path.into())
    }

    /// A read; sent again when its answer is lost.
    pub fn get(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// A POST. Never sent twice unless it is marked: [`safe`](RequestBuilder::safe), [`idempotent`](RequestBuilder::idempotent).
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    ///
    /// // A search that changes nothing, though it is a POST: it may be sent again.
    /// let found: serde_json::Value = client.post("/v2/event/get").json(&json!({})).safe().send_json().await?;
    /// # Ok(()) }
    /// ```
    pub fn post(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A PUT; sent again when its answer is lost, since writing the same twice comes to the same.
    pub fn put(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// A DELETE; sent again when its answer is lost.
    pub fn delete(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Sends a request that was built elsewhere, through the whole pipeline.
    ///
    /// # Errors
    /// Whatever keeps the call from a successful answer, classified: see [`ErrorKind`](crate::ErrorKind).
    pub async fn execute(&self, mut request: reqwest::Request, call: Call<'_>) -> Result<Response, Error> {
        prepare(&self.inner, &mut request, &call)?;
        let Some(span) = CallSpan::of(&self.inner, &request, &call) else {
            return Journey::new(&self.inner, call).travel(request).await;
        };
        let result = Journey::new(&self.inner, call).travel(request).instrument(span.span()).await;
        span.finish(&result);
        result
    }

    /// The bearer token, for use elsewhere: one that lives at least `min_validity` longer.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let bearer = client.token(Duration::from_secs(60)).await?;
    /// assert!(bearer.expires_in() >= Duration::from_secs(60));
    /// let header = bearer.header(); // of another client's request
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `ErrorKind::Refused` or `ErrorKind::TokenUnavailable` when none can be had, `ErrorKind::Request` when
    /// tokens of this server never live that long.
    #[inline]
    pub fn token(&self, min_validity: Duration) -> impl Future<Output = Result<AccessToken, Error>> + Send + '_ {
        self.token_as(min_validity)
    }

    /// As [`token`](Self::token), with the error of whoever builds upon this crate: to convert it there would cost a hit a
    /// third of its time.
    #[doc(hidden)]
    #[inline]
    pub fn token_as<E: From<Error>>(
        &self,
        min_validity: Duration,
    ) -> impl Future<Output = Result<AccessToken, E>> + Send + '_ {
        let mut slow = None;
        // By hand, so that a hit pays for no more than a hit.
        poll_fn(move |context| {
            if slow.is_none()
                && let Some(token) = self.inner.cache.lend(min_validity)
            {
                return Poll::Ready(Ok(token));
            }
            slow.get_or_insert_with(|| Box::pin(self.new_token(min_validity))).as_mut().poll(context).map_err(E::from)
        })
    }

    /// The bearer token in hand, at once and without waiting, for interceptors that cannot; `None` while there is none, or
    /// while it is due for renewal: then [`token`](Self::token) gets one.
    #[must_use]
    pub fn token_in_hand(&self) -> Option<AccessToken> {
        self.inner.cache.lend(Duration::ZERO)
    }

    async fn new_token(&self, min_validity: Duration) -> Result<AccessToken, Error> {
        let asked = self.inner.cache.ask(min_validity).await;
        let token = asked.map_err(|fault| of_fault(&self.inner.trip("token".into()), fault))?;
        Ok(AccessToken::owned(token, self.inner.clock.now()))
    }

    /// Waits until the renewal under way has ended and its tokens are stored, and tries once more to store those that could
    /// not be. The client can be used afterwards.
    ///
    /// A program that returns from `main` loses no refresh token without it: the end of its runtime waits for a renewal that
    /// was sent, for at most one attempt and one save. Call this before `std::process::exit` or
    /// `Runtime::shutdown_background`, which wait for nothing.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) {
    /// client.close().await;
    /// std::process::exit(0);
    /// # }
    /// ```
    pub async fn close(&self) {
        self.inner.cache.close().await;
    }

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
        let base = self.inner.api_url.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}{path}")).map_err(|error| format!("the path makes no address: {error}"))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("client", &self.inner.label)
            .field("api_url", &self.inner.api_url.as_str())
            .finish_non_exhaustive()
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
