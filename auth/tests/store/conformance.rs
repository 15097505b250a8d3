//! The guarantees of every token store.
//!
//! Each check gets a store and its sibling: the same tokens seen by another client, process or machine.

use std::time::{Duration, Instant};

use perenso_auth::{
    Identity, Secret,
    clock::{Clock, Now, SystemClock},
    store::{StoreLock, StoredAccessToken, StoredRefreshToken, StoredTokens, TokenStore},
};

/// Makes a test of each check. What is given makes a store, its sibling, and what must live as long as they do; or `None`
/// where the test is to be skipped.
macro_rules! conformance {
    ($stores:path) => {
        $crate::conformance::conformance!($stores:
            nothing_is_there_at_first,
            saved_tokens_are_loaded_by_another_store,
            a_save_replaces_all_that_was_there,
            identities_share_nothing,
            one_holds_the_lock_until_it_is_given_back,
            the_lock_of_one_who_died_is_free_in_the_end,
            a_holder_may_extend_and_save_more_than_once,
            an_access_token_ages,
            an_access_token_that_has_ended_does_not_come_back,
            a_refresh_token_ends_when_it_was_said_to,
        );
    };
    ($stores:path: $($check:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $check() {
                if let Some((store, sibling, _guard)) = $stores() {
                    $crate::conformance::$check(&store, &sibling).await;
                }
            }
        )+
    };
}
pub(crate) use conformance;

pub fn identity(client_id: &str) -> Identity {
    Identity::new(["conformance", "https://token.example"], client_id, Secret::from("the secret of the client"))
}

pub fn now() -> Now {
    SystemClock::default().now()
}

const TERM: Duration = Duration::from_secs(30);
const LIFE: Duration = Duration::from_secs(300);
const SECOND: Duration = Duration::from_secs(1);

pub async fn locked(store: &dyn TokenStore, identity: &Identity) -> Box<dyn StoreLock> {
    store.try_lock(identity, TERM).await.unwrap().expect("somebody else holds the lock")
}

pub async fn save(store: &dyn TokenStore, identity: &Identity, tokens: &StoredTokens) {
    let mut lock = locked(store, identity).await;
    lock.save(tokens, now()).await.unwrap();
    lock.release().await;
}

pub fn tokens(access: Option<(&str, Duration, Duration)>, refresh: Option<&str>, spent: Option<&str>) -> StoredTokens {
    let mut tokens = StoredTokens::default();
    tokens.access_token =
        access.map(|(token, lifetime, age)| StoredAccessToken::new(Secret::from(token), lifetime, age));
    tokens.refresh_token = refresh.map(|token| StoredRefreshToken::new(Secret::from(token), None));
    tokens.spent = spent.map(str::to_owned);
    tokens
}

