//! Names in error messages: sanitised, shortened, and sorted by similarity.

/// The maximum number of names in an error message.
const MAX_NAMES: usize = 5;
/// The maximum number of characters of a name in an error message.
const MAX_NAME_CHARS: usize = 80;

/// Returns a name in backticks, on one line.
pub(crate) fn shown(name: &str) -> String {
    format!("`{}`", sanitize(name, MAX_NAME_CHARS))
}

/// Replaces control characters and shortens a string from the server.
pub(crate) fn sanitize(text: &str, max_chars: usize) -> String {
    let mut sanitized: String =
        text.chars().take(max_chars).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(max_chars).is_some() {
        sanitized.push('…');
    }
    sanitized
}

/// Returns the most similar name, if one is similar enough.
pub(crate) fn closest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = names.into_iter().map(|name| (distance(wanted, name), name)).min_by_key(|(far, _)| *far)?;
    (distance <= wanted.chars().count().min(MAX_NAME_CHARS).div_ceil(3)).then_some(name)
}

/// Lists the most similar names and the number of the others.
pub(crate) fn closest_names<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_cached_key(|name| distance(wanted, name));
    let listed: Vec<String> = names.iter().take(MAX_NAMES).map(|name| shown(name)).collect();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// Returns the Levenshtein distance, ignoring case.
fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| text.chars().take(MAX_NAME_CHARS).flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (one, other) = (letters(one), letters(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        row[0] = left;
        for (j, b) in other.iter().enumerate() {
            let up = row[j + 1];
            left = (corner + usize::from(a != b)).min(up + 1).min(left + 1);
            corner = up;
            row[j + 1] = left;
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (one, other, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("LIMIT", "Limit", 0),
            ("a", "b", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn only_a_similar_name_is_suggested() {
        assert_eq!(closest("Limti", ["Cursor", "Limit"]), Some("Limit"));
        assert_eq!(closest("From", ["Cursor", "Limit"]), None);
        assert_eq!(closest("", ["Cursor"]), None);
    }

    #[test]
    fn a_strange_name_stays_on_one_line_and_short() {
        assert_eq!(shown("a\nb"), "`a\u{FFFD}b`");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), MAX_NAME_CHARS + 3);
    }
}
