//! Rows from a file. It is checked once, then read on demand, so it may have any size.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use csv::{Position, StringRecord};
use serde::Serializer as _;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::model::rows::Rows;

/// The position of every `STRIDE`th row is stored.
const STRIDE: u64 = 1024;

/// The maximum number of idle readers, ideally one per response that is being sent.
const READERS: usize = 16;

/// A file of rows.
pub(super) struct RowFile {
    path: PathBuf,
    format: FileFormat,
    places: Vec<Position>,
    idle: Mutex<Vec<Reader>>,
}

#[derive(Debug, Clone, Copy)]
enum FileFormat {
    Lines,
    Csv,
}

impl RowFile {
    /// Checks every row, and returns them.
    pub(super) fn open(path: &Path) -> Result<Rows, Error> {
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => FileFormat::Lines,
            Some("csv") => FileFormat::Csv,
            _ => {
                let message = "rows are read from files that end in .jsonl, .ndjson or .csv";
                return Err(Error::data(path.display(), io::Error::other(message)));
            }
        };
        let mut reader = Reader::open(path, format).map_err(|error| Error::file(path, error))?;
        let (mut places, mut row) = (Vec::new(), Vec::new());
        loop {
            let place = reader.place();
            row.clear();
            let is_there = reader.read(&mut row).map_err(|error| Error::data(path.display(), error))?;
            if !is_there {
                break;
            }
            if (reader.next - 1).is_multiple_of(STRIDE) {
                places.push(place);
            }
        }
        let count = reader.next;
        let file = Self { path: path.to_owned(), format, places, idle: Mutex::default() };
        Ok(Rows::written(count, move |number, buffer| file.row(number, buffer).map_err(serde_json::Error::io)))
    }

    fn row(&self, number: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let before = {
            let mut idle = idle();
            let at = idle.iter().position(|reader| reader.next == number);
            at.map(|at| idle.remove(at))
        };
        let mut reader = match before {
            Some(reader) => reader,
            None => self.reader_at(number)?,
        };
        if !reader.read(buffer)? {
            return Err(truncated());
        }
        let mut idle = idle();
        if idle.len() == READERS {
            idle.remove(0);
        }
        idle.push(reader);
        Ok(())
    }

    fn reader_at(&self, number: u64) -> io::Result<Reader> {
        let mut reader = Reader::open(&self.path, self.format)?;
        let stretch = number / STRIDE;
        let place = usize::try_from(stretch).ok().and_then(|stretch| self.places.get(stretch)).ok_or_else(truncated)?;
        reader.seek(place.clone())?;
        reader.next = stretch * STRIDE;
        let mut skipped = Vec::new();
        while reader.next < number {
            skipped.clear();
            if !reader.read(&mut skipped)? {
                return Err(truncated());
            }
        }
        Ok(reader)
    }
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file has fewer rows than at the start")
}

/// Reads rows in order.
struct Reader {
    source: Source,
    /// The number of the next row.
    next: u64,
}

enum Source {
    Lines { file: BufReader<File>, byte: u64, line: u64 },
    Csv { file: csv::Reader<File>, columns: StringRecord },
}

impl Reader {
    fn open(path: &Path, format: FileFormat) -> io::Result<Self> {
        let file = File::open(path)?;
        let source = match format {
            FileFormat::Lines => Source::Lines { file: BufReader::new(file), byte: 0, line: 0 },
            FileFormat::Csv => {
                let mut file = csv::Reader::from_reader(file);
                let columns = file.headers()?.clone();
                Source::Csv { file, columns }
            }
        };
        Ok(Self { source, next: 0 })
    }

    fn place(&self) -> Position {
        match &self.source {
            Source::Lines { byte, line, .. } => {
                let mut place = Position::new();
                place.set_byte(*byte).set_line(*line + 1);
                place
            }
            Source::Csv { file, .. } => file.position().clone(),
        }
    }

    fn seek(&mut self, place: Position) -> io::Result<()> {
        match &mut self.source {
            Source::Lines { file, byte, line } => {
                (*byte, *line) = (place.byte(), place.line() - 1);
                file.seek(SeekFrom::Start(place.byte()))?;
            }
            Source::Csv { file, .. } => file.seek(place)?,
        }
        Ok(())
    }

    /// Writes the next row as one line of JSON. Returns false at the end of the file.
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        let is_there = match &mut self.source {
            Source::Lines { file, byte, line } => loop {
                let start = buffer.len();
                let length = file.read_until(b'\n', buffer)?;
                *byte += length as u64;
                *line += 1;
                while buffer.len() > start && buffer.last().is_some_and(u8::is_ascii_whitespace) {
                    buffer.pop();
                }
                if length == 0 || buffer.len() > start {
                    if length > 0 {
                        is_json(&buffer[start..], *line)?;
                    }
                    break length > 0;
                }
            },
            Source::Csv { file, columns } => {
                let mut cells = StringRecord::new();
                let is_there = file.read_record(&mut cells)?;
                if is_there {
                    serde_json::Serializer::new(&mut *buffer).collect_map(columns.iter().zip(&cells))?;
                }
                is_there
            }
        };
        self.next += u64::from(is_there);
        Ok(is_there)
    }
}

/// Checks a row. The parser's message may quote the row, so only its position is reported.
fn is_json(row: &[u8], line: u64) -> io::Result<()> {
    let checked = serde_json::from_slice::<&RawValue>(row);
    checked.map(drop).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("not JSON at line {line}, column {}", error.column()))
    })
}
