//! `perenso man`.

use std::{fs, io::Write, path::PathBuf};

use clap::Args;
use clap_mangen::Man as Page;

use crate::{
    arguments,
    output::{Code, Failure, Stdout},
};

/// Print the man page, or write those of all commands into a directory
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso man | man -l -
  perenso man --directory ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Result<Code, Failure> {
        let Some(directory) = self.directory else {
            let mut out = Stdout::new();
            Page::new(arguments::tree())
                .render(&mut out)
                .and_then(|()| out.flush())
                .map_err(|error| Failure::stdout(&error))?;
            return Ok(Code::Done);
        };
        fs::create_dir_all(&directory).map_err(|error| Failure::file("created", &directory, &error))?;
        clap_mangen::generate_to(arguments::tree(), &directory)
            .map_err(|error| Failure::file("written", &directory, &error))?;
        Ok(Code::Done)
    }
}
