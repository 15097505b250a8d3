//! Detection of misplaced quotes in CSV, by RFC 4180.

/// Detects characters after a closing quote. The parser would drop the quote and change the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuoteChecker {
    delimiter: u8,
    state: FieldState,
    is_stray: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FieldState {
    #[default]
    Nothing,
    Plain,
    Quoted,
    /// After a quote in a quoted field: its end, or the first half of an escaped quote.
    Closed,
}

impl QuoteChecker {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, state: FieldState::Nothing, is_stray: false }
    }

    /// Processes the next bytes.
    pub(super) fn observe(&mut self, bytes: &[u8]) {
        let delimiter = self.delimiter;
        let is_open = matches!(self.state, FieldState::Quoted | FieldState::Closed);
        if !is_open && !bytes.contains(&b'"') {
            match bytes.last() {
                None => {}
                Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => self.state = FieldState::Nothing,
                Some(_) => self.state = FieldState::Plain,
            }
            return;
        }
        for byte in bytes {
            self.state = match (self.state, byte) {
                (FieldState::Nothing | FieldState::Closed, b'"') => FieldState::Quoted,
                (FieldState::Quoted, b'"') => FieldState::Closed,
                (FieldState::Quoted, _) => FieldState::Quoted,
                (_, b'\n' | b'\r') => FieldState::Nothing,
                (_, byte) if *byte == delimiter => FieldState::Nothing,
                (FieldState::Closed, _) => {
                    self.is_stray = true;
                    FieldState::Plain
                }
                _ => FieldState::Plain,
            };
        }
    }

    /// Returns true if characters after a closing quote occurred since the last call.
    pub(super) fn take_stray(&mut self) -> bool {
        std::mem::take(&mut self.is_stray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_after_a_closing_quote_are_found_in_any_chunks() {
        for (record, is_stray) in [
            ("a,b\n", false),
            ("\"a\",\"b\"\r\n", false),
            ("\"a \"\"b\"\"\",\"\"\n", false),
            ("\"a,\nb\",c\n", false),
            ("12\" pipe,3\" x\n", false),
            (" \"a\" b,c\n", false),
            ("\"12\" pipe\",1\n", true),
            ("\"x\"y\"z\"\n", true),
            ("a,\"b\" \n", true),
            ("\"\"a\n", true),
            ("\"a\"\"b\"c\n", true),
        ] {
            for size in 1..=record.len() {
                let mut quotes = QuoteChecker::new(b',');
                record.as_bytes().chunks(size).for_each(|piece| quotes.observe(piece));
                assert_eq!(quotes.take_stray(), is_stray, "{record:?} in pieces of {size}");
                assert_eq!((quotes.take_stray(), quotes.state), (false, FieldState::Nothing), "{record:?}");
            }
        }
    }
}
