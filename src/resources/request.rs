//! A call to any path, through the same pipeline as the typed ones: the way around what the document does not describe.

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use perenso_auth::{CallOptions, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};

use crate::{client::Perenso, error::Error};

impl Perenso {
    /// A call to any path below the base address, through the same pipeline.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use http::Method;
    ///
    /// let ranges: serde_json::Value = show.request(Method::GET, "/DeliveryRange").query("page", 1).send_json().await?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<Cow<'static, str>>) -> Request {
        Request::new(self.auth().request(method, path).options(self.options().clone()))
    }
}

/// A call in the making, from [`Perenso::request`](crate::Perenso::request).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use http::Method;
/// use serde_json::{Value, json};
///
/// let made: Value = show
///     .request(Method::POST, "/Warehouse")
///     .operation("warehouse_create")
///     .json(&json!({"warehouseID": "WH7"}))
///     .send_json()
///     .await?;
/// assert_eq!(made["warehouseID"], "WH7");
/// # Ok(()) }
/// ```
#[must_use = "a request is sent by `send` or `send_json`"]
pub struct Request {
    inner: RequestBuilder,
}

impl Request {
    pub(crate) fn new(inner: RequestBuilder) -> Self {
        Self { inner }
    }

    fn map(self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        Self { inner: change(self.inner) }
    }

    /// The name that errors and spans show; without it, method and path, so an id in the path is shown.
    pub fn operation(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.map(|inner| inner.operation(name))
    }

    /// A parameter of the query, encoded once.
    pub fn query(self, name: impl Into<String>, value: impl ToString) -> Self {
        self.map(|inner| inner.query(name, value))
    }

    /// A header, in place of one of the same name.
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.map(|inner| inner.header(name, value))
    }

    /// A JSON body. What cannot be written as JSON is an error of `send`.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.map(|inner| inner.json(value))
    }

    /// A body as it is. A stream is sent once and never replayed.
    pub fn body(self, content_type: HeaderValue, body: impl Into<reqwest::Body>) -> Self {
        self.map(|inner| inner.body(content_type, body))
    }

    /// This call changes nothing, whatever its method: it may be sent again. A GET is so by itself.
    pub fn safe(self) -> Self {
        self.map(RequestBuilder::safe)
    }

    /// This call writes, and writing it twice comes to the same: it may be sent again. A PUT and a DELETE are so by
    /// themselves.
    pub fn keyed(self) -> Self {
        self.map(RequestBuilder::keyed)
    }

    /// This call must not be sent again unless it certainly was not processed. A POST is so by itself.
    pub fn once(self) -> Self {
        self.map(RequestBuilder::once)
    }

    /// What this call does differently. What was said before stays, unless it is said again.
    pub fn options(self, options: CallOptions) -> Self {
        self.map(|inner| inner.options(options))
    }

    /// Sends it, and hands on the answer as it comes.
    ///
    /// # Errors
    /// Whatever keeps the call from a successful answer.
    pub async fn send(self) -> Result<Answer, Error> {
        Ok(Answer { inner: self.inner.send().await? })
    }

    /// Sends it; what the answer holds is of no interest.
    pub(crate) async fn send_and_discard(self) -> Result<(), Error> {
        Ok(self.inner.send().await?.acknowledge().await.map(drop)?)
    }

    /// Sends it and reads the answer as JSON. A body that breaks off is a failed attempt like any other.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the answer does not fit the type.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.inner.send_json().await?)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A successful answer, to be read as JSON, text, bytes or a stream.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use http::Method;
///
/// let answer = show.request(Method::GET, "/Customer").query("page", 1).send().await?;
/// assert_eq!(answer.content_type(), Some("application/json"));
/// println!("{} after {} attempts", answer.status(), answer.attempts());
/// let text = answer.text().await?;
/// # Ok(()) }
/// ```
pub struct Answer {
    inner: Response,
}

impl Answer {
    /// The status, always a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// The `Content-Type` as it came.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.inner.content_type()
    }

    /// The id that the server gave to the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id()
    }

    /// How many requests went out for this call.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.inner.attempts()
    }

    /// The time that the call waited for the rate budget, for `Retry-After` and between attempts.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.inner.waited()
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it breaks off, stops coming, or is larger than the limit of the client.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.inner.bytes().await?)
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it is not UTF-8.
    pub async fn text(self) -> Result<String, Error> {
        Ok(self.inner.text().await?)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and when it does not fit: with path, expected and found kind, never the value.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.inner.json().await?)
    }

    /// The body piece by piece, however long it takes, as long as it keeps coming. It ends with an error when it breaks
    /// off: a cut body is never a short one.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + use<> {
        self.inner.into_stream().err_into()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
