//! `perenso status`.

use std::pin::pin;

use clap::Args;
use futures_util::TryStreamExt;
use perenso::Perenso;
use serde_json::json;

use crate::{
    connection::{Profiles, Source},
    context::Context,
    output::{Code, Failure, Stdout},
};

/// Show which show is used, where its login is kept, and if the show accepts it
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso status
  perenso status --show spring
  perenso status --offline --json")]
pub(crate) struct Status {
    /// Do not ask the show
    #[arg(long)]
    offline: bool,
}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let connection = context.connect().await?;
        let api_url = connection.show.auth_client().api_url().to_string();
        let mut lines = vec![("show", connection.source.to_string()), ("address", api_url)];
        let mut others = Vec::new();
        if let Source::Profile(name) = &connection.source {
            let profiles = Profiles::read()?;
            lines.push(("client id", profiles.value(name, "client_id").unwrap_or_default().to_owned()));
            lines.push(("settings", profiles.path().display().to_string()));
            let secret = profiles.secret_file(name).map(|path| path.display().to_string());
            lines.push(("secret", secret.unwrap_or_else(|| "in the keyring of the system".to_owned())));
            others = profiles.names().into_iter().filter(|other| other != name).map(str::to_owned).collect();
            if profiles.settings.default_show() == Some(name) {
                lines.push(("default", "yes".to_owned()));
            }
        }
        let mut accepted = None;
        if !self.offline {
            let refused = ask(&connection.show).await.err();
            accepted = Some(refused.is_none());
            if let Some(error) = refused {
                return Err(error.into());
            }
            lines.push(("login", "accepted".to_owned()));
        }
        if context.output.json {
            let fields = lines.iter().map(|(name, value)| (name.replace(' ', "_"), json!(value)));
            let mut status: serde_json::Map<_, _> = fields.filter(|(name, _)| name != "login").collect();
            status.insert("accepted".to_owned(), json!(accepted));
            status.insert("other_shows".to_owned(), json!(others));
            Stdout::json(&status)?;
        } else {
            for (name, value) in &lines {
                Stdout::line(&format!("{name:<10} {value}"))?;
            }
            if !others.is_empty() {
                Stdout::line(&format!("{:<10} {}", "others", others.join(", ")))?;
            }
        }
        Ok(Code::Done)
    }
}

/// Asks the show for a record. A token alone may be one that is kept, which says nothing of the show.
async fn ask(show: &Perenso) -> Result<(), perenso::Error> {
    let mut records = pin!(show.customers().list().page_size(1).stream());
    match records.try_next().await {
        // It has answered, and not refused the login.
        Err(error) if error.status().is_some() && !error.is_auth() && !error.is_transient() => Ok(()),
        asked => asked.map(drop),
    }
}
