//! Hides the calls for which the crate has a checked method.

use syn::{Attribute, Item, Visibility, parse_quote};

use super::{
    calls::{send::pascal, table},
    find,
};
use crate::{
    error::{Fault, count},
    generate::prepare::SEALED_TAG,
    model::Model,
};

/// Hides the builders of sealed operations and the trait that creates them.
pub(crate) fn inside_the_crate(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let inside: Visibility = parse_quote!(pub(crate));
    let unused: Attribute = parse_quote!(#[allow(dead_code)]);
    let sealed: Vec<_> =
        table::entries(model).iter().filter(|entry| entry.sealed).map(|entry| pascal(&entry.generated)).collect();
    if sealed.is_empty() {
        return Ok(());
    }
    let mut builders = 0;
    let items = find::module(&mut file.items, &["builder"])?;
    for item in find::inherent_impls(items) {
        if find::last_of(&item.self_ty).is_some_and(|name| sealed.contains(&name)) {
            find::functions(item).for_each(|function| function.vis = inside.clone());
            item.attrs.push(unused.clone());
        }
    }
    for item in find::structs(items) {
        if sealed.iter().any(|name| item.ident == name) {
            item.vis = inside.clone();
            item.attrs.push(unused.clone());
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
            item.attrs.push(unused.clone());
            traits += 1;
        }
    }
    count("/paths", "sealed traits", 1, traits)?;

    let prelude = find::module(&mut file.items, &["prelude"])?;
    let before = prelude.len();
    prelude.retain(|item| !quote::quote!(#item).to_string().contains(&name));
    count("/paths", "sealed traits in the prelude", 1, before - prelude.len())
}
