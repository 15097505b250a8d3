//! Makes calls easy to find: the vendor's names as search aliases, and links to the hand-written method and the guide.

use syn::{Attribute, Item, TraitItem, TraitItemFn, parse_quote};

use super::{find, table};
use crate::{
    fault::{Fault, count},
    model::{Document, Operation},
    schema,
};

/// Each operation with its hand-written method and its guide.
const METHODS: [(&str, &str, &str); 16] = [
    ("customer_list", "Customers::list", "lists_and_bulk"),
    ("customer_create", "Customers::create", "lists_and_bulk"),
    ("customer_get", "Customers::get", "lists_and_bulk"),
    ("customer_update", "Customers::update", "lists_and_bulk"),
    ("customer_delete", "Customers::delete", "lists_and_bulk"),
    ("customer_bulk_upsert", "Customers::upsert", "lists_and_bulk"),
    ("vendor_bulk_upsert", "Vendors::upsert", "lists_and_bulk"),
    ("export_list", "exports::Exports::catalog", "exports"),
    ("export_run", "exports::Exports::run", "exports"),
    ("attendee_list", "Attendees::list", "lists_and_bulk"),
    ("attendee_get", "Attendees::get", "lists_and_bulk"),
    ("order_list", "Orders::list", "lists_and_bulk"),
    ("order_bulk_update", "Orders::update", "lists_and_bulk"),
    ("order_history_bulk_create", "OrderHistory::create", "lists_and_bulk"),
    ("booth_product_associate", "BoothProducts::associate", "retries"),
    ("booth_product_associate_many", "BoothProducts::associate_many", "retries"),
];

/// Adds aliases and links to calls and fields.
pub(crate) fn set_up(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let operations = document.operations()?;
    if let Some((stale, ..)) = METHODS.iter().find(|(id, ..)| operations.iter().all(|operation| operation.id != *id)) {
        return Err(Fault::new("/paths", format_args!("signposts: there is no operation `{stale}`")));
    }
    at_calls(file, document, &operations)?;
    at_fields(file, document)
}

/// Returns a note on the inferred parts of a call that the vendor's pages do not show.
fn known_from(operations: &[Operation<'_>], entry: &table::Entry) -> String {
    let source =
        operations.iter().find(|operation| operation.id == entry.id).map(|operation| &operation.node["x-source"]);
    match source {
        Some(source) if source["status"] == "inferred" => {
            format!("\n\nInferred: {}", source["note"].as_str().unwrap_or("the vendor's pages do not show it."))
        }
        _ => String::new(),
    }
}

/// Returns the vendor's names of an operation: its title, its method and path, and its path.
fn names(entry: &table::Entry) -> [String; 3] {
    [entry.summary.clone(), format!("{} {}", entry.method, entry.path), entry.path.clone()]
}

fn at_calls(file: &mut syn::File, document: &Document, operations: &[Operation<'_>]) -> Result<(), Fault> {
    for entry in table::entries(document)? {
        let (_, method, guide) = METHODS.iter().find(|(id, ..)| *id == entry.id).ok_or_else(|| {
            Fault::new(&entry.place, format_args!("signposts: no method and no guide is named for `{}`", entry.id))
        })?;
        let title = guide.replace('_', " ");
        let known = known_from(operations, &entry);
        let see = format!("See also [`{method}`](crate::{method}), and the guide to [{title}](crate::guide::{guide}).");
        let mut calls = 0;
        for function in calls_of(&mut file.items).filter(|function| function.sig.ident == entry.generated) {
            let text = format!("{}{known}\n\n{see}", find::docs(&function.attrs));
            function.attrs = vec![parse_quote!(#[doc = #text])];
            function.attrs.extend(names(&entry).iter().map(|name| alias(name)));
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
fn at_fields(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let types = find::module(&mut file.items, &["types"])?;
    for record in schema::records(document)? {
        let mut found = 0;
        for item in find::structs(types).filter(|item| item.ident == record.name) {
            for field in item.fields.iter_mut().filter(|field| !find::is_extra(field)) {
                let wire = find::wire_name(field);
                if record.field(&wire).is_none() {
                    continue;
                }
                found += 1;
                if field.ident.as_ref().is_some_and(|ident| ident != wire.as_str()) {
                    field.attrs.push(alias(&wire));
                }
            }
        }
        let place = format!("/components/schemas/{}", record.name);
        count(&place, "fields with signposts", record.fields.len(), found)?;
    }
    Ok(())
}

fn alias(name: &str) -> Attribute {
    parse_quote!(#[doc(alias = #name)])
}
