//! JSON lines, as an output format and for the spool file.

use std::{
    borrow::Cow,
    collections::HashSet,
    io::{self, Write},
};

use super::fields::RowFields;
use crate::exports::RawRow;

/// Writes a row as a line of JSON, without omitted fields. JSON rows are unchanged except for white space around line
/// breaks; a CSV record becomes an object of strings.
pub(super) fn write(row: &RawRow, omitted: &HashSet<String>, mut out: impl Write) -> io::Result<()> {
    match row.json() {
        Some(json) if omitted.is_empty() => out.write_all(on_one_line(json).as_bytes())?,
        Some(_) => {
            let mut fields = Vec::new();
            let read = RowFields::of(row).for_each(|name, value| {
                if !omitted.contains(name) {
                    fields.push((name.to_owned(), value));
                }
            });
            read.map_err(|found| io::Error::other(format!("expected an object, found {found}")))?;
            let fields = fields.iter().map(|(name, value)| (name.as_str(), value.json().unwrap_or("null")));
            write_object(fields, &mut out, |out, json| out.write_all(on_one_line(json).as_bytes()))?;
        }
        None => {
            let fields = row.fields().into_iter().flatten().filter(|(name, _)| !omitted.contains(*name));
            write_object(fields, &mut out, |out, text| Ok(serde_json::to_writer(out, text)?))?;
        }
    }
    out.write_all(b"\n")
}

/// Writes a row to the spool file. A CSV record is marked, so that [`spooled`] distinguishes it from an object.
pub(super) fn spool(row: &RawRow, omitted: &HashSet<String>, mut out: impl Write) -> io::Result<()> {
    if row.json().is_none() {
        out.write_all(b"[")?;
    }
    write(row, omitted, out)
}

/// Reads a row that [`spool`] has written.
pub(super) fn spooled(line: &str) -> RowFields<'_> {
    line.strip_prefix('[').map_or(RowFields::Json(line), RowFields::Spooled)
}

fn write_object<'a, W: Write>(
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    out: &mut W,
    value: impl Fn(&mut W, &str) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"{")?;
    for (index, (name, text)) in fields.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        serde_json::to_writer(&mut *out, name)?;
        out.write_all(b":")?;
        value(out, text)?;
    }
    out.write_all(b"}")
}

/// Removes white space between tokens if it includes a line break. (Line breaks in strings are escaped.)
fn on_one_line(json: &str) -> Cow<'_, str> {
    if !json.bytes().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return json.into();
    }
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        if in_string {
            in_string = is_escaped || *c != '"';
            is_escaped = !is_escaped && *c == '\\';
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    };
    Cow::Owned(json.chars().filter(is_kept).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::exports::FromRow;

    #[test]
    fn white_space_between_tokens_is_removed_only_with_line_breaks() {
        assert_eq!(on_one_line(r#"{ "a" : 1.0 }"#), r#"{ "a" : 1.0 }"#);
        let broken = "{\r\n\t\"a b\" : [ 1.00 ,\n 1E+2 ] , \"c\\\"\" : \"\\\\\" ,\n\"\\\\\\\" \": \" } \" }";
        assert_eq!(on_one_line(broken), r#"{"a b":[1.00,1E+2],"c\"":"\\","\\\" ":" } "}"#);
    }

    #[test]
    fn a_spooled_record_is_distinct_from_an_object() {
        let mut out = Vec::new();
        let row = RawRow::from_json(b"{\"a\":1}").unwrap();
        spool(&row, &HashSet::new(), &mut out).unwrap();
        let header = std::sync::Arc::new(csv::StringRecord::from(vec!["a", "b \""]));
        let record = RawRow::from_fields(&header, &csv::StringRecord::from(vec!["1", "x\ny"])).unwrap();
        spool(&record, &HashSet::new(), &mut out).unwrap();
        let lines: Vec<_> = std::str::from_utf8(&out).unwrap().lines().collect();
        assert_eq!(lines, ["{\"a\":1}", "[{\"a\":\"1\",\"b \\\"\":\"x\\ny\"}"]);
        for (line, row, fields) in [
            (lines[0], &row, vec![("a".to_owned(), super::super::value::FieldValue::Number("1"))]),
            (
                lines[1],
                &record,
                vec![
                    ("a".to_owned(), super::super::value::FieldValue::CsvField("1".into())),
                    ("b \"".to_owned(), super::super::value::FieldValue::CsvField("x\ny".into())),
                ],
            ),
        ] {
            for source in [spooled(line), RowFields::of(row)] {
                let mut found = Vec::new();
                source.for_each(|name, value| found.push((name.to_owned(), value))).unwrap();
                assert_eq!(found, fields);
            }
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\PC\\n\\r\\t\"\\\\ {}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a\\n\" ]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_row_means_the_same_on_one_line(value in any_json()) {
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let line = on_one_line(&pretty);
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        }
    }
}
