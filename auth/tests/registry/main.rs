//! Several shows from one TOML file.
#![cfg(feature = "registry")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[allow(dead_code)]
#[path = "../promises/server.rs"]
mod server;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use perenso_auth::{CallOptions, ErrorKind, Registry, clock::ManualClock};
use server::{Reply, Server, token};

/// A directory of its own, gone with the test.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("perenso-registry-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(directory.join("secrets")).unwrap();
        Self(directory)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn registry(&self, text: &str) -> Result<Registry, String> {
        self.write("shows.toml", text);
        Registry::read(self.0.join("shows.toml")).map_err(|error| error.to_string())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A show of Perenso's at this server.
fn show(server: &Server, name: &str) -> String {
    format!(
        "[shows.{name}]\nprofile = \"perenso\"\nclient_id = \"{name}\"\nclient_secret_file = \"secrets/{name}\"\n\
         token_url = \"{0}/token\"\napi_url = \"{0}\"\n",
        server.url
    )
}

/// A server that knows these clients by their secrets, and tells its tokens apart by client.
async fn vendor(knows: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Server {
    Server::start(move |seen| {
        if seen.path != "/token" {
            return Reply::json(200, "[]");
        }
        let (id, secret) = (seen.field("client_id").unwrap(), seen.field("client_secret").unwrap());
        match knows(&id, &secret) {
            true => Reply::json(200, format!(r#"{{"access_token":"of-{id}","expires_in":300}}"#)),
            false => Reply::json(401, r#"{"error":"invalid_client"}"#),
        }
    })
    .await
}

async fn call(registry: &Registry, show: &str) -> Result<serde_json::Value, perenso_auth::Error> {
    registry.get(show).unwrap().get("/Customer").send_json().await
}

#[tokio::test]
async fn every_show_has_its_own_token_and_one_that_is_refused_stops_no_other() {
    let server = vendor(|id, secret| secret == format!("secret-of-{id}")).await;
    let files = Files::new();
    files.write("secrets/spring", "secret-of-spring\n");
    files.write("secrets/autumn", "secret-of-autumn\r\n");
    files.write("secrets/winter", "an old one");
    let registry =
        files.registry(&(show(&server, "spring") + &show(&server, "autumn") + &show(&server, "winter"))).unwrap();
    assert_eq!(registry.names().collect::<Vec<_>>(), ["autumn", "spring", "winter"]);
    call(&registry, "spring").await.unwrap();
    assert_eq!(call(&registry, "winter").await.unwrap_err().kind(), ErrorKind::Refused);
    call(&registry, "autumn").await.unwrap();
    let calls = server.calls();
    let bearers: Vec<_> = calls.iter().map(server::Seen::bearer).collect();
    assert_eq!(bearers, ["of-spring", "of-autumn"]);
    assert!(
        format!("{:?}", registry.get("spring").unwrap()).contains("spring"),
        "spans call it by its name in the file"
    );
}

#[tokio::test]
async fn every_show_has_a_budget_of_its_own() {
    let server = vendor(|_, _| true).await;
    let files = Files::new();
    let rate = "rate = { calls = 1, seconds = 3600, burst = 1 }\n";
    let mut text = String::new();
    for name in ["spring", "autumn"] {
        files.write(&format!("secrets/{name}"), "s");
        text += &(show(&server, name) + rate);
    }
    let registry = files.registry(&text).unwrap();
    call(&registry, "spring").await.unwrap();
    call(&registry, "autumn").await.unwrap();
    assert_eq!(call(&registry, "spring").await.unwrap_err().kind(), ErrorKind::Budget);
}

#[tokio::test]
async fn shows_share_their_connections() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(0, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let files = Files::new();
    let names: Vec<_> = (0..5).map(|n| format!("show{n}")).collect();
    let mut text = String::new();
    for name in &names {
        files.write(&format!("secrets/{name}"), "s");
        text += &show(&server, name);
    }
    let registry = files.registry(&text).unwrap();
    for name in &names {
        call(&registry, name).await.unwrap();
    }
    assert_eq!(server.seen().len(), 10);
    // A renewal has a runtime of its own, and with it a connection; the calls share one.
    assert_eq!(server.connections(), names.len() + 1);
}

#[tokio::test]
async fn a_rotated_secret_in_its_file_needs_no_restart() {
    let server = vendor(|_, secret| secret == "new").await;
    let files = Files::new();
    files.write("secrets/spring", "old");
    let clock = ManualClock::default();
    files.write("shows.toml", &show(&server, "spring"));
    let registry = Registry::read_with(files.0.join("shows.toml"), |_, builder| builder.clock(clock.clone())).unwrap();
    assert_eq!(call(&registry, "spring").await.unwrap_err().kind(), ErrorKind::Refused);
    files.write("secrets/spring", "new");
    clock.advance(Duration::from_secs(11));
    call(&registry, "spring").await.unwrap();
    let secrets: Vec<_> = server.tokens().iter().map(|seen| seen.field("client_secret").unwrap()).collect();
    assert_eq!(secrets, ["old", "old", "new"]);
}

#[tokio::test]
async fn a_secret_that_was_read_once_may_be_gone_before_it_is_needed() {
    let server = vendor(|_, secret| secret == "s").await;
    let files = Files::new();
    files.write("secrets/spring", "s");
    let registry = files.registry(&show(&server, "spring")).unwrap();
    std::fs::remove_file(files.0.join("secrets/spring")).unwrap();
    call(&registry, "spring").await.unwrap();
}

#[tokio::test]
async fn tokens_are_kept_in_the_directory_that_the_file_names() {
    let server = vendor(|_, _| true).await;
    let files = Files::new();
    files.write("secrets/spring", "s");
    let text = format!("[store]\ndirectory = \"tokens\"\n{}", show(&server, "spring"));
    call(&files.registry(&text).unwrap(), "spring").await.unwrap();
    // Another process, as it were.
    call(&files.registry(&text).unwrap(), "spring").await.unwrap();
    assert_eq!(server.tokens().len(), 1);
    assert!(files.0.join("tokens").is_dir());
}

#[tokio::test]
async fn a_problem_of_one_show_does_not_affect_the_others() {
    let server = vendor(|_, _| true).await;
    let files = Files::new();
    files.write("secrets/spring", "s");
    files.write("secrets/empty", " \n");
    let text = show(&server, "spring")
        + &show(&server, "missing")
        + &show(&server, "empty")
        + "[shows.other]\nprofile = \"acme\"\nclient_id = \"x\"\nclient_secret_file = \"secrets/spring\"\n"
        + "[shows.venue]\nprofile = \"priava\"\nregion = \"MOON\"\nclient_id = \"x\"\nclient_secret_file = \"secrets/spring\"\n"
        + "[shows.tours]\nprofile = \"tourpaq\"\nclient_id = \"x\"\nclient_secret_file = \"secrets/spring\"\nusername = \"u\"\n"
        + "[shows.halls]\nprofile = \"priava\"\nregion = \"eu\"\nclient_id = \"x\"\nclient_secret_file = \"secrets/spring\"\n\
           code_file = \"secrets/spring\"\nredirect_uri = \"https://erp.example/cb\"\n";
    let registry = files.registry(&text).unwrap();
    call(&registry, "spring").await.unwrap();
    for (name, says) in [
        ("missing", "`client_secret_file`"),
        ("empty", "is empty"),
        ("other", "expected one of `perenso`"),
        ("venue", "expected `APAC`, `EU` or `US`"),
        ("tours", "`username` and `password_file` go together"),
        ("halls", "call `store` with one that outlives the process"),
        ("nowhere", "there is no show `nowhere`; the file has `empty`"),
    ] {
        let error = registry.get(name).unwrap_err().to_string();
        assert!(error.contains(says), "{name}: {error}");
    }
    assert_eq!(registry.iter().filter(|(_, client)| client.is_ok()).count(), 1);
}

#[test]
fn a_file_that_is_no_registry_is_refused_without_showing_what_is_in_it() {
    let files = Files::new();
    for (text, says) in [
        ("", "shows"),
        ("[shows]", "it has no show"),
        (
            "[shows.a]\nprofile = \"perenso\"\nclient_id = \"a\"\nclient_secret = \"hush-hush\"\n",
            "line 4: unknown field `client_secret`",
        ),
        (
            "[shows.a]\nprofile = \"perenso\"\nclient_id = \"a\"\nclient_secret_file = \"f\"\nrate = \"hush-hush\"\n",
            "line 5: expected",
        ),
        (
            "[shows.a]\nprofile = \"perenso\"\nclient_id = \"a\"\nclient_secret_file = \"f\"\nclient_auth = \"hush-hush\"\n",
            "line 5: expected",
        ),
        (
            "[shows.a]\nprofile = \"perenso\"\nclient_id = \"a\"\nclient_secret_file = \"f\"\nrate = { calls = 0, seconds = 1, burst = 1 }\n",
            "line 5: expected a nonzero",
        ),
        ("[shows.a]\nprofile = hush-hush\n", "line 2: expected"),
        ("[shows.a]\nprofile = \"perenso\"\n", "missing field `client_id`"),
        (
            "[store]\nreplicas = 6\ndirectory = \"hush-hush\"\n[shows.a]\nprofile = \"perenso\"\nclient_id = \"a\"\nclient_secret_file = \"f\"\n",
            "`replicas` in `[store]`",
        ),
    ] {
        let error = files.registry(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
    assert!(Registry::read(files.0.join("nothing.toml")).unwrap_err().to_string().contains("it cannot be read"));
}

#[tokio::test]
async fn a_string_and_a_table_of_ones_own_file_are_read_with_foreign_tables_when_told_so() {
    let server = vendor(|id, secret| secret == format!("secret-of-{id}")).await;
    let files = Files::new();
    files.write("secrets/spring", "secret-of-spring");
    let own = show(&server, "spring") + "[database]\nhost = \"db.example\"\n";
    let builder = || Registry::builder().directory(&files.0);
    let table: serde_json::Value = serde_json::from_str(&format!(
        r#"{{"database": {{"host": "db.example"}}, "shows": {{"spring": {{"profile": "perenso", "client_id": "spring",
            "client_secret_file": "secrets/spring", "token_url": "{0}/token", "api_url": "{0}"}}}}}}"#,
        server.url
    ))
    .unwrap();
    for registry in [
        builder().allow_foreign_tables().parse(&own),
        builder().allow_foreign_tables().deserialize(table.clone()),
        builder().allow_foreign_tables().deserialize(own.parse::<toml::Table>().unwrap()),
        builder().parse(&show(&server, "spring")),
    ] {
        call(&registry.unwrap(), "spring").await.unwrap();
    }
    files.write("own.toml", &own);
    call(&Registry::builder().allow_foreign_tables().read(files.0.join("own.toml")).unwrap(), "spring").await.unwrap();
    // Not unless told so; and what is the registry's own stays strict.
    let error = builder().parse(&own).unwrap_err().to_string();
    assert!(error.contains("`database`") && !error.contains("db.example"), "{error}");
    let error = builder().deserialize(table.clone()).unwrap_err().to_string();
    assert!(error.contains("`database`") && !error.contains("db.example"), "{error}");
    let mut wrong = table;
    wrong["shows"]["spring"]["client_secret"] = "s3cr3t".into();
    let error = builder().allow_foreign_tables().deserialize(wrong.clone()).unwrap_err().to_string();
    assert!(
        error.contains("shows.spring") && error.contains("`client_secret`") && !error.contains("s3cr3t"),
        "{error}"
    );
    wrong["shows"] = serde_json::json!({"spring": "s3cr3t"});
    let error = builder().allow_foreign_tables().deserialize(wrong).unwrap_err().to_string();
    assert!(error.contains("shows.spring") && !error.contains("s3cr3t"), "{error}");
    // The settings of a table, one upon the other.
    let seen = std::cell::RefCell::new(Vec::new());
    let note = |mark: &'static str| {
        let seen = &seen;
        move |name: &str, builder| {
            seen.borrow_mut().push(format!("{mark} {name}"));
            builder
        }
    };
    builder().settings(note("first")).settings(note("then")).parse(&show(&server, "spring")).unwrap();
    assert_eq!(*seen.borrow(), ["first spring", "then spring"]);
}

