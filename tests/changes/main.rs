//! Reads of changed records: no record is missed with any plausible vendor, despite writes between the pages.
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
