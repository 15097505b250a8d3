//! Orders, which can only be listed.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State as Context};
use axum::response::Response;
use axum::routing::get;
use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;

use super::list_query::timestamp;
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::model::table::Record;
use crate::show::Show;
use crate::show::journal::query_parameter;
use crate::show::lists::ListQuery;
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new().route("/Order", get(list).fallback(method_not_allowed)).with_state(show.clone())
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

/// Matches orders of which at least one line matches.
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
            && order.field("items").as_array().is_some_and(|lines| lines.iter().any(|line| self.matches_line(line)))
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
