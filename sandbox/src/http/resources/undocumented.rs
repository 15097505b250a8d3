//! Resources that the document does not describe, so their fields are not checked. Their paths are inferred.

use std::sync::Arc;

use axum::Router;

use super::collection::{Collection, read_write};
use crate::model::document::DOCUMENT;
use crate::model::tables::{RESOURCES, TableOf};
use crate::show::Show;

/// Returns the resources, each with its path, its name in messages, and its table.
fn resources() -> impl Iterator<Item = (&'static str, &'static str, TableOf)> {
    RESOURCES.into_iter().filter(|(path, ..)| !DOCUMENT.has_resource(path))
}

/// Returns the segments of all paths.
pub(crate) fn path_segments() -> impl Iterator<Item = &'static str> {
    resources().flat_map(|(path, ..)| path.split('/').skip(1))
}

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    resources().fold(Router::new(), |router, (path, name, table)| {
        let collection =
            Collection { path, name, schema: None, table, check: |_, _, _, _| Ok(()), normalize: |_, _| {} };
        router.merge(read_write(show, collection))
    })
}
