//! Sends every call through the bridge, with its error type.

use quote::{ToTokens as _, format_ident, quote};
use syn::{
    Expr, ExprMethodCall, GenericParam, Ident, ImplItemFn, Pat, Path, ReturnType, Stmt, Type, parse_quote,
    visit_mut::VisitMut,
};

use super::{
    compounds::Queries,
    multipart,
    paths::{self, Encodings},
    table,
};
use crate::{
    error::{Fault, count},
    generate::settings::Settings,
    model::Model,
    rewrite::{
        find,
        walk::{Rewrite, Walk},
    },
};

/// Rewrites `send` of the builder of every operation.
pub(crate) fn through_the_bridge(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let entries = table::entries(model);
    let builders = find::module(&mut file.items, &["builder"])?;
    for entry in &entries {
        let builder = pascal(&entry.generated);
        let ids = paths::ids(builders, &builder);
        if entry.is_multipart {
            let changed = multipart::take_parts(builders, &builder, &settings.runtime);
            count(&entry.place, "types of a body of several parts", 2, changed)?;
        }
        let mut sends = 0;
        for item in
            find::inherent_impls(builders).filter(|item| find::last_of(&item.self_ty).as_ref() == Some(&builder))
        {
            for function in find::functions(item) {
                if function.sig.ident == "send" {
                    rewrite_send(function, entry, &ids, &settings.runtime)?;
                    sends += 1;
                } else if function.sig.ident != "new" && function.sig.ident != "body_map" {
                    explain_refusals(function, &entry.place, &settings.runtime)?;
                }
            }
        }
        count(&entry.place, "`send` of the builder", 1, sends)?;
    }
    let all =
        find::inherent_impls(builders).flat_map(find::functions).filter(|function| function.sig.asyncness.is_some());
    count("/paths", "asynchronous functions of builders", entries.len(), all.count())?;

    let mut left = Leftovers::default();
    builders.iter_mut().for_each(|item| Walk(&mut left).visit_item_mut(item));
    count("/paths", "errors and hooks of the generator", 0, left.0)
}

