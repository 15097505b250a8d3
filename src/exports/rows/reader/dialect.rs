//! Checks of the CSV dialect against the first record, which reject another dialect instead of misreading it.

use std::collections::HashSet;

use csv::StringRecord;

use crate::{
    error::name::shown,
    exports::rows::format::{CsvDialect, Header},
};

/// Common delimiters and their Rust literals.
const KNOWN: [(u8, &str); 4] = [(b',', "b','"), (b';', "b';'"), (b'\t', r"b'\t'"), (b'|', "b'|'")];

/// Counts the delimiters outside quotes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DelimiterCounts {
    counts: [usize; KNOWN.len()],
    is_quoted: bool,
}

impl DelimiterCounts {
    pub(super) fn observe(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'"' {
                self.is_quoted = !self.is_quoted;
            } else if !self.is_quoted
                && let Some(at) = KNOWN.iter().position(|(known, _)| known == byte)
            {
                self.counts[at] += 1;
            }
        }
    }
}

/// Returns true for a `sep=;` line, by which Excel declares the delimiter, if it is the delimiter set.
pub(super) fn is_separator_line(fields: &StringRecord, delimiter: Option<u8>) -> bool {
    delimiter.is_some() && fields.len() == 2 && fields[0].eq_ignore_ascii_case("sep=") && fields[1].is_empty()
}

/// Rejects a first record that looks like another dialect.
pub(super) fn check(fields: &StringRecord, delimiters: DelimiterCounts, dialect: &CsvDialect) -> Result<(), String> {
    let first = fields.get(0).unwrap_or_default().trim_start();
    let starts = |starts: &[&str]| starts.iter().any(|start| first.to_ascii_lowercase().starts_with(start));
    if first == "{" || first == "[" || starts(&["{\"", "[{", "[[", "[\"", "[]", "{}"]) {
        return Err("it looks like JSON and not like CSV; set `RowFormat::json_array`, `RowFormat::json_lines` or \
                    `RowFormat::json_member`"
            .to_owned());
    }
    if starts(&["<!", "<?xml", "<html"]) {
        return Err("it looks like HTML or XML and not like CSV; read it with `text`".to_owned());
    }
    let used = dialect.delimiter.unwrap_or(b',');
    let others = KNOWN.iter().zip(delimiters.counts).filter(|((known, _), count)| *known != used && *count > 0);
    if let Some(((_, other), count)) = others.max_by_key(|(_, count)| *count) {
        let columns = fields.len();
        let is_other =
            columns == 1 || dialect.header != Header::Positions && dialect.delimiter.is_none() && count + 1 >= columns;
        if is_other {
            return Err(format!(
                "its first line has {columns} fields by its delimiter and {} by another; set \
                 `RowFormat::csv().delimiter({other})`, or its names by `RowFormat::csv().columns(…)`",
                count + 1
            ));
        }
    }
    if dialect.header == Header::Guessed && fields.iter().any(is_value) {
        return Err(
            "its first line looks like values and not like a header; set `RowFormat::csv()` if it is one, else \
                    `RowFormat::csv().columns(…)` or `RowFormat::csv().positions()`"
                .to_owned(),
        );
    }
    Ok(())
}

/// Returns true for a number or a date, which is unlikely to be a column name.
fn is_value(field: &str) -> bool {
    let field = field.trim();
    let is_number = field.bytes().any(|byte| byte.is_ascii_digit())
        && field.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,:TZ ".contains(&byte));
    is_number || field.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Returns the column names of a header.
pub(super) fn names(fields: &StringRecord, makes_unique: bool) -> Result<StringRecord, String> {
    let mut used: HashSet<String> = HashSet::new();
    let mut names = StringRecord::new();
    for (number, name) in (1..).zip(fields) {
        if !makes_unique {
            if !used.insert(name.to_owned()) {
                return Err(format!(
                    "its header has the column {} twice; set `RowFormat::csv().unique_names()`",
                    shown(name)
                ));
            }
            names.push_field(name);
            continue;
        }
        let base = if name.trim().is_empty() { format!("column_{number}") } else { name.to_owned() };
        // A name in the header is reserved for its own column.
        let is_free = |candidate: &str, used: &HashSet<String>| {
            !used.contains(candidate) && (candidate == name || !fields.iter().any(|other| other == candidate))
        };
        let mut unique = base.clone();
        let mut count = 1_u64;
        while !is_free(&unique, &used) {
            count += 1;
            unique = format!("{base}_{count}");
        }
        names.push_field(&unique);
        used.insert(unique);
    }
    Ok(names)
}
