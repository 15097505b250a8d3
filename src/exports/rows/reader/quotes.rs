//! Whether the quotes of CSV stand where RFC 4180 has them.

/// Looks for text behind a closing quote. The parser takes it for a part of the field and drops the quote: a value would
/// come back as another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    within: Within,
    is_stray: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Plain,
    Quoted,
    /// A quote within quotes: their end, or the first half of a quote that is meant.
    Closed,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, within: Within::Nothing, is_stray: false }
    }

    /// Looks at the next bytes.
    pub(super) fn see(&mut self, bytes: &[u8]) {
        let delimiter = self.delimiter;
        let is_open = matches!(self.within, Within::Quoted | Within::Closed);
        if !is_open && !bytes.contains(&b'"') {
            match bytes.last() {
                None => {}
                Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => self.within = Within::Nothing,
                Some(_) => self.within = Within::Plain,
            }
            return;
        }
        for byte in bytes {
            self.within = match (self.within, byte) {
                (Within::Nothing | Within::Closed, b'"') => Within::Quoted,
                (Within::Quoted, b'"') => Within::Closed,
                (Within::Quoted, _) => Within::Quoted,
                (_, b'\n' | b'\r') => Within::Nothing,
                (_, byte) if *byte == delimiter => Within::Nothing,
                (Within::Closed, _) => {
                    self.is_stray = true;
                    Within::Plain
                }
                _ => Within::Plain,
            };
        }
    }

    /// Whether there was text behind a closing quote since this was asked last.
    pub(super) fn take_stray(&mut self) -> bool {
        std::mem::take(&mut self.is_stray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_behind_a_closing_quote_is_found_however_it_is_cut() {
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
                let mut quotes = Quotes::new(b',');
                record.as_bytes().chunks(size).for_each(|piece| quotes.see(piece));
                assert_eq!(quotes.take_stray(), is_stray, "{record:?} in pieces of {size}");
                assert_eq!((quotes.take_stray(), quotes.within), (false, Within::Nothing), "{record:?}");
            }
        }
    }
}
