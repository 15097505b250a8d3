//! `perenso export`: the exports that the vendor has set up for a show.

mod describe;
mod list;
mod progress;
mod run;
mod spool;
mod target;

use clap::{Args, Subcommand};
use perenso::exports::{Catalog, Descriptor};

use crate::{
    context::Context,
    output::{Code, Failure},
};

/// List exports, and write their rows into spreadsheets and other files
#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List(list::List),
    Describe(describe::Describe),
    Run(Box<run::Run>),
}

impl Export {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        match self.action {
            Action::List(action) => action.run(context).await,
            Action::Describe(action) => action.run(context).await,
            Action::Run(action) => action.run(context).await,
        }
    }
}

/// Returns the export with this name, or with this id.
fn find<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a Descriptor, Failure> {
    let named = catalog.by_name(name);
    // The error of the name lists names that are alike.
    Ok(named.or_else(|error| catalog.by_id(name).map_err(|_| error))?)
}
