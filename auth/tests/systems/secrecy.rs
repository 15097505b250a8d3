//! T10 for all five: whatever can be printed is printed, all that is logged is kept, and every secret is looked for in it.

use std::{
    error::Error as StdError,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use perenso_auth::{
    AuthorizationCode, AuthorizationRequest, BodyEncoding, Client, ClientAuth, Credentials, Error, ErrorKind, Identity,
    Profile, RetryPolicy, Secret, TenantRegion, TokenPolicy,
    clock::{Clock, SystemClock},
    store::{FileStore, MemoryStore, StoredAccessToken, StoredRefreshToken, StoredTokens, TokenStore},
};
use serde_json::json;
use tracing_subscriber::{fmt::format::FmtSpan, util::SubscriberInitExt};

use crate::{
    S,
    log::Log,
    of_server,
    server::{Reply, Seen, Server},
};

/// Holds what forms, JSON and Base64 change.
const CLIENT_SECRET: &str = "cl13nt\"s3cr3t+/=%";
const PASSWORD: &str = "pa55 w0rd/&";
const CODE: &str = "c0de/9+";
const VERIFIER: &str = "v3r1f13r~pkce";
const TID: &str = "in-t3nant1d";
const KEY: &str = "5ubscr1pt10nk3y";
const BROUGHT: &str = "br0ught-r3fr35h/";
/// The prefix of every token of the server.
const ACCESS: &str = "acc355t0k3n";
const REFRESH: &str = "r3fr35ht0k3n";

#[tokio::test]
async fn no_secret_of_any_system_is_in_any_string() {
    let log = Log::default();
    // For all threads, and for what is logged by other means than tracing.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(log.clone())
        .finish()
        .init();
    let mut texts = Vec::new();
    for (profile, credentials) in systems() {
        run(&mut texts, &profile, &credentials).await;
    }
    print_what_needs_no_server(&mut texts).await;
    texts.push(log.text());
    let seen = |word: &str| texts.iter().any(|text| text.contains(word));
    for word in ["api_call", "hyper", "refresh failed", "invalid_grant", "AuthorizationCode", "subscription key"] {
        assert!(seen(word), "the test does not see {word}");
    }
    let secrets = secrets();
    let shown = |line: &&str| secrets.iter().any(|secret| line.contains(secret));
    let lines: Vec<_> = texts.iter().flat_map(|text| text.lines()).filter(shown).collect();
    assert!(lines.is_empty(), "{} lines show a secret:\n{}", lines.len(), lines.join("\n"));
}

/// Every secret, as it is and in the forms that it takes on the wire.
fn secrets() -> Vec<String> {
    let plain = [CLIENT_SECRET, PASSWORD, CODE, VERIFIER, TID, KEY, BROUGHT, ACCESS, REFRESH];
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let in_json = |text: &str| json!(text).to_string().trim_matches('"').to_owned();
    let forms =
        plain.iter().flat_map(|text| [(*text).to_owned(), encoded(text), encoded(text).to_lowercase(), in_json(text)]);
    let pairs = [CLIENT_SECRET.to_owned(), encoded(CLIENT_SECRET)];
    forms.chain(pairs.map(|secret| STANDARD.encode(format!("desk:{secret}")))).collect()
}

/// All five, with every grant and every way to send the credentials.
fn systems() -> Vec<(Profile, Credentials)> {
    let own = || Credentials::new("desk", CLIENT_SECRET);
    let code = || own().code(AuthorizationCode::new(CODE, "http://localhost").pkce_verifier(VERIFIER));
    let basic = |profile: Profile, place| profile.client_auth(place).refresh_client_auth(place);
    let perspio = || Profile::perspio(TID, KEY);
    let tourpaq = || own().user("jane", PASSWORD);
    vec![
        (Profile::perenso(), own()),
        (basic(Profile::perenso(), ClientAuth::BasicPlain), own()),
        (Profile::priava(TenantRegion::Eu), code()),
        (Profile::priava(TenantRegion::Us), own().refresh_token(BROUGHT)),
        (perspio(), own()),
        (perspio(), code()),
        (Profile::event_bookings(), own()),
        (Profile::event_bookings().body_encoding(BodyEncoding::Form), own()),
        (Profile::tourpaq(), tourpaq()),
        (basic(Profile::tourpaq(), ClientAuth::BasicEncoded), tourpaq()),
        (Profile::new("sixth").token_field("assertion", VERIFIER).grants([]), own()),
    ]
}

/// The outcome of token requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Granted,
    /// Refused with this error, and all that was sent is in the description.
    Echoed(&'static str),
    Broken(u16),
    Unreadable,
    Misfit,
    Redirected,
    Gone,
}

const BAD_MOODS: [Mood; 8] = [
    Mood::Echoed("invalid_grant"),
    Mood::Echoed("invalid_client"),
    Mood::Broken(503),
    Mood::Broken(429),
    Mood::Unreadable,
    Mood::Misfit,
    Mood::Redirected,
    Mood::Gone,
];

/// A client of this system through good times and bad: all that it can print.
async fn run(texts: &mut Vec<String>, profile: &Profile, credentials: &Credentials) {
    let mood = Arc::new(Mutex::new(Mood::Granted));
    let server = server(&mood).await;
    let pause = Duration::from_millis(1);
    let builder = || {
        of_server(&server, profile.clone(), credentials.clone())
            .memory_only()
            .unlimited()
            .token_policy(TokenPolicy::default().attempts(2).backoff(pause, pause))
            .retry(RetryPolicy::default().attempts(2).backoff(pause, pause))
    };
    texts.push(format!("{credentials:?} {credentials:#?} {:?}", builder()));
    for bad in BAD_MOODS {
        *mood.lock().unwrap() = Mood::Granted;
        let client = builder().build().unwrap();
        client.get("/well").send().await.unwrap();
        *mood.lock().unwrap() = bad;
        // The token of no length has ended: a refresh, and the original grant where there is one.
        let error = client.get("/well").send().await.unwrap_err();
        let of_tokens = [ErrorKind::Refused, ErrorKind::PersonNeeded, ErrorKind::TokenUnavailable, ErrorKind::Redirect];
        assert!(of_tokens.contains(&error.kind()), "{bad:?}: {error}");
        print(texts, &error);
        print(texts, &builder().build().unwrap().get("/well").send().await.unwrap_err());
    }
    *mood.lock().unwrap() = Mood::Granted;
    let client = builder().build().unwrap();
    texts.push(format!("{client:?} {:?} {:?}", client.http(), client.get("/well")));
    let response = client.get("/well").send().await.unwrap();
    texts.push(format!("{:?}", response.headers()));
    let token = client.token(Duration::ZERO).await.unwrap();
    assert!(token.expose().starts_with(ACCESS));
    texts.push(format!("{token:?} {:?} {:?}", token.clone(), token.header()));
    for path in ["/misfit", "/elsewhere", "/cut", "/gone", "/refused", "/broken", "/busy"] {
        let error = client.get(path).send_json::<Vec<u8>>().await.unwrap_err();
        print(texts, &error);
    }
}

/// A server whose tokens have no length, and which echoes what it got wherever it can.
async fn server(mood: &Arc<Mutex<Mood>>) -> Server {
    let mood = Arc::clone(mood);
    Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(*mood.lock().unwrap(), seen),
        "/well" => Reply::json(200, "[]"),
        "/misfit" => Reply::json(200, json!({ "echo": echo(seen) }).to_string()),
        "/elsewhere" => Reply::status(302).with("location", &format!("/login?session={ACCESS}#{ACCESS}")),
        "/cut" => Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n[\"{}\"", echo(seen)).into_bytes()),
        "/gone" => Reply::Close,
        "/refused" => Reply::json(401, echo(seen)),
        "/busy" => Reply::json(429, echo(seen)).with("retry-after", "7200"),
        _ => Reply::json(500, echo(seen)),
    })
    .await
}

