//! `perenso sandbox`: the stand-in as a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::Args;
use perenso_sandbox::{Error, Sandbox as Server, ShowOptions};
use serde_json::json;

use crate::{
    context::Context,
    output::{Code, Failure, Stdout},
};

/// The id and the secret of the made-up show, which are no secret.
const PRACTICE: &str = "practice";

/// Run a made-up show, to practise with or to test programs against
///
/// It keeps what is written to it until it ends. Nobody else can reach it. It is not made by Perenso, and does what is known of a show.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso sandbox
  perenso sandbox --customers 5000 --rows 200000
  perenso sandbox --behavior behavior.toml     As the show that `perenso doctor` has read

Log in to it from a second window:
  perenso login practice --api-url http://127.0.0.1:8642")]
pub(crate) struct Sandbox {
    /// The port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 8642)]
    port: u16,
    #[command(flatten)]
    options: ShowOptions,
}

impl Sandbox {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let stop = context.interruption();
        let behavior = self.options.behavior().map_err(|error| Failure::usage(with_cause(&error)))?;
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.port);
        let builder = Server::builder().listen(address).client_id(PRACTICE).client_secret(PRACTICE);
        let builder = self.options.apply(builder.behavior(behavior).journal_cap(1000));
        let server = builder.start().await.map_err(|error| {
            let message = format!("the sandbox cannot be started: {}", with_cause(&error));
            match self.port {
                0 => Failure::failed(message),
                _ => Failure::failed(format!("{message}. If it runs already in another window, use that one; else choose another port with `--port`")),
            }
        })?;
        if context.output.json {
            // One line, which a program can wait for.
            Stdout::line(
                &json!({
                    "api_url": server.url(),
                    "token_url": server.token_url(),
                    "client_id": server.client_id(),
                    "client_secret": server.client_secret(),
                    "docs": format!("{}/docs", server.url()),
                })
                .to_string(),
            )?;
        } else {
            let url = server.url();
            Stdout::line(&format!(
                "The sandbox runs at {url} until you press Ctrl-C. Log in to it from a second window:\n\n  \
                 perenso login practice --api-url {url}\n\n\
                 It forgets all that was written to it when it ends.\n\n\
                 Id of the show: {PRACTICE}\nAPI secret:     {PRACTICE}\nIn a browser:   {url}/docs"
            ))?;
        }
        stop.await;
        server.stop().await;
        Ok(Code::Done)
    }
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