#[tokio::test]
async fn whitespace_and_invisible_characters_around_values_are_trimmed() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" => token(0, 300),
        _ => Reply::json(200, "[]"),
    })
    .await;
    let files = Files::new();
    let around = |value: &str| format!("\u{feff}\u{200b} {value}\u{2060}\r\n");
    for name in ["secret", "password", "refresh", "tid", "key"] {
        files.write(&format!("secrets/{name}"), &around(name));
    }
    let (url, mark) = (&server.url, "\u{feff}");
    let common = format!(
        "client_id = \"{mark}client\u{200b}\"\nclient_secret_file = \"secrets/secret\"\n\
        token_url = \"{mark}{url}/token \"\napi_url = \"{url}\u{200b}\"\n"
    );
    let text = format!(
        "{mark}[shows.spring]\nprofile = \"perenso\"\n{common}\
         [shows.tours]\nprofile = \"{mark}tourpaq\"\nusername = \"user\u{200d}\"\npassword_file = \"secrets/password\"\n{common}\
         [shows.venue]\nprofile = \"priava\"\nregion = \"EU\u{200b}\"\nrefresh_token_file = \"secrets/refresh\"\nmemory_only = true\n{common}\
         [shows.cold]\nprofile = \"perspio\"\ntid_file = \"secrets/tid\"\nsubscription_key_file = \"secrets/key\"\n{common}"
    );
    let registry = files.registry(&text).unwrap();
    for name in ["spring", "tours", "venue", "cold"] {
        call(&registry, name).await.unwrap();
    }
    let tokens = server.tokens();
    for (name, value) in [("client_id", "client"), ("client_secret", "secret")] {
        assert_eq!(tokens[0].field(name).as_deref(), Some(value));
    }
    for (name, value) in [("username", "user"), ("password", "password")] {
        assert_eq!(tokens[1].field(name).as_deref(), Some(value));
    }
    assert_eq!(tokens[2].field("refresh_token").as_deref(), Some("refresh"));
    let calls = server.calls();
    let header = |name: &str| calls[3].header(name).to_owned();
    assert_eq!((header("tid"), header("ocp-apim-subscription-key")), ("tid".to_owned(), "key".to_owned()));
}