fn token(mood: Mood, seen: &Seen) -> Reply {
    let granted = json!({
        "access_token": format!("{ACCESS}-{}", seen.nth),
        "refresh_token": format!("{REFRESH}-{}", seen.nth),
        "id_token": format!("{ACCESS}.of.a.person"),
        "expires_in": 0,
    });
    match mood {
        Mood::Granted => Reply::json(200, granted.to_string()),
        Mood::Echoed(error) => Reply::json(400, json!({"error": error, "error_description": echo(seen)}).to_string()),
        Mood::Broken(status) => Reply::json(status, echo(seen)),
        Mood::Unreadable => Reply::json(200, granted.to_string()[..60].to_owned()),
        Mood::Misfit => Reply::json(200, json!({"access_token": [granted], "token_type": echo(seen)}).to_string()),
        Mood::Redirected => Reply::status(307).with("location", &format!("https://id.example/?{}", seen.body)),
        Mood::Gone => Reply::Close,
    }
}

/// Returns the secrets of a request. The header is first, since messages are truncated.
fn echo(seen: &Seen) -> String {
    let headers = ["authorization", "tid", "ocp-apim-subscription-key"].map(|name| seen.header(name));
    format!("{} {}", headers.join(" "), seen.body)
}

fn print(texts: &mut Vec<String>, error: &Error) {
    texts.push(format!("{error} {error:?} {error:#?} {:?}", error.token_error()));
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(format!("{cause} {cause:?} {cause:#?}"));
        source = cause.source();
    }
}

