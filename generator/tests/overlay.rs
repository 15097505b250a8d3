//! Overlays in a build script.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use perenso_openapi::Generator;
use serde_json::json;

/// Writes a file, and returns its path.
fn written(folder: &Path, name: &str, json: &serde_json::Value) -> String {
    let path = folder.join(name);
    fs::write(&path, json.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn overlays_are_applied_in_turn_and_their_problems_name_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let document = json!({
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {"/cart": {"put": {"operationId": "cart_fill", "responses": {"204": {"description": "Filled."}}}}},
    });
    let document = written(folder.path(), "shop.json", &document);
    let overlay = |name: &str, actions| {
        written(
            folder.path(),
            name,
            &json!({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": actions}),
        )
    };
    let first =
        overlay("first.json", json!([{"target": "$.paths['/cart'].put", "update": {"operationId": "cart_replace"}}]));
    let second = overlay(
        "second.json",
        json!([{"target": "$.paths.*[?@.operationId == 'cart_replace']", "update": {"x-idempotency": "idempotent"}}]),
    );
    let generated = Generator::new(&document).overlay(&first).overlay(&second).generate_from_files().unwrap();
    assert!(generated.client.contains("fn cart_replace"), "{}", generated.summary);
    assert!(generated.summary.contains("idempotent"), "{}", generated.summary);

    let error = Generator::new(&document).overlay(&second).overlay(&first).generate_from_files().unwrap_err();
    let problems: Vec<String> = error.problems().collect();
    assert!(
        problems.len() == 1 && problems[0].contains("second.json") && problems[0].contains("selects nothing"),
        "{problems:?}"
    );
    let error = Generator::new(&document).overlay("nowhere.json").generate_from_files().unwrap_err();
    assert!(error.to_string().contains("nowhere.json"), "{error}");
}
