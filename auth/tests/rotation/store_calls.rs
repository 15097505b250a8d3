//! The order and the timeouts of the calls to a store, and the log of its failures.

use std::{
    borrow::Cow,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use perenso_auth::{
    Client, Credentials, Error, ErrorKind, Identity, Profile, Secret, Timeouts, TokenPolicy,
    clock::{Clock, ManualClock, Now},
    store::{StoreError, StoreLock, StoredAccessToken, StoredRefreshToken, StoredTokens, TokenStore},
};

use crate::{
    S,
    failing_store::{
        AWAY,
        Stumble::{Hangs, Taken},
        Stumbling, Word, over, own,
    },
    issuer::{LIFETIME, Loss},
    log::Log,
    server::{Reply, Server, token},
    world::{World, call},
};

#[tokio::test]
async fn a_store_that_never_responds_is_waited_for_a_moment_at_any_word() {
    for word in [Word::Load, Word::Lock, Word::Look, Word::Save, Word::Release] {
        let server = vendor(0).await;
        let (store, clock) = (Stumbling::new("silent"), ManualClock::default());
        store.stumbles_at(word, Hangs);
        call_as_time_goes_on(over(&server, own(), &store, &clock), &clock).await.unwrap();
        if word == Word::Load {
            assert_eq!(store.words(), [Word::Load], "one who is away is not asked twice");
        }
    }
}

#[tokio::test]
async fn a_slow_store_does_not_make_tokens_younger() {
    let clock = ManualClock::default();
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let slow = Slow { clock: clock.clone() };
    let client = Client::builder(Profile::new("stores"))
        .credentials(own())
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .store(slow)
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = client.token(Duration::ZERO).await.unwrap();
    assert_eq!((token.expose(), token.expires_in()), ("kept", 198 * S));
}

#[tokio::test]
async fn an_exchange_that_takes_its_time_is_not_given_up_and_its_refresh_token_not_sent_again() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        // A pause, and then an original grant that stalls again and again.
        ("/token", 1) => Reply::status(503).with("retry-after", "25"),
        ("/token", _) => Reply::Never,
        _ => Reply::json(200, "[]"),
    })
    .await;
    let clock = ManualClock::default();
    let client = Client::builder(Profile::new("stores"))
        .credentials(own())
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    call(&client).await.unwrap();
    clock.advance(LIFETIME);
    let error = call_as_time_goes_on(client, &clock).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable);
    let refreshes = server.tokens().iter().filter(|seen| seen.field("refresh_token").is_some()).count();
    assert_eq!(refreshes, 1);
}

/// Calls while the clock advances, and returns the result.
async fn call_as_time_goes_on(client: Client, clock: &ManualClock) -> Result<(), Error> {
    let calling = tokio::spawn(async move { call(&client).await });
    while !calling.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        clock.advance(S);
    }
    calling.await.unwrap()
}

#[tokio::test]
async fn a_wait_for_a_lock_that_times_out_makes_one_exchange() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => Reply::Never,
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (store, clock) = (Stumbling::new("taken"), ManualClock::default());
    store.stumbles_at(Word::Lock, Taken);
    let client = Client::builder(Profile::new("stores"))
        .credentials(own())
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .store(store)
        .clock(clock.clone())
        .timeouts(Timeouts::default().overall(600 * S))
        .token_policy(TokenPolicy::default().attempt(40 * S).total(40 * S).attempts(1))
        .build()
        .unwrap();
    let error = call_as_time_goes_on(client, &clock).await.unwrap_err();
    assert_eq!((error.kind(), server.tokens().len()), (ErrorKind::TokenUnavailable, 1));
}

