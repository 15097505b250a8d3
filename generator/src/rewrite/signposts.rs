//! Makes calls easy to find: the vendor's names as search aliases, and links to the hand-written method and the guide.

use serde_json::Value;
use syn::{Attribute, Item, TraitItem, TraitItemFn, parse_quote};

use super::{calls::table, find};
use crate::{
    error::{Fault, count},
    model::{Model, schema, text},
};

/// Adds aliases and links to calls and fields.
pub(crate) fn set_up(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    at_calls(file, model)?;
    at_fields(file, model)
}

/// Returns what the document adds to the documentation of a call: a note on what is only inferred, and a link to the
/// hand-written method and its guide.
fn additions(node: &Value) -> String {
    let mut added = String::new();
    if let Some(source) = node.get("x-source").filter(|source| text(source, "status") == "inferred") {
        let note = Some(text(source, "note")).filter(|note| !note.is_empty());
        added.push_str(&format!("\n\nInferred: {}", note.unwrap_or("the vendor's pages do not show it.")));
    }
    let (method, guide) = (text(node, "x-perenso-method"), text(node, "x-perenso-guide"));
    if !method.is_empty() {
        added.push_str(&format!("\n\nSee also [`{method}`](crate::{method})"));
        let title = guide.replace('_', " ");
        let link = if guide.is_empty() {
            ".".to_string()
        } else {
            format!(", and the guide to [{title}](crate::guide::{guide}).")
        };
        added.push_str(&link);
    }
    added
}

fn at_calls(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let operations = model.operations();
    for entry in table::entries(model) {
        let node = operations.iter().find(|operation| operation.place == entry.place).map(|operation| operation.node);
        let added = node.map(additions).unwrap_or_default();
        // The vendor's names of a call: its title, its method and path, and its path.
        let names = [entry.summary.clone(), format!("{} {}", entry.method, entry.path), entry.path.clone()];
        let mut calls = 0;
        for function in calls_of(&mut file.items).filter(|function| function.sig.ident == entry.generated) {
            let text = format!("{}{added}", find::docs(&function.attrs));
            function.attrs = vec![parse_quote!(#[doc = #text])];
            function.attrs.extend(names.iter().filter_map(|name| alias(name)));
            calls += 1;
        }
        count(&entry.place, "calls with signposts", 1, calls)?;
    }
    Ok(())
}

fn calls_of(items: &mut [Item]) -> impl Iterator<Item = &mut TraitItemFn> {
    let traits = items.iter_mut().filter_map(|item| match item {
        Item::Trait(item) => Some(item),
        _ => None,
    });
    traits.flat_map(|item| &mut item.items).filter_map(|item| match item {
        TraitItem::Fn(function) => Some(function),
        _ => None,
    })
}

/// Adds the JSON name of a field as an alias if its Rust name differs.
fn at_fields(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let types = find::module(&mut file.items, &["types"])?;
    for record in schema::records(model) {
        let mut found = 0;
        for item in find::structs(types).filter(|item| item.ident == record.name) {
            for field in item.fields.iter_mut().filter(|field| !find::is_extra(field)) {
                let wire = find::wire_name(field);
                if !record.fields.iter().any(|known| known.wire == wire) {
                    continue;
                }
                found += 1;
                if field.ident.as_ref().is_some_and(|ident| ident != wire.as_str()) {
                    field.attrs.extend(alias(&wire));
                }
            }
        }
        count(&record.place, "fields with signposts", record.fields.len(), found)?;
    }
    Ok(())
}

/// Returns a search alias, unless rustdoc would refuse the name.
fn alias(name: &str) -> Option<Attribute> {
    let fits = !name.is_empty()
        && name.trim() == name
        && !name.chars().any(|c| "\"'".contains(c) || (c.is_whitespace() && c != ' ') || c.is_control());
    fits.then(|| parse_quote!(#[doc(alias = #name)]))
}
