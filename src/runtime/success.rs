//! Successful responses of several kinds.

use std::fmt;

use bytes::Bytes;
use perenso_auth::Response;
use progenitor_client::ResponseValue;
use serde::de::DeserializeOwned;

use super::{
    bridge::{Bridge, Request, send_raw},
    operation::Operation,
};
use crate::error::Error;

/// The response of a call that may succeed in several ways. The status is that of the
/// [`ResponseValue`](progenitor_client::ResponseValue) around it.
///
/// ```
/// use perenso::runtime::Success;
///
/// fn tickets(response: Success<Vec<u32>>) -> Result<Vec<u32>, serde_json::Error> {
///     match response {
///         Success::Value(tickets) => Ok(tickets),
///         Success::Other(body) => Ok(vec![body.json()?]),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Success<T> {
    /// The response that has a type.
    Value(T),
    /// Another one that the document names.
    Other(OtherBody),
}

/// The body of a successful response for which the call has no type. It may be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherBody(Bytes);

impl<T> Success<T> {
    /// Returns the typed response.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Other(_) => None,
        }
    }

    /// Changes the typed response.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Success<U> {
        match self {
            Self::Value(value) => Success::Value(change(value)),
            Self::Other(body) => Success::Other(body),
        }
    }
}

impl OtherBody {
    /// Returns the bytes as they came.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// The body is not JSON of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }
}

/// Shows the length.
impl fmt::Debug for OtherBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherBody({} bytes)", self.0.len())
    }
}

/// Sends a request of the generated client. Reads the JSON response, or keeps the body of one with another status of success.
///
/// # Errors
/// The request cannot be built, the call fails, or the typed response is not the expected JSON.
pub async fn send_success<T: DeserializeOwned>(
    bridge: &Bridge,
    request: Request,
    operation: &'static Operation,
    is_other: fn(u16) -> bool,
) -> Result<ResponseValue<Success<T>>, Error> {
    let response: Response = send_raw(bridge, request, operation).await?;
    let status = response.status();
    if is_other(status.as_u16()) {
        let headers = response.headers().clone();
        return Ok(ResponseValue::new(Success::Other(OtherBody(response.bytes().await?)), status, headers));
    }
    let (value, headers) = response.json_with_headers().await?;
    Ok(ResponseValue::new(Success::Value(value), status, headers))
}
