//! Replaces the derived `Debug`, so that it shows keys and no personal data, since it is written to logs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Item, ItemStruct, parse_quote};

use super::find;
use crate::{
    error::{Fault, count},
    model::{
        Model,
        schema::{self, Record},
    },
};

/// Replaces every derived `Debug` of a struct, and of an enum that holds values.
pub(crate) fn show_keys_only(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let records = schema::records(model);
    let nothing = |_: &ItemStruct| Vec::new();

    replace(&mut file.items, nothing)?;
    let types = find::module(&mut file.items, &["types"])?;
    let open: Vec<_> = schema::enums(model).into_iter().map(|known| known.name).collect();
    hide_choices(types, &open);
    replace(types, |item| {
        let record = records.iter().find(|record| item.ident == record.name);
        record.map(|record| allowed(item, record)).unwrap_or_default()
    })?;
    if let Some(builders) = find::module_if_any(types, "builder") {
        replace(builders, nothing)?;
    }
    replace(find::module(&mut file.items, &["builder"])?, ids)
}

/// Replaces the derived `Debug` of each struct by one that shows the fields of `shown`.
fn replace(items: &mut Vec<Item>, shown: impl Fn(&ItemStruct) -> Vec<TokenStream>) -> Result<(), Fault> {
    let mut impls = Vec::new();
    for item in find::structs(items) {
        count("/", &format!("derived `Debug` of `{}`", item.ident), 1, find::underive(&mut item.attrs, &["Debug"]))?;
        let (name, shown) = (&item.ident, shown(item));
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

/// Replaces the derived `Debug` of each enum whose variants hold values by one that shows its name.
fn hide_choices(items: &mut Vec<Item>, open: &[String]) {
    let mut impls: Vec<Item> = Vec::new();
    for item in items.iter_mut() {
        if let Item::Enum(item) = item
            && !open.iter().any(|name| item.ident == name)
            && find::underive(&mut item.attrs, &["Debug"]) > 0
        {
            let (name, text) = (&item.ident, item.ident.to_string());
            impls.push(parse_quote! {
                impl ::std::fmt::Debug for #name {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.debug_struct(#text).finish_non_exhaustive()
                    }
                }
            });
        }
    }
    items.extend(impls);
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
