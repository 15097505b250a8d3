//! Writes many customers by their `customerID`, and accounts for every one of them: `cargo run --example bulk`.
//!
//! `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, where it **writes** customers `EXAMPLE-…`
//! and deletes them.
#![allow(clippy::print_stdout)]

use perenso::{RecordOutcome, types::CustomerV2};
use perenso_sandbox::Fault;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, sandbox) = environment::show().await?;
    if let Some(sandbox) = &sandbox {
        sandbox.set_behavior(|behavior| behavior.check_references = true);
        // Drops the connection at every attempt to send the second batch.
        sandbox.fault_after(1, Fault::DropConnection);
        (1..4).for_each(|_| sandbox.fault(Fault::DropConnection));
    }
    let customer = |number: usize| CustomerV2 {
        customer_id: format!("EXAMPLE-{number}").into(),
        customer_name: format!("Example Stores {number}").into(),
        // There is no such warehouse: a show that checks references refuses the record.
        warehouse_id: if number.is_multiple_of(10) { "NOWHERE".into() } else { Default::default() },
        ..CustomerV2::default()
    };
    let mut records: Vec<_> = (1..=100).map(customer).collect();
    let mut ids = Vec::new();
    while !records.is_empty() {
        let report = show.customers().upsert(records).batch_size(40).send().await?;
        println!("{:?}", report.counts());
        for reason in report.reasons() {
            println!("  {} refused, the first at place {}: {}", reason.count, reason.first, reason.text);
        }
        if let Some(error) = report.error() {
            println!("  it ended early: {error}");
        }
        ids.extend(report.outcomes().filter_map(|outcome| match outcome {
            RecordOutcome::Succeeded { id } => id.clone(),
            _ => None,
        }));
        // Keeps the records that are safe to resend: a record with a key can be sent twice.
        records = report.into_retry();
    }
    for id in &ids {
        show.customers().delete(id.as_str()).await?;
    }
    println!("{} customers written and deleted again.", ids.len());
    Ok(())
}
