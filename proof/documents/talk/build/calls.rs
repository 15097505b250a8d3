//! Writes a call of every builder of a generated client.

use std::{collections::BTreeMap, error::Error};

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote};
use syn::{FnArg, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ReturnType, Type, TypeParamBound, WherePredicate};

/// Returns the code of a module beside the builders, with the function `all`: the operations and their calls.
pub fn of(client: &str) -> Result<String, Box<dyn Error>> {
    let file = syn::parse_file(client)?;
    let builders = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_ref().map(|(_, items)| items),
        _ => None,
    });
    let methods = methods(&file.items);
    let (mut calls, mut names) = (Vec::new(), Vec::new());
    for item in builders.ok_or("the client has no module `builder`")? {
        let Item::Impl(item) = item else { continue };
        let Some(send) = functions(item).find(|function| function.sig.ident == "send") else { continue };
        let builder = last_of(&item.self_ty).ok_or("an impl of an unnamed type")?;
        let method = methods.get(&builder).ok_or_else(|| format!("no method returns `{builder}`"))?;
        let operation = operation(send).ok_or_else(|| format!("`{builder}` has no operation"))?;
        calls.push(call(method, functions(item)));
        let function = format_ident!("call_{method}");
        names.push(quote! {
            (&super::operations::#operation, |client, values| Box::pin(#function(client, values))),
        });
    }
    let code = quote! {
        #[allow(unused_imports, clippy::wildcard_imports)]
        use super::*;
        use crate::{talk::Call, values::{Read, Failure, Values}};

        pub(crate) fn all() -> Vec<(&'static perenso::runtime::Operation, Call<super::Client>)> {
            vec![#(#names)*]
        }

        #(#calls)*
    };
    Ok(prettyplease::unparse(&syn::parse2(code)?))
}

/// Returns the function that sets every value of a call and sends it.
fn call<'a>(method: &Ident, functions: impl Iterator<Item = &'a ImplItemFn>) -> TokenStream {
    let setters = functions.filter_map(|function| {
        let name = &function.sig.ident;
        let target = target(function).filter(|_| function.sig.inputs.iter().any(is_value))?;
        let text = name.to_string();
        let read = match last_of(target)?.to_string().as_str() {
            "Body" => format_ident!("bytes"),
            "Multipart" => format_ident!("parts"),
            _ => format_ident!("read"),
        };
        Some(quote! {
            if let Some(value) = values.#read(#text)? {
                let value: #target = value;
                call = call.#name(value);
            }
        })
    });
    let setters: Vec<_> = setters.collect();
    let function = format_ident!("call_{method}");
    let binding = if setters.is_empty() { quote!(let call) } else { quote!(let mut call) };
    quote! {
        #[allow(unused_variables)]
        async fn #function(client: &super::Client, values: &Values<'_>) -> Result<Read, Failure> {
            #binding = client.#method();
            #(#setters)*
            Read::of(call.send().await?)
        }
    }
}

/// Returns the method of the client for each builder.
fn methods(items: &[Item]) -> BTreeMap<Ident, Ident> {
    let impls = items.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_some() => Some(item),
        _ => None,
    });
    let named = impls.flat_map(functions).filter_map(|function| match &function.sig.output {
        ReturnType::Type(_, ty) => Some((last_of(ty)?, function.sig.ident.clone())),
        ReturnType::Default => None,
    });
    named.collect()
}

fn functions(item: &ItemImpl) -> impl Iterator<Item = &ImplItemFn> {
    item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

fn is_value(argument: &FnArg) -> bool {
    matches!(argument, FnArg::Typed(argument) if argument.pat.to_token_stream().to_string() == "value")
}

/// Returns the `X` of `where V: TryInto<X>`.
fn target(function: &ImplItemFn) -> Option<&Type> {
    let bounds = function.sig.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounds = bounds.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => Some(&predicate.bounds),
        _ => None,
    });
    bounds.flatten().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "TryInto")?;
        let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
    })
}

/// Returns the constant of the operation that a call names.
fn operation(send: &ImplItemFn) -> Option<Ident> {
    let code = send.block.to_token_stream().to_string();
    let rest = &code[code.rfind("operations ::")? + "operations ::".len()..];
    rest.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().map(|name| format_ident!("{name}"))
}

fn last_of(ty: &Type) -> Option<Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.clone()),
        _ => None,
    }
}
