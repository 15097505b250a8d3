//! Requests whose values fit the export, and their builder.

use std::{collections::BTreeSet, fmt};

use http::StatusCode;
use perenso_auth::Response;
use serde_json::{Map, Value as Json};

use super::descriptor::Descriptor;
use crate::{
    client::Perenso,
    error::{
        Error, ErrorKind,
        name::{closest, shown},
    },
    exports::values::value::{Input, ParameterValue, expectation, parse},
    generated::{ClientSealedExt, operations::EXPORT_RUN},
    paging::Key,
    records::Id,
    types::{ExportDataType, ExportParameter, ExportValues},
};

/// A request whose values fit the export.
///
/// Created by [`Descriptor::check`] and [`Bound::check`](crate::exports::Bound::check); sent by
/// [`Exports::send`](crate::Exports::send). `Debug` shows the names of the parameters and no values.
///
/// ```
/// use perenso::exports::Catalog;
///
/// let catalog: Catalog = serde_json::from_str(r#"[
///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
///         {"name": "Cursor", "dataType": "Integer"},
///         {"name": "Limit", "dataType": "Integer"}]}]"#)?;
/// let export = catalog.by_name("Get API Customers")?;
/// let request = export.check([("Cursor", 1), ("Limit", 15)])?;
/// assert_eq!(request.id().as_str(), "79aag9");
/// assert_eq!(serde_json::to_string(&request.body())?, r#"{"Cursor":1,"Limit":15}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CheckedRequest {
    descriptor: Descriptor,
    id: Id,
    /// In the order of the parameters.
    values: Vec<ParameterValue>,
}

impl CheckedRequest {
    /// Returns the id of the export.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Returns the JSON body; `None` for an export without parameters.
    #[must_use]
    pub fn body(&self) -> Option<Map<String, Json>> {
        let members = || self.names().map(str::to_owned).zip(self.values.iter().map(ParameterValue::to_json));
        (!self.values.is_empty()).then(|| members().collect())
    }

    /// Sends the request. If the server rejects it, the cached catalog may be out of date, so the cache is cleared.
    pub(crate) async fn send(self, show: &Perenso) -> Result<Response, Error> {
        let id = self.id.clone();
        let result = match self.body() {
            None => show.api().export_run().id(id).send().await,
            Some(values) => show.api().export_run_with().id(id).body(ExportValues(values)).send().await,
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

    /// Returns the value of an Integer parameter, or of a Text parameter that holds an integer.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            ParameterValue::Integer(number) => Some(*number),
            ParameterValue::Text(text) => parse(&ExportDataType::Integer, text).ok()?.integer(),
            _ => None,
        }
    }

    /// Returns the value of an Integer or Text parameter.
    pub(crate) fn key(&self, name: &str) -> Option<Key> {
        match self.value(name)? {
            ParameterValue::Integer(number) => Some(Key::Integer(*number)),
            ParameterValue::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }

    /// Returns a copy with an Integer or Text parameter set. A key of another kind leaves the
    /// request unchanged.
    pub(crate) fn with(&self, name: &str, key: &Key) -> Self {
        let mut request = self.clone();
        let value = self.index(name).and_then(|index| request.values.get_mut(index));
        match (value, key) {
            (Some(ParameterValue::Integer(value)), Key::Integer(number)) => *value = *number,
            (Some(ParameterValue::Text(value)), key) => *value = key.text(),
            _ => {}
        }
        request
    }

    pub(crate) fn parameters(&self) -> &[ExportParameter] {
        self.descriptor.parameters()
    }

    fn value(&self, name: &str) -> Option<&ParameterValue> {
        self.values.get(self.index(name)?)
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.names().position(|parameter| parameter == name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.descriptor.parameters().iter().map(|parameter| parameter.name.as_str())
    }
}

/// Compares the export and the values.
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

/// Returns the id of an export, or an error if no request can ever fit the export.
pub(crate) fn runnable_id(descriptor: &Descriptor) -> Result<Id, Error> {
    let mut names = BTreeSet::new();
    if let Some(twice) = descriptor.parameters().iter().find(|parameter| !names.insert(parameter.name.as_str())) {
        let detail =
            format!("{} cannot be run: the catalog has its parameter {} twice", descriptor, shown(&twice.name));
        return Err(Error::own(ErrorKind::Export, EXPORT_RUN.id, detail));
    }
    Id::new(descriptor.id()).map_err(|error| {
        let detail = format!("{} cannot be run: its id is invalid: {error}", shown(descriptor.name()));
        Error::own(ErrorKind::Export, EXPORT_RUN.id, detail)
    })
}

/// Builds a request from named values and collects every problem.
pub(crate) struct ExportRunBuilder<'d> {
    descriptor: &'d Descriptor,
    slots: Vec<Slot>,
    /// Index of the next parameter if values arrive in the order of the catalog.
    next: usize,
    unknown_names: Vec<String>,
    problems: Vec<String>,
}

/// The state of one parameter.
enum Slot {
    Empty,
    Invalid,
    Filled(ParameterValue),
}

impl<'d> ExportRunBuilder<'d> {
    pub(crate) fn new(descriptor: &'d Descriptor) -> Self {
        let slots = descriptor.parameters().iter().map(|_| Slot::Empty).collect();
        Self { descriptor, slots, next: 0, unknown_names: Vec::new(), problems: Vec::new() }
    }

