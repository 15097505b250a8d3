//! Repeated reads while customers are created, updated and deleted, compared with a model of the expected records.

use std::{collections::HashMap, time::Duration};

use fastrand::Rng;
use perenso::{Error, ErrorKind, Perenso, Watermark, types::Customer};
use perenso_sandbox::{Behavior, Sandbox};

use crate::client;

/// Returns the versions of all existing customers, by id. The version is stored in `city`.
fn versions(sandbox: &Sandbox) -> HashMap<String, u64> {
    let version = |customer: &serde_json::Value| customer["city"].as_str()?.strip_prefix('v')?.parse().ok();
    let id = |customer: &serde_json::Value| customer["id"].as_str().unwrap().to_owned();
    sandbox.customers().iter().map(|customer| (id(customer), version(customer).unwrap_or(0))).collect()
}

fn version(customer: &Customer) -> u64 {
    customer.city.as_deref().and_then(|city| city.strip_prefix('v')?.parse().ok()).unwrap_or(0)
}

/// Writes at random, mostly updates of existing customers.
async fn write(show: &Perenso, sandbox: &Sandbox, random: &mut Rng, next: &mut u64) -> Result<(), Error> {
    for _ in 0..random.usize(0..25) {
        let ids: Vec<String> = sandbox.customers().iter().map(|c| c["id"].as_str().unwrap().to_owned()).collect();
        *next += 1;
        let change = Customer { city: format!("v{next}").into(), ..Customer::default() };
        let id = random.choice(&ids);
        match (random.u8(0..10), id) {
            (0..6, Some(id)) => drop(show.customers().update(id, &change).await?),
            (6..8, Some(id)) => show.customers().delete(id).await?,
            _ => {
                let key = format!("NEW-{next}");
                drop(show.customers().create(&Customer { customer_id: key.into(), ..change }).await?);
            }
        }
        sandbox.advance(Duration::from_millis(random.u64(0..1500)));
    }
    Ok(())
}

async fn run(name: &str, behavior: Behavior, seed: u64) {
    let mut random = Rng::with_seed(seed);
    let sandbox =
        Sandbox::builder().customers(random.usize(0..50)).behavior(behavior).unlimited().start().await.unwrap();
    let show = client(&sandbox);
    let page_size = *random.choice(&[3, 7, 10, 100]).unwrap();
    let (mut known, mut next) = (HashMap::new(), 0);
    let mut watermark = Watermark::from("2025-01-01");
    for round in 0..5 {
        let before = versions(&sandbox);
        // The watermark is serialised, as between two runs.
        let stored = serde_json::to_string(&watermark).unwrap();
        let since: Watermark = serde_json::from_str(&stored).unwrap();
        let read = show.customers().changes(&since).page_size(page_size).send();
        let is_quiet = round == 4;
        let result = if is_quiet {
            read.await
        } else {
            let (result, written) = tokio::join!(read, write(&show, &sandbox, &mut random, &mut next));
            written.unwrap();
            result
        };
        let changed = match result {
            Ok(changed) => changed,
            // The next round starts at the same watermark.
            Err(error) if error.kind() == ErrorKind::Paging && !is_quiet => continue,
            Err(error) => panic!("{name}, seed {seed}, round {round}: {error}"),
        };
        known.extend(changed.records.iter().map(|c| (c.id.as_deref().unwrap().to_owned(), version(c))));
        watermark = changed.watermark;
        let now = versions(&sandbox);
        for (id, version) in before.iter().filter(|(id, _)| now.contains_key(*id)) {
            let read = known.get(id);
            assert!(read >= Some(version), "{name}, seed {seed}, round {round}: {id} is {version}, read {read:?}");
        }
        if is_quiet {
            assert!(now.iter().all(|(id, version)| known.get(id) == Some(version)), "{name}, seed {seed}");
            let again = show.customers().changes(&watermark).page_size(page_size).send().await.unwrap();
            assert!(again.records.is_empty(), "{name}, seed {seed}: nothing changed, {} came", again.records.len());
        }
    }
}

#[tokio::test]
async fn no_record_that_changed_before_a_read_began_is_missed() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1);
    for (name, behavior) in Behavior::plausible() {
        for _ in 0..cases {
            run(name, behavior.clone(), fastrand::u64(..)).await;
        }
    }
}
