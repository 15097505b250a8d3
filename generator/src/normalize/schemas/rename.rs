//! Names of component schemas: the names of their Rust types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{put_components, redirect, take_components};
use crate::{
    document::pointer::segment,
    normalize::{
        Log,
        names::{type_name, unique},
    },
};

/// Types that generated code names without a path.
const TAKEN: [&str; 12] =
    ["Self", "Option", "Result", "Some", "None", "Ok", "Err", "Vec", "String", "Box", "Default", "Error"];

/// Gives each component schema the name of its type.
pub(crate) fn clean(root: &mut Value, log: &mut Log<'_>) {
    let schemas = take_components(root);
    let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| name.to_string()).collect();
    // A name that is clean has the better claim to it.
    let (exact, others): (Vec<_>, Vec<_>) = schemas.keys().partition(|name| type_name(name) == **name);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for name in exact.into_iter().chain(others) {
        names.insert(name.clone(), unique(&type_name(name), &mut taken));
    }
    let mut renamed = Map::new();
    for (name, schema) in schemas {
        let new = names.get(&name).unwrap_or(&name);
        if *new != name {
            log.changed(&format!("/components/schemas/{}", segment(&name)), format!("the schema is called `{new}`"));
        }
        renamed.insert(new.clone(), schema);
    }
    log.renamed(&names);
    put_components(root, renamed);
    redirect(root, |name| names.get(name).cloned());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{document::pointer::schema_reference, normalize::tests::run};

    #[test]
    fn schemas_have_the_names_of_their_types() {
        let reference = |name: &str| schema_reference(name);
        let (root, effects) = run(
            clean,
            json!({ "components": { "schemas": {
                "Order": {}, "order": { "items": reference("Order") }, "Api.Paged[Order]": { "items": reference("order") },
                "Option": { "items": reference("Api.Paged[Order]") }
            } } }),
        );
        assert_eq!(
            root["components"]["schemas"],
            json!({
                "Order": {}, "Order2": { "items": reference("Order") }, "ApiPagedOrder": { "items": reference("Order2") },
                "Option2": { "items": reference("ApiPagedOrder") }
            })
        );
        assert_eq!(effects.len(), 3);
    }
}
