//! Tourpaq: fetches an export as it is. `cargo run -p perenso-auth --example tourpaq [id]`
//!
//! With `TOURPAQ_CLIENT_ID`, `TOURPAQ_CLIENT_SECRET`, `TOURPAQ_USERNAME` and `TOURPAQ_PASSWORD` it goes to the vendor,
//! otherwise to a stand-in inside this process.
#![allow(clippy::print_stdout)]

use std::{env, error::Error};

use perenso_auth::{Client, Credentials, Profile};
use perenso_sandbox::StandIn;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stand_in;
    let builder = if let Ok(client_id) = env::var("TOURPAQ_CLIENT_ID") {
        println!("Talking to Tourpaq.");
        let credentials = Credentials::new(client_id, env::var("TOURPAQ_CLIENT_SECRET")?)
            .user(env::var("TOURPAQ_USERNAME")?, env::var("TOURPAQ_PASSWORD")?);
        Client::builder(Profile::tourpaq()).credentials(credentials)
    } else {
        stand_in = StandIn::tourpaq().start().await?;
        println!("No TOURPAQ_CLIENT_ID: a stand-in answers at {}.", stand_in.api_url());
        let credentials = Credentials::new(stand_in.client_id(), stand_in.client_secret())
            .user(stand_in.username(), stand_in.password());
        Client::builder(Profile::tourpaq())
            .credentials(credentials)
            .token_url(stand_in.token_url())
            .api_url(stand_in.api_url())
    };
    let client = builder.build()?;

    let id: i64 = env::args().nth(1).map_or(Ok(2_013_499_853), |id| id.parse())?;
    let export = client.get(format!("/api/HotelListExport/{id}")).send().await?;
    // The content of an export is not documented. Its content type is the only hint.
    println!("Export {id} comes as {}:", export.content_type().unwrap_or("no known type"));
    println!("{}", export.text().await?);
    Ok(())
}