    /// Records a problem that belongs to no single value.
    pub(crate) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// Sets a parameter. `input` receives its data type.
    pub(crate) fn fill(&mut self, name: &str, input: impl FnOnce(&ExportDataType) -> Input) {
        let parameters = self.descriptor.parameters();
        let is_next = parameters.get(self.next).is_some_and(|parameter| parameter.name == name);
        let index = if is_next { Some(self.next) } else { parameters.iter().position(|other| other.name == name) };
        let Some(index) = index else {
            return self.unknown(name);
        };
        self.next = index + 1;
        if !matches!(self.slots[index], Slot::Empty) {
            return self.duplicate(name);
        }
        let expected = &parameters[index].data_type;
        let input = input(expected);
        let is_string = matches!(input, Input::Text(_));
        self.slots[index] = match input.convert(expected) {
            Ok(value) => Slot::Filled(value),
            Err(found) => {
                let expected = if is_string { expected.accepts() } else { expectation(expected) };
                self.problems.push(format!("{}: expected {expected}; found {found}", shown(name)));
                Slot::Invalid
            }
        };
    }

    fn unknown(&mut self, name: &str) {
        if self.unknown_names.iter().any(|other| other == name) {
            return self.duplicate(name);
        }
        self.problems.push(unknown_parameter(self.descriptor, name, closest_parameter(self.descriptor, name)));
        self.unknown_names.push(name.to_owned());
    }

    fn duplicate(&mut self, name: &str) {
        self.problems.push(format!("{}: given twice; expected once", shown(name)));
    }

    /// Returns the request for this id, or an error with every problem.
    pub(crate) fn build(mut self, id: Id) -> Result<CheckedRequest, Error> {
        let mut values = Vec::with_capacity(self.slots.len());
        for (parameter, slot) in self.descriptor.parameters().iter().zip(self.slots) {
            match slot {
                Slot::Filled(value) => values.push(value),
                Slot::Invalid => {}
                Slot::Empty => {
                    let expected = expectation(&parameter.data_type);
                    self.problems.push(format!("{}: missing; expected {expected}", shown(&parameter.name)));
                }
            }
        }
        if self.problems.is_empty() {
            Ok(CheckedRequest { descriptor: self.descriptor.clone(), id, values })
        } else {
            Err(input_error(self.descriptor, self.problems))
        }
    }
}

pub(crate) fn input_error(descriptor: &Descriptor, problems: Vec<String>) -> Error {
    let detail = format!("the values do not fit {}", shown(descriptor.name()));
    Error::several(ErrorKind::Input, EXPORT_RUN.id, detail, problems)
}

/// Describes a parameter that the export does not have.
pub(crate) fn unknown_parameter(descriptor: &Descriptor, name: &str, closest: Option<&str>) -> String {
    let names = || descriptor.parameters().iter().map(|parameter| shown(&parameter.name));
    let hint = match closest {
        Some(closest) => format!("did you mean {}?", shown(closest)),
        None if descriptor.parameters().is_empty() => "it has none".to_owned(),
        None => format!("expected {}", names().collect::<Vec<_>>().join(", ")),
    };
    format!("{}: the export has no such parameter; {hint}", shown(name))
}

/// Returns the parameter name closest to an unknown name.
pub(crate) fn closest_parameter<'d>(descriptor: &'d Descriptor, name: &str) -> Option<&'d str> {
    closest(name, descriptor.parameters().iter().map(|parameter| parameter.name.as_str()))
}

#[cfg(test)]
mod model;
