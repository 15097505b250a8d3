//! The sessions of `README.md`, run against a sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, io::Write, process::Stdio};

use perenso_sandbox::Sandbox;

/// The address in the README. A test listens on a free port.
const ADDRESS: &str = "http://127.0.0.1:8642";

#[test]
fn the_sessions_of_the_readme_are_what_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let builder = Sandbox::builder().client_id("practice").client_secret("practice");
    let sandbox = runtime.block_on(builder.start()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");

    // What the README does in two windows.
    let mut login = std::process::Command::new(env!("CARGO_BIN_EXE_perenso"));
    login.args(["login", "practice", "--client-id", "practice", "--secret-stdin", "--api-url", sandbox.url()]);
    let mut login = login.env("PERENSO_CONFIG_DIR", &config).stdin(Stdio::piped()).spawn().unwrap();
    login.stdin.take().unwrap().write_all(b"practice\n").unwrap();
    assert!(login.wait().unwrap().success());

    let readme = include_str!("../README.md").replace(ADDRESS, sandbox.url());
    let session = home.path().join("session.md");
    fs::write(&session, readme).unwrap();
    fs::create_dir(home.path().join("session.in")).unwrap();
    let cases = trycmd::TestCases::new();
    cases.default_bin_name("perenso").env("PERENSO_CONFIG_DIR", config.to_str().unwrap());
    cases.register_bin("perenso", std::path::Path::new(env!("CARGO_BIN_EXE_perenso")));
    cases.case(session.to_str().unwrap()).run();
}
