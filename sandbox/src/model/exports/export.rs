//! A custom export: its catalog entry, the values it accepts, and the source of its rows.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::data_type::DataType;
use crate::model::document::Problem;
use crate::model::rows::{RowSyntax, Rows};
use crate::model::table::Table;
use crate::model::tables::Tables;

/// A custom export: its catalog entry and its rows.
///
/// The vendor creates exports on request, so you define those of your show. Values are checked by the vendor's guide, and
/// every parameter is required.
///
/// ```
/// use perenso_sandbox::{DataType, Export, Parameter, RowSyntax, Rows, Sandbox};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scans = Export::new("b4dg3s", "Badge Scans")
///     .parameter(Parameter::new("Booth", DataType::Text))
///     .rows_by(|values| {
///         let booth = values["Booth"].clone();
///         let row = move |number| json!({ "booth": booth, "scan": number });
///         Rows::generated(1_000_000, row)
///     })
///     .syntax(RowSyntax::Lines);
/// let lines = Export::order_lines(10_000);
/// let sandbox = Sandbox::builder().export(scans).export(lines).start().await?;
///
/// // Change the catalog after a client has read it.
/// sandbox.set_exports(|exports| exports[3].parameters[0].name = "BoothID".to_owned());
/// # Ok(())
/// # }
/// ```
///
/// An export with the integer parameters `Cursor` and `Limit`, or those of [`page_by`](Export::page_by), returns pages. They
/// follow the same switches as "Get API Customers" of the guide:
/// [`cursor_is_offset`](crate::Behavior::cursor_is_offset), [`page_cap`](crate::Behavior::page_cap) and
/// [`past_the_end`](crate::Behavior::past_the_end). Any other export returns all rows.
///
/// [`Export::read`] reads exports from files.
///
/// Rows are generated while they are sent, as fast as the client reads. A response of up to 64 KiB has a `Content-Length`. A
/// longer one is chunked, and the journal has no body of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Export {
    /// The id, the last segment of the path: six lower-case letters and digits in the guide.
    pub id: String,
    /// The name.
    pub name: String,
    /// The parameters, in the order of the catalog.
    pub parameters: Vec<Parameter>,
    pub(crate) source: Source,
    pub(crate) syntax: RowSyntax,
    pub(super) content_type: Option<String>,
    pub(super) cursor: String,
    pub(super) limit: String,
}

/// A parameter of an [`Export`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name. It is case-sensitive.
    pub name: String,
    /// The data type.
    pub data_type: DataType,
    /// The description. If it is `None`, the catalog has no such field.
    pub description: Option<String>,
}

impl Parameter {
    /// Returns a parameter without a description.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, description: None }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn json(&self) -> Value {
        let mut parameter = json!({ "name": self.name, "dataType": self.data_type.name() });
        if let Some(description) = &self.description {
            parameter["description"] = description.as_str().into();
        }
        parameter
    }
}

/// The source of an export's body.
#[derive(Clone)]
pub(crate) enum Source {
    Table(fn(&Tables) -> &Table),
    Rows(Arc<RowsBy>),
    Body(Arc<[u8]>),
}

/// Returns the rows for the values of a run.
pub(crate) type RowsBy = dyn Fn(&Map<String, Value>) -> Rows + Send + Sync;

impl Export {
    /// Returns an export without parameters and rows.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            parameters: Vec::new(),
            source: Source::Rows(Arc::new(|_| Rows::from(Vec::new()))),
            syntax: RowSyntax::Array,
            content_type: None,
            cursor: "Cursor".to_owned(),
            limit: "Limit".to_owned(),
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Sets the rows, regardless of the values.
    #[must_use]
    pub fn rows(self, rows: impl Into<Rows>) -> Self {
        let rows = rows.into();
        self.rows_by(move |_| rows.clone())
    }

    /// Sets the function that returns the rows of a run. Its values have been checked: each parameter has one of its type.
    #[must_use]
    pub fn rows_by(mut self, rows: impl Fn(&Map<String, Value>) -> Rows + Send + Sync + 'static) -> Self {
        self.source = Source::Rows(Arc::new(rows));
        self
    }

    /// Uses the records of a table as rows.
    pub(crate) fn table(mut self, table: fn(&Tables) -> &Table) -> Self {
        self.source = Source::Table(table);
        self
    }

    /// Sets the syntax of the rows; default [`RowSyntax::Array`].
    #[must_use]
    pub fn syntax(mut self, syntax: RowSyntax) -> Self {
        self.syntax = syntax;
        self
    }

    /// Sets a content type other than that of the syntax. An invalid one answers 500.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Responds with these bytes instead of rows, without pages.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Body(body.into().into());
        self.content_type(content_type)
    }

    /// Sets the names of the paging parameters; default `Cursor` and `Limit`.
    #[must_use]
    pub fn page_by(mut self, cursor: impl Into<String>, limit: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self.limit = limit.into();
        self
    }

    /// Returns its entry in the catalog.
    pub(crate) fn json(&self) -> Value {
        let parameters: Vec<Value> = self.parameters.iter().map(Parameter::json).collect();
        json!({ "id": self.id, "name": self.name, "parameters": parameters })
    }

    /// Returns the content type of the rows.
    pub(crate) fn media_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or(self.syntax.content_type())
    }

    /// Checks the values of a run.
    pub(crate) fn check(&self, values: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for parameter in &self.parameters {
            if let Err(message) = parameter.data_type.check(values.get(&parameter.name)) {
                problems.push(Problem::new(&parameter.name, message));
            }
        }
        let is_known = |name: &str| self.parameters.iter().any(|known| known.name == name);
        for name in values.keys().filter(|name| !is_known(name)) {
            problems.push(Problem::new(name, "the export has no such parameter"));
        }
        problems
    }

    /// Returns the cursor and the page size of a run, or `None` if the export has no pages.
    pub(crate) fn page(
        &self,
        values: &Map<String, Value>,
        first_page: u64,
    ) -> Result<Option<(u64, u64)>, Vec<Problem>> {
        let is_integer =
            |name: &str| self.parameters.iter().any(|known| known.name == name && known.data_type == DataType::Integer);
        if !is_integer(&self.cursor) || !is_integer(&self.limit) {
            return Ok(None);
        }
        let mut problems = Vec::new();
        let mut number = |name: &str, least: u64| {
            let number = values.get(name).and_then(Value::as_u64).filter(|number| *number >= least);
            if number.is_none() {
                problems.push(Problem::new(name, format!("expected {least} or more")));
            }
            number.unwrap_or_default()
        };
        let page = (number(&self.cursor, first_page), number(&self.limit, 1));
        if problems.is_empty() { Ok(Some(page)) } else { Err(problems) }
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("parameters", &self.parameters)
            .field("syntax", &self.syntax)
            .finish_non_exhaustive()
    }
}

/// Returns the exports of the vendor's guide.
pub(crate) fn guide() -> Vec<Export> {
    let customers = Export::new("79aag9", "Get API Customers")
        .parameter(
            Parameter::new("Cursor", DataType::Integer).description("Index of the current set of paged customers"),
        )
        .parameter(Parameter::new("Limit", DataType::Integer).description("Number of customers to return per export"));
    vec![
        Export::new("739da9", "Vendors").table(|tables| &tables.vendors),
        customers.table(|tables| &tables.customers),
        Export::new("j96479", "Get Available Booths for Login").table(|tables| &tables.booths),
    ]
}
