//! Perenso Trade Show: lists customers. `cargo run -p perenso-auth --example perenso`
//!
//! With `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` it goes to the vendor, otherwise to a stand-in inside this process.
#![allow(clippy::print_stdout)]

use std::{env, error::Error, time::Duration};

use perenso_auth::{Client, ClientBuilder, Credentials, Profile};
use perenso_sandbox::Sandbox;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stand_in;
    let builder = if let Ok(client_id) = env::var("PERENSO_CLIENT_ID") {
        println!("Talking to Perenso.");
        client(Credentials::new(client_id, env::var("PERENSO_CLIENT_SECRET")?))
    } else {
        stand_in = Sandbox::builder().customers(7).start().await?;
        println!("No PERENSO_CLIENT_ID: a stand-in answers at {}.", stand_in.url());
        client(Credentials::new(stand_in.client_id(), stand_in.client_secret()))
            .token_url(stand_in.token_url())
            .api_url(stand_in.url())
    };
    let client = builder.build()?;

    let customers: Vec<Value> = client.get("/Customer").query("page", 1).query("resultsPerPage", 5).send_json().await?;
    println!("The first {} customers:", customers.len());
    for customer in &customers {
        println!("  {:8} {}", text(customer, "customerID"), text(customer, "customerName"));
    }
    let token = client.token(Duration::ZERO).await?;
    println!("The token lives {} s longer; the next call uses it again.", token.expires_in().as_secs());
    Ok(())
}

fn client(credentials: Credentials) -> ClientBuilder {
    Client::builder(Profile::perenso()).credentials(credentials)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("-")
}
