//! Two clients that share a store: one refresh token between them.

use std::{borrow::Cow, time::Duration};

use async_trait::async_trait;
use perenso_auth::{
    AuthorizationCode, Client, Credentials, Identity,
    clock::Now,
    store::{MemoryStore, StoreError, StoreLock, StoredTokens, TokenStore},
};

use crate::{
    HOUR, S,
    issuer::{LIFETIME, Loss},
    world::{World, call, hundred},
};

fn credentials() -> Credentials {
    Credentials::new("client-1", "s3cr3t")
}

fn pair(world: &World, credentials: Credentials) -> [Client; 2] {
    let store = MemoryStore::new();
    [(); 2].map(|()| world.builder(credentials.clone()).store(store.clone()).build().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_of_each_at_expiry_refresh_once() {
    let world = World::new().await;
    let [one, other] = pair(&world, credentials());
    hundred(&[&one, &other]).await;
    assert_eq!(world.issuer.journal(), ["client_credentials: granted"]);
    for _ in 0..5 {
        world.pass(LIFETIME);
        hundred(&[&one, &other]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_sent_by_one_and_the_refresh_token_is_the_others_too() {
    let world = World::new().await;
    let code = AuthorizationCode::new("code-1", "https://desk.example/callback");
    let [one, other] = pair(&world, credentials().code(code));
    hundred(&[&one, &other]).await;
    assert_eq!(world.issuer.journal(), ["authorization_code: granted"]);
    for client in [&one, &other, &other, &one, &other] {
        world.pass(LIFETIME);
        hundred(&[client]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!(world.issuer.reuses(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_of_each_whose_token_was_revoked_refresh_once() {
    let world = World::new().await;
    let [one, other] = pair(&world, credentials());
    hundred(&[&one, &other]).await;
    for _ in 0..3 {
        world.issuer.journal();
        world.pass(50 * S);
        world.issuer.revoke_token();
        hundred(&[&one, &other]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_response_is_lost_costs_both_one_new_grant() {
    let world = World::new().await;
    let [one, other] = pair(&world, credentials());
    hundred(&[&one, &other]).await;
    world.issuer.journal();
    world.pass(LIFETIME);
    world.issuer.lose(Loss::After);
    hundred(&[&one, &other]).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: lost after", "client_credentials: granted"]);
    assert_eq!(world.issuer.reuses(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_that_one_has_spent_is_not_sent_by_the_other() {
    let world = World::new().await;
    let [one, other] = pair(&world, credentials());
    call(&one).await.unwrap();
    call(&other).await.unwrap();
    world.issuer.journal();
    // The other sleeps through three lives of the tokens.
    for _ in 0..3 {
        world.pass(LIFETIME);
        call(&one).await.unwrap();
    }
    call(&other).await.unwrap();
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"; 3]);
    world.pass(LIFETIME);
    call(&other).await.unwrap();
    assert_eq!((world.issuer.journal().len(), world.issuer.reuses()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_wake_from_a_sleep_to_one_refresh() {
    let world = World::new().await;
    let [one, other] = pair(&world, credentials());
    hundred(&[&one, &other]).await;
    world.issuer.journal();
    for step in [World::suspend, World::set_back, World::pass] {
        step(&world, 8 * HOUR);
        world.pass(LIFETIME);
        hundred(&[&one, &other]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_comes_after_a_sleep_takes_no_token_from_before_it() {
    for step in [World::suspend, World::pass] {
        let world = World::new().await;
        let store = MemoryStore::new();
        let client = || world.builder(credentials()).store(store.clone()).build().unwrap();
        hundred(&[&client()]).await;
        world.issuer.journal();
        world.pass(100 * S);
        hundred(&[&client()]).await;
        assert!(world.issuer.journal().is_empty(), "what is good was not taken");
        step(&world, LIFETIME - 100 * S);
        hundred(&[&client()]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
        assert_eq!(world.issuer.late(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_stored_before_the_lock_was_taken_are_found_inside_the_lock() {
    let world = World::new().await;
    let store = Unseen(MemoryStore::new());
    let [one, other] = [(); 2].map(|()| world.builder(credentials()).store(store.clone()).build().unwrap());
    hundred(&[&one, &other]).await;
    assert_eq!(world.issuer.journal(), ["client_credentials: granted"]);
    for _ in 0..3 {
        world.pass(LIFETIME);
        hundred(&[&one, &other]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!(world.issuer.reuses(), 0);
}

/// Shows what it holds to nobody but the holder of the lock.
#[derive(Clone, Debug)]
struct Unseen(MemoryStore);

#[async_trait]
impl TokenStore for Unseen {
    fn name(&self) -> Cow<'static, str> {
        "unseen".into()
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn load(&self, _identity: &Identity, _now: Now) -> Result<Option<StoredTokens>, StoreError> {
        Ok(None)
    }

    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        self.0.try_lock(identity, term).await
    }
}
