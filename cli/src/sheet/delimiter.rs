//! Detection of the delimiter of CSV.

/// The delimiters that are detected, and their names.
const KNOWN: [(u8, &str); 4] = [(b',', "`,`"), (b';', "`;`"), (b'\t', "tab"), (b'|', "`|`")];

/// Parses `--delimiter`.
pub(super) fn parse(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        b"tab" | b"\\t" | b"\t" => Ok(b'\t'),
        [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(*byte),
        _ => Err("expected one character, such as `;`, or `tab`"),
    }
}

/// Returns the delimiter that is most frequent in the first line that is not blank, outside quotes.
pub(super) fn detect(text: &str) -> u8 {
    let mut counts = [0_usize; KNOWN.len()];
    let mut is_quoted = false;
    let text = text.trim_start_matches(['\u{feff}', '\r', '\n', ' ']);
    // Excel declares its delimiter in a line of its own.
    if let Some(declared) = text.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).and(text.as_bytes().get(4))
    {
        return *declared;
    }
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            _ if is_quoted => {}
            _ => {
                if let Some(at) = KNOWN.iter().position(|(known, _)| *known == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let at = counts.iter().position(|count| *count == most).unwrap_or_default();
    KNOWN[at].0
}

/// Returns the name of a delimiter in a sentence.
pub(super) fn name(delimiter: u8) -> String {
    match KNOWN.iter().find(|(known, _)| *known == delimiter) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("`{}`", char::from(delimiter)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_decides_outside_quotes() {
        for (text, expected) in [
            ("a,b;c,d\n;;;;;;;;", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("\n\r\n\"a,b,c\";d\n", b';'),
            ("a\tb", b'\t'),
            ("a|b|c", b'|'),
            ("name\nx;y", b','),
            ("sep=;\na,b,c;d", b';'),
            ("\u{feff}SEP=|\na,b", b'|'),
            ("", b','),
        ] {
            assert_eq!(detect(text), expected, "{text:?}");
        }
    }
}
