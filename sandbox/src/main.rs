//! The binary: a stand-in server on the command line.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use perenso_sandbox::{Export, Sandbox, StandIn, StandInBuilder};

/// A stand-in for the Perenso Trade Show REST API, or for the token endpoint and one call of another system, to test
/// integrations against. It is not the Perenso service or that of anybody else, keeps everything in memory and forgets it
/// at the end. Once it listens it prints one line on standard output: `ready url=… token_url=… client_id=…
/// client_secret=…`, and what else a client of the system needs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Which system it stands in for
    #[arg(long, value_enum, default_value_t = System::Perenso)]
    system: System,
    /// The port to listen on; 0 is a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// Leave the admin calls below /sandbox out: with them, whoever reaches the address gets all secrets (Perenso)
    #[arg(long)]
    no_admin: bool,
    /// How many requests the journal remembers (Perenso; default 1000)
    #[arg(long, value_name = "N")]
    journal: Option<usize>,
    /// The client id; for Perenso the show's id
    #[arg(long)]
    client_id: Option<String>,
    /// The client secret; made up when it is not given
    #[arg(long)]
    client_secret: Option<String>,
    /// How long an access token lives, instead of as long as the vendor says
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,
    /// How many made-up customers there are at the start (Perenso; default 45)
    #[arg(long, value_name = "N")]
    customers: Option<usize>,
    /// What the made-up data follows from: the same seed, the same data (Perenso; default 1)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The most rows of a page; more is cut down in silence (Perenso)
    #[arg(long, value_name = "N")]
    page_cap: Option<usize>,
    /// Adds the exports "Order Lines" and "Order Lines Since" of this many made-up rows (Perenso)
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum System {
    Perenso,
    Priava,
    Perspio,
    EventBookings,
    Tourpaq,
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
    let builder = match arguments.system {
        System::Perenso => {
            let sandbox = perenso(arguments).await?;
            let values = [
                ("token_url", sandbox.token_url()),
                ("client_id", sandbox.client_id().to_owned()),
                ("client_secret", sandbox.client_secret().to_owned()),
            ];
            announce(sandbox.url(), &values);
            end.await;
            sandbox.stop().await;
            return Ok(());
        }
        System::Priava => StandIn::priava(),
        System::Perspio => StandIn::perspio(),
        System::EventBookings => StandIn::event_bookings(),
        System::Tourpaq => StandIn::tourpaq(),
    };
    let stand_in = other(builder, arguments)?.start().await?;
    announce(&stand_in.api_url(), &stand_in.values());
    end.await;
    stand_in.stop().await;
    Ok(())
}

async fn perenso(arguments: Arguments) -> Result<Sandbox, perenso_sandbox::Error> {
    let mut builder = Sandbox::builder()
        .listen(SocketAddr::new(arguments.host, arguments.port))
        .journal_cap(arguments.journal.unwrap_or(1000));
    if arguments.no_admin {
        builder = builder.without_admin();
    }
    if arguments.allow_remote {
        builder = builder.allow_remote();
    }
    if let Some(id) = arguments.client_id {
        builder = builder.client_id(id);
    }
    if let Some(secret) = arguments.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(seconds) = arguments.token_lifetime {
        builder = builder.token_lifetime(Duration::from_secs(seconds));
    }
    if let Some(count) = arguments.customers {
        builder = builder.customers(count);
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    if let Some(rows) = arguments.page_cap {
        builder = builder.page_cap(rows);
    }
    if let Some(rows) = arguments.rows {
        builder = builder.export(Export::order_lines(rows)).export(Export::order_lines_since(rows));
    }
    builder.start().await
}

/// What another system is started with.
fn other(mut builder: StandInBuilder, arguments: Arguments) -> Result<StandInBuilder, String> {
    for (option, is_given) in [
        ("--customers", arguments.customers.is_some()),
        ("--seed", arguments.seed.is_some()),
        ("--page-cap", arguments.page_cap.is_some()),
        ("--rows", arguments.rows.is_some()),
        ("--journal", arguments.journal.is_some()),
        ("--no-admin", arguments.no_admin),
    ] {
        if is_given {
            return Err(format!("{option} is for Perenso only"));
        }
    }
    builder = builder.listen(SocketAddr::new(arguments.host, arguments.port)).journal_cap(0);
    if arguments.allow_remote {
        builder = builder.allow_remote();
    }
    if let Some(id) = arguments.client_id {
        builder = builder.client_id(id);
    }
    if let Some(secret) = arguments.client_secret {
        builder = builder.client_secret(secret);
    }
    if let Some(seconds) = arguments.token_lifetime {
        builder = builder.behavior(|behavior| behavior.token_lifetime = Duration::from_secs(seconds));
    }
    Ok(builder)
}

#[allow(clippy::print_stdout)]
fn announce(url: &str, values: &[(&'static str, String)]) {
    let values: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    println!("ready url={url} {}", values.join(" "));
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
