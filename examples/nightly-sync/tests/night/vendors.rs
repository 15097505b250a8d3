//! Behavior that the vendor does not document. The sync must not depend on it.

use std::time::Duration;

use perenso_sandbox::{Behavior, Fault, PastTheEnd, Sandbox};

use crate::{Night, assert_held, id, lines};

#[tokio::test]
async fn a_page_cap_hides_no_customer() {
    let mut behavior = Behavior::default();
    behavior.page_cap = Some(7);
    let night = Night::under(behavior).await;
    night.erp(lines(40, "Store"));
    night.run().await;
    night.sandbox.clear_journal();
    night.erp(lines(38, "Store"));
    let report = night.run().await;
    assert_eq!(report.only_at_show, [id(38), id(39)]);
    assert_eq!((report.written, report.unchanged), (0, 38), "a reader of one page would take the rest for deleted");
    assert!(night.sent().is_empty());
}

#[tokio::test]
async fn a_list_without_a_clear_end_is_reported_and_stops_nothing() {
    for end in [PastTheEnd::NotFound, PastTheEnd::LastPageAgain] {
        let mut behavior = Behavior::default();
        behavior.past_the_end = end;
        let night = Night::under(behavior).await;
        for name in ["Monday", "Tuesday"] {
            night.erp(lines(40, name));
            assert_eq!(night.run().await.written, 40);
            assert_held(&night.held(), 40, name);
        }
        let report = night.run().await;
        assert_eq!((report.written, report.unchanged), (0, 40));
        assert!(report.not_compared.is_some(), "{end:?}");
    }
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_doubled_under_every_vendor() {
    let night = |sandbox| async move {
        let night = Night::over(sandbox);
        for name in ["Monday", "Tuesday"] {
            night.erp(lines(120, name));
            night.break_bulk(0, 1, Fault::DropResponse);
            let report = night.run().await;
            assert_eq!((report.written + report.again, report.refused), (120, 0), "{report}");
            let report = night.run().await;
            assert!(report.is_clean(), "{report}");
            assert_held(&night.held(), 120, name);
            night.sandbox.advance(Duration::from_secs(86_400));
        }
        night.sandbox.clear_journal();
        let report = night.run().await;
        assert_eq!((report.written, report.unchanged), (0, 120), "{report}");
        assert!(night.sent().is_empty());
    };
    Sandbox::builder().customers(0).every_vendor(night).await;
}
