//! The line of a CSV record.

use proptest::prelude::*;

use crate::exports::{RawRow, RowFormat, RowReader};

proptest! {
    /// The line is where a record begins, whatever line breaks are in and between the records, and however they are cut.
    #[test]
    fn the_line_is_that_of_the_first_character(
        records in proptest::collection::vec((0_usize..3, 0_usize..3), 0..12),
        is_crlf in any::<bool>(),
        cut in 1_usize..9,
    ) {
        let end = if is_crlf { "\r\n" } else { "\n" };
        let (mut text, mut lines) = (format!("id{end}"), Vec::new());
        for (blank, inner) in records {
            text.push_str(&end.repeat(blank));
            lines.push(text.matches('\n').count() as u64 + 1);
            text.push_str(&format!("\"a{}b\"{end}", end.repeat(inner)));
        }
        let mut reader = RowReader::with_format(None, RowFormat::csv()).unwrap();
        let mut found = Vec::new();
        for chunk in text.as_bytes().chunks(cut) {
            reader.push(chunk.to_vec());
            while let Some(row) = reader.next_row::<RawRow>() {
                row.unwrap();
                found.push(reader.line().unwrap());
            }
        }
        reader.finish();
        prop_assert!(reader.next_row::<RawRow>().is_none());
        prop_assert_eq!(found, lines);
    }
}
