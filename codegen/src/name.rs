//! Creates identifiers from the names of a catalog.
//!
//! They are ASCII, since letters of other scripts would trigger lints on confusable identifiers, which a crate cannot allow for
//! one module.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase, ToSnakeCase};

use crate::{
    catalog::{Export, Parameter, shown},
    error::Error,
};

/// The maximum length of an identifier. rustdoc uses them as file names, whose length is limited.
const LONGEST: usize = 100;

/// The keywords of every edition. Four of them cannot be raw identifiers, so all get an underscore.
const KEYWORDS: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "Self", "_",
];

/// Returns the names of the structs, in the order of the exports.
pub(crate) fn structs(exports: &[Export]) -> Result<Vec<String>, Error> {
    let words = |text: &str| cut(&ascii(text).to_pascal_case());
    let bases = exports.iter().map(|export| match words(&export.name) {
        // The id is meaningful and stable.
        none if none.is_empty() => format!("Export{}", words(&export.id)),
        words => identifier(words, "Export"),
    });
    let suffixes = exports.iter().map(|export| words(&export.id));
    unique(bases.collect(), suffixes).map_err(|pairs| {
        let problem = |(one, other, name): (usize, usize, String)| {
            format!(
                "{} and {} would both be the struct `{name}`: remove one of them",
                exports[one].shown(),
                exports[other].shown()
            )
        };
        Error::several("the catalog cannot be used", pairs.into_iter().map(problem).collect())
    })
}

/// Returns the names of the fields, in the order of the parameters.
pub(crate) fn fields(export: &Export) -> Result<Vec<String>, Vec<String>> {
    let parameters = &export.parameters;
    let bases =
        parameters.iter().map(|parameter| identifier(cut(&ascii(&parameter.name).to_snake_case()), "parameter_"));
    let suffixes = parameters.iter().map(|parameter| format!("_{:08x}", hash(&parameter.name)));
    unique(bases.collect(), suffixes).map_err(|pairs| {
        let named = |parameter: &Parameter| shown(&parameter.name);
        let problem = |(one, other, name): (usize, usize, String)| {
            format!(
                "{}: the parameters {} and {} would both be the field `{name}`: remove the export",
                export.shown(),
                named(&parameters[one]),
                named(&parameters[other])
            )
        };
        pairs.into_iter().map(problem).collect()
    })
}

/// Transliterates letters and digits of any script into ASCII. Unknown characters become spaces.
fn ascii(name: &str) -> String {
    let start = name.char_indices().nth(4 * LONGEST).map_or(name, |(end, _)| &name[..end]);
    deunicode::deunicode_with_tofu(start, " ")
}

/// Truncates a name. It is ASCII, so every index is a character boundary.
fn cut(words: &str) -> String {
    words.get(..LONGEST).unwrap_or(words).trim_end_matches('_').to_owned()
}

/// Returns the words as an identifier, with `before` as a prefix if they are empty or start with a digit.
fn identifier(words: String, before: &str) -> String {
    match words.chars().next() {
        Some(first) if !first.is_ascii_digit() => words,
        _ => format!("{before}{words}").trim_end_matches('_').to_owned(),
    }
}

/// Appends their suffix to all names that occur twice, and an underscore to keywords. Neither depends on the order, so a name
/// never moves to another item when the catalog grows or is sorted. Returns the indexes of names that are still equal.
fn unique(
    bases: Vec<String>,
    suffixes: impl Iterator<Item = String>,
) -> Result<Vec<String>, Vec<(usize, usize, String)>> {
    let mut seen = BTreeSet::new();
    let shared: BTreeSet<String> = bases.iter().filter(|base| !seen.insert(*base)).cloned().collect();
    let names: Vec<String> = bases
        .into_iter()
        .zip(suffixes)
        .map(|(base, suffix)| if shared.contains(&base) { base + &suffix } else { base })
        .map(|name| if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name })
        .collect();
    let mut places = BTreeMap::new();
    let mut pairs = Vec::new();
    for (place, name) in names.iter().enumerate() {
        if let Some(first) = places.insert(name, place) {
            pairs.push((first, place, name.clone()));
        }
    }
    if pairs.is_empty() { Ok(names) } else { Err(pairs) }
}

/// Returns the 32-bit FNV-1a hash. That of the standard library may change with its version.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
