//! Redis set-ups that work, and what is said about those that do not: users with few rights, replicas, clusters, sentinels.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use perenso_auth::{
    Client, Credentials, Profile, Rate, SharedBudget,
    store::{RedisStore, StoreErrorKind, TokenStore},
};

use crate::{
    chain,
    conformance::{identity, locked, now, save, texts, tokens},
    patient, raw,
    server::RedisServer,
    store, vendor,
};

/// The rights that the documentation of `RedisStore` asks for.
const RIGHTS: [&str; 8] = ["+eval", "+get", "+set", "+del", "+pttl", "+pexpire", "+info", "+time"];
const KEYS: &str = "~perenso-auth:*";

/// A user with all rights but one.
fn user(without: &str, keys: &str) -> Option<(RedisServer, RedisStore)> {
    let mut settings = vec!["--user", "erp", "on", ">hunter2", keys];
    settings.extend(RIGHTS.into_iter().filter(|right| *right != without));
    let server = RedisServer::start_with(&settings)?;
    let store = patient(&format!("redis://erp:hunter2@127.0.0.1:{}", server.port));
    Some((server, store))
}

/// All that a store is asked for, up to the first error.
async fn work(store: &RedisStore) -> Result<(), String> {
    let identity = identity("show-1");
    let text = |error| chain(&error);
    store.load(&identity, now()).await.map_err(text)?;
    let mut lock = store.try_lock(&identity, Duration::from_secs(5)).await.map_err(text)?.unwrap();
    lock.extend().await.map_err(text)?;
    lock.save(&tokens(None, Some("refresh"), None), now()).await.map_err(text)?;
    lock.save(&tokens(None, None, Some("spent")), now()).await.map_err(text)?;
    lock.release().await;
    Ok(())
}

#[tokio::test]
async fn a_user_with_the_documented_rights_can_do_everything() {
    let Some((server, redis)) = user("", KEYS) else { return };
    work(&redis).await.unwrap();
    // A budget over a Redis that has just started waits for as long as these take.
    let limit = Duration::from_millis(300);
    let url = format!("redis://erp:hunter2@127.0.0.1:{}", server.port);
    let redis = RedisStore::builder(url).connect_timeout(limit).response_timeout(limit).build().unwrap();
    let api = vendor::Server::start(|seen| match seen.path.as_str() {
        "/token" => vendor::token(0, 300),
        _ => vendor::Reply::json(200, "[]"),
    })
    .await;
    let client = Client::builder(Profile::new("x").rate(Rate::new(1, Duration::from_millis(10), 1)))
        .credentials(Credentials::new("client", "s3cr3t"))
        .token_url(format!("{}/token", api.url))
        .api_url(&api.url)
        .shared_budget(SharedBudget::over(&redis, 1))
        .store(redis)
        .build()
        .unwrap();
    client.get("/a").send().await.unwrap();
    let mut connection = raw(&server);
    let budgets: Vec<String> = redis::cmd("KEYS").arg("*:budget").query(&mut connection).unwrap();
    assert_eq!(budgets.len(), 1, "the budget is shared");
}

#[tokio::test]
async fn a_user_who_lacks_a_right_is_told_all_that_it_needs() {
    for right in ["+eval", "+get", "+set", "+del", "+pttl", "+pexpire"] {
        let Some((_server, redis)) = user(right, KEYS) else { return };
        let error = work(&redis).await.unwrap_err();
        assert!(error.contains("`~perenso-auth:*"), "{right}: {error}");
        assert!(RIGHTS.iter().all(|right| error.contains(right)), "{error}");
    }
    let Some((_server, redis)) = user("", "~other:*") else { return };
    let error = work(&redis).await.unwrap_err();
    assert!(error.contains("`~perenso-auth:*"), "{error}");
}

