//! Does the binary say where it is, serve, and stop?

#![allow(clippy::unwrap_used)]
#![cfg(feature = "cli")]

#[path = "support/http.rs"]
mod http;

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perenso-sandbox"));
    command.kill_on_drop(true).stdout(Stdio::piped());
    command
}

/// Starts the binary; gives it with the values of its ready line.
async fn start(arguments: &[&str]) -> (Child, HashMap<String, String>) {
    let mut child = command().args(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await.unwrap().unwrap().unwrap();
    let values = line.strip_prefix("ready ").unwrap();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    (child, values.split(' ').map(pair).collect())
}

#[tokio::test]
async fn it_serves_what_its_ready_line_says() {
    let (_child, ready) =
        start(&["--customers", "12", "--page-cap", "5", "--token-lifetime", "77", "--client-id", "show-9"]).await;
    assert_eq!(ready["client_id"], "show-9");
    let client = http::client();
    let token: Value = client
        .post(&ready["token_url"])
        .basic_auth(&ready["client_id"], Some(&ready["client_secret"]))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(token["expires_in"], 77);
    let list = async |query: &str| -> usize {
        let request = client
            .get(format!("{}/Customer{query}", ready["url"]))
            .bearer_auth(token["access_token"].as_str().unwrap());
        let body: Vec<Value> = request.send().await.unwrap().json().await.unwrap();
        body.len()
    };
    assert_eq!(list("").await, 12);
    assert_eq!(list("?resultsPerPage=10").await, 5);
}

#[tokio::test]
async fn it_adds_exports_of_as_many_rows_as_it_is_told() {
    let (_child, ready) = start(&["--rows", "7"]).await;
    let client = http::client();
    let request = client
        .post(&ready["token_url"])
        .basic_auth(&ready["client_id"], Some(&ready["client_secret"]))
        .form(&[("grant_type", "client_credentials")]);
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    for (id, values) in
        [("ol26pg", json!({ "Cursor": 1, "Limit": 100 })), ("ol26sc", json!({ "Since": "2025-01-01T00:00:00Z" }))]
    {
        let request = client.post(format!("{}/Export/{id}", ready["url"])).json(&values);
        let answer = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.json::<Vec<Value>>().await.unwrap().len(), 7, "{id}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_stops_when_it_is_told() {
    for signal in ["-TERM", "-INT"] {
        let (mut child, ready) = start(&["--client-secret", "made+up/secret="]).await;
        assert_eq!(ready["client_secret"], "made+up/secret=");
        let id = child.id().unwrap().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(10), child.wait());
        assert_eq!(ended.await.unwrap().unwrap().code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn it_stands_in_for_other_systems_and_says_what_a_client_of_them_needs() {
    for (system, base, names) in [
        ("priava", "/api/rest", &["code", "redirect_uri"] as &[_]),
        ("perspio", "", &["authorize_url", "code", "redirect_uri", "subscription_key", "tenant_id"]),
        ("event-bookings", "", &[]),
        ("tourpaq", "", &["password", "username"]),
    ] {
        let (_child, ready) = start(&["--system", system, "--token-lifetime", "77", "--client-secret", "s"]).await;
        let mut expected: Vec<&str> = ["url", "token_url", "client_id", "client_secret"].into();
        expected.extend(names);
        expected.sort_unstable();
        let mut named: Vec<&str> = ready.keys().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, expected, "{system}");
        assert!(ready["url"].ends_with(base) && ready["token_url"].ends_with("/token"), "{ready:?}");
        assert_eq!(ready["client_secret"], "s");
        // The address is that of this system's token endpoint.
        let answer = http::client().post(&ready["token_url"]).send().await.unwrap();
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"], "invalid_request", "{system}");
    }
    let (_child, ready) = start(&["--system", "tourpaq", "--token-lifetime", "77"]).await;
    let fields = ["username", "password"].map(|name| (name, ready[name].as_str()));
    let request = http::client()
        .post(&ready["token_url"])
        .basic_auth(&ready["client_id"], Some(&ready["client_secret"]))
        .form(&[("grant_type", "password"), ("scope", "read"), fields[0], fields[1]]);
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(token["expires_in"], 77);
}

#[tokio::test]
async fn an_option_that_is_for_perenso_only_is_not_passed_over() {
    for option in ["--customers", "--seed", "--page-cap", "--rows"] {
        let mut other = command();
        other.args(["--system", "priava", option, "3"]).stderr(Stdio::piped());
        let ended = tokio::time::timeout(Duration::from_secs(20), other.output());
        let refused = ended.await.unwrap().unwrap();
        assert!(!refused.status.success());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(option) && said.contains("Perenso"), "{said}");
    }
}

#[tokio::test]
async fn it_keeps_other_machines_out_and_says_what_it_is() {
    let mut remote = command();
    remote.args(["--host", "0.0.0.0"]).stderr(Stdio::piped());
    let ended = tokio::time::timeout(Duration::from_secs(20), remote.output());
    let refused = ended.await.unwrap().unwrap();
    assert!(!refused.status.success());
    assert!(refused.stdout.is_empty());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("0.0.0.0:0 is not a loopback address"), "{said}");
    let help = command().arg("--help").output().await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("stand-in") && help.contains("not the Perenso service"));
}

#[tokio::test]
async fn its_journal_is_as_long_as_it_is_told() {
    let (_child, ready) = start(&["--journal", "2"]).await;
    let client = http::client();
    for n in 0..3 {
        client.get(format!("{}/Customer?page={n}", ready["url"])).send().await.unwrap();
    }
    let journal = client.get(format!("{}/sandbox/journal", ready["url"])).send().await.unwrap();
    let journal: Vec<Value> = journal.json().await.unwrap();
    assert_eq!((journal.len(), &journal[1]["path"]), (2, &json!("/Customer?page=2")));
}

#[tokio::test]
async fn it_remembers_a_thousand_requests_unless_it_is_told_otherwise() {
    let (_child, ready) = start(&[]).await;
    let client = http::client();
    for _ in 0..1001 {
        client.get(format!("{}/Customer", ready["url"])).send().await.unwrap();
    }
    let journal = client.get(format!("{}/sandbox/journal", ready["url"])).send().await.unwrap();
    assert_eq!(journal.json::<Vec<Value>>().await.unwrap().len(), 1000);
}

#[tokio::test]
async fn it_leaves_the_admin_calls_out_when_it_is_told() {
    let (_child, ready) = start(&["--no-admin"]).await;
    let answer = http::client().get(format!("{}/sandbox", ready["url"])).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}
