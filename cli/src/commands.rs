//! The commands: one is one file.

mod api;
mod completions;
mod doctor;
mod document;
mod export;
mod login;
mod logout;
mod man;
pub(crate) mod resource;
mod sandbox;
mod status;
mod token;
mod use_show;

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use clap::Subcommand;

use crate::{
    context::Context,
    output::{Code, Failure},
};

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Login(login::Login),
    Logout(logout::Logout),
    #[command(name = "use")]
    UseShow(use_show::UseShow),
    Status(status::Status),
    Token(token::Token),
    #[command(flatten)]
    Resource(resource::ResourceCommand),
    Export(export::Export),
    Api(api::Api),
    Sandbox(sandbox::Sandbox),
    Doctor(doctor::Doctor),
    Document(document::Document),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    /// Runs the command. `Code::Partly` and `Code::Different` are results without an error.
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        match self {
            Self::Login(command) => command.run(context).await,
            Self::Logout(command) => command.run(context).await,
            Self::UseShow(command) => command.run(context),
            Self::Status(command) => command.run(context).await,
            Self::Token(command) => command.run(context).await,
            Self::Resource(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::Api(command) => command.run(context).await,
            Self::Sandbox(command) => command.run(context).await,
            Self::Doctor(command) => command.run(context).await,
            Self::Document(command) => command.run(context),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
        }
    }
}

/// Parses an argument such as `sort=customerID`.
fn name_and_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name and a value with `=` between them"),
    }
}

/// Reads a file, or stdin if it is `-`.
fn read_input(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let read = match path.to_str() {
        Some("-") => io::stdin().read_to_end(&mut content).map(|_| content),
        _ => fs::read(path),
    };
    read.map_err(|error| Failure::file("read", path, &error))
}
