//! `vendor_tests!`: one test per plausible vendor.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use call::Caller;
use perenso_sandbox::{Behavior, Sandbox};

perenso_sandbox::vendor_tests! {
    /// A customer can be written and read back.
    async fn a_test_for_every_vendor(sandbox: Sandbox) {
        let name = std::thread::current().name().unwrap().rsplit("::").next().unwrap().to_owned();
        let (_, behavior) = Behavior::plausible().into_iter().find(|(vendor, _)| *vendor == name).unwrap();
        assert_eq!(sandbox.behavior(), behavior);
        let caller = Caller::new(&sandbox);
        let new = serde_json::json!({ "customerID": "C1000000", "warehouseID": "WH0001" });
        let (status, created) = caller.call(reqwest::Method::POST, "/Customer", Some(new)).await;
        assert_eq!(status, if behavior.create_answers_201 { 201 } else { 200 });
        let (_, read) = caller.get(&format!("/Customer/{}", created["id"].as_str().unwrap())).await;
        assert_eq!(read, created);
    }
}
