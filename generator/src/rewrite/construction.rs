//! Replaces the construction of the client, so that only the crate can create one, and removes hooks.

use syn::{Item, parse_quote};

use super::find;
use crate::fault::{Fault, count};

/// Replaces the constructors, which would create a client without tokens and with a total timeout, and removes the code of
/// hooks.
pub(crate) fn through_the_bridge(file: &mut syn::File) -> Result<(), Fault> {
    let before = file.items.len();
    file.items.retain(|item| match item {
        Item::Use(item) => !quote::quote!(#item).to_string().contains("progenitor_client"),
        Item::Const(item) => item.ident != "_",
        Item::Impl(_) => find::impl_of(item).is_none_or(|(name, _)| name != "ClientInfo"),
        _ => true,
    });
    count("/", "imports, hooks and client information", 4, before - file.items.len())?;
    file.items.insert(
        0,
        parse_quote!(
            pub use progenitor_client::ResponseValue;
        ),
    );

    let mut found = 0;
    for item in
        find::inherent_impls(&mut file.items).filter(|item| find::last_of(&item.self_ty).as_deref() == Some("Client"))
    {
        found += item.items.len();
        item.items = vec![parse_quote! {
            pub(crate) fn new(baseurl: String, client: reqwest::Client, inner: crate::runtime::Bridge) -> Self {
                Self { baseurl, client, inner }
            }
        }];
    }
    count("/", "constructors", 2, found)?;

    let mut found = 0;
    for item in find::module(&mut file.items, &["builder"])? {
        if let Item::Use(import) = item
            && quote::quote!(#import).to_string().contains("ClientHooks")
        {
            *item = parse_quote!(
                use super::ResponseValue;
            );
            found += 1;
        }
    }
    count("/", "imports of builders", 1, found)
}
