//! Perspio: lists the assets of a tenant. `cargo run -p perenso-auth --example perspio`
//!
//! With `PERSPIO_CLIENT_ID`, `PERSPIO_CLIENT_SECRET`, `PERSPIO_TID` and `PERSPIO_SUBSCRIPTION_KEY` it goes to the vendor,
//! otherwise to a stand-in inside this process. It reads alone; to write, a person has to allow it: `AuthorizationRequest`.
#![allow(clippy::print_stdout)]

use std::{env, error::Error};

use perenso_auth::{AuthorizationRequest, Client, Credentials, Profile};
use perenso_sandbox::StandIn;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (stand_in, profile, credentials);
    if let Ok(client_id) = env::var("PERSPIO_CLIENT_ID") {
        println!("Talking to Perspio.");
        profile = Profile::perspio(env::var("PERSPIO_TID")?, env::var("PERSPIO_SUBSCRIPTION_KEY")?);
        credentials = Credentials::new(client_id, env::var("PERSPIO_CLIENT_SECRET")?);
    } else {
        stand_in = StandIn::perspio().start().await?;
        println!("No PERSPIO_CLIENT_ID: a stand-in answers at {}.", stand_in.api_url());
        profile = Profile::perspio(stand_in.tenant_id(), stand_in.subscription_key())
            .token_url(stand_in.token_url())
            .authorize_url(stand_in.authorize_url().ok_or("the stand-in has no authorize address")?)
            .api_url(stand_in.api_url());
        credentials = Credentials::new(stand_in.client_id(), stand_in.client_secret());
    }
    let client = Client::builder(profile.clone()).credentials(credentials).build()?;

    // The slash at the end counts.
    let assets: Value = client.get("/assets/v3/").send_json().await?;
    println!("Assets:");
    for asset in assets.as_array().into_iter().flatten() {
        println!("  {} {}", asset["id"].as_str().unwrap_or("-"), asset["name"].as_str().unwrap_or(""));
    }
    let request = AuthorizationRequest::new(&profile, "your-client-id", "http://localhost")?;
    println!("To write, a person would open, with your client id in it:\n  {}", request.url());
    Ok(())
}
