//! The rate limit.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{RateHeaders, RatePer, RetryAfter, Sandbox};
use reqwest::{Method, Response};

async fn start(requests: u32) -> (Sandbox, Caller) {
    let builder = Sandbox::builder().rate(requests, Duration::from_secs(60)).customers(1);
    let sandbox = builder.start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

async fn get(caller: &Caller) -> Response {
    caller.request(Method::GET, "/Customer").send().await.unwrap()
}

#[tokio::test]
async fn a_call_beyond_the_limit_gets_a_retry_after() {
    let (sandbox, caller) = start(3).await;
    assert_eq!(get(&caller).await.status(), 200);
    sandbox.advance(Duration::from_secs(20));
    assert_eq!(get(&caller).await.status(), 200);
    assert_eq!(get(&caller).await.status(), 200);
    let refused = get(&caller).await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((38..=40).contains(&wait), "{wait}");
    let body: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(body["error"], "too_many_requests");

    sandbox.advance(Duration::from_secs(wait));
    assert_eq!(get(&caller).await.status(), 200, "one call is free again");
    assert_eq!(get(&caller).await.status(), 429);
}

#[tokio::test]
async fn retry_after_follows_the_switch() {
    let (sandbox, caller) = start(1).await;
    get(&caller).await;
    sandbox.set_behavior(|behavior| behavior.retry_after = RetryAfter::Missing);
    assert_eq!(get(&caller).await.headers().get("retry-after"), None);
    sandbox.set_behavior(|behavior| behavior.retry_after = RetryAfter::Date);
    let refused = get(&caller).await;
    let text = refused.headers()["retry-after"].to_str().unwrap();
    let date = chrono::DateTime::parse_from_rfc2822(text).unwrap();
    let wait = date.to_utc() - sandbox.clock().now();
    assert!((55..=62).contains(&wait.num_seconds()), "{text}");
    assert!(text.ends_with(" GMT"));
}

#[tokio::test]
async fn the_limit_is_300_per_minute_unless_it_is_lifted() {
    let sandbox = Sandbox::builder().customers(0).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    for _ in 0..300 {
        assert_eq!(get(&caller).await.status(), 200);
    }
    assert_eq!(get(&caller).await.status(), 429);
    sandbox.set_behavior(|behavior| behavior.rate = None);
    assert_eq!(get(&caller).await.status(), 200);
    let sandbox = Sandbox::builder().unlimited().start().await.unwrap();
    assert_eq!(sandbox.behavior().rate, None);
}

#[tokio::test]
async fn calls_without_a_token_do_not_count() {
    let (sandbox, caller) = start(1).await;
    for _ in 0..3 {
        let response = call::http::client().get(format!("{}/Customer", sandbox.url())).send();
        assert_eq!(response.await.unwrap().status(), 401);
    }
    assert_eq!(get(&caller).await.status(), 200);
}

#[tokio::test]
async fn accounts_follow_the_switch() {
    for (per, expected) in [(RatePer::Show, 429), (RatePer::Token, 200), (RatePer::Address, 429)] {
        let (sandbox, caller) = start(1).await;
        sandbox.set_behavior(|behavior| behavior.rate_per = per);
        assert_eq!(get(&caller).await.status(), 200);
        assert_eq!(get(&caller).await.status(), 429);
        let other = Caller::new(&sandbox);
        assert_eq!(get(&other).await.status(), expected, "{per:?}");
    }
}

// Other systems have only 127.0.0.1 without configuration.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn addresses_can_have_separate_limits() {
    for (per, expected) in [(RatePer::Show, 429), (RatePer::Address, 200)] {
        let (sandbox, caller) = start(1).await;
        sandbox.set_behavior(|behavior| behavior.rate_per = per);
        assert_eq!(get(&caller).await.status(), 200);
        call::http::client();
        let other = reqwest::Client::builder().no_proxy().local_address(std::net::IpAddr::from([127, 0, 0, 2]));
        let request = other.build().unwrap().get(format!("{}/Customer", sandbox.url()));
        let response = request.bearer_auth(sandbox.issue_token()).send().await.unwrap();
        assert_eq!(response.status(), expected, "{per:?}");
    }
}

#[tokio::test]
async fn rejected_calls_count_if_switched_on() {
    for (counts, expected) in [(false, 200), (true, 429)] {
        let (sandbox, caller) = start(1).await;
        sandbox.set_behavior(|behavior| behavior.rate_counts_refused = counts);
        assert_eq!(get(&caller).await.status(), 200);
        sandbox.advance(Duration::from_secs(40));
        assert_eq!(get(&caller).await.status(), 429);
        sandbox.advance(Duration::from_secs(30));
        assert_eq!(get(&caller).await.status(), expected);
    }
}

#[tokio::test]
async fn rate_limit_headers_follow_the_switch() {
    let (sandbox, caller) = start(2).await;
    let number =
        |response: &Response, name: &str| -> i64 { response.headers()[name].to_str().unwrap().parse().unwrap() };
    let first = get(&caller).await;
    assert!(first.headers().keys().all(|name| !name.as_str().starts_with("x-ratelimit")));
    for (form, statuses) in [(RateHeaders::Seconds, [200, 429]), (RateHeaders::Epoch, [429, 429])] {
        sandbox.set_behavior(|behavior| behavior.rate_headers = form);
        for status in statuses {
            let response = get(&caller).await;
            assert_eq!(response.status(), status);
            assert_eq!(number(&response, "x-ratelimit-limit"), 2);
            assert_eq!(number(&response, "x-ratelimit-remaining"), 0);
            let reset = number(&response, "x-ratelimit-reset");
            let wait = if form == RateHeaders::Epoch { reset - sandbox.clock().now().timestamp() } else { reset };
            assert!((50..=61).contains(&wait), "{form:?} {wait}");
        }
    }
    sandbox.advance(Duration::from_secs(61));
    assert_eq!(number(&get(&caller).await, "x-ratelimit-remaining"), 1);
    sandbox.set_behavior(|behavior| behavior.rate = None);
    assert_eq!(get(&caller).await.headers().get("x-ratelimit-limit"), None);
}

#[tokio::test]
async fn the_date_header_follows_the_sandbox_clock() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.advance(Duration::from_secs(3600));
    sandbox.fault(perenso_sandbox::Fault::too_many_requests_until(Duration::from_secs(10)));
    let response = call::Caller::new(&sandbox).request(reqwest::Method::GET, "/Customer").send().await.unwrap();
    let time = |name: &str| {
        let text = response.headers()[name].to_str().unwrap();
        chrono::DateTime::parse_from_rfc2822(text).unwrap().to_utc()
    };
    let pause = time("retry-after") - time("date");
    assert!((9..=12).contains(&pause.num_seconds()), "{pause}");
    assert!((time("date") - sandbox.clock().now()).num_seconds().abs() <= 2);
}
