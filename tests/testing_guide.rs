//! The guide to testing, compiled and run: this file contains each of its Rust snippets, word for word.
#![allow(clippy::unwrap_used, unreachable_pub)]

use perenso::Perenso;
use perenso_sandbox::Sandbox;

const GUIDE: &str = include_str!("../src/guide/testing.md");

#[test]
fn every_snippet_of_the_guide_is_in_here() {
    // Line breaks may differ.
    let bare = |text: &str| text.split_whitespace().collect::<String>().replace(",)", ")").replace(",}", "}");
    let here = bare(include_str!("testing_guide.rs"));
    let snippets: Vec<_> = GUIDE.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(snippets.len() > 5);
    for snippet in snippets {
        let shown: Vec<_> = snippet.lines().filter(|line| !line.starts_with("# ")).collect();
        for part in shown.join("\n").split("\n\n") {
            assert!(here.contains(&bare(part)), "not in here:\n{part}");
        }
    }
}

/// A client of the sandbox.
fn client(sandbox: &Sandbox) -> Perenso {
    Perenso::from_vars(sandbox.vars()).unwrap()
}

/// The first steps of the guide: a failing test, whose message the guide quotes.
#[allow(unused_imports)]
mod first {
    mod accounts {
        use perenso::{Error, Perenso, types::Customer};

        /// Opens an account at the show.
        pub async fn open_account(show: &Perenso, number: &str, name: &str) -> Result<(), Error> {
            let customer = Customer { customer_id: number.into(), customer_name: name.into(), ..Customer::default() };
            show.customers().create(&customer).await?;
            Ok(())
        }
    }

    use accounts::open_account;
    use perenso::Perenso;
    use perenso_sandbox::Sandbox;

    use perenso_sandbox::Fault;

    use super::client;

    #[tokio::test]
    async fn an_account_is_opened() {
        let sandbox = Sandbox::builder().customers(0).start().await.unwrap();
        open_account(&client(&sandbox), "5001", "Example Stores").await.unwrap();
        assert_eq!(sandbox.customers()[0]["customerName"], "Example Stores");
    }

    #[should_panic(expected = "[the write may have happened]")]
    #[tokio::test]
    async fn a_lost_response_opens_one_account() {
        let sandbox = Sandbox::builder().customers(0).start().await.unwrap();
        sandbox.fault(Fault::DropResponse);
        open_account(&client(&sandbox), "5001", "Example Stores").await.unwrap();
        assert_eq!(sandbox.customers().len(), 1);
    }
}

/// The fix, and the same test.
mod remedy {
    mod accounts {
        use perenso::{Perenso, types::CustomerV2};

        /// Opens an account at the show.
        pub async fn open_account(show: &Perenso, number: &str, name: &str) -> Result<(), Box<dyn std::error::Error>> {
            let customer =
                CustomerV2 { customer_id: number.into(), customer_name: name.into(), ..CustomerV2::default() };
            let report = show.customers().upsert([customer]).send().await?;
            if let Some(error) = report.error() {
                return Err(error.clone().into());
            }
            // The reason for which the show refused the record.
            report.reasons().first().map_or(Ok(()), |reason| Err(reason.text.clone().into()))
        }
    }

    use accounts::open_account;
    use perenso_sandbox::{Fault, Sandbox};

    use super::client;

    #[tokio::test]
    async fn a_lost_response_opens_one_account() {
        let sandbox = Sandbox::builder().customers(0).start().await.unwrap();
        sandbox.fault(Fault::DropResponse);
        open_account(&client(&sandbox), "5001", "Example Stores").await.unwrap();
        assert_eq!(sandbox.customers().len(), 1);
    }

    #[tokio::test]
    async fn a_refusal_of_the_show_is_an_error() {
        let sandbox = Sandbox::builder().customers(0).start().await.unwrap();
        let refusal = open_account(&client(&sandbox), "", "Example Stores").await.unwrap_err();
        assert!(refusal.to_string().contains("customerID"), "{refusal}");
    }
}

