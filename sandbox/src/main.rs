//! The binary: a stand-in server on the command line.

use std::error::Error;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use perenso_sandbox::{Behavior, Builder, Export, Sandbox, ShowOptions, StandIn, StandInBuilder};

/// A stand-in for the Perenso Trade Show REST API, or for the token endpoint and one call of another system, to test
/// integrations against. It is not the Perenso service or that of another vendor, and keeps everything in memory. Once it
/// listens, it prints one line on standard output: `ready url=… token_url=… client_id=… client_secret=…`, and the other
/// values that a client of the system needs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The system to stand in for
    #[arg(long, value_enum, default_value_t = System::Perenso)]
    system: System,
    /// The port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The address to listen on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Allow an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// The client id, which for Perenso identifies the show
    #[arg(long, value_parser = word)]
    client_id: Option<String>,
    /// The client secret; random by default
    #[arg(long, value_parser = word)]
    client_secret: Option<String>,
    /// The lifetime of an access token, instead of the vendor's
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u64>,
    #[command(flatten)]
    perenso: Perenso,
}

/// The options that other systems do not have.
#[derive(Args)]
#[command(next_help_heading = "Perenso only")]
struct Perenso {
    /// A show with its client id and its secret, which is random by default; may be repeated
    #[arg(long = "show", value_name = "ID[:SECRET]", conflicts_with_all = ["client_id", "client_secret"])]
    shows: Vec<Credentials>,
    #[command(flatten)]
    options: ShowOptions,
    /// Print a file for --behavior with all switches and their defaults, and exit
    #[arg(long)]
    print_behavior: bool,
    /// Check requests against another document: OpenAPI 3.0 in JSON, as `perenso-openapi` normalises it. Its resources keep
    /// what they are sent, and its other operations return examples
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Reject fields and query parameters that the document does not have; a list always rejects such parameters
    #[arg(long)]
    strict: bool,
    /// The maximum page size; a larger requested size is reduced silently
    #[arg(long, value_name = "N")]
    page_cap: Option<usize>,
    /// Add the exports of a JSON file: one or a list, in the format of the catalog, with rows or rows_file
    #[arg(long = "export", value_name = "FILE")]
    exports: Vec<PathBuf>,
    /// Disable the admin calls below /sandbox, which give all secrets to anybody who can reach the address
    #[arg(long)]
    no_admin: bool,
    /// The number of requests in the journal of a show; default 1000
    #[arg(long, value_name = "N")]
    journal: Option<usize>,
}

/// Checks a value of the ready line.
fn word(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err("expected a string without white space");
    }
    Ok(text.to_owned())
}

/// The client id of a show, and its secret if it is not random.
#[derive(Clone)]
struct Credentials {
    id: String,
    secret: Option<String>,
}

impl FromStr for Credentials {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The ready line separates shows by commas, and values by spaces.
        if text.contains(|letter: char| letter == ',' || letter.is_whitespace()) {
            return Err("commas and white space are not allowed");
        }
        let (id, secret) = text.split_once(':').map_or((text, None), |(id, secret)| (id, Some(secret)));
        if id.is_empty() || secret == Some("") {
            return Err("expected an id, or an id and a secret separated by a colon");
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
    // Before the ready line, since its reader may send a signal immediately.
    let end = end()?;
    let builder = match arguments.system {
        System::Perenso if arguments.perenso.print_behavior => {
            std::io::stdout().write_all(Behavior::DEFAULT_TOML.as_bytes())?;
            return Ok(());
        }
        System::Perenso => {
            let sandbox = perenso(arguments)?.start().await?;
            print_ready_line(sandbox.url(), &values(&sandbox));
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
    print_ready_line(&stand_in.api_url(), &stand_in.values());
    end.await;
    stand_in.stop().await;
    Ok(())
}

fn perenso(arguments: Arguments) -> Result<Builder, perenso_sandbox::Error> {
    let Arguments { perenso, token_lifetime, .. } = arguments;
    let mut behavior = perenso.options.behavior()?;
    behavior.strict |= perenso.strict;
    behavior.page_cap = perenso.page_cap.or(behavior.page_cap);
    behavior.token_lifetime = token_lifetime.map_or(behavior.token_lifetime, Duration::from_secs);
    let mut exports = Vec::new();
    for path in &perenso.exports {
        exports.extend(Export::read(path)?);
    }
    let document = perenso.document.as_ref().map(|path| read(path)).transpose()?;
    let set_up = |builder: Builder, credentials: Credentials| {
        let mut builder = match &document {
            Some(document) => builder.document(document)?,
            None => builder,
        };
        builder = builder.client_id(credentials.id).behavior(behavior.clone());
        builder = builder.journal_cap(perenso.journal.unwrap_or(1000));
        if let Some(secret) = credentials.secret {
            builder = builder.client_secret(secret);
        }
        Ok::<_, perenso_sandbox::Error>(perenso.options.apply(builder.exports(exports.iter().cloned())))
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
    let builder = set_up(builder, first)?;
    shows.try_fold(builder, |builder, show| set_up(builder.another_show(show.id.clone()), show))
}

fn read(path: &Path) -> Result<String, perenso_sandbox::Error> {
    std::fs::read_to_string(path).map_err(|source| perenso_sandbox::Error::File { path: path.to_owned(), source })
}

/// Returns the values that a client needs besides the URL of the API.
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

/// Applies the options to another system.
fn other(mut builder: StandInBuilder, arguments: Arguments) -> StandInBuilder {
    // The process has no way to read the journal.
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
fn print_ready_line(url: &str, values: &[(&'static str, String)]) {
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
        // Without a handler the signal ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}
