//! Options for all calls of a client, for those of one handle, and from the environment.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::TryStreamExt;
use http::{HeaderName, HeaderValue, Method};
use perenso::{
    CallErrorKind, CallOptions, ErrorKind, Perenso, Rate, RetryPolicy, TokenPolicy,
    auth::clock::ManualClock,
    types::{CustomerV2, Vendor},
};
use perenso_sandbox::{Fault, Sandbox};
use serde_json::Value;

use crate::{
    SECRET, builder, builder_for, builder_of, calls, eventually, is_call, sandbox,
    server::{Reply, Server},
    show_of,
};

#[tokio::test]
async fn a_client_and_its_calls_go_from_thread_to_thread() {
    fn shared<T: Clone + Send + Sync + 'static>(thing: T) -> T {
        thing
    }
    let (_sandbox, show) = sandbox(2).await;
    let show = shared(show);
    let calls = async move {
        let customers = show.customers();
        let id = customers.list().stream().try_next().await.unwrap().unwrap().id.into_option().unwrap();
        let customer = customers.get(&id).await.unwrap();
        customers.update(&id, &customer).await.unwrap();
        customers.delete(&id).await.unwrap();
        let report = customers.upsert([CustomerV2 { customer_id: "K1".into(), ..CustomerV2::default() }]);
        assert!(report.send().await.unwrap().all_succeeded());
        assert!(show.vendors().upsert([Vendor::default()]).send().await.unwrap().all_succeeded());
        let warehouses = show.resource::<Value>("/Warehouse").unwrap();
        warehouses.get(warehouses.list().send().await.unwrap()[0]["id"].as_str().unwrap()).await.unwrap();
        show.attendees().get(show.attendees().list().send().await.unwrap()[0].id.as_deref().unwrap()).await.unwrap();
        show.exports().catalog().await.unwrap();
        show.booth_products().associate("B1", "P1").await.unwrap_err();
        show.booth_products().associate_many("B1", ["P1"]).await.unwrap_err();
        show.request(Method::GET, "/Customer").send_json::<Value>().await.unwrap();
        show.token(Duration::ZERO).await.unwrap();
    };
    tokio::spawn(calls).await.unwrap();
}

#[tokio::test]
async fn a_deadline_holds_for_one_handle_and_not_for_the_client() {
    let (sandbox, show) = sandbox(2).await;
    show.token(Duration::ZERO).await.unwrap();
    let hurried = show.with_options(CallOptions::new().deadline(Duration::from_millis(50)));
    sandbox.fault(Fault::Delay(Duration::from_secs(30)));
    let started = Instant::now();
    let error = hurried.customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Timeout) && error.to_string().contains("CallOptions::deadline"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(show.customers().list().send().await.unwrap().len(), 2);
}

#[tokio::test]
async fn headers_go_with_every_call_of_one_handle_and_with_none_of_the_client() {
    let (sandbox, show) = sandbox(2).await;
    let name = HeaderName::from_static("x-trace");
    let traced = show.with_options(CallOptions::new().header(name.clone(), HeaderValue::from_static("t-1")));
    let every = |show: Perenso| async move {
        let id = show.customers().list().send().await.unwrap()[0].id.as_deref().unwrap().to_owned();
        show.customers().list().page(1).await.unwrap();
        show.customers().get(&id).await.unwrap();
        let vendors = show.vendors().upsert([Vendor::default()]).send().await.unwrap();
        assert!(vendors.all_succeeded());
        show.resource::<Value>("/Warehouse").unwrap().list().send().await.unwrap();
        show.request(Method::GET, "/Customer").send().await.unwrap();
        show.exports().catalog().await.unwrap();
    };
    every(traced.clone()).await;
    let with = calls(&sandbox);
    assert!(with.len() == 7 && with.iter().all(|call| call.header("x-trace") == Some("t-1")), "{with:#?}");
    assert!(sandbox.journal()[0].header("x-trace").is_none(), "a token request is no call");
    sandbox.clear_journal();
    every(show).await;
    assert!(calls(&sandbox).iter().all(|call| call.header("x-trace").is_none()));
    assert_eq!(sandbox.token_requests().total(), 1, "both share their tokens");

    let own = traced.request(Method::GET, "/Customer").header(name, HeaderValue::from_static("t-2"));
    own.send().await.unwrap();
    assert_eq!(calls(&sandbox).last().unwrap().header("x-trace"), Some("t-2"), "the call's own counts");
}

