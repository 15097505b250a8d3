//! The lock: whose it is, when it ends, and what one who has lost it may still write.

use std::time::{Duration, Instant};

use perenso_auth::{
    Identity,
    store::{RedisStore, StoreErrorKind, StoreLock, TokenStore},
};

use crate::{
    conformance::{identity, locked, now, texts, tokens},
    key, raw,
    server::RedisServer,
    store,
};

const BRIEF: Duration = Duration::from_millis(50);

/// A lock that is over, whose holder has looked.
async fn lost(store: &RedisStore, identity: &Identity) -> Box<dyn StoreLock> {
    let mut lock = store.try_lock(identity, BRIEF).await.unwrap().unwrap();
    // On a busy machine the lock may be over before the look: that changes nothing.
    lock.load(now()).await.unwrap();
    let start = Instant::now();
    loop {
        if let Some(free) = store.try_lock(identity, Duration::from_secs(60)).await.unwrap() {
            free.release().await;
            return lock;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the lock does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_late_save_is_written_where_nobody_else_has_written() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let mut late = lost(&store, &identity).await;
    let mut holder = locked(&store, &identity).await;
    late.save(&tokens(None, Some("first"), None), now()).await.unwrap();
    assert_eq!(texts(holder.load(now()).await.unwrap()).1.as_deref(), Some("first"));
    holder.release().await;
    // Its own writes are not a change either.
    let mut late = lost(&store, &identity).await;
    late.save(&tokens(None, Some("second"), None), now()).await.unwrap();
    late.save(&tokens(None, Some("third"), None), now()).await.unwrap();
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()).1.as_deref(), Some("third"));
}

#[tokio::test]
async fn a_late_save_is_refused_where_somebody_else_has_written() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let life = Duration::from_secs(300);
    for theirs in [
        tokens(Some(("access", life, BRIEF)), None, None),
        tokens(None, Some("refresh"), None),
        tokens(None, None, Some("spent")),
    ] {
        let mut late = lost(&store, &identity).await;
        let mut holder = locked(&store, &identity).await;
        holder.save(&theirs, now()).await.unwrap();
        let error = late.save(&tokens(None, Some("late"), None), now()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::LockLost);
        assert_eq!(texts(store.load(&identity, now()).await.unwrap()), texts(Some(theirs)));
        // Nor does it matter that the other is gone.
        holder.release().await;
        assert!(late.save(&tokens(None, Some("late"), None), now()).await.is_err());
    }
}

#[tokio::test]
async fn one_who_never_looked_overwrites_nothing() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    locked(&store, &identity).await.save(&tokens(None, Some("kept"), None), now()).await.unwrap();
    let () = redis::cmd("DEL").arg(key(&mut raw(&server), "lock")).query(&mut raw(&server)).unwrap();
    let mut blind = locked(&store, &identity).await;
    let () = redis::cmd("DEL").arg(key(&mut raw(&server), "lock")).query(&mut raw(&server)).unwrap();
    let error = blind.save(&tokens(None, Some("late"), None), now()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::LockLost);
}

#[tokio::test]
async fn a_token_that_ended_by_itself_is_no_change() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let mut lock = locked(&store, &identity).await;
    let life = Duration::from_secs(300);
    lock.save(&tokens(Some(("access", life, BRIEF)), Some("refresh"), None), now()).await.unwrap();
    let mut raw = raw(&server);
    let (held, access) = (key(&mut raw, "lock"), key(&mut raw, "access"));
    let () = redis::cmd("DEL").arg(held).arg(access).query(&mut raw).unwrap();
    lock.save(&tokens(None, Some("rotated"), None), now()).await.unwrap();
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()).1.as_deref(), Some("rotated"));
}

#[tokio::test]
async fn only_its_owner_extends_or_gives_back_a_lock() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let mut late = lost(&store, &identity).await;
    let mut holder = locked(&store, &identity).await;
    assert_eq!(late.extend().await.unwrap_err().kind(), StoreErrorKind::LockLost);
    late.release().await;
    assert!(store.try_lock(&identity, BRIEF).await.unwrap().is_none(), "a stranger gave the lock away");

    let mut raw = raw(&server);
    let place = key(&mut raw, "lock");
    let () = redis::cmd("PEXPIRE").arg(&place).arg(5000).query(&mut raw).unwrap();
    holder.extend().await.unwrap();
    let left: i64 = redis::cmd("PTTL").arg(&place).query(&mut raw).unwrap();
    assert!(left > 10_000, "{left}");
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_the_lock() {
    let Some(server) = RedisServer::start() else { return };
    let identity = identity("show-1");
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let (store, identity) = (store(&server), identity.clone());
            tokio::spawn(async move { store.try_lock(&identity, Duration::from_secs(60)).await.unwrap().is_some() })
        })
        .collect();
    let mut got = 0;
    for response in asked {
        got += usize::from(response.await.unwrap());
    }
    assert_eq!(got, 1);
}
