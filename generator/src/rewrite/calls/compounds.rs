//! Parameters that are lists, maps or cookies. Progenitor knows lists in a query only, and repeats their name; the runtime writes
//! all others.

use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Expr, ExprMethodCall, Ident, Lit, Path, Stmt, parse_quote};

use super::send::receiver;
use crate::{model::text, normalize::names::snake, rewrite::walk::Rewrite};

/// A parameter that is a list, a map or a cookie.
#[derive(Clone)]
pub(crate) struct Compound {
    /// The name in the generated code.
    name: String,
    /// The name that is sent.
    wire: String,
    required: bool,
    place: Place,
}

/// The place of a parameter, and the form that it has there.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Path,
    Header,
    Cookie,
    /// A list as one value in a query, with this separator.
    Query(&'static str),
    /// A parameter per entry of a map; of a deep one with the name of the map and the key in brackets.
    Map {
        is_deep: bool,
    },
}

impl Compound {
    /// Returns a parameter if it is a list, a map or a cookie, unless it is a list whose name is repeated in the query.
    pub(crate) fn of(parameter: &Value) -> Option<Self> {
        let is_repeated = parameter["explode"] != false;
        let place = match (text(parameter, "in"), text(&parameter["schema"], "type"), text(parameter, "style")) {
            ("path", "array", _) => Place::Path,
            ("header", "array", _) => Place::Header,
            ("cookie", _, _) => Place::Cookie,
            ("query", "array", "spaceDelimited") if !is_repeated => Place::Query(" "),
            ("query", "array", "pipeDelimited") if !is_repeated => Place::Query("|"),
            ("query", "array", _) if !is_repeated => Place::Query(","),
            ("query", "object", style) => Place::Map { is_deep: style == "deepObject" },
            _ => return None,
        };
        let (name, wire) = (text(parameter, "name"), text(parameter, "x-perenso-wire-name"));
        let wire = if wire.is_empty() { name } else { wire };
        let required = parameter["required"] == true;
        Some(Self { name: name.to_string(), wire: wire.to_string(), required, place })
    }

    /// Returns true for a list in the path with this name in the generated code.
    pub(crate) fn is_in_path(&self, name: &str) -> bool {
        // The code generator puts an underscore behind a keyword.
        self.place == Place::Path && snake(&self.name) == name.trim_end_matches('_')
    }

    /// Returns the function of the runtime that appends this parameter to the headers.
    pub(crate) fn append(&self, name: &Expr) -> Option<Ident> {
        let function = match self.place {
            Place::Header => "append_list",
            Place::Cookie => "append_cookie",
            _ => return None,
        };
        is_text(name, &self.name).then(|| format_ident!("{function}"))
    }

    fn is_in_query(&self) -> bool {
        matches!(self.place, Place::Query(_) | Place::Map { .. })
    }
}

/// Returns true for a literal with this text.
fn is_text(expression: &Expr, text: &str) -> bool {
    matches!(expression, Expr::Lit(literal) if matches!(&literal.lit, Lit::Str(found) if found.value() == text))
}

/// Takes lists and maps out of the query of a request, and writes them after it.
pub(crate) struct Queries<'a> {
    pub(crate) runtime: &'a Path,
    pub(crate) compounds: &'a [Compound],
    pub(crate) written: Vec<Stmt>,
}

impl Queries<'_> {
    /// Returns the number of lists and maps in the query.
    pub(crate) fn expected(&self) -> usize {
        self.compounds.iter().filter(|compound| compound.is_in_query()).count()
    }
}

impl Rewrite for Queries<'_> {
    fn expr(&mut self, node: &mut Expr) {
        let Some(before) = receiver(node, "query") else { return };
        // The argument is `&QueryParam::new(name, &value)`.
        let Expr::MethodCall(ExprMethodCall { args, .. }) = &*node else { return };
        let Some(Expr::Reference(reference)) = args.first() else { return };
        let Expr::Call(call) = &*reference.expr else { return };
        let (Some(name), Some(Expr::Reference(value))) = (call.args.first(), call.args.get(1)) else { return };
        let found = self.compounds.iter().find(|compound| compound.is_in_query() && is_text(name, &compound.name));
        let Some(Compound { wire, required, place, .. }) = found else { return };
        let (runtime, value) = (self.runtime, &value.expr);
        let values = if *required { quote!(#value.iter()) } else { quote!(#value.iter().flatten()) };
        self.written.push(match place {
            Place::Query(separator) => {
                parse_quote!(let request = #runtime::with_list(request, #wire, #values, #separator);)
            }
            Place::Map { is_deep: true } => {
                parse_quote!(let request = #runtime::with_map(request, Some(#wire), #values);)
            }
            _ => parse_quote!(let request = #runtime::with_map(request, None, #values);),
        });
        *node = before.clone();
    }
}

/// Compares lists, maps and cookies in the mock, where progenitor writes code that does not compile.
pub(crate) struct Expectations<'a> {
    pub(crate) runtime: &'a Path,
    pub(crate) compounds: &'a [Compound],
    /// True if the value is a list.
    pub(crate) is_list: bool,
}

impl Rewrite for Expectations<'_> {
    fn expr(&mut self, node: &mut Expr) {
        let Expr::MethodCall(ExprMethodCall { receiver, method, args, .. }) = &*node else { return };
        let Some(name) = args.first() else { return };
        let found = self.compounds.iter().find(|compound| is_text(name, &compound.name));
        let runtime = self.runtime;
        *node = match (method.to_string().as_str(), found.map(|found| found.place)) {
            // A name that is repeated.
            ("query_param", None) if self.is_list => {
                parse_quote!(#runtime::mock::list_in_query(#receiver, #name, value))
            }
            ("query_param", Some(Place::Query(separator))) => {
                parse_quote!(#runtime::mock::separated_in_query(#receiver, #name, value, #separator))
            }
            ("query_param", Some(Place::Map { is_deep })) => {
                let outer = if is_deep { quote!(Some(#name)) } else { quote!(None) };
                parse_quote!(#runtime::mock::map_in_query(#receiver, #outer, value))
            }
            ("header", Some(Place::Header)) => parse_quote!(#runtime::mock::list_in_header(#receiver, #name, value)),
            ("header", Some(Place::Cookie)) => {
                parse_quote!(#runtime::mock::cookie(#receiver, #name, Some(value.to_string())))
            }
            ("header_missing", Some(Place::Cookie)) => parse_quote!(#runtime::mock::cookie(#receiver, #name, None)),
            _ => return,
        };
    }
}
