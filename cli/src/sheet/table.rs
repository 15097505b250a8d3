//! The rows of a CSV file.

use encoding_rs::{Decoder, DecoderResult};
use perenso::exports::{RawRow, RowFormat, RowReader};

use super::{
    Cell, Row, delimiter,
    encoding::{Detector, TextEncoding},
    source::Source,
};
use crate::output::Failure;

/// The rows of a CSV file.
pub(super) struct CsvSheet {
    source: Source,
    encoding: TextEncoding,
    decoder: Decoder,
    reader: RowReader,
    is_over: bool,
}

impl CsvSheet {
    /// Opens a file, and returns what it is.
    pub(super) fn open(
        mut source: Source,
        encoding: Option<TextEncoding>,
        delimiter: Option<u8>,
    ) -> Result<(Self, String), Failure> {
        let encoding = match encoding.or_else(|| TextEncoding::of_start(source.start())) {
            Some(encoding) => encoding,
            None => detect(&mut source)?,
        };
        source.rewind()?;
        let delimiter = delimiter.unwrap_or_else(|| {
            // A character that is cut at the end of the first chunk is behind the first line.
            let (start, _) = encoding.encoding().decode_without_bom_handling(source.start());
            delimiter::detect(&start)
        });
        let reader = RowReader::with_format(None, RowFormat::csv().delimiter(delimiter).positions())?;
        let decoder = encoding.encoding().new_decoder_with_bom_removal();
        let format = format!("CSV, {}, delimiter {}", encoding.name(), delimiter::name(delimiter));
        Ok((Self { source, encoding, decoder, reader, is_over: false }, format))
    }

    /// Returns the next row, the header first.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Failure> {
        loop {
            match self.reader.next_row::<RawRow>() {
                Some(Ok(row)) => {
                    let fields = row.fields().into_iter().flatten();
                    let cells: Vec<Cell> = fields.map(|(_, text)| Cell::of_text(text)).collect();
                    return Ok(Some(Row { line: self.reader.line().unwrap_or_default(), cells }));
                }
                Some(Err(error)) => return Err(self.broken(&error)),
                None if self.is_over => return Ok(None),
                None => self.fill()?,
            }
        }
    }

    /// Reads and decodes the next chunk.
    fn fill(&mut self) -> Result<(), Failure> {
        let chunk = self.source.read_chunk()?;
        self.is_over = chunk.is_empty();
        let length = self.decoder.max_utf8_buffer_length_without_replacement(chunk.len()).unwrap_or_default();
        let mut text = vec![0; length];
        let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(&chunk, &mut text, self.is_over);
        if result != DecoderResult::InputEmpty {
            return Err(Failure::usage(format!(
                "`{}` is not {}: name its encoding by `--encoding`",
                self.source.path.display(),
                self.encoding.name()
            )));
        }
        text.truncate(written);
        if text.contains(&0) {
            return Err(Failure::usage(format!(
                "`{}` is no spreadsheet: expected a .csv or .xlsx file",
                self.source.path.display()
            )));
        }
        self.reader.push(text);
        if self.is_over {
            self.reader.finish();
        }
        Ok(())
    }

    /// Returns the error of a row that cannot be read. Its cells cannot be told apart, so nothing of the file is loaded.
    fn broken(&self, error: &perenso::Error) -> Failure {
        let (path, text) = (self.source.path.display(), error.to_string());
        // Before it, the message names a response, which this is not.
        let reason = text.rsplit_once("cannot be read: ").map_or(text.as_str(), |(_, reason)| reason);
        let reason = match (self.reader.line(), reason.split_once(": ")) {
            (Some(line), Some((row, reason))) if row.starts_with("row ") => format!("line {line}: {reason}"),
            _ => reason.to_owned(),
        };
        Failure::usage(format!("`{path}` cannot be read as CSV: {reason}"))
    }
}

/// Detects the encoding by the whole file.
fn detect(source: &mut Source) -> Result<TextEncoding, Failure> {
    source.rewind()?;
    let mut detector = Detector::default();
    loop {
        let chunk = source.read_chunk()?;
        if chunk.is_empty() {
            break;
        }
        detector.push(&chunk);
    }
    detector.finish().map_err(|reason| Failure::usage(format!("`{}` {reason}", source.path.display())))
}
