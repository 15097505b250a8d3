//! Priava: searches events. `cargo run -p perenso-auth --example priava`
//!
//! With `PRIAVA_CLIENT_ID`, `PRIAVA_CLIENT_SECRET`, `PRIAVA_CODE`, `PRIAVA_REDIRECT_URI` (all from one admin screen),
//! `PRIAVA_REGION` (APAC, EU, US) and `PRIAVA_TOKENS` (a directory) it goes to the vendor, otherwise to a stand-in inside
//! this process. The code works once: from then on the tokens in the directory count.
#![allow(clippy::print_stdout)]

use std::{env, error::Error};

use perenso_auth::{AuthorizationCode, Client, Credentials, Profile, TenantRegion, store::FileStore};
use perenso_sandbox::StandIn;
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stand_in;
    let builder = if let Ok(client_id) = env::var("PRIAVA_CLIENT_ID") {
        println!("Talking to Priava.");
        let code = AuthorizationCode::new(env::var("PRIAVA_CODE")?, env::var("PRIAVA_REDIRECT_URI")?);
        Client::builder(Profile::priava(env::var("PRIAVA_REGION")?.parse()?))
            .credentials(Credentials::new(client_id, env::var("PRIAVA_CLIENT_SECRET")?).code(code))
            .store(FileStore::new(env::var("PRIAVA_TOKENS")?))
    } else {
        stand_in = StandIn::priava().start().await?;
        println!("No PRIAVA_CLIENT_ID: a stand-in answers at {}.", stand_in.api_url());
        let code = AuthorizationCode::new(stand_in.code(), stand_in.redirect_uri());
        Client::builder(Profile::priava(TenantRegion::Eu))
            .credentials(Credentials::new(stand_in.client_id(), stand_in.client_secret()).code(code))
            .token_url(stand_in.token_url())
            .api_url(stand_in.api_url())
            .memory_only()
    };
    let client = builder.build()?;

    // A read, although it is a POST: marked as such it may be sent again.
    let search = client.post("/v2/event/get").safe().json(&json!({ "RecordsPerPage": 5 }));
    let found: Value = search.send_json().await?;
    if found["success"] != true {
        return Err("Priava answers that the search did not succeed".into());
    }
    println!("Events:");
    for event in found["result"].as_array().into_iter().flatten() {
        let text = |name: &str| event[name].as_str().unwrap_or("-");
        println!("  {} {}, from {} to {}", text("EventNumber"), text("EventName"), text("StartDate"), text("EndDate"));
    }
    Ok(())
}
