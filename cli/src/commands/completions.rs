//! `perenso completions`.

use std::io::Write;

use clap::Args;
use clap_complete::Shell;

use crate::{
    arguments,
    output::{Code, Failure, Stdout},
};

/// Print the completions of a shell
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso completions bash > ~/.local/share/bash-completion/completions/perenso
  perenso completions zsh > ~/.zfunc/_perenso
  perenso completions fish > ~/.config/fish/completions/perenso.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<Code, Failure> {
        // clap_complete panics when its writer fails.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut arguments::tree(), "perenso", &mut script);
        let mut out = Stdout::new();
        out.write_all(&script).and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))?;
        Ok(Code::Done)
    }
}
