//! The rows of CSV.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use csv::{ByteRecord, StringRecord};
use csv_core::ReadRecordResult;
use perenso_auth::decode::Mismatch;

use super::{
    RowContext, Step,
    dialect::{self, DelimiterCounts},
    quotes::QuoteChecker,
};
use crate::exports::{
    rows::format::{CsvDialect, Header},
    rows::raw::FromRow,
};

const STRAY: &str = "characters after the closing quote of a field; expected a delimiter or the end of the line";

/// Reads the rows of CSV (RFC 4180).
pub(super) struct CsvTable {
    core: csv_core::Reader,
    dialect: CsvDialect,
    /// Counts for the first record; `None` after it.
    delimiters: Option<DelimiterCounts>,
    quotes: QuoteChecker,
    lines: LineCounter,
    header: Option<Arc<StringRecord>>,
    /// The concatenated fields of the current record and their end offsets.
    fields: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    count: usize,
    /// The previous record, for reuse of its buffer.
    spare: Option<ByteRecord>,
}

/// Counts lines. The parser's own count is that of the end of a record, and not the same for both line ends.
#[derive(Debug, Default)]
struct LineCounter {
    /// The line breaks so far.
    breaks: u64,
    /// The first line of the record, from 1.
    first: u64,
    is_within_record: bool,
}

impl LineCounter {
    /// Processes the next bytes of a record. Line breaks before a record are empty lines, or the rest of a CRLF.
    fn observe(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if !self.is_within_record {
            let Some(start) = bytes.iter().position(|byte| !matches!(byte, b'\n' | b'\r')) else {
                return self.breaks += memchr::memchr_iter(b'\n', bytes).count() as u64;
            };
            self.breaks += memchr::memchr_iter(b'\n', &bytes[..start]).count() as u64;
            (self.first, self.is_within_record) = (self.breaks + 1, true);
            bytes = &bytes[start..];
        }
        self.breaks += memchr::memchr_iter(b'\n', bytes).count() as u64;
    }
}

impl CsvTable {
    pub(super) fn new(dialect: CsvDialect) -> Self {
        let delimiter = dialect.delimiter.unwrap_or(b',');
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let (mut core, mut fields, mut ends) = (core, vec![0; 1024], vec![0; 32]);
        // An empty line keeps the parser from stripping a byte order mark itself.
        core.read_record(b"\n", &mut fields, &mut ends);
        let header = match &dialect.header {
            Header::Names(names) => Some(Arc::new(names.clone())),
            _ => None,
        };
        let delimiters = header.is_none().then(DelimiterCounts::default);
        let quotes = QuoteChecker::new(delimiter);
        let lines = LineCounter::default();
        Self { core, dialect, delimiters, quotes, lines, header, fields, length: 0, ends, count: 0, spare: None }
    }

    pub(super) fn header(&self) -> Option<&Arc<StringRecord>> {
        self.header.as_ref()
    }

    /// Returns the line on which the last record begins, from 1; 0 before the first one.
    pub(super) fn line(&self) -> u64 {
        self.lines.first
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, context: RowContext) -> Step<T> {
        loop {
            let is_over = chunk.is_empty();
            if is_over && !context.is_last {
                return Step::More;
            }
            // A line break ends the last record, unless a quote is open. The parser alone would accept an open quote.
            let input = if is_over { b"\n" } else { chunk.as_ref() };
            let (fields, ends) = (&mut self.fields[self.length..], &mut self.ends[self.count..]);
            let (result, read, written, ended) = self.core.read_record(input, fields, ends);
            if !is_over {
                self.quotes.observe(&chunk[..read]);
                self.lines.observe(&chunk[..read]);
                if let Some(delimiters) = &mut self.delimiters {
                    delimiters.observe(&chunk[..read]);
                }
                chunk.advance(read);
            }
            self.length += written;
            self.count += ended;
            if self.length + self.count * size_of::<usize>() > context.max_row_bytes {
                return self.too_large(context);
            }
            match result {
                ReadRecordResult::InputEmpty if is_over && self.length == 0 => return Step::End,
                ReadRecordResult::InputEmpty if is_over => return self.open_quote(context),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::End => return Step::End,
                ReadRecordResult::Record => {
                    self.lines.is_within_record = false;
                    match self.record(context, is_over) {
                        Some(step) => return step,
                        None => continue,
                    }
                }
            }
        }
    }

    /// Reads a complete record. Returns `None` for the header.
    fn record<T: FromRow>(&mut self, context: RowContext, is_last: bool) -> Option<Step<T>> {
        let mut record = self.spare.take().unwrap_or_default();
        record.clear();
        let mut start = 0;
        for &end in &self.ends[..self.count] {
            record.push_field(&self.fields[start..end]);
            start = end;
        }
        (self.length, self.count) = (0, 0);
        let is_stray = self.quotes.take_stray();
        let mismatch = |detail: String| Some(Step::Mismatch(Mismatch { path: String::new(), detail }));
        let fields = match StringRecord::from_byte_record(record) {
            Ok(fields) => fields,
            Err(_) if self.header.is_none() => return Some(Step::Broken("its header is not UTF-8".to_owned())),
            Err(_) => return mismatch("it is not UTF-8".to_owned()),
        };
        match &self.header {
            _ if !is_stray => {}
            None => return Some(Step::Broken(format!("its header has {STRAY}"))),
            Some(_) => return mismatch(format!("it has {STRAY}")),
        }
        if let Some(delimiters) = self.delimiters.take() {
            if dialect::is_separator_line(&fields, self.dialect.delimiter) {
                self.delimiters = Some(DelimiterCounts::default());
                return None;
            }
            if let Err(detail) = dialect::check(&fields, delimiters, &self.dialect) {
                return Some(Step::Broken(detail));
            }
            let names = match self.dialect.header {
                Header::Positions => (1..=fields.len()).map(|number| number.to_string()).collect(),
                _ => match dialect::names(&fields, self.dialect.unique_names) {
                    Ok(names) => names,
                    Err(detail) => return Some(Step::Broken(detail)),
                },
            };
            self.header = Some(Arc::new(names));
            if self.dialect.header != Header::Positions {
                return None;
            }
        }
        let header = self.header.as_ref()?;
        let (found, expected) = (fields.len(), header.len());
        if found < expected && is_last {
            return Some(context.truncated());
        }
        if found != expected {
            return mismatch(format!("expected {expected} fields, found {found}"));
        }
        let row = T::from_fields(header, &fields);
        self.spare = Some(fields.into_byte_record());
        Some(row.map_or_else(Step::Mismatch, Step::Row))
    }

    fn open_quote<T>(&self, context: RowContext) -> Step<T> {
        match self.header {
            None => Step::Broken("a quote of its header is not closed".to_owned()),
            Some(_) => {
                Step::Broken(format!("it ends within row {}, in a quote that is not closed: it was cut", context.row))
            }
        }
    }

    fn too_large<T>(&self, context: RowContext) -> Step<T> {
        match self.header {
            None => Step::Broken(format!(
                "its header is larger than the limit of {} bytes for a row",
                context.max_row_bytes
            )),
            Some(_) => context.too_large(),
        }
    }
}
