//! Rewrites the typed mock: values in paths are compared as strings (progenitor writes them into regular expressions), every
//! operation can be limited, and its items are documented.

use quote::quote;
use syn::{
    Expr, ExprMethodCall, Ident, ImplItemFn, Item, ItemImpl, LitStr, Path, TraitItem, parse_quote, visit_mut::VisitMut,
};

use super::{compounds::Expectations, send::pascal, table};
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
    model::Model,
    rewrite::{
        docs::document_if_bare,
        find,
        walk::{Rewrite, Walk},
    },
};

/// Rewrites the expectations of every operation, and documents them.
pub(crate) fn compare_values(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let runtime = &settings.runtime;
    let entries = table::entries(model);
    let operations = find::module(&mut file.items, &["operations"])?;
    // The documentation of the module replaces the generator's hints at `into_inner`.
    for entry in &entries {
        let (when, then) = (format!("{}When", pascal(&entry.generated)), format!("{}Then", pascal(&entry.generated)));
        let (mut whens, mut paths, mut thens) = (0, 0, 0);
        for item in find::inherent_impls(operations) {
            let of = find::last_of(&item.self_ty);
            if of.as_deref() == Some(&when) {
                let (matched, compared) = rewrite_when(item, entry, runtime);
                (whens, paths) = (whens + matched, paths + compared);
            } else if of.as_deref() == Some(&then) {
                add_retry_after(item, runtime);
                thens += 1;
                find::functions(item).for_each(document_response);
            }
        }
        count(&entry.place, "paths of a mock", 1, whens)?;
        count(&entry.place, "values of a mock in the path", entry.path.matches('{').count(), paths)?;
        count(&entry.place, "responses of a mock", 1, thens)?;
        for item in find::structs(operations) {
            if item.ident == when {
                document_if_bare(&mut item.attrs, &format!("What a request of `{}` looks like.", entry.id));
            } else if item.ident == then {
                document_if_bare(&mut item.attrs, &format!("The response of `{}`.", entry.id));
            }
        }
    }
    operations.iter_mut().for_each(|item| Walk(&mut Borrows).visit_item_mut(item));
    let mut links = Links { target: format!("]({}::", settings.of_runtime("httpmock")), found: 0 };
    Walk(&mut links).visit_file_mut(file);
    count("", "links to `httpmock`", 4, links.found)?;
    document_traits(file, &entries)
}

/// Compares forms as they are sent, which progenitor takes for JSON.
struct Forms<'a> {
    runtime: &'a Path,
    entry: &'a table::Entry,
}

impl Rewrite for Forms<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if self.entry.form.is_some()
            && let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*node
            && method == "json_body_obj"
        {
            let (runtime, separators) = (self.runtime, self.entry.separators());
            *node = parse_quote!(#runtime::mock::form(#receiver, #args, #separators));
        }
    }
}

/// Borrows the values of JSON bodies, where progenitor forgets it for numbers.
struct Borrows;

