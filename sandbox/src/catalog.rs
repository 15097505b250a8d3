//! The catalog of custom exports: that of the vendor's guide, and what was added to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Context};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use crate::answer::{Refusal, wrong_method};
use crate::data_type::DataType;
use crate::export::{Export, Parameter};
use crate::show::Show;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .route("/Export", get(catalog).fallback(wrong_method))
        .route("/Export/{id}", post(run).fallback(wrong_method))
        .with_state(show.clone())
}

/// The exports of the vendor's guide.
pub(crate) fn guide() -> Vec<Export> {
    let customers = Export::new("79aag9", "Get API Customers")
        .parameter(Parameter::new("Cursor", DataType::Integer).described("Index of the current set of paged customers"))
        .parameter(Parameter::new("Limit", DataType::Integer).described("Number of customers to return per export"));
    vec![
        Export::new("739da9", "Vendors").table(|tables| &tables.vendors),
        customers.table(|tables| &tables.customers),
        Export::new("j96479", "Get Available Booths for Login").table(|tables| &tables.booths),
    ]
}

async fn catalog(Context(show): Context<Arc<Show>>) -> Json<Value> {
    Json(show.state().exports.iter().map(Export::json).collect())
}

async fn run(
    Context(show): Context<Arc<Show>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let export = show.state().exports.iter().find(|export| export.id == id).cloned();
    export.ok_or_else(|| Refusal::not_found("export", &id))?.run(&show, &headers, &body)
}
