//! `document compare`.

use serde_json::Value;

use crate::process::run;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/perenso.json");

#[test]
fn the_own_document_does_not_differ_from_itself() {
    let ran = run(&["document", "compare", OURS]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn what_breaks_is_told_with_the_methods_that_do_not_fit() {
    let directory = tempfile::tempdir().unwrap();
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(OURS).unwrap()).unwrap();
    document["paths"].as_object_mut().unwrap().remove("/Customer/{id}").unwrap();
    document["paths"]["/Customer"]["get"]["responses"]["299"] = serde_json::json!({"description": "Odd."});
    let changed = directory.path().join("vendor.json");
    std::fs::write(&changed, document.to_string()).unwrap();
    let changed = changed.to_str().unwrap();

    let ran = run(&["document", "compare", changed]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(ran.stdout.contains("`customers().get()` needs `GET /Customer/{id}`"), "{ran:?}");
    let json = run(&["document", "compare", changed, "--breaking", "--json"]);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    let differences = report["differences"].as_array().unwrap();
    assert!(differences.iter().all(|difference| difference["breaks"] == true), "{json:?}");
    assert!(differences.iter().any(|difference| difference["operation"] == "GET /Customer/{id}"), "{json:?}");
    // The other way round, what is added breaks nothing.
    let added = run(&["document", "compare", OURS, "--with", changed, "--breaking"]);
    assert_eq!(added.code, 0, "{added:?}");

    std::fs::write(changed, "openapi: [").unwrap();
    let wrong = run(&["document", "compare", changed]);
    assert!(wrong.code == 2 && wrong.stderr.contains("vendor.json` cannot be used"), "{wrong:?}");
}
