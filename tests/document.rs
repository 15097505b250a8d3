//! The house rules of our own document. Each part names its source and is described, a field that may be sent as `null` says so,
//! and limits that no page shows are marked. The generator asks for none of it. All findings are reported at once.

#![allow(clippy::unwrap_used)]

use perenso_openapi::{Document, Facade, Overlay};
use serde_json::{Map, Value, json};

const DOCUMENT: &str = include_str!("../openapi/perenso.json");
const OVERLAY: &str = include_str!("../openapi/overlay.json");
const FACADE: &str = include_str!("../openapi/facade.json");

/// The keywords that the vendor's pages never document, even for parts that they show.
const UNSEEN: [&str; 6] = ["nullable", "format", "pattern", "minLength", "minimum", "maximum"];

/// The rules of one document, and the findings so far.
struct Lint<'a> {
    root: &'a Value,
    findings: Vec<String>,
}

/// Returns every place that breaks a rule.
fn findings(root: &Value) -> Vec<String> {
    let mut lint = Lint { root, findings: Vec::new() };
    for (name, schema) in root["components"]["schemas"].as_object().unwrap() {
        lint.schema(schema, &format!("/components/schemas/{name}"));
    }
    for (place, operation) in operations(root) {
        lint.operation(operation, &place);
    }
    lint.findings
}

/// Returns the operations of a document with their JSON pointers.
fn operations(root: &Value) -> impl Iterator<Item = (String, &Value)> {
    root["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let path = path.replace('/', "~1");
        item.as_object().unwrap().iter().map(move |(method, node)| (format!("/paths/{path}/{method}"), node))
    })
}

impl Lint<'_> {
    fn check(&mut self, holds: bool, place: &str, what: impl std::fmt::Display) {
        if !holds {
            self.findings.push(format!("at {place}: {what}"));
        }
    }

    fn texts(&mut self, node: &Value, place: &str, names: &[&str]) {
        for name in names {
            let given = node[*name].as_str().is_some_and(|text| !text.is_empty());
            self.check(given, place, format_args!("`{name}` is missing"));
        }
    }

    fn schema(&mut self, schema: &Value, place: &str) {
        self.source(schema, place);
        self.inferred(schema, schema, place);
        self.texts(schema, place, &["description"]);
        if schema["x-personal"] == true {
            self.check(schema["x-shown"].is_array(), place, "`x-personal` needs `x-shown`, what `Debug` may show");
        }
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
        self.check(schema["x-personal"].is_boolean(), place, "`x-personal` is missing: may `Debug` show every field?");
        let open = schema.get("additionalProperties") == Some(&Value::Object(Map::new()));
        self.check(open, place, "`additionalProperties: {}` is missing: unknown fields would be lost");
        for (name, property) in properties {
            let place = format!("{place}/properties/{name}");
            self.texts(property, &place, &["description"]);
            let required = schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
            let nullable = required || admits_null(self.root, property);
            self.check(nullable, &place, "`nullable` is missing: a `Field` may be sent as null");
        }
    }

    fn operation(&mut self, node: &Value, place: &str) {
        let names = ["operationId", "x-idempotency", "summary", "description", "x-perenso-method", "x-perenso-guide"];
        self.texts(node, place, &names);
        self.source(node, place);
        self.check(node["tags"].as_array().map_or(0, Vec::len) == 1, place, "one tag is expected");
        self.check(node.pointer("/responses/429").is_some(), place, "a response for 429 is missing");
        for (index, parameter) in node["parameters"].as_array().into_iter().flatten().enumerate() {
            let place = format!("{place}/parameters/{index}");
            self.texts(parameter, &place, &["name", "description"]);
            let own = parameter.get("x-source").is_some();
            if own {
                self.source(parameter, &place);
            }
            self.inferred(if own { parameter } else { node }, &parameter["schema"], &place);
            self.check(parameter["in"] != "header", &place, "no header parameter is known");
        }
    }

    fn source(&mut self, node: &Value, place: &str) {
        let Some(source) = node.get("x-source") else {
            return self.check(false, place, "`x-source` is missing");
        };
        let place = format!("{place}/x-source");
        let status = source["status"] == "seen" || source["status"] == "inferred";
        self.check(status, &format!("{place}/status"), "not seen or inferred");
        let pages = source["pages"].as_array().map_or(&[][..], Vec::as_slice);
        self.check(!pages.is_empty(), &place, "`pages` is missing");
        for page in pages {
            let known = page.as_str().is_some_and(|page| self.root["x-pages"].get(page).is_some());
            self.check(known, &format!("{place}/pages"), format_args!("{page} is not in /x-pages"));
        }
    }

    /// Checks that exactly the limits of documented parts are listed as inferred.
    fn inferred(&mut self, holder: &Value, schema: &Value, place: &str) {
        let source = &holder["x-source"];
        if source["status"] == "inferred" {
            return;
        }
        let listed: Vec<&str> = source["inferred"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let found: Vec<&str> = UNSEEN.into_iter().filter(|keyword| holds(schema, keyword)).collect();
        let place = format!("{place}/x-source/inferred");
        self.check(listed == found, &place, format_args!("expected {found:?}, found {listed:?}"));
    }
}

