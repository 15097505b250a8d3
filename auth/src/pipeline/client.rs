//! A client for authorised calls, cheap to clone.

use std::{borrow::Cow, sync::Arc, time::Duration};

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
    store::StoreError,
};

/// Makes authorised calls to one API with one set of credentials.
///
/// Clones share tokens, rate budget and connections. Nothing runs in the background.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_auth::{Client, Credentials, Profile};
///
/// let client = Client::builder(Profile::perenso())
///     .credentials(Credentials::new("SHOWID", std::env::var("SHOW_SECRET")?))
///     .build()?;
/// let customers: serde_json::Value = client.get("/Customer").send_json().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<ClientState>,
}

impl Client {
    /// Starts building a client for the system of this profile.
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

    /// The underlying HTTP client, for building requests. A request sent through it directly carries no token.
    #[must_use]
    pub fn http(&self) -> &reqwest::Client {
        self.inner.http.first()
    }

    /// Starts a request to a path below the base address. The path starts with `/`.
    pub fn request(&self, method: Method, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        RequestBuilder::new(Arc::clone(&self.inner), method, path.into())
    }

    /// Starts a GET. It is safe: it is retried if its response is lost.
    pub fn get(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Starts a POST. Once the server may have processed it, it is retried only if it is marked
    /// [`safe`](RequestBuilder::safe) or [`idempotent`](RequestBuilder::idempotent).
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    ///
    /// // A search by POST changes nothing, so it may be retried.
    /// let request = client.post("/v2/event/get").json(&json!({})).safe();
    /// let found: serde_json::Value = request.send_json().await?;
    /// # Ok(()) }
    /// ```
    pub fn post(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Starts a PUT. It is idempotent: it is retried if its response is lost.
    pub fn put(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// Starts a DELETE. It is idempotent: it is retried if its response is lost.
    pub fn delete(&self, path: impl Into<Cow<'static, str>>) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Sends a request that was built elsewhere through the whole pipeline.
    ///
    /// # Errors
    /// Fails unless the API responds with a success status: see [`ErrorKind`](crate::ErrorKind).
    pub async fn execute(&self, request: reqwest::Request, call: Call<'_>) -> Result<Response, Error> {
        retry_loop::execute(&self.inner, request, call).await
    }

    /// Returns a bearer token that is valid for at least `min_validity`, for use elsewhere.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let bearer = client.token(Duration::from_secs(60)).await?;
    /// assert!(bearer.expires_in() >= Duration::from_secs(60));
    /// let header = bearer.header(); // for a request of another HTTP client
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `ErrorKind::Refused` or `ErrorKind::TokenUnavailable` if there is no token, `ErrorKind::Request` if tokens of this
    /// server are never valid that long.
    #[inline]
    pub async fn token(&self, min_validity: Duration) -> Result<AccessToken, Error> {
        match self.inner.cache.current_token(min_validity) {
            Some(token) => Ok(token),
            None => Box::pin(self.new_token(min_validity)).await,
        }
    }

    /// Returns the current bearer token without waiting, for interceptors that cannot await. Returns `None` if there is no
    /// token or it is due for renewal; [`token`](Self::token) then gets one.
    #[must_use]
    pub fn token_in_hand(&self) -> Option<AccessToken> {
        self.inner.cache.current_token(Duration::ZERO)
    }

    async fn new_token(&self, min_validity: Duration) -> Result<AccessToken, Error> {
        let asked = self.inner.cache.ask(min_validity).await;
        let token = asked.map_err(|fault| self.inner.context("token".into()).token_error(fault))?;
        Ok(AccessToken::owned(token, self.inner.clock.now()))
    }

    /// Removes the tokens of this client from its store, for a logout. Clients that have a token in memory keep it until it expires,
    /// and the next call of any client obtains and stores new ones.
    ///
    /// ```no_run
    /// # async fn example(client: perenso_auth::Client) -> Result<(), perenso_auth::store::StoreError> {
    /// client.remove_stored_tokens().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The store cannot be written, another process keeps renewing its tokens, or a provider returns no credentials.
    pub async fn remove_stored_tokens(&self) -> Result<(), StoreError> {
        self.inner.cache.source.remove_stored().await
    }

    /// Waits until the renewal in flight has ended and its tokens are stored. Tokens that could not be stored before are
    /// stored once more. The client can be used afterwards.
    ///
    /// A program that returns from `main` need not call it: its runtime waits for a renewal that was sent, for at most one
    /// attempt and one save. Call it before `std::process::exit` and `Runtime::shutdown_background`, which do not wait.
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
