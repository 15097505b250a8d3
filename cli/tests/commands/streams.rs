//! Data on stdout, everything else on stderr; exit codes.

use std::{io::Read, process::Stdio};

use serde_json::Value;

use crate::process::{Ran, perenso, run};

#[test]
fn data_is_on_stdout_and_notes_are_on_stderr() {
    let ran = run(&["--sandbox", "api", "GET", "/Customer"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(serde_json::from_str::<Vec<Value>>(&ran.stdout).unwrap().len(), 45);
    assert!(ran.stderr.starts_with("note: this is a sandbox"), "{ran:?}");
    let quiet = run(&["--sandbox", "--quiet", "api", "GET", "/Customer"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}

#[test]
fn an_error_has_its_exit_code_as_text_and_as_json() {
    let wrong = |ran: &Ran, code: i32, text: &str| {
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{ran:?}");
        assert!(ran.stderr.contains(text), "{ran:?}");
    };
    wrong(&run(&["status"]), 2, "error: no show is known yet: run `perenso login`");
    wrong(&run(&["status", "--show", "spring"]), 5, "error: there is no show `spring`");
    wrong(&run(&["--sandbox", "status", "--show", "spring"]), 2, "exclude each other");
    wrong(&run(&["--sandbox", "api", "GET", "/Customer/none"]), 5, "404");
    wrong(&run(&["no-such-command"]), 2, "unrecognized subcommand");
    for arguments in [&["no-such-command", "--json"][..], &["status", "--json"], &["api", "GET", "x", "--json"]] {
        let ran = run(arguments);
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!((ran.code, &error["error"]["exit"], &error["error"]["code"]), (2, &2.into(), &"usage".into()));
    }
    let ran = run(&["--sandbox", "--quiet", "--json", "customers", "get", "none"]);
    let error: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((ran.code, &error["error"]["status"]), (5, &404.into()), "{ran:?}");
}

#[test]
fn the_environment_is_that_of_the_sdk() {
    let home = tempfile::tempdir().unwrap();
    let ran = |variables: &[(&str, &str)]| -> Ran {
        perenso(home.path()).arg("token").envs(variables.iter().copied()).output().unwrap().into()
    };
    let incomplete = ran(&[("PERENSO_CLIENT_ID", "spring")]);
    assert_eq!(incomplete.code, 2);
    assert!(incomplete.stderr.contains("PERENSO_CLIENT_SECRET_FILE is set"), "{incomplete:?}");
    // A port that nobody listens on: the discard service.
    let down = [("PERENSO_CLIENT_ID", "spring"), ("PERENSO_CLIENT_SECRET", "s3cr3t")];
    let urls = [("PERENSO_API_URL", "http://127.0.0.1:9"), ("PERENSO_TOKEN_URL", "http://127.0.0.1:9/token")];
    let unavailable = ran(&[&down[..], &urls].concat());
    assert_eq!(unavailable.code, 6, "{unavailable:?}");
    assert!(!unavailable.stderr.contains("s3cr3t"), "{unavailable:?}");
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    for arguments in [&["completions", "bash"][..], &["--sandbox", "--quiet", "customers", "list", "--format", "jsonl"]]
    {
        let home = tempfile::tempdir().unwrap();
        let mut child =
            perenso(home.path()).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn the_man_pages_and_completions_know_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(&["man", "--directory", directory.path().to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(directory.path().join("perenso-customers-list.1").exists());
    let script = run(&["completions", "bash"]);
    assert!(script.stdout.contains("perenso__subcmd__customers__subcmd__list"), "{}", &script.stdout[..2000]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_one_sentence() {
    let home = tempfile::tempdir().unwrap();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [&["--sandbox", "--quiet", "customers", "list"][..], &["completions", "bash"], &["man"]] {
        let output = perenso(home.path()).args(arguments).stdout(full()).output().unwrap();
        let ran = Ran::from(output);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.starts_with("error: the output cannot be written: No space left"), "{ran:?}");
    }
}
