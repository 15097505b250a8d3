//! The steps over the generated syntax trees. Each counts what it rewrites and fails the build on a miss.

mod construction;
mod debug;
mod docs;
mod enums;
mod find;
mod mocks;
mod records;
mod seal;
mod send;
mod signposts;
mod table;

use crate::{fault::Fault, model::Document};

/// Rewrites the client: calls pass through the bridge, and records keep unknown fields.
pub(crate) fn client(mut file: syn::File, document: &Document) -> Result<syn::File, Fault> {
    construction::through_the_bridge(&mut file)?;
    enums::open(&mut file, document)?;
    records::keep_everything(&mut file, document)?;
    debug::show_keys_only(&mut file, document)?;
    send::through_the_bridge(&mut file, document)?;
    seal::inside_the_crate(&mut file, document)?;
    table::of_operations(&mut file, document)?;
    docs::on_everything(&mut file, document)?;
    signposts::set_up(&mut file, document)?;
    Ok(file)
}

/// Rewrites the typed mock: ids are compared unencoded.
pub(crate) fn mock(mut file: syn::File, document: &Document) -> Result<syn::File, Fault> {
    mocks::compare_ids(&mut file, document)?;
    Ok(file)
}
