//! `login`, `logout`, `use` and `status`; what a profile may be like.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use perenso_sandbox::{Fault, Sandbox};
use serde_json::Value;

use crate::process::{Ran, perenso, sandbox};

/// Logs in to a sandbox, with this text on stdin.
fn login(home: &Path, sandbox: &Sandbox, name: &str, secret: &str) -> Ran {
    let mut command = perenso(home);
    command.args(["login", name, "--secret-stdin", "--client-id", sandbox.client_id(), "--api-url", sandbox.url()]);
    with_input(&mut command, secret)
}

fn with_input(command: &mut Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap().into()
}

fn run(home: &Path, arguments: &[&str]) -> Ran {
    perenso(home).args(arguments).output().unwrap().into()
}

#[test]
fn a_login_is_kept_used_and_forgotten() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    // The line end and the mark of an editor are no part of the secret.
    let secret = format!("\u{feff}{}\r\n", sandbox.client_secret());
    let ran = login(home.path(), &sandbox, "spring", &secret);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.contains("logged in to `spring`\nthe secret is in "), "{ran:?}");
    let file = home.path().join("secrets/spring");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), sandbox.client_secret());

    let status = run(home.path(), &["status", "--json"]);
    let shown: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&shown["accepted"], &shown["client_id"]), (&true.into(), &sandbox.client_id().into()), "{status:?}");
    assert!(!format!("{ran:?}{status:?}").contains(sandbox.client_secret()));
    assert_eq!(run(home.path(), &["customers", "list", "--json", "--quiet"]).code, 0);

    // The SDK reads the same file, and finds the token of the command.
    let requests = sandbox.token_requests().client_credentials;
    let shows = perenso::Shows::read(home.path().join("shows.toml")).unwrap();
    let token = sandbox_runtime().block_on(shows.get("spring").unwrap().token(Duration::ZERO)).unwrap();
    assert_eq!(run(home.path(), &["token"]).stdout.trim(), token.expose());
    assert_eq!(sandbox.token_requests().client_credentials, requests);

    assert_eq!(run(home.path(), &["logout"]).code, 0);
    assert!(!file.exists());
    for entry in std::fs::read_dir(home.path().join("tokens")).unwrap() {
        let content = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!content.contains(token.expose()), "{content}");
    }
    assert_eq!(run(home.path(), &["status"]).code, 2);
    assert_eq!(run(home.path(), &["logout", "spring"]).code, 5);
}

#[test]
fn fifty_commands_at_once_make_one_token_request() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    assert_eq!(login(home.path(), &sandbox, "spring", sandbox.client_secret()).code, 0);
    let before = sandbox.token_requests().total();
    let start = || perenso(home.path()).arg("token").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children: Vec<_> = (0..50).map(|_| start()).collect();
    let tokens: Vec<Ran> = children.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect();
    assert!(tokens.iter().all(|ran| ran.code == 0 && ran.stdout == tokens[0].stdout), "{tokens:?}");
    assert_eq!(sandbox.token_requests().total() - before, 1);
}

#[test]
fn a_refused_login_keeps_the_one_before() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    assert_eq!(login(home.path(), &sandbox, "spring", sandbox.client_secret()).code, 0);
    assert_eq!(run(home.path(), &["token"]).code, 0);
    let refused = login(home.path(), &sandbox, "spring", "hush");
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(!format!("{refused:?}").contains("hush"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(home.path().join("secrets/spring")).unwrap(), sandbox.client_secret());
    (0..20).for_each(|_| sandbox.token_fault(Fault::status(503)));
    assert_eq!(login(home.path(), &sandbox, "autumn", "hush").code, 6);
    assert!(!home.path().join("secrets/autumn").exists());
}

