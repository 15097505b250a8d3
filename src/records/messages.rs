//! The reasons for which a bulk call refused a record.

use std::{fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};

use super::field::Field;
#[cfg_attr(partial_facade, cfg(any(facade = "customers().upsert()", facade = "vendors().upsert()")))]
use crate::types::BulkFailure;

/// The reasons of the vendor for a refused record. Deserializes from a string or a list of strings.
///
/// They may quote the record, so `Debug` shows their number only.
///
/// ```
/// use perenso::Messages;
///
/// let one: Messages = serde_json::from_str(r#""no such booth""#)?;
/// let two = r#"["no such booth", "no such broker"]"#;
/// let two: Messages = serde_json::from_str(two)?;
/// assert_eq!((one.into_vec().len(), two.into_vec().len()), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Messages(Vec<String>);

impl Messages {
    /// Returns the reasons as a list.
    #[must_use]
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }
}

#[cfg_attr(partial_facade, cfg(any(facade = "customers().upsert()", facade = "vendors().upsert()")))]
impl BulkFailure {
    /// Returns the reasons, from every field that may contain them.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        let fields = [&self.messages, &self.message];
        fields.into_iter().filter_map(Field::get).flat_map(|texts| texts.iter().map(String::as_str))
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
                f.write_str("a string or a list of strings")
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

#[cfg(test)]
mod tests {
    use crate::types::BulkFailure;

    #[test]
    fn a_list_and_a_string_are_read_from_either_field() {
        for (json, reasons) in [
            (r#"{"customerID":"5000","messages":["one","two"]}"#, &["one", "two"][..]),
            (r#"{"vendorID":"VEND1","message":"one"}"#, &["one"]),
            (r#"{"messages":"one","message":["two"]}"#, &["one", "two"]),
            (r#"{"messages":null}"#, &[]),
            (r#"{"messages":[]}"#, &[]),
            ("{}", &[]),
        ] {
            let failure: BulkFailure = serde_json::from_str(json).unwrap();
            assert_eq!(failure.reasons().collect::<Vec<_>>(), reasons, "{json}");
        }
        serde_json::from_str::<BulkFailure>(r#"{"message":1}"#).unwrap_err();
    }

    #[test]
    fn debug_shows_no_reason() {
        let failure: BulkFailure =
            serde_json::from_str(r#"{"customerID":"5000","message":"no such city: Exampleville"}"#).unwrap();
        assert_eq!(format!("{failure:?}"), r#"BulkFailure { customer_id: "5000", .. }"#);
        assert_eq!(format!("{:?}", failure.message), "1 hidden");
    }
}
