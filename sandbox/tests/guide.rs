//! The commands of the SDK's guide to testing, run against the binary.

#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "cli", unix))]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_perenso-sandbox");

/// Returns the snippet of the guide in this language that starts the sandbox, or `None` if there is no guide file.
fn snippet(language: &str) -> Option<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/guide/testing.md");
    let guide = std::fs::read_to_string(guide).ok()?;
    let fence = format!("```{language}\n");
    let mut snippets = guide.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    Some(snippets.find(|snippet| snippet.contains("sandbox > ready") || snippet.contains("Popen")).unwrap().to_owned())
}

/// Runs a program in this folder, with the binary on the path.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let binaries = Path::new(BINARY).parent().unwrap().display();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    Command::new(program).args(arguments).current_dir(folder).env("PATH", path).output().unwrap()
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_shell_commands_print_what_the_guide_says() {
    let Some(script) = snippet("sh").filter(|_| is_there("curl")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = run("sh", &["-e", "-c", &script], folder.path());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let expected: Vec<&str> = script
        .lines()
        .filter(|line| line.starts_with("call "))
        .map(|line| &line.split_once("# ").unwrap().1[..3])
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);

    let journal = std::fs::read(folder.path().join("journal.json")).unwrap();
    let journal: Vec<Value> = serde_json::from_slice(&journal).unwrap();
    let statuses: Vec<_> = journal.iter().filter(|call| call["method"] == "GET").map(|call| &call["status"]).collect();
    assert_eq!(statuses, [200, 503, 429, 401]);
}

#[test]
fn the_python_of_the_guide_runs() {
    let Some(script) = snippet("python").filter(|_| is_there("python3")) else { return };
    let folder = tempfile::tempdir().unwrap();
    // The snippet ends only if all its checks passed.
    let output = run("python3", &["-c", &format!("{script}\nprint('all of it')")], folder.path());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all of it\n", "{}", String::from_utf8_lossy(&output.stderr));
}