fn rewrite_send(function: &mut ImplItemFn, entry: &table::Entry, ids: &[String], runtime: &Path) -> Result<(), Fault> {
    let place = &entry.place;
    let response =
        response(&mut function.sig.output).ok_or_else(|| Fault::missed(place, "type of the response", 1, 0))?;
    let (reported, operation) = (&entry.id, &entry.constant);

    let mut body = Vec::new();
    let (mut values, mut versions, mut requests) = (0, 0, 0);
    let mut encodings = Encodings { runtime, entry, ids, values: 0, twins: 0 };
    for mut statement in std::mem::take(&mut function.block.stmts) {
        if requests > 0 {
            // The rest is the generator's code that sends the request, which is replaced.
            break;
        }
        match binding(&statement).as_deref() {
            Some("header_map") if !entry.has_headers => continue,
            Some("request") => {
                requests += 1;
                body.extend(request(&statement, entry, runtime)?);
                continue;
            }
            None if statement.to_token_stream().to_string().contains("\"api-version\"") => {
                versions += 1;
                continue;
            }
            _ => {}
        }
        Walk(&mut encodings).visit_stmt_mut(&mut statement);
        Walk(&mut Headers { runtime, entry }).visit_stmt_mut(&mut statement);
        Walk(&mut table::Literals(&entry.literals)).visit_stmt_mut(&mut statement);
        let mut refusals = Refusals { runtime, operation: reported, found: 0 };
        Walk(&mut refusals).visit_stmt_mut(&mut statement);
        values += refusals.found;
        body.push(statement);
    }
    count(place, "requests", 1, requests)?;
    count(place, "`api-version` headers", 1, versions)?;
    count(place, "values of the builder", entry.values, values)?;
    count(place, "values in the path", entry.path.matches('{').count(), encodings.values)?;
    count(place, "paths with a mark", usize::from(entry.is_twin), encodings.twins)?;

    let send: Expr = match find::last_of(&response).as_deref() {
        _ if matches!(&response, Type::Tuple(unit) if unit.elems.is_empty()) => {
            parse_quote!(#runtime::send_empty(&client.inner, request, &super::operations::#operation).await)
        }
        Some("ByteStream") => {
            parse_quote!(#runtime::send_raw(&client.inner, request, &super::operations::#operation).await)
        }
        last if !entry.others.is_empty() => {
            let is_other = entry.others.condition();
            let operation = quote!(&super::operations::#operation);
            match last {
                Some("Vec") => parse_quote! {
                    #runtime::send_success::<::std::option::Option<#response>>(&client.inner, request, #operation, #is_other)
                        .await
                        .map(|found| found.map(|success| success.map(::std::option::Option::unwrap_or_default)))
                },
                _ => parse_quote! {
                    #runtime::send_success::<#response>(&client.inner, request, #operation, #is_other).await
                },
            }
        }
        Some("Map") => {
            parse_quote!(#runtime::send_json_object(&client.inner, request, &super::operations::#operation).await)
        }
        // `null` for a list is read as an empty list.
        Some("Vec") => parse_quote! {
            #runtime::send_json::<::std::option::Option<#response>>(&client.inner, request, &super::operations::#operation)
                .await?
                .map(::std::option::Option::unwrap_or_default)
        },
        _ => {
            parse_quote!(#runtime::send_json::<#response>(&client.inner, request, &super::operations::#operation).await)
        }
    };
    body.push(Stmt::Expr(send, None));
    function.block.stmts = body;
    // A body of bytes keeps its headers and its own error type, which the stream of the generator does not support.
    let value: Type = match find::last_of(&response).as_deref() {
        Some("ByteStream") => parse_quote!(#runtime::auth::Response),
        _ if !entry.others.is_empty() => parse_quote!(ResponseValue<#runtime::Success<#response>>),
        _ => parse_quote!(ResponseValue<#response>),
    };
    function.sig.output = parse_quote!(-> ::std::result::Result<#value, #runtime::Error>);
    function.attrs.push(parse_quote!(#[doc = ""]));
    if !entry.others.is_empty() {
        let docs = format!("{}\n", entry.others.docs(&quote!(#runtime).to_string().replace(' ', "")));
        function.attrs.push(parse_quote!(#[doc = #docs]));
    }
    function.attrs.push(parse_quote!(#[doc = "# Errors"]));
    function.attrs.push(parse_quote!(#[doc = "A value that the call cannot take, or whatever went wrong on the way."]));
    Ok(())
}

/// Returns the `T` in `-> Result<ResponseValue<T>, Error<E>>`.
fn response(output: &mut ReturnType) -> Option<Type> {
    match output {
        ReturnType::Type(_, ty) => find::argument_of(find::argument_of(ty)?).cloned(),
        ReturnType::Default => None,
    }
}

/// Returns the name that a statement binds.
fn binding(statement: &Stmt) -> Option<String> {
    match statement {
        Stmt::Local(local) => match &local.pat {
            Pat::Ident(pat) => Some(pat.ident.to_string()),
            Pat::Struct(_) => Some(String::new()),
            _ => None,
        },
        _ => None,
    }
}

/// Builds the request without the header of the generator, and keeps its error for the bridge.
fn request(statement: &Stmt, entry: &table::Entry, runtime: &Path) -> Result<Vec<Stmt>, Fault> {
    let missed = |what| Fault::missed(&entry.place, what, 1, 0);
    let Stmt::Local(local) = statement else { return Err(missed("request")) };
    let built = match local.init.as_ref().map(|init| &*init.expr) {
        Some(Expr::Try(built)) => &*built.expr,
        _ => return Err(missed("`build()?` of the request")),
    };
    let headed = receiver(built, "build").ok_or_else(|| missed("`build` of the request"))?;
    let plain = receiver(headed, "headers").ok_or_else(|| missed("`headers` of the request"))?;
    let mut request = if entry.has_headers { headed.clone() } else { plain.clone() };
    Walk(&mut Forms { runtime, entry }).visit_expr_mut(&mut request);
    let mut queries = Queries { runtime, compounds: &entry.compounds, written: Vec::new() };
    Walk(&mut queries).visit_expr_mut(&mut request);
    count(&entry.place, "lists and maps in the query", queries.expected(), queries.written.len())?;
    Walk(&mut table::Literals(&entry.literals)).visit_expr_mut(&mut request);
    let mut parts = multipart::Parts { runtime, found: 0 };
    if entry.is_multipart {
        Walk(&mut parts).visit_expr_mut(&mut request);
    }
    count(&entry.place, "bodies of several parts", usize::from(entry.is_multipart), parts.found)?;
    let built = parse_quote!(let request = #request.build(););
    Ok(std::iter::once(built).chain(queries.written).collect())
}

/// Returns the receiver of a call of a method.
pub(crate) fn receiver<'a>(call: &'a Expr, method: &str) -> Option<&'a Expr> {
    match call {
        Expr::MethodCall(ExprMethodCall { receiver, method: name, .. }) if name == method => Some(receiver),
        _ => None,
    }
}

/// Writes forms by the runtime, since those of the generator fail with its own error.
struct Forms<'a> {
    runtime: &'a Path,
    entry: &'a table::Entry,
}

impl Rewrite for Forms<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if let Expr::Try(call) = node
            && let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*call.expr
            && method == "form_urlencoded"
        {
            let (runtime, operation, separators) = (self.runtime, &self.entry.id, self.entry.separators());
            *node = parse_quote!(#runtime::form(#receiver, #operation, #args, #separators)?);
        }
    }
}

/// Writes header parameters by the runtime, since those of the generator fail with its own error.
struct Headers<'a> {
    runtime: &'a Path,
    entry: &'a table::Entry,
}

impl Rewrite for Headers<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if let Expr::MethodCall(ExprMethodCall { receiver: map, method, args, .. }) = node
            && method == "append"
            && let (Some(name), Some(Expr::Try(value))) = (args.first(), args.get(1))
            && let Some(value) = receiver(&value.expr, "try_into").and_then(|text| receiver(text, "to_string"))
        {
            let (runtime, operation) = (self.runtime, &self.entry.id);
            let compound = self.entry.compounds.iter().find_map(|compound| compound.append(name));
            let append = compound.unwrap_or_else(|| format_ident!("append_header"));
            *node = parse_quote!(#runtime::#append(&mut #map, #operation, #name, &#value)?);
        }
    }
}

/// Replaces `.map_err(Error::InvalidRequest)` by the error of the runtime, with the name of the operation.
struct Refusals<'a> {
    runtime: &'a Path,
    operation: &'a str,
    found: usize,
}

impl Rewrite for Refusals<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if let Some(value) = receiver(node, "map_err")
            && let Expr::MethodCall(ExprMethodCall { args, .. }) = &*node
            && let Some(Expr::Path(path)) = args.first()
            && path.path.segments.iter().map(|segment| segment.ident.to_string()).eq(["Error", "InvalidRequest"])
        {
            let (runtime, operation) = (self.runtime, self.operation);
            *node = parse_quote!(#runtime::accepted(#operation, #value));
            self.found += 1;
        }
    }
}

/// Keeps the error of an invalid value in a setter, which the generator drops.
fn explain_refusals(function: &mut ImplItemFn, place: &str, runtime: &Path) -> Result<(), Fault> {
    let name = function.sig.ident.to_string();
    if find::target(function).is_none() {
        return Err(Fault::missed(place, &format!("conversion in `{name}`"), 1, 0));
    }
    let mut reasons = Reasons { runtime, name: &name, found: 0 };
    Walk(&mut reasons).visit_block_mut(&mut function.block);
    count(place, &format!("refusals in `{name}`"), 1, reasons.found)?;
    let value = function.sig.generics.params.iter().find_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.clone()),
        _ => None,
    });
    if let Some(value) = value
        && let Some(bounds) = &mut function.sig.generics.where_clause
        && bounds.predicates.len() == 1
    {
        bounds.predicates.push(parse_quote!(#value::Error: ::std::fmt::Display));
    }
    Ok(())
}

/// Replaces the conversion of a setter by that of the runtime: a function is cheaper to compile than closures.
struct Reasons<'a> {
    runtime: &'a Path,
    name: &'a str,
    found: usize,
}

impl Rewrite for Reasons<'_> {
    fn expr(&mut self, node: &mut Expr) {
        let Some(converted) = receiver(node, "map_err") else { return };
        let (converted, convert) = match receiver(converted, "map") {
            Some(inner) if converted.to_token_stream().to_string().ends_with("map (Some)") => (inner, quote!(optional)),
            Some(inner) => (inner, quote!(body)),
            None => (converted, quote!(value)),
        };
        if let Some(value) = receiver(converted, "try_into") {
            let (runtime, name) = (self.runtime, self.name);
            *node = parse_quote!(#runtime::#convert(#name, #value));
            self.found += 1;
        }
    }
}

/// The names of the generator's errors and hooks, which must not be used any more.
#[derive(Default)]
struct Leftovers(usize);

impl Rewrite for Leftovers {
    fn path(&mut self, node: &mut syn::Path) {
        let first = node.segments.first().map(|segment| segment.ident.to_string());
        let names = ["Error", "ClientHooks", "ClientInfo", "OperationInfo", "RequestBuilderExt"];
        let qualified = quote!(#node).to_string().contains("progenitor_client :: Error");
        if qualified || first.is_some_and(|first| names.contains(&first.as_str())) {
            self.0 += 1;
        }
    }

    fn ident(&mut self, node: &mut Ident) {
        if ["exec", "pre"].iter().any(|hook| node == hook) {
            self.0 += 1;
        }
    }
}

/// Returns the name of the builder of an operation.
pub(crate) fn pascal(operation: &str) -> String {
    let words = operation.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
