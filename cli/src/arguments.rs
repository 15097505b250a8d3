//! The command line.

use std::{ffi::OsString, process::ExitCode};

use clap::{Args, CommandFactory, FromArgMatches, Parser, error::ErrorKind};

use crate::{
    commands::Command,
    context::Context,
    output::{Code, Failure, Output},
};

/// Exports, spreadsheets and records of a trade show at Perenso, from the command line.
///
/// Data is written to standard output, everything else to standard error. It is not made by Perenso.
#[derive(Debug, Parser)]
#[command(name = "perenso", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  perenso --sandbox customers list      Try it: a made-up show, no login needed
  perenso login spring                  Log in to a show, and call it \"spring\"
  perenso status                        Show which show is used, and if it accepts the login

`perenso help COMMAND` has examples of a command, and `perenso --help` the exit codes.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// The options of every command.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Globals {
    /// Use this show, by the name that it was given at login
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) show: Option<String>,
    /// Use a made-up show that lives as long as this command
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// Write results and errors as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write no notes and no progress, errors only
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Say more: -v for requests, -vv for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Returns the command line as clap's tree: also the source of completions and man pages.
pub(crate) fn tree() -> clap::Command {
    let codes = Code::ALL.iter().map(|code| format!("\n  {}  {}", code.number(), code.meaning()));
    let command = Arguments::command();
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    command.after_long_help(format!("{examples}\n\nExit codes:{}", codes.collect::<String>()))
}

/// Reads the command line and runs the command.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // clap's error knows no options, and a program that asked for JSON asked for it in errors too.
    let json = arguments.iter().any(|argument| argument == "--json");
    let parsed = tree().try_get_matches_from(arguments).and_then(|matches| Arguments::from_arg_matches(&matches));
    let Arguments { globals, command } = match parsed {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed pipe is all that can fail here, and then nobody reads.
            let _ = error.print();
            let code = if error.use_stderr() { Code::Usage } else { Code::Done };
            return code.into();
        }
        Err(error) if json => {
            let message = error.render().to_string();
            let message = message.trim().strip_prefix("error: ").unwrap_or(&message).to_owned();
            return Output::new(true, false, 0).failure(&Failure::usage(message));
        }
        Err(error) => {
            let _ = error.print();
            return Code::Usage.into();
        }
    };
    if globals.sandbox && globals.show.is_some() {
        // clap knows no conflict between options before and behind a subcommand.
        return Output::new(json, false, 0).failure(&Failure::usage("`--show` and `--sandbox` exclude each other"));
    }
    let output = Output::new(globals.json, globals.quiet, globals.verbose);
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the command cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(Context::new(globals, output).run(command)));
    match result {
        Ok(code) => code.into(),
        Err(failure) => output.failure(&failure),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_tree_has_no_contradictions() {
        tree().debug_assert();
    }

    /// Adds the help of a command and of all below it.
    fn help(command: &mut clap::Command, name: &str, all: &mut Vec<(String, String)>) {
        all.push((name.to_owned(), command.render_long_help().to_string()));
        for below in command.get_subcommands_mut() {
            let name = format!("{name}-{}", below.get_name());
            if below.get_name() != "help" {
                help(below, &name, all);
            }
        }
    }

    #[test]
    fn every_help_is_as_it_was_read() {
        let mut root = tree().term_width(100);
        root.build();
        let mut all = Vec::new();
        help(&mut root, "perenso", &mut all);
        // The other resources have the actions of customers.
        let resources = crate::commands::resource::names().filter(|name| *name != "customers");
        let alike: Vec<_> = resources.map(|name| format!("perenso-{name}-")).collect();
        all.retain(|(name, _)| !alike.iter().any(|alike| name.starts_with(alike)));
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help");
        let assert = snapbox::Assert::new().action_env("SNAPSHOTS");
        for (name, help) in &all {
            assert.eq(help, snapbox::Data::read_from(&directory.join(format!("{name}.txt")), None).raw());
        }
        // A command that is gone leaves no help behind.
        for entry in std::fs::read_dir(directory).unwrap() {
            let file = entry.unwrap().file_name().into_string().unwrap();
            assert!(all.iter().any(|(name, _)| *name == file.trim_end_matches(".txt")), "{file} is of no command");
        }
    }

    #[test]
    fn the_readme_has_every_exit_code() {
        let readme = include_str!("../README.md");
        for code in Code::ALL {
            assert!(readme.contains(&format!("| {} | {} |", code.number(), code.meaning())), "{code:?}");
        }
    }
}
