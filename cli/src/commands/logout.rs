//! `perenso logout`.

use clap::Args;
use serde_json::json;

use crate::{
    connection::{Profiles, Tokens},
    context::Context,
    output::{Code, Failure, Stdout},
};

/// Forget a show: its settings, its secret and its tokens
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso logout spring")]
pub(crate) struct Logout {
    /// The name of the show; by default the one that `perenso status` shows
    name: Option<String>,
}

impl Logout {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let mut profiles = Profiles::read()?;
        let name = match self.name.or_else(|| context.globals.show.clone()) {
            Some(name) => name,
            None => profiles.default_name()?,
        };
        match profiles.client(&name, Tokens::Shared) {
            Ok(show) => show
                .auth_client()
                .remove_stored_tokens()
                .await
                .map_err(|error| Failure::failed(format!("the tokens of `{name}` cannot be removed: {error}")))?,
            // Without its secret there is no client; a token ends by itself within minutes.
            Err(failure) if failure.code() != Code::NotFound => {
                context.output.note(&format!("note: the tokens of `{name}` stay until they expire: {failure}"));
            }
            Err(failure) => return Err(failure),
        }
        profiles.remove(&name)?;
        if context.output.json {
            return Stdout::json(&json!({ "show": name })).map(|()| Code::Done);
        }
        context.output.note(&format!("logged out of `{name}`"));
        Ok(Code::Done)
    }
}
