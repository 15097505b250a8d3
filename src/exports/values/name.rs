//! Names in error texts: clean, cut, and the nearest first.

/// How many names an error lists.
const LISTED: usize = 5;
/// How many characters of a name an error shows.
const SHOWN: usize = 80;

/// A name in backticks, on one line, however strange it is.
pub(crate) fn shown(name: &str) -> String {
    format!("`{}`", clean(name, SHOWN))
}

/// Text of the server on one line.
pub(crate) fn clean(text: &str, longest: usize) -> String {
    let mut clean: String = text.chars().take(longest).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        clean.push('…');
    }
    clean
}

/// The name that was most likely meant.
pub(crate) fn meant<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = names.into_iter().map(|name| (distance(wanted, name), name)).min_by_key(|(far, _)| *far)?;
    (distance <= wanted.chars().count().min(SHOWN).div_ceil(3)).then_some(name)
}

/// A handful of names, the nearest first, and how many there are beside them.
pub(crate) fn handful<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_by_cached_key(|name| distance(wanted, name));
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    match names.len().saturating_sub(LISTED) {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// How many letters differ (Levenshtein), upper and lower case taken for the same.
fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| text.chars().take(SHOWN).flat_map(char::to_lowercase).collect::<Vec<_>>();
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
    fn only_what_is_near_was_meant() {
        assert_eq!(meant("Limti", ["Cursor", "Limit"]), Some("Limit"));
        assert_eq!(meant("From", ["Cursor", "Limit"]), None);
        assert_eq!(meant("", ["Cursor"]), None);
    }

    #[test]
    fn a_strange_name_stays_on_one_line_and_short() {
        assert_eq!(shown("a\nb"), "`a\u{FFFD}b`");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), SHOWN + 3);
    }
}
