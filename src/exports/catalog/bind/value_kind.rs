//! The kinds of values that a JSON Schema permits.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value as Json};

use crate::types::ExportDataType;

/// A kind of value. The order of the variants is the order in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ValueKind {
    Boolean,
    Integer,
    /// Any number, including one with a fraction.
    Number,
    Text,
    /// An RFC 3339 timestamp with a zone.
    Timestamp,
    ZonelessTimestamp,
    NamedZoneTimestamp,
    Date,
    TimeOfDay,
    List,
    Object,
    Null,
}

impl ValueKind {
    /// Returns the kind for a `type` and a `format` of JSON Schema.
    fn of(json_type: &str, format: Option<&str>) -> Option<Self> {
        Some(match (json_type, format) {
            ("boolean", _) => Self::Boolean,
            ("integer", _) => Self::Integer,
            ("number", _) => Self::Number,
            ("string", Some("date-time")) => Self::Timestamp,
            ("string", Some("partial-date-time")) => Self::ZonelessTimestamp,
            ("string", Some("zoned-date-time")) => Self::NamedZoneTimestamp,
            ("string", Some("date")) => Self::Date,
            ("string", Some("time" | "partial-time")) => Self::TimeOfDay,
            ("string", _) => Self::Text,
            ("array", _) => Self::List,
            ("object", _) => Self::Object,
            ("null", _) => Self::Null,
            _ => return None,
        })
    }

    fn of_value(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(_) => Self::Boolean,
            Json::Number(number) if number.is_f64() => Self::Number,
            Json::Number(_) => Self::Integer,
            Json::String(_) => Self::Text,
            Json::Array(_) => Self::List,
            Json::Object(_) => Self::Object,
        }
    }

    /// Returns the wider kind of which this is a special case.
    fn wider(self) -> Option<Self> {
        match self {
            Self::Integer => Some(Self::Number),
            Self::Timestamp | Self::ZonelessTimestamp | Self::NamedZoneTimestamp | Self::Date | Self::TimeOfDay => {
                Some(Self::Text)
            }
            _ => None,
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number with a fraction",
            Self::Text => "a string",
            Self::Timestamp => "a timestamp",
            Self::ZonelessTimestamp => "a timestamp without a zone",
            Self::NamedZoneTimestamp => "a timestamp with a named zone",
            Self::Date => "a date",
            Self::TimeOfDay => "a time of day",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Null => "null",
        }
    }
}

/// The set of kinds that a value may have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ValueKinds {
    Any,
    /// Empty for a type without values.
    Of(BTreeSet<ValueKind>),
}

impl ValueKinds {
    pub(crate) const NONE: Self = Self::Of(BTreeSet::new());

    /// Returns the kinds permitted by the keywords `type`, `format`, `const`, `enum` and an all-excluding `not`.
    pub(crate) fn of_keywords(schema: &Map<String, Json>) -> Self {
        if schema.get("not").is_some_and(|not| *not == Json::Bool(true) || *not == Json::Object(Map::new())) {
            return Self::NONE;
        }
        let format = schema.get("format").and_then(Json::as_str);
        match (schema.get("type"), schema.get("const"), schema.get("enum")) {
            (Some(Json::String(json_type)), _, _) => Self::Of(ValueKind::of(json_type, format).into_iter().collect()),
            (Some(Json::Array(types)), _, _) => {
                Self::Of(types.iter().filter_map(Json::as_str).filter_map(|name| ValueKind::of(name, format)).collect())
            }
            (_, Some(json), _) => Self::Of([ValueKind::of_value(json)].into()),
            (_, _, Some(Json::Array(values))) => Self::Of(values.iter().map(ValueKind::of_value).collect()),
            _ => Self::Any,
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Of(mut kinds), Self::Of(more)) => {
                kinds.extend(more);
                Self::Of(kinds)
            }
            _ => Self::Any,
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, kinds) | (kinds, Self::Any) => kinds,
            (Self::Of(one), Self::Of(other)) => {
                let is_in = |kind: &ValueKind, kinds: &BTreeSet<ValueKind>| {
                    kinds.contains(kind) || kind.wider().is_some_and(|wider| kinds.contains(&wider))
                };
                let in_other = one.iter().filter(|kind| is_in(kind, &other));
                Self::Of(in_other.chain(other.iter().filter(|kind| is_in(kind, &one))).copied().collect())
            }
        }
    }

    pub(crate) fn has(&self, kind: ValueKind) -> bool {
        matches!(self, Self::Of(kinds) if kinds.contains(&kind))
    }

    pub(crate) fn are_only(&self, kind: ValueKind) -> bool {
        self.has(kind) && matches!(self, Self::Of(kinds) if kinds.len() == 1)
    }

    /// Returns advice if these kinds do not fit a data type; `None` if they fit.
    pub(crate) fn mismatch(&self, expected: &ExportDataType) -> Option<&'static str> {
        use ExportDataType as Type;
        let Self::Of(kinds) = self else {
            return match expected {
                Type::Other(_) => None,
                _ => Some("use a specific type"),
            };
        };
        let all_are = |fitting: &[ValueKind]| !kinds.is_empty() && kinds.iter().all(|kind| fitting.contains(kind));
        let fits = match expected {
            Type::Integer => all_are(&[ValueKind::Integer]),
            Type::Text => {
                all_are(&[ValueKind::Text, ValueKind::ZonelessTimestamp, ValueKind::Date, ValueKind::TimeOfDay])
            }
            Type::DateTime => all_are(&[ValueKind::Timestamp]),
            Type::Boolean => all_are(&[ValueKind::Boolean]),
            Type::Other(_) => false,
        };
        if fits {
            return None;
        }
        let zoneless = [ValueKind::ZonelessTimestamp, ValueKind::Date, ValueKind::TimeOfDay];
        Some(match expected {
            Type::Other(_) => "use a `serde_json::Value`",
            _ if self.has(ValueKind::Null) => "every parameter must be given",
            Type::DateTime if zoneless.iter().any(|kind| self.has(*kind)) => "it is ambiguous; use chrono's `DateTime`",
            Type::DateTime if self.has(ValueKind::Text) => {
                "use chrono's `DateTime`, or declare `#[schemars(with = \"DateTime<Utc>\")]`"
            }
            Type::Text if self.has(ValueKind::Timestamp) => {
                "declare `#[schemars(with = \"String\")]` to send it as a string"
            }
            _ => "",
        })
    }
}

impl fmt::Display for ValueKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Of(kinds) = self else {
            return f.write_str("any JSON");
        };
        let named = kinds.iter().filter(|kind| **kind != ValueKind::Null || kinds.len() == 1);
        let words = named.map(|kind| kind.description()).collect::<Vec<_>>().join(" or ");
        if words.is_empty() {
            return f.write_str("a type without values");
        }
        if kinds.len() == 1 || !self.has(ValueKind::Null) {
            return f.write_str(&words);
        }
        match words.split_once(' ') {
            Some(("a" | "an", rest)) => write!(f, "an optional {rest}"),
            _ => write!(f, "optional {words}"),
        }
    }
}
