//! The serialised form of headers: an object with a string per name, or a list of strings for a repeated name.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Names in lower case and values, in the order of arrival.
pub(crate) type Headers = Vec<(String, String)>;

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a string, a whole number or a list of strings as the value of a header")]
enum Values {
    One(String),
    Number(u64),
    Several(Vec<String>),
}

impl Values {
    fn of(mut values: Vec<String>) -> Self {
        if values.len() == 1 { Self::One(values.remove(0)) } else { Self::Several(values) }
    }

    fn list(self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value],
            Self::Number(value) => vec![value.to_string()],
            Self::Several(values) => values,
        }
    }
}

pub(crate) fn serialize<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut grouped: Vec<(&str, Vec<String>)> = Vec::new();
    for (name, value) in headers {
        match grouped.iter_mut().find(|(known, _)| known == name) {
            None => grouped.push((name, vec![value.clone()])),
            Some((_, values)) => values.push(value.clone()),
        }
    }
    serializer.collect_map(grouped.into_iter().map(|(name, values)| (name, Values::of(values))))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Headers;

    impl<'de> Visitor<'de> for Headers {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of headers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut headers = Vec::new();
            while let Some((name, values)) = map.next_entry::<String, Values>()? {
                headers.extend(values.list().into_iter().map(|value| (name.clone(), value)));
            }
            Ok(headers)
        }
    }

    deserializer.deserialize_map(Headers)
}

/// Returns the media type of a `Content-Type` in lower case, without its parameters.
pub(crate) fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Returns true for a valid header name, which is a token (RFC 9110, section 5.6.2).
pub(crate) fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Wrapper(#[serde(with = "super")] Vec<(String, String)>);

    #[test]
    fn headers_keep_their_order() {
        let pairs = [("set-cookie", "a"), ("set-cookie", "b"), ("set-cookie", "c"), ("accept", "*/*")];
        let headers: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let written = serde_json::to_string(&Wrapper(headers.clone())).unwrap();
        assert_eq!(written, r#"{"set-cookie":["a","b","c"],"accept":"*/*"}"#);
        assert_eq!(serde_json::from_str::<Wrapper>(&written).unwrap().0, headers);
    }

    #[test]
    fn a_header_may_be_a_number() {
        let Wrapper(headers) = serde_json::from_str(r#"{"retry-after": 3}"#).unwrap();
        assert_eq!(headers, [("retry-after".to_owned(), "3".to_owned())]);
        assert!(serde_json::from_str::<Wrapper>(r#"{"retry-after": true}"#).is_err());
        assert!(serde_json::from_str::<Wrapper>("[]").is_err());
    }
}
