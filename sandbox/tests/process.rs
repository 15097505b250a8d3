//! The binary.

#![allow(clippy::unwrap_used)]
#![cfg(feature = "cli")]

#[path = "support/http.rs"]
mod http;

use std::collections::{HashMap, HashSet};
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

/// Starts the binary. Returns it with the values of its ready line.
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

/// Returns the token response.
async fn token(ready: &HashMap<String, String>, id: &str, secret: &str) -> Value {
    let request = http::client().post(&ready["token_url"]).basic_auth(id, Some(secret));
    let request = request.form(&[("grant_type", "client_credentials")]);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_ready_line_has_working_values() {
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
async fn rows_adds_exports_of_that_size() {
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
        let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.json::<Vec<Value>>().await.unwrap().len(), 7, "{id}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn signals_stop_it() {
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
async fn other_systems_have_a_ready_line_with_all_values() {
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
        // The URL is the one of this system's token endpoint.
        let response = http::client().post(&ready["token_url"]).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
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

/// Returns the error output of a failing start.
async fn failure(arguments: &[&str]) -> String {
    let mut command = command();
    command.args(arguments).stderr(Stdio::piped());
    let ended = tokio::time::timeout(Duration::from_secs(20), command.output()).await.unwrap().unwrap();
    assert!(!ended.status.success() && ended.stdout.is_empty());
    String::from_utf8(ended.stderr).unwrap()
}

async fn help() -> String {
    String::from_utf8(command().arg("--help").output().await.unwrap().stdout).unwrap()
}

#[tokio::test]
async fn an_option_for_perenso_only_is_rejected_for_other_systems() {
    let help = help().await;
    let (_, options) = help.split_once("Perenso only:").unwrap();
    let options: Vec<Vec<&str>> = options.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    let mut count = 0;
    // A terminal of few columns wraps descriptions.
    for option in options.iter().filter(|words| words.len() == 2 && words[0].starts_with("--")) {
        let value = option[1].starts_with('<').then_some("3");
        let arguments: Vec<&str> = ["--system", "priava", option[0]].into_iter().chain(value).collect();
        let said = failure(&arguments).await;
        assert!(said.contains(&format!("{} is for Perenso only", option[0])), "{said}");
        count += 1;
    }
    assert!(count >= 10, "{help}");
}

#[tokio::test]
async fn several_shows_share_one_address() {
    let (_child, ready) =
        start(&["--show", "SPRING:a+/=:b", "--show", "AUTUMN", "--show", "WINTER:s", "--rows", "1"]).await;
    assert_eq!((ready["client_id"].as_str(), ready["client_secret"].as_str()), ("SPRING", "a+/=:b"));
    let further: Vec<(&str, &str)> = ready["shows"].split(',').map(|show| show.split_once(':').unwrap()).collect();
    let ids: Vec<&str> = further.iter().map(|(id, _)| *id).collect();
    assert_eq!((ids, further[1].1), (vec!["AUTUMN", "WINTER"], "s"));
    let all = [("SPRING", "a+/=:b")].into_iter().chain(further);
    for (id, secret) in all {
        let token = token(&ready, id, secret).await;
        // The options apply to every show.
        let request = http::client().get(format!("{}/Export", ready["url"]));
        let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.json::<Vec<Value>>().await.unwrap().len(), 5, "{id}");
    }
    let health: Value =
        http::client().get(format!("{}/health", ready["url"])).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["shows"], json!(["SPRING", "AUTUMN", "WINTER"]));
    assert_eq!((&health["version"], &health["status"]), (&json!(env!("CARGO_PKG_VERSION")), &json!("ok")));
    assert!(!health.to_string().contains("a+/="));
}

#[tokio::test]
async fn an_invalid_show_is_rejected() {
    for show in ["", ":s", "A:", "A,B", "A B", "A:s,t"] {
        let said = failure(&["--show", show]).await;
        assert!(said.contains("--show"), "{show}: {said}");
    }
    assert!(failure(&["--show", "A", "--show", "A"]).await.contains("two shows with the client id A"));
    for other in ["--client-id", "--client-secret"] {
        assert!(failure(&["--show", "A", other, "B"]).await.contains(other));
    }
}

#[tokio::test]
async fn an_id_or_secret_that_would_break_the_ready_line_is_rejected() {
    for option in ["--client-id", "--client-secret"] {
        for text in ["", "a b", "a\nb"] {
            let said = failure(&[option, text]).await;
            assert!(said.contains(option) && said.contains("white space"), "{option} {text:?}: {said}");
        }
    }
}

#[tokio::test]
async fn one_show_is_named_once() {
    let (_child, ready) = start(&[]).await;
    assert_eq!(ready["client_id"], "sandbox-show");
    assert!(!ready.contains_key("shows"), "{ready:?}");
    assert_eq!(ready["docs"], format!("{}/docs", ready["url"]));
}

#[tokio::test]
async fn a_behavior_file_applies_and_options_override_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.toml");
    std::fs::write(&path, "token_lifetime = 55\npage_cap = 5\ntoken_type = \"lower_case\"\n").unwrap();
    let path = path.to_str().unwrap();
    for (options, lifetime, rows) in [(&[] as &[&str], 55, 5), (&["--token-lifetime", "66", "--page-cap", "7"], 66, 7)]
    {
        let arguments: Vec<&str> = ["--behavior", path].iter().chain(options).copied().collect();
        let (_child, ready) = start(&arguments).await;
        let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
        assert_eq!((&token["expires_in"], &token["token_type"]), (&json!(lifetime), &json!("bearer")));
        let request = http::client().get(format!("{}/Customer?page=1", ready["url"]));
        let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.json::<Vec<Value>>().await.unwrap().len(), rows);
    }
    std::fs::write(path, "page_capp = 5\n").unwrap();
    let said = failure(&["--behavior", path]).await;
    assert!(said.contains("show.toml") && said.contains("page_capp"), "{said}");
    assert!(failure(&["--behavior", "none.toml"]).await.contains("cannot read none.toml"));
}

