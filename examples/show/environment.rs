//! The show of an example: the one that the environment names, or a sandbox inside this process.

use std::error::Error;

use perenso::Perenso;
use perenso_sandbox::Sandbox;

/// Returns a client of the show, and the sandbox if one was started. The sandbox stops when it is dropped.
pub(crate) async fn show() -> Result<(Perenso, Option<Sandbox>), Box<dyn Error>> {
    if std::env::var_os("PERENSO_CLIENT_ID").is_some() {
        println!("Talking to the show that the environment names.");
        return Ok((Perenso::from_env()?, None));
    }
    let sandbox = Sandbox::start().await?;
    println!("No PERENSO_CLIENT_ID: a sandbox inside this process stands in for the show.");
    let show = Perenso::from_vars(sandbox.vars())?;
    Ok((show, Some(sandbox)))
}
