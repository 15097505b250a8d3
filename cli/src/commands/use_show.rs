//! `perenso use`.

use clap::Args;

use crate::{
    connection::{Directory, Profiles, Settings},
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
        let directory = Directory::find()?;
        let profiles = Profiles::read(directory.clone())?;
        profiles.check(&self.name)?;
        let mut settings = Settings::read(&directory)?;
        settings.set_default_show(Some(&self.name));
        settings.write(&directory)?;
        context.output.note(&format!("`{}` is used when no show is named", self.name));
        Ok(Code::Done)
    }
}
