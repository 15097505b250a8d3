//! Writes the builders of records, and what reads and writes a record. The code of the generator for the same takes three times
//! as long to compile.

use quote::{format_ident, quote};
use syn::{Ident, Item, ItemStruct, Path, Type, parse_quote, visit_mut::VisitMut};

use crate::{
    error::Fault,
    generate::settings::Settings,
    model::schema::{Field, Record},
    rewrite::{
        find,
        walk::{Rewrite, Walk},
    },
};

/// A field of a record: its Rust name, its type, and what the document says of it.
struct Known<'a> {
    ident: &'a Ident,
    ty: &'a Type,
    index: usize,
    field: &'a Field,
}

impl Known<'_> {
    /// Returns true if a builder and a reader need a value of it.
    fn is_needed(&self) -> bool {
        self.field.required && !self.field.list
    }
}

/// Returns true if a record is valid without any value.
pub(crate) fn is_default(record: &Record) -> bool {
    record.fields.iter().all(|field| !field.required || field.list)
}

/// Returns the builder of a record, as the items of the module of builders.
pub(crate) fn items(item: &ItemStruct, record: &Record, settings: &Settings) -> Result<Vec<Item>, Fault> {
    let mut fields = Vec::new();
    for (index, field) in record.fields.iter().enumerate() {
        let found = item.fields.iter().find(|known| find::wire_name(known) == field.wire && !find::is_extra(known));
        match found.and_then(|known| Some((known.ident.as_ref()?, &known.ty))) {
            Some((ident, ty)) => fields.push(Known { ident, ty, index, field }),
            None => return Err(Fault::missed(&record.place, &format!("field `{}`", field.wire), 1, 0)),
        }
    }
    let (runtime, name) = (&settings.runtime, &item.ident);
    let (draft, problem, mut items): (Type, _, _) = if is_default(record) {
        (parse_quote!(super::#name), quote!(value.problem), of_default(name))
    } else {
        (parse_quote!(#name), quote!(value.__problem.take()), of_needy(name, &fields))
    };
    let (take, mutable) = match is_default(record) {
        true => (quote!(value.record), None),
        false => (quote!(value), Some(quote!(mut))),
    };
    items.push(setters(name, record, &fields, settings));
    items.push(parse_quote! {
        impl ::std::convert::TryFrom<#name> for super::#name {
            type Error = super::error::ConversionError;

            fn try_from(#mutable value: #name) -> ::std::result::Result<Self, super::error::ConversionError> {
                let problem = #problem;
                Ok(#runtime::build(#take, problem)?)
            }
        }
    });
    items.push(reader(name, &draft, record, &fields, settings));
    Ok(items)
}

/// Returns the builder of a record that is valid without any value.
fn of_default(name: &Ident) -> Vec<Item> {
    vec![
        parse_quote! {
            #[derive(Clone, Debug, Default)]
            pub struct #name {
                record: super::#name,
                problem: ::std::option::Option<::std::string::String>,
            }
        },
        parse_quote! {
            impl ::std::convert::From<super::#name> for #name {
                fn from(record: super::#name) -> Self {
                    Self { record, problem: None }
                }
            }
        },
    ]
}

/// Returns the builder of a record that needs values.
fn of_needy(name: &Ident, fields: &[Known<'_>]) -> Vec<Item> {
    let idents = fields.iter().map(|known| known.ident);
    let types = fields.iter().map(|known| {
        let ty = in_builders(known.ty);
        if known.is_needed() { parse_quote!(::std::option::Option<#ty>) } else { ty }
    });
    let values = fields.iter().map(|Known { ident, .. }| quote!(record.#ident));
    let values = fields.iter().zip(values).map(|(known, value)| match known.is_needed() {
        true => quote!(Some(#value)),
        false => value,
    });
    let again = idents.clone();
    vec![
        parse_quote! {
            #[derive(Clone, Debug, Default)]
            pub struct #name {
                #(#idents: #types,)*
                extra: ::serde_json::Map<::std::string::String, ::serde_json::Value>,
                __problem: ::std::option::Option<::std::string::String>,
            }
        },
        parse_quote! {
            impl ::std::convert::From<super::#name> for #name {
                fn from(record: super::#name) -> Self {
                    Self { #(#again: #values,)* extra: record.extra, __problem: None }
                }
            }
        },
    ]
}

fn setters(name: &Ident, record: &Record, fields: &[Known<'_>], settings: &Settings) -> Item {
    let runtime = &settings.runtime;
    let (slots, problem) = match is_default(record) {
        true => (quote!(self.record), quote!(self.problem)),
        false => (quote!(self), quote!(self.__problem)),
    };
    let setters = fields.iter().map(|known| {
        let (ident, ty) = (known.ident, in_builders(known.ty));
        let set = if known.is_needed() { format_ident!("set_required") } else { format_ident!("set") };
        let text = ident.to_string();
        quote! {
            pub fn #ident<T>(mut self, value: T) -> Self
            where
                T: ::std::convert::TryInto<#ty, Error: ::std::fmt::Display>,
            {
                #runtime::#set(&mut #slots.#ident, value, #text, &mut #problem);
                self
            }
        }
    });
    parse_quote! {
        impl #name {
            #(#setters)*

            pub fn extra<T>(mut self, value: T) -> Self
            where
                T: ::std::convert::TryInto<
                        ::serde_json::Map<::std::string::String, ::serde_json::Value>,
                        Error: ::std::fmt::Display,
                    >,
            {
                #runtime::set(&mut #slots.extra, value, "extra", &mut #problem);
                self
            }
        }
    }
}

/// Returns what reads and writes a record. Serde's own `flatten` would buffer the whole record, and lose the path of an error.
fn reader(name: &Ident, draft: &Type, record: &Record, fields: &[Known<'_>], settings: &Settings) -> Item {
    let runtime = &settings.runtime;
    let text = name.to_string();
    let wires: Vec<_> = fields.iter().map(|known| &known.field.wire).collect();
    let reads = fields.iter().map(|Known { ident, index, field, .. }| {
        let read = match (field.required, field.list) {
            (true, true) => format_ident!("read_list"),
            (true, false) => format_ident!("read_required"),
            _ => format_ident!("read_field"),
        };
        let read = if field.numeric_string { format_ident!("{read}_of_numbers") } else { read };
        quote!(#index => #runtime::#read(&mut draft.#ident, map))
    });
    let finish = if is_default(record) {
        quote!(Ok(draft))
    } else {
        let values = fields.iter().map(|known| {
            let (ident, wire) = (known.ident, &known.field.wire);
            match known.is_needed() {
                true => quote!(#ident: draft.#ident.ok_or(#wire)?),
                false => quote!(#ident: draft.#ident),
            }
        });
        quote!(Ok(Self { #(#values,)* extra: draft.extra }))
    };
    let writes = fields.iter().map(|Known { ident, field, .. }| {
        let (write, wire) = (if field.required { format_ident!("value") } else { format_ident!("field") }, &field.wire);
        quote!(out.#write(#wire, &self.#ident);)
    });
    // A type of the document may have any name without underscores.
    parse_quote! {
        impl #runtime::Record for super::#name {
            type Draft = #draft;
            const NAME: &'static str = #text;
            const FIELDS: &'static [&'static str] = &[#(#wires),*];

            fn read<'de, __A: ::serde::de::MapAccess<'de>>(
                draft: &mut Self::Draft,
                field: usize,
                map: &mut __A,
            ) -> ::std::result::Result<(), __A::Error> {
                match field {
                    #(#reads,)*
                    _ => unreachable!(),
                }
            }

            fn extra(draft: &mut Self::Draft) -> &mut ::serde_json::Map<::std::string::String, ::serde_json::Value> {
                &mut draft.extra
            }

            fn finish(draft: Self::Draft) -> ::std::result::Result<Self, &'static str> {
                #finish
            }

            fn write<__M: ::serde::ser::SerializeMap>(&self, out: &mut #runtime::RecordWriter<'_, __M>) {
                #(#writes)*
                out.extra(&self.extra);
            }
        }
    }
}

/// Returns the traits of serde for a record, as items of the module of records.
pub(crate) fn serde(record: &Record, settings: &Settings) -> [Item; 2] {
    let (runtime, name) = (&settings.runtime, format_ident!("{}", record.name));
    [
        parse_quote! {
            impl ::serde::Serialize for #name {
                fn serialize<__S: ::serde::Serializer>(
                    &self,
                    serializer: __S,
                ) -> ::std::result::Result<__S::Ok, __S::Error> {
                    #runtime::write_record(self, serializer)
                }
            }
        },
        parse_quote! {
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<__D: ::serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::std::result::Result<Self, __D::Error> {
                    #runtime::read_record(deserializer)
                }
            }
        },
    ]
}

/// Returns a type of the module of records as the module of builders inside names it.
fn in_builders(ty: &Type) -> Type {
    struct Outwards;

    impl Rewrite for Outwards {
        fn path(&mut self, node: &mut Path) {
            // Types of the document begin with a capital letter, unlike primitives.
            let is_own = node.segments.len() == 1 && node.leading_colon.is_none();
            if is_own && node.segments[0].ident.to_string().starts_with(char::is_uppercase) {
                node.segments.insert(0, parse_quote!(super));
            }
        }
    }

    let mut ty = ty.clone();
    Walk(&mut Outwards).visit_type_mut(&mut ty);
    ty
}
