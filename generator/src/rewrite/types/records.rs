//! Rewrites records so that they keep absent fields, `null` and unknown fields apart.

use syn::{Fields, Ident, ItemStruct, Type, parse_quote};

use super::builders;
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
    model::{
        Model,
        schema::{self, Record},
    },
    rewrite::find,
};

/// The Rust name of a field, and its index in the document.
type Names = Vec<(Ident, usize)>;

/// Rewrites every record, and writes its builder.
pub(crate) fn keep_everything(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let records = schema::records(model);
    let types = find::module(&mut file.items, &["types"])?;
    let mut builders = Vec::new();
    for record in &records {
        let place = &record.place;
        let item = find::structs(types)
            .find(|item| item.ident == record.name)
            .ok_or_else(|| Fault::missed(place, "records", 1, 0))?;
        rewrite_struct(item, record, settings)?;
        builders.extend(builders::items(item, record, settings)?);
    }
    let named = find::structs(types).filter(|item| matches!(item.fields, Fields::Named(_))).count();
    count("/components/schemas", "records", records.len(), named)?;
    for record in &records {
        types.extend(builders::serde(record, settings));
    }
    if !records.is_empty() {
        *find::module(types, &["builder"])? = builders;
    }
    Ok(())
}

/// Changes optional fields into a `Field`.
fn rewrite_struct(item: &mut ItemStruct, record: &Record, settings: &Settings) -> Result<(), Fault> {
    let place = &record.place;
    count(place, "derives of serde", 2, find::underive(&mut item.attrs, &["Deserialize", "Serialize"]))?;
    if builders::is_default(record) {
        item.attrs.push(parse_quote!(#[derive(Default)]));
    }
    let (mut names, mut optional, mut extra) = (Names::new(), 0, 0);
    for field in &mut item.fields {
        if find::is_extra(field) {
            extra += 1;
            continue;
        }
        let key = find::wire_name(field);
        let (index, known) = record
            .field(&key)
            .ok_or_else(|| Fault::new(place, format_args!("the generated field `{key}` is not in the document")))?;
        let wire = &known.wire;
        names.extend(field.ident.clone().map(|ident| (ident, index)));
        field.attrs.clear();
        let description = &known.description;
        field.attrs.push(parse_quote!(#[doc = #description]));
        field.attrs.push(parse_quote!(#[serde(rename = #wire)]));
        if !known.required {
            optional += usize::from(make_optional(&mut field.ty, settings));
        }
    }
    count(place, "maps of unknown fields", 1, extra)?;
    count(place, "fields", record.fields.len() + 1, item.fields.len())?;
    count(place, "optional fields", record.fields.iter().filter(|field| !field.required).count(), optional)?;
    if let Fields::Named(fields) = &mut item.fields {
        // In the order of the document, as in the docs and in JSON. Unknown fields are last.
        let place_of = |field: &syn::Field| {
            names.iter().find(|(name, _)| field.ident.as_ref() == Some(name)).map(|(_, index)| *index)
        };
        let mut sorted: Vec<_> = std::mem::take(&mut fields.named).into_iter().collect();
        sorted.sort_by_key(|field| place_of(field).unwrap_or(usize::MAX));
        fields.named = sorted.into_iter().collect();
    }
    Ok(())
}

/// Replaces `Option<T>` by `Field<T>`, and so each other type that progenitor gives an optional field.
fn make_optional(ty: &mut Type, settings: &Settings) -> bool {
    let inner = match find::last_of(ty).as_deref() {
        Some("Option") => find::argument_of(ty).cloned(),
        // The option is inside of the box that breaks some circles of records.
        Some("Box") => find::argument_of(ty)
            .filter(|ty| find::last_of(ty).as_deref() == Some("Option"))
            .and_then(find::argument_of)
            .map(|inner| parse_quote!(::std::boxed::Box<#inner>)),
        // Lists, maps and any JSON have an empty value of their own.
        Some("Vec" | "HashMap" | "Map" | "Value") => Some(ty.clone()),
        _ => None,
    };
    let Some(inner) = inner else { return false };
    let runtime = &settings.runtime;
    *ty = parse_quote!(#runtime::Field<#inner>);
    true
}
