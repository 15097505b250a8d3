//! `doctor`: what it finds, and what it learns of a show.

use std::time::Duration;

use perenso_sandbox::{Behavior, Sandbox};
use serde_json::{Map, Value};

use crate::process::{Ran, perenso, run, sandbox};

fn doctor(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let mut command = perenso(home.path());
    command.arg("doctor").args(arguments).envs(sandbox.vars()).output().unwrap().into()
}

#[test]
fn what_is_learned_is_how_every_plausible_vendor_behaves() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(Sandbox::builder().every_vendor(|sandbox| async move {
        let sandbox = std::sync::Arc::new(sandbox);
        let asked = sandbox.clone();
        let ran = tokio::task::spawn_blocking(move || doctor(&asked, &["--json"])).await.unwrap();
        assert_eq!(ran.code, 0, "{ran:?}");
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let learned: Map<String, Value> = report["behavior"].as_object().unwrap().clone();
        let behavior = sandbox.behavior();
        let own = serde_json::to_value(&behavior).unwrap();
        for (switch, value) in &learned {
            // A page cap below the size of a page makes the size a page of that.
            let expected = match (switch.as_str(), behavior.page_cap, behavior.default_page_size) {
                ("default_page_size", Some(cap), Some(size)) => cap.min(size).into(),
                ("rate", ..) => serde_json::json!({"requests": own["rate"]["requests"], "per": 60}),
                _ => own[switch].clone(),
            };
            let is_equal = value == &expected || value.as_f64().is_some_and(|value| Some(value) == expected.as_f64());
            assert!(is_equal, "{switch} is {expected}, not {value}");
        }
        assert_eq!(learned.contains_key("page_cap"), behavior.page_cap.is_some(), "{learned:?}");
        assert!(learned.len() >= 8, "{learned:?}");
        let wrote = sandbox.journal().into_iter().filter(|request| request.method != "GET");
        assert!(wrote.into_iter().all(|request| request.path.contains("token")), "it writes nothing");
    }));
}

#[test]
fn the_file_makes_a_sandbox_behave_so() {
    let mut behavior = Behavior::default();
    behavior.page_cap = Some(10);
    behavior.newest_first = false;
    behavior.token_lifetime = Duration::from_secs(120);
    let (_server, sandbox) = sandbox(Sandbox::builder().behavior(behavior.clone()));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("behavior.toml");
    let ran = doctor(&sandbox, &["--behavior", file.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("ok     behavior   a page has at most 10 records"), "{ran:?}");
    assert_eq!(Behavior::read(&file).unwrap(), behavior);
}

#[test]
fn each_thing_that_is_wrong_has_its_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let nothing: Ran = perenso(home.path()).arg("doctor").output().unwrap().into();
    assert_eq!(nothing.code, 2, "{nothing:?}");
    assert!(nothing.stdout.starts_with("WRONG  settings   no show is known yet"), "{nothing:?}");

    let (_server, sandbox) = sandbox(Sandbox::builder());
    sandbox.advance(Duration::from_secs(24 * 3600));
    let late = doctor(&sandbox, &[]);
    assert_eq!(late.code, 3, "{late:?}");
    assert!(late.stdout.contains("WRONG  clock      the clock of this machine is 24 hours behind"), "{late:?}");

    let with = |name: &str, value: &str| -> Ran {
        let home = tempfile::tempdir().unwrap();
        perenso(home.path()).arg("doctor").envs(sandbox.vars()).env(name, value).output().unwrap().into()
    };
    let refused = with("PERENSO_CLIENT_SECRET", "hush");
    assert_eq!(refused.code, 3, "the clock is the first cause: {refused:?}");
    assert!(refused.stdout.contains("WRONG  login") && !refused.stdout.contains("hush"), "{refused:?}");
    let unknown = with("PERENSO_API_URL", "https://no-such-host.invalid");
    assert_eq!(unknown.code, 6, "{unknown:?}");
    assert!(unknown.stdout.contains("WRONG  name       no-such-host.invalid is not known"), "{unknown:?}");
    let closed = with("PERENSO_API_URL", "http://127.0.0.1:9");
    assert_eq!(closed.code, 6, "{closed:?}");
    assert!(closed.stdout.contains("WRONG  connection Connection refused"), "{closed:?}");
    // A server that speaks no TLS.
    let plain = with("PERENSO_API_URL", &sandbox.url().replace("http:", "https:"));
    assert_eq!(plain.code, 6, "{plain:?}");
    let proxied = with("HTTP_PROXY", "http://user:hush@127.0.0.1:9");
    assert!(proxied.stdout.contains("HTTP_PROXY sends requests through 127.0.0.1:9"), "{proxied:?}");
    assert!(!format!("{proxied:?}").contains("hush"), "{proxied:?}");
}

#[test]
fn the_sandbox_is_healthy() {
    let ran = run(&["--sandbox", "doctor"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("WRONG"), "{ran:?}");
}