#[tokio::test]
async fn orders_and_products_are_counted() {
    let (_child, ready) = start(&["--orders", "7", "--products", "1"]).await;
    let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
    let request = http::client().get(format!("{}/Order", ready["url"]));
    let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    let orders: Vec<Value> = response.json().await.unwrap();
    let products: HashSet<&str> = orders
        .iter()
        .flat_map(|order| order["items"].as_array().unwrap())
        .map(|line| line["product"]["id"].as_str().unwrap())
        .collect();
    assert_eq!((orders.len(), products.len()), (7, 1), "{products:?}");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_data() {
    let mut first = Vec::new();
    for seed in ["7", "7", "8"] {
        let (_child, ready) = start(&["--seed", seed, "--customers", "1"]).await;
        let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
        let request = http::client().get(format!("{}/Customer", ready["url"]));
        let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        first.push(response.text().await.unwrap());
    }
    assert!(first[0] == first[1] && first[0] != first[2], "{first:?}");
}

#[tokio::test]
async fn it_prints_a_behavior_file() {
    let printed = command().arg("--print-behavior").output().await.unwrap();
    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), perenso_sandbox::Behavior::DEFAULT_TOML);
}

#[tokio::test]
async fn strict_rejects_undocumented_fields() {
    for (options, is_refused) in [(&[] as &[&str], false), (&["--strict"], true)] {
        let (_child, ready) = start(options).await;
        let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
        let new = json!({ "customerID": "C9", "shoeSize": 43 });
        let request = http::client().post(format!("{}/Customer", ready["url"])).json(&new);
        let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(response.status().is_client_error(), is_refused, "{options:?} {}", response.status());
    }
}

#[tokio::test]
async fn it_adds_the_exports_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    write("rows.csv", "n\n1\n2\n");
    let one = write("one.json", r#"{ "id": "e1", "name": "One", "rows_file": "rows.csv" }"#);
    let more = write("more.json", r#"[{ "id": "e2", "name": "Two" }, { "id": "e3", "name": "Three" }]"#);
    let (_child, ready) = start(&["--export", &one, "--export", &more]).await;
    let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
    let send = async |request: reqwest::RequestBuilder| -> Value {
        let request = request.bearer_auth(token["access_token"].as_str().unwrap()).header("content-length", "0");
        request.send().await.unwrap().json().await.unwrap()
    };
    let catalog = send(http::client().get(format!("{}/Export", ready["url"]))).await;
    let ids: Vec<&str> = catalog.as_array().unwrap()[3..].iter().map(|export| export["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e1", "e2", "e3"]);
    let rows = send(http::client().post(format!("{}/Export/e1", ready["url"]))).await;
    assert_eq!(rows, json!([{ "n": "1" }, { "n": "2" }]));
}

#[tokio::test]
async fn it_rejects_other_machines_and_describes_itself() {
    let mut remote = command();
    remote.args(["--host", "0.0.0.0"]).stderr(Stdio::piped());
    let ended = tokio::time::timeout(Duration::from_secs(20), remote.output());
    let refused = ended.await.unwrap().unwrap();
    assert!(!refused.status.success());
    assert!(refused.stdout.is_empty());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("0.0.0.0:0 is not a loopback address"), "{said}");
    let help = help().await;
    assert!(help.contains("stand-in") && help.contains("not the Perenso service"));
}

#[tokio::test]
async fn journal_sets_the_length_of_the_journal() {
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
async fn the_journal_keeps_a_thousand_requests_by_default() {
    let (_child, ready) = start(&[]).await;
    let client = http::client();
    for _ in 0..1001 {
        client.get(format!("{}/Customer", ready["url"])).send().await.unwrap();
    }
    let journal = client.get(format!("{}/sandbox/journal", ready["url"])).send().await.unwrap();
    assert_eq!(journal.json::<Vec<Value>>().await.unwrap().len(), 1000);
}

#[tokio::test]
async fn no_admin_disables_the_admin_calls() {
    let (_child, ready) = start(&["--no-admin"]).await;
    let response = http::client().get(format!("{}/sandbox", ready["url"])).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn a_document_of_its_own_is_read_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let schema = json!({"type": "string", "enum": ["pong"]});
    let response = json!({"description": "d", "content": {"application/json": {"schema": schema}}});
    let document = json!({"openapi": "3.0.3", "paths": {"/ping": {"get": {"responses": {"200": response}}}}});
    std::fs::write(file.path(), document.to_string()).unwrap();
    let (_child, ready) = start(&["--document", file.path().to_str().unwrap()]).await;
    let token = token(&ready, &ready["client_id"], &ready["client_secret"]).await;
    let request = http::client().get(format!("{}/ping", ready["url"]));
    let response = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(response.json::<Value>().await.unwrap(), "pong");

    std::fs::write(file.path(), "{}").unwrap();
    let output = command().args(["--document", file.path().to_str().unwrap()]).stderr(Stdio::piped()).output().await;
    let error = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(error.contains("cannot parse the document") && error.contains("version 3.0"), "{error}");
}
