//! The Redis store, on a real Redis that each test starts for itself.
#![cfg(feature = "redis")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

#[path = "../store/conformance.rs"]
mod conformance;
mod lock;
mod outage;
mod rotation;
mod secrecy;
mod server;
mod setups;
#[path = "../rotation/standing_clock.rs"]
mod standing_clock;
mod tls;
mod value;
#[allow(dead_code)]
#[path = "../promises/server.rs"]
mod vendor;

use std::{
    error::Error as StdError,
    time::{Duration, Instant},
};

use perenso_auth::store::{RedisStore, TokenStore};
use server::RedisServer;

fn stores() -> Option<(RedisStore, RedisStore, RedisServer)> {
    let server = RedisServer::start()?;
    Some((store(&server), store(&server), server))
}

conformance::conformance!(stores);

/// A store with time-outs that a busy machine keeps.
fn store(server: &RedisServer) -> RedisStore {
    patient(&server.url())
}

fn patient(url: &str) -> RedisStore {
    let limit = Duration::from_secs(20);
    RedisStore::builder(url).connect_timeout(limit).response_timeout(limit).build().unwrap()
}

/// Another way into the server.
fn raw(server: &RedisServer) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

/// All keys of one kind: `access`, `refresh`, `spent` or `lock`.
fn keys(connection: &mut redis::Connection, kind: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(format!("*:{kind}")).query(connection).unwrap()
}

/// The one key of this kind.
fn key(connection: &mut redis::Connection, kind: &str) -> String {
    let mut keys = keys(connection, kind);
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys.remove(0)
}

/// An error and all its causes.
fn chain(error: &dyn StdError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause} {cause:?}");
        source = cause.source();
    }
    text
}

#[tokio::test]
async fn clones_and_crowds_share_one_connection() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    let asked = (0..50).map(|nth| {
        let store = store.clone();
        tokio::spawn(async move {
            let identity = conformance::identity(&nth.to_string());
            store.load(&identity, conformance::now()).await.unwrap().is_none()
        })
    });
    for response in asked.collect::<Vec<_>>() {
        assert!(response.await.unwrap());
    }
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut raw(&server)).unwrap();
    assert_eq!(clients.lines().count(), 2, "{clients}");
}

#[test]
fn a_store_outlives_its_runtimes() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    let identity = conformance::identity("many runtimes");
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert!(runtime.block_on(store.load(&identity, conformance::now())).unwrap().is_none());
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_store() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    store.load(&conformance::identity("short"), conformance::now()).await.unwrap();
    drop(store);
    let mut connection = raw(&server);
    let start = Instant::now();
    loop {
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut connection).unwrap();
        if clients.lines().count() == 1 {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{clients}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
