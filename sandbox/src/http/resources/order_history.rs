//! Order history items, which can only be created.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as Context;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::bulk::{self, BulkResponse};
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::show::Show;
use crate::show::state::State;

/// The number of items per session. The vendor does not define a session; here it is a request.
const MAX_ITEMS: usize = 1000;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new().route("/OrderHistory", post(create).fallback(method_not_allowed)).with_state(show.clone())
}

/// Creates the items of known customers, up to the limit.
async fn create(Context(show): Context<Arc<Show>>, headers: HeaderMap, body: Bytes) -> Result<BulkResponse, ApiError> {
    let State { tables, behavior, .. } = &mut *show.state();
    let items = bulk::records_in(&headers, &body, "history", behavior)?;
    let (mut created, mut failed) = (Vec::new(), Vec::new());
    for (number, item) in items.into_iter().enumerate() {
        let is_known = item["customerid"].as_str().is_some_and(|key| tables.customers.has_key(key));
        match is_known {
            _ if number == MAX_ITEMS => {
                failed.push(failure(&item, &format!("at most {MAX_ITEMS} history lines are allowed per session")));
                break;
            }
            true => created.push(item),
            false => failed.push(failure(&item, "Customer Id not found")),
        }
    }
    let body = json!({ "successful": created.len(), "failed": failed });
    Arc::make_mut(&mut tables.order_history).extend(created);
    let status = if behavior.bulk_answers_207 { StatusCode::MULTI_STATUS } else { StatusCode::OK };
    Ok((status, Json(body)))
}

/// A failure. In the vendor's sample, `ID` looks like a bucket.
fn failure(item: &Value, reason: &str) -> Value {
    json!({ "ID": item["bucket"], "Message": reason })
}
