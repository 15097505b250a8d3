//! Warehouses. The document does not describe them, so their fields are not checked.

use std::sync::Arc;

use axum::Router;

use super::collection::{Collection, read_write};
use crate::show::Show;

pub(crate) const NAME: &str = "Warehouse";

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    read_write(
        show,
        Collection {
            path: "/Warehouse",
            name: "warehouse",
            schema: None,
            table: |tables| &mut tables.warehouses,
            check: |_, _, _, _| Ok(()),
            normalize: |_, _| {},
        },
    )
}
