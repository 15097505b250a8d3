//! Makes unions enums: a value that is none of the alternatives is kept unchanged.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Fields, Ident, Item, ItemEnum, Path, Type, parse_quote};

use super::enums::OTHER;
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
    model::{
        Model,
        schema::{self, Alternative, Union},
    },
    normalize::names::{type_name, unique},
    rewrite::{docs, find},
};

/// Replaces the tagged enum that was generated for each union by an open one.
pub(crate) fn choose(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let types = find::module(&mut file.items, &["types"])?;
    for union in schema::unions(model) {
        let place = format!("/components/schemas/{}", union.name);
        let item = types.iter().find_map(|item| match item {
            Item::Enum(item) if item.ident == union.name => Some(item),
            _ => None,
        });
        let chosen =
            enum_of(item.ok_or_else(|| Fault::missed(&place, "enum of a union", 1, 0))?, &union, settings, &place)?;
        types.retain(|item| match item {
            Item::Enum(item) => item.ident != union.name,
            Item::Impl(item) => find::last_of(&item.self_ty).is_none_or(|name| name != union.name),
            _ => true,
        });
        types.extend(chosen);
    }
    Ok(())
}

fn enum_of(item: &ItemEnum, union: &Union, settings: &Settings, place: &str) -> Result<Vec<Item>, Fault> {
    let (name, runtime) = (&item.ident, &settings.runtime);
    let held = item.variants.iter().filter_map(|variant| match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| &field.ty),
        _ => None,
    });
    let held: Vec<&Type> = held.collect();
    count(place, "alternatives of a union", union.alternatives.len(), held.len())?;
    let mut taken = BTreeSet::new();
    let variants = union.alternatives.iter().map(|known| {
        // The name of a variant does not repeat that of the union.
        let rest = known.name.strip_prefix(&union.name).filter(|rest| rest.starts_with(char::is_uppercase));
        format_ident!("{}", unique(&type_name(rest.unwrap_or(&known.name)), &mut taken))
    });
    let variants: Vec<_> = variants.collect();
    let other = OTHER.iter().find(|other| !taken.contains(**other)).map(|other| format_ident!("{other}"));
    let other = other.ok_or_else(|| Fault::missed(place, "free name for other values", 1, 0))?;
    let docs = union.alternatives.iter().map(described);
    let notes = item.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let rules = union.alternatives.iter().map(rule);
    let writes = union.alternatives.iter().zip(&variants).zip(&held).map(|((known, variant), ty)| {
        let write = write(known, ty, runtime);
        quote!(Self::#variant(value) => #write)
    });
    let tokens = quote! {
        #(#notes)*
        #[derive(Clone, Debug, PartialEq)]
        pub enum #name {
            #(#[doc = #docs] #variants(#held),)*
            /// A value that is none of the others, as it came.
            #other(::serde_json::Value),
        }
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    #(#writes,)*
                    Self::#other(value) => ::serde::Serialize::serialize(value, serializer),
                }
            }
        }
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                let value = <::serde_json::Value as ::serde::Deserialize>::deserialize(deserializer)?;
                #(if let Some(value) = #runtime::alternative(&value, #rules) {
                    return Ok(Self::#variants(value));
                })*
                Ok(Self::#other(value))
            }
        }
    };
    let mut items = syn::parse2::<syn::File>(tokens).map_err(|error| Fault::new(place, error))?.items;
    for (variant, ty) in variants.iter().zip(&held) {
        // Two alternatives of one type are told apart by the caller.
        if held.iter().filter(|other| quote!(#other).to_string() == quote!(#ty).to_string()).count() == 1 {
            items.extend(conversions(name, variant, ty));
        }
    }
    Ok(items)
}

/// Returns the conversions from the type of a variant.
fn conversions(name: &Ident, variant: &Ident, ty: &Type) -> Vec<Item> {
    let mut ty = ty.clone();
    let is_boxed = find::last_of(&ty).as_deref() == Some("Box");
    let inner = if is_boxed { find::argument_of(&mut ty).cloned() } else { None };
    let mut items = vec![match inner {
        Some(inner) => parse_quote! {
            impl ::std::convert::From<#inner> for #name {
                fn from(value: #inner) -> Self {
                    Self::#variant(::std::boxed::Box::new(value))
                }
            }
        },
        None => parse_quote! {
            impl ::std::convert::From<#ty> for #name {
                fn from(value: #ty) -> Self {
                    Self::#variant(value)
                }
            }
        },
    }];
    if find::last_of(&ty).as_deref() == Some("String") {
        items.push(parse_quote! {
            impl ::std::convert::From<&str> for #name {
                fn from(value: &str) -> Self {
                    Self::#variant(value.to_string())
                }
            }
        });
    }
    items
}

/// Returns the code that writes the value of an alternative, with the property that tells it.
fn write(known: &Alternative, ty: &Type, runtime: &Path) -> TokenStream {
    let (Some((property, values)), Some(sent)) = (&known.property, &known.sent) else {
        return quote!(::serde::Serialize::serialize(value, serializer));
    };
    let function = if known.is_record { format_ident!("write_tagged") } else { format_ident!("write_tagged_map") };
    let value = if find::last_of(ty).as_deref() == Some("Box") { quote!(&**value) } else { quote!(value) };
    quote!(#runtime::#function(#value, #property, &[#(#values),*], #sent, serializer))
}

/// Returns the arguments by which the runtime tells an alternative.
fn rule(Alternative { kind, property, fields, .. }: &Alternative) -> TokenStream {
    let property = match property {
        Some((name, values)) => quote!(Some((#name, &[#(#values),*]))),
        None => quote!(None),
    };
    quote!(#kind, #property, &[#(#fields),*])
}

/// Returns a sentence that says which values an alternative has.
fn described(Alternative { kind, property, fields, .. }: &Alternative) -> String {
    let quoted = |names: &[String]| names.iter().map(|name| docs::quoted(name)).collect::<Vec<_>>().join(", ");
    match (property, fields.as_slice()) {
        (Some((name, values)), _) => format!("An object whose {} is {}.", docs::quoted(name), quoted(values)),
        (None, []) if kind == "array" || kind == "object" => format!("An {kind}."),
        (None, []) => format!("A {kind}."),
        (None, fields) => format!("An object with {}.", quoted(fields)),
    }
}
