//! `api`, and the sandbox as a server.

use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

use serde_json::Value;

#[cfg(unix)]
use crate::process::interrupt;
use crate::process::{Ran, perenso, run};

#[test]
fn a_filter_is_applied_to_all_pages() {
    let ran =
        run(&["--sandbox", "--quiet", "api", "GET", "/Customer", "--paginate", "-q", "map(.customerID) | length"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "45\n"), "{ran:?}");
    let one = ["--sandbox", "--quiet", "api", "get", "/Customer", "--query", "page=3", "--query", "resultsPerPage=20"];
    let ran = run(&[&one[..], &["-q", ".[0].customerID"]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "C00041\n"), "{ran:?}");
}

#[test]
fn a_body_comes_from_a_file_or_stdin() {
    let home = tempfile::tempdir().unwrap();
    let mut command = perenso(home.path());
    command.args(["--sandbox", "--quiet", "api", "POST", "/Customer", "--body", "-", "-q", ".customerID"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"customerID":"0940"}"#).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "0940\n"), "{ran:?}");
}

#[test]
fn wrong_requests_are_usage_errors_and_are_not_sent() {
    for (arguments, text) in [
        (&["FETCH", "/Customer"][..], "expected GET, POST"),
        (&["GET", "Customer"], "starts with `/`"),
        (&["POST", "/Customer", "--paginate"], "the method is GET"),
        (&["GET", "/Customer", "-q", ".["], "is no filter of jq"),
        (&["GET", "/Customer", "--query", "page"], "expected a name and a value"),
    ] {
        let ran = run(&[&["--sandbox", "--quiet", "api"][..], arguments].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(text), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_filter_that_never_ends() {
    let home = tempfile::tempdir().unwrap();
    let mut command = perenso(home.path());
    command.args(["--sandbox", "-v", "api", "GET", "/Customer", "-q", "last(repeat(1))"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    assert!(log.lines().any(|line| line.unwrap().contains("api_call")));
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[cfg(unix)]
#[test]
fn the_sandbox_serves_until_it_is_interrupted() {
    let home = tempfile::tempdir().unwrap();
    let mut command = perenso(home.path());
    command.args(["sandbox", "--port", "0", "--json", "--customers", "3"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    let value = |name: &str| ready[name].as_str().unwrap();
    let variables = [("PERENSO_CLIENT_ID", "client_id"), ("PERENSO_CLIENT_SECRET", "client_secret")];
    let urls = [("PERENSO_API_URL", "api_url"), ("PERENSO_TOKEN_URL", "token_url")];
    let mut list = perenso(home.path());
    list.args(["customers", "list", "--format", "jsonl"]);
    list.envs(variables.iter().chain(&urls).map(|(variable, name)| (*variable, value(name))));
    let ran: Ran = list.output().unwrap().into();
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 3), "{ran:?}");

    let port = value("api_url").rsplit(':').next().unwrap();
    let taken = run(&["sandbox", "--port", port]);
    assert!(taken.code == 1 && taken.stderr.contains("choose another port"), "{taken:?}");
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
