//! The steps that change operations.

pub(super) mod bodies;
pub(crate) mod forms;
pub(super) mod ids;
pub(super) mod inline;
pub(super) mod media_types;
pub(super) mod parameter_names;
pub(super) mod parameters;
pub(crate) mod parts;
pub(super) mod paths;
pub(super) mod responses;
pub(super) mod shapes;
pub(super) mod tags;
