//! Custom exports: what one is, and which values it takes.

mod definition;
mod row_file;

use std::ops::Range;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::behavior::Behavior;
use crate::body;
use crate::data_type::DataType;
use crate::list::{capped, page_of};
use crate::problem::Problem;
use crate::rows::{Form, Rows};
use crate::show::Show;
use crate::state::{State, Tables};
use crate::table::Table;

/// A custom export: how it stands in the catalog, and what a run of it answers.
///
/// The vendor makes exports on request, so that nobody else knows what they hold: these are as whoever starts the
/// sandbox says. Values are checked as the vendor's guide has it, and every parameter is required.
///
/// ```
/// use perenso_sandbox::{DataType, Export, Form, Parameter, Rows, Sandbox};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let scans = Export::new("b4dg3s", "Badge Scans")
///     .parameter(Parameter::new("Booth", DataType::Text).described("Scans at this booth"))
///     .rows_by(|values| {
///         let booth = values["Booth"].clone();
///         Rows::generated(1_000_000, move |number| json!({ "booth": booth, "scan": number }))
///     })
///     .form(Form::Lines);
/// let sandbox = Sandbox::builder().export(scans).export(Export::order_lines(10_000)).start().await?;
///
/// // The catalog drifts away from what a client knew of it.
/// sandbox.set_exports(|exports| exports[3].parameters[0].name = "BoothID".to_owned());
/// # Ok(())
/// # }
/// ```
///
/// An export with the parameters `Cursor` and `Limit` (or as [`page_by`](Export::page_by) names them), both integers,
/// gives a page of its rows by the same switches as "Get API Customers" of the guide:
/// [`cursor_is_offset`](Behavior::cursor_is_offset), [`page_cap`](Behavior::page_cap) and
/// [`past_the_end`](Behavior::past_the_end). Any other gives all of them.
///
/// One that stands in a file is read by [`Export::read`].
///
/// Rows are made while they are sent, as fast as the client reads. An answer of up to 64 KiB has a `Content-Length`; a
/// longer one is chunked, and the journal has its status only.
#[derive(Clone)]
#[non_exhaustive]
pub struct Export {
    /// The id, which is the last part of the path; six lower-case letters and digits in the guide.
    pub id: String,
    /// The name.
    pub name: String,
    /// The parameters, in the order of the catalog.
    pub parameters: Vec<Parameter>,
    source: Source,
    form: Form,
    content_type: Option<String>,
    cursor: String,
    limit: String,
}

/// A parameter of an [`Export`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name; upper and lower case count.
    pub name: String,
    /// What it takes.
    pub data_type: DataType,
    /// The words of the catalog about it; without them the catalog has no such field.
    pub description: Option<String>,
}

impl Parameter {
    /// A parameter without a description.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, description: None }
    }

    /// Adds a description.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
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

/// Where an answer comes from.
#[derive(Clone)]
enum Source {
    Table(fn(&Tables) -> &Table),
    Rows(Arc<RowsBy>),
    Body(Bytes),
}

/// Gives the rows for the values of a run.
type RowsBy = dyn Fn(&Map<String, Value>) -> Rows + Send + Sync;

impl Export {
    /// An export without parameters and rows.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            parameters: Vec::new(),
            source: Source::Rows(Arc::new(|_| Rows::from(Vec::new()))),
            form: Form::Array,
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

    /// The rows, whatever the values.
    #[must_use]
    pub fn rows(self, rows: impl Into<Rows>) -> Self {
        let rows = rows.into();
        self.rows_by(move |_| rows.clone())
    }

    /// The rows by the values of a run, which have been checked: each parameter has one, of its data type.
    #[must_use]
    pub fn rows_by(mut self, rows: impl Fn(&Map<String, Value>) -> Rows + Send + Sync + 'static) -> Self {
        self.source = Source::Rows(Arc::new(rows));
        self
    }

    /// The rows are the records of a table.
    pub(crate) fn table(mut self, table: fn(&Tables) -> &Table) -> Self {
        self.source = Source::Table(table);
        self
    }

