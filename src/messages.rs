//! The reasons for which a bulk call has refused a record.

use std::{fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};

/// Reasons in the vendor's words, from none to many. Reads a list of texts as well as a single one.
///
/// They may quote the record, so `Debug` gives their number only.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Messages(Vec<String>);

impl Messages {
    /// The reasons as a list.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

impl Deref for Messages {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for Messages {
    fn from(texts: Vec<String>) -> Self {
        Self(texts)
    }
}

impl From<&str> for Messages {
    fn from(text: &str) -> Self {
        Self(vec![text.to_string()])
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hidden", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Messages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Messages, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Messages, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Messages(texts))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
