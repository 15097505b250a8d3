//! A system of your own: a profile in a dozen lines. `cargo run -p perenso-auth --example custom`
//!
//! It stands for any system with OAuth 2.0; the stand-in of EventBookings, told to take forms, plays it.
#![allow(clippy::print_stdout)]

use std::{error::Error, time::Duration};

use perenso_auth::{BodyEncoding, Client, ClientAuth, Credentials, Grant, Profile, Rate};
use perenso_sandbox::{StandIn, TokenBody};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = StandIn::event_bookings().behavior(|behavior| behavior.token_body = TokenBody::Form).start().await?;
    println!("A stand-in plays the sixth system at {}.", server.api_url());

    let fairground = Profile::new("fairground")
        .token_url(server.token_url())
        .api_url(server.api_url())
        .grants([Grant::ClientCredentials])
        .client_auth(ClientAuth::Body)
        .refresh_client_auth(ClientAuth::Body)
        .body_encoding(BodyEncoding::Form)
        .scope(Grant::ClientCredentials, "events.read")
        .no_scope(Grant::RefreshToken)
        .default_lifetime(Duration::from_secs(600))
        .rate(Rate::per_minute(100))
        .unauthorized_hint("an application without the right to read events");

    let credentials = Credentials::new(server.client_id(), server.client_secret());
    let client = Client::builder(fairground).credentials(credentials).build()?;

    let events: Vec<Value> = client.get("/events").send_json().await?;
    for event in &events {
        println!("  {}", event["name"].as_str().unwrap_or("-"));
    }
    server.revoke_tokens();
    let again: Vec<Value> = client.get("/events").send_json().await?;
    let tokens = server.token_requests();
    println!(
        "Its tokens were revoked, and {} events came all the same: {} token requests.",
        again.len(),
        tokens.total()
    );
    Ok(())
}
