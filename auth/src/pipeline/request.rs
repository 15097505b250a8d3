//! The builder of a request: query, headers, body and options.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    sync::Arc,
};

use form_urlencoded::byte_serialize;
use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use serde::{Serialize, de::DeserializeOwned};

use crate::pipeline::{
    context::{Call, ClientState, address, idempotency_of},
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
    /// The path from the root with the parameters so far.
    target: String,
    body: Option<reqwest::Body>,
    content_type: Option<HeaderValue>,
    options: Option<Arc<CallOptions>>,
    idempotency: Idempotency,
    problem: Option<String>,
}

impl RequestBuilder {
    pub(crate) fn new(client: Arc<ClientState>, method: Method, path: Cow<'static, str>) -> Self {
        let idempotency = idempotency_of(&method);
        let target = client.target(&path);
        Self {
            client,
            method,
            path,
            operation: None,
            target,
            body: None,
            content_type: None,
            options: None,
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
    pub fn query(mut self, name: impl AsRef<str>, value: impl fmt::Display) -> Self {
        if !self.target.ends_with(['?', '&']) {
            self.target.push(if self.target.contains('?') { '&' } else { '?' });
        }
        self.target.extend(byte_serialize(name.as_ref().as_bytes()));
        self.target.push('=');
        if write!(Encoded(&mut self.target), "{value}").is_err() {
            self.problem = Some(format!("the value of the query parameter `{}` cannot be written", name.as_ref()));
        }
        self
    }

    /// Sets a header, in place of one of the same name.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(self.options.get_or_insert_default()).headers.insert(name, value);
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
    pub fn options(mut self, options: impl Into<Arc<CallOptions>>) -> Self {
        let options = options.into();
        self.options = Some(match self.options {
            Some(before) => Arc::new(Arc::unwrap_or_clone(options).over(&before)),
            None => options,
        });
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// Fails unless the API responds with a success status: see [`ErrorKind`].
    pub async fn send(self) -> Result<Response, Error> {
        let (client, options, request, call) = self.build()?;
        retry_loop::execute(&client, request, Call { options: options.as_deref(), ..call }).await
    }

    /// Returns the request and its call, with the client and the options that they need.
    #[allow(clippy::type_complexity)]
    fn build(self) -> Result<(Arc<ClientState>, Option<Arc<CallOptions>>, reqwest::Request, Call<'static>), Error> {
        let operation = self.operation.unwrap_or_else(|| {
            Cow::Owned(format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default()))
        });
        if let Some(detail) = self.problem {
            return Err(Error::new(ErrorKind::Request, operation, detail));
        }
        let url = match address(&self.client.api_url, &self.path, &self.target) {
            Ok(url) => url,
            Err(detail) => return Err(Error::new(ErrorKind::Request, operation, detail)),
        };
        let mut request = reqwest::Request::new(self.method, url);
        *request.body_mut() = self.body;
        if let Some(content_type) = self.content_type {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        let call = Call { is_plain: true, ..Call::new(operation, self.idempotency) };
        Ok((self.client, self.options, request, call))
    }

    /// Sends the request and reads the response as JSON. An incomplete body is a failed attempt like any other.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) and [`Response::json`] do.
    pub async fn send_json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (client, options, request, call) = self.build()?;
        let call = Call { buffered: true, options: options.as_deref(), ..call };
        retry_loop::execute(&client, request, call).await?.json().await
    }
}

/// Percent-encodes what is written, as a value of a form.
struct Encoded<'a>(&'a mut String);

impl fmt::Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(byte_serialize(text.as_bytes()));
        Ok(())
    }
}

impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Client, Credentials, Profile};

    /// Every caller moves the future of a call, in each function that it passes through.
    #[test]
    fn the_future_of_a_call_is_small() {
        let credentials = Credentials::new("SHOWID", "s3cr3t");
        let client = Client::builder(Profile::perenso()).credentials(credentials).build().unwrap();
        let size = size_of_val(&client.get("/Customer").query("page", 1).send_json::<u8>());
        assert!(size < 1200, "{size} bytes");
    }

    #[test]
    fn parameters_follow_those_of_the_path() {
        let credentials = Credentials::new("SHOWID", "s3cr3t");
        let client = Client::builder(Profile::perenso()).credentials(credentials).build().unwrap();
        for (path, query) in [
            ("/Customer", "name=a+b%26c&page=1"),
            ("/Customer?", "name=a+b%26c&page=1"),
            ("/Customer?sort=id", "sort=id&name=a+b%26c&page=1"),
            ("/Customer?sort=id&", "sort=id&name=a+b%26c&page=1"),
        ] {
            let (_, _, request, _) = client.get(path).query("name", "a b&c").query("page", 1).build().unwrap();
            assert_eq!(request.url().query(), Some(query), "{path}");
        }
    }

    /// An address is put together, not parsed. It must be the one that the URL crate reads from the whole.
    #[test]
    fn the_address_is_that_of_the_base_address_and_the_path() {
        for base in ["https://api.example", "https://api.example:8443/v2/", "https://api.example//v2"] {
            let credentials = Credentials::new("SHOWID", "s3cr3t");
            let client = Client::builder(Profile::perenso()).credentials(credentials).api_url(base).build().unwrap();
            let start = base.trim_end_matches('/');
            for path in
                ["/", "/Customer", "/Customer/a%2Fb;c", "/Customer?", "/a?b=c/?d='é", "/É/{x}|\"<>`^", "/.x/..y?/../"]
            {
                let (_, _, request, _) = client.get(path).build().unwrap();
                let whole = reqwest::Url::parse(&format!("{start}{path}")).unwrap();
                assert_eq!(request.url(), &whole, "{base} {path}");
            }
        }
    }
}
