//! A client over a store of files that is in a bad state: no call fails, and the log says so. Alone in its process, since the
//! log is.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[path = "../promises/log.rs"]
mod log;
#[allow(dead_code)]
#[path = "../promises/server.rs"]
mod server;
#[path = "../files_after_restart/vendor.rs"]
mod vendor;

use std::{fs, time::Duration};

use log::Log;
use vendor::{call, client, tokens_file, vendor};

#[tokio::test]
async fn unusable_tokens_are_logged_and_replaced() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let server = vendor().await;
    let directory = tempfile::tempdir().unwrap();
    call(&client(&server, directory.path()).0).await;
    let file = tokens_file(directory.path());
    let whole = fs::read_to_string(&file).unwrap();
    assert!(!log.text().contains("WARN"), "{}", log.text());
    for broken in ["", "{", "hush-hush", &whole.replace("\"version\":1", "\"version\":99"), &whole[..whole.len() / 2]] {
        assert_ne!(broken, whole);
        fs::write(&file, broken).unwrap();
        let (before, asked) = (log.text().len(), server.tokens().len());
        call(&client(&server, directory.path()).0).await;
        let text = log.text().split_off(before);
        assert_eq!(text.matches("WARN").count(), 1, "{text}");
        assert!(text.contains(file.to_str().unwrap()) && !text.contains("hush"), "{text}");
        assert_eq!(server.tokens().len(), asked + 1, "a fresh token");
        // And it is a store again.
        call(&client(&server, directory.path()).0).await;
        assert_eq!(server.tokens().len(), asked + 1);
    }
    // A directory in its place cannot be replaced: the process goes on alone, and says so once.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let before = log.text().len();
    let (client, clock) = client(&server, directory.path());
    for _ in 0..3 {
        call(&client).await;
        clock.advance(Duration::from_secs(301));
    }
    let text = log.text().split_off(before);
    assert_eq!(text.matches("the token store is unavailable").count(), 1, "{text}");
    fs::remove_dir(&file).unwrap();
    call(&client).await;
    assert_eq!(log.text().matches("the token store is available again").count(), 1);
    assert!(fs::read_to_string(&file).unwrap().contains("tok-"), "what was kept in memory meanwhile is stored");
}
