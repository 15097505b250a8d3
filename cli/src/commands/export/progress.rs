//! Progress of an export, on a terminal only.

use perenso::exports::files::{Progress, Stage, ToFile};

use crate::output::Output;

/// Draws the progress of a file on stderr, in one line that is gone in the end.
pub(super) fn draw(file: ToFile, output: Output) -> ToFile {
    if !output.draws_progress() {
        return file;
    }
    file.progress(move |progress: &Progress| {
        let verb = if progress.stage == Stage::Writing { "writing" } else { "receiving" };
        output.progress(&if progress.is_done { String::new() } else { format!("{verb}: {progress}") });
    })
}
