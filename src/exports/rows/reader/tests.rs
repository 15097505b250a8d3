//! Comparison of the reader with other readers, on whole and split bodies.

mod dialect;
mod line;
mod numbers;
mod stray;

use std::collections::HashSet;

use proptest::{prelude::*, sample::Index};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::{
    ErrorKind,
    exports::{RawRow, rows::syntax::ONE_OBJECT},
};

const ARRAY: &str = "application/json";
const LINES: &str = "application/jsonl";
const CSV: &str = "text/csv";

/// The result of a reader: rows, the numbers of those that did not fit, and the final error.
#[derive(Debug, PartialEq)]
struct Outcome<T> {
    rows: Vec<(u64, T)>,
    mismatches: Vec<u64>,
    end: Option<String>,
}

impl<T> Outcome<T> {
    /// Returns the rows if there were no errors.
    fn accepted(self) -> Option<Vec<T>> {
        let is_good = self.mismatches.is_empty() && self.end.is_none();
        is_good.then(|| self.rows.into_iter().map(|(_, row)| row).collect())
    }

    /// Returns all but the error message, which may depend on what follows in the chunk.
    fn shape(self) -> (Vec<(u64, T)>, Vec<u64>, bool) {
        (self.rows, self.mismatches, self.end.is_some())
    }
}

fn drain<T: FromRow>(reader: &mut RowReader, outcome: &mut Outcome<T>) {
    while let Some(row) = reader.next_row() {
        assert!(outcome.end.is_none(), "an item after the last error");
        match row {
            Ok(row) => outcome.rows.push((reader.received(), row)),
            Err(error) if error.kind() == ErrorKind::Row => {
                assert_eq!(error.row(), Some(reader.received()), "{error}");
                outcome.mismatches.push(reader.received());
            }
            Err(error) => {
                assert_eq!((error.kind(), error.row()), (ErrorKind::Response, None), "{error}");
                outcome.end = Some(error.to_string());
            }
        }
    }
}

/// Reads these chunks, row by row or after all of them.
fn read_chunks<T: FromRow>(mut reader: RowReader, pieces: &[&[u8]], at_once: bool) -> Outcome<T> {
    let mut outcome = Outcome { rows: Vec::new(), mismatches: Vec::new(), end: None };
    for piece in pieces {
        reader.push(piece.to_vec());
        if !at_once {
            drain(&mut reader, &mut outcome);
        }
    }
    reader.finish();
    drain(&mut reader, &mut outcome);
    reader.push(b"[1]".to_vec());
    drain(&mut reader, &mut outcome);
    outcome
}

fn reader(content_type: &str) -> RowReader {
    RowReader::new(Some(content_type).filter(|text| !text.is_empty())).unwrap()
}

fn read<T: FromRow>(content_type: &str, body: impl AsRef<[u8]>) -> Outcome<T> {
    read_chunks(reader(content_type), &[body.as_ref()], false)
}

fn read_bytewise<T: FromRow>(content_type: &str, body: impl AsRef<[u8]>) -> Outcome<T> {
    let pieces: Vec<&[u8]> = body.as_ref().chunks(1).collect();
    read_chunks(reader(content_type), &pieces, false)
}

/// Splits the body at these places.
fn cut<'b>(body: &'b [u8], places: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places.windows(2).map(|ends| &body[ends[0]..ends[1]]).collect()
}

/// A row with a value of each kind.
#[derive(Clone, Debug, Deserialize, PartialEq)]
struct Record {
    code: String,
    zone: Option<i64>,
    #[serde(default)]
    price: f64,
    #[serde(default)]
    tags: Vec<Option<bool>>,
    #[serde(default)]
    more: Value,
}

/// Accepts any JSON and ignores it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
struct Anything(#[serde(deserialize_with = "pass_over")] ());

fn pass_over<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| ())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z\"\\\\\\[\\]{},: \n\té😀]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\{}]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    (any::<String>(), any::<Option<i64>>(), any::<f64>(), prop::collection::vec(any::<Option<bool>>(), 0..3), value())
        .prop_map(|(code, zone, price, tags, more)| {
            json!({"code": code, "zone": zone, "price": price, "tags": tags, "more": more})
        })
}

