//! Runs a custom export with a struct for its parameters and one for its rows: `cargo run --example typed_export`.
//!
//! A sandbox inside this process stands in for the show, with a fictitious export.
#![allow(clippy::print_stdout)]

use chrono::{DateTime, TimeZone, Utc};
use futures_util::TryStreamExt;
use perenso::Perenso;
use perenso::schemars::{self, JsonSchema};
use perenso_sandbox::{Export, Sandbox};
use serde::{Deserialize, Serialize};

/// The parameters. Their names and types are compared with the catalog of the show.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct BadgeScans {
    since: DateTime<Utc>,
    booth: String,
    at_least: u32,
    visitors_only: bool,
}

/// A row. Fields that are not named here are ignored.
#[derive(Deserialize)]
struct Scan {
    badge: String,
    scans: u64,
}

/// A struct with mistakes: one name and one type are wrong, and two fields are missing.
#[derive(Serialize, JsonSchema)]
struct WrittenInAHurry {
    since: DateTime<Utc>,
    #[serde(rename = "Booth")]
    booth: u32,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let export = Export::from_json(include_str!("show/badge_scans.json"))?;
    let sandbox = Sandbox::builder().exports(export).start().await?;
    let show = Perenso::from_vars(sandbox.vars())?;

    println!("A struct that does not fit the catalog is refused with all its problems, and nothing is sent:");
    let wrong = show.exports().bind::<WrittenInAHurry>("Badge Scans").await.err().ok_or("the struct was accepted")?;
    println!("  {}", wrong.problems().join("\n  "));

    println!("A struct that fits is compared once, and each run checks its values:");
    let since = Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).single().ok_or("no such timestamp")?;
    let values = BadgeScans { since, booth: "0940".to_owned(), at_least: 3, visitors_only: true };
    let request = show.exports().bind::<BadgeScans>("Badge Scans").await?.check(&values)?;
    let mut scans = show.exports().stream(request).await?.rows::<Scan>()?;
    while let Some(scan) = scans.try_next().await? {
        println!("  {} was scanned {} times", scan.badge, scan.scans);
    }
    Ok(())
}
