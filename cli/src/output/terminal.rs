//! Notes and errors on stderr.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};

use super::{Code, Failure};

/// Erases the line of the terminal that was written last.
const ERASE: &str = "\r\x1b[K";

const ERROR: Style = AnsiColor::Red.on_default().bold();

/// The options of output: JSON, quiet, verbose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    quiet: bool,
    verbosity: u8,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool, verbosity: u8) -> Self {
        Self { json, quiet, verbosity }
    }

    /// Writes a note to stderr, unless `--quiet`.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            // Nobody can be told that stderr is closed.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Returns true if progress may be drawn.
    pub(crate) fn draws_progress(self) -> bool {
        !self.quiet && !self.json && self.verbosity == 0 && io::stderr().is_terminal()
    }

    /// Draws progress on stderr, in place of what was drawn before; nothing with an empty text.
    pub(crate) fn progress(self, text: &str) {
        let mut err = io::stderr().lock();
        // Nobody can be told that stderr is closed.
        let _ = write!(err, "{ERASE}{text}").and_then(|()| err.flush());
    }

    /// Writes an error to stderr and returns its exit code.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        if failure.code() == Code::Done {
            return Code::Done.into();
        }
        let mut err = io::stderr().lock();
        let _ = if self.json {
            writeln!(err, "{}", failure.to_json())
        } else if has_color(&err) {
            writeln!(err, "{ERROR}error:{ERROR:#} {failure}")
        } else {
            writeln!(err, "error: {failure}")
        };
        if let (Some(body), false) = (failure.body(), self.json) {
            let _ = match self.verbosity {
                0 => writeln!(err, "To see the response, add `-v`. It may hold personal data."),
                _ => writeln!(err, "The response: {}", printable(body)),
            };
        }
        failure.code().into()
    }

    /// Logs the spans and events of the SDK to stderr with `-v`. They hold no secrets, tokens or records.
    pub(crate) fn start_log(self) {
        let level = match self.verbosity {
            0 => return,
            1 => tracing::Level::INFO,
            _ => tracing::Level::TRACE,
        };
        let log =
            tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(false).without_time();
        let spans = tracing_subscriber::fmt::format::FmtSpan::CLOSE;
        // Fails if there is a log already, which is impossible here.
        let _ = log.with_span_events(spans).try_init();
    }
}

/// Returns a string without characters that would control the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

/// Returns true if a stream is a terminal whose user wants colours: <https://no-color.org>.
fn has_color(stream: &impl IsTerminal) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Returns a count with its noun, as `1 row` or `2 rows`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