#[cfg(feature = "mock")]
mod mock {
    use std::time::Duration;

    use httpmock::MockServer;
    use perenso::{
        Error, Perenso,
        mock::{MockServerExt, MockShow},
        types::Customer,
    };
    use serde_json::json;

    /// Returns the name for a badge, or `None` if there is no such customer.
    async fn badge(show: &Perenso, id: &str) -> Result<Option<String>, Error> {
        match show.customers().get(id).await {
            Ok(customer) => {
                let name = customer.customer_name.get();
                Ok(name.map(|name| name.to_uppercase()))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[tokio::test]
    async fn a_badge_has_the_name_in_capitals() {
        let server = MockServer::start_async().await;
        let mock = server.customer_get(|when, then| {
            when.id("a1b2c3");
            then.ok(&Customer { customer_name: "Example Stores".into(), ..Customer::default() });
        });
        let name = badge(&server.show().unwrap(), "a1b2c3").await.unwrap();
        assert_eq!(name.as_deref(), Some("EXAMPLE STORES"));
        mock.assert();
    }

    #[tokio::test]
    async fn an_unknown_attendee_has_no_badge_and_a_limit_is_an_error() {
        let server = MockServer::start_async().await;
        server.customer_get(|when, then| {
            when.id("gone");
            then.not_found(&json!({}));
        });
        server.customer_get(|when, then| {
            when.id("busy");
            then.too_many_requests(Duration::from_secs(30));
        });
        let show = server.show().unwrap();
        assert_eq!(badge(&show, "gone").await.unwrap(), None);
        let error = badge(&show, "busy").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    }
}

mod sandbox {
    use std::time::Duration;

    use perenso_sandbox::{Fault, Sandbox, Step, Target};

    use super::client;

    #[tokio::test]
    async fn nobody_notices_a_token_that_expired() {
        let sandbox = Sandbox::start().await.unwrap();
        let show = client(&sandbox);
        let before = show.customers().list().send().await.unwrap();
        // Six minutes pass for the show only. The client learns of it by a 401.
        sandbox.advance(Duration::from_secs(360));
        let after = show.customers().list().send().await.unwrap();
        assert_eq!(before.len(), after.len());
        assert_eq!(sandbox.token_requests().total(), 2);
    }

    #[tokio::test]
    async fn a_bad_hour_is_sat_out() {
        let sandbox = Sandbox::start().await.unwrap();
        // A script lists faults, each with the calls to skip and the calls to match.
        sandbox.script([
            Step::new(Fault::status(503)).after(1),
            Step::new(Fault::CutBody).on(Target::call("GET", "/Customer")),
            Step::new(Fault::too_many_requests(Duration::from_secs(1))),
        ]);
        let show = client(&sandbox);
        show.attendees().list().send().await.unwrap();
        assert_eq!(show.customers().list().send().await.unwrap().len(), sandbox.customers().len());
        // The journal has all requests and responses, without secrets.
        let refused = sandbox.journal().iter().filter(|call| call.status == Some(503)).count();
        assert_eq!(refused, 1);
        assert!(sandbox.faults().is_empty());
    }
}

mod vendors {
    use futures_util::TryStreamExt;
    use perenso_sandbox::every_vendor;

    use super::client;

    #[tokio::test]
    async fn a_list_is_whole_whatever_the_pages_are() {
        every_vendor(|sandbox| async move {
            let list = client(&sandbox).customers().list();
            match list.stream().try_collect::<Vec<_>>().await {
                Ok(customers) => assert_eq!(customers.len(), sandbox.customers().len()),
                // If the end looks like a fault, the list fails instead of being short.
                Err(error) => assert!(error.is_not_found() || error.kind() == perenso::ErrorKind::Paging),
            }
        })
        .await;
    }
}
