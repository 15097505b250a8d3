//! The files of rows that succeeded, failed, or are unknown.

use std::{
    fs,
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use perenso::exports::files::AtomicFile;
use serde_json::{Map, Value};

use super::{
    check::Check,
    input::Input,
    journal::{Journal, Outcome, State},
};
use crate::{
    output::Failure,
    sheet::{Cell, Version},
};

const LINE: &str = "perenso_line";
const ID: &str = "perenso_id";
const REASON: &str = "perenso_reason";
/// The columns that result files have beside those of the input. They are not loaded.
pub(super) const RESULT_COLUMNS: [&str; 3] = [LINE, ID, REASON];

/// The reason of a row whose outcome cannot be found out.
const UNKNOWN: &str = "the response was lost: look in the show whether it is there";
const UNACCOUNTED: &str = "the show does not say what became of it: look in the show whether it is there";

/// The result files of a load.
#[derive(Debug)]
pub(crate) struct Results {
    files: [ResultFile; 3],
}

/// A result file.
#[derive(Debug)]
struct ResultFile {
    name: &'static str,
    path: PathBuf,
    rows: u64,
}

/// The index of a file in `Results`.
const SUCCEEDED: usize = 0;
const FAILED: usize = 1;
const UNKNOWN_ROWS: usize = 2;

impl Results {
    /// Returns the result files of an input, with this text in their names.
    pub(crate) fn of(input: &Path, label: &str) -> Self {
        let stem = input.file_stem().unwrap_or_default().to_string_lossy() + label;
        let file =
            |name: &'static str| ResultFile { name, path: input.with_file_name(format!("{stem}-{name}.csv")), rows: 0 };
        Self { files: [file("succeeded"), file("failed"), file("unknown")] }
    }

    /// Returns an error if a file of an earlier load has rows that must not be lost: whose outcome is unknown, or that somebody
    /// has corrected.
    pub(crate) fn require_replaceable(&self, journal: &Journal) -> Result<(), Failure> {
        let unknown = &self.files[UNKNOWN_ROWS].path;
        if unknown.exists() {
            return Err(Failure::usage(format!(
                "`{}` has rows of an earlier load whose outcome is unknown: look whether they are in the show, then move the \
                 file away",
                unknown.display()
            )));
        }
        let failed = &self.files[FAILED].path;
        let version = Version::of(failed);
        if version.is_none() || journal.written().get(FAILED) == Some(&version) {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "`{}` was changed since it was written, or belongs to another load: load it if its rows are to be kept, then move it \
             away",
            failed.display()
        )))
    }

    /// Removes the files of an earlier load.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        self.files.iter().try_for_each(|file| remove(&file.path))
    }

    /// Returns the versions of the files.
    pub(super) fn versions(&self) -> Vec<Option<Version>> {
        self.files.iter().map(|file| Version::of(&file.path)).collect()
    }

    pub(crate) fn failed(&self) -> u64 {
        self.files[FAILED].rows
    }

    pub(crate) fn unknown(&self) -> u64 {
        self.files[UNKNOWN_ROWS].rows
    }

    /// Returns the number of rows and the file of each outcome.
    pub(crate) fn summary(&self) -> impl Iterator<Item = (&'static str, u64, &Path)> {
        self.files.iter().map(|file| (file.name, file.rows, file.path.as_path()))
    }

    pub(crate) fn to_json(&self) -> Value {
        let of = |file: &ResultFile| {
            let path = (file.rows > 0).then(|| file.path.display().to_string());
            (file.name.to_owned(), serde_json::json!({ "rows": file.rows, "file": path }))
        };
        Value::Object(self.files.iter().map(of).collect::<Map<_, _>>())
    }

    /// Counts the rows of a load that has ended.
    pub(crate) fn count(&mut self, input: &Input, check: &Check, journal: &Journal) -> Result<(), Failure> {
        self.each(input, check, journal, |_, _, _, _| Ok(()))
    }

    /// Writes all rows of a load that has ended, each into one file. A file without rows is removed.
    pub(crate) fn write(&mut self, input: &Input, check: &Check, journal: &Journal) -> Result<(), Failure> {
        let mut writers: [Option<csv::Writer<BufWriter<AtomicFile>>>; 3] = [None, None, None];
        let paths = self.files.each_ref().map(|file| file.path.clone());
        // A command that was killed here has left them. The journal is locked, so nobody else is writing.
        paths.iter().try_for_each(AtomicFile::remove_abandoned)?;
        self.each(input, check, journal, |index, line, cells, note| {
            let failed = |error: csv::Error| Failure::file("written", &paths[index], &error.into());
            let writer = match &mut writers[index] {
                Some(writer) => writer,
                none => {
                    let file = AtomicFile::new(&paths[index])?;
                    none.insert(begin(file, index, input.names()).map_err(failed)?)
                }
            };
            let line = line.to_string();
            let kept =
                input.names().iter().zip(cells).filter(|(name, _)| !is_result(name)).map(|(_, cell)| cell.to_text());
            let mut record = std::iter::once(line.into()).chain(kept).chain([note.into()]);
            record.try_for_each(|field| writer.write_field(field.as_bytes())).map_err(failed)?;
            writer.write_record(None::<&[u8]>).map_err(failed)
        })?;
        // All of them are written before the first one is in its place.
        let mut complete = Vec::new();
        for (writer, path) in writers.into_iter().zip(&paths) {
            let failed = |error: io::Error| Failure::file("written", path, &error);
            complete.push(match writer {
                None => None,
                Some(writer) => {
                    let buffer = writer.into_inner().map_err(|error| failed(error.into_error()))?;
                    let file = buffer.into_inner().map_err(|error| failed(error.into_error()))?;
                    file.sync()?;
                    Some(file)
                }
            });
        }
        for (file, path) in complete.into_iter().zip(&paths) {
            match file {
                Some(file) => file.persist()?,
                None => remove(path)?,
            }
        }
        Ok(())
    }

    /// Counts the rows, and calls `row` with the index of its file, its line, its cells and its note.
    fn each(
        &mut self,
        input: &Input,
        check: &Check,
        journal: &Journal,
        mut row: impl FnMut(usize, u64, &[Cell], &str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.files.iter_mut().for_each(|file| file.rows = 0);
        let mut rows = input.rows()?;
        while let Some((number, read)) = rows.next()? {
            let (line, cells) = (read.line, read.cells.clone());
            let checked = input.record(read);
            let (index, note) = match check.problems(number, &checked) {
                Some(problems) => (FAILED, problems),
                None => match journal.state(number) {
                    State::Ended(Outcome::Succeeded(id)) => (SUCCEEDED, id.clone().unwrap_or_default()),
                    State::Ended(Outcome::Failed(reason)) => (FAILED, reason.clone()),
                    State::Ended(Outcome::Unaccounted(said)) if said.is_empty() => {
                        (UNKNOWN_ROWS, UNACCOUNTED.to_owned())
                    }
                    State::Ended(Outcome::Unaccounted(said)) => {
                        (UNKNOWN_ROWS, format!("{UNACCOUNTED}. Of its batch, the show said: {said}"))
                    }
                    _ => (UNKNOWN_ROWS, UNKNOWN.to_owned()),
                },
            };
            self.files[index].rows += 1;
            row(index, line, &cells, &note)?;
        }
        Ok(())
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::file("removed", path, &error)),
        _ => Ok(()),
    }
}

fn is_result(name: &str) -> bool {
    RESULT_COLUMNS.contains(&name)
}

/// Begins a result file: a byte order mark, by which Excel knows UTF-8, and a header.
fn begin(file: AtomicFile, index: usize, names: &[String]) -> Result<csv::Writer<BufWriter<AtomicFile>>, csv::Error> {
    let mut buffer = BufWriter::new(file);
    buffer.write_all("\u{feff}".as_bytes())?;
    let mut writer = csv::Writer::from_writer(buffer);
    let note = if index == SUCCEEDED { ID } else { REASON };
    let names = names.iter().map(String::as_str).filter(|name| !is_result(name));
    writer.write_record(std::iter::once(LINE).chain(names).chain([note]))?;
    Ok(writer)
}
