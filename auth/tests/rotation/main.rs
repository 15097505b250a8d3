//! A token server that rotates and punishes reuse, machines that sleep, and clocks that are wrong: no call fails where any
//! client could have succeeded, and no token request is made that need not be.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod clocks;
mod credentials;
mod issuer;
#[path = "../promises/log.rs"]
mod log;
mod person;
#[allow(dead_code, reason = "other tests order more from it")]
#[path = "../promises/server.rs"]
mod server;
mod siblings;
mod standing_clock;
mod stores;
mod stumbling;
mod traces;
mod words;
mod world;

use std::time::Duration;

const S: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
