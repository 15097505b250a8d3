//! A client for authorised calls: cheap to clone, one set of tokens, one budget, one pool of connections.

use std::{
    borrow::Cow,
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http::Method;
use reqwest::Url;

use crate::{
    oauth::token::AccessToken,
    pipeline::{
        builder::ClientBuilder,
        context::{Call, ClientState},
        error::Error,
        request::RequestBuilder,
        response::Response,
        retry_loop,
    },
    profile::Profile,
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
    inner: Arc<ClientState>,
}

impl Client {
    /// A client of the system that the profile describes.
    pub fn builder(profile: Profile) -> ClientBuilder {
        ClientBuilder::new(profile)
    }

    pub(crate) fn new(inner: ClientState) -> Self {
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
        RequestBuilder::new(Arc::clone(&self.inner), method, path.into())
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
    pub async fn execute(&self, request: reqwest::Request, call: Call<'_>) -> Result<Response, Error> {
        retry_loop::execute(&self.inner, request, call).await
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
                && let Some(token) = self.inner.cache.current_token(min_validity)
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
        self.inner.cache.current_token(Duration::ZERO)
    }

    async fn new_token(&self, min_validity: Duration) -> Result<AccessToken, Error> {
        let asked = self.inner.cache.ask(min_validity).await;
        let token = asked.map_err(|fault| self.inner.context("token".into()).token_error(fault))?;
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
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("client", &self.inner.label)
            .field("api_url", &self.inner.api_url.as_str())
            .finish_non_exhaustive()
    }
}
