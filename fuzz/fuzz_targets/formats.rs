//! Rows under every `RowFormat`, in pieces cut anywhere. The first line names the format, such as `member data` or
//! `csv ; unique`; the rest is the body.
#![no_main]

#[path = "../pieces.rs"]
mod pieces;
#[path = "../../src/exports/rows/reader/tests/stray.rs"]
mod stray;

use std::collections::BTreeSet;

use libfuzzer_sys::{Corpus, fuzz_target};
use perenso::exports::{RawRow, RowFormat, RowReader};
use pieces::{given, given_whole};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

const MARK: &[u8] = b"\xEF\xBB\xBF";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n').filter(|_| bytes.len() <= 500) else {
        return Corpus::Reject;
    };
    let (Ok(format), body) = (std::str::from_utf8(&bytes[..end]), &bytes[end + 1..]) else { return Corpus::Reject };
    let words: Vec<&str> = format.split(' ').filter(|word| !word.is_empty()).collect();
    match &words[..] {
        ["array"] => same(Some("application/json"), RowFormat::json_array(), body),
        ["lines"] => same(Some("application/x-ndjson"), RowFormat::json_lines(), body),
        ["member", first, more @ ..] => {
            let format = more.iter().fold(RowFormat::json_member(*first), |format, name| format.member(*name));
            return member(&words[1..], format, body);
        }
        ["csv", options @ ..] => return Dialect::of(options).map_or(Corpus::Reject, |dialect| dialect.check(body)),
        _ => return Corpus::Reject,
    }
    Corpus::Keep
});

fn reader(format: &RowFormat) -> impl Fn() -> RowReader {
    // The content type is no guide where a format is set.
    || RowReader::with_format(Some("text/html"), format.clone()).unwrap()
}

fn text(row: RawRow) -> String {
    row.json().unwrap().to_owned()
}

/// A format gives what the content type of the same syntax gives.
fn same(content_type: Option<&str>, format: RowFormat, body: &[u8]) {
    let by_type = given_whole(&|| RowReader::new(content_type).unwrap(), body, &text);
    let whole = given_whole(&reader(&format), body, &text);
    assert_eq!((&by_type.rows, by_type.error.is_some()), (&whole.rows, whole.error.is_some()));
    given(&reader(&format), body, &text, &whole);
}

fn member(path: &[&str], format: RowFormat, body: &[u8]) -> Corpus {
    let Ok(json) = std::str::from_utf8(body.strip_prefix(MARK).unwrap_or(body)) else { return Corpus::Reject };
    let whole = given_whole(&reader(&format), body, &text);
    let mut rows = Vec::new();
    let found = serde_json::from_str::<&RawValue>(json).is_ok_and(|json| collect(json, path, &mut rows).is_ok());
    match found && rows.len() == 1 {
        true => {
            let expected: Vec<_> = rows[0].iter().cloned().map(Some).collect();
            assert_eq!((whole.error.as_deref(), &whole.rows), (None, &expected));
        }
        // Rows before the fault have come.
        false => assert!(whole.error.is_some()),
    }
    given(&reader(&format), body, &text, &whole);
    Corpus::Keep
}

/// The arrays that the path leads to, members that occur twice included; an error where it leads to something else.
fn collect(json: &RawValue, path: &[&str], arrays: &mut Vec<Vec<String>>) -> Result<(), serde_json::Error> {
    let [name, rest @ ..] = path else {
        arrays
            .push(serde_json::from_str::<Vec<&RawValue>>(json.get())?.iter().map(|row| row.get().to_owned()).collect());
        return Ok(());
    };
    for value in
        serde_json::from_str::<Members>(json.get())?.0.into_iter().filter(|(found, _)| found == name.as_bytes())
    {
        collect(value.1, rest, arrays)?;
    }
    Ok(())
}

/// The members of an object in their order, with their names as bytes: half of a surrogate pair is no text.
struct Members<'j>(Vec<(Vec<u8>, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some((Name(name), value)) = members.next_entry()? {
                    all.push((name, value));
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

