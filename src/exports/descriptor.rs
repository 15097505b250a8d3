//! What one export is, and whether values fit it.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{
    name::{clean, meant, shown},
    value::{Given, Value, expectation, parse, text_expectation},
};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    id::Id,
    types::{ExportDescriptor, ExportParameter},
};

/// What one export is: its id, its name and its parameters.
///
/// `Display` gives it as lines for people. Serialised it is the JSON of the API, fields that the SDK does not know
/// included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Descriptor(ExportDescriptor);

impl Descriptor {
    /// The id, for the path of a run.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The parameters in the order of the catalog. A run must be given all of them: nothing in the vendor's guide makes
    /// one optional.
    #[must_use]
    pub fn parameters(&self) -> &[ExportParameter] {
        &self.0.parameters
    }

    /// Turns values into a request that fits.
    ///
    /// ```
    /// use perenso::exports::{Catalog, Value};
    ///
    /// let catalog: Catalog = serde_json::from_str(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let customers = catalog.by_name("Get API Customers")?;
    ///
    /// let request = customers.check([("Cursor", 1), ("Limit", 15)])?;
    /// assert_eq!(request.body().map(|body| &body["Limit"]), Some(&15.into()));
    ///
    /// let error = customers.check([("Cursor", Value::from("1")), ("Limti", Value::from(15))]).unwrap_err();
    /// assert_eq!(error.problems().len(), 3); // one is wrong, one unknown, one missing
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// All [problems](Error::problems) at once: what is missing, unknown, given twice, or of another type, each with what
    /// was expected and the kind of thing that was found, never the value. A descriptor that has a parameter twice is
    /// refused, since no values fit it.
    pub fn check<N: Into<String>, V: Into<Value>>(
        &self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Result<CheckedRequest, Error> {
        let given = values.into_iter().map(|(name, value)| (name.into(), Given::Value(value.into())));
        self.fit(given, Vec::new())
    }

    /// Reads text from a command line, a form or a table as the parameter's data type has it.
    ///
    /// Integer: digits, or digits after a minus sign. Boolean: `true` or `false` in any case. DateTime: RFC 3339 with a
    /// zone and whole seconds. Text: as it is.
    ///
    /// # Errors
    /// When there is no such parameter, or the text is none that it takes; the error says what it takes.
    pub fn parse(&self, name: &str, text: &str) -> Result<Value, Error> {
        let refused = |problem: String| Err(self.refusal(vec![problem]));
        match self.parameters().iter().find(|parameter| parameter.name == name) {
            None => refused(self.unknown(name)),
            Some(parameter) => parse(&parameter.data_type, text).or_else(|found| {
                refused(format!("{}: expected {}; found {found}", shown(name), text_expectation(&parameter.data_type)))
            }),
        }
    }

    /// The request of these values, or every problem of them beside those that are known already.
    pub(crate) fn fit(
        &self,
        given: impl IntoIterator<Item = (String, Given)>,
        mut problems: Vec<String>,
    ) -> Result<CheckedRequest, Error> {
        let mut names = BTreeSet::new();
        if let Some(twice) = self.parameters().iter().find(|parameter| !names.insert(parameter.name.as_str())) {
            let detail = format!("{} cannot be run: the catalog has its parameter {} twice", self, shown(&twice.name));
            return Err(Error::own(ErrorKind::Export, EXPORT_RUN.id, detail));
        }
        let id = Id::new(self.id()).map_err(|error| {
            let detail = format!("{} cannot be run, its id is none: {error}", shown(self.name()));
            Error::own(ErrorKind::Export, EXPORT_RUN.id, detail)
        })?;
        let mut seen = BTreeSet::new();
        let mut values = Map::new();
        for (name, given) in given {
            if !seen.insert(name.clone()) {
                problems.push(format!("{}: given twice; expected once", shown(&name)));
                continue;
            }
            let Some(parameter) = self.parameters().iter().find(|parameter| parameter.name == name) else {
                problems.push(self.unknown(&name));
                continue;
            };
            let is_text = matches!(given, Given::Text(_));
            match given.fit(&parameter.data_type) {
                Ok(value) => {
                    values.insert(name, value);
                }
                Err(found) => {
                    let expected = if is_text {
                        text_expectation(&parameter.data_type)
                    } else {
                        expectation(&parameter.data_type)
                    };
                    problems.push(format!("{}: expected {expected}; found {found}", shown(&name)));
                }
            }
        }
        for parameter in self.parameters().iter().filter(|parameter| !seen.contains(&parameter.name)) {
            let expected = expectation(&parameter.data_type);
            problems.push(format!("{}: missing; expected {expected}", shown(&parameter.name)));
        }
        if problems.is_empty() { Ok(CheckedRequest { id, values }) } else { Err(self.refusal(problems)) }
    }

    fn refusal(&self, problems: Vec<String>) -> Error {
        let detail = format!("the values do not fit {}", shown(self.name()));
        Error::several(ErrorKind::Input, EXPORT_RUN.id, detail, problems)
    }

    fn unknown(&self, name: &str) -> String {
        let names = || self.parameters().iter().map(|parameter| parameter.name.as_str());
        let hint = match meant(name, names()) {
            Some(meant) => format!("did you mean {}?", shown(meant)),
            None if self.parameters().is_empty() => "it has none".to_owned(),
            None => format!("expected {}", names().map(shown).collect::<Vec<_>>().join(", ")),
        };
        format!("{}: the export has no such parameter; {hint}", shown(name))
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", clean(self.name(), 200), clean(self.id(), 80))
    }
}

impl From<ExportDescriptor> for Descriptor {
    fn from(descriptor: ExportDescriptor) -> Self {
        Self(descriptor)
    }
}

/// A request whose values fit the export: [`Descriptor::check`] makes it, [`Exports::send`](crate::Exports::send) sends
/// it.
///
/// `Debug` shows the names of the parameters only.
#[derive(Clone, PartialEq)]
pub struct CheckedRequest {
    id: Id,
    values: Map<String, Json>,
}

impl CheckedRequest {
    /// The id of the export.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The body as it goes out; none for an export without parameters.
    #[must_use]
    pub fn body(&self) -> Option<&Map<String, Json>> {
        (!self.values.is_empty()).then_some(&self.values)
    }

    pub(crate) fn into_parts(self) -> (Id, Map<String, Json>) {
        (self.id, self.values)
    }
}

impl fmt::Debug for CheckedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.values.keys().collect();
        f.debug_struct("CheckedRequest").field("id", &self.id).field("parameters", &names).finish()
    }
}
