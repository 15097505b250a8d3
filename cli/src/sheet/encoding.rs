//! Detection of the encoding of a text file.

use clap::ValueEnum;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The bytes that are no characters of Windows-1252.
const NOT_1252: [u8; 5] = [0x81, 0x8D, 0x8F, 0x90, 0x9D];

/// An encoding of text files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextEncoding {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16le")]
    Utf16Le,
    #[value(name = "utf-16be")]
    Utf16Be,
    #[value(name = "windows-1252")]
    Windows1252,
}

impl TextEncoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le | Self::Utf16Be => "UTF-16",
            Self::Windows1252 => "Windows-1252",
        }
    }

    pub(super) fn encoding(self) -> &'static Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        }
    }

    /// Detects an encoding by the first bytes of a file: a byte order mark, or the zeros of UTF-16.
    pub(super) fn of_start(start: &[u8]) -> Option<Self> {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => return Some(Self::Utf8),
            [0xFF, 0xFE, ..] => return Some(Self::Utf16Le),
            [0xFE, 0xFF, ..] => return Some(Self::Utf16Be),
            _ => {}
        }
        // The first line of a file is mostly ASCII, whose other half is zeros.
        let start = &start[..start.len().min(256) & !1];
        let zeros = |offset: usize| start.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
        let pairs = start.len() / 2;
        match (zeros(0), zeros(1)) {
            (0, odd) if odd > 0 && 2 * odd >= pairs => Some(Self::Utf16Le),
            (even, 0) if even > 0 && 2 * even >= pairs => Some(Self::Utf16Be),
            _ => None,
        }
    }
}

/// Detects the encoding of a text without a mark, chunk by chunk: UTF-8 if all of it is valid, else Windows-1252.
#[derive(Debug, Default)]
pub(super) struct Detector {
    /// The end of the last chunk, which may be the first half of a character.
    rest: Vec<u8>,
    is_not_utf_8: bool,
    is_not_1252: bool,
    has_zeros: bool,
}

impl Detector {
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.has_zeros |= chunk.contains(&0);
        if !self.is_not_utf_8 {
            let joined;
            let bytes = if self.rest.is_empty() {
                chunk
            } else {
                joined = [&self.rest[..], chunk].concat();
                &joined
            };
            match std::str::from_utf8(bytes) {
                Ok(_) => self.rest = Vec::new(),
                Err(error) if error.error_len().is_none() => self.rest = bytes[error.valid_up_to()..].to_vec(),
                Err(_) => self.is_not_utf_8 = true,
            }
        }
        self.is_not_1252 |= !chunk.is_ascii() && chunk.iter().any(|byte| NOT_1252.contains(byte));
    }

    /// Returns the encoding, or a sentence about a file that is no text.
    pub(super) fn finish(self) -> Result<TextEncoding, &'static str> {
        match self {
            Self { has_zeros: true, .. } => Err("is no spreadsheet: expected a .csv or .xlsx file"),
            Self { is_not_utf_8: false, rest, .. } if rest.is_empty() => Ok(TextEncoding::Utf8),
            Self { is_not_1252: false, .. } => Ok(TextEncoding::Windows1252),
            _ => Err("is neither UTF-8 nor Windows-1252: save it as \"CSV UTF-8\", or add `--encoding`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(chunks: &[&[u8]]) -> Result<TextEncoding, &'static str> {
        let mut detector = Detector::default();
        chunks.iter().for_each(|chunk| detector.push(chunk));
        detector.finish()
    }

    #[test]
    fn the_whole_file_decides() {
        assert_eq!(detect(&[b"name\n", b"Caf\xC3", b"\xA9\n"]), Ok(TextEncoding::Utf8));
        assert_eq!(detect(&[b"name\n", b"Caf\xC3"]), Ok(TextEncoding::Windows1252));
        assert_eq!(detect(&[b"name\n", b"Caf\xE9\n"]), Ok(TextEncoding::Windows1252));
        assert!(detect(&[b"name\n", b"Caf\x81\n"]).unwrap_err().contains("neither"));
        assert!(detect(&[b"name\0\xE9"]).unwrap_err().contains("no spreadsheet"));
    }

    #[test]
    fn a_mark_or_zeros_say_utf_16() {
        assert_eq!(TextEncoding::of_start(b"\xFF\xFEa\0"), Some(TextEncoding::Utf16Le));
        assert_eq!(TextEncoding::of_start(b"\xFE\xFF\0a"), Some(TextEncoding::Utf16Be));
        assert_eq!(TextEncoding::of_start(b"i\0d\0,\0"), Some(TextEncoding::Utf16Le));
        assert_eq!(TextEncoding::of_start(b"\0i\0d\0,"), Some(TextEncoding::Utf16Be));
        assert_eq!(TextEncoding::of_start(b"\xEF\xBB\xBFid"), Some(TextEncoding::Utf8));
        assert_eq!(TextEncoding::of_start(b"id,name"), None);
    }
}
