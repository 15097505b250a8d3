//! EventBookings: gets a token and makes a call. `cargo run -p perenso-auth --example event_bookings`
//!
//! With `EVENT_BOOKINGS_CLIENT_ID`, `EVENT_BOOKINGS_CLIENT_SECRET`, `EVENT_BOOKINGS_API_URL` and `EVENT_BOOKINGS_PATH` it
//! goes to the vendor, who documents neither address nor path; otherwise to a stand-in inside this process.
#![allow(clippy::print_stdout)]

use std::{env, error::Error};

use perenso_auth::{Client, Credentials, Profile};
use perenso_sandbox::StandIn;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stand_in;
    let (builder, path) = if let Ok(client_id) = env::var("EVENT_BOOKINGS_CLIENT_ID") {
        println!("Talking to EventBookings.");
        let builder = Client::builder(Profile::event_bookings())
            .credentials(Credentials::new(client_id, env::var("EVENT_BOOKINGS_CLIENT_SECRET")?))
            .api_url(env::var("EVENT_BOOKINGS_API_URL")?);
        (builder, env::var("EVENT_BOOKINGS_PATH")?)
    } else {
        stand_in = StandIn::event_bookings().start().await?;
        println!("No EVENT_BOOKINGS_CLIENT_ID: a stand-in answers at {}.", stand_in.api_url());
        let builder = Client::builder(Profile::event_bookings())
            .credentials(Credentials::new(stand_in.client_id(), stand_in.client_secret()))
            .token_url(stand_in.token_url())
            .api_url(stand_in.api_url());
        // The stand-in's invention.
        (builder, "/events".to_owned())
    };
    // Should the server take forms and no JSON: `.body_encoding(BodyEncoding::Form)`.
    let client = builder.build()?;

    let response: Value = client.get(path.clone()).send_json().await?;
    println!("GET {path} answers:\n{response:#}");
    Ok(())
}