#[test]
fn invisible_characters_inside_a_value_are_an_error_that_names_the_key() {
    let files = Files::new();
    files.write("secrets/good", "s");
    files.write("secrets/bad", "hu\u{200b}sh");
    let show = |key: &str, value: &str| {
        let mut keys = std::collections::BTreeMap::from([
            ("profile", "perspio"),
            ("client_id", "client"),
            ("client_secret_file", "secrets/good"),
            ("tid_file", "secrets/good"),
            ("subscription_key_file", "secrets/good"),
            ("api_url", "https://api.example"),
        ]);
        match key {
            "username" | "password_file" => {
                keys.extend([("profile", "tourpaq"), ("username", "u"), ("password_file", "secrets/good")]);
            }
            "redirect_uri" | "code_file" => {
                keys.extend([("redirect_uri", "https://erp.example/cb"), ("code_file", "secrets/good")]);
            }
            _ => {}
        }
        keys.insert(key, value);
        let lines: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = \"{value}\"\n")).collect();
        format!("[shows.a]\nmemory_only = true\n{}", lines.concat())
    };
    for (key, value) in [
        ("client_id", "hu\u{200b}sh"),
        ("username", "hu\u{feff}sh"),
        ("redirect_uri", "https://erp.example/hu\u{2060}sh"),
        ("scope", "hu\u{200d}sh"),
        ("api_url", "https://hu\u{200c}sh.example"),
        ("token_url", "https://hu\u{200c}sh.example"),
        ("client_secret_file", "secrets/bad"),
        ("password_file", "secrets/bad"),
        ("code_file", "secrets/bad"),
        ("refresh_token_file", "secrets/bad"),
        ("tid_file", "secrets/bad"),
        ("subscription_key_file", "secrets/bad"),
    ] {
        let registry = files.registry(&show(key, value)).unwrap();
        let error = registry.get("a").unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")) && error.contains("invisible character"), "{key}: {error}");
        assert!(!error.contains("hu"), "{error}");
    }
}

