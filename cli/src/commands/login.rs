//! `perenso login`.

use std::{
    io::{self, IsTerminal, Read, Write},
    time::Duration,
};

use clap::Args;
use perenso::{Perenso, Secret, auth::pasted_value};
use serde_json::json;

use crate::{
    connection::{Profile, Profiles},
    context::Context,
    output::{Code, Failure, Stdout},
};

/// The most bytes of a secret: more is another file by mistake.
const MAX_SECRET: u64 = 4096;

/// Log in to a show, and remember it
///
/// Asks for the id and the secret that Perenso Show Support has issued, tries them, and keeps them in files that only you can
/// read. The secret is never an argument, since other users of the machine see those.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso login spring
  perenso login spring --client-id SPRING26 --secret-stdin < secret.txt
  perenso login practice --api-url http://127.0.0.1:8080    A sandbox that `perenso sandbox` runs")]
pub(crate) struct Login {
    /// A name for the show, of letters, digits, `-` and `_`; by default its id
    name: Option<String>,
    /// The id of the show
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the secret from standard input
    #[arg(long)]
    secret_stdin: bool,
    /// The address of the API, if it is not Perenso's
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// The address of the token endpoint; by default /auth/oauth/token at the address of the API, if that is given
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// Use this show when none is named
    #[arg(long)]
    default: bool,
    /// Keep the secret in the keyring of the system, where the SDK does not find it
    #[arg(long)]
    keyring: bool,
    /// Keep id and secret without trying them
    #[arg(long)]
    untried: bool,
}

impl Login {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        if context.globals.sandbox || context.globals.show.is_some() {
            return Err(Failure::usage(
                "a login has its own name and address: `perenso login NAME`, with neither `--show` nor `--sandbox`",
            ));
        }
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let mut profiles = Profiles::read()?;

        let asks = io::stdin().is_terminal();
        let id = match &self.client_id {
            Some(id) => id.clone(),
            None if asks && !self.secret_stdin => ask("Id of the show: ")?,
            None => return Err(Failure::usage("the id of the show is missing: add `--client-id`")),
        };
        let id = value("id", &id)?;
        let name = self.name.clone().unwrap_or_else(|| name_of(&id));
        let secret = match (self.secret_stdin, asks) {
            (true, _) => read_secret()?,
            (false, true) => Secret::from(
                rpassword::prompt_password("API secret (it is not shown): ")
                    .map_err(|error| Failure::failed(format!("the terminal cannot be read: {error}")))?,
            ),
            (false, false) => {
                return Err(Failure::usage("there is no terminal to ask for the secret: add `--secret-stdin`"));
            }
        };
        let secret = value("secret", secret.expose()).map(Secret::from)?;
        let token_url = self.token_url.clone().or_else(|| self.api_url.as_deref().map(token_url_at));

        let mut builder = Perenso::builder().client_id(&id).client_secret(secret.clone());
        if let Some(url) = &self.api_url {
            builder = builder.api_url(url);
        }
        if let Some(url) = &token_url {
            builder = builder.token_url(url);
        }
        let show = builder.build().map_err(|error| in_options(&error))?;
        if !self.untried {
            // Tokens of an earlier login would hide that this secret is refused: nothing is read from the store.
            show.token(Duration::ZERO).await?;
        }
        let profile = Profile {
            client_id: &id,
            secret: secret.expose(),
            api_url: self.api_url.as_deref(),
            token_url: token_url.as_deref(),
            keyring: self.keyring,
        };
        let path = profiles.set(&name, &profile)?;
        let names = profiles.names();
        if self.default || profiles.settings.default_show().is_none_or(|default| !names.contains(&default)) {
            profiles.set_default(&name)?;
        }
        if context.output.json {
            return Stdout::json(&json!({
                "show": name,
                "accepted": (!self.untried).then_some(true),
                "settings": profiles.path(),
                "secret": path,
            }))
            .map(|()| Code::Done);
        }
        let tried = if self.untried { "kept the login to" } else { "logged in to" };
        context.output.note(&format!("{tried} `{name}`"));
        context.output.note(&match path {
            Some(path) => format!("the secret is in {}, which only you can read", path.display()),
            None => "the secret is in the keyring of the system".to_owned(),
        });
        if profiles.settings.default_show() != Some(name.as_str()) {
            context.output.note(&format!("use it with `--show {name}`, or always with `perenso use {name}`"));
        }
        Ok(Code::Done)
    }
}

/// Rewrites the problems of settings to name options instead of setters.
fn in_options(error: &perenso::Error) -> Failure {
    let named = error.problems().iter().map(|problem| {
        problem.replace("call `api_url`", "set `--api-url`").replace("call `token_url`", "set `--token-url`")
    });
    Failure::usage(named.collect::<Vec<_>>().join("; "))
}

/// Checks a name that is a part of a file's name.
fn check_name(name: &str) -> Result<(), Failure> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        return Ok(());
    }
    Err(Failure::usage(format!("`{name}` is no name for a show: use letters, digits, `-` and `_`")))
}

/// Returns a name for the show of an id.
fn name_of(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Returns a value as it was meant: without the blanks and the line end that copying leaves around it.
fn value(what: &str, text: &str) -> Result<String, Failure> {
    let trimmed = pasted_value::trimmed(text);
    match pasted_value::problem(what, trimmed, "copy it again") {
        Some(problem) => Err(Failure::usage(problem)),
        None => Ok(trimmed.to_owned()),
    }
}

/// Returns the token endpoint of a server that has all at one address, as the sandbox.
fn token_url_at(api_url: &str) -> String {
    format!("{}/auth/oauth/token", pasted_value::trimmed(api_url).trim_end_matches('/'))
}

/// Asks for a line. The question is on stderr, since stdout is for data.
fn ask(question: &str) -> Result<String, Failure> {
    let fail = |error: io::Error| Failure::failed(format!("the terminal cannot be read: {error}"));
    io::stderr().write_all(question.as_bytes()).map_err(fail)?;
    let mut line = String::new();
    match io::stdin().read_line(&mut line).map_err(fail)? {
        0 => Err(Failure::interrupted()),
        _ => Ok(line),
    }
}

/// Reads the secret from stdin.
fn read_secret() -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = io::stdin().take(MAX_SECRET + 1).read_to_string(&mut text);
    let read =
        read.map_err(|error| Failure::usage(format!("the secret cannot be read from standard input: {error}")))?;
    if read as u64 > MAX_SECRET {
        return Err(Failure::usage(format!("standard input holds more than {MAX_SECRET} bytes: a secret is expected")));
    }
    Ok(Secret::from(text))
}
