//! Cells of a sheet: text stays text, and a number is a number only if Excel keeps all its digits.

use std::{borrow::Cow, fmt::Write};

use crate::exports::files::{
    column::{Column, ColumnType, ColumnValue},
    value::FieldValue,
};

/// The styles of cells, by their position in [`STYLES`].
pub(super) const HEADER: u8 = 1;
const TEXT: u8 = 2;
const DATE: u8 = 3;
const TIMESTAMP: u8 = 4;
const DECIMAL: u8 = 5;

pub(super) const STYLES: &str = concat!(
    r#"<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>"#,
    r#"<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/><numFmt numFmtId="166" formatCode="0.00##"/></numFmts>"#,
    r#"<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>"#,
    r#"<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>"#,
    r#"<fills count="2"><fill><patternFill patternType="none"/></fill>"#,
    r#"<fill><patternFill patternType="gray125"/></fill></fills>"#,
    r#"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#,
    r#"<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>"#,
    r#"<cellXfs count="6"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>"#,
    r#"<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>"#,
    r#"<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>"#,
    r#"<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>"#,
    r#"<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>"#,
);

/// The maximum length of a string in UTF-16 code units.
const MAX_TEXT: usize = 32_767;
/// The first number with more digits than Excel keeps.
const TOO_LONG: u128 = 1_000_000_000_000_000;
/// 1970-01-01 as a day of Excel.
const EPOCH: i64 = 25_569;
/// From 1900-03-01, since Excel has a 29 February before it, to 9999-12-31.
const DAYS: std::ops::RangeInclusive<i64> = 61..=2_958_465;
const DAY_MICROS: i64 = 86_400_000_000;

