//! Replaces the construction of the client by one over an authorised client, and removes hooks.

use syn::{Item, parse_quote};

use super::find;
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
};

/// Replaces the constructors, which would create a client without tokens and with a total timeout, and removes the code of
/// hooks.
pub(crate) fn through_the_bridge(file: &mut syn::File, settings: &Settings) -> Result<(), Fault> {
    let runtime = &settings.runtime;
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
            pub use #runtime::ResponseValue;
        ),
    );

    let mut found = 0;
    for item in
        find::inherent_impls(&mut file.items).filter(|item| find::last_of(&item.self_ty).as_deref() == Some("Client"))
    {
        found += item.items.len();
        *item = parse_quote! {
            impl Client {
                /// Creates a client that sends its calls through `auth`, and shares its tokens, rate budget and connections.
                pub fn new(auth: &#runtime::auth::Client) -> Self {
                    Self::over(#runtime::Bridge::new(auth))
                }

                /// Returns a client whose calls use these options: a deadline, headers, other retries. Options that are not
                /// set here keep their values from this client.
                #[must_use]
                pub fn with_options(&self, options: #runtime::auth::CallOptions) -> Self {
                    Self::over(self.inner.with_options(options))
                }

                /// Returns the client that sends the calls.
                pub fn auth_client(&self) -> &#runtime::auth::Client {
                    self.inner.auth()
                }

                pub(crate) fn over(inner: #runtime::Bridge) -> Self {
                    Self { baseurl: inner.base_url(), client: inner.auth().http().clone(), inner }
                }
            }
        };
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
