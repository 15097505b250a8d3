//! Resources that the document does not describe, so their fields are not checked. Their paths are inferred.

use std::sync::Arc;

use axum::Router;

use super::collection::{Collection, TableOf, read_write};
use crate::show::Show;

/// Each resource: its path, its name in messages, and its table.
const RESOURCES: [(&str, &str, TableOf); 12] = [
    ("/Booth", "booth", |tables| &mut tables.booths),
    ("/Broker", "broker", |tables| &mut tables.brokers),
    ("/DeliveryDrop", "delivery drop", |tables| &mut tables.delivery_drops),
    ("/DeliveryGroup", "delivery group", |tables| &mut tables.delivery_groups),
    ("/DeliveryRange", "delivery range", |tables| &mut tables.delivery_ranges),
    ("/OrderingGroup", "ordering group", |tables| &mut tables.ordering_groups),
    ("/Product", "product", |tables| &mut tables.products),
    ("/SalesRep", "sales rep", |tables| &mut tables.sales_reps),
    ("/SalesRepManager", "sales rep manager", |tables| &mut tables.sales_rep_managers),
    ("/Vendor", "vendor", |tables| &mut tables.vendors),
    ("/VendorUser", "vendor user", |tables| &mut tables.vendor_users),
    ("/Warehouse", "warehouse", |tables| &mut tables.warehouses),
];

/// Returns the segments of all paths.
pub(crate) fn path_segments() -> impl Iterator<Item = &'static str> {
    RESOURCES.into_iter().flat_map(|(path, ..)| path.split('/').skip(1))
}

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    RESOURCES.into_iter().fold(Router::new(), |router, (path, name, table)| {
        let collection =
            Collection { path, name, schema: None, table, check: |_, _, _, _| Ok(()), normalize: |_, _| {} };
        router.merge(read_write(show, collection))
    })
}
