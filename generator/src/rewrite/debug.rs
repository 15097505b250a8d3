//! Replaces the derived `Debug`, so that it shows keys and no personal data, since it is written to logs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Item, ItemStruct, parse_quote};

use super::find;
use crate::{
    fault::{Fault, count},
    model::Document,
    schema::{self, Record},
};

/// Replaces every derived `Debug` of a struct.
pub(crate) fn show_keys_only(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let records = schema::records(document)?;
    let wrappers = schema::wrappers(document)?;
    let nothing = |_: &ItemStruct| Ok(Vec::new());

    replace(&mut file.items, nothing)?;
    let types = find::module(&mut file.items, &["types"])?;
    replace(types, |item| {
        if let Some(record) = records.iter().find(|record| item.ident == record.name) {
            return Ok(allowed(item, record));
        }
        if wrappers.iter().any(|wrapper| item.ident == wrapper) {
            return Ok(Vec::new());
        }
        Err(Fault::new("/components/schemas", format_args!("what may `Debug` show of `{}`?", item.ident)))
    })?;
    replace(find::module(types, &["builder"])?, nothing)?;
    replace(find::module(&mut file.items, &["builder"])?, |item| Ok(ids(item)))
}

/// Replaces the derived `Debug` of each struct by one that shows the fields of `shown`.
fn replace(items: &mut Vec<Item>, shown: impl Fn(&ItemStruct) -> Result<Vec<TokenStream>, Fault>) -> Result<(), Fault> {
    let mut impls = Vec::new();
    for item in find::structs(items) {
        count("/", &format!("derived `Debug` of `{}`", item.ident), 1, find::underive(&mut item.attrs, &["Debug"]))?;
        let (name, shown) = (&item.ident, shown(item)?);
        let text = name.to_string();
        let (given, types, bounds) = item.generics.split_for_impl();
        impls.push(parse_quote! {
            impl #given ::std::fmt::Debug for #name #types #bounds {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    #[allow(unused_mut)]
                    let mut shown = f.debug_struct(#text);
                    #(#shown)*
                    shown.finish_non_exhaustive()
                }
            }
        });
    }
    items.extend::<Vec<Item>>(impls);
    Ok(())
}

/// Returns the fields of a record that may be shown.
fn allowed(item: &ItemStruct, record: &Record) -> Vec<TokenStream> {
    let fields = item.fields.iter().filter(|field| !find::is_extra(field) && record.shows(&find::wire_name(field)));
    fields
        .map(|field| {
            let (name, optional) = (&field.ident, find::last_of(&field.ty).as_deref() == Some("Field"));
            if optional {
                quote! {
                    if !self.#name.is_unset() {
                        shown.field(stringify!(#name), &self.#name);
                    }
                }
            } else {
                quote!(shown.field(stringify!(#name), &self.#name);)
            }
        })
        .collect()
}

/// Returns the ids in the path of a call.
fn ids(item: &ItemStruct) -> Vec<TokenStream> {
    let Fields::Named(fields) = &item.fields else { return Vec::new() };
    let ids = fields.named.iter().filter(|field| {
        find::argument_of(&mut field.ty.clone()).is_some_and(|inner| find::last_of(inner).as_deref() == Some("Id"))
    });
    ids.map(|field| {
        let name = &field.ident;
        quote! {
            if let Ok(id) = &self.#name {
                shown.field(stringify!(#name), id);
            }
        }
    })
    .collect()
}
