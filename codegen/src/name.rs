//! Identifiers from the names of a catalog.
//!
//! They are ASCII: letters of other scripts would bring rustc's lints on confusable identifiers upon a crate that cannot
//! silence them for one module.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToPascalCase, ToSnakeCase};

use crate::{
    catalog::{Export, Parameter, shown},
    error::Error,
};

/// Longer ones are cut: rustdoc makes file names of them, and file systems have limits.
const LONGEST: usize = 100;

/// Those of every edition. Not written as raw identifiers, because four of them cannot be.
const KEYWORDS: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "Self", "_",
];

/// The names of the structs, in the order of the exports.
pub(crate) fn structs(exports: &[Export]) -> Result<Vec<String>, Error> {
    let words = |text: &str| cut(&ascii(text).to_pascal_case());
    let bases = exports.iter().map(|export| match words(&export.name) {
        // The id says more than a number would, and stays the same.
        none if none.is_empty() => format!("Export{}", words(&export.id)),
        words => identifier(words, "Export"),
    });
    let suffixes = exports.iter().map(|export| words(&export.id));
    unique(bases.collect(), suffixes).map_err(|pairs| {
        let problem = |(one, other, name): (usize, usize, String)| {
            format!(
                "{} and {} would both be the struct `{name}`: take one of them out",
                exports[one].shown(),
                exports[other].shown()
            )
        };
        Error::several("the catalog cannot be used", pairs.into_iter().map(problem).collect())
    })
}

/// The names of the fields, in the order of the parameters.
pub(crate) fn fields(export: &Export) -> Result<Vec<String>, Vec<String>> {
    let parameters = &export.parameters;
    let bases =
        parameters.iter().map(|parameter| identifier(cut(&ascii(&parameter.name).to_snake_case()), "parameter_"));
    let suffixes = parameters.iter().map(|parameter| format!("_{:08x}", hash(&parameter.name)));
    unique(bases.collect(), suffixes).map_err(|pairs| {
        let named = |parameter: &Parameter| shown(&parameter.name);
        let problem = |(one, other, name): (usize, usize, String)| {
            format!(
                "{}: the parameters {} and {} would both be the field `{name}`: take the export out",
                export.shown(),
                named(&parameters[one]),
                named(&parameters[other])
            )
        };
        pairs.into_iter().map(problem).collect()
    })
}

/// Letters and digits of any script as ASCII, everything else as it is or gone.
fn ascii(name: &str) -> String {
    let start = name.char_indices().nth(4 * LONGEST).map_or(name, |(end, _)| &name[..end]);
    deunicode::deunicode_with_tofu(start, " ")
}

/// The words are ASCII, so that every place is one between characters.
fn cut(words: &str) -> String {
    words.get(..LONGEST).unwrap_or(words).trim_end_matches('_').to_owned()
}

/// Words with `before` in front where no identifier begins like them.
fn identifier(words: String, before: &str) -> String {
    match words.chars().next() {
        Some(first) if !first.is_ascii_digit() => words,
        _ => format!("{before}{words}").trim_end_matches('_').to_owned(),
    }
}

/// Gives all who would share a name their suffix, and keywords an underscore. Neither depends on anybody's place, so a name
/// never changes hands when the catalog grows or is sorted. What is shared even then comes back as places and name.
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

/// FNV-1a of 32 bits: the standard library's own hash may differ with its next version.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
