//! `perenso token`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::{
    context::Context,
    output::{Code, Failure, Stdout},
};

/// Print a token for another program
///
/// The token is renewed if it is about to expire, and shared with every other command and program that uses the same settings. It
/// gives access to the show: do not write it into a file or a log.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  curl -H \"Authorization: Bearer $(perenso token)\" https://tsapi.perenso.net/Customer
  perenso token --json --valid-for 120")]
pub(crate) struct Token {
    /// The least number of seconds that the token is valid
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    valid_for: u64,
}

impl Token {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let connection = context.connect().await?;
        let token = connection.show.token(Duration::from_secs(self.valid_for)).await?;
        if context.output.json {
            Stdout::json(&json!({
                "access_token": token.expose(),
                "token_type": "Bearer",
                "expires_in": token.expires_in().as_secs(),
                "api_url": connection.show.auth_client().api_url().as_str(),
            }))?;
        } else {
            Stdout::line(token.expose())?;
        }
        Ok(Code::Done)
    }
}
