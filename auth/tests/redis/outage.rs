//! Redis that is away, comes back, says nothing, or says no.

use std::time::{Duration, Instant};

use perenso_auth::store::{RedisStore, StoreErrorKind, TokenStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    chain,
    conformance::{identity, locked, now, save, texts, tokens},
    patient,
    server::RedisServer,
    store,
};

const PASSWORD: &str = "hunter2-and-more";

#[tokio::test]
async fn redis_stopped_is_said_and_redis_started_again_is_used() {
    let Some(mut server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    save(&store, &identity, &tokens(None, Some("refresh"), None)).await;
    server.kill();
    let error = store.load(&identity, now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains(&format!("Redis at 127.0.0.1:{}", server.port)), "{error}");
    assert!(store.try_lock(&identity, Duration::from_secs(1)).await.is_err());

    server.start_again();
    let start = Instant::now();
    while store.load(&identity, now()).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "it is not asked again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    save(&store, &identity, &tokens(None, Some("again"), None)).await;
}

#[tokio::test]
async fn a_restart_that_nobody_noticed_is_no_error() {
    let Some(mut server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    save(&store, &identity, &tokens(None, Some("refresh"), None)).await;
    server.start_again();
    let mut lock = locked(&store, &identity).await;
    assert!(lock.load(now()).await.unwrap().is_none());
    server.start_again();
    lock.save(&tokens(None, Some("rotated"), None), now()).await.unwrap();
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()).1.as_deref(), Some("rotated"));
}

#[tokio::test]
async fn silence_costs_the_time_out_once_and_not_each_caller() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let mut taken = Vec::new();
        loop {
            taken.push(listener.accept().await.unwrap());
            assert_eq!(taken.len(), 1, "it was asked again at once");
        }
    });
    let limit = Duration::from_millis(100);
    let store = RedisStore::builder(url).connect_timeout(limit).response_timeout(limit).build().unwrap();
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.load(&identity("show-1"), now()).await.unwrap_err() })
        })
        .collect();
    for response in asked {
        let error = response.await.unwrap();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    assert!(!silent.is_finished());
    silent.abort();
}

#[tokio::test]
async fn a_server_that_is_stopped_is_given_up() {
    let Some(mut server) = RedisServer::start() else { return };
    let limit = Duration::from_millis(200);
    let store = RedisStore::builder(server.url()).connect_timeout(limit).response_timeout(limit).build().unwrap();
    let identity = identity("show-1");
    // The first use may take longer than the limit on a busy machine.
    let _ = store.load(&identity, now()).await;
    server.signal("STOP");
    let start = Instant::now();
    while store.load(&identity, now()).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(20), "the server does not stand still");
    }
    server.signal("CONT");
    while store.load(&identity, now()).await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(40), "it is not asked again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_redis_is_an_error() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let web = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = patient(&url).load(&identity("show-1"), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    web.abort();
}

#[tokio::test]
async fn a_password_opens_and_a_wrong_one_is_never_shown() {
    let Some(server) = RedisServer::start_with(&["--requirepass", PASSWORD]) else { return };
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}", server.port);
    let identity = identity("show-1");
    assert!(patient(&url(&format!(":{PASSWORD}@"))).load(&identity, now()).await.unwrap().is_none());
    for login in [":wrong-hunter2@", "user:wrong-hunter2@", ""] {
        let store = patient(&url(login));
        let error = store.load(&identity, now()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let text = format!("{} {store:?} {}", chain(&error), store.name());
        assert!(text.contains("check the user and password"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_repeats_what_it_was_sent_is_not_quoted() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://:{PASSWORD}@{}", listener.local_addr().unwrap());
    let parrot = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut sent = vec![0; 4096];
            // AUTH and two words about the client; then whatever comes.
            let mut response = "+OK\r\n".repeat(3);
            while stream.read(&mut sent).await.is_ok_and(|read| read > 0) {
                if stream.write_all(response.as_bytes()).await.is_err() {
                    break;
                }
                response = format!("-ERR no, since you said: '{PASSWORD}'\r\n");
            }
        }
    });
    let error = patient(&url).load(&identity("show-1"), now()).await.unwrap_err();
    assert!(error.to_string().contains("responded with `ERR`"), "{error}");
    assert!(!chain(&error).contains("hunter2"), "{}", chain(&error));
    parrot.abort();
}

#[tokio::test]
async fn a_user_without_leave_is_told_what_it_needs() {
    let Some(server) = RedisServer::start_with(&["--user", "poor", "on", ">poor", "~*", "+get"]) else { return };
    let url = format!("redis://poor:poor@127.0.0.1:{}", server.port);
    let error = patient(&url).load(&identity("show-1"), now()).await.unwrap_err();
    assert!(error.to_string().contains("`NOPERM`") && error.to_string().contains("+eval"), "{error}");
}
