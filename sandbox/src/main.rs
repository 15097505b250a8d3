//! The binary: a stand-in server on the command line.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use perenso_sandbox::Sandbox;

/// A stand-in for the Perenso Trade Show REST API, to test integrations against. It is not the Perenso service, keeps
/// everything in memory and forgets it at the end. Once it listens it prints one line on standard output:
/// `ready url=… token_url=… client_id=… client_secret=…`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// The client id, which is the show's id
    #[arg(long)]
    client_id: Option<String>,
    /// The client secret; made up when it is not given
    #[arg(long)]
    client_secret: Option<String>,
    /// How long an access token lives
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    token_lifetime: u64,
    /// How many made-up customers there are at the start
    #[arg(long, value_name = "N", default_value_t = 45)]
    customers: usize,
    /// What the made-up data follows from: the same seed, the same data
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The most rows of a page; more is cut down in silence
    #[arg(long, value_name = "N")]
    page_cap: Option<usize>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.source() {
                Some(source) => eprintln!("perenso-sandbox: {error}: {source}"),
                None => eprintln!("perenso-sandbox: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Before the ready line, since whoever reads that may send a signal at once.
    let end = end()?;
    let sandbox = start(arguments).await?;
    announce(&sandbox);
    end.await;
    sandbox.stop().await;
    Ok(())
}

async fn start(arguments: Arguments) -> Result<Sandbox, perenso_sandbox::Error> {
    let mut builder = Sandbox::builder()
        .listen(SocketAddr::new(arguments.host, arguments.port))
        .token_lifetime(Duration::from_secs(arguments.token_lifetime))
        .customers(arguments.customers)
        .seed(arguments.seed)
        // Nobody can read the journal of a process.
        .journal_cap(0);
    if arguments.allow_remote {
        builder = builder.allow_remote();
    }
    if let Some(id) = arguments.client_id {
        builder = builder.client_id(id);
    }
    if let Some(secret) = arguments.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(rows) = arguments.page_cap {
        builder = builder.page_cap(rows);
    }
    builder.start().await
}

#[allow(clippy::print_stdout)]
fn announce(sandbox: &Sandbox) {
    println!(
        "ready url={} token_url={} client_id={} client_secret={}",
        sandbox.url(),
        sandbox.token_url(),
        sandbox.client_id(),
        sandbox.client_secret()
    );
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
#[cfg(unix)]
fn end() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn end() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is no end but that of the process, which needs none.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
