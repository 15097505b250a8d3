//! Stores that stumble at any word, and what others leave in them: no refresh token is lost, sent twice or taken for
//! another's, and no person is asked for one that is there.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use perenso_auth::{
    AuthorizationCode, Client, Credentials, Error, ErrorKind, Identity, Profile, Secret, Timeouts, TokenPolicy,
    clock::{Clock, ManualClock, Now},
    store::{
        MemoryStore, StoreError, StoreErrorKind, StoreLock, StoredAccessToken, StoredRefreshToken, StoredTokens,
        TokenStore,
    },
};

use crate::{
    S,
    issuer::{LIFETIME, Loss},
    log::Log,
    server::{Reply, Server, token},
    stumbling::{
        Stumble::{self, Fails, Hangs, LosesTheAnswer, Taken},
        Stumbling, Word,
    },
    world::{World, call},
};

const AWAY: Stumble = Fails(StoreErrorKind::Unavailable);

fn own() -> Credentials {
    Credentials::new("client-1", "s3cr3t")
}

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
async fn a_save_whose_answer_was_lost_does_not_make_an_old_refresh_token_count_for_ever() {
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

#[tokio::test]
async fn what_a_store_has_from_before_is_not_sent_again() {
    let world = World::new().await;
    let store = MemoryStore::new();
    let identity = Arc::new(Mutex::new(None));
    let spy = Spy { store: store.clone(), identity: Arc::clone(&identity) };
    let client = world.client_over(spy);
    call(&client).await.unwrap();
    let identity = identity.lock().unwrap().clone().unwrap();
    let before = store.load(&identity, world.now()).await.unwrap().unwrap();
    for _ in 0..5 {
        world.pass(LIFETIME);
        call(&client).await.unwrap();
    }
    // A backup of then is put back.
    store.try_lock(&identity, S).await.unwrap().unwrap().save(&before, world.now()).await.unwrap();
    world.issuer.journal();
    for _ in 0..2 {
        world.pass(LIFETIME);
        call(&client).await.unwrap();
    }
    assert_eq!((world.issuer.journal(), world.issuer.reuses()), (vec!["refresh_token: granted".to_owned(); 2], 0));
}

/// Tells the identity that a client asks for.
#[derive(Debug)]
struct Spy {
    store: MemoryStore,
    identity: Arc<Mutex<Option<Identity>>>,
}

#[async_trait]
impl TokenStore for Spy {
    fn name(&self) -> Cow<'static, str> {
        self.store.name()
    }

    fn is_durable(&self) -> bool {
        false
    }

    async fn load(&self, identity: &Identity, now: Now) -> Result<Option<StoredTokens>, StoreError> {
        *self.identity.lock().unwrap() = Some(identity.clone());
        self.store.load(identity, now).await
    }

    async fn try_lock(&self, identity: &Identity, term: Duration) -> Result<Option<Box<dyn StoreLock>>, StoreError> {
        self.store.try_lock(identity, term).await
    }
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
    let answer = r#"{"access_token":"tok","expires_in":300,"refresh_token":"brought"}"#;
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => Reply::json(200, answer),
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

fn over(server: &Server, credentials: Credentials, store: &Stumbling, clock: &ManualClock) -> Client {
    Client::builder(Profile::new("stores"))
        .credentials(credentials)
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .store(store.clone())
        .clock(clock.clone())
        .build()
        .unwrap()
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
async fn a_lock_whose_return_never_ends_keeps_nobody_waiting() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let (store, clock) = (Stumbling::new("clings"), ManualClock::default());
    store.stumbles_at(Word::Release, Hangs);
    let client = over(&server, own(), &store, &clock);
    let calling = tokio::spawn(async move { call(&client).await });
    let mut waited = 0;
    while !calling.is_finished() {
        assert!(waited < 10, "it waits for the lock to be given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
        if store.words().contains(&Word::Release) || waited > 0 {
            clock.advance(S);
            waited += 1;
        }
    }
    calling.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_took_long_to_come_from_the_store_is_as_old_as_it_is() {
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

/// Calls while the clock goes on, and answers what came of it.
async fn call_as_time_goes_on(client: Client, clock: &ManualClock) -> Result<(), Error> {
    let calling = tokio::spawn(async move { call(&client).await });
    while !calling.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        clock.advance(S);
    }
    calling.await.unwrap()
}

#[tokio::test]
async fn who_waits_for_a_lock_in_vain_makes_one_exchange_alone() {
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
    // The third call of all that come with its token is answered with a 401.
    call(&client).await.unwrap();
    assert_eq!(server.calls().last().unwrap().bearer(), "tok-0");
    assert_eq!(server.tokens().len(), 3);
}

/// A server whose answers at the token endpoint are `tok-0` with `ref-0` and so on, each after so many attempts in vain.
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
async fn what_could_not_be_read_inside_the_lock_is_not_overwritten() {
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
        // Two attempts of ten seconds, a lock of five.
        assert!(extended >= 2, "{name}: {extended}");
        words.dedup();
        assert_eq!(words, [Word::Load, Word::Lock, Word::Look, Word::Extend, Word::Save, Word::Release], "{name}");
    }
}

#[tokio::test]
async fn a_token_in_the_store_is_as_old_as_its_request() {
    let clock = ManualClock::default();
    let time = clock.clone();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => {
            time.advance(7 * S);
            token(seen.nth, 300)
        }
        _ => Reply::json(200, "[]"),
    })
    .await;
    let store = Stumbling::new("age");
    call(&over(&server, own(), &store, &clock)).await.unwrap();
    assert_eq!(store.kept(clock.now()).await.access_token.unwrap().age, 7 * S);
}

/// Its answers are two seconds under way.
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

/// What all tests of this program have logged.
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
        assert!(said.len() == 1 && said[0].contains("the token store is away"), "{said:?}");
        store.stumbles_no_more();
        for _ in 0..3 {
            call(&client).await.unwrap();
            world.pass(LIFETIME);
        }
        let said = lines(name);
        assert!(said.len() == 2 && said[1].contains("the token store is back"), "{said:?}");
        assert_eq!(world.issuer.reuses(), 0, "{name}");
        store.goes_away();
        call(&client).await.unwrap();
        assert_eq!(lines(name).len(), 3, "away once more is said once more");
    }
}
