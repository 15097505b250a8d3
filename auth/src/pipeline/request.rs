//! The builder of a request: query, headers, body and options.

use std::{borrow::Cow, sync::Arc};

use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};

use crate::pipeline::{
    context::{Call, ClientState, idempotency_of},
    error::{Error, ErrorKind},
    options::{CallOptions, Idempotency},
    response::Response,
    retry_loop,
};

/// Builds a request to a path and sends it.
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use perenso_auth::CallOptions;
///
/// let customers: Vec<serde_json::Value> = client
///     .get("/Customer")
///     .operation("customer_list")
///     .query("page", 1)
///     .options(CallOptions::new().deadline(Duration::from_secs(5)))
///     .send_json()
///     .await?;
/// # Ok(()) }
/// ```
#[must_use = "a request is sent by `send`"]
pub struct RequestBuilder {
    client: Arc<ClientState>,
    method: Method,
    path: Cow<'static, str>,
    operation: Option<Cow<'static, str>>,
    query: Vec<(String, String)>,
    body: Option<reqwest::Body>,
    content_type: Option<HeaderValue>,
    options: CallOptions,
    idempotency: Idempotency,
    problem: Option<String>,
}

impl RequestBuilder {
    pub(crate) fn new(client: Arc<ClientState>, method: Method, path: Cow<'static, str>) -> Self {
        let idempotency = idempotency_of(&method);
        Self {
            client,
            method,
            path,
            operation: None,
            query: Vec::new(),
            body: None,
            content_type: None,
            options: CallOptions::new(),
            idempotency,
            problem: None,
        }
    }

    /// Sets the name in errors and spans. Defaults to method and path.
    pub fn operation(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.operation = Some(name.into());
        self
    }

    /// Adds a query parameter, percent-encoded once.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Sets a header, in place of one of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.insert(name, value);
        self
    }

    /// Sets a JSON body. `send` fails if the value cannot be serialised.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => {
                self.body = Some(body.into());
                self.content_type = Some(HeaderValue::from_static("application/json"));
            }
            // The message of the cause may quote a value.
            Err(_) => self.problem = Some("the body cannot be serialised as JSON".to_owned()),
        }
        self
    }

    /// Sets the body and its content type. A stream is sent once and never replayed.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<reqwest::Body>) -> Self {
        self.body = Some(body.into());
        self.content_type = Some(content_type);
        self
    }

    /// Marks the call as safe, whatever its method: it changes nothing and may be retried.
    pub fn safe(mut self) -> Self {
        self.idempotency = Idempotency::Safe;
        self
    }

    /// Marks the call as idempotent: sending it twice has the same effect as once, so it may be retried.
    pub fn idempotent(mut self) -> Self {
        self.idempotency = Idempotency::Idempotent;
        self
    }

    /// Marks the call as not repeatable: it is retried only if it was certainly not processed.
    pub fn not_repeatable(mut self) -> Self {
        self.idempotency = Idempotency::NotRepeatable;
        self
    }

    /// Sets options of this call. Options set before remain unless these replace them.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options.over(&self.options);
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// Fails unless the API responds with a success status: see [`ErrorKind`].
    pub async fn send(self) -> Result<Response, Error> {
        self.execute(false).await
    }

    async fn execute(self, buffered: bool) -> Result<Response, Error> {
        let operation = self.operation.unwrap_or_else(|| {
            Cow::Owned(format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default()))
        });
        let fail = |detail: String| Error::new(ErrorKind::Request, operation.clone(), detail);
        if let Some(detail) = self.problem {
            return Err(fail(detail));
        }
        let mut url = self.client.url(&self.path).map_err(fail)?;
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        let mut request = reqwest::Request::new(self.method, url);
        *request.body_mut() = self.body;
        if let Some(content_type) = self.content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        let call = Call::new(operation.clone(), self.idempotency).options(&self.options);
        let call = if buffered { call.buffered() } else { call };
        retry_loop::execute(&self.client, request, call).await
    }

    /// Sends the request and reads the response as JSON. An incomplete body is a failed attempt like any other.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) and [`Response::json`] do.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<T, Error> {
        self.execute(true).await?.json().await
    }
}

impl std::fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBuilder").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}
