//! Extensions of ours that are misspelt, and would be ignored without a word.

use serde_json::Value;

use super::Log;
use crate::document::pointer::segment;

/// The extensions that a document or an overlay may have.
const KNOWN: [&str; 9] = [
    "x-idempotency",
    "x-operation-name",
    "x-perenso-guide",
    "x-perenso-method",
    "x-perenso-type",
    "x-personal",
    "x-sealed",
    "x-shown",
    "x-type-name",
];

/// The extensions that the normalisation writes.
const WRITTEN: [&str; 10] = [
    "x-perenso-discriminator",
    "x-perenso-form-separators",
    "x-perenso-media-type",
    "x-perenso-multipart",
    "x-perenso-numeric-string",
    "x-perenso-other-responses",
    "x-perenso-part-types",
    "x-perenso-rest-of-path",
    "x-perenso-union",
    "x-perenso-wire-name",
];

/// The edits by which a name may differ from one that is meant.
const EDITS: usize = 2;

/// The members whose names are free.
const NAMED: [&str; 5] = ["properties", "schemas", "paths", "responses", "mapping"];

/// The members whose values are data.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Removes and reports the extensions whose names begin with that of ours, or are almost one of ours.
pub(crate) fn check(root: &mut Value, log: &mut Log<'_>) {
    walk(root, "", false, log);
}

fn walk(node: &mut Value, place: &str, is_named: bool, log: &mut Log<'_>) {
    match node {
        Value::Object(map) => {
            map.retain(|name, _| {
                let unknown = !is_named && is_unknown(name);
                if unknown {
                    let what = match KNOWN.iter().find(|known| differs_little(name, known)) {
                        Some(meant) => format!("the extension `{name}` is not known, and ignored: is `{meant}` meant?"),
                        None => format!("the extension `{name}` is not known, and ignored"),
                    };
                    log.lost(&format!("{place}/{}", segment(name)), what);
                }
                !unknown
            });
            for (name, inner) in map.iter_mut() {
                if is_named || !name.starts_with("x-") && !DATA.contains(&name.as_str()) {
                    let names = !is_named && NAMED.contains(&name.as_str());
                    walk(inner, &format!("{place}/{}", segment(name)), names, log);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                walk(item, &format!("{place}/{index}"), false, log);
            }
        }
        _ => {}
    }
}

fn is_unknown(name: &str) -> bool {
    let is_known = KNOWN.iter().chain(&WRITTEN).any(|known| *known == name);
    !is_known
        && name.starts_with("x-")
        && (name.starts_with("x-perenso-") || KNOWN.iter().any(|known| differs_little(name, known)))
}

/// Returns true if a few edits make one name of another, whatever the case of its letters.
fn differs_little(name: &str, known: &str) -> bool {
    let (name, known): (Vec<char>, Vec<char>) = (name.to_lowercase().chars().collect(), known.chars().collect());
    if name.len().abs_diff(known.len()) > EDITS {
        return false;
    }
    let mut row: Vec<usize> = (0..=known.len()).collect();
    for (index, letter) in name.iter().enumerate() {
        let mut before = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in known.iter().enumerate() {
            let replaced = before + usize::from(letter != other);
            before = row[column + 1];
            row[column + 1] = replaced.min(before + 1).min(row[column] + 1);
        }
    }
    row[known.len()] <= EDITS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn an_extension_of_ours_that_is_misspelt_is_named() {
        let mut document = json!({
            "x-perenso-speed": 1, "x-logo": {}, "x-source": {},
            "paths": { "/a": { "get": { "x-idempotancy": "safe", "x-idempotency": "safe", "x-note": { "x-shwon": 1 } } } },
            "components": { "schemas": { "x-shwon": {
                "X-Personal": true, "x-personel": true, "example": { "x-shwon": 1 },
                "properties": { "x-shwon": {}, "properties": { "x-shwon": [] } }
            } } }
        });
        let (root, effects) = run(check, document.clone());
        let places = [
            "/components/schemas/x-shwon/properties/properties/x-shwon",
            "/components/schemas/x-shwon/x-personel",
            "/paths/~1a/get/x-idempotancy",
            "/x-perenso-speed",
        ];
        let mut found: Vec<_> = effects.into_iter().collect();
        found.sort();
        assert_eq!(found, places.map(|place| (Effect::Lost, place.to_string())));
        for place in places {
            let (parent, name) = place.rsplit_once('/').unwrap();
            document.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(name);
        }
        assert_eq!(root, document);
    }
}
