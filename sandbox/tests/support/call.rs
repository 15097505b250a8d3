//! Calls of a sandbox with a valid token.

#![allow(dead_code, reason = "every test file takes what it needs")]

#[path = "http.rs"]
pub(crate) mod http;

use perenso_sandbox::Sandbox;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// A client with its own token.
pub(crate) struct Caller {
    client: Client,
    url: String,
    token: String,
}

impl Caller {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        Self { client: http::client(), url: sandbox.url().to_owned(), token: sandbox.issue_token() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// Sends a request with an optional JSON body. Returns the status and the body, or null if it is empty.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request.header("content-length", "0"),
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        match text.as_str() {
            "" => (status, Value::Null),
            text => (status, serde_json::from_str(text).unwrap()),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }
}