/// Rows of any kind, mostly records.
fn rows() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(prop_oneof![3 => record(), 1 => value()], 0..6)
}

fn blanks() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

/// Changes that make other JSON or invalid JSON.
fn harm() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    let byte = prop::sample::select(
        b"[]{},:\"\\ \n\r\t0123456789-+.eEtrufalsn/x\x00\x0C\x1F\xC3\xA9\xEF\xBB\xBF\xFF".to_vec(),
    );
    prop::collection::vec((any::<Index>(), 0..3_u8, byte), 1..4)
}

fn harmed(mut body: Vec<u8>, harm: &[(Index, u8, u8)]) -> Vec<u8> {
    for (place, way, byte) in harm {
        let at = place.index(body.len() + 1);
        match way {
            0 => body.insert(at, *byte),
            1 if at < body.len() => body[at] = *byte,
            _ if at < body.len() => drop(body.remove(at)),
            _ => body.truncate(body.len() / 2),
        }
    }
    body
}

fn array_of(rows: &[Value], blank: &str) -> Vec<u8> {
    let rows: Vec<String> = rows.iter().map(|row| format!("{blank}{row}{blank}")).collect();
    format!("{blank}[{}]{blank}", if rows.is_empty() { blank.to_owned() } else { rows.join(",") }).into_bytes()
}

fn lines_of(rows: &[Value], blank: &str) -> Vec<u8> {
    rows.iter().map(|row| format!("{row}{blank}\n")).collect::<String>().into_bytes()
}

/// Reads JSON lines by serde_json alone.
fn other_lines<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Option<Vec<T>> {
    let is_blank = |line: &&[u8]| line.iter().all(|byte| b" \t\r".contains(byte));
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !is_blank(line));
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Reads CSV by the csv crate.
fn other_csv(body: &[u8]) -> Option<Vec<Vec<String>>> {
    let mut reader = csv::Reader::from_reader(body);
    let header = reader.headers().ok()?.clone();
    let mut names = HashSet::new();
    if !header.iter().all(|name| names.insert(name)) {
        return None;
    }
    let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|record| record.ok().map(fields)).collect()
}

/// Returns true if a quoted field is not closed at the end.
fn has_open_quote(body: &[u8]) -> bool {
    let lines = |body: &[u8]| {
        let records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body).into_byte_records();
        records.map(|record| record.unwrap().iter().map(<[u8]>::len).sum::<usize>()).sum::<usize>()
    };
    lines(&[body, b"\n"].concat()) != lines(body)
}

fn fields(row: &RawRow) -> Vec<String> {
    row.fields().unwrap().map(|(_, field)| field.to_owned()).collect()
}

fn same_as_serde_json<T>(body: &[u8], pieces: &[&[u8]], at_once: bool) -> Result<(), TestCaseError>
where
    T: FromRow + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug,
{
    let unmarked = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let whole = read::<T>(ARRAY, body);
    prop_assert_eq!(read_chunks::<T>(reader(ARRAY), pieces, at_once).shape(), read::<T>(ARRAY, body).shape());
    prop_assert_eq!(whole.accepted(), serde_json::from_slice::<Vec<T>>(unmarked).ok());
    let whole = read::<T>(LINES, body);
    prop_assert_eq!(read_chunks::<T>(reader(LINES), pieces, at_once).shape(), read::<T>(LINES, body).shape());
    prop_assert_eq!(whole.accepted(), other_lines::<T>(unmarked));
    Ok(())
}