/// The texts of what is kept.
pub fn texts(tokens: Option<StoredTokens>) -> (Option<String>, Option<String>, Option<String>) {
    let tokens = tokens.unwrap_or_default();
    (
        tokens.access_token.map(|kept| kept.token.expose().to_owned()),
        tokens.refresh_token.map(|kept| kept.token.expose().to_owned()),
        tokens.spent,
    )
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub async fn nothing_is_there_at_first(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("nobody");
    assert!(store.load(&identity, now()).await.unwrap().is_none());
    let mut lock = locked(sibling, &identity).await;
    assert!(lock.load(now()).await.unwrap().is_none());
    assert!(store.load(&identity, now()).await.unwrap().is_none(), "a lock is no token");
}

pub async fn saved_tokens_are_loaded_by_another_store(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("shared");
    let strange = "dot.slash/plus+equals=\u{1f511} \" \\ \0 end";
    let kept = tokens(Some((strange, LIFE, SECOND)), Some("refresh"), Some("spent"));
    let mut lock = locked(store, &identity).await;
    lock.save(&kept, now()).await.unwrap();
    let all = (some(strange), some("refresh"), some("spent"));
    assert_eq!(texts(lock.load(now()).await.unwrap()), all);
    assert_eq!(texts(sibling.load(&identity, now()).await.unwrap()), all);
    lock.release().await;
    let mut lock = locked(sibling, &identity).await;
    let found = lock.load(now()).await.unwrap().unwrap();
    assert_eq!(found.access_token.as_ref().unwrap().lifetime, LIFE);
    assert_eq!(found.refresh_token.as_ref().unwrap().expires_in, None);
    assert_eq!(texts(Some(found)), all);
}

pub async fn a_save_replaces_all_that_was_there(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("replaced");
    save(store, &identity, &tokens(Some(("access", LIFE, SECOND)), Some("refresh"), Some("spent"))).await;
    save(sibling, &identity, &tokens(None, Some("rotated"), None)).await;
    assert_eq!(texts(store.load(&identity, now()).await.unwrap()), (None, some("rotated"), None));
    save(store, &identity, &tokens(Some(("other", LIFE, SECOND)), None, Some("code"))).await;
    assert_eq!(texts(sibling.load(&identity, now()).await.unwrap()), (some("other"), None, some("code")));
    save(store, &identity, &StoredTokens::default()).await;
    assert_eq!(texts(sibling.load(&identity, now()).await.unwrap()), (None, None, None));
}

pub async fn identities_share_nothing(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    save(store, &identity("first"), &tokens(Some(("access", LIFE, SECOND)), Some("refresh"), Some("spent"))).await;
    let elsewhere = Identity::new(["conformance", "https://other.example"], "first", Secret::from("secret"));
    for other in [identity("second"), elsewhere] {
        assert!(sibling.load(&other, now()).await.unwrap().is_none(), "{other:?}");
        let _held = locked(store, &identity("first")).await;
        locked(sibling, &other).await.release().await;
        _held.release().await;
    }
}

pub async fn one_holds_the_lock_until_it_is_given_back(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("locked");
    let lock = locked(store, &identity).await;
    assert!(sibling.try_lock(&identity, TERM).await.unwrap().is_none());
    assert!(store.try_lock(&identity, TERM).await.unwrap().is_none());
    lock.release().await;
    let lock = locked(sibling, &identity).await;
    assert!(store.try_lock(&identity, TERM).await.unwrap().is_none());
    lock.release().await;
    locked(store, &identity).await.release().await;
}

pub async fn the_lock_of_one_who_died_is_free_in_the_end(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("died");
    drop(store.try_lock(&identity, Duration::from_millis(100)).await.unwrap().unwrap());
    let start = Instant::now();
    while sibling.try_lock(&identity, TERM).await.unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "still locked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn a_holder_may_extend_and_save_more_than_once(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("patient");
    let mut lock = locked(store, &identity).await;
    lock.save(&tokens(None, Some("first"), None), now()).await.unwrap();
    lock.extend().await.unwrap();
    assert!(sibling.try_lock(&identity, TERM).await.unwrap().is_none());
    lock.save(&tokens(None, Some("second"), None), now()).await.unwrap();
    assert_eq!(texts(sibling.load(&identity, now()).await.unwrap()), (None, some("second"), None));
}

pub async fn an_access_token_ages(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("aging");
    let age = Duration::from_secs(100);
    save(store, &identity, &tokens(Some(("access", LIFE, age)), None, None)).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let found = sibling.load(&identity, now()).await.unwrap().unwrap().access_token.unwrap();
    assert_eq!(found.lifetime, LIFE);
    // A store may deviate slightly from the remaining lifetime, but only downwards.
    assert!(found.age >= age + Duration::from_millis(50), "{:?}", found.age);
    assert!(found.age < age + Duration::from_secs(60), "{:?}", found.age);
}

pub async fn an_access_token_that_has_ended_does_not_come_back(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("ended");
    for (lifetime, age) in [(Duration::from_millis(20), Duration::ZERO), (LIFE, LIFE), (LIFE, 2 * LIFE)] {
        save(store, &identity, &tokens(Some(("access", lifetime, age)), Some("refresh"), None)).await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        let found = sibling.load(&identity, now()).await.unwrap().unwrap();
        assert!(found.access_token.is_none_or(|kept| kept.expires_in().is_zero()), "{lifetime:?}, {age:?}");
        assert_eq!(found.refresh_token.unwrap().token.expose(), "refresh");
    }
}

pub async fn a_refresh_token_ends_when_it_was_said_to(store: &dyn TokenStore, sibling: &dyn TokenStore) {
    let identity = identity("refresh");
    let mut kept = tokens(None, None, Some("spent"));
    kept.refresh_token = Some(StoredRefreshToken::new(Secret::from("refresh"), Some(LIFE)));
    save(store, &identity, &kept).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let left = sibling.load(&identity, now()).await.unwrap().unwrap().refresh_token.unwrap().expires_in.unwrap();
    assert!(left < LIFE && left > LIFE - Duration::from_secs(60), "{left:?}");
    kept.refresh_token = Some(StoredRefreshToken::new(Secret::from("refresh"), Some(Duration::from_millis(20))));
    save(store, &identity, &kept).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let found = sibling.load(&identity, now()).await.unwrap().unwrap();
    assert!(found.refresh_token.is_none_or(|kept| kept.expires_in == Some(Duration::ZERO)));
    assert_eq!(found.spent, some("spent"), "what is spent stays spent");
}
