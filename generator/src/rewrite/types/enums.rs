//! Makes enums open: a value that the document does not name is kept unchanged.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Item, Type, parse_quote};

use crate::{
    error::{Fault, count},
    model::{Model, schema},
    rewrite::{docs::quoted, find},
};

/// The names of the variant for other values. The document may have a value of that name.
pub(super) const OTHER: [&str; 3] = ["Other", "Unlisted", "AnyOther"];

/// Adds `Other(String)` to every enum, or `Other(i64)` to one of integers, and rewrites its serialisation.
pub(crate) fn open(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let enums = schema::enums(model);
    let items = find::module(&mut file.items, &["types"])?;
    let mut written = Vec::new();
    for known in &enums {
        let place = format!("/components/schemas/{}", known.name);
        let Some(item) = items.iter_mut().find_map(|item| match item {
            Item::Enum(item) if item.ident == known.name => Some(item),
            _ => None,
        }) else {
            return Err(Fault::missed(place, "open enum", 1, 0));
        };
        count(&place, "derives of an enum", 3, find::underive(&mut item.attrs, &["Copy", "Serialize", "Deserialize"]))?;
        count(&place, "values of an enum", known.values.len(), item.variants.len())?;
        let name = &item.ident;
        let variants: Vec<_> = item.variants.iter().map(|variant| variant.ident.clone()).collect();
        for (index, (variant, value)) in item.variants.iter_mut().zip(&known.values).enumerate() {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), |text| if text.is_empty() { "\"\"" } else { text }.into());
            let description = known.descriptions.get(index).map(String::as_str).unwrap_or_default();
            let text = format!("{}. {}", quoted(&value), description.replace(char::is_control, " "));
            variant.attrs = vec![doc(text.trim_end())];
        }
        let other = OTHER.iter().map(|name| format_ident!("{name}")).find(|other| !variants.contains(other));
        let other = other.ok_or_else(|| Fault::missed(&place, "free name for other values", 1, 0))?;
        let texts: Option<Vec<_>> = known.values.iter().map(|value| value.as_str()).collect();
        let numbers: Option<Vec<_>> = known.values.iter().map(|value| value.as_i64()).collect();
        let (held, tokens): (Type, _) = match (texts, numbers) {
            (Some(values), _) => (parse_quote!(String), of_strings(name, &variants, &values, &other)),
            (_, Some(values)) => (parse_quote!(i64), of_integers(name, &variants, &values, &other)),
            _ => return Err(Fault::new(place, "expected an enum of strings or of integers")),
        };
        item.variants.push(parse_quote! {
            #[doc = "A value that the document does not name, as it came."]
            #other(#held)
        });
        written.push(tokens);
        let before = items.len();
        items.retain(|item| find::impl_of(item).is_none_or(|(_, of)| of != known.name));
        count(&place, "impls of an enum", 4, before - items.len())?;
    }
    for tokens in written {
        let file: syn::File = syn::parse2(tokens).map_err(|error| Fault::new("/", error))?;
        items.extend(file.items);
    }
    Ok(())
}

/// Returns the conversions and the serialisation of an enum of strings.
fn of_strings(name: &Ident, variants: &[Ident], values: &[&str], other: &Ident) -> TokenStream {
    quote! {
        impl #name {
            /// The value in JSON.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #values,)*
                    Self::#other(value) => value,
                }
            }
        }
        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl ::std::convert::From<&str> for #name {
            fn from(value: &str) -> Self {
                match value {
                    #(#values => Self::#variants,)*
                    value => Self::#other(value.to_string()),
                }
            }
        }
        impl ::std::convert::From<::std::string::String> for #name {
            fn from(value: ::std::string::String) -> Self {
                match value.as_str() {
                    #(#values => Self::#variants,)*
                    _ => Self::#other(value),
                }
            }
        }
        impl ::std::str::FromStr for #name {
            type Err = ::std::convert::Infallible;

            fn from_str(value: &str) -> ::std::result::Result<Self, ::std::convert::Infallible> {
                Ok(value.into())
            }
        }
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    }
}

/// Returns the conversions and the serialisation of an enum of integers.
fn of_integers(name: &Ident, variants: &[Ident], values: &[i64], other: &Ident) -> TokenStream {
    quote! {
        impl #name {
            /// The value in JSON.
            pub fn as_i64(&self) -> i64 {
                match self {
                    #(Self::#variants => #values,)*
                    Self::#other(value) => *value,
                }
            }
        }
        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.as_i64(), f)
            }
        }
        impl ::std::convert::From<i64> for #name {
            fn from(value: i64) -> Self {
                match value {
                    #(#values => Self::#variants,)*
                    value => Self::#other(value),
                }
            }
        }
        impl ::std::str::FromStr for #name {
            type Err = ::std::num::ParseIntError;

            fn from_str(value: &str) -> ::std::result::Result<Self, ::std::num::ParseIntError> {
                value.parse::<i64>().map(Self::from)
            }
        }
        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.as_i64())
            }
        }
        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                <i64 as ::serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    }
}

fn doc(text: &str) -> syn::Attribute {
    parse_quote!(#[doc = #text])
}
