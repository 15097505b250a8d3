//! The rows of CSV.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use csv::{ByteRecord, StringRecord};
use csv_core::ReadRecordResult;
use perenso_auth::decode::Mismatch;

use super::{
    Place, Step,
    dialect::{self, Delimiters},
    quotes::Quotes,
};
use crate::exports::{
    rows::format::{Header, TableFormat},
    rows::raw::FromRow,
};

const STRAY: &str = "text behind the closing quote of a field, where CSV has a delimiter or the end of the line";

/// The rows of CSV (RFC 4180).
pub(super) struct Table {
    core: csv_core::Reader,
    format: TableFormat,
    /// The delimiters in the first record; nothing after it.
    delimiters: Option<Delimiters>,
    quotes: Quotes,
    header: Option<Arc<StringRecord>>,
    /// The text of the fields of a record that is being read, one behind the other, and where each ends.
    text: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    count: usize,
    /// The record before, for its memory.
    spare: Option<ByteRecord>,
}

impl Table {
    pub(super) fn new(format: TableFormat) -> Self {
        let delimiter = format.delimiter.unwrap_or(b',');
        let core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let (mut core, mut text, mut ends) = (core, vec![0; 1024], vec![0; 32]);
        // An empty line says nothing, and keeps the parser from looking for a mark of its own.
        core.read_record(b"\n", &mut text, &mut ends);
        let header = match &format.header {
            Header::Names(names) => Some(Arc::new(names.clone())),
            _ => None,
        };
        let delimiters = header.is_none().then(Delimiters::default);
        let quotes = Quotes::new(delimiter);
        Self { core, format, delimiters, quotes, header, text, length: 0, ends, count: 0, spare: None }
    }

    pub(super) fn header(&self) -> Option<&Arc<StringRecord>> {
        self.header.as_ref()
    }

    pub(super) fn next<T: FromRow>(&mut self, chunk: &mut Bytes, place: Place) -> Step<T> {
        loop {
            let is_over = chunk.is_empty();
            if is_over && !place.is_last {
                return Step::More;
            }
            // A line break ends the last record, unless a quote is open. (The parser alone would swallow that.)
            let input = if is_over { b"\n" } else { chunk.as_ref() };
            let (text, ends) = (&mut self.text[self.length..], &mut self.ends[self.count..]);
            let (result, read, written, ended) = self.core.read_record(input, text, ends);
            if !is_over {
                self.quotes.see(&chunk[..read]);
                if let Some(delimiters) = &mut self.delimiters {
                    delimiters.see(&chunk[..read]);
                }
                chunk.advance(read);
            }
            self.length += written;
            self.count += ended;
            if self.length + self.count * size_of::<usize>() > place.largest_row {
                return self.too_large(place);
            }
            match result {
                ReadRecordResult::InputEmpty if is_over && self.length == 0 => return Step::End,
                ReadRecordResult::InputEmpty if is_over => return self.unclosed(place),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::End => return Step::End,
                ReadRecordResult::Record => match self.record(place, is_over) {
                    Some(step) => return step,
                    None => continue,
                },
            }
        }
    }

    /// Reads the record that is whole now; the first is the header, and no row.
    fn record<T: FromRow>(&mut self, place: Place, is_last: bool) -> Option<Step<T>> {
        let mut record = self.spare.take().unwrap_or_default();
        record.clear();
        let mut start = 0;
        for &end in &self.ends[..self.count] {
            record.push_field(&self.text[start..end]);
            start = end;
        }
        (self.length, self.count) = (0, 0);
        let is_stray = self.quotes.take_stray();
        let misfit = |detail: String| Some(Step::Mismatch(Mismatch { path: String::new(), detail }));
        let fields = match StringRecord::from_byte_record(record) {
            Ok(fields) => fields,
            Err(_) if self.header.is_none() => return Some(Step::Broken("its header is not UTF-8".to_owned())),
            Err(_) => return misfit("it is not UTF-8".to_owned()),
        };
        match &self.header {
            _ if !is_stray => {}
            None => return Some(Step::Broken(format!("its header has {STRAY}"))),
            Some(_) => return misfit(format!("it has {STRAY}")),
        }
        if let Some(delimiters) = self.delimiters.take() {
            if dialect::is_hint(&fields, self.format.delimiter) {
                self.delimiters = Some(Delimiters::default());
                return None;
            }
            if let Err(detail) = dialect::check(&fields, delimiters, &self.format) {
                return Some(Step::Broken(detail));
            }
            let names = match self.format.header {
                Header::Positions => (1..=fields.len()).map(|number| number.to_string()).collect(),
                _ => match dialect::names(&fields, self.format.unique_names) {
                    Ok(names) => names,
                    Err(detail) => return Some(Step::Broken(detail)),
                },
            };
            self.header = Some(Arc::new(names));
            if self.format.header != Header::Positions {
                return None;
            }
        }
        let header = self.header.as_ref()?;
        let (found, expected) = (fields.len(), header.len());
        if found < expected && is_last {
            return Some(place.cut());
        }
        if found != expected {
            return misfit(format!("{found} fields, and the header has {expected}"));
        }
        let row = T::from_fields(header, &fields);
        self.spare = Some(fields.into_byte_record());
        Some(row.map_or_else(Step::Mismatch, Step::Row))
    }

    fn unclosed<T>(&self, place: Place) -> Step<T> {
        match self.header {
            None => Step::Broken("a quote of its header is not closed".to_owned()),
            Some(_) => {
                Step::Broken(format!("it ends within row {}, in a quote that is not closed: it was cut", place.row))
            }
        }
    }

    fn too_large<T>(&self, place: Place) -> Step<T> {
        match self.header {
            None => {
                Step::Broken(format!("its header is larger than the limit of {} bytes for a row", place.largest_row))
            }
            Some(_) => place.too_large(),
        }
    }
}
