//! The bridge between the generated client and the authorised pipeline: every generated call leaves through here.

use progenitor_client::{ByteStream, ResponseValue};
use serde::de::DeserializeOwned;

use crate::{error::Error, operation::Operation};

/// What a generated client carries.
#[derive(Clone, Debug)]
pub struct Bridge {}

/// Sends a request of the generated client and reads the JSON answer.
#[allow(dead_code)]
pub(crate) async fn typed<T: DeserializeOwned>(
    _bridge: &Bridge,
    _request: Result<reqwest::Request, reqwest::Error>,
    operation: &'static Operation,
) -> Result<ResponseValue<T>, Error> {
    Err(Error::invalid_request(operation.id, "not wired yet"))
}

/// Sends a request of the generated client whose answer has no body to read.
#[allow(dead_code)]
pub(crate) async fn empty(
    _bridge: &Bridge,
    _request: Result<reqwest::Request, reqwest::Error>,
    operation: &'static Operation,
) -> Result<ResponseValue<()>, Error> {
    Err(Error::invalid_request(operation.id, "not wired yet"))
}

/// Sends a request of the generated client and hands on the answer as bytes.
#[allow(dead_code)]
pub(crate) async fn stream(
    _bridge: &Bridge,
    _request: Result<reqwest::Request, reqwest::Error>,
    operation: &'static Operation,
) -> Result<ResponseValue<ByteStream>, Error> {
    Err(Error::invalid_request(operation.id, "not wired yet"))
}
