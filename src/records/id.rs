//! The id of a record, fit to stand in a path.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize};

use super::field::Field;

/// The vendor's own id of a record (not the key that your systems know it by).
///
/// What could turn one address into another is refused: nothing at all, `.`, `..`, and control characters. Any other
/// text is an id, and arrives as it is: it is percent-encoded once, `/` and `%` included.
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

/// Why a text is no id. The text itself is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// Nothing at all, which would address the whole collection.
    #[error("an id is expected, but it is empty")]
    Empty,
    /// `.` or `..`, which would address something above.
    #[error("an id is expected, not `.` or `..`")]
    Dots,
    /// A line break, a tab, or another control character.
    #[error("an id without control characters is expected, but character {position} is one")]
    Control {
        /// The place of the character, from 1.
        position: usize,
    },
}

impl Id {
    /// Takes a text as an id.
    ///
    /// # Errors
    /// It is empty, `.`, `..`, or holds a control character.
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

    /// The id as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text as one segment of a path: all but letters, digits and `-._~` percent-encoded. (A backslash too, which a URL
/// takes for a slash.)
pub(crate) fn segment(text: &str) -> String {
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

/// The `id` of a record that was read: `get(&customer.id)`.
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
    fn what_would_lead_elsewhere_is_refused() {
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
