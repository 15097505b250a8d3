//! Lists the people who attend the show, and reads one of them: `cargo run --example attendees`.
//!
//! It only reads. `PERENSO_CLIENT_ID` and `PERENSO_CLIENT_SECRET` make it talk to a real show.
#![allow(clippy::print_stdout)]

use futures_util::TryStreamExt;
use perenso::Reveal;

#[path = "show/environment.rs"]
mod environment;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (show, _sandbox) = environment::show().await?;

    let attendees: Vec<_> = show.attendees().list().stream().try_collect().await?;
    println!("{} attendees.", attendees.len());

    let Some(id) = attendees.first().and_then(|attendee| attendee.id.as_deref()) else { return Ok(()) };
    let attendee = show.attendees().get(id).await?;
    // `Debug` hides names and addresses, which are personal, so that no log contains them by accident.
    println!("For logs: {attendee:?}");
    println!("Revealed: {}", Reveal(&attendee));
    // `extra` holds the fields that the document does not describe, unchanged.
    for name in attendee.extra.keys() {
        println!("Also in the record: {name}");
    }
    Ok(())
}