/// Appends the cell of a value, and nothing for null and the empty string. Describes why a cell cannot hold the value.
pub(super) fn push_cell(
    out: &mut String,
    (letters, row): (&str, u32),
    kind: ColumnType,
    value: &FieldValue<'_>,
    read: &ColumnValue<'_>,
) -> Result<(), String> {
    let source = || value.plain().unwrap_or_default();
    let (style, content) = match read {
        ColumnValue::Null => return Ok(()),
        ColumnValue::Boolean(value) => (0, Content::Boolean(*value)),
        ColumnValue::Integer(value) if u128::from(value.unsigned_abs()) < TOO_LONG => {
            number(0, value.to_string().into())
        }
        ColumnValue::Decimal(units) if is_short(*units) => match kind {
            ColumnType::Decimal { scale: 0, .. } => number(0, source()),
            _ => number(DECIMAL, source()),
        },
        ColumnValue::Float(value) => number(0, value.to_string().into()),
        ColumnValue::Date(days) if DAYS.contains(&(i64::from(*days) + EPOCH)) => {
            number(DATE, (i64::from(*days) + EPOCH).to_string().into())
        }
        ColumnValue::Timestamp(micros) if serial(*micros).is_some() => {
            number(TIMESTAMP, serial(*micros).unwrap_or_default().to_string().into())
        }
        ColumnValue::Text(text) => (TEXT, Content::Text(text.as_ref().into())),
        ColumnValue::Integer(_) | ColumnValue::Decimal(_) | ColumnValue::Date(_) | ColumnValue::Timestamp(_) => {
            (TEXT, Content::Text(source()))
        }
    };
    if matches!(&content, Content::Text(text) if text.is_empty()) {
        return Ok(());
    }
    let _ = write!(out, r#"<c r="{letters}{row}""#);
    if style > 0 {
        let _ = write!(out, r#" s="{style}""#);
    }
    match content {
        Content::Boolean(value) => {
            out.push_str(if value { r#" t="b"><v>1</v></c>"# } else { r#" t="b"><v>0</v></c>"# })
        }
        Content::Number(number) => {
            let _ = write!(out, "><v>{number}</v></c>");
        }
        Content::Text(text) => {
            if text.len() > MAX_TEXT && text.encode_utf16().count() > MAX_TEXT {
                return Err(format!("expected at most {MAX_TEXT} characters in a cell of Excel, found more"));
            }
            push_text(out, &text);
        }
    }
    Ok(())
}

/// Returns a timestamp as a number of days, rounded to less than a microsecond in this century.
fn serial(micros: i64) -> Option<f64> {
    let day = micros.div_euclid(DAY_MICROS) + EPOCH;
    let serial = day as f64 + micros.rem_euclid(DAY_MICROS) as f64 / DAY_MICROS as f64;
    (DAYS.contains(&day) && serial < (DAYS.end() + 1) as f64).then_some(serial)
}

fn number(style: u8, number: Cow<'_, str>) -> (u8, Content<'_>) {
    (style, Content::Number(number))
}

enum Content<'r> {
    Boolean(bool),
    Number(Cow<'r, str>),
    Text(Cow<'r, str>),
}

/// Appends the rest of a cell that holds a string.
pub(super) fn push_text(out: &mut String, text: &str) {
    out.push_str(r#" t="inlineStr"><is><t"#);
    let is_space = |c: char| c.is_ascii_whitespace();
    if text.starts_with(is_space) || text.ends_with(is_space) || text.contains('\n') {
        out.push_str(r#" xml:space="preserve""#);
    }
    out.push('>');
    push_escaped(out, text);
    out.push_str("</t></is></c>");
}

/// Escapes what XML has no characters for as Excel does: `_x000D_`.
fn push_escaped(out: &mut String, text: &str) {
    let mut copied = 0;
    for (at, c) in text.char_indices() {
        let escaped = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\t' | '\n' => continue,
            // Such a text would be read as an escape.
            '_' if is_escape(&text.as_bytes()[at..]) => "_x005F_",
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&text[copied..at]);
                let _ = write!(out, "_x{:04X}_", u32::from(c));
                copied = at + c.len_utf8();
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[copied..at]);
        out.push_str(escaped);
        copied = at + c.len_utf8();
    }
    out.push_str(&text[copied..]);
}

fn is_escape(text: &[u8]) -> bool {
    matches!(text, [b'_', b'x', digits @ .., ] if digits.len() > 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) && digits[4] == b'_')
}

/// Returns true if Excel keeps all digits of a number, which may have zeros at its end.
fn is_short(units: i128) -> bool {
    let mut digits = units.unsigned_abs();
    while digits >= TOO_LONG && digits.is_multiple_of(10) {
        digits /= 10;
    }
    digits < TOO_LONG
}

/// Returns the width of a column in characters.
pub(super) fn width(column: &Column) -> usize {
    let least = match column.kind() {
        ColumnType::LocalTimestamp | ColumnType::Timestamp => 20,
        _ => 12,
    };
    (column.name().chars().count() + 3).clamp(least, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(kind: ColumnType, json: &str) -> String {
        let value = FieldValue::of_json(json);
        let read = kind.read(&value).unwrap();
        let mut out = String::new();
        push_cell(&mut out, ("A", 2), kind, &value, &read).unwrap();
        out
    }

    #[test]
    fn what_xml_has_no_characters_for_is_escaped_as_excel_does() {
        let text = |json| {
            let cell = cell(ColumnType::Text, json);
            let content = cell.strip_prefix(r#"<c r="A2" s="2" t="inlineStr"><is><t>"#).unwrap();
            content.strip_suffix("</t></is></c>").unwrap().to_owned()
        };
        assert_eq!(text(r#""a\r\u0000\u001fb\ufffe""#), "a_x000D__x0000__x001F_b_xFFFE_");
        assert_eq!(text(r#""_x0041_ _x41_ _x004_""#), "_x005F_x0041_ _x41_ _x004_");
        assert_eq!(text(r#""=1&<2>""#), "=1&amp;&lt;2&gt;");
        assert_eq!(cell(ColumnType::Text, r#""""#), "");
    }

    #[test]
    fn a_value_that_excel_would_change_is_text() {
        let is_text = |kind, json| cell(kind, json).contains("inlineStr");
        let decimal = ColumnType::Decimal { precision: 38, scale: 4 };
        for (kind, kept, changed) in [
            (ColumnType::Integer, "-999999999999999", "1000000000000000"),
            (decimal, "12345678901.2345", "12345678901234.5678"),
            (decimal, "1e20", "100000000000000001"),
            (ColumnType::Date, r#""1900-03-01""#, r#""1900-02-28""#),
            (ColumnType::Date, r#""9999-12-31""#, r#""0001-01-01""#),
            (ColumnType::LocalTimestamp, r#""9999-12-31T23:59:59""#, r#""9999-12-31T23:59:59.999999""#),
            (ColumnType::Timestamp, r#""1900-03-01T00:00:00Z""#, r#""1900-02-28T23:59:59Z""#),
        ] {
            assert!(!is_text(kind, kept), "{kept}");
            assert!(is_text(kind, changed), "{changed}");
        }
        assert_eq!(cell(decimal, "12.50"), r#"<c r="A2" s="5"><v>12.50</v></c>"#);
        assert_eq!(
            cell(ColumnType::LocalTimestamp, r#""2025-01-31T12:00:00""#),
            r#"<c r="A2" s="4"><v>45688.5</v></c>"#
        );
    }
}
