//! Credentials from a provider: asked once, asked again once after a refusal, never the reason that a secret is shown.

use std::{
    error::Error as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use perenso_auth::{
    AuthorizationCode, CallOptions, Client, ClientAuth, Credentials, Error, ErrorKind, Profile, clock::ManualClock,
};

use crate::{
    MINUTE, S, eventually,
    server::{Reply, Server, token},
};

/// A vault that hands out the secret of the day, and counts how often.
#[derive(Clone, Default)]
struct Vault {
    secret: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    is_sealed: Arc<AtomicBool>,
}

impl Vault {
    fn new(secret: &str) -> Self {
        let vault = Self::default();
        vault.rotate(secret);
        vault
    }

    fn rotate(&self, secret: &str) {
        secret.clone_into(&mut self.secret.lock().unwrap());
    }

    fn seal(&self, is_sealed: bool) {
        self.is_sealed.store(is_sealed, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn client(&self, server: &Server) -> (Client, ManualClock) {
        let vault = self.clone();
        let provider = move || {
            let vault = vault.clone();
            async move {
                vault.asked.fetch_add(1, Ordering::SeqCst);
                match vault.is_sealed.load(Ordering::SeqCst) {
                    true => Err(std::io::Error::other("the vault is sealed")),
                    false => Ok(Credentials::new("show-1", vault.secret.lock().unwrap().as_str())),
                }
            }
        };
        let clock = ManualClock::default();
        let builder = Client::builder(Profile::perenso())
            .credentials_provider(provider)
            .token_url(format!("{}/token", server.url))
            .api_url(server.url.clone())
            .clock(clock.clone());
        (builder.build().unwrap(), clock)
    }
}

/// A server that takes this secret alone; its tokens come with a refresh token or without.
async fn server(secret: &Arc<Mutex<String>>, refreshable: bool) -> Server {
    let secret = Arc::clone(secret);
    Server::start(move |seen| match seen.path.as_str() {
        "/token" if seen.field("client_secret").as_ref() != Some(&*secret.lock().unwrap()) => {
            Reply::json(401, r#"{"error":"invalid_client","error_description":"the secret is wrong"}"#)
        }
        "/token" if refreshable => token(seen.nth, 300),
        "/token" => Reply::json(200, format!(r#"{{"access_token":"tok-{}","expires_in":300}}"#, seen.nth)),
        _ => Reply::json(200, "[]"),
    })
    .await
}

async fn call(client: &Client) -> Result<serde_json::Value, Error> {
    client.get("/Customer").send_json().await
}

#[tokio::test]
async fn a_provider_that_panics_is_named_and_asked_again_by_the_next_call() {
    let vault = Vault::new("s3cr3t");
    let server = server(&vault.secret, true).await;
    let panics = AtomicUsize::new(1);
    let provider = move || {
        let panics = panics.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        async move {
            assert!(!panics, "it holds s3cr3t");
            Ok::<_, std::io::Error>(Credentials::new("show-1", "s3cr3t"))
        }
    };
    let client = Client::builder(Profile::perenso())
        .credentials_provider(provider)
        .token_url(format!("{}/token", server.url))
        .api_url(server.url.clone())
        .build()
        .unwrap();
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable);
    let text = format!("{error} {error:?}");
    assert!(text.contains("the credentials provider panicked") && !text.contains("s3cr3t"), "{text}");
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_provider_is_asked_once_by_fifty_callers_and_in_all_the_lives_to_come() {
    let vault = Vault::new("0ld");
    let server = server(&vault.secret, true).await;
    let (client, clock) = vault.client(&server);
    assert_eq!(vault.asked(), 0, "asked before a token was needed");
    for _ in 0..3 {
        for response in futures_util::future::join_all((0..50).map(|_| call(&client))).await {
            response.unwrap();
        }
        clock.advance(5 * MINUTE);
    }
    assert_eq!((vault.asked(), server.tokens().len()), (1, 3));
}

#[tokio::test]
async fn a_rotated_secret_heals_without_a_restart() {
    for (refreshable, requests_with_the_old_one) in [(false, 1), (true, 2)] {
        let vault = Vault::new("0ld");
        let server = server(&vault.secret, refreshable).await;
        let (client, clock) = vault.client(&server);
        call(&client).await.unwrap();
        vault.rotate("n3w");
        clock.advance(5 * MINUTE);
        call(&client).await.unwrap();
        // First, whatever was tried with the old one, and the new one.
        assert_eq!((vault.asked(), server.tokens().len()), (2, 1 + requests_with_the_old_one + 1));
        let last = server.tokens().pop().unwrap();
        assert_eq!(last.field("client_secret").as_deref(), Some("n3w"));
        assert_eq!(last.field("grant_type").as_deref(), Some("client_credentials"));
        // From then on the new one is known.
        clock.advance(5 * MINUTE);
        call(&client).await.unwrap();
        assert_eq!(vault.asked(), 2);
    }
}

#[tokio::test]
async fn the_same_credentials_again_are_not_sent_again() {
    let vault = Vault::new("wr0ng");
    let server = server(&Arc::new(Mutex::new("r1ght".to_owned())), true).await;
    let (client, clock) = vault.client(&server);
    for response in futures_util::future::join_all((0..50).map(|_| call(&client))).await {
        let error = response.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.token_error().unwrap().description, Some("the secret is wrong"));
    }
    assert_eq!((vault.asked(), server.tokens().len()), (2, 1));
    // The refusal is remembered for ten seconds; then the one in hand is tried, and what the provider has.
    clock.advance(9 * S);
    call(&client).await.unwrap_err();
    assert_eq!((vault.asked(), server.tokens().len()), (2, 1));
    vault.rotate("r1ght");
    clock.advance(S);
    call(&client).await.unwrap();
    assert_eq!((vault.asked(), server.tokens().len()), (3, 3));
}

#[tokio::test]
async fn a_provider_that_fails_is_an_error_that_says_so_and_nothing_is_sent() {
    let vault = Vault::new("0ld");
    let server = server(&vault.secret, true).await;
    let (client, _) = vault.client(&server);
    vault.seal(true);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    assert!(error.to_string().contains("the provider returned an error"), "{error}");
    assert!(chain(&error).contains("the vault is sealed"), "{}", chain(&error));
    assert!(server.seen().is_empty());
    // It is not held against it.
    vault.seal(false);
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_fails_when_asked_again_leaves_the_refusal_as_the_response_and_shows_no_secret() {
    let vault = Vault::new("0ld-s3cr3t");
    let server = server(&vault.secret.clone(), false).await;
    let (client, clock) = vault.client(&server);
    call(&client).await.unwrap();
    vault.rotate("n3w-s3cr3t");
    vault.seal(true);
    clock.advance(5 * MINUTE);
    for _ in 0..3 {
        let error = call(&client).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        let text = chain(&error);
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    // The first token, and the grant that was refused; then the refusal is remembered.
    assert_eq!(server.tokens().len(), 2);
}

#[tokio::test]
async fn credentials_that_cannot_be_used_name_their_setter_and_nothing_is_sent() {
    let vault = Vault::new("");
    let server = server(&vault.secret, true).await;
    let (client, _) = vault.client(&server);
    let error = call(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    assert!(error.to_string().contains("the client secret is empty: call `credentials`"), "{error}");
    assert!(server.seen().is_empty());
    // They are not kept.
    vault.rotate("f1lled");
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_empty_while_it_is_rotated_is_asked_for_again() {
    let vault = Vault::new("0ld");
    let right = Arc::new(Mutex::new("0ld".to_owned()));
    let server = server(&right, false).await;
    let (client, clock) = vault.client(&server);
    call(&client).await.unwrap();
    *right.lock().unwrap() = "n3w".to_owned();
    // Its file was emptied a moment ago.
    vault.rotate("");
    clock.advance(5 * MINUTE);
    call(&client).await.unwrap_err();
    vault.rotate("n3w");
    clock.advance(10 * S);
    call(&client).await.unwrap();
}

#[tokio::test]
async fn a_code_is_not_spent_where_its_tokens_would_be_lost_with_the_process() {
    let server = server(&Arc::default(), true).await;
    let given = || async {
        let code = AuthorizationCode::new("c0de", "https://desk.example/callback");
        Ok::<_, Error>(Credentials::new("show-1", "s3cr3t").code(code))
    };
    // A profile that knows several grants cannot tell before it is asked.
    let builder = || {
        Client::builder(Profile::new("sixth"))
            .credentials_provider(given)
            .token_url(format!("{}/token", server.url))
            .api_url(server.url.clone())
    };
    let error = call(&builder().build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    assert!(error.to_string().contains("`memory_only`"), "{error}");
    assert!(server.seen().is_empty());
    let _ = call(&builder().memory_only().build().unwrap()).await;
    assert_eq!(server.tokens().len(), 1);
}

#[test]
fn a_scope_where_none_goes_is_not_built_whoever_gives_the_credentials() {
    let given = async || Ok::<_, Error>(Credentials::new("show-1", "s3cr3t"));
    let builder = || Client::builder(Profile::perenso()).credentials_provider(given).scope("100214");
    let error = builder().client_auth(ClientAuth::BasicPlain).build().unwrap_err();
    assert!(error.to_string().contains("leave out `scope`"), "{error}");
    builder().build().unwrap();
}

#[tokio::test]
async fn a_provider_that_never_responds_meets_the_deadline_of_the_call() {
    let clock = ManualClock::default();
    let client = Client::builder(Profile::perenso())
        .credentials_provider(std::future::pending::<Result<Credentials, Error>>)
        .clock(clock.clone())
        .build()
        .unwrap();
    let calling = tokio::spawn(async move {
        client.get("/Customer").options(CallOptions::new().deadline(7 * S)).send().await.map(drop)
    });
    eventually(|| clock.sleepers().contains(&(7 * S))).await;
    clock.advance(7 * S);
    let error = calling.await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
}

/// The error and what caused it, as text and as `Debug`.
fn chain(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    text
}
