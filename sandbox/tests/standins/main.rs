//! The stand-ins for other systems.

#![allow(clippy::unwrap_used)]

#[path = "../support/http.rs"]
mod http;

mod event_bookings;
mod perspio;
mod priava;
mod tokens;
mod tourpaq;

use perenso_sandbox::StandIn;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded;charset=utf-8";

/// The fields of a token request.
type Fields<'a> = Vec<(&'a str, String)>;

/// Returns `fields` without the one with this name.
fn without<'a>(fields: &Fields<'a>, name: &str) -> Fields<'a> {
    assert!(fields.iter().any(|(key, _)| *key == name), "{name}");
    fields.iter().filter(|(key, _)| *key != name).cloned().collect()
}

/// Returns `fields` with another value for this name.
fn with<'a>(fields: &Fields<'a>, name: &'a str, value: &str) -> Fields<'a> {
    let mut fields: Fields = fields.iter().filter(|(key, _)| *key != name).cloned().collect();
    fields.push((name, value.to_owned()));
    fields
}

/// Returns a token request as a form with a charset.
fn form(stand_in: &StandIn, fields: &Fields) -> RequestBuilder {
    http::client().post(stand_in.token_url()).header("content-type", FORM).form(fields)
}

/// Returns the status and the body, or null if it is not JSON.
async fn status_and_body(request: RequestBuilder) -> (u16, Value) {
    read(request.send().await.unwrap()).await
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Returns the body of a successful token request.
async fn granted(request: RequestBuilder) -> Value {
    let (status, body) = status_and_body(request).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Returns the status and the error code of a failed one.
async fn refused(request: RequestBuilder) -> (u16, String) {
    let (status, body) = status_and_body(request).await;
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
