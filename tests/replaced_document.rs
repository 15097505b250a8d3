//! The needs of the hand-written methods: the document has them all, all are needed, and each part that is missing or
//! different is named with the methods that need it.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, fs, path::Path};

use perenso_openapi::{Document, Facade, Generator, Overlay, Unmet};
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../openapi/perenso.json");
const OVERLAY: &str = include_str!("../openapi/overlay.json");
const FACADE: &str = include_str!("../openapi/facade.json");

fn facade() -> Facade {
    Facade::from_json(FACADE).unwrap()
}

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

fn unmet(root: Value) -> Vec<Unmet> {
    facade().check(&Document::from_value(root).unwrap())
}

/// Returns the methods that do not fit, without or with those that can do without.
fn methods(unmet: &[Unmet], with_optional: bool) -> BTreeSet<String> {
    unmet.iter().filter(|unmet| with_optional || !unmet.optional).map(|unmet| unmet.method.clone()).collect()
}

/// An operation of the facade: method, path and description.
fn operations() -> Vec<(String, String, Value)> {
    let facade: Value = serde_json::from_str(FACADE).unwrap();
    let operations = facade["operations"].as_object().unwrap();
    let parts = operations.iter().map(|(name, node)| {
        let (method, path) = name.split_once(' ').unwrap();
        (method.to_lowercase(), path.to_owned(), node.clone())
    });
    parts.collect()
}

/// Returns the methods of the facade that name a part: a parameter of one operation, or a field of any.
fn users(operation: Option<&Value>, part: &str, name: &str) -> BTreeSet<String> {
    let all: Vec<Value> = operations().into_iter().map(|(_, _, node)| node).collect();
    let operations = operation.map_or(all, |node| vec![node.clone()]);
    let methods = operations.iter().flat_map(|node| node["methods"].as_object().unwrap());
    methods.filter(|(_, needs)| needs[part].get(name).is_some()).map(|(name, _)| name.clone()).collect()
}

#[test]
fn our_document_fits() {
    assert_eq!(unmet(document()), []);
    // The facade changes nothing but the names and extensions that it adds.
    let ours = Overlay::from_json(OVERLAY).unwrap().apply(&Document::from_json(DOCUMENT).unwrap()).unwrap();
    let applied = facade().apply(&ours).unwrap();
    let generator = Generator::new("perenso.json").plain();
    let plain = generator.generate_from(&applied).unwrap();
    let fitted = generator.facade(facade()).generate_from(&ours).unwrap();
    assert!(fitted.document == plain.document && fitted.unmet.is_empty());
    let ids = |root: &Value| -> Vec<Value> {
        let items = root["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
        items.map(|operation| operation["operationId"].clone()).collect()
    };
    assert_eq!(ids(applied.root()), ids(&document()));
}

#[test]
fn a_missing_operation_is_named_by_all_methods_that_need_it() {
    let ours: BTreeSet<(String, String)> = document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())))
        .collect();
    assert_eq!(operations().into_iter().map(|(method, path, _)| (method, path)).collect::<BTreeSet<_>>(), ours);
    for (method, path, node) in operations() {
        let mut root = document();
        root["paths"][&path].as_object_mut().unwrap().remove(&method).unwrap();
        let unmet = unmet(root);
        let needed: BTreeSet<String> = node["methods"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(methods(&unmet, false), needed, "{method} {path}");
        let sentence = format!("needs `{} {path}`, which the document lacks", method.to_uppercase());
        assert!(unmet[0].to_string().contains(&sentence), "{}", unmet[0]);
    }
}

#[test]
fn a_missing_parameter_is_named_by_the_methods_that_send_it() {
    for (method, path, node) in operations() {
        let sent = node["methods"].as_object().unwrap().values().filter_map(|needs| needs["query"].as_object());
        for name in sent.flat_map(|query| query.keys()) {
            let mut root = document();
            let parameters = root["paths"][&path][&method]["parameters"].as_array_mut().unwrap();
            let before = parameters.len();
            parameters.retain(|parameter| parameter["name"] != *name);
            assert_eq!(parameters.len(), before - 1, "{path}: {name}");
            assert_eq!(methods(&unmet(root), true), users(Some(&node), "query", name), "{path}: {name}");
        }
    }
}

#[test]
fn a_missing_field_is_named_by_the_methods_that_use_it_and_so_is_another_type() {
    let all = operations();
    let needs = all.iter().flat_map(|(_, _, node)| node["methods"].as_object().unwrap().values());
    let fields: BTreeSet<&String> =
        needs.filter_map(|needs| needs["fields"].as_object()).flat_map(|fields| fields.keys()).collect();
    for field in fields {
        let (record, name) = field.split_once('.').unwrap();
        let mut root = document();
        let properties = root["components"]["schemas"][record]["properties"].as_object_mut().unwrap();
        // A record without any field is none.
        properties.insert("other".into(), json!({"type": "string"}));
        properties.remove(name).unwrap();
        let only = |unmet: Vec<Unmet>| unmet.into_iter().filter(|unmet| !unmet.to_string().contains("`other`"));
        let found: Vec<Unmet> = only(unmet(root)).collect();
        assert_eq!(methods(&found, true), users(None, "fields", field), "{field}");
        let sentence = format!("the field `{name}` of `{record}` (`");
        assert!(found.iter().all(|unmet| unmet.to_string().contains(&sentence)), "{field}: {found:?}");

        let mut root = document();
        root["components"]["schemas"][record]["properties"][name] = json!({"type": "object"});
        let found = unmet(root);
        assert_eq!(methods(&found, true), users(None, "fields", field), "{field}");
        assert!(found.iter().all(|unmet| unmet.to_string().contains(" found ")), "{field}: {found:?}");
    }
}

#[test]
fn a_renamed_type_keeps_its_name_and_a_renamed_value_is_named() {
    let renamed = DOCUMENT
        .replace("\"ExportDataType\": {", "\"KindOfParameter\": {")
        .replace("/ExportDataType\"", "/KindOfParameter\"");
    assert!(!renamed.contains("ExportDataType") && unmet(serde_json::from_str(&renamed).unwrap()).is_empty());
    let mut root = document();
    root["components"]["schemas"]["ExportDataType"]["enum"][1] = json!("String");
    assert_eq!(
        unmet(root).iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["`exports()` expects the field `dataType` of `ExportParameter` (`GET /Export`) to be `ExportDataType`, \
          found an enum without the value `Text`"]
    );
}

/// Reads all files of a folder.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_code_asks_for_what_the_facade_names_and_calls_nothing_else() {
    let mut code = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let facade = facade();
    let named: BTreeSet<&str> = facade.methods().collect();
    let asked: BTreeSet<&str> = code.split("facade = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(asked, named);
    // Calls of hand-written code, with and without a body; not those of the documentation.
    let ids: BTreeSet<String> =
        operations().iter().map(|(_, _, node)| node["id"].as_str().unwrap().to_owned()).collect();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let calls: Vec<&str> =
        lines.flat_map(|line| line.split(".api().").skip(1)).map(|rest| rest.split('(').next().unwrap()).collect();
    assert!(calls.len() >= 13, "{calls:?}");
    for call in calls {
        assert!(ids.contains(call.trim_end_matches("_with")), "{call}");
    }
}
