//! Attendees, which can only be read.

use std::sync::Arc;

use axum::Router;

use super::collection::{Collection, read_only};
use crate::show::Show;

pub(crate) fn routes(show: &Arc<Show>) -> Router {
    read_only(
        show,
        Collection {
            path: "/attendee",
            name: "attendee",
            schema: None,
            table: |tables| &mut tables.attendees,
            check: |_, _, _, _| Ok(()),
            normalize: |_, _| {},
        },
    )
}
