//! T10 and T11: nothing shows a secret, and no secret goes where it should not.

use std::time::Duration;

use perenso_auth::{Call, Client, Credentials, ErrorKind, Idempotency, Profile, RetryPolicy};

use crate::{
    SECRET, builder, call, client, generous,
    log::Log,
    server::{Reply, Server, token},
};

#[tokio::test]
async fn t10_no_secret_and_no_token_in_any_text() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(log.clone())
        .finish();
    // For all threads: whether anybody listens is asked once, by whichever thread comes first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = Server::start(|seen| match (seen.path.as_str(), seen.nth) {
        ("/token", 0) => token(0, 300),
        // A server that echoes what it got.
        ("/token", _) => Reply::json(
            400,
            serde_json::json!({"error": "invalid_grant", "error_description": format!("no: {}", seen.body)})
                .to_string(),
        ),
        ("/Customer", _) => Reply::json(200, r#"[{"email":"person@example.com"}]"#),
        _ => Reply::json(401, r#"{"email":"person@example.com"}"#),
    })
    .await;
    let client_builder = builder(&server);
    let mut texts = vec![format!("{client_builder:?}")];
    let client = client_builder.build().unwrap();
    texts.push(format!("{client:?}"));
    call(&client).await.unwrap();
    let token = client.token(Duration::ZERO).await.unwrap();
    texts.push(format!("{token:?} {:?}", token.header()));
    let request = client.post("/other").query("q", "1").json(&serde_json::json!({"email": "person@example.com"}));
    texts.push(format!("{request:?}"));
    let error = request.send().await.unwrap_err();
    texts.push(format!("{error} {error:?} {error:#?}"));
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        texts.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    let wrong = client.get("/Customer").send_json::<Vec<u8>>().await.unwrap_err();
    texts.push(format!("{wrong} {wrong:?}"));
    texts.push(log.text());
    let encoded: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let whole = texts.join("\n");
    assert!(whole.contains("api_call") && whole.contains("invalid_grant"), "the test sees nothing:\n{whole}");
    for secret in [SECRET, encoded.as_str(), "tok-0", "ref-0", "person@example.com"] {
        let at = texts.iter().find(|text| text.contains(secret));
        assert!(at.is_none(), "{secret} stands in: {}", at.unwrap());
    }
}