#[tokio::test]
async fn nobody_sets_the_bearer_but_the_token_layer() {
    let (sandbox, show) = sandbox(0).await;
    let options = CallOptions::new().header(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer mine"));
    let error = show.with_options(options).customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Request) && !error.to_string().contains("mine"), "{error}");
    assert!(sandbox.journal().is_empty());
}

#[tokio::test]
async fn retries_are_for_one_handle_to_change() {
    let (sandbox, show) = sandbox(2).await;
    let impatient = show.with_options(CallOptions::new().retry(RetryPolicy::never()));
    sandbox.fault(Fault::status(503));
    let error = impatient.customers().list().send().await.unwrap_err();
    assert_eq!((error.attempts(), calls(&sandbox).len()), (1, 1));
    sandbox.fault(Fault::status(503));
    show.customers().list().send().await.unwrap();
    assert_eq!(calls(&sandbox).len(), 3);

    let pauses = RetryPolicy::never().backoff(Duration::from_millis(1), Duration::from_millis(2));
    let stubborn = show.with_options(CallOptions::new().retry(pauses.attempts(7)));
    for _ in 0..6 {
        sandbox.fault(Fault::status(503));
    }
    stubborn.customers().list().send().await.unwrap();
    assert_eq!(calls(&sandbox).len(), 10);
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_waited_for() {
    let sandbox = Sandbox::start().await.unwrap();
    let rate = Rate::new(10, Duration::from_secs(1), 1);
    let show = builder_for(&sandbox).rate(rate).build().unwrap();
    let started = Instant::now();
    for _ in 0..3 {
        show.customers().list().page(1).await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(190), "{:?}", started.elapsed());
    let hurried = show.with_options(CallOptions::new().deadline(Duration::from_millis(5)));
    let error = hurried.customers().list().send().await.unwrap_err();
    assert!(error.is_timeout() && error.attempts() == 0, "{error:?}");
}

#[tokio::test]
async fn redirects_are_not_followed_whatever_the_own_reqwest_builder_says() {
    let elsewhere = Server::start(|_| Reply::json(200, "[]")).await;
    let to = format!("{}/Customer", elsewhere.url);
    let server = Server::start(move |_| Reply::status(302).with("location", &to)).await;
    let own = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(5)).user_agent("mine");
    let show = builder_of(&server).http_builder(own).build().unwrap();
    let error = show.customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::Redirect), "{error:?}");
    assert!(elsewhere.seen().is_empty());
    assert!(server.calls()[0].header("user-agent").starts_with("perenso/"));
}

#[tokio::test]
async fn the_settings_of_a_given_reqwest_builder_are_kept() {
    let server = Server::start(|_| Reply::json(200, "[]")).await;
    let headers: http::HeaderMap =
        [(HeaderName::from_static("x-own"), HeaderValue::from_static("kept"))].into_iter().collect();
    let own = move || reqwest::Client::builder().default_headers(headers.clone());
    builder_of(&server).http_builder(own).build().unwrap().customers().list().send().await.unwrap();
    assert_eq!(server.calls()[0].header("x-own"), "kept");
}

#[tokio::test]
async fn a_proxy_is_used() {
    let proxy = Server::start(|seen| match seen.method.as_str() {
        "CONNECT" => Reply::status(502),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let through = || reqwest::Proxy::all(&proxy.url).unwrap();
    let plain = builder("http://api.example", "http://id.example/token", "SHOWID", SECRET)
        .allow_http("api.example")
        .allow_http("id.example")
        .proxy(through())
        .build()
        .unwrap();
    plain.customers().list().send().await.unwrap();
    let seen: Vec<_> = proxy.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(seen, ["POST http://id.example/token", "GET http://api.example/Customer"]);

    if cfg!(not(any(feature = "rustls", feature = "native-tls"))) {
        return;
    }
    let tls = builder("https://api.example", "https://id.example/token", "SHOWID", SECRET)
        .token_policy(TokenPolicy::default().attempts(1))
        .proxy(through())
        .build()
        .unwrap();
    let error = tls.customers().list().send().await.unwrap_err();
    assert!(is_call(&error, CallErrorKind::TokenUnavailable), "{error:?}");
    let last = proxy.seen().pop().unwrap();
    assert_eq!((last.method.as_str(), last.path.as_str()), ("CONNECT", "id.example:443"));
    assert!(!last.body.contains(SECRET) && !format!("{:?}", last.headers).contains(SECRET));
}

#[cfg(feature = "rustls")]
#[test]
fn certificates_that_are_none_are_said_when_the_client_is_built() {
    let show = || Perenso::builder().client_id("SHOWID").client_secret(SECRET);
    let half = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    for pem in ["", "no PEM", half] {
        let error = show().root_certificate(pem).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("certificate"), "{error}");
        let error = show().client_certificate(pem).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("client certificate"), "{error}");
        let local = show().api_url("http://127.0.0.1:1").token_url("http://127.0.0.1:1").root_certificate(pem);
        assert_eq!(local.build().unwrap_err().kind(), ErrorKind::Config, "in a test as well");
    }
}