/// Returns true if a schema, or one that it refers to, accepts `null`.
fn admits_null(root: &Value, schema: &Value) -> bool {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.is_some_and(|target| admits_null(root, target));
    }
    let parts = ["allOf", "oneOf"].iter().filter_map(|name| schema.get(name)?.as_array()).flatten();
    schema["nullable"] == true || parts.into_iter().any(|part| admits_null(root, part))
}

fn holds(schema: &Value, keyword: &str) -> bool {
    match schema {
        // A property may have the name of a keyword.
        Value::Object(map) => {
            map.get(keyword).is_some_and(|value| !value.is_object()) || map.values().any(|inner| holds(inner, keyword))
        }
        Value::Array(items) => items.iter().any(|inner| holds(inner, keyword)),
        _ => false,
    }
}

fn vendored() -> Value {
    let document = Facade::from_json(FACADE).unwrap().apply(&Document::from_json(DOCUMENT).unwrap()).unwrap();
    Overlay::from_json(OVERLAY).unwrap().apply(&document).unwrap().root().clone()
}

/// Returns the findings in a changed document, one a line.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut root = vendored();
    change(&mut root);
    findings(&root).join("\n")
}

fn take(root: &mut Value, pointer: &str, name: &str) {
    root.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn our_document_keeps_the_house_rules() {
    assert_eq!(findings(&vendored()), [""; 0]);
}

#[test]
fn a_missing_part_is_named_with_its_location() {
    let get = "/paths/~1Customer~1{id}/get";
    for name in ["operationId", "x-idempotency", "x-source", "summary", "description", "x-perenso-method"] {
        assert_eq!(changed(|root| take(root, get, name)), format!("at {get}: `{name}` is missing"));
    }
    assert_eq!(
        changed(|root| take(root, &format!("{get}/responses"), "429")),
        format!("at {get}: a response for 429 is missing")
    );
    let id = "/components/schemas/Customer/properties/id";
    assert_eq!(changed(|root| take(root, id, "description")), format!("at {id}: `description` is missing"));
    let schema = "/components/schemas/Vendor";
    let found = changed(|root| take(root, schema, "x-source"));
    assert!(found.starts_with(&format!("at {schema}: `x-source` is missing\n")), "{found}");
    assert!(changed(|root| take(root, schema, "x-shown")).starts_with(&format!("at {schema}: `x-personal` needs")));
    assert!(changed(|root| take(root, schema, "x-personal")).contains("may `Debug` show every field"));
    assert!(changed(|root| take(root, schema, "additionalProperties")).contains("unknown fields would be lost"));
}

#[test]
fn an_error_is_named_with_its_location() {
    for (pointer, value, expected) in [
        ("/paths/~1Order/get/x-source/pages/0", json!("O9"), "at /paths/~1Order/get/x-source/pages: \"O9\" is not"),
        ("/paths/~1Order/get/x-source/status", json!("sure"), "at /paths/~1Order/get/x-source/status: not seen"),
        ("/paths/~1Order/get/tags", json!(["Order", "All"]), "at /paths/~1Order/get: one tag"),
        ("/paths/~1Customer/get/parameters/0/in", json!("header"), "at /paths/~1Customer/get/parameters/0: no header"),
    ] {
        let found = changed(|root| *root.pointer_mut(pointer).unwrap() = value);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn all_findings_are_reported_at_once() {
    let found = changed(|root| {
        take(root, "/paths/~1Order/get", "summary");
        take(root, "/paths/~1Customer/get", "description");
        take(root, "/components/schemas/Vendor", "description");
    });
    assert_eq!(found.lines().count(), 3, "{found}");
}

#[test]
fn a_limit_that_no_page_shows_is_marked_as_inferred() {
    let email = "/components/schemas/Customer/properties/email";
    let limited = changed(|root| root.pointer_mut(email).unwrap()["minLength"] = json!(3));
    assert_eq!(
        limited,
        "at /components/schemas/Customer/x-source/inferred: expected [\"nullable\", \"format\", \"minLength\"], \
         found [\"nullable\", \"format\"]"
    );
    let sort = "/paths/~1Order/get/parameters/2";
    let unlimited = changed(|root| take(root, &format!("{sort}/schema"), "pattern"));
    assert_eq!(unlimited, format!("at {sort}/x-source/inferred: expected [], found [\"pattern\"]"));
}

#[test]
fn a_field_that_may_be_sent_as_null_says_so() {
    for (pointer, field) in [
        ("/components/schemas/Customer/properties/email", "/components/schemas/Customer/properties/email"),
        ("/components/schemas/OrderVendor", "/components/schemas/OrderLine/properties/vendor"),
        ("/components/schemas/Messages/oneOf/0", "/components/schemas/BulkFailure/properties/message"),
    ] {
        let found = changed(|root| {
            take(root, pointer, "nullable");
            // A removed keyword must not be listed as inferred.
            let schema = pointer.split('/').take(4).collect::<Vec<_>>().join("/");
            if !pointer.contains("properties") {
                let inferred = root.pointer_mut(&format!("{schema}/x-source/inferred")).unwrap();
                inferred.as_array_mut().unwrap().retain(|keyword| keyword != "nullable");
            }
        });
        assert!(found.contains(&format!("at {field}: `nullable` is missing")), "{found}");
    }
}

#[test]
fn the_vendors_names_of_every_operation_stand_at_the_method_that_it_names() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(folder.join("resources")).unwrap().map(|file| file.unwrap().path());
    let sources: Vec<String> =
        files.chain([folder.join("exports.rs")]).map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let root = vendored();
    for (path, item) in root["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let title = &operation["summary"];
            let names = format!("#[doc(alias({title}, \"{} {path}\", \"{path}\"))]", method.to_uppercase());
            let named = operation["x-perenso-method"].as_str().unwrap();
            let function = format!("fn {}", named.rsplit("::").next().unwrap());
            let found = sources.iter().filter_map(|source| source.split_once(&names)).any(|(_, rest)| {
                rest.split("pub ").nth(1).is_some_and(|next| next.trim_start_matches("async ").starts_with(&function))
            });
            assert!(found, "`{named}` does not have {names}");
        }
    }
}

#[test]
fn a_guide_that_an_operation_names_exists() {
    for (place, operation) in operations(&vendored()) {
        let guide = operation["x-perenso-guide"].as_str().unwrap();
        let file = format!("{}/src/guide/{guide}.md", env!("CARGO_MANIFEST_DIR"));
        assert!(std::path::Path::new(&file).exists(), "{place}: there is no {file}");
    }
}