/// The public types that no run of a client prints.
async fn print_what_needs_no_server(texts: &mut Vec<String>) {
    let mut show = |value: &dyn Debug| texts.push(format!("{value:?} {value:#?}"));
    show(&Secret::from(CLIENT_SECRET));
    show(&AuthorizationCode::new(CODE, "http://localhost").pkce_verifier(VERIFIER));
    let identity = Identity::new(["perspio", TID], "desk", Secret::from(CLIENT_SECRET));
    show(&identity);
    for (profile, credentials) in systems() {
        show(&profile);
        show(&credentials);
        let refused = Client::builder(profile).credentials(credentials).token_url("").api_url("http://api.example");
        show(&refused.build().unwrap_err());
    }
    show(&Client::builder(Profile::perspio(format!("{TID}\n"), KEY)).build().unwrap_err());
    show(&Profile::perspio(TID, KEY));

    let now = SystemClock::default().now();
    let mut tokens = StoredTokens::default();
    tokens.access_token = Some(StoredAccessToken::new(Secret::from(ACCESS), S, S));
    tokens.refresh_token = Some(StoredRefreshToken::new(Secret::from(REFRESH), None));
    show(&tokens);
    let directory = tempfile::tempdir().unwrap();
    let (memory, files) = (MemoryStore::new(), FileStore::new(directory.path()));
    for store in [&memory as &dyn TokenStore, &files] {
        let mut lock = store.try_lock(&identity, 5 * S).await.unwrap().unwrap();
        lock.save(&tokens, now).await.unwrap();
        show(&lock);
        show(&store);
        show(&store.load(&identity, now).await.unwrap());
    }

    let request = || AuthorizationRequest::new(&Profile::perspio(TID, KEY), "desk", "http://localhost").unwrap();
    let denied = request();
    show(&denied);
    let verifier_and_state = denied.state().to_owned();
    let address = format!("/?state={0}&error=access_denied&error_description=for+{0}", denied.state());
    let error = denied.callback(&address).unwrap_err();
    show(&error);
    assert!(!error.to_string().contains(&verifier_and_state), "{error}");
    let address = format!("/?state={}&code={CODE}", request().state());
    show(&request().callback(&address).unwrap_err());
}