#[test]
fn a_show_is_chosen_by_name_or_by_default() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    for name in ["spring", "autumn"] {
        assert_eq!(login(home.path(), &sandbox, name, sandbox.client_secret()).code, 0);
    }
    let used = |arguments: &[&str]| {
        let ran = run(home.path(), &[&["status", "--offline", "--json"][..], arguments].concat());
        let status: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        (ran.code, status["show"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(used(&[]), (0, "the show `spring`".to_owned()));
    assert_eq!(used(&["--show", "autumn"]), (0, "the show `autumn`".to_owned()));
    assert_eq!(run(home.path(), &["use", "autumn"]).code, 0);
    assert_eq!(used(&[]), (0, "the show `autumn`".to_owned()));
    assert_eq!(run(home.path(), &["use", "winter"]).code, 5);
    // Without a default one of two has to be named.
    std::fs::remove_file(home.path().join("settings.toml")).unwrap();
    let ran = run(home.path(), &["status"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("add `--show` with one of autumn, spring"), "{ran:?}");
}

#[test]
fn a_secret_that_is_none_is_refused_before_anything_is_sent() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    for (secret, text) in [
        ("", "the secret is empty"),
        ("\n\n", "the secret is empty"),
        ("hush\nhush", "contains a line end"),
        ("hu\u{200b}sh", "the invisible character U+200B"),
        (&"hush".repeat(2000), "more than 4096 bytes"),
    ] {
        let ran = login(home.path(), &sandbox, "spring", secret);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(text) && !ran.stderr.contains("hush"), "{ran:?}");
    }
    let mut bytes = perenso(home.path());
    bytes.args(["login", "spring", "--client-id", "x"]);
    let ran = with_input(&mut bytes, "hush");
    assert!(ran.code == 2 && ran.stderr.contains("add `--secret-stdin`"), "{ran:?}");
    let named = login(home.path(), &sandbox, "../spring", sandbox.client_secret());
    assert!(named.code == 2 && named.stderr.contains("is no name for a show"), "{named:?}");
    let mut plain = perenso(home.path());
    plain.args(["login", "spring", "--client-id", "x", "--secret-stdin", "--api-url", "http://api.example"]);
    let ran = with_input(&mut plain, "hush");
    assert!(ran.code == 2 && ran.stderr.contains("not https") && ran.stderr.contains("--api-url"), "{ran:?}");
    assert_eq!(sandbox.token_requests().total(), 0);
    assert!(!home.path().join("shows.toml").exists());
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_or_change_are_refused() {
    use std::os::unix::fs::PermissionsExt;

    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    assert_eq!(login(home.path(), &sandbox, "spring", sandbox.client_secret()).code, 0);
    let (shows, secret) = (home.path().join("shows.toml"), home.path().join("secrets/spring"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&secret), mode(&shows), mode(&home.path().join("secrets"))), (0o600, 0o600, 0o700));
    let set = |path: &Path, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    // There is no secret in it.
    set(&shows, 0o644);
    assert_eq!(run(home.path(), &["token"]).code, 0);
    set(&shows, 0o664);
    let ran = run(home.path(), &["token"]);
    assert!(ran.code == 2 && ran.stderr.contains("(mode 0664): run `chmod go-w "), "{ran:?}");
    set(&shows, 0o600);
    set(&secret, 0o644);
    let ran = run(home.path(), &["token"]);
    assert!(ran.code == 2 && ran.stderr.contains("(mode 0644): run `chmod 600 "), "{ran:?}");
}

#[test]
fn a_wrong_settings_file_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let shows = home.path().join("shows.toml");
    for (content, text) in [
        ("[shows.spring]\nclient_secret = hush\n", "is not TOML: correct line 2"),
        (
            "[shows.spring]\nprofile = \"perenso\"\nclient_id = \"x\"\nclient_secret = \"hush\"\n",
            "secrets belong in files of their own",
        ),
        (
            "[shows.spring]\nprofile = \"perenso\"\nclient_id = \"x\"\nclient_secret_file = \"secrets/gone\"\n",
            "cannot be read",
        ),
    ] {
        std::fs::write(&shows, content).unwrap();
        let ran = run(home.path(), &["token"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(text) && !ran.stderr.contains("hush"), "{ran:?}");
    }
}

#[test]
fn a_keyring_that_is_not_there_is_named() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    let mut command = perenso(home.path());
    command.args(["login", "spring", "--keyring", "--secret-stdin", "--client-id", sandbox.client_id()]);
    // No bus, no keyring.
    command.args(["--api-url", sandbox.url()]).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let ran = with_input(&mut command, sandbox.client_secret());
    let (code, text) =
        if cfg!(feature = "keyring") { (1, "the keyring of the system") } else { (2, "without a keyring") };
    assert!(ran.code == code && ran.stderr.contains(text), "{ran:?}");
    assert_eq!(run(home.path(), &["status"]).code, 2);
    // A show of the keyring is known by its name.
    let settings = "default_show = \"spring\"\n[keyring.spring]\nclient_id = \"SPRING26\"\n";
    std::fs::write(home.path().join("settings.toml"), settings).unwrap();
    let ran = run(home.path(), &["status"]);
    assert!(ran.stderr.contains("keyring"), "{ran:?}");
    assert_eq!(run(home.path(), &["status", "--show", "autumn"]).code, 5);
}

#[test]
fn a_home_that_is_no_place_for_files_is_named() {
    let home = tempfile::tempdir().unwrap();
    let ran: Ran = perenso(home.path()).arg("status").env("PERENSO_CONFIG_DIR", "here").output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.contains("expected an absolute path"), "{ran:?}");
    let mut none = perenso(home.path());
    none.arg("status").env_remove("PERENSO_CONFIG_DIR").env_remove("XDG_CONFIG_HOME").env("HOME", "nowhere");
    let ran: Ran = none.output().unwrap().into();
    assert!(ran.code == 2 && ran.stderr.contains("there is no home directory"), "{ran:?}");
}

#[test]
fn an_offline_show_is_unavailable() {
    let (_server, sandbox) = sandbox(Sandbox::builder());
    let home = tempfile::tempdir().unwrap();
    assert_eq!(login(home.path(), &sandbox, "spring", sandbox.client_secret()).code, 0);
    drop(_server);
    let ran = run(home.path(), &["status"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.stderr.contains("error: ") && ran.stderr.lines().count() == 1, "{ran:?}");
}

fn sandbox_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
