//! Rust names, as the code generator derives them from a document.

use std::collections::BTreeSet;

use heck::{ToPascalCase, ToSnakeCase};

/// Returns the name of a type for a schema: one that stays the same when it is derived from itself.
pub(crate) fn type_name(name: &str) -> String {
    // `B-C` gives `BC`, which gives `Bc`.
    pascal(&pascal(name))
}

/// Returns a name in PascalCase, as for an operation or a value of an enum.
pub(crate) fn pascal(name: &str) -> String {
    start(clean(name).to_pascal_case(), "X")
}

/// Returns the name of a function, parameter or field. It may be a keyword.
pub(crate) fn snake(name: &str) -> String {
    start(clean(name).to_snake_case(), "x")
}

/// Returns a name that is not taken yet, with a number behind it if need be, and takes it.
pub(crate) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let free = |name: &String| !taken.contains(name);
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let found = std::iter::once(name.to_string()).chain(numbered).find(free).unwrap_or_default();
    taken.insert(found.clone());
    found
}

/// Returns true for a name that needs an underscore behind it to be an identifier.
pub(crate) fn is_keyword(name: &str) -> bool {
    const KEYWORDS: [&str; 54] = [
        "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
        "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
        "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "Self", "self", "static", "struct",
        "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while",
        "yield", "union",
    ];
    KEYWORDS.contains(&name)
}

/// Replaces what cannot be part of an identifier. Apostrophes vanish, as they do in the code generator.
fn clean(name: &str) -> String {
    name.replace('\'', "").replace(|c: char| !unicode_ident::is_xid_continue(c), "-")
}

fn start(name: String, first: &str) -> String {
    match name.chars().next() {
        Some(c) if unicode_ident::is_xid_start(c) => name,
        Some(_) => format!("{first}{name}"),
        None => first.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_identifiers() {
        assert_eq!(pascal("Api.Paged[System.Int32]"), "ApiPagedSystemInt32");
        assert_eq!((pascal("b-c-d"), type_name("b-c-d")), ("BCD".to_string(), "Bcd".to_string()));
        assert_eq!(pascal("2fa"), "X2fa");
        assert_eq!(pascal("订单"), "订单");
        assert_eq!(pascal("---"), "X");
        assert_eq!(snake("getHTTPInfo"), "get_http_info");
        assert_eq!(snake("don't"), "dont");
    }

    #[test]
    fn taken_names_get_a_number() {
        let mut taken = BTreeSet::new();
        let names: Vec<_> = (0..3).map(|_| unique("Order", &mut taken)).collect();
        assert_eq!(names, ["Order", "Order2", "Order3"]);
    }
}
