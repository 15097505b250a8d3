//! The bridge from the generated client to the pipeline: every generated call passes through it.

use std::sync::Arc;

use http::{StatusCode, header::CONTENT_LENGTH};
use perenso_auth::{Call, CallOptions, Client, Response};
use progenitor_client::ResponseValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{error::Error, runtime::Operation};

/// The state of a generated client: the pipeline and the call options.
#[derive(Clone, Debug)]
pub struct Bridge {
    auth: Client,
    options: Arc<CallOptions>,
    /// True if a call ends with the headers of its response instead of its body.
    is_streaming: bool,
}

impl Bridge {
    /// Creates a bridge to an authorised client.
    pub fn new(auth: &Client) -> Self {
        Self { auth: auth.clone(), options: Arc::default(), is_streaming: false }
    }

    /// Returns a bridge whose calls use these options, and otherwise those of this bridge.
    #[must_use]
    pub fn with_options(&self, options: CallOptions) -> Self {
        Self { options: Arc::new(options.over(&self.options)), ..self.clone() }
    }

    /// Returns a bridge whose calls end with the headers of their responses.
    pub(crate) fn streaming(&self) -> Self {
        Self { is_streaming: true, ..self.clone() }
    }

    /// Returns the client that sends the calls.
    pub fn auth(&self) -> &Client {
        &self.auth
    }

    /// Returns the options of the calls.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    pub(crate) fn shared_options(&self) -> Arc<CallOptions> {
        Arc::clone(&self.options)
    }

    /// Returns the base address of the API without a slash at the end.
    pub fn base_url(&self) -> String {
        self.auth.api_url().as_str().trim_end_matches('/').to_owned()
    }
}

pub(super) type Request = Result<reqwest::Request, reqwest::Error>;

/// Sends a request of the generated client and returns the response, with its whole body unless it is streamed.
///
/// # Errors
/// The request cannot be built, or the call fails.
pub async fn send_raw(bridge: &Bridge, request: Request, operation: &'static Operation) -> Result<Response, Error> {
    let request = request.map_err(|error| {
        // The message of the error itself may contain the URL with its query.
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<serde_json::Error>());
        let cause = cause.map_or(String::new(), |cause| format!(": {cause}"));
        Error::invalid_request(operation.id, format!("the values make no request{cause}"))
    })?;
    let call = Call::new(operation.id, operation.idempotency).options(&bridge.options);
    let call = if bridge.is_streaming { call } else { call.buffered() };
    Ok(bridge.auth.execute(request, call).await?)
}

/// Sends a request of the generated client and reads the JSON response.
///
/// # Errors
/// The request cannot be built, the call fails, or the response is not the expected JSON.
pub async fn send_json<T: DeserializeOwned>(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<ResponseValue<T>, Error> {
    let response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    let (value, headers) = response.json_with_headers().await?;
    Ok(ResponseValue::new(value, status, headers))
}

/// Sends a request of the generated client and reads a JSON object without documented fields. An empty body is an empty object:
/// such a schema is often the sample of a response that has no body.
///
/// # Errors
/// The request cannot be built, the call fails, or the response is not a JSON object.
pub async fn send_json_object(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<ResponseValue<Map<String, Value>>, Error> {
    let response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    let is_empty = response.headers().get(CONTENT_LENGTH).is_some_and(|length| length == "0");
    let (value, headers) = match status == StatusCode::NO_CONTENT || is_empty {
        true => (Map::new(), response.acknowledge().await?),
        false => response.json_with_headers().await?,
    };
    Ok(ResponseValue::new(value, status, headers))
}

/// Sends a request of the generated client whose response has no body to read.
///
/// # Errors
/// The request cannot be built, or the call fails.
pub async fn send_empty(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<ResponseValue<()>, Error> {
    let response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    Ok(ResponseValue::new((), status, response.acknowledge().await?))
}
