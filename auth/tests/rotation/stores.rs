//! Stores that stumble at any word, and what others leave in them: no refresh token is lost, sent twice or taken for
//! another's, and no person is asked for one that is there.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use perenso_auth::{
    AuthorizationCode, Client, Credentials, Error, ErrorKind, Profile, clock::ManualClock, store::MemoryStore,
};

use crate::{
    S,
    failing_store::{AWAY, Stumble::LosesTheAnswer, Stumbling, Word, over, own},
    issuer::{LIFETIME, Loss},
    server::{Reply, Server, token},
    world::{World, call},
};

fn with_code(code: &str) -> Credentials {
    own().code(AuthorizationCode::new(code, "https://desk.example/callback"))
}

/// Two stores that stumble by themselves, over one memory.
fn pair() -> [Stumbling; 2] {
    let kept = MemoryStore::new();
    [Stumbling::over("one", kept.clone()), Stumbling::over("other", kept)]
}

#[tokio::test]
async fn a_store_that_can_be_read_and_not_locked_gives_its_refresh_token_and_spares_the_code() {
    let world = World::new().await;
    let [one, other] = pair();
    call(&world.builder(with_code("code-1")).store(one).build().unwrap()).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.journal();
    other.stumbles_at(Word::Lock, AWAY);
    call(&world.builder(with_code("code-1")).store(other).build().unwrap()).await.unwrap();
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
}

#[tokio::test]
async fn a_save_whose_response_was_lost_does_not_make_an_old_refresh_token_count_for_ever() {
    let world = World::new().await;
    let [store, sibling] = pair();
    let (one, other) = (world.client_over(store.clone()), world.client_over(sibling));
    store.stumbles_at(Word::Save, LosesTheAnswer);
    call(&one).await.unwrap();
    store.stumbles_no_more();
    // The other takes the refresh token out of the store and changes it; the one takes its token, and comes next.
    for client in [&other, &one] {
        world.pass(LIFETIME - S);
        call(client).await.unwrap();
        world.pass(S);
        call(client).await.unwrap();
    }
    world.pass(LIFETIME);
    call(&one).await.unwrap();
    assert_eq!(world.issuer.reuses(), 0);
    let journal = world.issuer.journal();
    assert_eq!(journal.iter().filter(|line| *line == "client_credentials: granted").count(), 1, "{journal:?}");
}

#[tokio::test]
async fn a_store_that_was_away_for_a_renewal_that_failed_counts_again_when_it_is_back() {
    let world = World::new().await;
    let [store, sibling] = pair();
    let (one, other) = (world.client_over(store.clone()), world.client_over(sibling));
    call(&one).await.unwrap();
    world.pass(LIFETIME);
    store.goes_away();
    // A refresh that was certainly not processed, and all attempts of the grant.
    for _ in 0..20 {
        world.issuer.lose(Loss::Unavailable);
    }
    call(&one).await.unwrap_err();
    store.stumbles_no_more();
    world.issuer.lose_no_more();
    call(&other).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.journal();
    call(&one).await.unwrap();
    assert_eq!((world.issuer.journal(), world.issuer.reuses()), (vec!["refresh_token: granted".to_owned()], 0));
}

