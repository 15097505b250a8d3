//! The paths that the generated code uses.

use quote::quote;

use crate::error::Fault;

/// The parsed paths.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) runtime: syn::Path,
    pub(crate) client_path: String,
}

impl Settings {
    pub(crate) fn new(runtime: &str, client_path: &str) -> Result<Self, Fault> {
        let path = |text: &str| {
            syn::parse_str::<syn::Path>(text)
                .map_err(|_| Fault::new("/", format_args!("expected a path such as `crate::api`, found `{text}`")))
        };
        path(client_path)?;
        Ok(Self { runtime: path(runtime)?, client_path: client_path.to_string() })
    }

    /// Returns the path of the runtime as text.
    pub(crate) fn runtime_text(&self) -> String {
        let path = &self.runtime;
        quote!(#path).to_string().replace(' ', "")
    }

    /// Returns the path of an item of the runtime as text.
    pub(crate) fn of_runtime(&self, item: &str) -> String {
        format!("{}::{item}", self.runtime_text())
    }
}
