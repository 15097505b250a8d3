//! The products of booths.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State as Context};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;

use super::row_stream;
use crate::http::api_error::{ApiError, method_not_allowed, unprocessable};
use crate::http::body;
use crate::model::document::Problem;
use crate::model::table::rows;
use crate::model::tables::Tables;
use crate::show::Show;
use crate::show::journal::query_parameter;
use crate::show::state::State;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/BoothProduct", post(associate).put(associate_many).fallback(method_not_allowed))
        .with_state(show.clone())
}

async fn associate(Context(show): Context<Arc<Show>>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let tables = &mut show.state().tables;
    let booth = booth(query.as_deref(), tables)?;
    let product = [required(query.as_deref(), "productID")?];
    check(&product, tables, |_| "productID".to_owned())?;
    tables.booth_products.add(booth, &product);
    Ok(response(&product, tables))
}

async fn associate_many(
    Context(show): Context<Arc<Show>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let keys = body::array(&headers, &body)?;
    let State { tables, behavior, .. } = &mut *show.state();
    let booth = booth(query.as_deref(), tables)?;
    let products: Vec<String> = keys.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if products.len() < keys.len() {
        return Err(unprocessable(vec![Problem::new("body", "expected an array of strings")]));
    }
    check(&products, tables, |index| format!("[{index}]"))?;
    if behavior.booth_put_replaces {
        tables.booth_products.clear(&booth);
    }
    tables.booth_products.add(booth, &products);
    Ok(response(&products, tables))
}

fn required(query: Option<&str>, name: &str) -> Result<String, ApiError> {
    let value = query_parameter(query, name).filter(|value| !value.is_empty());
    value.ok_or_else(|| ApiError::parameter(name, "it is missing"))
}

/// Returns the key of the booth that the query names.
fn booth(query: Option<&str>, tables: &Tables) -> Result<String, ApiError> {
    let key = required(query, "boothID")?;
    if tables.booths.has_key(&key) {
        return Ok(key);
    }
    let message = format!("boothID: there is no booth {key:?}");
    Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message).with_fields(["boothID".to_owned()]))
}

/// Rejects the call if any of the products does not exist.
fn check(products: &[String], tables: &Tables, place: impl Fn(usize) -> String) -> Result<(), ApiError> {
    let unknown = products.iter().enumerate().filter(|(_, key)| !tables.products.has_key(key));
    let problems: Vec<Problem> =
        unknown.map(|(index, key)| Problem::new(&place(index), format!("there is no product {key:?}"))).collect();
    if problems.is_empty() { Ok(()) } else { Err(unprocessable(problems)) }
}

/// Returns the products in each of their ordering units.
fn response(products: &[String], tables: &Tables) -> Response {
    let records = products.iter().flat_map(|key| tables.products.with_key(key)).cloned().collect();
    row_stream::array(rows(records, None))
}
