//! Components that are nothing but another name of one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{put_components, redirect, take_components};
use crate::{
    document::pointer::{schema_name, segment},
    normalize::Log,
};

/// Replaces components that are nothing but a reference by what they refer to.
pub(crate) fn resolve(root: &mut Value, log: &mut Log<'_>) {
    let mut schemas = take_components(root);
    let aliases: BTreeMap<String, String> =
        schemas.iter().filter_map(|(name, schema)| Some((name.clone(), schema_name(schema)?))).collect();
    let end = |name: &str| {
        let mut name = name.to_string();
        for _ in 0..=aliases.len() {
            match aliases.get(&name) {
                Some(next) => name.clone_from(next),
                None => return Some(name),
            }
        }
        None
    };
    for name in aliases.keys() {
        let place = format!("/components/schemas/{}", segment(name));
        match end(name) {
            Some(target) => {
                schemas.remove(name);
                log.changed(&place, format!("it is another name of `{target}`"));
            }
            None => {
                schemas.insert(name.clone(), json!({}));
                log.lost(&place, "it refers to itself: it is any JSON value");
            }
        }
    }
    put_components(root, schemas);
    if aliases.is_empty() {
        return;
    }
    redirect(root, |name| aliases.contains_key(name).then(|| end(name))?);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, document::pointer::schema_reference, normalize::tests::run};

    #[test]
    fn other_names_become_the_name_itself() {
        let reference = |name: &str| schema_reference(name);
        let (root, effects) = run(
            resolve,
            json!({ "components": { "schemas": {
                "A": reference("B"), "B": reference("C"), "C": { "items": reference("A") }, "D": reference("E"), "E": reference("D")
            } } }),
        );
        assert_eq!(root["components"]["schemas"], json!({ "C": { "items": reference("C") }, "D": {}, "E": {} }));
        let effects: Vec<_> = effects.into_iter().map(|(effect, _)| effect).collect();
        assert_eq!(effects, [Effect::Changed, Effect::Changed, Effect::Lost, Effect::Lost]);
    }
}
