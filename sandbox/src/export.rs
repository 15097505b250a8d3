//! Custom exports: the catalog of the vendor's guide, and their runs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Context};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::answer::{Refusal, wrong_method};
use crate::behavior::Behavior;
use crate::body;
use crate::field::Problem;
use crate::list::{capped, page_of};
use crate::show::{Show, State};
use crate::table::{Row, Table};

struct Export {
    id: &'static str,
    name: &'static str,
    parameters: &'static [Parameter],
}

/// A parameter; the guide's exports have integers only.
struct Parameter {
    name: &'static str,
    description: &'static str,
}

const VENDORS: &str = "739da9";
const CUSTOMERS: &str = "79aag9";
const BOOTHS: &str = "j96479";

const CATALOG: [Export; 3] = [
    Export { id: VENDORS, name: "Vendors", parameters: &[] },
    Export {
        id: CUSTOMERS,
        name: "Get API Customers",
        parameters: &[
            Parameter { name: "Cursor", description: "Index of the current set of paged customers" },
            Parameter { name: "Limit", description: "Number of customers to return per export" },
        ],
    },
    Export { id: BOOTHS, name: "Get Available Booths for Login", parameters: &[] },
];

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/Export", get(catalog).fallback(wrong_method))
        .route("/Export/{id}", post(run).fallback(wrong_method))
        .with_state(show.clone())
}

async fn catalog() -> Json<Value> {
    Json(CATALOG.iter().map(Export::json).collect())
}

async fn run(
    Context(show): Context<Arc<Show>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let export = CATALOG.iter().find(|export| export.id == id).ok_or_else(|| Refusal::not_found("export", &id))?;
    let values = export.values(&headers, &body)?;
    let State { tables, behavior, .. } = &*show.state();
    match (export.id, values.as_slice()) {
        (CUSTOMERS, &[cursor, limit]) => customers(&tables.customers, cursor, limit, behavior),
        (BOOTHS, _) => Ok(all(&tables.booths)),
        _ => Ok(all(&tables.vendors)),
    }
}

fn all(table: &Table) -> Response {
    let rows: Vec<Value> = table.rows().map(|row| row.json(false)).collect();
    Json(rows).into_response()
}

fn customers(table: &Table, cursor: u64, limit: u64, behavior: &Behavior) -> Result<Response, Refusal> {
    let first = if behavior.cursor_is_offset { 0 } else { 1 };
    if cursor < first {
        return Err(refused(&[Problem::new("Cursor", format!("expected {first} or more"))]));
    }
    if limit < 1 {
        return Err(refused(&[Problem::new("Limit", "expected 1 or more")]));
    }
    let rows: Vec<&Row> = table.rows().collect();
    let page = if behavior.cursor_is_offset {
        let start = usize::try_from(cursor).unwrap_or(usize::MAX).min(rows.len());
        let size = capped(limit, behavior).min(rows.len() - start);
        Some(&rows[start..start + size])
    } else {
        page_of(&rows, cursor, limit, behavior)
    };
    let page =
        page.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is no such page of the export"))?;
    let items: Vec<Value> = page.iter().map(|row| row.json(false)).collect();
    Ok(Json(items).into_response())
}

impl Export {
    fn json(&self) -> Value {
        let parameters: Vec<Value> = self
            .parameters
            .iter()
            .map(|parameter| {
                json!({
                    "name": parameter.name,
                    "dataType": "Integer",
                    "description": parameter.description,
                })
            })
            .collect();
        json!({ "id": self.id, "name": self.name, "parameters": parameters })
    }

    /// Reads the values in the order of the parameters, or names everything that is wrong with them.
    fn values(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<u64>, Refusal> {
        if self.parameters.is_empty() {
            return if body.is_empty() {
                Ok(Vec::new())
            } else {
                Err(Refusal::bad_request("body_not_empty", "this export has no parameters: its body must be empty"))
            };
        }
        let given = if body.is_empty() { Map::new() } else { body::object(headers, body)? };
        let mut values = Vec::new();
        let mut problems = Vec::new();
        for parameter in self.parameters {
            match integer(given.get(parameter.name)) {
                Ok(value) => values.push(value),
                Err(message) => problems.push(Problem::new(parameter.name, message)),
            }
        }
        let is_known = |name: &str| self.parameters.iter().any(|known| known.name == name);
        for name in given.keys().filter(|name| !is_known(name)) {
            problems.push(Problem::new(name, "the export has no such parameter"));
        }
        if problems.is_empty() { Ok(values) } else { Err(refused(&problems)) }
    }
}

fn integer(value: Option<&Value>) -> Result<u64, String> {
    match value {
        None => Err("it is missing".to_owned()),
        Some(value) if value.as_i64().is_some_and(|number| number < 0) => Err("it is negative".to_owned()),
        Some(value) => value.as_u64().ok_or_else(|| format!("expected an integer, found {}", body::kind(value))),
    }
}

fn refused(problems: &[Problem]) -> Refusal {
    let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Refusal::bad_request("invalid_parameters", messages.join("; "))
        .naming(problems.iter().map(|problem| problem.field.clone()))
}
