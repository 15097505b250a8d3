//! Runs that end early, and the runs after them.

use std::{fs, process::Stdio, time::Duration};

use nightly_sync::{BATCH, State};
use perenso_sandbox::Fault;
use tokio::process::{Child, Command};

use crate::{LAST, MANY, Night, assert_held, id, lines};

/// Starts the program.
fn program(night: &Night) -> Child {
    Command::new(env!("CARGO_BIN_EXE_nightly-sync"))
        .arg(night.file())
        .arg(night.state())
        .env("PERENSO_CLIENT_ID", night.sandbox.client_id())
        .env("PERENSO_CLIENT_SECRET", night.sandbox.client_secret())
        .env("PERENSO_API_URL", night.sandbox.url())
        .env("PERENSO_TOKEN_URL", night.sandbox.token_url())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition was not met within thirty seconds");
}

#[tokio::test]
async fn a_process_that_is_killed_between_two_batches_goes_on_where_it_was() {
    let night = Night::new().await;
    night.erp(lines(MANY, "Store"));
    // The third batch hangs.
    night.break_bulk(2, 1, Fault::Delay(Duration::from_secs(60)));
    let mut first = program(&night);
    until(|| night.sent().len() == 3).await;
    first.kill().await.unwrap();

    let second = program(&night).wait_with_output().await.unwrap();
    let said = String::from_utf8(second.stdout).unwrap();
    assert!(second.status.success() && said.starts_with(&format!("{LAST} written, {} unchanged", 2 * BATCH)), "{said}");
    let sent = night.sent();
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH, BATCH, LAST, LAST], "two batches are sent once");
    assert_eq!(sent[2], sent[3]);
    assert_held(&night.held(), MANY, "Store");
}

#[tokio::test]
async fn a_write_whose_response_was_lost_is_sent_again_and_not_doubled() {
    let night = Night::new().await;
    night.erp(lines(MANY, "Store"));
    // The second batch is written, and its response is lost at every attempt.
    night.break_bulk(1, 4, Fault::DropResponse);
    let report = night.run().await;
    assert!(report.error.as_ref().unwrap().may_have_written());
    assert_eq!((report.written, report.again), (BATCH, MANY - BATCH));
    assert_eq!(night.held().len(), 2 * BATCH);

    let report = night.run().await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.written, report.unchanged), (MANY - BATCH, BATCH));
    assert_held(&night.held(), MANY, "Store");
}

#[tokio::test]
async fn a_change_that_was_lost_and_taken_back_is_taken_back_at_the_show() {
    let night = Night::new().await;
    night.erp(lines(3, "Old"));
    night.run().await;
    night.erp(lines(3, "New"));
    night.break_bulk(0, 4, Fault::DropResponse);
    assert_eq!(night.run().await.again, 3);
    assert_held(&night.held(), 3, "New");

    // The state no longer contains the old digests; otherwise nothing would be sent now.
    night.erp(lines(3, "Old"));
    assert_eq!(night.run().await.written, 3);
    assert_held(&night.held(), 3, "Old");
}

#[tokio::test]
async fn a_change_that_certainly_did_not_arrive_leaves_the_state_as_it_was() {
    let night = Night::new().await;
    night.sandbox.set_behavior(|behavior| behavior.check_references = true);
    night.erp(lines(3, "Old"));
    night.run().await;
    night.erp(lines(3, "New").into_iter().map(|line| line.replace("WH0001", "NOWHERE")));
    assert_eq!(night.run().await.refused, 3);
    night.erp(lines(3, "Old"));
    let report = night.run().await;
    assert_eq!((report.written, report.unchanged), (0, 3));
    assert_held(&night.held(), 3, "Old");
}

#[tokio::test]
async fn a_state_that_is_none_is_an_error_and_one_that_is_gone_is_made_again() {
    let night = Night::new().await;
    night.erp(lines(3, "Store"));
    night.run().await;
    assert!(fs::read_to_string(night.state()).unwrap().contains(&id(0)));
    fs::write(night.state(), "{\"show\": ").unwrap();
    let failure = State::open(night.state(), night.sandbox.client_id()).unwrap_err();
    assert!(failure.to_string().contains("delete it"), "{failure}");

    fs::remove_file(night.state()).unwrap();
    assert_eq!(night.run().await.written, 3);
    assert_held(&night.held(), 3, "Store");
}

#[test]
fn a_state_is_whole_whenever_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let mut state = State::open(&path, "SPRING26").unwrap();
    (0..5000).for_each(|number| drop(state.set(&id(number), Some("0".repeat(64)))));
    state.save().unwrap();
    let writer = std::thread::spawn(move || (0..20).for_each(|_| state.save().unwrap()));
    while !writer.is_finished() {
        State::open(&path, "SPRING26").unwrap();
    }
    writer.join().unwrap();
}
