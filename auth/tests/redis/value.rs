//! The values in Redis: their expiry, and values that were changed by others.

use std::time::Duration;

use perenso_auth::{
    Identity, Secret,
    clock::{Clock, Now, SystemClock},
    store::{RedisStore, StoreErrorKind, StoredRefreshToken, TokenStore},
};

use crate::{
    conformance::{identity, locked, now, save, texts, tokens},
    key, raw,
    server::RedisServer,
    store,
};

const LIFE: Duration = Duration::from_secs(300);

fn left(connection: &mut redis::Connection, key: &str) -> i64 {
    redis::cmd("PTTL").arg(key).query(connection).unwrap()
}

#[tokio::test]
async fn each_value_ends_with_what_it_holds() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let mut kept = tokens(Some(("access", LIFE, Duration::from_secs(100))), Some("refresh"), Some("spent"));
    save(&store, &identity, &kept).await;
    let mut raw = raw(&server);
    let [access, refresh, spent] = ["access", "refresh", "spent"].map(|kind| key(&mut raw, kind));
    let millis = left(&mut raw, &access);
    assert!(millis <= 200_000 && millis > 140_000, "{millis}");
    assert_eq!(left(&mut raw, &refresh), -1);
    assert_eq!(left(&mut raw, &spent), -1);

    kept.refresh_token = Some(StoredRefreshToken::new(Secret::from("refresh"), Some(Duration::from_secs(1000))));
    save(&store, &identity, &kept).await;
    let millis = left(&mut raw, &refresh);
    assert!(millis <= 1_000_000 && millis > 940_000, "{millis}");
}

#[tokio::test]
async fn a_life_without_bounds_can_be_kept() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    let mut kept = tokens(Some(("access", Duration::MAX, Duration::ZERO)), None, None);
    kept.refresh_token = Some(StoredRefreshToken::new(Secret::from("refresh"), Some(Duration::MAX)));
    save(&store, &identity, &kept).await;
    let found = store.load(&identity, now()).await.unwrap().unwrap();
    assert!(found.access_token.unwrap().expires_in() > Duration::from_secs(86_400 * 365));
    assert!(found.refresh_token.unwrap().expires_in > Some(Duration::from_secs(86_400 * 365)));
}

#[tokio::test]
async fn machines_whose_clocks_differ_agree_on_an_age() {
    let Some(server) = RedisServer::start() else { return };
    let identity = identity("show-1");
    let day = Duration::from_secs(86_400);
    let real = SystemClock::default().now();
    let (early, late) = (Now::new(real.monotonic, real.wall - day), Now::new(real.monotonic, real.wall + day));
    let mut lock = locked(&store(&server), &identity).await;
    lock.save(&tokens(Some(("access", LIFE, Duration::from_secs(100))), None, None), early).await.unwrap();
    for now in [early, late] {
        let found = store(&server).load(&identity, now).await.unwrap().unwrap().access_token.unwrap();
        assert!(found.age >= Duration::from_secs(100) && found.age < Duration::from_secs(160), "{:?}", found.age);
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_decrypted_is_ignored_and_replaced() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    save(&store, &identity, &tokens(Some(("access", LIFE, Duration::ZERO)), None, None)).await;
    let mut raw = raw(&server);
    let place = key(&mut raw, "access");
    let good: Vec<u8> = redis::cmd("GET").arg(&place).query(&mut raw).unwrap();
    let mut other_version = good.clone();
    other_version[0] = 9;
    let mut changed = good.clone();
    changed[good.len() - 1] ^= 1;
    for (bad, part) in [
        (b"some text of somebody else".to_vec(), "first byte"),
        (Vec::new(), "first byte"),
        (vec![1], "encrypted"),
        (good[..good.len() - 1].to_vec(), "encrypted"),
        (other_version, "another version"),
        (changed, "changed since"),
    ] {
        let () = redis::cmd("SET").arg(&place).arg(bad).arg("KEEPTTL").query(&mut raw).unwrap();
        let error = store.load(&identity, now()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unusable);
        assert!(error.to_string().contains(part) && error.to_string().contains(&place), "{error}");
    }
    // A value without an end tells no age.
    let () = redis::cmd("SET").arg(&place).arg(&good).query(&mut raw).unwrap();
    assert_eq!(store.load(&identity, now()).await.unwrap_err().kind(), StoreErrorKind::Unusable);
    // Nor is a list a token.
    let () = redis::pipe().del(&place).ignore().lpush(&place, "a").ignore().query(&mut raw).unwrap();
    let mut lock = locked(&store, &identity).await;
    assert_eq!(lock.load(now()).await.unwrap_err().kind(), StoreErrorKind::Unusable);
    lock.save(&tokens(Some(("fresh", LIFE, Duration::ZERO)), None, None), now()).await.unwrap();
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()).0.as_deref(), Some("fresh"));
}

