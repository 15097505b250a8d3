//! The id of a record, safe to use in a path.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize};

use super::field::Field;

/// The vendor's id of a record (not the key of your own systems).
///
/// Strings that could change the path are invalid: the empty string, `.`, `..`, and strings with control characters. Any other
/// string is percent-encoded once, including `/` and `%`, and reaches the server unchanged.
///
/// ```
/// use perenso::Id;
///
/// let id: Id = "a1b2c3".parse()?;
/// assert_eq!(id.as_str(), "a1b2c3");
/// assert!(Id::new("").is_err());
/// assert!(Id::new("..").is_err());
/// # Ok::<(), perenso::InvalidId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(String);

/// The error of a string that is not a valid id. It does not contain the string.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// The empty string, which would address the whole collection.
    #[error("an id is expected, but it is empty")]
    Empty,
    /// `.` or `..`, which would address another path.
    #[error("an id is expected, not `.` or `..`")]
    Dots,
    /// A line break, a tab, or another control character.
    #[error("an id without control characters is expected, but character {position} is one")]
    Control {
        /// The position of the character, from 1.
        position: usize,
    },
}

impl Id {
    /// Creates an id from a string.
    ///
    /// # Errors
    /// The string is empty, `.`, `..`, or has a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        if text.is_empty() {
            return Err(InvalidId::Empty);
        }
        if text == "." || text == ".." {
            return Err(InvalidId::Dots);
        }
        match text.chars().position(char::is_control) {
            Some(index) => Err(InvalidId::Control { position: index + 1 }),
            None => Ok(Self(text)),
        }
    }

    /// Returns the id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Encodes a string as one segment of a path: everything but letters, digits and `-._~` is percent-encoded. This includes the
/// backslash, which URL parsers treat as a slash.
pub fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

impl From<&Id> for Id {
    fn from(id: &Id) -> Self {
        id.clone()
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Id {
    type Error = InvalidId;

    fn try_from(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

impl TryFrom<String> for Id {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

/// Converts the `id` of a record that was read, as in `get(&customer.id)`.
impl TryFrom<&Field<String>> for Id {
    type Error = InvalidId;

    fn try_from(field: &Field<String>) -> Result<Self, InvalidId> {
        field.as_deref().map_or(Err(InvalidId::Empty), Self::new)
    }
}

impl TryFrom<&String> for Id {
    type Error = InvalidId;

    fn try_from(text: &String) -> Result<Self, InvalidId> {
        Self::new(text.as_str())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Id, InvalidId, segment};

    #[test]
    fn an_id_that_changes_the_path_is_refused() {
        for (text, error) in [
            ("", InvalidId::Empty),
            (".", InvalidId::Dots),
            ("..", InvalidId::Dots),
            ("ab\ncd", InvalidId::Control { position: 3 }),
            ("\0", InvalidId::Control { position: 1 }),
            ("a\u{85}", InvalidId::Control { position: 2 }),
        ] {
            assert_eq!(Id::new(text), Err(error), "{text:?}");
            serde_json::from_value::<Id>(text.into()).unwrap_err();
        }
        assert!(!Id::new("secret\n").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn anything_else_is_one_segment() {
        assert_eq!(segment("a/b%2F c\\d"), "a%2Fb%252F%20c%5Cd");
    }

    proptest! {
        #[test]
        fn an_id_stays_below_its_collection(text in "\\PC{1,8}") {
            let Ok(id) = Id::new(text) else { return Ok(()) };
            let url: reqwest::Url = format!("https://host/Customer/{}", segment(id.as_str())).parse().unwrap();
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 2);
            prop_assert_eq!(segments[1], segment(id.as_str()));
            prop_assert_eq!(url.query(), None);
            prop_assert_eq!(url.fragment(), None);
        }
    }
}
