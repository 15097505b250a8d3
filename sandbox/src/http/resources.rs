//! The resources of the API, one file each.

mod attendees;
mod booth_products;
mod bulk;
mod collection;
mod customers;
mod exports;
mod list_query;
mod order_history;
mod orders;
mod row_stream;
mod undocumented;
mod vendors;

use std::sync::Arc;

use axum::Router;

use crate::show::Show;

/// The routes of all resources.
pub(crate) fn routes(show: &Arc<Show>) -> Router {
    Router::new()
        .merge(attendees::routes(show))
        .merge(booth_products::routes(show))
        .merge(customers::routes(show))
        .merge(exports::routes(show))
        .merge(order_history::routes(show))
        .merge(orders::routes(show))
        .merge(undocumented::routes(show))
        .merge(vendors::routes(show))
}

pub(crate) use undocumented::path_segments as undocumented_path_segments;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    use super::*;
    use crate::http::api_error::not_implemented;
    use crate::model::document::DOCUMENT;
    use crate::show::state::ShowSettings;

    #[tokio::test]
    async fn every_documented_operation_has_a_handler() {
        let show = Arc::new(Show::new(ShowSettings::new("SHOW".to_owned())));
        let router = TowerToHyperService::new(routes(&show).fallback(not_implemented));
        for (method, path) in DOCUMENT.operations() {
            let path = path.replace("{id}", "unknown");
            let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).unwrap();
            let Ok(response) = router.call(request).await;
            let is_missing = [StatusCode::NOT_IMPLEMENTED, StatusCode::METHOD_NOT_ALLOWED].contains(&response.status());
            assert!(!is_missing, "{method} {path}");
        }
    }
}
