//! The steps over the generated syntax trees. Each counts what it rewrites and fails on a miss.

mod calls;
mod construction;
mod crates;
mod debug;
mod docs;
mod find;
mod seal;
mod signposts;
mod types;
mod walk;

use calls::{mocks, multipart, send, table};
use types::{enums, records, unions};

use crate::{error::Fault, generate::settings::Settings, model::Model};

/// Rewrites the client: calls pass through the bridge, and records keep unknown fields.
pub(crate) fn client(mut file: syn::File, model: &Model, settings: &Settings) -> Result<syn::File, Fault> {
    construction::through_the_bridge(&mut file, settings)?;
    enums::open(&mut file, model)?;
    unions::choose(&mut file, model, settings)?;
    records::keep_everything(&mut file, model, settings)?;
    multipart::take_records(&mut file, model, settings)?;
    debug::show_keys_only(&mut file, model)?;
    send::through_the_bridge(&mut file, model, settings)?;
    seal::inside_the_crate(&mut file, model)?;
    table::of_operations(&mut file, model, settings);
    docs::on_everything(&mut file, model, settings)?;
    signposts::set_up(&mut file, model)?;
    crates::through_the_runtime(&mut file, settings);
    Ok(file)
}

/// Rewrites the typed mock: values in paths are compared unencoded.
pub(crate) fn mock(mut file: syn::File, model: &Model, settings: &Settings) -> Result<syn::File, Fault> {
    mocks::compare_values(&mut file, model, settings)?;
    crates::through_the_runtime(&mut file, settings);
    Ok(file)
}