proptest! {
    #[test]
    fn an_array_cut_anywhere_gives_the_rows_of_serde_json(rows in rows(), blank in blanks(), places: Vec<Index>) {
        let body = array_of(&rows, &blank);
        let read = read_chunks::<Value>(reader(ARRAY), &cut(&body, &places), false).accepted();
        prop_assert_eq!(read.as_ref(), Some(&serde_json::from_slice(&body).unwrap()));
    }

    #[test]
    fn lines_cut_anywhere_give_the_rows_of_serde_json(rows in rows(), blank in "[ \t\r]{0,2}\n?", places: Vec<Index>) {
        let body = lines_of(&rows, &blank);
        let read = read_chunks::<Value>(reader(LINES), &cut(&body, &places), false).accepted();
        prop_assert_eq!(read.as_ref().map(Vec::len), Some(rows.len()));
        prop_assert_eq!(read, other_lines(&body));
    }

    #[test]
    fn exactly_the_rows_that_serde_json_rejects_are_rejected(
        rows in rows(), blank in blanks(), as_lines: bool, harm in harm(), places: Vec<Index>, at_once: bool,
    ) {
        let body = if as_lines { lines_of(&rows, &blank) } else { array_of(&rows, &blank) };
        let body = harmed(body, &harm);
        let pieces = cut(&body, &places);
        same_as_serde_json::<Value>(&body, &pieces, at_once)?;
        same_as_serde_json::<Record>(&body, &pieces, at_once)?;
        same_as_serde_json::<Anything>(&body, &pieces, at_once)?;
        same_as_serde_json::<f64>(&body, &pieces, at_once)?;
        same_as_serde_json::<Option<Vec<String>>>(&body, &pieces, at_once)?;
    }

    #[test]
    fn short_bodies_are_read_as_by_serde_json(body in "[\\[\\]{}, 01.e\"\\\\\ntrue-]{0,9}", places: Vec<Index>, at_once: bool) {
        let pieces = cut(body.as_bytes(), &places);
        same_as_serde_json::<Value>(body.as_bytes(), &pieces, at_once)?;
        same_as_serde_json::<u8>(body.as_bytes(), &pieces, at_once)?;
    }

    #[test]
    fn a_row_that_does_not_fit_does_not_affect_others(rows in prop::collection::vec(prop_oneof![record(), value()], 0..6), places: Vec<Index>) {
        for body in [(ARRAY, array_of(&rows, " ")), (LINES, lines_of(&rows, " "))] {
            let outcome = read_chunks::<Record>(reader(body.0), &cut(&body.1, &places), false);
            prop_assert_eq!(outcome.end, None);
            let numbered = rows.iter().zip(1..).map(|(row, number)| (number, serde_json::from_str::<Record>(&row.to_string()).ok()));
            let (good, bad): (Vec<_>, Vec<_>) = numbered.partition(|(_, row)| row.is_some());
            prop_assert_eq!(outcome.rows, good.into_iter().map(|(number, row)| (number, row.unwrap())).collect::<Vec<_>>());
            prop_assert_eq!(outcome.mismatches, bad.into_iter().map(|(number, _)| number).collect::<Vec<_>>());
        }
    }

    #[test]
    fn csv_cut_anywhere_gives_the_rows_of_the_csv_crate(
        body in "([ab0,]|\"[a\n,]?\"|\"\"|\r?\n|é|\"){0,24}", harm in prop::option::of(harm()), places: Vec<Index>, at_once: bool,
    ) {
        let body = harm.map_or(body.clone().into_bytes(), |harm| harmed(body.into_bytes(), &harm));
        // Other dialects and syntaxes are rejected, even if the csv crate reads them.
        prop_assume!(!body.iter().any(|byte| b"\t[{".contains(byte)));
        let reader = |_| RowReader::with_format(Some(CSV), RowFormat::csv()).unwrap();
        // The csv crate strips a second byte order mark too.
        prop_assume!(!body.starts_with(b"\xEF\xBB\xBF"));
        let cut = read_chunks::<RawRow>(reader(CSV), &cut(&body, &places), at_once);
        let whole = read_chunks::<RawRow>(reader(CSV), &[&body], false);
        prop_assert_eq!(&whole, &cut);
        let unmarked = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
        let expected = other_csv(&body).filter(|_| !has_open_quote(&body) && !stray::has_stray_quote(unmarked));
        prop_assert_eq!(whole.accepted().map(|rows| rows.iter().map(fields).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn a_byte_order_mark_before_the_first_row_is_skipped(rows in rows(), places: Vec<Index>) {
        for (content_type, body) in [(ARRAY, array_of(&rows, "")), ("", array_of(&rows, "\n"))] {
            let marked = [BYTE_ORDER_MARK, &body].concat();
            let read = read_chunks::<Value>(reader(content_type), &cut(&marked, &places), false).accepted();
            prop_assert_eq!(read.as_ref(), Some(&serde_json::from_slice(&body).unwrap()));
        }
    }

    #[test]
    fn the_row_limit_is_independent_of_the_chunks(sizes in prop::collection::vec(0..40_usize, 1..5), places: Vec<Index>) {
        let rows: Vec<Value> = sizes.iter().map(|size| "x".repeat(*size).into()).collect();
        for (content_type, body) in [(ARRAY, array_of(&rows, " ")), (LINES, lines_of(&rows, ""))] {
            let limited = reader(content_type).row_limit(22);
            let outcome = read_chunks::<RawRow>(limited, &cut(&body, &places), false);
            let fit = sizes.iter().take_while(|size| **size <= 20).count();
            prop_assert_eq!(outcome.rows.len(), fit);
            let expected = format!("row {} is larger than the limit of 22 bytes for a row", fit + 1);
            prop_assert_eq!(outcome.end.is_some_and(|end| end.ends_with(&expected)), fit < sizes.len());
        }
    }
}

#[test]
fn every_defect_of_an_array_has_its_own_error() {
    for (body, rows, end) in [
        ("[1,2", 1, "it ends within row 2: it was cut"),
        ("[1,2 ", 2, "the closing `]` is missing after 2 rows: it was cut"),
        ("[1,", 1, "the closing `]` is missing after 1 rows: it was cut"),
        ("[", 0, "the closing `]` is missing after 0 rows: it was cut"),
        (r#"[1,{"a":[1,{"b":"#, 1, "it ends within row 2: it was cut"),
        (r#"[1,"a\"]"#, 1, "it ends within row 2: it was cut"),
        (r#"[{"a":1 "b":[],{"#, 0, "row 1: invalid JSON (line 1, column 8 of the row)"),
        ("[1 2]", 1, "row 1 is followed by neither `,` nor `]`"),
        (r#"[1"a"]"#, 1, "row 1 is followed by neither `,` nor `]`"),
        ("[1{}]", 1, "row 1 is followed by neither `,` nor `]`"),
        ("[1[]]", 1, "row 1 is followed by neither `,` nor `]`"),
        ("[1,,2]", 1, "row 2 is missing: there is an extra `,`"),
        ("[1,2,]", 2, "row 3 is missing: there is an extra `,`"),
        ("[,]", 0, "row 1 is missing: there is an extra `,`"),
        ("[1}", 1, "row 1 is followed by neither `,` nor `]`"),
        (r#"[{"a":1]]"#, 0, "row 1: invalid JSON (line 1, column 7 of the row)"),
        ("[1]]", 1, "more follows after the closing `]`"),
        ("[1] {\"error\":1}", 1, "more follows after the closing `]`"),
        ("[1][2]", 1, "more follows after the closing `]`"),
        ("null", 0, "it is not a JSON array"),
        ("{}", 0, ONE_OBJECT),
        (" \n", 0, EMPTY),
        ("", 0, EMPTY),
        ("\u{FEFF}", 0, EMPTY),
        ("\u{FEFF}\u{FEFF}[]", 0, "it is not a JSON array"),
    ] {
        for outcome in [read::<Value>(ARRAY, body), read_bytewise(ARRAY, body)] {
            let text = outcome.end.unwrap_or_default();
            assert_eq!(text.rsplit_once("cannot be read: ").unwrap_or_default().1, end, "{body}");
            assert_eq!((outcome.rows.len(), outcome.mismatches), (rows, vec![]), "{body}");
        }
        for outcome in [read::<RawRow>(ARRAY, body), read_bytewise(ARRAY, body)] {
            assert!(outcome.end.is_some_and(|text| text.ends_with(end)), "{body}");
            assert_eq!((outcome.rows.len(), outcome.mismatches), (rows, vec![]), "{body}");
        }
    }
}

#[test]
fn every_defect_of_lines_and_csv_has_its_own_error() {
    let over_lines =
        "row 1 continues on the next line; expected one row on each line; read a single JSON object with `json`";
    for (content_type, body, rows, end) in [
        (LINES, "{\"a\":1}\n{\"a\":", 1, "it ends within row 2: it was cut"),
        (LINES, "{\n\"a\": 1\n}\n", 0, over_lines),
        (LINES, "{\"a\":1} {\"a\":2}\n", 0, "row 1: invalid JSON (line 1, column 9 of the row)"),
        (LINES, "{\"a\":1}\n<html>\n", 1, "row 2: invalid JSON (line 1, column 1 of the row)"),
        (LINES, "{\"a\":1}\n\u{c}\n", 1, "row 2: invalid JSON (line 1, column 1 of the row)"),
        (LINES, "1\n]", 1, "row 2: invalid JSON (line 1, column 1 of the row)"),
        (
            "",
            "<html>",
            0,
            "it does not look like JSON; rows are a JSON array, JSON lines or CSV; set the right `RowFormat` if it is one of them, or read it with `text` or `bytes`",
        ),
        ("", "\n \n", 0, EMPTY),
        (CSV, "a,b\n1,2\n3", 1, "it ends within row 2: it was cut"),
        (CSV, "a,b\n1,2\n3,\"x\n", 1, "it ends within row 2, in a quote that is not closed: it was cut"),
        (CSV, "a,b\n1,2\n3,\"", 1, "it ends within row 2, in a quote that is not closed: it was cut"),
        (CSV, "a,\"b\n1,2\n", 0, "a quote of its header is not closed"),
        (CSV, "a,b,a\n1,2,3\n", 0, "its header has the column `a` twice; set `RowFormat::csv().unique_names()`"),
    ] {
        let read = if content_type == CSV {
            [read::<Value>(content_type, body), read_bytewise(content_type, body)]
        } else {
            [read(content_type, body), read_bytewise(content_type, body)]
        };
        for outcome in read {
            let text = outcome.end.unwrap_or_default();
            assert_eq!(text.rsplit_once("cannot be read: ").unwrap_or_default().1, end, "{body}");
            assert_eq!((outcome.rows.len(), outcome.mismatches), (rows, vec![]), "{body}");
        }
    }
    let broken = read::<RawRow>(CSV, b"a\xFF\n1\n").end.unwrap();
    assert!(broken.ends_with("its header is not UTF-8"), "{broken}");
}

#[test]
fn a_defect_of_one_row_is_an_error_of_that_row() {
    let bad = b"[{\"code\":\"\xFF\",\"zone\":1},{\"code\":\"\\ud800\",\"zone\":1},{\"code\":\"a\",\"price\":1e999},7,{\"code\":\"b\",\"zone\":2}]";
    let outcome = read::<Record>(ARRAY, bad);
    assert_eq!((outcome.mismatches, outcome.rows.len(), outcome.end), (vec![1, 2, 3, 4], 1, None));
    let outcome = read::<Value>(CSV, b"a,b\n1,2\n\xFF,2\n1\n1,2,3\n3,4");
    assert_eq!((outcome.mismatches, outcome.rows.len(), outcome.end), (vec![2, 3, 4], 2, None));
}

#[test]
fn csv_without_a_header_is_rejected_in_every_spelling() {
    for parameters in ["header=absent", "charset=utf-8; Header=\"absent\"", "header=ABSENT ; charset=utf-8"] {
        let error = RowReader::new(Some(&format!("text/csv; {parameters}"))).unwrap_err();
        assert!(error.to_string().contains("without a header"), "{parameters}: {error}");
    }
    reader("text/csv; header=present; note=\"header=absent\"");
}

#[test]
fn a_charset_other_than_utf_8_is_rejected() {
    for content_type in ["text/csv; charset=iso-8859-1", "application/json;charset=\"UTF-16\""] {
        let error = RowReader::new(Some(content_type)).unwrap_err().to_string();
        assert!(error.contains("rows are read in UTF-8"), "{content_type}: {error}");
    }
    for content_type in ["text/csv; charset=\"UTF-8\"", "application/json; charset=us-ascii", "text/csv; charset="] {
        reader(content_type);
    }
}

#[test]
fn characters_after_a_closing_quote_are_an_error() {
    let outcome = read::<Value>(CSV, b"a,b\n\"12\" pipe\",1\n12\" pipe,2\n\"x\"y,3\n\"x\",4");
    assert_eq!((outcome.mismatches, outcome.rows.len(), outcome.end), (vec![1, 3], 2, None));
    let outcome = read::<Value>(CSV, b"\"a\"b,c\n1,2\n");
    assert_eq!(
        (outcome.rows.len(), outcome.end.is_some_and(|end| end.contains("its header has characters after"))),
        (0, true)
    );
}

#[test]
fn a_column_name_is_sanitised_and_shortened_in_errors() {
    #[derive(Debug, Deserialize)]
    struct Numbers(#[allow(dead_code)] std::collections::BTreeMap<String, i64>);
    for (name, shown) in
        [("a\nb\u{1b}", "a\u{fffd}b\u{fffd}".to_owned()), (&"x".repeat(999), format!("{}…", "x".repeat(200)))]
    {
        let mut reader = reader(CSV);
        reader.push(format!("\"{name}\"\ns3cr3t\n"));
        let error = reader.next_row::<Numbers>().unwrap().unwrap_err().to_string();
        assert!(error.ends_with(&format!("row 1, at `{shown}`: expected i64, found string")), "{error}");
    }
}

#[test]
fn a_byte_order_mark_between_rows_is_an_error() {
    for (content_type, body) in [(ARRAY, "[\u{feff}1,2]"), (ARRAY, "[1,\u{feff}2]"), (LINES, "1\n\u{feff}2\n")] {
        let outcome = read::<Value>(content_type, body);
        assert!(outcome.end.is_some() || !outcome.mismatches.is_empty(), "{body:?}: {:?}", outcome.rows);
    }
    assert_eq!(read::<Value>(ARRAY, "\u{feff}[1]").accepted().unwrap(), [json!(1)]);
}

#[test]
fn a_deeply_nested_row_does_not_overflow_the_stack() {
    let deep = format!("[1,{}{},2]", "[".repeat(100_000), "]".repeat(100_000));
    for outcome in [read::<Value>(ARRAY, &deep), read_bytewise(ARRAY, &deep)] {
        assert_eq!((outcome.mismatches, outcome.rows.len(), outcome.end), (vec![2], 2, None));
    }
}

#[test]
fn a_row_is_returned_as_soon_as_it_is_complete() {
    for (content_type, pieces) in
        [(ARRAY, [&b"[{\"a\":1}"[..], b",\"x\"", b",[]"]), (LINES, [b"{\"a\":1}\n", b"\"x\"\n", b"[]\n"])]
    {
        let mut reader = reader(content_type);
        for (number, piece) in (1..).zip(pieces) {
            reader.push(piece);
            reader.next_row::<Value>().unwrap().unwrap();
            assert!(reader.next_row::<Value>().is_none());
            assert_eq!(reader.received(), number);
        }
    }
}

/// Pushes the same chunk until there is an error, at most `most` times.
fn push_repeatedly(content_type: &str, start: &str, piece: &[u8], most: usize) -> (RowReader, Option<(usize, String)>) {
    let mut reader = reader(content_type).row_limit(10_000);
    reader.push(start.as_bytes().to_vec());
    for n in 0..most {
        match reader.next_row::<RawRow>() {
            None => reader.push(piece.to_vec()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return (reader, Some((n * piece.len(), error.to_string()))),
        }
    }
    (reader, None)
}

#[test]
fn an_endless_row_is_an_error_at_the_limit() {
    for (content_type, start, piece) in [
        (ARRAY, "[\"", &[b'x'; 100][..]),
        (ARRAY, "[", &[b'['; 100]),
        (ARRAY, "[", &[b'1'; 100]),
        (ARRAY, "[{\"a\":1", &[b' '; 100]),
        (LINES, "\"", &[b'x'; 100]),
        (LINES, "1", &[b' '; 100]),
        (CSV, "", &[b'x'; 100]),
        (CSV, "a\n", &[b'x'; 100]),
        (CSV, "a\n\"", &[b'\n'; 100]),
        (CSV, "", &[b','; 10]),
    ] {
        let (_, error) = push_repeatedly(content_type, start, piece, 1000);
        let (pushed, text) = error.unwrap();
        assert!(pushed <= 10_200, "{start} {pushed}");
        assert!(text.ends_with("is larger than the limit of 10000 bytes for a row"), "{text}");
    }
}

#[test]
fn endless_white_space_is_skipped() {
    for (content_type, start) in
        [("", ""), (ARRAY, ""), (ARRAY, "["), (ARRAY, "[1"), (ARRAY, "[1]"), (LINES, ""), (LINES, "1\n"), (CSV, "")]
    {
        let (reader, error) = push_repeatedly(content_type, start, &[b'\n'; 1000], 3000);
        assert!(error.is_none() && reader.waiting.len() <= 1, "{content_type} {start} {error:?}");
    }
}

/// Takes an hour if each chunk is parsed from the start of the row.
#[test]
fn a_large_row_in_chunks_of_one_byte_is_read_in_linear_time() {
    let text = "x".repeat(1 << 20);
    for body in [format!("[\"{text}\"]"), format!("\"{text}\"\n"), format!("a\n{text}\n")] {
        let content_type = match body.as_bytes()[0] {
            b'[' => ARRAY,
            b'"' => LINES,
            _ => CSV,
        };
        assert_eq!(read_bytewise::<RawRow>(content_type, body).accepted().unwrap().len(), 1);
    }
}

#[test]
fn a_raw_row_is_unchanged() {
    let rows = read_bytewise::<RawRow>(ARRAY, "[ {\"a\" : 1.50} ,\"\\u0041\",1e999 ]").accepted().unwrap();
    assert_eq!(
        rows.iter().map(|row| row.json().unwrap()).collect::<Vec<_>>(),
        ["{\"a\" : 1.50}", "\"\\u0041\"", "1e999"]
    );
    assert!(rows[0].fields().is_none());
    let rows = read_bytewise::<RawRow>(CSV, "code,zone\n0940,\"a \"\"b\"\"\"\n").accepted().unwrap();
    assert_eq!(rows[0].fields().unwrap().collect::<Vec<_>>(), [("code", "0940"), ("zone", "a \"b\"")]);
    assert!(rows[0].json().is_none());
    assert_eq!(format!("{rows:?}"), "[RawRow(CSV)]");
}

#[test]
fn one_complete_byte_order_mark_is_skipped() {
    // The first character of the second body has the first bytes of a mark.
    for (body, name) in [("\u{FEFF}a", "a"), ("\u{FEFE}a", "\u{FEFE}a"), ("\u{FEFF}\u{FEFF}a", "\u{FEFF}a")] {
        let body = format!("{body}\n1\n");
        for outcome in [read::<RawRow>(CSV, &body), read_bytewise(CSV, &body)] {
            let row = &outcome.accepted().unwrap()[0];
            assert_eq!(row.fields().unwrap().collect::<Vec<_>>(), [(name, "1")]);
        }
    }
}

#[test]
fn types_may_change_from_row_to_row() {
    let mut reader = reader(ARRAY);
    reader.push(b"[1,\"a\"]".to_vec());
    assert_eq!(reader.next_row::<u8>().unwrap().unwrap(), 1);
    assert_eq!(reader.next_row::<String>().unwrap().unwrap(), "a");
    assert_eq!(format!("{reader:?}"), r#"RowReader { content_type: Some("application/json"), received: 2, .. }"#);
}

/// `u8::is_ascii_whitespace` includes the form feed, which is not white space of JSON.
#[test]
fn a_form_feed_is_no_white_space_whether_the_syntax_is_given_or_inferred() {
    for content_type in [None, Some(LINES)] {
        for (body, rows) in [("\n{\"a\":1}\u{c}\n{\"a\":2}\n", 0), ("{\"a\":1}\n\u{c}\n", 1)] {
            for pieces in [vec![body.as_bytes()], body.as_bytes().chunks(1).collect()] {
                let outcome: Outcome<Value> = read_chunks(RowReader::new(content_type).unwrap(), &pieces, true);
                assert!(outcome.rows.len() == rows && outcome.end.is_some(), "{content_type:?}: {outcome:?}");
            }
        }
    }
}
