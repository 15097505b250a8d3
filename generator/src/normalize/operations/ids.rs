//! Operation ids: the names of methods.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    document::operations::operations,
    normalize::{
        Log,
        names::{is_keyword, pascal, snake},
    },
};

/// The member by which an overlay pins the name of an operation.
const PIN: &str = "x-operation-name";

/// Methods that every generated client has, and types that the module of builders imports or names without a path.
const TAKEN: [&str; 30] = [
    "api_version",
    "baseurl",
    "client",
    "inner",
    "pre",
    "post",
    "exec",
    "new",
    "clone",
    "into",
    "byte_stream",
    "client_info",
    "client_hooks",
    "error",
    "operation_info",
    "request_builder_ext",
    "response_value",
    "option",
    "result",
    "string",
    "from",
    "try_from",
    "try_into",
    "vec",
    "box",
    "default",
    "to_string",
    "send",
    "sync",
    "drop",
];

/// The origin of the name of an operation. A better one wins where two names are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Pinned,
    Given,
    Derived,
}

/// Gives each operation a unique id in snake_case. It depends on the operation alone, so that an operation that the vendor adds
/// does not rename another one.
pub(crate) fn assign(root: &mut Value, log: &mut Log<'_>) {
    let mut wanted: Vec<(Origin, String)> = Vec::new();
    for operation in operations(root) {
        // A name that is not written in ASCII letters says less without the others than the path does.
        let is_name = |text: &&str| text.is_ascii() && text.contains(|c: char| c.is_ascii_alphanumeric());
        let text = |name: &str| operation.node.get(name).and_then(Value::as_str).filter(is_name);
        wanted.push(match (text(PIN), text("operationId")) {
            (Some(name), _) => (Origin::Pinned, free(name)),
            (None, Some(name)) => (Origin::Given, free(name)),
            (None, None) => (Origin::Derived, derived(operation.method, operation.path)),
        });
    }
    let count = |wanted: &[(Origin, String)]| {
        let mut counts: BTreeMap<(String, Origin), usize> = BTreeMap::new();
        wanted.iter().for_each(|(origin, name)| *counts.entry((pascal(name), *origin)).or_default() += 1);
        counts
    };
    // An id that several operations share tells none of them apart. Often an overlay has given it twice.
    let counts = count(&wanted);
    for ((origin, name), operation) in wanted.iter_mut().zip(operations(root)) {
        let alone = counts.get(&(pascal(name), *origin)) == Some(&1);
        let better = [Origin::Pinned, Origin::Given]
            .iter()
            .any(|better| *better < *origin && counts.contains_key(&(pascal(name), *better)));
        if *origin != Origin::Derived && (!alone || better) {
            log.lost(
                &format!("{}/operationId", operation.pointer),
                format!("`{name}` is the id of several operations: the name comes from method and path"),
            );
            (*origin, *name) = (Origin::Derived, derived(operation.method, operation.path));
        }
    }
    let counts = count(&wanted);
    let mut taken = BTreeSet::new();
    for ((origin, name), operation) in wanted.into_iter().zip(operations(root)) {
        let same = |origin: &Origin| counts.get(&(pascal(&name), *origin)).copied().unwrap_or(0);
        let clash = origin == Origin::Derived
            && (same(&Origin::Derived) > 1 || same(&Origin::Given) + same(&Origin::Pinned) > 0);
        let name = if clash { format!("{name}_{}", fingerprint(operation.method, operation.path)) } else { name };
        // Fingerprints are short, so two may be equal after all.
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let Some(name) = std::iter::once(name.clone()).chain(numbered).find(|name| taken.insert(pascal(name))) else {
            continue;
        };
        let before = operation.node.insert("operationId".into(), json!(name));
        match before.as_ref().and_then(Value::as_str) {
            Some(before) if snake(before) == name => {}
            Some(before) => log.changed(&operation.pointer, format!("the operation `{before}` is called `{name}`")),
            None => log.changed(&operation.pointer, format!("the operation has no id and is called `{name}`")),
        }
    }
}

/// Returns the name of a given id.
fn free(name: &str) -> String {
    let name = snake(name);
    if is_keyword(&name) || TAKEN.contains(&name.as_str()) { format!("{name}_operation") } else { name }
}

/// Returns the name that method and path give: `get_customers_by_id_orders`.
fn derived(method: &str, path: &str) -> String {
    let path = path.replace('{', " by ").replace(|c: char| !c.is_ascii() || "}?&=".contains(c), " ");
    snake(&format!("{method} {path}"))
}

/// Returns four digits that tell paths apart whose letters and digits are equal.
fn fingerprint(method: &str, path: &str) -> String {
    let hash = format!("{method} {path}")
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:04x}", (hash >> 16) ^ (hash & 0xffff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    fn ids(paths: Value) -> Vec<String> {
        let (mut root, _) = run(assign, json!({ "paths": paths }));
        operations(&mut root).map(|operation| operation.node["operationId"].as_str().unwrap().to_string()).collect()
    }

    #[test]
    fn ids_come_from_method_and_path() {
        let ids = ids(json!({
            "/": { "get": {} },
            "/api/v1/customers/{customerId}/orders.json": { "get": {}, "post": {} }
        }));
        assert_eq!(
            ids,
            [
                "get",
                "get_api_v1_customers_by_customer_id_orders_json",
                "post_api_v1_customers_by_customer_id_orders_json"
            ]
        );
    }

    #[test]
    fn given_ids_are_cleaned_and_a_pin_wins() {
        let paths = json!({ "/a": {
            "get": { "operationId": "Order_GetAll" },
            "post": { "operationId": "fn" },
            "put": { "operationId": "a", "x-operation-name": "replace_order" }
        }, "/größe": { "get": { "operationId": "größe" } } });
        assert_eq!(ids(paths), ["order_get_all", "fn_operation", "replace_order", "get_gr_e"]);
    }

    #[test]
    fn an_id_that_is_given_twice_is_reported() {
        let operation = json!({ "operationId": "list" });
        let (_, effects) = run(assign, json!({ "paths": { "/a": { "get": operation }, "/b": { "get": operation } } }));
        let lost: Vec<_> =
            effects.iter().filter(|(effect, _)| *effect == crate::Effect::Lost).map(|(_, place)| place).collect();
        assert_eq!(lost, ["/paths/~1a/get/operationId", "/paths/~1b/get/operationId"]);
    }

    #[test]
    fn an_id_that_is_given_twice_is_no_id() {
        let paths = json!({ "/a": { "get": { "operationId": "list" } }, "/b": { "get": { "operationId": "List" } } });
        assert_eq!(ids(paths), ["get_a", "get_b"]);
    }

    #[test]
    fn another_operation_never_takes_a_name_over() {
        let before = ids(json!({ "/a-b": { "get": {} }, "/c": { "get": {} } }));
        assert_eq!(before, ["get_a_b", "get_c"]);
        // Paths that differ in punctuation only both get a fingerprint, whatever their order.
        let after = ids(json!({ "/a-b": { "get": {} }, "/a/b": { "get": {} }, "/c": { "get": {} } }));
        assert!(
            after[0].starts_with("get_a_b_") && after[1].starts_with("get_a_b_") && after[0] != after[1],
            "{after:?}"
        );
        assert_eq!(after[2], "get_c");
    }
}