struct Name(Vec<u8>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Name;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.as_bytes().to_vec()))
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(Name(name.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Reader)
    }
}

/// A dialect of CSV by its words.
struct Dialect {
    delimiter: Option<u8>,
    header: Header,
    is_unique: bool,
}

#[derive(PartialEq)]
enum Header {
    First,
    Names(Vec<String>),
    Positions,
}

impl Dialect {
    fn of(words: &[&str]) -> Option<Self> {
        let mut dialect = Self { delimiter: None, header: Header::First, is_unique: false };
        for word in words {
            match word.as_bytes() {
                b"unique" => dialect.is_unique = true,
                b"positions" => dialect.header = Header::Positions,
                b"tab" => dialect.delimiter = Some(b'\t'),
                [b'=', ..] => dialect.header = Header::Names(word[1..].split(',').map(str::to_owned).collect()),
                [delimiter @ (b'!'..=b'/' | b':'..=b'~')] if !delimiter.is_ascii_alphabetic() && *delimiter != b'"' => {
                    dialect.delimiter = Some(*delimiter);
                }
                _ => return None,
            }
        }
        Some(dialect)
    }

    fn format(&self) -> RowFormat {
        let format = self.delimiter.map_or(RowFormat::csv(), |delimiter| RowFormat::csv().delimiter(delimiter));
        let format = if self.is_unique { format.unique_names() } else { format };
        match &self.header {
            Header::First => format,
            Header::Names(names) => format.columns(names),
            Header::Positions => format.positions(),
        }
    }

    /// A reader that gives rows gives those of the csv crate. What looks like another dialect is refused.
    fn check(&self, body: &[u8]) -> Corpus {
        let cells = |row: RawRow| -> Vec<(String, String)> {
            row.fields().unwrap().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
        };
        let format = self.format();
        let whole = given_whole(&reader(&format), body, &cells);
        given(&reader(&format), body, &cells, &whole);
        for row in whole.rows.iter().flatten() {
            let names: BTreeSet<_> = row.iter().map(|(name, _)| name).collect();
            // The caller may name two columns alike.
            assert!(names.len() == row.len() || matches!(self.header, Header::Names(_)), "a name twice");
        }
        let delimiter = self.delimiter.unwrap_or(b',');
        let body = body.strip_prefix(MARK).unwrap_or(body);
        let as_comma = body.iter().map(|byte| match byte {
            b',' => delimiter,
            byte if *byte == delimiter => b',',
            byte => *byte,
        });
        if whole.error.is_none() && !stray::has_stray_quote(&as_comma.collect::<Vec<u8>>()) {
            let rows: Vec<_> = whole.rows.iter().map(|row| row.as_ref().map(|row| values(row))).collect();
            assert_eq!(rows, self.rows(body, delimiter));
        }
        Corpus::Keep
    }

    fn rows(&self, body: &[u8], delimiter: u8) -> Vec<Option<Vec<String>>> {
        // An empty line before it, so that nothing is taken for another mark.
        let body = [b"\n", body, b"\n"].concat();
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(&body[..]);
        let records = reader.into_byte_records().map(Result::unwrap).map(csv::StringRecord::from_byte_record);
        let mut records = records.map(Result::ok).peekable();
        let columns = match &self.header {
            Header::Names(names) => names.len(),
            header => {
                while self.delimiter.is_some()
                    && records.peek().is_some_and(|record| record.as_ref().is_some_and(is_hint))
                {
                    records.next();
                }
                let first = if *header == Header::First { records.next() } else { records.peek().cloned() };
                first.flatten().map_or(0, |first| first.len())
            }
        };
        let row = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
        records.map(|record| record.filter(|record| record.len() == columns).map(row)).collect()
    }
}

fn values(row: &[(String, String)]) -> Vec<String> {
    row.iter().map(|(_, text)| text.clone()).collect()
}

/// The line by which Excel is told the delimiter.
fn is_hint(record: &csv::StringRecord) -> bool {
    record.len() == 2 && record[0].eq_ignore_ascii_case("sep=") && record[1].is_empty()
}
