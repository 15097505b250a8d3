//! A custom export with a struct for its parameters and one for its rows: `cargo run --example typed_export`.
//!
//! A sandbox inside this process stands in for the show. What the export is called and takes is made up: the vendor makes
//! exports on request.
#![allow(clippy::print_stdout)]

use chrono::{DateTime, TimeZone, Utc};
use futures_util::TryStreamExt;
use perenso::{
    Perenso,
    schemars::{self, JsonSchema},
};
use perenso_sandbox::{DataType, Export, Parameter, Rows, Sandbox};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The parameters. Their names and types are compared with the catalog of the show.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct BadgeScans {
    since: DateTime<Utc>,
    booth: String,
    at_least: u32,
    visitors_only: bool,
}

/// A row. Fields that are not named here are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scan {
    badge: String,
    scans: u64,
}

/// What somebody might have written who did not look twice.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[allow(dead_code)]
struct WrittenInAHurry {
    since: chrono::NaiveDateTime,
    booth: Option<String>,
    atleast: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().export(badge_scans()).start().await?;
    let show = Perenso::builder().client_id(sandbox.client_id()).client_secret(sandbox.client_secret());
    let show = show.api_url(sandbox.url()).token_url(sandbox.token_url()).build()?;

    println!("A struct that does not fit is refused as a whole, and nothing is sent:");
    if let Err(error) = show.exports().bind::<WrittenInAHurry>("Badge Scans").await {
        for problem in error.problems() {
            println!("  {problem}");
        }
    }

    let export = show.exports().bind::<BadgeScans>("Badge Scans").await?;
    println!("\nOne that fits is compared once. Each run checks its values:");
    let since = Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).single().ok_or("no such time")?;
    let values = BadgeScans { since, booth: "0940".to_owned(), at_least: 3, visitors_only: true };
    let request = export.check(&values)?;
    println!("  {}", serde_json::Value::from(request.body().unwrap_or_default()));

    println!("\nThe rows come one by one:");
    let mut scans = show.exports().stream(request).await?.rows::<Scan>()?;
    while let Some(scan) = scans.try_next().await? {
        println!("  {} was scanned {} times", scan.badge, scan.scans);
    }
    println!("{} rows.", scans.received());
    Ok(())
}

fn badge_scans() -> Export {
    Export::new("b4dg3s", "Badge Scans")
        .parameter(Parameter::new("Since", DataType::DateTime).described("Scans from this moment on"))
        .parameter(Parameter::new("Booth", DataType::Text).described("Scans at this booth"))
        .parameter(Parameter::new("AtLeast", DataType::Integer).described("Badges with so many scans"))
        .parameter(Parameter::new("VisitorsOnly", DataType::Boolean).described("No staff"))
        .rows_by(|values| {
            let (booth, least) = (values["Booth"].clone(), values["AtLeast"].as_u64().unwrap_or(0));
            Rows::generated(
                5,
                move |number| json!({ "badge": format!("V-{number:04}"), "scans": least + number, "booth": booth }),
            )
        })
}
