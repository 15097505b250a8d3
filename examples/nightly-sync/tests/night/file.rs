//! The content of the ERP's file and its effect on the show.

use std::fs;

use nightly_sync::State;
use serde_json::json;

use crate::{Night, assert_held, id, line, lines};

#[tokio::test]
async fn only_what_changed_is_sent() {
    let night = Night::new().await;
    night.erp(lines(30, "Store"));
    let report = night.run().await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.written, report.unchanged), (30, 0));
    assert_held(&night.held(), 30, "Store");

    night.sandbox.clear_journal();
    let report = night.run().await;
    assert_eq!((report.written, report.unchanged), (0, 30));
    assert!(night.sent().is_empty());

    let mut changed = lines(31, "Store");
    changed[7] = line(7, "Renamed");
    night.erp(changed);
    let report = night.run().await;
    assert_eq!((report.written, report.unchanged), (2, 29));
    assert_eq!(night.sent(), [[id(30), id(7)].into_iter().rev().collect::<Vec<_>>()]);
    assert_eq!(night.held()[&id(7)], "Renamed");
}

#[tokio::test]
async fn a_customer_that_occurs_twice_is_sent_once_or_not_at_all() {
    let night = Night::new().await;
    let twice = [line(1, "Same"), line(2, "This"), line(1, "Same"), line(2, "That"), line(2, "This"), line(3, "One")];
    night.erp(twice);
    let report = night.run().await;
    assert_eq!(night.sent(), [[id(1), id(3)]]);
    assert_eq!(report.contradictions, [id(2)]);
    assert_eq!(report.written, 2);
    assert!(!report.is_clean());

    // A contradictory customer that the show already holds is unchanged, and is not reported as missing from the ERP.
    night.erp([line(1, "This"), line(1, "That"), line(3, "One")]);
    let report = night.run().await;
    assert_eq!((report.contradictions, report.only_at_show), (vec![id(1)], vec![]));
    assert_eq!(night.held()[&id(1)], "Same");
}

#[tokio::test]
async fn a_line_that_cannot_be_read_stops_no_other() {
    let night = Night::new().await;
    let broken = ["too,few".to_owned(), ",No Number,,,,,".to_owned()];
    night.erp(lines(3, "Store").into_iter().chain(broken).chain([line(3, "Store 3")]));
    let report = night.run().await;
    assert_held(&night.held(), 4, "Store");
    assert_eq!(report.unreadable.len(), 2);
    assert!(!report.is_clean());
}

#[tokio::test]
async fn values_arrive_as_they_are_and_what_is_empty_is_cleared() {
    let night = Night::new().await;
    night.erp(["0940,Zeros,1 Sample Street,00501,Sampletown,(555) 555-0101,WH0001".to_owned()]);
    night.run().await;
    let customer = &night.sandbox.customers()[0];
    assert_eq!((&customer["customerID"], &customer["zipCode"]), (&json!("0940"), &json!("00501")));

    night.erp(["0940,Zeros,1 Sample Street,00501,Sampletown,,WH0001".to_owned()]);
    night.run().await;
    assert_eq!(night.sandbox.customers()[0]["phone"], json!(null));
}

#[tokio::test]
async fn a_customer_that_the_erp_no_longer_knows_is_reported_and_stays() {
    let night = Night::new().await;
    night.erp(lines(5, "Store"));
    night.run().await;
    night.erp(lines(3, "Store"));
    let report = night.run().await;
    assert_eq!(report.only_at_show, [id(3), id(4)]);
    assert_held(&night.held(), 5, "Store");
}

#[tokio::test]
async fn a_customer_that_was_deleted_at_the_show_comes_back() {
    let night = Night::new().await;
    night.erp(lines(5, "Store"));
    night.run().await;
    let internal = night.sandbox.customers()[2]["id"].as_str().unwrap().to_owned();
    night.show.customers().delete(internal.as_str()).await.unwrap();
    assert_eq!(night.held().len(), 4);
    let report = night.run().await;
    assert_eq!((report.written, report.unchanged), (1, 4));
    assert_held(&night.held(), 5, "Store");
}

#[tokio::test]
async fn a_file_of_another_form_changes_nothing() {
    let night = Night::new().await;
    fs::write(night.file(), "id;name\n1;Store\n").unwrap();
    let mut state = State::open(night.state(), night.sandbox.client_id()).unwrap();
    let failure = nightly_sync::sync(&night.show, &night.file(), &mut state).await.unwrap_err();
    assert!(failure.to_string().contains("expected the columns number, name"), "{failure}");
    assert!(night.sandbox.journal().is_empty() && !night.state().exists());
}
