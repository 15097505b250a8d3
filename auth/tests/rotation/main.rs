//! A token server that rotates and punishes reuse, machines that sleep, and clocks that are wrong: no call fails where any
//! client could have succeeded, and no token request is made that need not be.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod authorization_code;
mod clocks;
mod credentials;
mod failing_store;
mod issuer;
#[path = "../promises/log.rs"]
mod log;
mod random_events;
#[allow(dead_code, reason = "other tests order more from it")]
#[path = "../promises/server.rs"]
mod server;
mod shared_store;
mod standing_clock;
mod store_calls;
mod stores;
mod world;

use std::time::Duration;

const S: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
