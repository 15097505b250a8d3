//! Progress of an export, on a terminal only.

use std::io::{self, Write};

use perenso::exports::files::{Progress, Stage, ToFile};

use crate::output::Output;

/// Erases the line of the terminal that was written last.
const ERASE: &str = "\r\x1b[K";

/// Draws the progress of a file on stderr, in one line that is gone in the end.
pub(super) fn draw(file: ToFile, output: Output) -> ToFile {
    if !output.draws_progress() {
        return file;
    }
    file.progress(|progress: &Progress| {
        let verb = if progress.stage == Stage::Writing { "writing" } else { "receiving" };
        let line = if progress.is_done { String::new() } else { format!("{verb}: {progress}") };
        let mut err = io::stderr().lock();
        // Nobody can be told that stderr is closed.
        let _ = write!(err, "{ERASE}{line}").and_then(|()| err.flush());
    })
}
