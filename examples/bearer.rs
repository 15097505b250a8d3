//! Gives the token of the SDK to another HTTP client: `cargo run --example bearer`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show.
#![allow(clippy::print_stdout)]

use std::time::Duration;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, sandbox) = environment::show().await?;
    let base = match &sandbox {
        Some(sandbox) => sandbox.url().to_owned(),
        None => std::env::var("PERENSO_API_URL").unwrap_or_else(|_| "https://tsapi.perenso.net".to_owned()),
    };

    // The token is valid for at least another minute, which is long enough for the call below. A renewal is shared by all
    // callers.
    let token = show.token(Duration::from_secs(60)).await?;
    println!("A token for another {} s.", token.expires_in().as_secs());
    println!("`Debug` does not show it: {token:?}");

    // The SDK installs no crypto provider for the process. This reqwest client needs one.
    let _ = rustls::crypto::ring::default_provider().install_default();

    // `header` is the finished value, marked as sensitive; `expose` is the token itself.
    let response =
        reqwest::Client::new().get(format!("{base}/Export")).header("authorization", token.header()).send().await?;
    println!("The other client received status {}.", response.status());
    println!("Without waiting, for interceptors: {}", show.token_in_hand().is_some());
    Ok(())
}
