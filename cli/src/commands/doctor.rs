//! `perenso doctor`: why does it not work, and how does this show behave?

mod behavior;
mod checks;

use std::{io::Write, path::PathBuf};

use clap::Args;
use perenso::exports::files::AtomicFile;
use serde_json::json;

use self::behavior::Learned;
use crate::{
    connection::Source,
    context::Context,
    output::{Code, Failure, Output, Stdout},
};

/// Find out why a show cannot be used, and how it behaves
///
/// Checks settings, proxy, names, encryption, clock and login, and reads a few records to learn the behavior of the show. It writes
/// nothing to the show. With `--behavior` it writes what it saw into a file, for `perenso sandbox --behavior`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso doctor
  perenso doctor --show spring --behavior behavior.toml")]
pub(crate) struct Doctor {
    /// Write how the show behaves into this file
    #[arg(long, value_name = "FILE")]
    behavior: Option<PathBuf>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Fine,
    /// Worth knowing, and not the reason of a failure.
    Notable,
    /// The show cannot be used, for the reason of this exit code.
    Wrong(Code),
}

impl Finding {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Notable => "note",
            Self::Wrong(_) => "WRONG",
        }
    }
}

/// The results of the checks, which are written as they come.
struct Report {
    output: Output,
    findings: Vec<(&'static str, Finding, String)>,
}

impl Report {
    fn add(&mut self, name: &'static str, finding: Finding, detail: impl Into<String>) -> Result<(), Failure> {
        let detail = detail.into();
        if !self.output.json {
            Stdout::line(&format!("{:<6} {name:<10} {detail}", finding.word()))?;
        }
        self.findings.push((name, finding, detail));
        Ok(())
    }

    /// Returns the exit code: that of the first check that failed.
    fn code(&self) -> Code {
        let wrong = |(_, finding, _): &(_, Finding, _)| match finding {
            Finding::Wrong(code) => Some(*code),
            _ => None,
        };
        self.findings.iter().find_map(wrong).unwrap_or(Code::Done)
    }
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<Code, Failure> {
        let mut report = Report { output: context.output, findings: Vec::new() };
        let learned = self.examine(context, &mut report).await?;
        if let (Some(path), Some(learned)) = (&self.behavior, &learned) {
            let mut file = AtomicFile::new(path)?;
            file.write_all(learned.to_toml().as_bytes()).map_err(|error| Failure::file("written", path, &error))?;
            file.persist()?;
            context.output.note(&format!("wrote {}: try `perenso sandbox --behavior {0}`", path.display()));
        }
        if context.output.json {
            let checks = report.findings.iter().map(
                |(name, finding, detail)| json!({ "check": name, "result": finding.word().to_lowercase(), "detail": detail }),
            );
            let behavior = learned.as_ref().map(Learned::to_json);
            Stdout::json(&json!({ "checks": checks.collect::<Vec<_>>(), "behavior": behavior }))?;
        }
        Ok(report.code())
    }

    /// Runs the checks up to the first whose failure makes the others pointless.
    async fn examine(&self, context: &Context, report: &mut Report) -> Result<Option<Learned>, Failure> {
        let source = Source::find(&context.globals);
        let connection = match source {
            Err(failure) => Err(failure),
            // Tokens of its own: a stored one would hide that the login is refused by now.
            Ok(_) => context.connect_without_store().await,
        };
        let connection = match connection {
            Ok(connection) => connection,
            Err(failure) => {
                report.add("settings", Finding::Wrong(failure.code()), failure.to_string())?;
                return Ok(None);
            }
        };
        report.add("settings", Finding::Fine, connection.source.to_string())?;
        let show = &connection.show;
        let proxy = checks::proxy(report)?;
        if !checks::names(report, show, proxy).await?
            || !checks::encryption_and_clock(report, show).await?
            || !checks::login(report, show).await?
        {
            return Ok(None);
        }
        match behavior::learn(show).await {
            Ok(learned) => {
                for (_, _, sentence) in &learned.facts {
                    report.add("behavior", Finding::Fine, sentence.clone())?;
                }
                for sentence in &learned.unknown {
                    report.add("behavior", Finding::Notable, sentence.clone())?;
                }
                Ok(Some(learned))
            }
            Err(failure) => {
                report.add("records", Finding::Wrong(failure.code()), failure.to_string())?;
                Ok(None)
            }
        }
    }
}
