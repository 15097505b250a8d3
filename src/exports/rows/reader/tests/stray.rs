//! An independent check for characters after a closing quote, for the tests and the fuzz target of CSV.

/// Returns true if a quoted field continues after its closing quote, by the grammar of RFC 4180.
pub(super) fn has_stray_quote(mut body: &[u8]) -> bool {
    loop {
        if let Some(quoted) = body.strip_prefix(b"\"") {
            body = quoted;
            loop {
                match body.iter().position(|byte| *byte == b'"') {
                    None => return false,
                    Some(end) if body.get(end + 1) == Some(&b'"') => body = &body[end + 2..],
                    Some(end) => break body = &body[end + 1..],
                }
            }
            if body.first().is_some_and(|byte| !b",\r\n".contains(byte)) {
                return true;
            }
        }
        match body.iter().position(|byte| b",\r\n".contains(byte)) {
            None => return false,
            Some(end) => body = &body[end + 1..],
        }
    }
}