impl Rewrite for Borrows {
    fn expr(&mut self, node: &mut Expr) {
        if let Expr::MethodCall(node) = node
            && node.method == "json_body_obj"
            && let Some(value) = node.args.first_mut()
        {
            *value = parse_quote!(&#value);
        }
    }
}

/// Leads links to `httpmock` through the runtime. Rustdoc does not resolve a leading `::`.
struct Links {
    target: String,
    found: usize,
}

impl Rewrite for Links {
    fn literal(&mut self, text: &mut LitStr) {
        let value = text.value();
        let found = value.matches("](::httpmock::").count();
        if found > 0 {
            self.found += found;
            *text = LitStr::new(&value.replace("](::httpmock::", &self.target), text.span());
        }
    }
}

/// Returns the number of paths, and of values in them, that were rewritten.
fn rewrite_when(item: &mut ItemImpl, entry: &table::Entry, runtime: &Path) -> (usize, usize) {
    let (mut paths, mut values) = (0, 0);
    for function in find::functions(item) {
        let name = function.sig.ident.to_string();
        let text = quote!(#function).to_string();
        if name == "new" {
            let mut patterns = Patterns { path: &entry.path, runtime, found: 0 };
            Walk(&mut patterns).visit_block_mut(&mut function.block);
            paths += patterns.found;
            document_if_bare(&mut function.attrs, "Expects the method and the path.");
        } else if name == "into_inner" {
            document_if_bare(&mut function.attrs, "What `httpmock` has of it, to expect more.");
        } else if text.contains("path_matches") {
            values += usize::from(compare(function, entry, runtime));
        } else {
            Walk(&mut Forms { runtime, entry }).visit_block_mut(&mut function.block);
            let is_list = text.contains(":: Vec <");
            Walk(&mut Expectations { runtime, compounds: &entry.compounds, is_list })
                .visit_block_mut(&mut function.block);
            Walk(&mut table::Literals(&entry.literals)).visit_block_mut(&mut function.block);
            document_if_bare(&mut function.attrs, &format!("Expects this value. {}", entry.text(&name)));
        }
    }
    // The boundary of a body of several parts is not known beforehand.
    item.items.retain(|part| {
        !entry.is_multipart || !matches!(part, syn::ImplItem::Fn(function) if function.sig.ident == "body")
    });
    (paths, values)
}

/// Compares a value in a path as it is received: percent-encoded once.
fn compare(function: &mut ImplItemFn, entry: &table::Entry, runtime: &Path) -> bool {
    let name = function.sig.ident.clone();
    let Some(index) = position(&function.block, &entry.path) else { return false };
    let path = &entry.path;
    let text =
        format!("Expects this value in the path. It may contain any characters. {}", entry.text(&name.to_string()));
    *function = match entry.compounds.iter().any(|compound| compound.is_in_path(&name.to_string())) {
        true => parse_quote! {
            #[doc = #text]
            pub fn #name(self, values: impl IntoIterator<Item = impl ::std::fmt::Display>) -> Self {
                Self(#runtime::mock::list_in_path(self.0, #path, #index, values))
            }
        },
        false => parse_quote! {
            #[doc = #text]
            pub fn #name(self, value: impl ::std::fmt::Display) -> Self {
                Self(#runtime::mock::value_in_path(self.0, #path, #index, value))
            }
        },
    };
    true
}

/// Returns which of the values of a path a function compares, by its pattern: it has a placeholder where the value is, and
/// wildcards for the others.
fn position(block: &syn::Block, path: &str) -> Option<usize> {
    let text = quote!(#block).to_string();
    let values = path.matches('{').count();
    let before = text.split("{}").next()?;
    (text.contains("{}") && values > 0).then(|| before.matches(".*").count()).filter(|index| *index < values)
}

/// Replaces the regular expression of a path by the path.
struct Patterns<'a> {
    path: &'a str,
    runtime: &'a Path,
    found: usize,
}

impl Rewrite for Patterns<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if let Expr::MethodCall(ExprMethodCall { receiver, method, .. }) = node
            && method == "path_matches"
        {
            let (runtime, path) = (self.runtime, self.path);
            *node = parse_quote!(#runtime::mock::path(#receiver, #path));
            self.found += 1;
        }
    }
}

/// Gives each operation a 429 with `Retry-After`, for which documents have no headers.
fn add_retry_after(item: &mut ItemImpl, runtime: &Path) {
    item.items.retain(|part| !matches!(part, syn::ImplItem::Fn(function) if function.sig.ident == "too_many_requests"));
    item.items.push(parse_quote! {
        /// Responds with status 429: the calls of this minute are used up. `Retry-After` has the time to wait in whole
        /// seconds, rounded up.
        pub fn too_many_requests(self, retry_after: ::std::time::Duration) -> Self {
            Self(#runtime::mock::too_many_requests(self.0, retry_after))
        }
    });
}

fn document_response(function: &mut ImplItemFn) {
    let text = match function.sig.ident.to_string().as_str() {
        "new" => "Creates the response from that of `httpmock`.".to_string(),
        "into_inner" => "The underlying `httpmock` value, for further settings.".to_string(),
        "success" => "Responds with a status of 200 to 299.\n\n# Panics\nWith any other status.".to_string(),
        status => format!("Responds with status \"{}\".", status.replace('_', " ")),
    };
    document_if_bare(&mut function.attrs, &text);
}

fn document_traits(file: &mut syn::File, entries: &[table::Entry]) -> Result<(), Fault> {
    let summary =
        |name: &Ident| entries.iter().find(|entry| *name == entry.generated).map(|entry| entry.summary.as_str());
    let mut documented = 0;
    for item in &mut file.items {
        let Item::Trait(item) = item else { continue };
        for function in item.items.iter_mut() {
            if let TraitItem::Fn(function) = function
                && let Some(summary) = summary(&function.sig.ident)
            {
                document_if_bare(
                    &mut function.attrs,
                    &format!("{summary}: sets the expected request and its response."),
                );
                documented += 1;
            }
        }
    }
    count("/paths", "calls of the mock", entries.len(), documented)
}
