//! Field values before conversion to a column.

use std::borrow::Cow;

/// The unconverted value of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum FieldValue<'r> {
    Null,
    Boolean(bool),
    /// A JSON number.
    Number(&'r str),
    /// A JSON string, with its quotes.
    String(&'r str),
    /// A JSON array.
    Array(&'r str),
    /// A JSON object.
    Object(&'r str),
    /// A field of a CSV record.
    CsvField(Cow<'r, str>),
}

impl<'r> FieldValue<'r> {
    /// Creates a value from JSON, without surrounding white space.
    pub(super) fn of_json(json: &'r str) -> Self {
        let json = json.trim_ascii();
        match json.as_bytes().first() {
            Some(b'"') => Self::String(json),
            Some(b'[') => Self::Array(json),
            Some(b'{') => Self::Object(json),
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(json),
        }
    }

    /// Returns the value for a CSV file: a string without quotes, anything else unchanged. `None` for null.
    pub(super) fn plain(&self) -> Option<Cow<'r, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(true) => "true".into(),
            Self::Boolean(false) => "false".into(),
            Self::Number(text) | Self::Array(text) | Self::Object(text) => (*text).into(),
            Self::String(quoted) => unquoted(quoted).unwrap_or_else(|| (*quoted).into()),
            Self::CsvField(text) => text.clone(),
        })
    }

    /// Returns the JSON of the value; `None` for a CSV field.
    pub(super) fn json(&self) -> Option<&'r str> {
        Some(match self {
            Self::Null => "null",
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text) | Self::String(text) | Self::Array(text) | Self::Object(text) => text,
            Self::CsvField(_) => return None,
        })
    }

    /// Returns the kind of the value, without the value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(text) if text.contains(['.', 'e', 'E']) => "a number with a fraction or an exponent",
            Self::Number(_) => "an integer",
            Self::String(_) | Self::CsvField(_) => "a string",
            Self::Array(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Replaces lone surrogates in JSON by U+FFFD. Some readers reject a whole column because of one.
pub(super) fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return json.into();
    }
    let unit = |at: usize| {
        let digits = json.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(step) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        at += step;
        match (unit(at), unit(at + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => at += 12,
            (Some(0xD800..=0xDFFF), _) => {
                out.push_str(&json[copied..at]);
                out.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            (Some(_), _) => at += 6,
            (None, _) => at = (at + 2).min(json.len()),
        }
    }
    if copied == 0 {
        return json.into();
    }
    out.push_str(&json[copied..]);
    out.into()
}

/// Decodes a JSON string; `None` if it has a lone surrogate.
pub(super) fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let text = json.get(1..json.len().checked_sub(1)?)?;
    if text.as_bytes().contains(&b'\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(text.into()) }
}
