//! CSV in pieces cut anywhere, against the csv crate on the whole.
#![no_main]

#[path = "../pieces.rs"]
mod pieces;
#[path = "../../src/exports/rows/reader/tests/stray.rs"]
mod stray;

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::{Corpus, fuzz_target};
use perenso::exports::{FromRow, RawRow, RowFormat, RowReader};
use pieces::{Given, given, given_whole};
use serde_json::Value as Json;

/// With a header, even one that looks like values.
fn reader() -> RowReader {
    RowReader::with_format(Some("text/csv"), RowFormat::csv()).unwrap()
}

type Cells = Vec<(String, String)>;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    // Other dialects and other syntaxes are refused, whatever the csv crate makes of them.
    if bytes.len() > 500 || bytes.iter().any(|byte| b"\t;|[{<".contains(byte)) {
        return Corpus::Reject;
    }
    let cells = |row: RawRow| -> Cells {
        row.fields().unwrap().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    };
    if stray::has_stray_quote(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)) {
        // The csv crate drops the quote, the reader refuses the row.
        let whole = given_whole(&reader, bytes, &cells);
        assert!(whole.error.is_some() || whole.rows.contains(&None));
        given(&reader, bytes, &cells, &whole);
        return Corpus::Keep;
    }
    let expected = table(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let whole = compare(bytes, &expected, Some, &cells);
    given(&reader, bytes, &cells, &whole);
    // Text stays text where nothing else is asked for.
    compare(bytes, &expected, |row| Some(texts(row)), &|row: Json| row);
    compare(bytes, &expected, integers, &|row: BTreeMap<String, Option<i64>>| row);
    Corpus::Keep
});

fn texts(row: Cells) -> Json {
    row.into_iter().map(|(name, text)| (name, text.into())).collect::<serde_json::Map<_, _>>().into()
}

fn integers(row: Cells) -> Option<BTreeMap<String, Option<i64>>> {
    let cells = row.into_iter().map(|(name, text)| {
        let number = if text.is_empty() { None } else { Some(text.parse().ok()?) };
        Some((name, number))
    });
    cells.collect()
}

/// The rows, `None` for one that has too many or too few fields or is no UTF-8, and whether the end is one.
struct Expected {
    rows: Vec<Option<Cells>>,
    is_whole: bool,
}

fn compare<T: FromRow, V: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    expected: &Expected,
    read: impl Fn(Cells) -> Option<V>,
    value: &impl Fn(T) -> V,
) -> Given<V> {
    let whole: Given<V> = given_whole(&reader, bytes, value);
    assert_eq!(whole.error.is_none(), expected.is_whole, "{:?}", whole.error);
    let rows: Vec<Option<V>> = expected.rows.iter().map(|row| row.clone().and_then(&read)).collect();
    assert_eq!(whole.rows, rows);
    whole
}

fn table(body: &[u8]) -> Expected {
    // A line that stands alone behind the rest only if no quote is open there, and an empty one before it, so that
    // nothing is taken for another mark.
    const BEHIND: &[u8] = b"behind";
    let text = [b"\n", body, b"\n", BEHIND].concat();
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&text[..]);
    let mut records: Vec<csv::ByteRecord> = reader.into_byte_records().map(Result::unwrap).collect();
    let last = records.pop().unwrap();
    let is_closed = last.len() == 1 && &last[0] == BEHIND;
    let is_ended = body.ends_with(b"\n") || body.ends_with(b"\r");

    let mut records = records.into_iter().map(csv::StringRecord::from_byte_record);
    let header = match records.next() {
        None => return Expected { rows: Vec::new(), is_whole: is_closed },
        Some(Err(_)) => return Expected { rows: Vec::new(), is_whole: false },
        Some(Ok(header)) => header,
    };
    if header.iter().collect::<BTreeSet<_>>().len() < header.len() {
        return Expected { rows: Vec::new(), is_whole: false };
    }
    let mut rows = Vec::new();
    let mut records = records.peekable();
    while let Some(record) = records.next() {
        let is_last = is_closed && !is_ended && records.peek().is_none();
        match record {
            Ok(record) if record.len() < header.len() && is_last => return Expected { rows, is_whole: false },
            Ok(record) if record.len() == header.len() => {
                let cells = header.iter().zip(&record).map(|(name, text)| (name.to_owned(), text.to_owned()));
                rows.push(Some(cells.collect()));
            }
            _ => rows.push(None),
        }
    }
    Expected { rows, is_whole: is_closed }
}
