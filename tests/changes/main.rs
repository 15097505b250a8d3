//! Reading what changed: under every plausible vendor, with writes between the pages, no record is missed.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod random_writes;
#[path = "../facade/server.rs"]
#[allow(dead_code)]
mod server;
mod vendors;

use perenso::Perenso;
use perenso_sandbox::Sandbox;

fn client(sandbox: &Sandbox) -> Perenso {
    let builder = Perenso::builder().client_id(sandbox.client_id()).client_secret(sandbox.client_secret());
    builder.api_url(sandbox.url()).token_url(sandbox.token_url()).unlimited().build().unwrap()
}
