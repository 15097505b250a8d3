//! Standard output.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::Failure;

/// A buffered writer to stdout, whose errors are failures. A closed pipe ends the command quietly.
pub(crate) struct Stdout {
    out: BufWriter<io::StdoutLock<'static>>,
}

impl Stdout {
    pub(crate) fn new() -> Self {
        Self { out: BufWriter::new(io::stdout().lock()) }
    }

    /// Writes a line and flushes, for output that somebody waits for.
    pub(crate) fn line(text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|error| Failure::stdout(&error))
    }

    /// Writes a value as indented JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::failed(format!("the result cannot be written as JSON: {error}")))?;
        Self::line(&text)
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