#[tokio::test]
async fn t10_no_error_shows_the_query_of_an_address() {
    // Nothing listens on the address of a server that is gone.
    let gone = generous(300).await.url.clone();
    let server = generous(300).await;
    let to_api = builder(&server).api_url(gone.clone()).retry(RetryPolicy::never()).build().unwrap();
    let to_tokens = builder(&server).token_url(format!("{gone}/token?session=s3ss10n")).build().unwrap();
    for error in
        [to_api.get("/x?session=s3ss10n").send().await.unwrap_err(), to_tokens.get("/x").send().await.unwrap_err()]
    {
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        assert!(source.is_some(), "{text}");
        while let Some(cause) = source {
            text.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        assert!(!text.contains("s3ss10n"), "{text}");
    }
}

#[tokio::test]
async fn t10_what_a_refusal_shows_is_its_error_and_its_description_cut() {
    let long = "x".repeat(1000);
    let body = format!(r#"{{"error":"invalid_client","error_description":"{long}","other":"hidden"}}"#);
    let server = Server::start(move |_| Reply::json(400, body.clone())).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let text = error.to_string();
    assert!(text.contains("invalid_client: xxx") && !text.contains("hidden"), "{text}");
    assert!(text.len() < 300, "{}", text.len());
}

#[tokio::test]
async fn t10_what_a_server_echoes_of_token_and_secret_is_in_no_text() {
    let server = crate::api(|seen| {
        let echo = format!("{}.{SECRET}", seen.bearer());
        match seen.path.as_str() {
            "/moved" => Reply::status(302).with("location", &format!("/login/{}", seen.bearer())),
            "/typed" => Reply::Whole(200, vec![("content-type", format!("text/{echo}"))], b"no".to_vec()),
            "/named" => Reply::json(200, format!(r#"{{"{}":[true]}}"#, seen.bearer())),
            _ => Reply::status(500).with("x-request-id", &echo),
        }
    })
    .await;
    let client = builder(&server).retry(RetryPolicy::never()).build().unwrap();
    let mut errors = Vec::new();
    for path in ["/moved", "/failed"] {
        errors.push(client.get(path).send().await.unwrap_err());
    }
    errors.push(client.get("/typed").send_json::<Vec<u8>>().await.unwrap_err());
    type Named = std::collections::HashMap<String, Vec<u8>>;
    errors.push(client.get("/named").send_json::<Named>().await.unwrap_err());
    for error in errors {
        let text = format!("{error} {error:?} {:?}", error.request_id());
        assert!(text.contains('…') && !text.contains("tok-0") && !text.contains(SECRET), "{text}");
    }

    let server = Server::start(|seen| {
        Reply::status(302).with("location", &format!("/login/{}", seen.field("client_secret").unwrap()))
    })
    .await;
    let error = call(&client_of(&server, "s3cr3t")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
}

fn client_of(server: &Server, secret: &str) -> Client {
    builder(server).credentials(Credentials::new("show-1", secret)).build().unwrap()
}

#[test]
fn t11_a_plain_address_is_refused_unless_it_is_this_machine_or_was_named() {
    let with = |token_url: &str, api_url: &str| {
        Client::builder(Profile::perenso())
            .credentials(Credentials::new("show-1", SECRET))
            .token_url(token_url)
            .api_url(api_url)
    };
    let error = with("http://id.example/token", "http://api.example").build().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert!(error.to_string().contains("token_url") && error.to_string().contains("api_url"), "{error}");
    assert!(error.to_string().contains(r#"allow_http("api.example")"#), "{error}");
    let named =
        with("http://id.example/token", "http://api.example").allow_http("id.example").allow_http("api.example");
    named.build().unwrap();
    with("http://localhost:1/token", "http://[::1]:2").build().unwrap();
    let error = with("https://user:pass@id.example/token", "not a url s3cr3t").build().unwrap_err();
    assert!(!error.to_string().contains("pass@") && !error.to_string().contains("s3cr3t"), "{error}");
}

#[tokio::test]
async fn t11_no_redirect_is_followed_and_the_error_says_where_it_pointed() {
    let elsewhere = Server::start(|_| Reply::json(200, "[]")).await;
    let target = format!("{}/login?session=s3ss10n", elsewhere.url);
    let to = target.clone();
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => Reply::status(307).with("location", &to),
    })
    .await;
    let error = client(&server).post("/Customer").json(&1).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains(&format!("{}/login", elsewhere.url)), "{error}");
    assert!(!error.to_string().contains("s3ss10n"), "{error}");

    let to = target.clone();
    let server = Server::start(move |_| Reply::status(302).with("location", &to)).await;
    let error = call(&client(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(error.to_string().contains(&format!("{}/login", elsewhere.url)), "{error}");
    assert_eq!((server.tokens().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn t11_a_token_goes_to_its_own_api_and_nowhere_else() {
    let server = generous(300).await;
    let client = client(&server);
    for path in [
        "https://evil.example/x",
        "//evil.example/x",
        "Customer",
        "/a/../b",
        "/a/%2E%2e/b",
        "/a b",
        "/a\\b",
        "/a#b",
        "",
    ] {
        let error = client.get(path).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request, "{path}");
    }
    // An origin is scheme, host and port.
    for url in [
        "http://127.0.0.1:1/x".to_owned(),
        server.url.replace("127.0.0.1", "127.0.0.2"),
        server.url.replace("127.0.0.1", "localhost"),
        server.url.replace("http:", "https:"),
    ] {
        let request = reqwest::Request::new(http::Method::GET, url.parse().unwrap());
        let call = Call::new("elsewhere", Idempotency::Safe);
        assert_eq!(client.execute(request, call).await.unwrap_err().kind(), ErrorKind::Request, "{url}");
    }
    assert_eq!(server.seen().len(), 0);
}
