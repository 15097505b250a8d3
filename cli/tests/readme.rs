//! The sessions of `README.md` and `TUTORIAL.md`, run against a sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, io::Write, path::Path, process::Stdio};

use perenso_sandbox::Sandbox;

/// The address in the guides. A test listens on a free port.
const ADDRESS: &str = "http://127.0.0.1:8642";

/// Begins a session whose command ends with the exit code behind it.
const SESSION: &str = "```console exit ";

#[test]
fn the_sessions_of_the_readme_are_what_happens() {
    run(include_str!("../README.md"));
}

#[test]
fn the_sessions_of_the_tutorial_are_what_happens() {
    run(include_str!("../TUTORIAL.md"));
}

/// Runs the sessions of a guide with the files that it shows.
fn run(guide: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let builder = Sandbox::builder().client_id("practice").client_secret("practice");
    let sandbox = runtime.block_on(builder.start()).unwrap();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");

    // What the guides do in two windows.
    let mut login = std::process::Command::new(env!("CARGO_BIN_EXE_perenso"));
    login.args(["login", "practice", "--client-id", "practice", "--secret-stdin", "--api-url", sandbox.url()]);
    let mut login = login.env("PERENSO_CONFIG_DIR", &config).stdin(Stdio::piped()).spawn().unwrap();
    login.stdin.take().unwrap().write_all(b"practice\n").unwrap();
    assert!(login.wait().unwrap().success());

    let directory = home.path().join("session.in");
    fs::create_dir(&directory).unwrap();
    write_files(guide, &directory);
    let session = home.path().join("session.md");
    fs::write(&session, with_exit_codes(guide).replace(ADDRESS, sandbox.url())).unwrap();
    let cases = trycmd::TestCases::new();
    cases.default_bin_name("perenso").env("PERENSO_CONFIG_DIR", config.to_str().unwrap());
    cases.register_bin("perenso", Path::new(env!("CARGO_BIN_EXE_perenso")));
    cases.case(session.to_str().unwrap()).run();
}

/// Writes the blocks that have the name of a file behind their language.
fn write_files(guide: &str, directory: &Path) {
    for block in guide.split("\n```").skip(1) {
        let (info, content) = block.split_once('\n').unwrap_or_default();
        if let Some((_, name)) = info.split_once(' ').filter(|(language, _)| *language != "console") {
            fs::write(directory.join(name), content.to_owned() + "\n").unwrap();
        }
    }
}

/// Says the exit code of a session in the syntax of trycmd, which readers need not see.
fn with_exit_codes(guide: &str) -> String {
    let (mut all, mut code) = (String::new(), None);
    for line in guide.lines() {
        if let Some(said) = line.strip_prefix(SESSION) {
            code = Some(said);
            all += "```console\n";
            continue;
        }
        all += line;
        all.push('\n');
        if line.starts_with("$ ")
            && let Some(code) = code.take()
        {
            all += &format!("? {code}\n");
        }
    }
    all
}
