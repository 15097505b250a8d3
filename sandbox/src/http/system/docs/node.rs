//! A node of a JSON text, whose objects keep their order: people read the document, and tools write code from it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Node {
    Object(IndexMap<String, Node>),
    List(Vec<Node>),
    Other(Value),
}

impl Node {
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// Returns the node at this path of names.
    pub(super) fn at(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, name| match node {
            Self::Object(fields) => fields.get_mut(*name),
            _ => None,
        })
    }

    /// The text; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Self::Other(Value::String(text))) => text,
            _ => "",
        }
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Self>) {
        if let Self::Object(fields) = self {
            fields.insert(name.to_owned(), value.into());
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Self::Object(fields) = self {
            fields.shift_remove(name);
        }
    }

    /// The members of an object with their names, in their order.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Self)> {
        let fields = if let Self::Object(fields) = self { Some(fields) } else { None };
        fields.into_iter().flatten().map(|(name, node)| (name.as_str(), node))
    }

    /// Returns the children of an object or a list.
    pub(super) fn children(&mut self) -> Box<dyn Iterator<Item = &mut Self> + '_> {
        match self {
            Self::Object(fields) => Box::new(fields.values_mut()),
            Self::List(list) => Box::new(list.iter_mut()),
            Self::Other(_) => Box::new(std::iter::empty()),
        }
    }
}

impl<T: Into<Value>> From<T> for Node {
    fn from(value: T) -> Self {
        Self::Other(value.into())
    }
}

impl FromIterator<(String, Value)> for Node {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(fields: I) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}

impl FromIterator<Self> for Node {
    fn from_iter<I: IntoIterator<Item = Self>>(list: I) -> Self {
        Self::List(list.into_iter().collect())
    }
}
