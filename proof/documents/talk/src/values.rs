//! The values of one call, made from the vendor's document.

use std::cell::RefCell;

use perenso::runtime::{Multipart, Operation, auth, progenitor_client::ResponseValue, reqwest::Body};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    document::{Documents, Parameter, media_type_of, node},
    example::{Maker, kind},
};

/// The values of one call.
pub(crate) struct Values<'a> {
    pub(crate) operation: &'static Operation,
    documents: &'a Documents,
    maker: Maker<'a>,
    /// The parameters that were set, with their values.
    pub(crate) set: RefCell<Vec<(Parameter<'a>, Value)>>,
    /// The JSON that the body has to be.
    pub(crate) body: RefCell<Option<Value>>,
}

/// The reason why a call has no response.
pub(crate) enum Failure {
    /// The generated types cannot hold a value that fits the document.
    Value(String),
    /// The call failed.
    Call(perenso::Error),
}

impl From<perenso::Error> for Failure {
    fn from(error: perenso::Error) -> Self {
        Self::Call(error)
    }
}

/// A response that was read.
pub(crate) struct Read {
    /// Bytes that are still to be read.
    pub(crate) bytes: Option<auth::Response>,
}

/// A response of a generated call.
pub(crate) trait Received {
    fn read(self) -> Read;
}

impl<T> Received for ResponseValue<T> {
    fn read(self) -> Read {
        Read { bytes: None }
    }
}

impl Received for auth::Response {
    fn read(self) -> Read {
        Read { bytes: Some(self) }
    }
}

impl Read {
    /// Returns the response of a call.
    pub(crate) fn of(response: impl Received) -> Result<Self, Failure> {
        Ok(response.read())
    }
}

impl<'a> Values<'a> {
    pub(crate) fn new(documents: &'a Documents, operation: &'static Operation, is_least: bool) -> Self {
        let maker = Maker::new(&documents.original, is_least);
        Self { operation, documents, maker, set: RefCell::default(), body: RefCell::default() }
    }

    /// Returns true if what is optional is left out.
    pub(crate) fn is_least(&self) -> bool {
        self.maker.is_least
    }

    /// Returns true if the body has several parts.
    pub(crate) fn has_parts(&self) -> bool {
        media_type_of(self.documents.normal(self.operation)).starts_with("multipart/")
    }

    /// Returns true if an enum of the document has no value of its own type, so that no value is valid.
    pub(crate) fn is_impossible(&self) -> bool {
        self.maker.is_impossible.get()
    }

    /// Returns a value of the type that a setter takes: `None` if it is left unset.
    pub(crate) fn read<T: DeserializeOwned>(&self, setter: &str) -> Result<Option<T>, Failure> {
        if setter == "body" && self.documents.parameter(self.operation, setter).is_none() {
            return self.read_body().map(Some);
        }
        let parameter = self.documents.parameter(self.operation, setter);
        let parameter = parameter.ok_or_else(|| Failure::Value(format!("`{setter}` is no parameter")))?;
        if self.maker.is_least && !parameter.is_required {
            return Ok(None);
        }
        let value = self.value(&parameter);
        let forms = [Some(value.clone()), Some(json!(parameter.text(&value)))];
        let read = forms.into_iter().flatten().map(serde_json::from_value).reduce(Result::or);
        self.set.borrow_mut().push((parameter, value.clone()));
        match read {
            Some(Ok(read)) => Ok(Some(read)),
            _ => Err(Failure::Value(format!("`{setter}` cannot be {value}"))),
        }
    }

    fn value(&self, parameter: &Parameter<'_>) -> Value {
        let schema = self.maker.flat(&parameter.schema, 0).0;
        let is_free = |name: &&String| {
            !["type", "description", "title", "nullable", "example", "examples", "default", "in", "name", "required"]
                .contains(&name.as_str())
        };
        let is_free = !schema.as_object().into_iter().flat_map(|schema| schema.keys()).any(|name| is_free(&name));
        match (kind(&schema), parameter.place) {
            // Characters that have to be encoded.
            ("string", "path") if is_free => json!("a b/ü"),
            ("string", "query") if is_free => json!("a b&c=ü+%"),
            ("array", _) => {
                let most = schema["maxItems"].as_u64().map_or(2, |most| most.min(2) as usize);
                let least = schema["minItems"].as_u64().map_or(most, |least| least as usize).max(most);
                (0..least).map(|which| self.maker.nth(&schema["items"], which)).collect()
            }
            _ => self.maker.value(&parameter.schema),
        }
    }

    fn read_body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let schema = self.documents.body(self.operation);
        let value = self.maker.value(&schema);
        let read = serde_json::from_value(value.clone())
            .map_err(|error| Failure::Value(format!("the body cannot be {value}: {error}")));
        *self.body.borrow_mut() = Some(value);
        read
    }

    /// Returns a body of bytes.
    #[allow(dead_code, reason = "some documents have no such body")]
    pub(crate) fn bytes(&self, _setter: &str) -> Result<Option<Body>, Failure> {
        let is_json = media_type_of(self.documents.normal(self.operation)).contains("json");
        Ok(Some(if is_json { "{}" } else { "text" }.into()))
    }

    /// Returns a body of several parts.
    #[allow(dead_code, reason = "some documents have no such body")]
    pub(crate) fn parts(&self, _setter: &str) -> Result<Option<Multipart>, Failure> {
        let schema = self.maker.flat(&self.documents.body(self.operation), 0).0;
        let mut parts = Multipart::new();
        let Value::Object(values) = self.maker.value(&schema) else { return Ok(Some(parts)) };
        for (name, value) in values {
            let part = self.maker.flat(node(&schema, &["properties", &name]), 0).0;
            let is_file = ["binary", "byte"].iter().any(|format| part["format"] == **format) || part["type"] == "file";
            parts = match value {
                _ if is_file => parts.file(name, "plan.pdf", "application/pdf", "pdf"),
                Value::String(text) => parts.text(name, text),
                Value::Number(number) => parts.text(name, number),
                Value::Bool(bool) => parts.text(name, bool),
                other => parts.json(name, &other).map_err(|error| Failure::Value(error.to_string()))?,
            };
        }
        Ok(Some(parts))
    }
}