/// Runs in a separate process, whose environment [`the_environment_makes_a_client`] sets.
#[tokio::test]
#[ignore = "another test runs it, in a process of its own"]
async fn with_the_environment_of_another_test() {
    let show = Perenso::from_env_prefix("ALPHA_SHOW").unwrap();
    assert_eq!(show.customers().list().send().await.unwrap().len(), 7);
    let error = Perenso::from_env().unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert!(error.to_string().contains("PERENSO_CLIENT_ID"), "{error}");
    let unlimited = Perenso::builder_from_env_prefix("ALPHA_SHOW").unwrap().unlimited().label("alpha").build().unwrap();
    unlimited.customers().list().send().await.unwrap();
}

#[tokio::test]
async fn the_environment_makes_a_client() {
    let sandbox = Sandbox::builder().customers(7).start().await.unwrap();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("facade-secret");
    std::fs::write(&file, format!(" {}\n", sandbox.client_secret())).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "--ignored", "options::with_the_environment_of_another_test"])
        .env_clear()
        .env("ALPHA_SHOW_CLIENT_ID", sandbox.client_id())
        .env("ALPHA_SHOW_CLIENT_SECRET_FILE", &file)
        .env("ALPHA_SHOW_API_URL", sandbox.url())
        .env("ALPHA_SHOW_TOKEN_URL", sandbox.token_url())
        .env("ALPHA_SHOW_CLIENT_AUTH", "basic")
        // Requests to this machine bypass a proxy.
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let journal = sandbox.journal();
    assert_eq!(journal.len(), 4);
    assert_eq!(journal[0].header("authorization"), Some("Basic ***"));
    std::fs::remove_file(file).unwrap();
}

/// Runs in a separate process, whose environment [`a_secret_file_of_the_environment_is_read_again`] sets.
#[tokio::test]
#[ignore = "another test runs it, in a process of its own"]
async fn with_a_secret_file_that_is_rotated() {
    let file = std::env::var_os("PERENSO_CLIENT_SECRET_FILE").unwrap();
    let right = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "the old one\n").unwrap();
    let clock = perenso::auth::clock::ManualClock::default();
    let by_builder = Perenso::builder_from_env_prefix("ALPHA_SHOW").unwrap().clock(clock.clone()).build().unwrap();
    let doors = [Perenso::from_env().unwrap(), Perenso::from_env_prefix("ALPHA_SHOW").unwrap(), by_builder.clone()];
    assert!(by_builder.customers().list().send().await.unwrap_err().is_auth());
    std::fs::write(&file, right).unwrap();
    clock.advance(Duration::from_secs(11));
    for show in doors {
        assert_eq!(show.customers().list().send().await.unwrap().len(), 7);
    }
}

