//! Two shows synced from one ERP at the same time.

use nightly_sync::{State, sync};
use perenso_sandbox::{Fault, Sandbox, Step};

use crate::{MANY, Night, assert_held, client, held, lines};

#[tokio::test]
async fn two_shows_at_once_do_not_get_in_each_others_way() {
    let night =
        Night::of(Sandbox::builder().client_id("SPRING26").customers(0).another_show("AUTUMN26").customers(0)).await;
    let autumn = night.sandbox.show("AUTUMN26").unwrap();
    night.erp(lines(MANY, "Store"));
    // A failure of one show does not affect the other.
    night.sandbox.script(Step::new(Fault::status(503)).always());

    let mut state = State::open(night.folder.path().join("autumn.json"), "AUTUMN26").unwrap();
    let file = night.file();
    let autumn_client = client(autumn);
    let (spring_report, autumn_report) = tokio::join!(night.run(), sync(&autumn_client, &file, &mut state));
    assert_eq!((spring_report.written, spring_report.again), (0, MANY));
    assert!(autumn_report.unwrap().is_clean());
    assert!(night.held().is_empty());
    assert_held(&held(autumn), MANY, "Store");

    night.sandbox.clear_faults();
    assert!(night.run().await.is_clean());
    assert_held(&night.held(), MANY, "Store");
}

#[tokio::test]
async fn the_state_of_another_show_is_refused() {
    let night = Night::new().await;
    night.erp(lines(3, "Store"));
    night.run().await;
    let failure = State::open(night.state(), "AUTUMN26").unwrap_err();
    assert!(failure.to_string().contains("and not to AUTUMN26"), "{failure}");
}
