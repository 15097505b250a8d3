//! Finds items in the generated syntax tree.

use quote::ToTokens;
use syn::{
    Attribute, Expr, GenericArgument, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, ItemStruct, Lit, Meta, Path,
    PathArguments, Type, TypeParamBound, WherePredicate,
};

use crate::error::Fault;

/// Returns the items of a module, by its path from the root.
pub(crate) fn module<'a>(items: &'a mut Vec<Item>, path: &[&str]) -> Result<&'a mut Vec<Item>, Fault> {
    let Some((name, rest)) = path.split_first() else {
        return Ok(items);
    };
    module(module_if_any(items, name).ok_or_else(|| Fault::missed("/", &format!("module `{name}`"), 1, 0))?, rest)
}

/// Returns the items of a module, or none if there is no such module.
pub(crate) fn module_if_any<'a>(items: &'a mut [Item], name: &str) -> Option<&'a mut Vec<Item>> {
    items.iter_mut().find_map(|item| match item {
        Item::Mod(ItemMod { ident, content: Some((_, inner)), .. }) if ident == name => Some(inner),
        _ => None,
    })
}

/// Returns the structs among items.
pub(crate) fn structs(items: &mut [Item]) -> impl Iterator<Item = &mut ItemStruct> {
    items.iter_mut().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    })
}

/// Returns the inherent impls among items.
pub(crate) fn inherent_impls(items: &mut [Item]) -> impl Iterator<Item = &mut ItemImpl> {
    items.iter_mut().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() => Some(item),
        _ => None,
    })
}

/// Returns the functions of an impl.
pub(crate) fn functions(item: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

/// Returns the names of trait and type if an item implements a trait.
pub(crate) fn impl_of(item: &Item) -> Option<(String, String)> {
    match item {
        Item::Impl(ItemImpl { trait_: Some((_, path, _)), self_ty, .. }) => Some((last(path)?, last_of(self_ty)?)),
        _ => None,
    }
}

/// Returns the last segment of a path.
pub(crate) fn last(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

/// Returns the last segment of a type that is a path.
pub(crate) fn last_of(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => last(&path.path),
        Type::Reference(reference) => last_of(&reference.elem),
        _ => None,
    }
}

/// Returns the first type argument of the last segment of a path: the `T` of `Result<T, E>`.
pub(crate) fn argument(path: &mut Path) -> Option<&mut Type> {
    match &mut path.segments.last_mut()?.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter_mut().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}

/// Returns the first type argument of a type.
pub(crate) fn argument_of(ty: &mut Type) -> Option<&mut Type> {
    match ty {
        Type::Path(path) => argument(&mut path.path),
        _ => None,
    }
}

/// Removes names from `#[derive(…)]`. Returns the number removed.
pub(crate) fn underive(attributes: &mut [Attribute], names: &[&str]) -> usize {
    let mut gone = 0;
    for attribute in attributes.iter_mut().filter(|attribute| attribute.path().is_ident("derive")) {
        let Ok(paths) =
            attribute.parse_args_with(syn::punctuated::Punctuated::<Path, syn::Token![,]>::parse_terminated)
        else {
            continue;
        };
        let before = paths.len();
        let left: Vec<_> =
            paths.into_iter().filter(|path| !last(path).is_some_and(|name| names.contains(&name.as_str()))).collect();
        gone += before - left.len();
        *attribute = syn::parse_quote!(#[derive(#(#left),*)]);
    }
    gone
}

/// Returns the JSON name of a field: its `serde(rename)`, or its own name.
pub(crate) fn wire_name(field: &syn::Field) -> String {
    let mut name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Other arguments are ignored. If they cannot be parsed, the field will not be found in the document.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = meta.value()?.parse::<syn::LitStr>()?.value();
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<Expr>()?;
            }
            Ok(())
        });
    }
    name
}

/// Returns true if serde flattens a field, as it does the map of unknown fields.
pub(crate) fn is_extra(field: &syn::Field) -> bool {
    field.attrs.iter().any(|attribute| {
        attribute.path().is_ident("serde") && attribute.meta.to_token_stream().to_string().contains("flatten")
    })
}

/// Returns the documentation of an item as one string.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the `X` in `where T: TryInto<X>` of a setter.
pub(crate) fn target(function: &mut ImplItemFn) -> Option<&mut Type> {
    function.sig.generics.where_clause.as_mut()?.predicates.iter_mut().find_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => predicate.bounds.iter_mut().find_map(|bound| match bound {
            TypeParamBound::Trait(bound) if last(&bound.path).as_deref() == Some("TryInto") => {
                argument(&mut bound.path)
            }
            _ => None,
        }),
        _ => None,
    })
}

/// Returns true if one of these names is in `#[derive(…)]`.
pub(crate) fn derives(attributes: &[Attribute], names: &[&str]) -> bool {
    let derives = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let paths = derives.filter_map(|attribute| {
        attribute.parse_args_with(syn::punctuated::Punctuated::<Path, syn::Token![,]>::parse_terminated).ok()
    });
    paths.flatten().any(|path| last(&path).is_some_and(|name| names.contains(&name.as_str())))
}

/// Returns true if an item allows a lint.
pub(crate) fn allows(attributes: &[Attribute], lint: &str) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("allow") && attribute.meta.to_token_stream().to_string().contains(lint)
    })
}