/// A server whose token endpoint wants `fields` and whose API wants `headers`; what it wants can be changed.
async fn strict(wants: Arc<Mutex<Vec<(&'static str, &'static str)>>>) -> Server {
    Server::start(move |seen| {
        let wants = wants.lock().unwrap();
        let is_met = |(name, value): &(&str, &str)| match seen.path.as_str() {
            "/token" => seen.field(name).is_none_or(|field| field == *value),
            _ => !["tid", "ocp-apim-subscription-key"].contains(name) || seen.header(name) == *value,
        };
        match (wants.iter().all(is_met), seen.path.as_str()) {
            (true, "/token") => Reply::json(200, format!(r#"{{"access_token":"tok-{}","expires_in":300}}"#, seen.nth)),
            (true, _) => Reply::json(200, "[]"),
            (false, "/token") => Reply::json(400, r#"{"error":"invalid_grant"}"#),
            (false, _) => Reply::json(401, "{}"),
        }
    })
    .await
}

#[tokio::test]
async fn rotated_headers_in_their_files_need_no_restart() {
    let wants = Arc::new(Mutex::new(vec![("tid", "in-1"), ("ocp-apim-subscription-key", "key-1")]));
    let server = strict(Arc::clone(&wants)).await;
    let files = Files::new();
    files.write("secrets/cold", "s");
    files.write("secrets/tid", "in-1\n");
    files.write("secrets/key", "key-1\n");
    let show = show(&server, "cold").replace("perenso", "perspio")
        + "tid_file = \"secrets/tid\"\nsubscription_key_file = \"secrets/key\"\n\
           rate = { calls = 1000, seconds = 1, burst = 1000 }\n";
    let registry = files.registry(&show).unwrap();
    call(&registry, "cold").await.unwrap();
    for (name, file, value) in [
        ("ocp-apim-subscription-key", "secrets/key", "key-2"),
        ("tid", "secrets/tid", "in-2"),
        ("tid", "secrets/tid", "in-3"),
    ] {
        wants.lock().unwrap().retain(|(other, _)| *other != name);
        wants.lock().unwrap().push((name, value));
        files.write(file, &format!("\u{feff}{value}\r\n"));
        let before = (server.calls().len(), server.tokens().len());
        call(&registry, "cold").await.unwrap_or_else(|error| panic!("{name}: {error}"));
        // Once with the old value and once with the new, and the token is the same.
        assert_eq!((server.calls().len(), server.tokens().len()), (before.0 + 2, before.1), "{name}");
        call(&registry, "cold").await.unwrap();
        assert_eq!(server.calls().len(), before.0 + 3, "the new value is kept");
    }
    // A file that is gone changes nothing.
    fs::remove_file(files.0.join("secrets/tid")).unwrap();
    call(&registry, "cold").await.unwrap();
    wants.lock().unwrap().push(("tid", "in-4"));
    assert_eq!(call(&registry, "cold").await.unwrap_err().kind(), ErrorKind::Unauthorized);
    files.write("secrets/tid", "in-4");
    wants.lock().unwrap().retain(|want| *want != ("tid", "in-3"));
    call(&registry, "cold").await.unwrap();
}

#[tokio::test]
async fn a_caller_who_sets_the_header_keeps_it() {
    let wants = Arc::new(Mutex::new(vec![("ocp-apim-subscription-key", "key-2")]));
    let server = strict(wants).await;
    let files = Files::new();
    files.write("secrets/cold", "s");
    files.write("secrets/tid", "in-1");
    files.write("secrets/key", "key-1");
    let show = show(&server, "cold").replace("perenso", "perspio")
        + "tid_file = \"secrets/tid\"\nsubscription_key_file = \"secrets/key\"\n";
    let registry = files.registry(&show).unwrap();
    files.write("secrets/key", "key-2");
    let client = registry.get("cold").unwrap();
    let options = CallOptions::new()
        .header(http::HeaderName::from_static("ocp-apim-subscription-key"), http::HeaderValue::from_static("mine"));
    assert_eq!(client.get("/a").options(options).send().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert!(server.calls().iter().all(|seen| seen.header("ocp-apim-subscription-key") == "mine"));
}

#[tokio::test]
async fn every_rotated_secret_of_a_grant_needs_no_restart() {
    for (profile, field, key) in [
        ("tourpaq\"\nusername = \"u", "password", "password_file"),
        ("priava\"\nregion = \"EU\"\nredirect_uri = \"https://erp.example/cb", "code", "code_file"),
        ("priava\"\nregion = \"EU", "refresh_token", "refresh_token_file"),
    ] {
        let wants = Arc::new(Mutex::new(vec![(field, "new")]));
        let server = strict(wants).await;
        let files = Files::new();
        files.write("secrets/venue", "s");
        files.write("secrets/proof", "old");
        let text = show(&server, "venue").replace("perenso", profile)
            + &format!("{key} = \"secrets/proof\"\nmemory_only = true\n");
        files.write("shows.toml", &text);
        let clock = ManualClock::default();
        let registry =
            Registry::read_with(files.0.join("shows.toml"), |_, builder| builder.clock(clock.clone())).unwrap();
        call(&registry, "venue").await.unwrap_err();
        files.write("secrets/proof", "new");
        clock.advance(Duration::from_secs(11));
        call(&registry, "venue").await.unwrap_or_else(|error| panic!("{key}: {error}"));
    }
}