#[tokio::test]
async fn a_secret_file_of_the_environment_is_read_again() {
    let sandbox = Sandbox::builder().customers(7).start().await.unwrap();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("facade-rotated-secret");
    std::fs::write(&file, sandbox.client_secret()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "--ignored", "options::with_a_secret_file_that_is_rotated"]).env_clear();
    for prefix in ["PERENSO", "ALPHA_SHOW"] {
        child
            .env(format!("{prefix}_CLIENT_ID"), sandbox.client_id())
            .env(format!("{prefix}_CLIENT_SECRET_FILE"), &file)
            .env(format!("{prefix}_API_URL"), sandbox.url())
            .env(format!("{prefix}_TOKEN_URL"), sandbox.token_url());
    }
    let output = tokio::task::spawn_blocking(move || child.stdin(Stdio::null()).output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn options_stack_and_the_last_word_counts() {
    let (sandbox, show) = sandbox(1).await;
    let (a, b) = (HeaderName::from_static("x-a"), HeaderName::from_static("x-b"));
    let value = HeaderValue::from_static;
    let first = CallOptions::new().header(a.clone(), value("1")).retry(RetryPolicy::never());
    let second = CallOptions::new().header(a.clone(), value("2")).header(b.clone(), value("3"));
    let both = show.with_options(first).with_options(second);
    sandbox.fault(Fault::status(503));
    let error = both.customers().list().send().await.unwrap_err();
    assert_eq!(error.attempts(), 1, "the retries of the first are kept: {error}");
    let call = calls(&sandbox).pop().unwrap();
    assert_eq!((call.header("x-a"), call.header("x-b")), (Some("2"), Some("3")));
    // The options of a call are added to those of its handle.
    sandbox.fault(Fault::status(503));
    let own = both.request(Method::GET, "/Customer").options(CallOptions::new().header(a, value("4")));
    assert_eq!(own.send().await.unwrap_err().attempts(), 1);
    let call = calls(&sandbox).pop().unwrap();
    assert_eq!((call.header("x-a"), call.header("x-b")), (Some("4"), Some("3")));
}

#[tokio::test]
async fn a_stop_ends_the_waits_of_any_call_and_sends_nothing_after_it() {
    let server = Server::start(|_| Reply::status(503).with("retry-after", "20")).await;
    let clock = ManualClock::default();
    let show = builder_of(&server).clock(clock.clone()).build().unwrap();
    let (shutdown, requested) = tokio::sync::oneshot::channel::<()>();
    let show = show.with_options(CallOptions::new().stop_when(async { drop(requested.await) }));
    let call = tokio::spawn({
        let show = show.clone();
        async move { show.customers().get("4ddjf2").await }
    });
    eventually(|| clock.sleepers().contains(&Duration::from_secs(20))).await;
    drop(shutdown);
    let error = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap().unwrap().unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (503, 1), "{error}");

    // All later calls of the handle are stopped too: a page, a write, and a call with its own options.
    let stopped = |error: perenso::Error| {
        assert!(
            is_call(&error, CallErrorKind::Stopped) && !error.may_have_written() && error.attempts() == 0,
            "{error}"
        );
    };
    stopped(show.customers().list().stream().try_next().await.unwrap_err());
    stopped(show.customers().delete("4ddjf2").await.unwrap_err());
    let own = CallOptions::new().stop_when(std::future::pending());
    stopped(show.request(Method::GET, "/Customer").options(own).send().await.unwrap_err().into());
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn a_sandbox_is_connected_to_in_one_line() {
    let sandbox = Sandbox::builder().customers(2).start().await.unwrap();
    let show = Perenso::from_vars(sandbox.vars()).unwrap();
    assert_eq!(show.customers().list().send().await.unwrap().len(), 2);
    // The names, the rules and the error messages are those of environment variables.
    let error = Perenso::from_vars([("PERENSO_CLIENT_ID", "SHOWID"), ("PATH", "/bin")]).unwrap_err();
    assert_eq!(error.problems(), ["neither PERENSO_CLIENT_SECRET nor PERENSO_CLIENT_SECRET_FILE is set"]);
    let http = [sandbox.vars()[0].clone(), sandbox.vars()[1].clone(), ("PERENSO_API_URL", "http://api.example".into())];
    let error = Perenso::from_vars(http).unwrap_err();
    assert!(error.problems()[0].contains("set PERENSO_API_URL with https"), "{error}");
}

#[tokio::test]
async fn a_refusal_names_fields_and_no_values() {
    let body = serde_json::json!({
        "title": "One or more errors", "detail": "Ann Example has no city", "message": "Ann Example",
        "errors": {"CustomerID": ["K0001 is taken"], "City": "Fargo is unknown", "K0001": "taken", "Ann Example": []},
    })
    .to_string();
    let server = Server::start(move |_| Reply::json(400, body.clone())).await;
    let customer = CustomerV2 { customer_id: "K0001".into(), ..CustomerV2::default() };
    let once = show_of(&server).request(Method::POST, "/v2/customers/bulk").json(&[customer]);
    let error = once.send().await.unwrap_err();
    let text = format!("{error} {error:?} {error:#?}");
    assert!(text.contains("it names `City`, `customerID`"), "{text}");
    for value in ["K0001", "Ann", "Fargo", "taken", "One or more"] {
        assert!(!text.contains(value), "{value} is in {text}");
    }
    let problem = error.problem_details().unwrap();
    assert_eq!((problem.detail.as_deref(), problem.errors.len()), (Some("Ann Example has no city"), 4));
    assert!(!format!("{problem:#?} {:?}", problem.errors).contains("Ann"));
}
