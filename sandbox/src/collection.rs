//! A collection: list, create, read, update and delete of one resource, V1 style.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Context};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Map, Value};

use crate::answer::{Refusal, unprocessable, wrong_method};
use crate::behavior::{DeleteAnswer, ModifiedDate};
use crate::body;
use crate::customer;
use crate::list::{ListQuery, parameter};
use crate::show::Show;
use crate::state::{State, Tables};
use crate::table::{Absent, Table};

/// A resource that is kept in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Customer,
    Warehouse,
    Attendee,
}

#[derive(Clone)]
struct Collection {
    show: Arc<Show>,
    resource: Resource,
}

/// The routes of a resource. What the documents show no way to write can only be read.
pub(crate) fn routes(show: &Arc<Show>, resource: Resource) -> Router {
    let (all, one): (MethodRouter<Collection>, MethodRouter<Collection>) = match resource {
        Resource::Attendee => (get(list), get(read)),
        Resource::Customer | Resource::Warehouse => (get(list).post(create), get(read).put(update).delete(delete)),
    };
    let path = resource.path();
    Router::new()
        .route(path, all.fallback(wrong_method))
        .route(&format!("{path}/{{id}}"), one.fallback(wrong_method))
        .with_state(Collection { show: show.clone(), resource })
}

impl Resource {
    fn path(self) -> &'static str {
        match self {
            Self::Customer => "/Customer",
            Self::Warehouse => "/Warehouse",
            Self::Attendee => "/attendee",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Warehouse => "warehouse",
            Self::Attendee => "attendee",
        }
    }

    /// The schema with all fields that can be sorted by; none where the documents do not show them all.
    fn schema(self) -> Option<&'static str> {
        match self {
            Self::Customer => Some(customer::V1),
            Self::Warehouse | Self::Attendee => None,
        }
    }

    fn table(self, tables: &mut Tables) -> &mut Table {
        match self {
            Self::Customer => &mut tables.customers,
            Self::Warehouse => &mut tables.warehouses,
            Self::Attendee => &mut tables.attendees,
        }
    }

    /// Brings a record into the shape in which it is kept.
    fn settle(self, fields: &mut Map<String, Value>, table: &mut Table) {
        if self == Self::Customer {
            customer::settle(fields, table);
        }
    }

    /// Checks a record before it is written; `id` is the record's own where it has one. Ordering groups that are missing
    /// are no matter where they are created.
    fn check(
        self,
        id: Option<&str>,
        fields: &Map<String, Value>,
        creates_groups: bool,
        state: &State,
    ) -> Result<(), Refusal> {
        if self != Self::Customer {
            return Ok(());
        }
        let problems = customer::problems(customer::V1, fields, creates_groups, &state.tables, &state.behavior);
        if !problems.is_empty() {
            return Err(unprocessable(problems));
        }
        if state.behavior.unique_customer_id
            && let Some(Value::String(key)) = fields.get("customerID")
            && let Some(other) = state.tables.customers.with_key(key).next()
            && Some(&*other.id()) != id
        {
            let message = "customerID: another customer has it";
            return Err(Refusal::new(StatusCode::CONFLICT, "conflict", message).naming(["customerID".to_owned()]));
        }
        Ok(())
    }
}

async fn list(Context(c): Context<Collection>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let query = ListQuery::read(query.as_deref(), c.resource.schema(), &["modifiedAfter"])?;
    let State { tables, behavior, .. } = &mut *c.show.state();
    query.answer(c.resource.table(tables), c.resource.name(), behavior)
}

async fn create(
    Context(c): Context<Collection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut fields = body::object(&headers, &body)?;
    let creates_groups = creates_groups(query.as_deref())?;
    let mut state = c.show.state();
    c.resource.check(None, &fields, creates_groups, &state)?;
    if creates_groups {
        customer::create_groups(&fields, &mut state.tables);
    }
    let (now, date) = (c.show.local_now(&state.behavior), state.behavior.modified_date);
    let status = if state.behavior.create_answers_201 { StatusCode::CREATED } else { StatusCode::OK };
    let table = c.resource.table(&mut state.tables);
    c.resource.settle(&mut fields, table);
    let id = table.fresh_id();
    table.insert(&id, fields, now);
    let mut answer = c.shown(table, &id, date)?;
    *answer.status_mut() = status;
    Ok(answer)
}

async fn read(Context(c): Context<Collection>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let State { tables, behavior, .. } = &mut *c.show.state();
    c.shown(c.resource.table(tables), &id, behavior.modified_date)
}

async fn update(
    Context(c): Context<Collection>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut fields = body::object(&headers, &body)?;
    let mut state = c.show.state();
    if c.resource.table(&mut state.tables).get(&id).is_none() {
        return Err(c.missing(&id));
    }
    c.resource.check(Some(&id), &fields, false, &state)?;
    let (now, date) = (c.show.local_now(&state.behavior), state.behavior.modified_date);
    let absent = if state.behavior.put_replaces { Absent::Go } else { Absent::Stay };
    let table = c.resource.table(&mut state.tables);
    c.resource.settle(&mut fields, table);
    table.update(&id, fields, absent, now);
    c.shown(table, &id, date)
}

async fn delete(Context(c): Context<Collection>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let State { tables, behavior, .. } = &mut *c.show.state();
    let table = c.resource.table(tables);
    let record = c.shown(table, &id, behavior.modified_date)?;
    table.remove(&id);
    Ok(match behavior.delete_answer {
        DeleteAnswer::NoContent => StatusCode::NO_CONTENT.into_response(),
        DeleteAnswer::EmptyOk => StatusCode::OK.into_response(),
        DeleteAnswer::Record => record,
    })
}

impl Collection {
    /// The answer that is a record of the table.
    fn shown(&self, table: &Table, id: &str, date: ModifiedDate) -> Result<Response, Refusal> {
        let row = table.get(id).ok_or_else(|| self.missing(id))?;
        Ok(([(CONTENT_TYPE, "application/json")], row.bytes(Some(date))).into_response())
    }

    fn missing(&self, id: &str) -> Refusal {
        Refusal::not_found(self.resource.name(), id)
    }
}

/// Whether ordering groups that a new customer names are created where they are missing.
fn creates_groups(query: Option<&str>) -> Result<bool, Refusal> {
    let name = "createMissingOrderingGroups";
    match parameter(query, name).as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::parameter(name, "expected true or false")),
    }
}
