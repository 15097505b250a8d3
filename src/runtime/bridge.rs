//! The bridge from the generated client to the pipeline: every generated call passes through it.

use std::sync::Arc;

use perenso_auth::{Call, CallOptions, Client, Response};
use progenitor_client::ResponseValue;
use serde::de::DeserializeOwned;

use crate::{error::Error, runtime::Operation};

/// The state of a generated client: the pipeline and the call options.
#[derive(Clone, Debug)]
pub(crate) struct Bridge {
    pub(crate) auth: Client,
    pub(crate) options: Arc<CallOptions>,
    /// True if a call ends with the headers of its response instead of its body.
    pub(crate) is_streaming: bool,
}

type Request = Result<reqwest::Request, reqwest::Error>;

/// Sends a request of the generated client and returns the response, with its whole body unless it is streamed.
pub(crate) async fn send_raw(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<Response, Error> {
    // The message of the cause may contain the URL with its query.
    let request = request.map_err(|_| Error::invalid_request(operation.id, "the values make no request"))?;
    let call = Call::new(operation.id, operation.idempotency).options(&bridge.options);
    let call = if bridge.is_streaming { call } else { call.buffered() };
    Ok(bridge.auth.execute(request, call).await?)
}

/// Sends a request of the generated client and reads the JSON response.
pub(crate) async fn send_json<T: DeserializeOwned>(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<ResponseValue<T>, Error> {
    let response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    let (value, headers) = response.json_with_headers().await?;
    Ok(ResponseValue::new(value, status, headers))
}

/// Sends a request of the generated client whose response has no body to read.
pub(crate) async fn send_empty(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
) -> Result<ResponseValue<()>, Error> {
    let response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    Ok(ResponseValue::new((), status, response.acknowledge().await?))
}