#[tokio::test]
async fn a_replica_is_named_and_is_used_again_once_it_is_the_primary() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    save(&store, &identity, &tokens(None, Some("refresh"), None)).await;
    let mut connection = raw(&server);
    replica_of(&mut connection, "127.0.0.1", &dead_port().to_string());
    // Its values can still be read.
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()).1.as_deref(), Some("refresh"));
    let error = store.try_lock(&identity, Duration::from_secs(5)).await.unwrap_err();
    let text = chain(&error);
    assert!(text.contains("`READONLY`") && text.contains("the address of the primary"), "{text}");
    replica_of(&mut connection, "NO", "ONE");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    locked(&store, &identity).await.release().await;
}

#[tokio::test]
async fn a_replica_without_its_primary_is_named() {
    let settings = ["--replicaof", "127.0.0.1", &dead_port().to_string(), "--replica-serve-stale-data", "no"];
    let Some(server) = RedisServer::start_with(&settings) else { return };
    let text = chain(&store(&server).load(&identity("show-1"), now()).await.unwrap_err());
    assert!(text.contains("`MASTERDOWN`") && text.contains("the address of the primary"), "{text}");
}

#[tokio::test]
async fn a_cluster_is_named() {
    let Some(server) = RedisServer::start_with(&["--cluster-enabled", "yes"]) else { return };
    let text = chain(&store(&server).load(&identity("show-1"), now()).await.unwrap_err());
    assert!(text.contains("`CLUSTERDOWN`") && text.contains("node of a cluster"), "{text}");
}

#[tokio::test]
async fn a_sentinel_is_named() {
    // It wants a file of its own, which goes before all settings.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sentinel.conf");
    std::fs::write(&file, "").unwrap();
    let Some(server) = RedisServer::start_with(&[file.to_str().unwrap(), "--sentinel"]) else { return };
    let text = chain(&store(&server).load(&identity("show-1"), now()).await.unwrap_err());
    assert!(text.contains("a Sentinel"), "{text}");
}

/// Error responses of clusters, replicas and servers in trouble.
#[tokio::test]
async fn every_refusal_says_what_to_do() {
    for (says, advice) in [
        ("MOVED 3999 10.0.0.7:6381", "node of a cluster"),
        ("ASK 3999 10.0.0.7:6381", "node of a cluster"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "node of a cluster"),
        ("CLUSTERDOWN The cluster is down", "node of a cluster"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", "node of a cluster"),
        ("READONLY You can't write against a read only replica.", "the address of the primary"),
        ("MASTERDOWN Link with MASTER is down", "the address of the primary"),
        ("LOADING Redis is loading the dataset in memory", "is tried again"),
        ("BUSY Redis is busy running a script", "is tried again"),
        ("NOAUTH Authentication required.", "check the user and password"),
        ("NOPERM this user has no permissions to run the 'eval' command", "+eval"),
        ("DENIED Redis is running in protected mode", "protected mode"),
        ("MISCONF Redis is configured to save RDB snapshots", "its disk"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "`maxmemory`"),
        ("NOREPLICAS Not enough good replicas to write.", "`min-replicas-to-write`"),
        ("ERR unknown command 'EVAL', with args beginning with: 'hush'", "a Sentinel"),
    ] {
        let code = says.split(' ').next().unwrap();
        let url = stub(says);
        let error = patient(&url).load(&identity("show-1"), now()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let text = chain(&error);
        assert!(text.contains(&format!("responded with `{code}`")) && text.contains(advice), "{says}: {text}");
        assert!(
            !text.contains("10.0.0.7") && !text.contains("hush"),
            "nothing that the server says is repeated: {text}"
        );
    }
}

/// A server that refuses every script.
fn stub(says: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || refuse(stream.unwrap(), says));
        }
    });
    url
}

fn refuse(mut stream: TcpStream, says: &str) {
    let mut sent = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut sent) {
        let sent = String::from_utf8_lossy(&sent[..read]);
        let response = match sent.contains("EVAL") {
            true => format!("-{says}\r\n"),
            false => "+OK\r\n".repeat(sent.matches("SETINFO").count().max(1)),
        };
        if stream.write_all(response.as_bytes()).is_err() {
            return;
        }
    }
}

pub fn dead_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

pub fn replica_of(connection: &mut redis::Connection, host: &str, port: &str) {
    redis::cmd("REPLICAOF").arg(host).arg(port).exec(connection).unwrap();
}
