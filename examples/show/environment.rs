//! The show that an example talks to: the one that the environment names, or a sandbox inside this process.

use std::error::Error;

use perenso::Perenso;
use perenso_sandbox::Sandbox;

/// A client of the show, and the sandbox where there is one: it stops when it is dropped.
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
