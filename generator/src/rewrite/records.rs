//! Rewrites records so that they keep absent fields, `null` and unknown fields apart.

use quote::{format_ident, quote};
use syn::{Expr, Fields, Ident, Item, ItemStruct, Member, Stmt, Type, parse_quote};

use super::find;
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
    model::{
        Model,
        schema::{self, Record},
    },
};

/// The Rust name of a field, and its index in the document.
type Names = Vec<(Ident, usize)>;

/// Rewrites every record and its builder.
pub(crate) fn keep_everything(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let records = schema::records(model);
    let types = find::module(&mut file.items, &["types"])?;
    let (mut readers, mut names) = (Vec::new(), Vec::new());
    for record in &records {
        let place = &record.place;
        let item = find::structs(types)
            .find(|item| item.ident == record.name)
            .ok_or_else(|| Fault::missed(place, "records", 1, 0))?;
        names.push(rewrite_struct(item, record, settings)?);
        readers.push(reader(item, record, settings)?);
    }
    let named = find::structs(types).filter(|item| matches!(item.fields, Fields::Named(_))).count();
    count("/components/schemas", "records", records.len(), named)?;
    types.extend(readers);

    if records.is_empty() {
        return Ok(());
    }
    let builders = find::module(types, &["builder"])?;
    for (record, names) in records.iter().zip(&names) {
        rewrite_builder(builders, record, names, settings)?;
    }
    Ok(())
}

/// Changes optional fields into a `Field`. Returns the Rust name of each field of the document.
fn rewrite_struct(item: &mut ItemStruct, record: &Record, settings: &Settings) -> Result<Names, Fault> {
    let place = &record.place;
    let unset = settings.of_runtime("Field::is_unset");
    count(place, "derived `Deserialize`", 1, find::underive(&mut item.attrs, &["Deserialize"]))?;
    if record.fields.iter().all(|field| !field.required || field.list) {
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
        if known.required {
            field.attrs.push(parse_quote!(#[serde(rename = #wire)]));
        } else {
            optional += usize::from(make_optional(&mut field.ty, settings));
            field.attrs.push(parse_quote!(#[serde(rename = #wire, skip_serializing_if = #unset)]));
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
    Ok(names)
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

/// Deserialises a record. Serde's own `flatten` would buffer the whole record, and lose the path of an error.
fn reader(item: &ItemStruct, record: &Record, settings: &Settings) -> Result<Item, Fault> {
    let (place, runtime) = (&record.place, &settings.runtime);
    let name = &item.ident;
    let expecting = format!("{name} as an object");
    let mut wires = Vec::new();
    let (mut starts, mut arms, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    // In the order of the document, which is that of the samples, so that the next name can be predicted from the last.
    for (index, known) in record.fields.iter().enumerate() {
        let field = item.fields.iter().find(|field| find::wire_name(field) == known.wire && !find::is_extra(field));
        let Some(field) = field else {
            return Err(Fault::missed(place, &format!("field `{}`", known.wire), 1, 0));
        };
        let (ident, ty, wire) = (&field.ident, &field.ty, &known.wire);
        let local = format_ident!("field_{index}");
        wires.push(wire);
        if known.required && !known.list {
            starts.push(quote!(let mut #local: ::std::option::Option<#ty> = None;));
            arms.push(quote!(#runtime::FieldName::Known(#index) => #local = Some(map.next_value()?),));
            ends.push(quote!(#ident: #local.ok_or_else(|| ::serde::de::Error::missing_field(#wire))?,));
        } else if known.required {
            starts.push(quote!(let mut #local: #ty = ::std::default::Default::default();));
            arms.push(quote! {
                #runtime::FieldName::Known(#index) => {
                    #local = map.next_value::<::std::option::Option<#ty>>()?.unwrap_or_default()
                }
            });
            ends.push(quote!(#ident: #local,));
        } else {
            starts.push(quote!(let mut #local: #ty = ::std::default::Default::default();));
            arms.push(quote!(#runtime::FieldName::Known(#index) => #local = map.next_value()?,));
            ends.push(quote!(#ident: #local,));
        }
    }
    // A record may have the name of any parameter or type without underscores.
    Ok(parse_quote! {
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<__D: ::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::std::result::Result<Self, __D::Error> {
                struct __Reader;
                impl<'de> ::serde::de::Visitor<'de> for __Reader {
                    type Value = #name;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(#expecting)
                    }

                    fn visit_map<__A: ::serde::de::MapAccess<'de>>(
                        self,
                        mut map: __A,
                    ) -> ::std::result::Result<#name, __A::Error> {
                        let mut keys = #runtime::FieldNames::new(&[#(#wires),*]);
                        let mut extra = ::serde_json::Map::new();
                        #(#starts)*
                        while let Some(key) = map.next_key_seed(&mut keys)? {
                            match key {
                                #(#arms)*
                                #runtime::FieldName::Known(_) => unreachable!(),
                                #runtime::FieldName::Unknown(name) => {
                                    extra.insert(name, map.next_value()?);
                                }
                            }
                        }
                        Ok(#name { #(#ends)* extra })
                    }
                }
                deserializer.deserialize_map(__Reader)
            }
        }
    })
}

/// Changes the setters of a builder to the types of the record. Unknown fields and lists may be omitted.
fn rewrite_builder(builders: &mut [Item], record: &Record, names: &Names, settings: &Settings) -> Result<(), Fault> {
    let place = &record.place;
    let known = |ident: &Ident| names.iter().find(|(name, _)| name == ident).map(|(_, index)| &record.fields[*index]);
    let optional = |ident: &Ident| known(ident).is_some_and(|field| !field.required);
    let list = |ident: &Ident| known(ident).is_some_and(|field| field.required && field.list);
    let (mut fields, mut setters, mut defaults) = (0, 0, 0);
    for item in builders.iter_mut() {
        match item {
            Item::Struct(item) if item.ident == record.name => {
                for field in &mut item.fields {
                    if field.ident.as_ref().is_some_and(optional) {
                        fields +=
                            usize::from(find::argument_of(&mut field.ty).is_some_and(|ty| make_optional(ty, settings)));
                    }
                }
            }
            Item::Impl(item) if find::last_of(&item.self_ty).as_deref() == Some(&record.name) => {
                let name = item.trait_.as_ref().and_then(|(_, path, _)| find::last(path));
                for function in find::functions(item) {
                    if name.is_none() && optional(&function.sig.ident) {
                        setters += usize::from(find::target(function).is_some_and(|ty| make_optional(ty, settings)));
                    } else if name.as_deref() == Some("Default") {
                        defaults += make_default(&mut function.block.stmts, |ident| ident == "extra" || list(ident));
                    }
                }
            }
            _ => {}
        }
    }
    let expected = record.fields.iter().filter(|field| !field.required).count();
    count(place, "optional fields of a builder", expected, fields)?;
    count(place, "optional setters of a builder", expected, setters)?;
    let expected = record.fields.iter().filter(|field| field.required && field.list).count() + 1;
    count(place, "defaults of a builder", expected, defaults)
}

/// Adds defaults to fields of a builder for which the generator requires a value.
fn make_default(body: &mut [Stmt], wanted: impl Fn(&Ident) -> bool) -> usize {
    let mut made = 0;
    for statement in body {
        let Stmt::Expr(Expr::Struct(literal), _) = statement else { continue };
        for value in &mut literal.fields {
            if matches!(&value.member, Member::Named(ident) if wanted(ident)) {
                value.expr = parse_quote!(Ok(::std::default::Default::default()));
                made += 1;
            }
        }
    }
    made
}
