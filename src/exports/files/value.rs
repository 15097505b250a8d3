//! A value of a row, before a column reads it.

use std::borrow::Cow;

/// A value as it stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'r> {
    Null,
    Boolean(bool),
    /// The text of a JSON number.
    Number(&'r str),
    /// The text of a JSON string, with its quotes.
    Text(&'r str),
    /// The text of a JSON list.
    List(&'r str),
    /// The text of a JSON object.
    Object(&'r str),
    /// The field of a CSV record.
    Cell(Cow<'r, str>),
}

impl<'r> Value<'r> {
    /// The value whose JSON text this is; blanks around it are cut.
    pub(super) fn of_json(json: &'r str) -> Self {
        let json = json.trim_ascii();
        match json.as_bytes().first() {
            Some(b'"') => Self::Text(json),
            Some(b'[') => Self::List(json),
            Some(b'{') => Self::Object(json),
            Some(b't') => Self::Boolean(true),
            Some(b'f') => Self::Boolean(false),
            Some(b'n') => Self::Null,
            _ => Self::Number(json),
        }
    }

    /// What a file of text says: a text without its quotes, everything else as it came. `None` for null.
    pub(super) fn plain(&self) -> Option<Cow<'r, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(true) => "true".into(),
            Self::Boolean(false) => "false".into(),
            Self::Number(text) | Self::List(text) | Self::Object(text) => (*text).into(),
            Self::Text(quoted) => unquoted(quoted).unwrap_or_else(|| (*quoted).into()),
            Self::Cell(text) => text.clone(),
        })
    }

    /// The JSON text; `None` for a CSV field.
    pub(super) fn json(&self) -> Option<&'r str> {
        Some(match self {
            Self::Null => "null",
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Number(text) | Self::Text(text) | Self::List(text) | Self::Object(text) => text,
            Self::Cell(_) => return None,
        })
    }

    /// What kind of thing it is, without the value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(text) if text.contains(['.', 'e', 'E']) => "a number with a fraction or an exponent",
            Self::Number(_) => "an integer",
            Self::Text(_) | Self::Cell(_) => "text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// The JSON text with U+FFFD for every half of a surrogate pair: some readers refuse all of a column that has one.
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

/// What a JSON string means; `None` for one that Unicode has no text for: half of a surrogate pair.
pub(super) fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let text = json.get(1..json.len().checked_sub(1)?)?;
    if text.as_bytes().contains(&b'\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(text.into()) }
}
