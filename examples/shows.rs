//! Serves several shows from one TOML file: `cargo run --features registry --example shows [file]`.
//!
//! It only reads from the shows. Without an argument it writes a file for two shows of a sandbox inside this process, and a
//! third that is refused.
#![allow(clippy::print_stdout)]

use std::{error::Error, fs, path::Path};

use perenso::Shows;
use perenso_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let sandbox = Sandbox::builder().client_id("SPRING26").another_show("AUTUMN26").customers(7).start().await?;
    let shows = match std::env::args().nth(1) {
        Some(file) => Shows::read(file)?,
        None => Shows::read(write_file(&sandbox, scratch.path())?)?,
    };
    // Each show has its own token and its own rate budget. A show that is refused does not affect the others.
    for name in shows.names() {
        match shows.get(name)?.customers().list().send().await {
            Ok(customers) => println!("{name}: {} customers", customers.len()),
            Err(error) => println!("{name}: {error}"),
        }
    }
    Ok(())
}

/// Writes a TOML file of three shows, and each secret into a file of its own. The client reads a secret again when the token
/// endpoint refuses it.
fn write_file(sandbox: &Sandbox, folder: &Path) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let mut text = String::new();
    for (name, id) in [("spring", "SPRING26"), ("autumn", "AUTUMN26"), ("winter", "WINTER26")] {
        fs::write(folder.join(name), sandbox.show(id).map_or("made up", |show| show.client_secret()))?;
        text += &format!(
            "[shows.{name}]\nprofile = \"perenso\"\nclient_id = \"{id}\"\nclient_secret_file = \"{name}\"\n\
             api_url = \"{}\"\ntoken_url = \"{}\"\n\n",
            sandbox.url(),
            sandbox.token_url()
        );
    }
    println!("{text}");
    let file = folder.join("shows.toml");
    fs::write(&file, text)?;
    Ok(file)
}
