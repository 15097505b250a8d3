//! Behavior on a terminal: questions, colours and tables. Python has a pseudo-terminal in its standard library.
#![cfg(unix)]

use std::{path::Path, process::Command, time::Duration};

use perenso_sandbox::{Export, Fault, Sandbox};

use crate::process::{Ran, perenso, sandbox};

/// Runs the command in a pseudo-terminal. Returns `None` without Python, unless that is required.
fn in_terminal(home: &Path, id: &str, secret: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Ran> {
    let python = std::env::var_os("PERENSO_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("PERENSO_REQUIRE_READERS").is_none(), "there is no Python");
        return None;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands/terminal.py");
    let mut command = Command::new(python);
    command.arg(script).arg(env!("CARGO_BIN_EXE_perenso")).args([id, secret]).args(arguments);
    // The environment of every other test.
    for (name, value) in perenso(home).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.env("TERM", "xterm").envs(variables.iter().copied());
    Some(command.output().unwrap().into())
}

#[test]
fn a_person_logs_in_by_answering_questions() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let login = ["login", "spring", "--api-url", sandbox.url()];
    let (id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let Some(ran) = in_terminal(home.path(), id, secret, &login, &[]) else { return };
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("logged in to `spring`") && !ran.stdout.contains(secret), "{ran:?}");
    assert_eq!(std::fs::read_to_string(home.path().join("secrets/spring")).unwrap(), secret);
    let refused = in_terminal(home.path(), id, "hush", &login, &[]).unwrap();
    assert_eq!(refused.code, 4, "{refused:?}");
    // An error is red, unless the user wants no colours.
    assert!(refused.stdout.contains("\u{1b}[") && !refused.stdout.contains("hush"), "{refused:?}");
    let plain = in_terminal(home.path(), id, "hush", &login, &[("NO_COLOR", "1")]).unwrap();
    assert!(plain.stdout.contains("error: ") && !plain.stdout.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn an_export_draws_its_progress_and_erases_it() {
    let (_server, sandbox) = sandbox(Sandbox::builder().exports([Export::order_lines(200)]));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("lines.csv");
    let run =
        ["export", "run", "Order Lines", "--param", "Cursor=1", "--param", "Limit=200", "-o", file.to_str().unwrap()];
    let variables = sandbox.vars();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let export = |arguments: &[&str]| {
        // Behind the catalog. Progress is drawn once a second, and the rows take more than two.
        sandbox.fault_after(1, Fault::Slow { piece: 2000, pause: Duration::from_millis(100) });
        in_terminal(home.path(), "", "", &[&run[..], arguments].concat(), &variables)
    };
    let Some(ran) = export(&[]) else { return };
    assert_eq!(ran.code, 0, "{ran:?}");
    let erase = "\r\u{1b}[K";
    let parts: Vec<&str> = ran.stdout.split(erase).collect();
    let [start, drawn @ .., end] = &parts[..] else { panic!("{ran:?}") };
    assert!(start.is_empty() && drawn.len() >= 2 && end.starts_with("200 rows in "), "{ran:?}");
    assert!(drawn.iter().any(|part| part.starts_with("receiving: ") && part.ends_with(" rows/s")), "{ran:?}");
    let quiet = export(&["--quiet"]).unwrap();
    assert_eq!((quiet.code, quiet.stdout.as_str()), (0, ""), "{quiet:?}");
}

#[test]
fn a_list_is_a_table() {
    let home = tempfile::tempdir().unwrap();
    let list = ["--sandbox", "--quiet", "customers", "list", "--limit", "2"];
    let Some(ran) = in_terminal(home.path(), "", "", &list, &[]) else { return };
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("id      customerID  customerName      city"), "{ran:?}");
}