#[tokio::test]
async fn a_provider_that_takes_its_time_is_waited_for_and_the_refresh_token_not_sent_again() {
    let server = Server::start(|seen| match (seen.path.as_str(), seen.field("client_secret").as_deref(), seen.nth) {
        ("/token", _, 0) => token(0, 300),
        ("/token", Some("0ld"), 1) => Reply::Never,
        ("/token", Some("0ld"), _) => Reply::json(401, r#"{"error":"invalid_client"}"#),
        ("/token", ..) => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let clock = ManualClock::default();
    let (asked, waiting) = (AtomicUsize::new(0), clock.clone());
    let client = Client::builder(Profile::new("stores"))
        .credentials_provider(move || {
            let (nth, clock) = (asked.fetch_add(1, Ordering::SeqCst), waiting.clone());
            async move {
                if nth > 0 {
                    clock.sleep(50 * S).await;
                }
                Ok::<_, Error>(Credentials::new("client-1", if nth > 0 { "n3w" } else { "0ld" }))
            }
        })
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .clock(clock.clone())
        .timeouts(Timeouts::default().overall(600 * S))
        .token_policy(TokenPolicy::default().attempt(60 * S).total(10 * S))
        .build()
        .unwrap();
    call(&client).await.unwrap();
    clock.advance(LIFETIME);
    call_as_time_goes_on(client, &clock).await.unwrap();
    let refreshes = server.tokens().iter().filter(|seen| seen.field("refresh_token").is_some()).count();
    assert_eq!(refreshes, 1);
}

/// A server whose responses at the token endpoint are `tok-0` with `ref-0` and so on, each after so many attempts in vain.
async fn vendor(in_vain: usize) -> Server {
    Server::start(move |seen| match seen.path.as_str() {
        "/token" if seen.nth % (in_vain + 1) < in_vain => Reply::Never,
        "/token" => token(seen.nth / (in_vain + 1), 300),
        _ => Reply::json(200, "[]"),
    })
    .await
}

fn refresh_token_alone(text: &str) -> StoredTokens {
    let mut tokens = StoredTokens::default();
    tokens.refresh_token = Some(StoredRefreshToken::new(Secret::from(text), None));
    tokens
}

#[tokio::test]
async fn a_refresh_token_that_came_before_the_lock_is_the_one_that_is_sent() {
    let server = vendor(0).await;
    let (store, clock) = (Stumbling::new("preceded"), ManualClock::default());
    let client = over(&server, own(), &store, &clock);
    call(&client).await.unwrap();
    clock.advance(LIFETIME);
    store.is_preceded_by(refresh_token_alone("the sibling's"));
    call(&client).await.unwrap();
    assert_eq!(server.tokens()[1].field("refresh_token").as_deref(), Some("the sibling's"));
}

#[tokio::test]
async fn tokens_that_could_not_be_read_inside_the_lock_are_not_overwritten() {
    let server = vendor(0).await;
    let (store, clock) = (Stumbling::new("unread"), ManualClock::default());
    let client = over(&server, own(), &store, &clock);
    call(&client).await.unwrap();
    clock.advance(LIFETIME);
    store.is_preceded_by(refresh_token_alone("the sibling's"));
    store.stumbles_at(Word::Look, AWAY);
    call(&client).await.unwrap();
    assert_eq!(store.kept(clock.now()).await.refresh_token.unwrap().token.expose(), "the sibling's");
}

#[tokio::test]
async fn a_renewal_that_brings_nothing_takes_nothing_out_of_the_store() {
    let world = World::new().await;
    let store = Stumbling::new("untouched");
    let client = world.client_over(store.clone());
    call(&client).await.unwrap();
    world.pass(LIFETIME - S);
    for _ in 0..20 {
        world.issuer.lose(Loss::Unavailable);
    }
    store.words();
    // It is due, and served meanwhile.
    call(&client).await.unwrap();
    let mut words = Vec::new();
    while !words.contains(&Word::Release) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        words.append(&mut store.words());
    }
    assert_eq!(words, [Word::Load, Word::Lock, Word::Look, Word::Release]);
    assert_eq!(store.kept(world.now()).await.access_token.unwrap().token.expose(), "tok-1");
}

#[tokio::test]
async fn a_lock_is_extended_while_the_exchange_lasts_and_given_back_after_the_save() {
    let server = vendor(2).await;
    for (name, extend) in [("extends", None), ("cannot-extend", Some(AWAY)), ("extends-for-ever", Some(Hangs))] {
        let (store, clock) = (Stumbling::new(name), ManualClock::default());
        if let Some(stumble) = extend {
            store.stumbles_at(Word::Extend, stumble);
        }
        call_as_time_goes_on(over(&server, own(), &store, &clock), &clock).await.unwrap();
        let mut words = store.words();
        let extended = words.iter().filter(|word| **word == Word::Extend).count();
        // Two attempts of half a minute, a lock of five seconds.
        assert!(extended >= 2, "{name}: {extended}");
        words.dedup();
        assert_eq!(words, [Word::Load, Word::Lock, Word::Look, Word::Extend, Word::Save, Word::Release], "{name}");
    }
}

#[tokio::test]
async fn tokens_in_the_store_are_as_old_as_their_request() {
    let clock = ManualClock::default();
    let time = clock.clone();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => {
            time.advance(7 * S);
            let ends = r#""expires_in":300,"refresh_expires_in":900"#;
            Reply::json(200, format!(r#"{{"access_token":"tok","refresh_token":"ref",{ends}}}"#))
        }
        _ => Reply::json(200, "[]"),
    })
    .await;
    let store = Stumbling::new("age");
    call(&over(&server, own(), &store, &clock)).await.unwrap();
    let kept = store.kept(clock.now()).await;
    assert_eq!(kept.access_token.unwrap().age, 7 * S);
    assert_eq!(kept.refresh_token.unwrap().expires_in, Some(893 * S));
}

#[tokio::test]
async fn a_token_in_the_store_that_has_ended_serves_nobody() {
    let server = vendor(0).await;
    let (store, clock) = (Stumbling::new("ended"), ManualClock::default());
    call(&over(&server, own(), &store, &clock)).await.unwrap();
    clock.advance(LIFETIME);
    call(&over(&server, own(), &store, &clock)).await.unwrap();
    let bearers: Vec<_> = server.calls().iter().map(|seen| seen.bearer().to_owned()).collect();
    assert_eq!(bearers, ["tok-0", "tok-1"]);
}

#[tokio::test]
async fn in_place_of_a_rejected_token_neither_it_nor_an_older_one_is_taken_from_the_store() {
    for (text, age) in [("tok-0", Duration::ZERO), ("older", 200 * S)] {
        let server = Server::start(|seen| match seen.path.as_str() {
            "/token" => token(seen.nth, 300),
            _ if seen.nth > 0 && seen.bearer() == "tok-0" => Reply::status(401),
            _ => Reply::json(200, "[]"),
        })
        .await;
        let (store, clock) = (Stumbling::new("rejected"), ManualClock::default());
        let client = over(&server, own(), &store, &clock);
        call(&client).await.unwrap();
        clock.advance(100 * S);
        let mut tokens = StoredTokens::default();
        tokens.access_token = Some(StoredAccessToken::new(Secret::from(text), LIFETIME, age));
        store.is_preceded_by(tokens);
        call(&client).await.unwrap();
        assert_eq!(server.calls().last().unwrap().bearer(), "tok-1");
    }
}

/// Its responses take two seconds.
#[derive(Debug)]
struct Slow {
    clock: ManualClock,
}

#[async_trait]
impl TokenStore for Slow {
    fn name(&self) -> Cow<'static, str> {
        "slow".into()
    }

    fn is_durable(&self) -> bool {
        true
    }

    async fn load(&self, _: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        assert_eq!(now, self.clock.now());
        self.clock.advance(2 * S);
        let mut tokens = StoredTokens::default();
        tokens.access_token = Some(StoredAccessToken::new(Secret::from("kept"), 300 * S, 100 * S));
        Ok(Some(tokens))
    }

    async fn try_lock(&self, _: &Identity, _: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        Ok(None)
    }
}

/// The log of all tests of this program.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

/// The lines about this store.
fn lines(store: &str) -> Vec<String> {
    let of_store = format!("store={store} ");
    log().text().lines().filter(|line| format!("{line} ").contains(&of_store)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_store_that_is_away_is_said_once_and_once_that_it_is_back() {
    log();
    for (name, words) in [
        ("all-away", vec![Word::Load, Word::Lock, Word::Look, Word::Save]),
        ("unlockable", vec![Word::Lock]),
        ("unwritable", vec![Word::Save]),
    ] {
        let world = World::new().await;
        let store = Stumbling::new(name);
        let client = world.client_over(store.clone());
        for word in words {
            store.stumbles_at(word, AWAY);
        }
        for _ in 0..4 {
            call(&client).await.unwrap();
            world.pass(LIFETIME);
        }
        let said = lines(name);
        assert!(said.len() == 1 && said[0].contains("the token store is unavailable"), "{said:?}");
        store.stumbles_no_more();
        for _ in 0..3 {
            call(&client).await.unwrap();
            world.pass(LIFETIME);
        }
        let said = lines(name);
        assert!(said.len() == 2 && said[1].contains("the token store is available again"), "{said:?}");
        assert_eq!(world.issuer.reuses(), 0, "{name}");
        store.goes_away();
        call(&client).await.unwrap();
        assert_eq!(lines(name).len(), 3, "away once more is said once more");
    }
}
