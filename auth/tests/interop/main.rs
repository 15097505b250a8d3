//! Interoperation with an authorization server that nobody here wrote: `oidc-provider`, and beside it a resource server
//! that asks it by introspection about every token. `just interop` installs both and runs this.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod authorization_code;
mod client_credentials;
mod provider;

use std::time::Duration;

use perenso_auth::{Client, Error};

const S: Duration = Duration::from_secs(1);

/// The id of the client that the resource server saw.
async fn stock(client: &Client) -> Result<String, Error> {
    let response: serde_json::Value = client.get("/stock").send_json().await?;
    Ok(response["owner"].as_str().unwrap().to_owned())
}
