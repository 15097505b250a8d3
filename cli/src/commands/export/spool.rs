//! Rows and the cursor of an export that can be resumed, in two hidden files beside the target.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use futures_util::{Stream, stream};
use perenso::exports::{Cursor, RawRow, RowFormat, RowReader};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{files::replace_file, output::Failure};

/// The size of a chunk that is read.
const CHUNK: usize = 1 << 16;

/// Rows that have been read, and the place behind them.
pub(super) struct Spool {
    rows: PathBuf,
    place: PathBuf,
    out: BufWriter<File>,
    state: State,
}

/// The place behind the rows that were read.
#[derive(Serialize, Deserialize)]
struct State {
    /// The export and its parameters: rows of another run do not belong to these.
    run: Value,
    count: u64,
    bytes: u64,
    /// The names of the columns of CSV; `None` for JSON.
    columns: Option<Vec<String>>,
    cursor: Option<Cursor>,
}

impl Spool {
    /// Opens the rows that an earlier run has left beside this file, or begins.
    pub(super) fn open(target: &Path, run: Value) -> Result<Self, Failure> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let (rows, place) =
            (target.with_file_name(format!(".{name}.rows")), target.with_file_name(format!(".{name}.cursor")));
        let kept = match std::fs::read(&place) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::file("read", &place, &error)),
        };
        let state = match kept {
            None => State { run, count: 0, bytes: 0, columns: None, cursor: None },
            Some(text) => match serde_json::from_slice::<State>(&text) {
                Ok(state) if state.run == run => state,
                Ok(_) => {
                    return Err(Failure::usage(format!(
                        "`{}` was begun with another export or other values: run that to its end, or remove the file",
                        place.display()
                    )));
                }
                Err(_) => return Err(Failure::usage(format!("`{}` holds no cursor: remove it", place.display()))),
            },
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Rows may be personal data.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let failed = |error: io::Error| Failure::file("written", &rows, &error);
        let mut file = options.open(&rows).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length < state.bytes {
            return Err(Failure::failed(format!(
                "`{}` lacks rows: remove it and `{}`",
                rows.display(),
                place.display()
            )));
        }
        // Rows behind the cursor are read again.
        file.set_len(state.bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        Ok(Self { rows, place, out: BufWriter::with_capacity(CHUNK, file), state })
    }

    pub(super) fn count(&self) -> u64 {
        self.state.count
    }

    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.state.cursor.clone()
    }

    /// Adds a row: an item of a JSON array, or a record of CSV.
    pub(super) fn push(&mut self, row: &RawRow) -> Result<(), Failure> {
        let is_first = self.state.count == 0;
        let mut bytes = Vec::new();
        match (row.json(), row.fields()) {
            (Some(json), _) if is_first || self.state.columns.is_none() => {
                bytes.push(if is_first { b'[' } else { b',' });
                bytes.extend_from_slice(json.as_bytes());
            }
            (_, Some(fields)) => {
                let (names, values): (Vec<_>, Vec<_>) = fields.unzip();
                let mut csv = csv::Writer::from_writer(&mut bytes);
                if is_first {
                    self.state.columns = Some(names.iter().map(|&name| name.to_owned()).collect());
                    csv.write_record(&names).map_err(|error| self.failed(error.into()))?;
                } else if self.state.columns.as_ref().is_none_or(|columns| *columns != names) {
                    return Err(Failure::failed(
                        "the columns of the export have changed while it was read: begin again",
                    ));
                }
                csv.write_record(&values).map_err(|error| self.failed(error.into()))?;
                drop(csv);
            }
            _ => return Err(Failure::failed("the rows of the export have changed while it was read: begin again")),
        }
        self.state.count += 1;
        self.state.bytes += bytes.len() as u64;
        self.out.write_all(&bytes).map_err(|error| self.failed(error))
    }

    /// Keeps the rows so far, and the place behind them.
    pub(super) fn save(&mut self, cursor: Cursor) -> Result<(), Failure> {
        self.out.flush().and_then(|()| self.out.get_ref().sync_data()).map_err(|error| self.failed(error))?;
        self.state.cursor = Some(cursor);
        let state = serde_json::to_vec(&self.state)
            .map_err(|error| Failure::failed(format!("the cursor cannot be written as JSON: {error}")))?;
        replace_file(&self.place, &state)
    }

    /// Returns all rows that are kept.
    pub(super) fn rows(&self) -> Result<impl Stream<Item = Result<RawRow, perenso::Error>> + use<>, Failure> {
        let file = File::open(&self.rows).map_err(|error| Failure::file("read", &self.rows, &error))?;
        let format = if self.state.columns.is_some() { RowFormat::csv() } else { RowFormat::json_array() };
        let end = match (&self.state.columns, self.state.count) {
            (Some(_), _) => "",
            (None, 0) => "[]",
            (None, _) => "]",
        };
        let mut chunks = Chunks { file, end: Some(end), reader: RowReader::with_format(None, format)? };
        Ok(stream::iter(std::iter::from_fn(move || chunks.next_row())))
    }

    /// Removes both files.
    pub(super) fn remove(self) -> Result<(), Failure> {
        // Without the cursor, the rows are read anew.
        for path in [&self.place, &self.rows] {
            std::fs::remove_file(path).map_err(|error| Failure::file("removed", path, &error))?;
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> Failure {
        Failure::file("written", &self.rows, &error)
    }
}

/// Reads rows from a file, chunk by chunk.
struct Chunks {
    file: File,
    /// The end of the rows, which the file does not have.
    end: Option<&'static str>,
    reader: RowReader,
}

impl Chunks {
    fn next_row(&mut self) -> Option<Result<RawRow, perenso::Error>> {
        loop {
            if let Some(row) = self.reader.next_row() {
                return Some(row);
            }
            let end = self.end?;
            let mut chunk = vec![0; CHUNK];
            // A file that cannot be read any more is one that breaks off, which the reader reports.
            match self.file.read(&mut chunk) {
                Ok(length @ 1..) => {
                    chunk.truncate(length);
                    self.reader.push(chunk);
                }
                read => {
                    if read.is_ok() {
                        self.reader.push(end);
                    }
                    self.reader.finish();
                    self.end = None;
                }
            }
        }
    }
}
