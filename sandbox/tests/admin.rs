//! Admin calls: the library's functions over HTTP, protected from foreign origins.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::time::Duration;

use call::Caller;
use perenso_sandbox::{Fault, RecordedRequest, Sandbox, Script, Step, Target};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

struct Admin {
    client: Client,
    url: String,
}

impl Admin {
    fn new(sandbox: &Sandbox) -> Self {
        Self { client: call::http::client(), url: sandbox.url().to_owned() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/sandbox{path}", self.url))
    }

    /// Returns the status and the body, or null if there is none.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        // As curl does, without a JSON content type.
        let request = match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let text = response.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn done(&self, method: Method, path: &str) {
        assert_eq!(self.call(method, path, None).await, (204, Value::Null), "{path}");
    }
}

async fn start() -> (Sandbox, Caller, Admin) {
    let sandbox = Sandbox::builder().customers(3).start().await.unwrap();
    let (caller, admin) = (Caller::new(&sandbox), Admin::new(&sandbox));
    (sandbox, caller, admin)
}

/// Returns the status of an API call with this token.
async fn status(sandbox: &Sandbox, token: &str) -> u16 {
    let call = call::http::client().get(format!("{}/Customer", sandbox.url())).bearer_auth(token);
    call.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn shows_are_listed_with_credentials_and_urls() {
    let builder = Sandbox::builder().client_id("SPRING26").another_show("AUTUMN26").client_secret("made up");
    let sandbox = builder.start().await.unwrap();
    let admin = Admin::new(&sandbox);
    let shows = admin.get("").await;
    let place = |id: &str, secret: &str| {
        json!({
            "client_id": id, "client_secret": secret, "url": sandbox.url(), "token_url": sandbox.token_url(),
        })
    };
    let expected = [place("SPRING26", sandbox.client_secret()), place("AUTUMN26", "made up")];
    assert_eq!(shows, json!({ "shows": expected }));
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked() {
    let (sandbox, _, admin) = start().await;
    sandbox.set_behavior(|behavior| behavior.token_lifetime = Duration::from_secs(70));
    let (code, token) = admin.call(Method::POST, "/token", None).await;
    assert_eq!((code, &token["token_type"], &token["expires_in"]), (200, &json!("Bearer"), &json!(70)));
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(status(&sandbox, token).await, 200);
    assert_eq!(admin.post("/tokens/revoke", json!({ "kind": "refresh" })).await.0, 204);
    assert_eq!(status(&sandbox, token).await, 200);
    assert_eq!(admin.post("/tokens/revoke", json!({ "kind": "access" })).await.0, 204);
    assert_eq!(status(&sandbox, token).await, 401);
    let (code, body) = admin.post("/tokens/revoke", json!({ "kind": "all" })).await;
    assert_eq!((code, &body["error"]), (400, &json!("invalid_body")));
}

#[tokio::test]
async fn refresh_tokens_are_revoked_by_kind_or_with_all() {
    let (sandbox, _, admin) = start().await;
    for (body, access, refresh) in [(Some("access"), 401, 200), (Some("refresh"), 200, 400), (None, 401, 400)] {
        let ask = |fields: Vec<(&'static str, String)>| {
            let request = call::http::client().post(sandbox.token_url());
            request.basic_auth(sandbox.client_id(), Some(sandbox.client_secret())).form(&fields).send()
        };
        let response = ask(vec![("grant_type", "client_credentials".into())]).await.unwrap();
        let tokens: Value = response.json().await.unwrap();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        match body {
            Some(kind) => assert_eq!(admin.post("/tokens/revoke", json!({ "kind": kind })).await.0, 204),
            None => admin.done(Method::POST, "/tokens/revoke").await,
        }
        assert_eq!(status(&sandbox, &text("access_token")).await, access, "{body:?}");
        let again = ask(vec![("grant_type", "refresh_token".into()), ("refresh_token", text("refresh_token"))]);
        assert_eq!(again.await.unwrap().status(), refresh, "{body:?}");
    }
}

#[tokio::test]
async fn the_journal_is_read_filtered_and_cleared() {
    let (sandbox, caller, admin) = start().await;
    caller.get("/Customer?page=1").await;
    caller.get("/Customer/unknown").await;
    caller.call(Method::POST, "/Customer", Some(json!({ "customerID": "1" }))).await;
    let paths = |journal: Value| -> Vec<String> {
        let entries = journal.as_array().unwrap().iter();
        entries.map(|entry| format!("{} {}", entry["method"], entry["path"]).replace('"', "")).collect()
    };
    let (list, one, create) = ("GET /Customer?page=1", "GET /Customer/unknown", "POST /Customer");
    for (query, expected) in [
        ("", vec![list, one, create]),
        ("?method=post", vec![create]),
        ("?path=/Customer", vec![list, create]),
        ("?path=/Customer/*", vec![one]),
        ("?method=GET&path=/Customer", vec![list]),
        ("?last=2", vec![one, create]),
        ("?last=9", vec![list, one, create]),
        ("?last=0", vec![]),
        ("?method=GET&last=1", vec![one]),
    ] {
        assert_eq!(paths(admin.get(&format!("/journal{query}")).await), expected, "{query}");
    }
    let entries: Vec<RecordedRequest> = serde_json::from_value(admin.get("/journal").await).unwrap();
    assert_eq!(entries.len(), sandbox.journal().len(), "admin calls are not in the journal");
    assert_eq!(entries[2].json()["customerID"], "1");
    let (code, body) = admin.call(Method::GET, "/journal?last=x", None).await;
    assert_eq!((code, &body["fields"]), (400, &json!(["last"])));
    admin.done(Method::DELETE, "/journal").await;
    assert_eq!(admin.get("/journal").await, json!([]));
}

#[tokio::test]
async fn a_script_is_added_listed_and_cleared() {
    let (sandbox, caller, admin) = start().await;
    let (code, left) =
        admin.post("/faults", json!([{ "fault": 503, "times": 2 }, { "fault": "reset", "on": "token" }])).await;
    assert_eq!(code, 200);
    let script = [Step::new(Fault::status(503)).times(2), Step::new(Fault::Reset).on(Target::Token)];
    assert_eq!(sandbox.faults(), Script::from(script));
    assert_eq!(
        (left[0]["times"].clone(), left[1].clone()),
        (json!(2), json!({ "fault": "reset", "times": 1, "on": "token" }))
    );
    assert_eq!(caller.get("/Customer").await.0, 503);
    assert_eq!(admin.get("/faults").await[0]["times"], 1);

    let (code, left) = admin.post("/faults", json!({ "fault": "cut_body" })).await;
    assert_eq!((code, left.as_array().unwrap().len()), (200, 3), "one step, behind the others");
    for (body, named) in [
        (json!([{ "fault": 503 }, { "falt": 503 }]), "step 2: unknown field `falt`"),
        (json!({ "fault": "rest" }), "rest"),
        (json!("503"), "invalid type"),
    ] {
        let (code, body) = admin.post("/faults", body).await;
        assert_eq!((code, &body["error"]), (400, &json!("invalid_body")));
        assert!(body["message"].as_str().unwrap().contains(named), "{body}");
    }
    assert_eq!(admin.get("/faults").await.as_array().unwrap().len(), 3, "nothing of what is wrong was ordered");
    admin.done(Method::DELETE, "/faults").await;
    assert_eq!(admin.get("/faults").await, json!([]));
    assert_eq!(caller.get("/Customer").await.0, 200);
}

#[tokio::test]
async fn a_behavior_changes_in_the_named_fields() {
    let (sandbox, caller, admin) = start().await;
    sandbox.set_behavior(|behavior| behavior.gzip = true);
    let (code, whole) = admin.put("/behavior", json!({ "page_cap": 2, "token_lifetime": 2.5 })).await;
    assert_eq!((code, &whole["page_cap"], &whole["gzip"]), (200, &json!(2), &json!(true)));
    assert_eq!(sandbox.behavior().token_lifetime, Duration::from_millis(2500));
    assert_eq!(admin.get("/behavior").await, whole);
    assert_eq!(caller.get("/Customer?page=1").await.1.as_array().unwrap().len(), 2);
    for (body, named) in
        [(json!({ "page_capp": 2 }), "page_capp"), (json!({ "gzip": 1 }), "boolean"), (json!([]), "map")]
    {
        let (code, body) = admin.put("/behavior", body).await;
        assert_eq!((code, &body["error"]), (400, &json!("invalid_body")));
        assert!(body["message"].as_str().unwrap().contains(named), "{body}");
    }
    assert_eq!(admin.get("/behavior").await, whole);
}

#[tokio::test]
async fn exports_are_added_replaced_and_removed() {
    let (_sandbox, caller, admin) = start().await;
    let before = admin.get("/exports").await.as_array().unwrap().len();
    let export = |rows: Value| json!([{ "id": "b4dg3s", "name": "Badge Scans", "rows": rows }]);
    let (code, catalog) = admin.put("/exports", export(json!([{ "scan": 1 }]))).await;
    assert_eq!((code, &catalog[before]["name"]), (200, &json!("Badge Scans")));
    assert_eq!(caller.call(Method::POST, "/Export/b4dg3s", None).await.1, json!([{ "scan": 1 }]));
    let (_, catalog) = admin.put("/exports", export(json!([{ "scan": 2 }]))).await;
    assert_eq!(catalog.as_array().unwrap().len(), before + 1);
    assert_eq!(caller.call(Method::POST, "/Export/b4dg3s", None).await.1, json!([{ "scan": 2 }]));
    let (code, body) = admin.put("/exports", json!([{ "id": "x", "nam": "X" }])).await;
    assert_eq!(code, 400);
    assert!(body["message"].as_str().unwrap().contains("nam"), "{body}");
    assert_eq!(admin.get("/exports").await, catalog);
    // A long body is not rejected.
    let text = "x".repeat(3_000_000);
    assert_eq!(admin.put("/exports", export(json!([{ "text": text }]))).await.0, 200);
    admin.done(Method::DELETE, "/exports/b4dg3s").await;
    assert_eq!(admin.get("/exports").await.as_array().unwrap().len(), before);
    assert_eq!(admin.call(Method::DELETE, "/exports/b4dg3s", None).await.0, 404);
}

#[tokio::test]
async fn the_clock_is_moved_and_everything_reset() {
    let (sandbox, caller, admin) = start().await;
    let at = |body: &Value| body["now"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let before = at(&admin.get("/clock").await);
    let (code, moved) = admin.post("/clock", json!({ "advance": 301.5 })).await;
    assert_eq!(code, 200);
    assert!(at(&moved) - before >= chrono::TimeDelta::milliseconds(301_500));
    assert_eq!(caller.get("/Customer").await.0, 401);
    for (body, named) in [(json!({ "advance": -1 }), "-1"), (json!({ "advanc": 1 }), "advanc"), (json!({}), "advance")]
    {
        let (code, body) = admin.post("/clock", body).await;
        assert_eq!(code, 400);
        assert!(body["message"].as_str().unwrap().contains(named), "{body}");
    }
    sandbox.fault(Fault::Reset);
    admin.done(Method::POST, "/reset").await;
    assert!(sandbox.faults().is_empty() && sandbox.journal().is_empty());
    assert!(at(&admin.get("/clock").await) - before < chrono::TimeDelta::seconds(300));
}

#[tokio::test]
async fn a_snapshot_is_stored_by_name_and_restored() {
    let builder = Sandbox::builder().customers(3).another_show("AUTUMN26").customers(5);
    let sandbox = builder.start().await.unwrap();
    let (caller, admin) = (Caller::new(&sandbox), Admin::new(&sandbox));
    let autumn = sandbox.show("AUTUMN26").unwrap();
    assert_eq!(admin.get("/snapshots").await, json!([]));
    admin.done(Method::POST, "/snapshots/three").await;
    admin.done(Method::POST, "/snapshots/three?show=AUTUMN26").await;
    let create = async || caller.call(Method::POST, "/Customer", Some(json!({ "customerID": "1" }))).await.0;
    assert_eq!(create().await, 200);
    admin.done(Method::POST, "/snapshots/a%20four").await;
    assert_eq!(create().await, 200);
    assert_eq!(admin.get("/snapshots").await, json!(["a four", "three"]));
    assert_eq!(admin.get("/snapshots?show=AUTUMN26").await, json!(["three"]));

    admin.done(Method::POST, "/snapshots/three/restore").await;
    assert_eq!((sandbox.customers().len(), autumn.customers().len()), (3, 5));
    admin.done(Method::POST, "/reset").await;
    admin.done(Method::POST, "/snapshots/a%20four/restore").await;
    assert_eq!(sandbox.customers().len(), 4, "a reset leaves the snapshots");
    assert_eq!(caller.get("/Customer").await.0, 401, "but no token");
    admin.done(Method::POST, "/snapshots/three").await;
    admin.done(Method::POST, "/snapshots/three/restore").await;
    assert_eq!(sandbox.customers().len(), 4, "one of a known name takes its place");

    admin.done(Method::DELETE, "/snapshots/three").await;
    assert_eq!(admin.get("/snapshots?show=AUTUMN26").await, json!(["three"]));
    for (method, path) in [
        (Method::DELETE, "/snapshots/three"),
        (Method::POST, "/snapshots/three/restore"),
        (Method::POST, "/snapshots/a%20four/restore?show=AUTUMN26"),
    ] {
        let (code, body) = admin.call(method, path, None).await;
        assert_eq!((code, &body["error"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn a_call_applies_to_the_show_that_it_names() {
    let sandbox = Sandbox::builder().client_id("SPRING26").another_show("AUTUMN 26").start().await.unwrap();
    let admin = Admin::new(&sandbox);
    let autumn = sandbox.show("AUTUMN 26").unwrap();
    admin.post("/faults?show=AUTUMN%2026", json!([{ "fault": 503 }])).await;
    assert_eq!((sandbox.faults().len(), autumn.faults().len()), (0, 1));
    let token = admin.call(Method::POST, "/token?show=AUTUMN+26", None).await.1;
    assert_eq!(status(&sandbox, token["access_token"].as_str().unwrap()).await, 503);
    assert_eq!(admin.get("/journal").await, json!([]));
    assert_eq!(admin.get("/journal?show=AUTUMN+26&path=/Customer").await[0]["show"], "AUTUMN 26");
    for path in ["/token", "/reset", "/tokens/revoke"] {
        let (code, body) = admin.call(Method::POST, &format!("{path}?show=WINTER26"), None).await;
        assert_eq!((code, &body["error"]), (404, &json!("not_found")), "{path}");
    }
    let (code, body) = admin.call(Method::POST, "/reset?sho=AUTUMN+26", None).await;
    assert_eq!((code, &body["fields"]), (400, &json!(["sho"])));
}

#[tokio::test]
async fn admin_calls_have_no_rate_limit_no_fault_and_no_journal() {
    let (sandbox, caller, admin) = start().await;
    sandbox.set_behavior(|behavior| behavior.rate = Some(perenso_sandbox::Rate::new(1, Duration::from_secs(60))));
    sandbox.script([Step::new(Fault::status(503)).always().on(Target::path("/**")).after(1)]);
    for _ in 0..3 {
        admin.get("/journal").await;
    }
    let spoiled = admin.request(Method::GET, "/behavior").header("sandbox-fault", "503");
    assert_eq!(spoiled.send().await.unwrap().status(), 200);
    assert_eq!(sandbox.journal(), []);
    assert_eq!(caller.get("/Customer").await.0, 200, "neither budget nor script were used");
    assert_eq!(caller.get("/Customer").await.0, 503);
}

#[tokio::test]
async fn a_405_lists_the_allowed_methods() {
    let (_sandbox, _, admin) = start().await;
    for (path, allowed) in [
        ("", "GET,HEAD"),
        ("/token", "POST"),
        ("/tokens/revoke", "POST"),
        ("/journal", "GET,HEAD,DELETE"),
        ("/faults", "GET,HEAD,POST,DELETE"),
        ("/behavior", "GET,HEAD,PUT"),
        ("/exports", "GET,HEAD,PUT"),
        ("/exports/x", "DELETE"),
        ("/clock", "GET,HEAD,POST"),
        ("/snapshots", "GET,HEAD"),
        ("/snapshots/x", "POST,DELETE"),
        ("/snapshots/x/restore", "POST"),
        ("/reset", "POST"),
    ] {
        let response = admin.request(Method::PATCH, path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, allowed),
            "{path}"
        );
        assert_eq!(response.json::<Value>().await.unwrap()["error"], "method_not_allowed");
    }
    let alike = admin.request(Method::GET, "es").send().await.unwrap();
    assert_eq!(alike.status(), 401, "/sandboxes is a path of the API");
    for path in ["/", "/unknown", "/journal/1"] {
        let (code, body) = admin.call(Method::GET, path, None).await;
        assert_eq!((code, &body["error"]), (404, &json!("not_found")), "{path}");
    }
}

#[tokio::test]
async fn foreign_origins_and_host_names_are_rejected() {
    let (sandbox, _, admin) = start().await;
    let port = sandbox.url().rsplit(':').next().unwrap();
    let localhost = format!("localhost:{port}");
    for (name, value, code) in [
        ("origin", sandbox.url(), 200),
        ("origin", "https://attacker.example", 403),
        ("origin", "null", 403),
        ("origin", "http://127.0.0.1:1", 403),
        ("host", &localhost, 200),
        ("host", "attacker.example", 403),
    ] {
        let response = admin.request(Method::POST, "/token").header(name, value).send().await.unwrap();
        assert_eq!(response.status(), code, "{name}: {value}");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["access_token"].is_string(), code == 200);
        assert_eq!(body["error"] == "foreign_origin", code == 403);
    }
    let response = admin.request(Method::GET, "/unknown").header("host", "attacker.example").send().await.unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn remote_clients_may_use_any_host_name_but_no_foreign_origin() {
    let builder = Sandbox::builder().listen("0.0.0.0:0".parse().unwrap()).allow_remote();
    let sandbox = builder.start().await.unwrap();
    let port = sandbox.url().rsplit(':').next().unwrap();
    let token =
        || call::http::client().post(format!("http://127.0.0.1:{port}/sandbox/token")).header("host", "box.example");
    assert_eq!(token().send().await.unwrap().status(), 200);
    assert_eq!(token().header("origin", "http://box.example").send().await.unwrap().status(), 200);
    assert_eq!(token().header("origin", "http://attacker.example").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn disabled_admin_paths_belong_to_the_api() {
    let sandbox = Sandbox::builder().without_admin().start().await.unwrap();
    let admin = Admin::new(&sandbox);
    for path in ["", "/token", "/journal"] {
        let response = admin.request(Method::POST, path).header("content-length", "0").send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
    }
    let like = call::http::client().get(format!("{}/sandboxes", sandbox.url())).send().await.unwrap();
    assert_eq!(like.status(), 401);
    assert_eq!(sandbox.journal().len(), 4);
}
