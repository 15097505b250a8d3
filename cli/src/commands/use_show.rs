//! `perenso use`.

use clap::Args;

use crate::{
    connection::Profiles,
    context::Context,
    output::{Code, Failure},
};

/// Set the show to use when none is named
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso use spring")]
pub(crate) struct UseShow {
    /// The name of the show
    name: String,
}

impl UseShow {
    pub(crate) fn run(self, context: &Context) -> Result<Code, Failure> {
        let mut profiles = Profiles::read()?;
        profiles.check(&self.name)?;
        profiles.set_default(&self.name)?;
        context.output.note(&format!("`{}` is used when no show is named", self.name));
        Ok(Code::Done)
    }
}