#[tokio::test]
async fn one_bad_value_does_not_take_the_refresh_token_with_it() {
    let Some(server) = RedisServer::start() else { return };
    let (store, identity) = (store(&server), identity("show-1"));
    save(&store, &identity, &tokens(Some(("access", LIFE, Duration::ZERO)), Some("refresh"), Some("spent"))).await;
    let mut raw = raw(&server);
    let place = key(&mut raw, "access");
    let () = redis::cmd("SET").arg(&place).arg("bad").query(&mut raw).unwrap();
    let found = texts(store.load(&identity, now()).await.unwrap());
    assert_eq!(found, (None, Some("refresh".to_owned()), Some("spent".to_owned())));
}

#[tokio::test]
async fn a_value_that_was_moved_does_not_open() {
    let Some(server) = RedisServer::start() else { return };
    let store = store(&server);
    let (one, two) = (identity("show-1"), identity("show-2"));
    let mut raw = raw(&server);
    save(&store, &one, &tokens(None, Some("refresh of one"), None)).await;
    let first = key(&mut raw, "refresh");
    save(&store, &two, &tokens(None, Some("refresh of two"), None)).await;
    let second = crate::keys(&mut raw, "refresh").into_iter().find(|key| *key != first).unwrap();
    let () = redis::cmd("COPY").arg(&first).arg(&second).arg("REPLACE").query(&mut raw).unwrap();
    assert_eq!(store.load(&two, now()).await.unwrap_err().kind(), StoreErrorKind::Unusable);
    // Not even from one kind to the next.
    let spent = first.replace(":refresh", ":spent");
    let () = redis::cmd("RENAME").arg(&first).arg(&spent).query(&mut raw).unwrap();
    assert_eq!(store.load(&one, now()).await.unwrap_err().kind(), StoreErrorKind::Unusable);
}

#[tokio::test]
async fn a_rotated_client_secret_finds_nothing_unless_another_secret_seals() {
    let Some(server) = RedisServer::start() else { return };
    let with = |secret| Identity::new(["perenso"], "show-1", Secret::from(secret));
    let kept = tokens(None, Some("refresh"), None);
    let plain = store(&server);
    save(&plain, &with("old"), &kept).await;
    assert!(plain.load(&with("new"), now()).await.unwrap().is_none());
    assert!(plain.load(&with("old"), now()).await.unwrap().is_some());

    let sealed = || RedisStore::builder(server.url()).prefix("sealed:").sealing_secret("of the fleet").build().unwrap();
    save(&sealed(), &with("old"), &kept).await;
    assert_eq!(texts(sealed().load(&with("new"), now()).await.unwrap()).1.as_deref(), Some("refresh"));
}

#[tokio::test]
async fn prefixes_part_fleets() {
    let Some(server) = RedisServer::start() else { return };
    let other = RedisStore::builder(server.url()).prefix("other:").build().unwrap();
    save(&other, &identity("show-1"), &tokens(None, Some("refresh"), None)).await;
    assert!(store(&server).load(&identity("show-1"), now()).await.unwrap().is_none());
    assert!(key(&mut raw(&server), "refresh").starts_with("other:"));
}

#[tokio::test]
async fn without_any_secret_nothing_is_kept() {
    let Some(server) = RedisServer::start() else { return };
    let public = Identity::new(["perenso"], "show-1", Secret::from(""));
    let error = store(&server).load(&public, now()).await.unwrap_err();
    assert!(error.to_string().contains("`sealing_secret`"), "{error}");
    assert!(store(&server).try_lock(&public, LIFE).await.is_err());
}
