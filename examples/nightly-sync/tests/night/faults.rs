//! Refused records, and a show that fails.

use std::time::Duration;

use nightly_sync::BATCH;
use perenso::CallErrorKind;
use perenso_sandbox::{Fault, Step};

use crate::{MANY, Night, assert_held, id, lines};

#[tokio::test]
async fn records_that_are_refused_are_one_line_and_take_no_other_with_them() {
    let night = Night::new().await;
    night.sandbox.set_behavior(|behavior| behavior.check_references = true);
    let astray = |number: usize| number.is_multiple_of(2);
    let warehouse = |(number, line): (usize, String)| match astray(number) {
        true => line.replace("WH0001", "WH0940"),
        false => line,
    };
    night.erp(lines(MANY, "Store").into_iter().enumerate().map(warehouse));
    let report = night.run().await;
    let [refusal] = report.refusals.as_slice() else { panic!("more than one reason: {report}") };
    assert_eq!((refusal.count, refusal.first.as_str()), (MANY / 2, id(0).as_str()));
    assert!(refusal.reason.contains("WH0940"), "{}", refusal.reason);
    assert_eq!((report.written, report.refused, report.again), (MANY / 2, MANY / 2, 0));
    assert!(night.held().keys().eq((0..MANY).filter(|number| !astray(*number)).map(id).collect::<Vec<_>>().iter()));

    // The next run sends the refused records again, and no others.
    night.sandbox.clear_journal();
    assert_eq!(night.run().await.refused, MANY / 2);
    assert_eq!(night.sent().concat().len(), MANY / 2);
    night.erp(lines(MANY, "Store"));
    assert!(night.run().await.is_clean());
    assert_held(&night.held(), MANY, "Store");
}

#[tokio::test]
async fn a_fault_that_passes_is_not_noticed() {
    for (what, fault) in [
        ("429", Fault::too_many_requests(Duration::ZERO)),
        ("503", Fault::status(503)),
        ("a cut body", Fault::CutBody),
        ("a reset", Fault::Reset),
        ("a lost response", Fault::ResetResponse),
        ("a refused token", Fault::Unauthorized),
    ] {
        // Call 0 is the list, call 2 the second batch.
        for call in [0, 2] {
            let night = Night::new().await;
            night.erp(lines(MANY, "Store"));
            night.sandbox.fault_after(call, fault.clone());
            let report = night.run().await;
            assert!(report.is_clean() && report.not_compared.is_none(), "{what} at call {call}: {report}");
            assert_held(&night.held(), MANY, "Store");
            assert!(night.sandbox.faults().is_empty(), "{what}: the fault was used");
        }
    }
}

#[tokio::test]
async fn a_fault_that_stays_ends_the_run_and_the_next_one_makes_up_for_it() {
    let limit = Fault::too_many_requests(Duration::ZERO);
    for fault in [Fault::status(503), limit, Fault::Reset, Fault::CutBody, Fault::Unauthorized] {
        let night = Night::new().await;
        night.erp(lines(MANY, "Old"));
        night.run().await;
        night.sandbox.clear_journal();
        night.erp(lines(MANY, "Store"));
        night.break_bulk(1, 99, fault.clone());
        let report = night.run().await;
        assert!(report.error.is_some(), "{fault:?}");
        assert!(night.sent().iter().all(|batch| batch.len() == BATCH), "no batch is sent after the one that failed");
        assert_eq!((report.written, report.again), (BATCH, MANY - BATCH));

        night.sandbox.clear_faults();
        let report = night.run().await;
        assert!(report.is_clean(), "{fault:?}: {report}");
        assert_held(&night.held(), MANY, "Store");
    }
}

#[tokio::test]
async fn a_storm_of_401_is_told_from_a_show_that_is_down() {
    let night = Night::new().await;
    night.erp(lines(3, "Store"));
    night.sandbox.script(Step::new(Fault::Unauthorized).always());
    let report = night.run().await;
    let kind = report.error.as_ref().and_then(perenso::Error::call).map(perenso::auth::Error::kind);
    assert_eq!(kind, Some(CallErrorKind::Unauthorized));
    assert_eq!(report.again, 3);
    assert!(night.sandbox.token_requests().total() <= 3, "no storm of token requests");
}

#[tokio::test]
async fn tokens_that_expire_in_between_are_renewed() {
    let night = Night::new().await;
    for name in ["Monday", "Tuesday", "Wednesday"] {
        night.erp(lines(MANY, name));
        assert!(night.run().await.is_clean());
        assert_held(&night.held(), MANY, name);
        // Advances the clock of the sandbox only, so that the client holds a token that has expired there.
        night.sandbox.advance(Duration::from_secs(86_400));
    }
    assert_eq!(night.sandbox.token_requests().total(), 3);
}