#[tokio::test]
async fn one_whose_refresh_token_was_refused_alone_takes_the_siblings_and_asks_for_no_person() {
    let world = World::new().await;
    let [store, sibling] = pair();
    let one = world.builder(with_code("code-1")).store(store.clone()).build().unwrap();
    let other = world.builder(with_code("code-2")).store(sibling).build().unwrap();
    call(&one).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.revoke_grant();
    store.goes_away();
    assert_eq!(call(&one).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    // Somebody brings the other a new code.
    call(&other).await.unwrap();
    store.stumbles_no_more();
    world.pass(LIFETIME);
    world.issuer.journal();
    call(&one).await.unwrap();
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
}

#[tokio::test]
async fn a_refused_refresh_token_that_is_still_in_the_store_is_not_sent_again() {
    let world = World::new().await;
    let store = Stumbling::new("refused");
    let client = world.builder(with_code("code-1")).store(store.clone()).build().unwrap();
    call(&client).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.revoke_grant();
    store.stumbles_at(Word::Save, AWAY);
    for _ in 0..3 {
        assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
        world.pass(20 * S);
        store.stumbles_no_more();
    }
    assert_eq!(world.issuer.journal(), ["authorization_code: granted", "refresh_token: refused"]);
}

/// Waits until the store is asked to save.
async fn saves(store: &Stumbling) {
    for _ in 0..1000 {
        if store.words().contains(&Word::Save) {
            return;
        }
        tokio::time::sleep(S / 200).await;
    }
    panic!("the store was not asked to save");
}

#[tokio::test]
async fn a_refresh_token_that_could_not_be_stored_is_stored_on_use_as_soon_as_the_store_can() {
    for stumble in [AWAY, LosesTheAnswer] {
        let world = World::new().await;
        let store = Stumbling::new("later");
        call(&world.builder(with_code("code-1")).store(store.clone()).build().unwrap()).await.unwrap();
        world.pass(LIFETIME);
        let client = world.builder(with_code("code-1")).store(store.clone()).build().unwrap();
        store.stumbles_at(Word::Save, stumble);
        call(&client).await.unwrap();
        store.stumbles_no_more();
        world.issuer.journal();
        store.words();
        // Not before some seconds have passed.
        call(&client).await.unwrap();
        assert!(store.words().is_empty());
        world.pass(6 * S);
        call(&client).await.unwrap();
        saves(&store).await;
        client.close().await;
        assert!(world.issuer.journal().is_empty());
        drop(client);
        // A restart.
        world.pass(LIFETIME);
        let restarted = world.builder(with_code("code-1")).store(store).build().unwrap();
        call(&restarted).await.unwrap();
        assert_eq!((world.issuer.journal(), world.issuer.reuses()), (vec!["refresh_token: granted".to_owned()], 0));
    }
}

#[tokio::test]
async fn a_refused_refresh_token_is_noted_on_use_and_the_next_process_does_not_send_it() {
    let world = World::new().await;
    let store = Stumbling::new("noted");
    let client = world.builder(with_code("code-1")).store(store.clone()).build().unwrap();
    call(&client).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.revoke_grant();
    store.stumbles_at(Word::Save, AWAY);
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    store.stumbles_no_more();
    world.issuer.journal();
    client.close().await;
    let next = world.builder(with_code("code-1")).store(store).build().unwrap();
    assert_eq!(call(&next).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert!(world.issuer.journal().is_empty());
}

#[tokio::test]
async fn newer_tokens_of_another_process_are_not_replaced_by_unsaved_ones() {
    let world = World::new().await;
    let [store, sibling] = pair();
    let (one, other) = (world.client_over(store.clone()), world.client_over(sibling));
    call(&other).await.unwrap();
    world.pass(LIFETIME);
    store.stumbles_at(Word::Save, AWAY);
    call(&one).await.unwrap();
    // It sends the old refresh token, which is refused, and gets another by its grant.
    world.pass(LIFETIME - S);
    call(&other).await.unwrap();
    store.stumbles_no_more();
    world.issuer.journal();
    one.close().await;
    world.pass(LIFETIME);
    call(&other).await.unwrap();
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
}

#[tokio::test]
async fn an_old_refresh_token_in_the_store_is_not_sent_again() {
    let world = World::new().await;
    let store = Stumbling::new("backup");
    let client = world.client_over(store.clone());
    call(&client).await.unwrap();
    let before = store.kept(world.now()).await;
    for _ in 0..5 {
        world.pass(LIFETIME);
        call(&client).await.unwrap();
    }
    // A backup of then is put back.
    store.is_preceded_by(before);
    world.issuer.journal();
    for _ in 0..2 {
        world.pass(LIFETIME);
        call(&client).await.unwrap();
    }
    assert_eq!((world.issuer.journal(), world.issuer.reuses()), (vec!["refresh_token: granted".to_owned(); 2], 0));
}

#[tokio::test]
async fn a_refresh_token_that_another_process_replaced_is_not_sent_again() {
    let world = World::new().await;
    let [store, sibling] = pair();
    let (one, other) = (world.client_over(store.clone()), world.client_over(sibling));
    call(&one).await.unwrap();
    let before = store.kept(world.now()).await;
    world.pass(LIFETIME);
    call(&other).await.unwrap();
    // The one takes what the other has brought.
    call(&one).await.unwrap();
    store.is_preceded_by(before);
    world.pass(LIFETIME);
    call(&one).await.unwrap();
    assert_eq!(world.issuer.reuses(), 0);
}

#[tokio::test]
async fn a_used_code_that_no_store_knows_of_is_not_sent_again() {
    let world = World::new().await;
    let store = Stumbling::new("unaware");
    store.stumbles_at(Word::Save, AWAY);
    let client = world.builder(with_code("code-1")).store(store).build().unwrap();
    call(&client).await.unwrap();
    world.pass(LIFETIME);
    world.issuer.revoke_grant();
    assert_eq!(call(&client).await.unwrap_err().kind(), ErrorKind::PersonNeeded);
    assert_eq!(world.issuer.journal(), ["authorization_code: granted", "refresh_token: refused"]);
}

#[tokio::test]
async fn a_code_that_was_refused_is_not_sent_by_the_next_process() {
    let server = Server::start(|_| Reply::json(400, r#"{"error":"invalid_grant"}"#)).await;
    let (store, clock) = (Stumbling::new("code"), ManualClock::default());
    for _ in 0..2 {
        let error = call(&over(&server, with_code("code-1"), &store, &clock)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PersonNeeded);
    }
    assert_eq!(server.tokens().len(), 1);
}

#[tokio::test]
async fn a_new_refresh_token_from_elsewhere_is_used_when_the_one_in_the_store_is_refused() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => match seen.field("refresh_token").as_deref() {
            Some("brought-1" | "brought-2") => token(seen.nth, 300),
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        },
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (store, clock) = (Stumbling::new("brought"), ManualClock::default());
    let client = |brought: &str| over(&server, own().refresh_token(brought), &store, &clock);
    call(&client("brought-1")).await.unwrap();
    clock.advance(LIFETIME);
    call(&client("brought-2")).await.unwrap();
    let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token").unwrap()).collect();
    assert_eq!(sent, ["brought-1", "ref-0", "brought-2"]);
}

#[tokio::test]
async fn a_refresh_token_from_elsewhere_that_the_server_gives_again_goes_on_in_the_next_process() {
    let response = r#"{"access_token":"tok","expires_in":300,"refresh_token":"brought"}"#;
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => Reply::json(200, response),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (store, clock) = (Stumbling::new("again"), ManualClock::default());
    for _ in 0..2 {
        let client = over(&server, own().refresh_token("brought"), &store, &clock);
        for _ in 0..3 {
            call(&client).await.unwrap();
            clock.advance(LIFETIME);
        }
    }
    assert_eq!(server.tokens().len(), 6);
}

#[tokio::test]
async fn a_refresh_token_of_one_client_id_is_not_sent_with_another() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("client_id").as_deref(), seen.nth) {
        ("/token", Some("first"), 0) => token(0, 300),
        // Neither the refresh nor the grant: the refresh token is not at fault.
        ("/token", Some("first"), 1) => Reply::status(503),
        ("/token", Some("first"), _) => Reply::json(401, r#"{"error":"invalid_client"}"#),
        ("/token", ..) => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let ids = Arc::new(Mutex::new(VecDeque::from(["first", "second"])));
    let clock = ManualClock::default();
    let client = Client::builder(Profile::new("stores"))
        .credentials_provider(move || {
            let id = ids.lock().unwrap().pop_front().unwrap();
            async move { Ok::<_, std::convert::Infallible>(Credentials::new(id, "s3cr3t")) }
        })
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    call(&client).await.unwrap();
    clock.advance(LIFETIME);
    call(&client).await.unwrap();
    let last = server.tokens().pop().unwrap();
    let sent = ["client_id", "grant_type", "refresh_token"].map(|name| last.field(name));
    assert_eq!(sent, [Some("second".to_owned()), Some("client_credentials".to_owned()), None]);
}

#[tokio::test]
async fn a_token_of_the_next_client_id_is_taken_from_the_store_however_old_it_is() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("client_id").as_deref(), seen.nth) {
        ("/token", Some("first"), 2..) => Reply::json(401, r#"{"error":"invalid_client"}"#),
        ("/token", ..) => Reply::json(200, format!(r#"{{"access_token":"tok-{}","expires_in":300}}"#, seen.nth)),
        _ if seen.bearer() == "tok-1" && seen.nth > 2 => Reply::status(401),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (store, clock) = (Stumbling::new("next"), ManualClock::default());
    call(&over(&server, Credentials::new("second", "s3cr3t"), &store, &clock)).await.unwrap();
    clock.advance(100 * S);
    let ids = Arc::new(Mutex::new(VecDeque::from(["first", "second"])));
    let client = Client::builder(Profile::new("stores"))
        .credentials_provider(move || {
            let id = ids.lock().unwrap().pop_front().unwrap();
            async move { Ok::<_, Error>(Credentials::new(id, "s3cr3t")) }
        })
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .store(store)
        .clock(clock.clone())
        .build()
        .unwrap();
    call(&client).await.unwrap();
    call(&client).await.unwrap();
    // The third call of all calls with its token gets a 401.
    call(&client).await.unwrap();
    assert_eq!(server.calls().last().unwrap().bearer(), "tok-0");
    assert_eq!(server.tokens().len(), 3);
}
