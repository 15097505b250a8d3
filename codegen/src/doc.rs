//! Writes strings of the server as doc comments.
//!
//! Markdown is escaped, so that a description never becomes a test, a broken link or a warning.

/// Returns a doc comment, with each line indented by `indent` and ended by a line break.
pub(crate) fn comment(indent: &str, text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(str::trim).collect::<Vec<_>>();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    let mut comment = String::new();
    let mut is_blank = false;
    for line in &lines[first..end] {
        // Several blank lines become one.
        if !(is_blank && line.is_empty()) {
            let line = format!("{indent}/// {}", plain_line(line));
            comment.push_str(line.trim_end());
            comment.push('\n');
        }
        is_blank = line.is_empty();
    }
    comment
}

/// Escapes a line for Markdown.
fn plain_line(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let (start, rest) = line.split_at(digits);
    match rest.chars().next() {
        // A list or a heading.
        Some('-' | '+' | '=') if digits == 0 => format!("\\{}", plain(rest)),
        Some('.' | ')') => format!("{start}\\{}", plain(rest)),
        _ => plain(line),
    }
}

/// Escapes a string within a line for Markdown.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let address = address(rest);
        let (this, others) = rest.split_at(address.map_or(c.len_utf8(), str::len));
        match c {
            // In angle brackets, since rustdoc warns about bare URLs.
            _ if address.is_some() => plain.extend(["<", this, ">"]),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '$' | '^' => {
                plain.extend(["\\", this]);
            }
            _ if is_hidden(c) => plain.push(char::REPLACEMENT_CHARACTER),
            _ => plain.push(c),
        }
        rest = others;
    }
    plain
}

/// Returns the URL at the start of a string, without punctuation at its end.
fn address(text: &str) -> Option<&str> {
    ["http://", "https://"].iter().find(|scheme| text.starts_with(**scheme))?;
    let end = text.find(|c: char| c.is_whitespace() || is_hidden(c) || matches!(c, '<' | '>')).unwrap_or(text.len());
    Some(text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '"']))
}

/// Returns true for control characters and those that change the direction of text, which rustc refuses in comments.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
