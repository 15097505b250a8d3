//! Refresh tokens that only a person can replace, kept in a Redis that fails for a moment, and from runtimes that stand.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use perenso_auth::{
    Client, Credentials, Profile,
    store::{RedisStore, TokenStore},
};
use tokio::runtime::Runtime;

use crate::{
    conformance::{identity, now},
    key, raw,
    server::RedisServer,
    setups::{dead_port, replica_of},
    standing_clock::StandingClock,
    store,
    vendor::{Reply, Server, token},
};

/// Long enough for a lock that ends by the clock of Redis.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A token server that issues each refresh token once, and calls `sabotage` before each response.
async fn rotating(sabotage: impl Fn() + Send + Sync + 'static) -> Server {
    let newest = Mutex::new(0);
    Server::start(move |seen| {
        if seen.path != "/token" {
            return Reply::json(200, "[]");
        }
        let mut newest = newest.lock().unwrap();
        let expected = if *newest == 0 { "brought".to_owned() } else { format!("ref-{newest}") };
        if seen.field("refresh_token").as_deref() != Some(&expected) {
            return Reply::json(400, r#"{"error":"invalid_grant"}"#);
        }
        *newest += 1;
        sabotage();
        token(*newest, LIFETIME.as_secs())
    })
    .await
}

#[tokio::test]
async fn a_refresh_token_that_met_a_replica_is_stored_once_it_is_the_primary_again() {
    let Some(redis) = RedisServer::start() else { return };
    let becomes_replica = Arc::new(AtomicBool::new(false));
    let (armed, url) = (Arc::clone(&becomes_replica), redis.url());
    let vendor = rotating(move || {
        if armed.swap(false, Ordering::SeqCst) {
            let mut connection = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
            replica_of(&mut connection, "127.0.0.1", &dead_port().to_string());
        }
    })
    .await;
    let (store, clock) = (store(&redis), StandingClock::default());
    let client = || {
        Client::builder(Profile::new("rotation"))
            .token_url(format!("{}/token", vendor.url))
            .api_url(&vendor.url)
            .credentials(Credentials::new("client-1", "s3cr3t").refresh_token("brought"))
            .clock(clock.clone())
            .store(store.clone())
            .build()
            .unwrap()
    };
    let call = async |client: &Client| client.get("/stock").send().await.map(drop);
    let first = client();
    call(&first).await.unwrap();
    let mut connection = raw(&redis);
    let kept = |connection: &mut redis::Connection| -> Vec<u8> {
        let key = key(connection, "refresh");
        redis::cmd("GET").arg(key).query(connection).unwrap()
    };
    let before = kept(&mut connection);
    // The next refresh token is rotated, and cannot be stored.
    clock.0.advance(LIFETIME);
    becomes_replica.store(true, Ordering::SeqCst);
    call(&first).await.unwrap();
    assert!(!becomes_replica.load(Ordering::SeqCst), "a token was asked for");
    assert_eq!(kept(&mut connection), before);
    replica_of(&mut connection, "NO", "ONE");
    // It is on use, long before the next renewal.
    let started = Instant::now();
    while kept(&mut connection) == before {
        assert!(started.elapsed() < Duration::from_secs(20), "it is not stored");
        clock.0.advance(Duration::from_secs(6));
        call(&first).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(vendor.tokens().len(), 2);
    drop(first);
    // The access token ends, by the clock of Redis.
    let access = key(&mut connection, "access");
    redis::cmd("DEL").arg(access).exec(&mut connection).unwrap();
    call(&client()).await.unwrap();
    let sent: Vec<_> = vendor.tokens().iter().map(|seen| seen.field("refresh_token").unwrap()).collect();
    assert_eq!(sent, ["brought", "ref-1", "ref-2"]);
}

/// A runtime of one thread, which is driven only while `block_on` runs.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn load(store: &RedisStore) {
    assert!(store.load(&identity("runtimes"), now()).await.unwrap().is_none());
}

#[test]
fn a_connection_of_a_runtime_that_is_stopped_is_not_used() {
    let Some(redis) = RedisServer::start() else { return };
    let store = store(&redis);
    let standing = runtime();
    standing.block_on(load(&store));
    let started = Instant::now();
    let driven = runtime();
    driven.block_on(load(&store));
    // The other way round as well, and each keeps its own.
    standing.block_on(load(&store));
    driven.block_on(load(&store));
    assert!(started.elapsed() < Duration::from_secs(10), "somebody has waited for a time-out");
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut raw(&redis)).unwrap();
    assert_eq!(clients.lines().count(), 3, "one for each runtime, and this one: {clients}");
}

#[test]
fn a_question_of_a_runtime_that_is_stopped_holds_up_no_other() {
    let Some(mut redis) = RedisServer::start() else { return };
    let store = store(&redis);
    let standing = runtime();
    redis.signal("STOP");
    standing.block_on(async {
        let asking = store.clone();
        tokio::spawn(async move { load(&asking).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    redis.signal("CONT");
    let started = Instant::now();
    runtime().block_on(load(&store));
    assert!(started.elapsed() < Duration::from_secs(10), "it has waited for the other's time-out");
}

#[cfg(feature = "registry")]
#[tokio::test]
async fn a_rotated_password_of_redis_in_the_file_of_a_registry_needs_no_restart() {
    let Some(redis) = RedisServer::start_with(&["--requirepass", "first"]) else { return };
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", redis.port);
    let vendor = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, LIFETIME.as_secs()),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("secret", "s");
    write("redis", &url("hunter2"));
    write(
        "shows.toml",
        &format!(
            "[store]\nredis_url_file = \"redis\"\n[shows.spring]\nprofile = \"perenso\"\nclient_id = \"spring\"\n\
             client_secret_file = \"secret\"\ntoken_url = \"{0}/token\"\napi_url = \"{0}\"\n",
            vendor.url
        ),
    );
    let clock = StandingClock::default();
    let path = directory.path().join("shows.toml");
    let registry = perenso_auth::Registry::read_with(path, |_, builder| builder.clock(clock.clone())).unwrap();
    let client = registry.get("spring").unwrap();
    let mut connection = redis::Client::open(url("first")).unwrap().get_connection().unwrap();
    for password in ["first", "second"] {
        redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(password).exec(&mut connection).unwrap();
        redis::cmd("CLIENT")
            .arg("KILL")
            .arg("TYPE")
            .arg("normal")
            .arg("SKIPME")
            .arg("yes")
            .exec(&mut connection)
            .unwrap();
        redis::cmd("FLUSHALL").exec(&mut connection).unwrap();
        write("redis", &format!("\u{feff}{}\n", url(password)));
        client.get("/stock").send().await.unwrap();
        assert_eq!(crate::keys(&mut connection, "access").len(), 1, "{password}");
        clock.0.advance(LIFETIME);
    }
}
