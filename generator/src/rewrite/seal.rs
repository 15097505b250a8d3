//! Hides the calls for which the crate has a checked method.

use syn::{Item, Visibility, parse_quote};

use super::{find, send::pascal, table};
use crate::{
    fault::{Fault, count},
    model::Document,
    prepare::SEALED_TAG,
};

/// Hides the builders of sealed operations and the trait that creates them.
pub(crate) fn inside_the_crate(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let inside: Visibility = parse_quote!(pub(crate));
    let sealed: Vec<_> =
        table::entries(document)?.iter().filter(|entry| entry.sealed).map(|entry| pascal(&entry.generated)).collect();
    if sealed.is_empty() {
        return Ok(());
    }
    let mut builders = 0;
    let items = find::module(&mut file.items, &["builder"])?;
    for item in find::inherent_impls(items) {
        if find::last_of(&item.self_ty).is_some_and(|name| sealed.contains(&name)) {
            find::functions(item).for_each(|function| function.vis = inside.clone());
        }
    }
    for item in find::structs(items) {
        if sealed.iter().any(|name| item.ident == name) {
            item.vis = inside.clone();
            builders += 1;
        }
    }
    count("/paths", "sealed builders", sealed.len(), builders)?;

    let name = format!("Client{SEALED_TAG}Ext");
    let mut traits = 0;
    for item in &mut file.items {
        if let Item::Trait(item) = item
            && item.ident == name
        {
            item.vis = inside.clone();
            traits += 1;
        }
    }
    count("/paths", "sealed traits", 1, traits)?;

    let prelude = find::module(&mut file.items, &["prelude"])?;
    let before = prelude.len();
    prelude.retain(|item| !quote::quote!(#item).to_string().contains(&name));
    count("/paths", "sealed traits in the prelude", 1, before - prelude.len())
}
