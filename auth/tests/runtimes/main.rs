//! Programs that end, and runtimes that come and go: no refresh token that was sent is abandoned, and nothing waits for a
//! runtime that nobody drives.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod exit;
#[allow(dead_code, reason = "other tests order more from it")]
#[path = "../promises/server.rs"]
mod server;
mod stopped_runtime;
mod world;
