//! Orders: list, read, and update of lines in bulk.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State as Context};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{NaiveDate, NaiveDateTime};
use serde_json::{Map, Value, json};

use super::bulk::{self, BulkResponse, BulkResult};
use super::list_query::timestamp;
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::model::table::{AbsentFields, Record, Table};
use crate::model::timestamp::format_timestamp;
use crate::show::Show;
use crate::show::journal::query_parameter;
use crate::show::lists::ListQuery;
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/Order", get(list).put(update).fallback(method_not_allowed))
        .route("/Order/{id}", get(read).fallback(method_not_allowed))
        .with_state(show.clone())
}

/// The filters of the list.
const FILTERS: [&str; 9] = [
    "customerid",
    "productid",
    "vendorid",
    "status",
    "ordertype",
    "datelastmodified",
    "deliverydate",
    "deliverydatetill",
    "ponumber",
];

/// Matches orders of which at least one line matches, if anything is asked of lines.
struct Filter {
    status: Option<String>,
    modified: Option<NaiveDateTime>,
    /// JSON pointers into a line, and the strings that they must hold.
    strings: Vec<(&'static str, String)>,
    from: Option<NaiveDate>,
    till: Option<NaiveDate>,
}

impl Filter {
    fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let get = |name| query_parameter(query, name);
        let time = |name| get(name).map(|text| timestamp(name, &text)).transpose();
        let day = |name| time(name).map(|time| time.map(|time| time.date()));
        let pointers = [
            ("customerid", "/customer/id"),
            ("productid", "/product/id"),
            ("vendorid", "/vendor/id"),
            ("ordertype", "/orderType"),
            ("ponumber", "/purchaseOrder/id"),
        ];
        let (from, till) = (day("deliverydate")?, day("deliverydatetill")?);
        Ok(Self {
            status: get("status"),
            modified: time("datelastmodified")?,
            strings: pointers.into_iter().filter_map(|(name, pointer)| Some((pointer, get(name)?))).collect(),
            from,
            // Without an end the range is a single day.
            till: till.or(from),
        })
    }

    fn matches(&self, order: &Record) -> bool {
        self.modified.is_none_or(|since| order.modified().0 >= since)
            && self.status.as_ref().is_none_or(|status| order.field("status") == **status)
            && (self.takes_any_line()
                || order
                    .field("items")
                    .as_array()
                    .is_some_and(|lines| lines.iter().any(|line| self.matches_line(line))))
    }

    /// Returns true if nothing is asked of lines, so that an order without any matches.
    fn takes_any_line(&self) -> bool {
        self.strings.is_empty() && self.from.is_none() && self.till.is_none()
    }

    fn matches_line(&self, line: &Value) -> bool {
        let string = |pointer| line.pointer(pointer).and_then(Value::as_str);
        let delivery =
            string("/deliveryDate").and_then(|text| text.parse().ok()).map(|time: NaiveDateTime| time.date());
        self.strings.iter().all(|(pointer, wanted)| string(pointer) == Some(wanted))
            && self.from.is_none_or(|from| delivery.is_some_and(|day| day >= from))
            && self.till.is_none_or(|till| delivery.is_some_and(|day| day <= till))
    }
}

async fn list(Context(show): Context<Arc<Show>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let filter = Filter::parse(query.as_deref())?;
    let query = ListQuery::parse(query.as_deref(), Some("OrderLine"), &FILTERS)?
        .with_filter(move |order| filter.matches(order));
    let State { tables, behavior, .. } = &*show.state();
    query.respond(&tables.orders, "order", behavior)
}

async fn read(Context(show): Context<Arc<Show>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let State { tables, behavior, .. } = &*show.state();
    let order = tables.orders.get(&id).ok_or_else(|| ApiError::not_found("order", &id))?;
    Ok(([(CONTENT_TYPE, "application/json")], order.to_json(Some(behavior.modified_date))).into_response())
}

/// Updates lines. Each line succeeds or fails by itself.
async fn update(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<BulkResponse, ApiError> {
    let State { tables, behavior, .. } = &mut *show.state();
    let now = show.local_now(behavior);
    let lines = bulk::records_in(&headers, &body, "items", behavior)?;
    let places = line_places(&tables.orders);
    let mut result = BulkResult::default();
    for (line, row) in lines.iter().zip(1u64..) {
        let id = line.get("id").and_then(Value::as_str).unwrap_or_default();
        let Some((order, index)) = places.get(id) else {
            result.failed.push(failure(line, row, "Order line not found"));
            continue;
        };
        let mut items = tables.orders.get(order).map(|order| order.field("items")).unwrap_or_default();
        if let Some(stored) = items.get_mut(*index) {
            apply(line, stored);
            stored["modifiedDate"] = format_timestamp(now).into();
        }
        tables.orders.update(order, Map::from_iter([("items".to_owned(), items)]), AbsentFields::Keep, now);
        result.successful.push(id.into());
    }
    Ok(result.into_response(behavior))
}

/// Returns the order of each line and the index in it, by the key of the line.
fn line_places(orders: &Table) -> HashMap<String, (String, usize)> {
    let lines = |order: &Arc<Record>| {
        let items = order.field("items");
        let keys = items.as_array().into_iter().flatten().map(|line| line["orderLineID"].as_str().map(str::to_owned));
        keys.collect::<Vec<_>>()
    };
    let places = orders.records().flat_map(|order| {
        let id = order.id().to_owned();
        lines(order).into_iter().enumerate().filter_map(move |(index, key)| Some((key?, (id.clone(), index))))
    });
    places.collect()
}

/// Sets the fields of a line that an update has.
fn apply(update: &Value, line: &mut Value) {
    for (name, pointer) in [
        ("deliveryDate", "/deliveryDate"),
        ("orderQty", "/quantity"),
        ("notes", "/purchaseOrder/notes"),
        ("purchaseOrderId", "/purchaseOrder/id"),
    ] {
        if let (Some(value), Some(field)) = (update.get(name), line.pointer_mut(pointer)) {
            *field = value.clone();
        }
    }
}

/// A failure, with the names of the vendor's sample: a date without a time, and `purchaseOrder`.
fn failure(line: &Value, row: u64, reason: &str) -> Value {
    let date = line["deliveryDate"].as_str().map(|time| time.split('T').next().unwrap_or(time));
    json!({
        "id": line["id"],
        "rownumber": row,
        "orderQty": line["orderQty"],
        "deliveryDate": date,
        "purchaseOrder": line["purchaseOrderId"],
        "errorDesc": reason,
    })
}
