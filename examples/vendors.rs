//! Creates vendors, and updates them in bulk: `cargo run --example vendors`.
//!
//! `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show, where it **writes** two vendors, which stay:
//! there is no documented call that deletes one.
#![allow(clippy::print_stdout)]

use perenso::{RecordOutcome, types::Vendor};

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, sandbox) = environment::show().await?;

    // Creates vendors without a `vendorID`. The SDK sends such records one by one and never retries them, since a response
    // would not tell two of them apart.
    let vendor = |name: &str| Vendor { vendor_name: name.into(), ..Vendor::default() };
    let report = show.vendors().upsert([vendor("Example Mills"), vendor("Example Dairy")]).send().await?;
    let created = report.outcomes().filter(|outcome| matches!(outcome, RecordOutcome::Succeeded { .. })).count();
    println!("{created} vendors created.");

    // Updates vendors with a `vendorID`, which must exist. The SDK sends these in batches, and retries a batch whose response
    // was lost.
    let Some(sandbox) = sandbox else { return Ok(()) };
    let known = sandbox.vendors().into_iter().filter_map(|vendor| Some(vendor["vendorID"].as_str()?.to_owned()));
    let change = |id: String| Vendor { vendor_id: id.into(), can_negotiate_at_show: true.into(), ..Vendor::default() };
    let mut records: Vec<_> = known.map(change).collect();
    records.push(change("V9999".to_owned()));
    let report = show.vendors().upsert(records).send().await?;
    println!("{:?}", report.counts());
    for reason in report.reasons() {
        println!("  {} refused: {}", reason.count, reason.text);
    }
    Ok(())
}
