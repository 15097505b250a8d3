//! One tag per operation, and one spelling per tag.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    document::operations::operations,
    normalize::{
        Log,
        names::{is_keyword, pascal},
    },
};

/// Keeps the first tag, which names the trait of an operation. Tags that would name the same trait become one.
pub(crate) fn unify(root: &mut Value, log: &mut Log<'_>) {
    let mut spellings: BTreeMap<String, String> = BTreeMap::new();
    for tag in root.get_mut("tags").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(name) = tag.get_mut("name")
            && let Some(usable) = name.as_str().map(usable)
        {
            *name = usable.into();
        }
    }
    // The document may declare tags that no operation has.
    let declared = root["tags"].as_array().into_iter().flatten().filter_map(|tag| tag["name"].as_str());
    for name in declared {
        spellings.entry(pascal(name)).or_insert_with(|| name.to_string());
    }
    for operation in operations(root) {
        let place = format!("{}/tags", operation.pointer);
        let Some(tags) = operation.node.remove("tags") else { continue };
        let names: Vec<_> = tags.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let Some(first) = names.iter().map(|name| name.trim()).find(|name| !name.is_empty()) else { continue };
        if names.len() > 1 {
            log.changed(&place, "the first tag is kept");
        }
        let name = usable(first);
        let spelling = spellings.entry(pascal(&name)).or_insert(name);
        if spelling != first {
            log.changed(&place, format!("the tag is written `{spelling}`"));
        }
        operation.node.insert("tags".into(), json!([spelling]));
    }
    if let Some(tags) = root.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| {
            tag["name"].as_str().is_some_and(|name| spellings.get(&pascal(name)).is_some_and(|s| s == name))
        });
    }
}

/// Returns a tag without blanks around it. A trait cannot be called by a number or a keyword, so such a tag gets a word more.
fn usable(tag: &str) -> String {
    let tag = tag.trim();
    let is_name = tag.starts_with(|c: char| c.is_alphabetic()) && !is_keyword(&pascal(tag));
    if is_name || tag.is_empty() { tag.to_owned() } else { format!("Tag {tag}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn an_operation_has_one_tag_in_one_spelling() {
        let (root, effects) = run(
            unify,
            json!({
                "tags": [{ "name": "Order Lines" }, { "name": "order-lines" }],
                "paths": { "/a": {
                    "get": { "tags": ["order lines", "Other"] }, "put": { "tags": [""] }, "patch": { "tags": ["2"] }, "post": { "tags": "Order" }
                }}
            }),
        );
        assert_eq!(
            root,
            json!({
                "tags": [{ "name": "Order Lines" }],
                "paths": { "/a": { "get": { "tags": ["Order Lines"] }, "put": {}, "patch": { "tags": ["Tag 2"] }, "post": {} } }
            })
        );
        assert_eq!(effects.len(), 3);
    }

    #[test]
    fn blanks_around_a_tag_are_no_part_of_it() {
        let (root, _) = run(
            unify,
            json!({"tags": [{ "name": " Berths" }], "paths": { "/a": { "get": { "tags": [" Berths"] }, "put": { "tags": ["Berths\t"] } } }}),
        );
        assert_eq!(run(unify, root.clone()).0, root);
        for tag in ["'Berths", "7", "type"] {
            let (root, _) =
                run(unify, json!({"tags": [{ "name": tag }], "paths": { "/a": { "get": { "tags": [tag] } } }}));
            assert_eq!(root["paths"]["/a"]["get"]["tags"][0], root["tags"][0]["name"]);
            assert_eq!(run(unify, root.clone()).0, root);
        }
        let berths = json!(["Berths"]);
        assert_eq!(root["tags"], json!([{ "name": "Berths" }]));
        assert_eq!((&root["paths"]["/a"]["get"]["tags"], &root["paths"]["/a"]["put"]["tags"]), (&berths, &berths));
    }
}
