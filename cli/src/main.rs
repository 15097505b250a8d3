//! The command `perenso`.
//!
//! Arrows point down this list:
//!
//! - `arguments`: the command line, as clap reads it. Help, completions and man pages come from it.
//! - `commands/`: one command is one file. A new one is a file with a struct of clap's `Args` and a method `run`, its line in
//!   the enum `Command`, and its snapshot in `tests/help/`.
//! - `context`: the context of every command: global options, output, Ctrl-C, and the connection to a show.
//! - `loading/`: rows of a spreadsheet become records of a show: checked, sent, settled, reported.
//! - `sheet/`: rows of CSV files and workbooks.
//! - `connection/`: finds the show to use, and builds its client.
//! - `files`: files that are replaced as a whole.
//! - `output/`: data on stdout, everything else on stderr; formats, failures and exit codes.

mod arguments;
mod commands;
mod connection;
mod context;
mod files;
mod loading;
mod output;
mod sheet;

use std::process::ExitCode;

fn main() -> ExitCode {
    arguments::run()
}
