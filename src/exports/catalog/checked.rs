//! A request whose values fit the export, and how it is filled.

use std::{collections::BTreeSet, fmt};

use http::StatusCode;
use perenso_auth::Response;
use serde_json::{Map, Value as Json};

use super::descriptor::Descriptor;
use crate::exports::{
    values::key::Key,
    values::name::{meant, shown},
    values::value::{Input, Value, expectation, parse},
};
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    generated::{ClientSealedExt, operations::EXPORT_RUN},
    records::Id,
    types::{ExportDataType, ExportParameter, ExportValues},
};

/// A request whose values fit the export: [`Descriptor::check`] and [`Bound::check`](crate::exports::Bound::check) make it,
/// [`Exports::send`](crate::Exports::send) sends it.
///
/// `Debug` shows the names of the parameters only.
///
/// ```
/// use perenso::exports::Catalog;
///
/// let catalog: Catalog = serde_json::from_str(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
///     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"}]}]"#)?;
/// let request = catalog.by_name("Get API Customers")?.check([("Cursor", 1), ("Limit", 15)])?;
/// assert_eq!(request.id().as_str(), "79aag9");
/// assert_eq!(serde_json::to_string(&request.body())?, r#"{"Cursor":1,"Limit":15}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CheckedRequest {
    descriptor: Descriptor,
    id: Id,
    /// In the order of the parameters.
    values: Vec<Value>,
}

impl CheckedRequest {
    /// The id of the export.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The body as it goes out; none for an export without parameters.
    #[must_use]
    pub fn body(&self) -> Option<Map<String, Json>> {
        let members = || self.names().map(str::to_owned).zip(self.values.iter().map(Value::to_json));
        (!self.values.is_empty()).then(|| members().collect())
    }

    /// Sends the request. What the server refuses may have changed since the catalog was read, so the next run reads it again.
    pub(crate) async fn send(self, show: &Perenso) -> Result<Response, Error> {
        let id = self.id.clone();
        let result = match self.body() {
            None => show.api().export_run().id(id).send().await,
            Some(values) => show.api().export_run_with().record_id(id).body(ExportValues(values)).send().await,
        };
        let refusals = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY];
        if let Err(error) = &result
            && error.status().is_some_and(|status| refusals.contains(&status))
            && !error.is_auth()
        {
            show.catalog_cache().clear();
        }
        result
    }

    /// Returns the value of a parameter as a number: that of an Integer, or that of a Text of digits.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => parse(&ExportDataType::Integer, text).ok()?.integer(),
            _ => None,
        }
    }

    /// Returns the value of a parameter that is an Integer or a Text.
    pub(crate) fn key(&self, name: &str) -> Option<Key> {
        match self.value(name)? {
            Value::Integer(number) => Some(Key::Integer(*number)),
            Value::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// Returns a copy with a parameter set that is an Integer or a Text; an Integer takes integers only.
    pub(crate) fn with(&self, name: &str, key: &Key) -> Self {
        let mut request = self.clone();
        let value = self.place(name).and_then(|place| request.values.get_mut(place));
        match (value, key) {
            (Some(Value::Integer(value)), Key::Integer(number)) => *value = *number,
            (Some(Value::Text(value)), key) => *value = key.text(),
            _ => {}
        }
        request
    }

    pub(crate) fn parameters(&self) -> &[ExportParameter] {
        self.descriptor.parameters()
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(self.place(name)?)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names().position(|parameter| parameter == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.descriptor.parameters().iter().map(|parameter| parameter.name.as_str())
    }
}

/// The same export, run with the same values.
impl PartialEq for CheckedRequest {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.body() == other.body()
    }
}

impl fmt::Debug for CheckedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        f.debug_struct("CheckedRequest").field("id", &self.id).field("parameters", &names).finish()
    }
}

/// The id that a run of this export is sent to, unless nothing can ever fit the export.
pub(crate) fn runnable(descriptor: &Descriptor) -> Result<Id, Error> {
    let mut names = BTreeSet::new();
    if let Some(twice) = descriptor.parameters().iter().find(|parameter| !names.insert(parameter.name.as_str())) {
        let detail =
            format!("{} cannot be run: the catalog has its parameter {} twice", descriptor, shown(&twice.name));
        return Err(Error::own(ErrorKind::Export, EXPORT_RUN.id, detail));
    }
    Id::new(descriptor.id()).map_err(|error| {
        let detail = format!("{} cannot be run, its id is none: {error}", shown(descriptor.name()));
        Error::own(ErrorKind::Export, EXPORT_RUN.id, detail)
    })
}

