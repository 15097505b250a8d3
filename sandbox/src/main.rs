//! The binary: a stand-in server on the command line.

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use perenso_sandbox::{Behavior, Builder, Export, Sandbox, StandIn, StandInBuilder};

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
    /// The client id; for Perenso the show's id
    #[arg(long, value_parser = word)]
    client_id: Option<String>,
    /// The client secret; made up when it is not given
    #[arg(long, value_parser = word)]
    client_secret: Option<String>,
    /// How long an access token lives, instead of as long as the vendor says
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,
    #[command(flatten)]
    perenso: Perenso,
}

/// What other systems do not have.
#[derive(Args)]
#[command(next_help_heading = "Perenso only")]
struct Perenso {
    /// A show with its id and, unless it is to be made up, its secret; further ones stand at the same address
    #[arg(long = "show", value_name = "ID[:SECRET]", conflicts_with_all = ["client_id", "client_secret"])]
    shows: Vec<Credentials>,
    /// How many made-up customers a show has at the start; default 45
    #[arg(long, value_name = "N")]
    customers: Option<usize>,
    /// How many made-up products a show has at the start, each in two ordering units; default 12
    #[arg(long, value_name = "N")]
    products: Option<usize>,
    /// How many made-up orders a show has at the start; default 20
    #[arg(long, value_name = "N")]
    orders: Option<usize>,
    /// What the made-up data follows from: the same seed, the same data; default 1
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Switches from a TOML file; other options win over it
    #[arg(long, value_name = "FILE")]
    behavior: Option<PathBuf>,
    /// Print a file for --behavior with all switches and their defaults, and end
    #[arg(long)]
    print_behavior: bool,
    /// Refuse fields and query parameters that the document does not have; a list refuses such parameters anyway
    #[arg(long)]
    strict: bool,
    /// The most rows of a page; more is cut down in silence
    #[arg(long, value_name = "N")]
    page_cap: Option<usize>,
    /// Add the exports of a JSON file: one or a list, each as in the catalog, with rows or rows_file
    #[arg(long = "export", value_name = "FILE")]
    exports: Vec<PathBuf>,
    /// Add the exports "Order Lines" and "Order Lines Since" of this many made-up rows
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Leave the admin calls below /sandbox out: with them, whoever reaches the address gets all secrets
    #[arg(long)]
    no_admin: bool,
    /// How many requests the journal of a show remembers; default 1000
    #[arg(long, value_name = "N")]
    journal: Option<usize>,
}

/// A text that can stand in the ready line.
fn word(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err("expected a text without blanks");
    }
    Ok(text.to_owned())
}

/// The id of a show, and its secret unless it is to be made up.
#[derive(Clone)]
struct Credentials {
    id: String,
    secret: Option<String>,
}

impl FromStr for Credentials {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The ready line sets shows apart by commas, and everything else by blanks.
        if text.contains(|letter: char| letter == ',' || letter.is_whitespace()) {
            return Err("neither commas nor blanks are possible here");
        }
        let (id, secret) = text.split_once(':').map_or((text, None), |(id, secret)| (id, Some(secret)));
        if id.is_empty() || secret == Some("") {
            return Err("expected an id, or an id and a secret with a colon between them");
        }
        Ok(Self { id: id.to_owned(), secret: secret.map(str::to_owned) })
    }
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
    match run().await {
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

async fn run() -> Result<(), Box<dyn Error>> {
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    // Before the ready line, since whoever reads that may send a signal at once.
    let end = end()?;
    let builder = match arguments.system {
        System::Perenso if arguments.perenso.print_behavior => {
            std::io::stdout().write_all(Behavior::DEFAULT_TOML.as_bytes())?;
            return Ok(());
        }
        System::Perenso => {
            let sandbox = perenso(arguments)?.start().await?;
            announce(sandbox.url(), &values(&sandbox));
            end.await;
            sandbox.stop().await;
            return Ok(());
        }
        System::Priava => StandIn::priava(),
        System::Perspio => StandIn::perspio(),
        System::EventBookings => StandIn::event_bookings(),
        System::Tourpaq => StandIn::tourpaq(),
    };
    let is_given =
        |option: &&clap::Arg| matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine);
    if let Some(option) = Perenso::augment_args(Command::new("perenso")).get_arguments().find(is_given) {
        return Err(format!("--{} is for Perenso only", option.get_long().unwrap_or_default()).into());
    }
    let stand_in = other(builder, arguments).start().await?;
    announce(&stand_in.api_url(), &stand_in.values());
    end.await;
    stand_in.stop().await;
    Ok(())
}

fn perenso(arguments: Arguments) -> Result<Builder, perenso_sandbox::Error> {
    let Arguments { perenso, token_lifetime, .. } = arguments;
    let mut behavior = perenso.behavior.as_ref().map_or_else(|| Ok(Behavior::default()), Behavior::read)?;
    behavior.strict |= perenso.strict;
    behavior.page_cap = perenso.page_cap.or(behavior.page_cap);
    behavior.token_lifetime = token_lifetime.map_or(behavior.token_lifetime, Duration::from_secs);
    let mut exports = Vec::new();
    for path in &perenso.exports {
        exports.extend(Export::read(path)?);
    }
    exports
        .extend(perenso.rows.into_iter().flat_map(|rows| [Export::order_lines(rows), Export::order_lines_since(rows)]));

    let set_up = |builder: Builder, credentials: Credentials| {
        let mut builder = builder.client_id(credentials.id).behavior(behavior.clone());
        builder = builder.journal_cap(perenso.journal.unwrap_or(1000));
        if let Some(secret) = credentials.secret {
            builder = builder.client_secret(secret);
        }
        if let Some(count) = perenso.customers {
            builder = builder.customers(count);
        }
        if let Some(count) = perenso.products {
            builder = builder.products(count);
        }
        if let Some(count) = perenso.orders {
            builder = builder.orders(count);
        }
        if let Some(seed) = perenso.seed {
            builder = builder.seed(seed);
        }
        exports.iter().cloned().fold(builder, Builder::export)
    };
    let mut builder = Sandbox::builder().listen(SocketAddr::new(arguments.host, arguments.port));
    if arguments.allow_remote {
        builder = builder.allow_remote();
    }
    if perenso.no_admin {
        builder = builder.without_admin();
    }
    let mut shows = perenso.shows.into_iter();
    let first = shows.next().unwrap_or_else(|| Credentials {
        id: arguments.client_id.unwrap_or_else(|| "sandbox-show".to_owned()),
        secret: arguments.client_secret,
    });
    let builder = set_up(builder, first);
    Ok(shows.fold(builder, |builder, show| set_up(builder.another_show(show.id.clone()), show)))
}

/// What a client has to be told besides the address of the API.
fn values(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    let mut values = vec![
        ("token_url", sandbox.token_url()),
        ("client_id", sandbox.client_id().to_owned()),
        ("client_secret", sandbox.client_secret().to_owned()),
        ("docs", format!("{}/docs", sandbox.url())),
    ];
    let further = sandbox.shows().iter().skip(1);
    let further: Vec<String> = further.map(|show| format!("{}:{}", show.client_id(), show.client_secret())).collect();
    if !further.is_empty() {
        values.push(("shows", further.join(",")));
    }
    values
}

/// What another system is started with.
fn other(mut builder: StandInBuilder, arguments: Arguments) -> StandInBuilder {
    // Nobody can read the journal of such a process.
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
    builder
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