    /// How the rows are written; default [`Form::Array`].
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// A content type other than that of the form. One that HTTP does not allow answers 500.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Answers these very bytes instead of rows. There are no pages of them.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.source = Source::Body(Bytes::from(body.into()));
        self.content_type(content_type)
    }

    /// The names of the two parameters that make an export paged; default `Cursor` and `Limit`.
    #[must_use]
    pub fn page_by(mut self, cursor: impl Into<String>, limit: impl Into<String>) -> Self {
        self.cursor = cursor.into();
        self.limit = limit.into();
        self
    }

    /// Its entry in the catalog.
    pub(crate) fn json(&self) -> Value {
        let parameters: Vec<Value> = self.parameters.iter().map(Parameter::json).collect();
        json!({ "id": self.id, "name": self.name, "parameters": parameters })
    }

    pub(crate) fn run(&self, show: &Show, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        let values = self.values(headers, body)?;
        let content_type = self.content_type.as_deref().unwrap_or(self.form.content_type());
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| broken("invalid_content_type", "the export's content type is not valid HTTP"))?;
        let rows = match &self.source {
            Source::Table(table) => {
                let State { tables, behavior, .. } = &*show.state();
                let table = table(tables);
                let range = self.page(&values, table.len(), behavior)?;
                let count = range.end - range.start;
                let places = table.places(range.start).take(count as usize).collect();
                return self.written(table.shown(places, None), 0..count, content_type);
            }
            // Not under the lock: what is called may well ask the sandbox something.
            Source::Rows(rows) => rows(&values),
            Source::Body(body) => return Ok(answered(content_type, Body::from(body.clone()))),
        };
        let range = self.page(&values, rows.count(), &show.state().behavior)?;
        self.written(rows, range, content_type)
    }

    fn written(&self, rows: Rows, range: Range<u64>, content_type: HeaderValue) -> Result<Response, Refusal> {
        let body = rows.body(range, self.form);
        let body = body.map_err(|_| broken("invalid_row", "a row of the export cannot be written in its form"))?;
        Ok(answered(content_type, body))
    }

    /// Reads the values, or names everything that is wrong with them.
    fn values(&self, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
        if self.parameters.is_empty() {
            return if body.is_empty() {
                Ok(Map::new())
            } else {
                Err(Refusal::bad_request("body_not_empty", "this export has no parameters: its body must be empty"))
            };
        }
        let given = if body.is_empty() { Map::new() } else { body::object(headers, body)? };
        let mut problems = Vec::new();
        for parameter in &self.parameters {
            if let Err(message) = parameter.data_type.check(given.get(&parameter.name)) {
                problems.push(Problem::new(&parameter.name, message));
            }
        }
        let is_known = |name: &str| self.parameters.iter().any(|known| known.name == name);
        for name in given.keys().filter(|name| !is_known(name)) {
            problems.push(Problem::new(name, "the export has no such parameter"));
        }
        if problems.is_empty() { Ok(given) } else { Err(refused(&problems)) }
    }

    /// The rows that a run asks for.
    fn page(&self, values: &Map<String, Value>, total: u64, behavior: &Behavior) -> Result<Range<u64>, Refusal> {
        let is_integer =
            |name: &str| self.parameters.iter().any(|known| known.name == name && known.data_type == DataType::Integer);
        if !is_integer(&self.cursor) || !is_integer(&self.limit) {
            return Ok(0..total);
        }
        let mut problems = Vec::new();
        let mut number = |name: &str, least: u64| {
            let number = values.get(name).and_then(Value::as_u64).filter(|number| *number >= least);
            if number.is_none() {
                problems.push(Problem::new(name, format!("expected {least} or more")));
            }
            number.unwrap_or_default()
        };
        let cursor = number(&self.cursor, if behavior.cursor_is_offset { 0 } else { 1 });
        let limit = number(&self.limit, 1);
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        if behavior.cursor_is_offset {
            let start = cursor.min(total);
            return Ok(start..start + capped(limit, behavior).min(total - start));
        }
        page_of(total, cursor, limit, behavior)
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is no such page of the export"))
    }
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("parameters", &self.parameters)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

fn answered(content_type: HeaderValue, body: Body) -> Response {
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

fn refused(problems: &[Problem]) -> Refusal {
    let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Refusal::bad_request("invalid_parameters", messages.join("; "))
        .naming(problems.iter().map(|problem| problem.field.clone()))
}

/// What whoever defined the export has to mend.
fn broken(error: &'static str, message: &str) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error, message)
}