/// A request that is being filled.
pub(crate) struct ExportRunBuilder<'d> {
    descriptor: &'d Descriptor,
    places: Vec<Place>,
    /// Where the next value belongs if they come in the order of the parameters.
    next: usize,
    strangers: Vec<String>,
    problems: Vec<String>,
}

/// What is there of a parameter.
enum Place {
    Empty,
    Refused,
    Filled(Value),
}

impl<'d> ExportRunBuilder<'d> {
    pub(crate) fn new(descriptor: &'d Descriptor) -> Self {
        let places = descriptor.parameters().iter().map(|_| Place::Empty).collect();
        Self { descriptor, places, next: 0, strangers: Vec::new(), problems: Vec::new() }
    }

    /// Something that is wrong beside the values.
    pub(crate) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// The next value, which may depend on the data type.
    pub(crate) fn fill(&mut self, name: &str, given: impl FnOnce(&ExportDataType) -> Input) {
        let parameters = self.descriptor.parameters();
        let is_next = parameters.get(self.next).is_some_and(|parameter| parameter.name == name);
        let place = if is_next { Some(self.next) } else { parameters.iter().position(|other| other.name == name) };
        let Some(place) = place else {
            return self.stranger(name);
        };
        self.next = place + 1;
        if !matches!(self.places[place], Place::Empty) {
            return self.twice(name);
        }
        let expected = &parameters[place].data_type;
        let given = given(expected);
        let is_text = matches!(given, Input::Text(_));
        self.places[place] = match given.fit(expected) {
            Ok(value) => Place::Filled(value),
            Err(found) => {
                let expected = if is_text { expected.accepts() } else { expectation(expected) };
                self.problems.push(format!("{}: expected {expected}; found {found}", shown(name)));
                Place::Refused
            }
        };
    }

    fn stranger(&mut self, name: &str) {
        if self.strangers.iter().any(|stranger| stranger == name) {
            return self.twice(name);
        }
        self.problems.push(unknown(self.descriptor, name, nearest(self.descriptor, name)));
        self.strangers.push(name.to_owned());
    }

    fn twice(&mut self, name: &str) {
        self.problems.push(format!("{}: given twice; expected once", shown(name)));
    }

    /// The request, which goes to this id, or everything that keeps it from being one.
    pub(crate) fn finish(mut self, id: Id) -> Result<CheckedRequest, Error> {
        let mut values = Vec::with_capacity(self.places.len());
        for (parameter, place) in self.descriptor.parameters().iter().zip(self.places) {
            match place {
                Place::Filled(value) => values.push(value),
                Place::Refused => {}
                Place::Empty => {
                    let expected = expectation(&parameter.data_type);
                    self.problems.push(format!("{}: missing; expected {expected}", shown(&parameter.name)));
                }
            }
        }
        if self.problems.is_empty() {
            Ok(CheckedRequest { descriptor: self.descriptor.clone(), id, values })
        } else {
            Err(refusal(self.descriptor, self.problems))
        }
    }
}

pub(crate) fn refusal(descriptor: &Descriptor, problems: Vec<String>) -> Error {
    let detail = format!("the values do not fit {}", shown(descriptor.name()));
    Error::several(ErrorKind::Input, EXPORT_RUN.id, detail, problems)
}

pub(crate) fn unknown(descriptor: &Descriptor, name: &str, meant: Option<&str>) -> String {
    let names = || descriptor.parameters().iter().map(|parameter| shown(&parameter.name));
    let hint = match meant {
        Some(meant) => format!("did you mean {}?", shown(meant)),
        None if descriptor.parameters().is_empty() => "it has none".to_owned(),
        None => format!("expected {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("{}: the export has no such parameter; {hint}", shown(name))
}

/// The parameter that was most likely meant by a name that is none.
pub(crate) fn nearest<'d>(descriptor: &'d Descriptor, name: &str) -> Option<&'d str> {
    meant(name, descriptor.parameters().iter().map(|parameter| parameter.name.as_str()))
}

#[cfg(test)]
mod model;
