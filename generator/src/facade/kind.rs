//! The kinds of values.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) shape: Shape,
    pub(super) presence: Presence,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    String,
    Integer,
    Boolean,
    Id,
    Timestamp,
    Decimal,
    Messages,
    /// The bytes of a response.
    Raw,
    List(Box<Shape>),
    /// An object with any members.
    Map(String),
    /// A record or an enum.
    Type(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
    /// The document may lack it.
    IfAny,
}

impl Kind {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (shape, presence) = match (text.strip_suffix('!'), text.strip_suffix('?')) {
            (Some(shape), _) => (shape, Presence::Required),
            (_, Some(shape)) => (shape, Presence::IfAny),
            _ => (text, Presence::Optional),
        };
        Some(Self { shape: Shape::parse(shape)?, presence })
    }
}

impl Shape {
    fn parse(text: &str) -> Option<Self> {
        let between = |start, end| text.strip_prefix(start)?.strip_suffix(end);
        let is_type = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
        };
        Some(match text {
            "any" => Self::Any,
            "string" => Self::String,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "id" => Self::Id,
            "timestamp" => Self::Timestamp,
            "decimal" => Self::Decimal,
            "messages" => Self::Messages,
            "raw" => Self::Raw,
            name if is_type(name) => Self::Type(name.to_owned()),
            _ => match (between('[', ']'), between('{', '}')) {
                (Some(inner), _) => Self::List(Box::new(Self::parse(inner)?)),
                (_, Some(name)) if is_type(name) => Self::Map(name.to_owned()),
                _ => return None,
            },
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any value",
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Boolean => "a boolean",
            Self::Id => "an id",
            Self::Timestamp => "a timestamp",
            Self::Decimal => "a decimal number",
            Self::Messages => "a string or a list of strings",
            Self::Raw => "a body",
            Self::Map(_) => "an object",
            Self::Type(name) => return write!(f, "`{name}`"),
            Self::List(inner) => {
                return match &**inner {
                    Self::String => f.write_str("a list of strings"),
                    inner => write!(f, "a list of {inner}"),
                };
            }
        })
    }
}
