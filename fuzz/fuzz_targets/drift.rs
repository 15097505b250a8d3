//! Two catalogs side by side: what is equal has no drift, and whatever run is refused now is said to break.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use perenso::exports::{Catalog, Descriptor, ParameterValue, SavedCatalog};
use serde_json::{Value as Json, json};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok((saved, live)) = serde_json::from_slice::<(Catalog, Catalog)>(bytes) else { return Corpus::Reject };
    let drift = SavedCatalog::from(saved.clone()).compare(&live);
    let back = SavedCatalog::from(live.clone()).compare(&saved);
    for catalog in [&saved, &live] {
        let none = SavedCatalog::from(catalog.clone()).compare(catalog);
        assert!(none.is_empty() && !none.breaks() && none.to_string() == "no changes");
    }
    let lines = drift.to_string();
    assert_eq!(lines.split('\n').count(), drift.changes().len().max(1));
    assert!(lines.chars().all(|c| c == '\n' || !c.is_control()));
    assert_eq!(serde_json::to_value(&drift).unwrap().as_array().map(Vec::len), Some(drift.changes().len()));

    assert_eq!(drift.is_empty(), back.is_empty());
    if let (Some(saved), Some(live)) = (sorted(&saved), sorted(&live)) {
        assert_eq!(drift.is_empty(), saved == live, "{drift}");
    }
    let runs: Vec<Run> = saved.iter().flat_map(|export| runs(export, &saved, &live)).collect();
    if runs.contains(&Run::Refused) {
        assert!(drift.breaks(), "{drift}");
    }
    if runs.iter().all(|run| *run == Run::Same) {
        assert!(!drift.breaks(), "{drift}");
    }
    Corpus::Keep
});

/// The exports as JSON, in an order of their own; none where two have one id and one name.
fn sorted(catalog: &Catalog) -> Option<Vec<Json>> {
    let key = |export: &Json| (export["id"].to_string(), export["name"].to_string());
    let mut exports: Vec<Json> = catalog.iter().map(|export| json!(export)).collect();
    for export in &mut exports {
        for parameter in export["parameters"].as_array_mut()? {
            // No description is none, however that is said.
            let parameter = parameter.as_object_mut()?;
            if parameter.get("description").is_some_and(Json::is_null) {
                parameter.remove("description");
            }
        }
    }
    exports.sort_by_key(key);
    exports.windows(2).all(|pair| key(&pair[0]) != key(&pair[1])).then_some(exports)
}

/// What becomes of a run that was built upon the saved catalog.
#[derive(PartialEq)]
enum Run {
    Same,
    Refused,
    /// It reaches an export with another id or another name.
    Other,
}

fn runs(export: &Descriptor, saved: &Catalog, live: &Catalog) -> Vec<Run> {
    if !takes(export, export) {
        return Vec::new();
    }
    let mut runs = Vec::new();
    let mut run = |found: Option<&Descriptor>| {
        runs.push(match found.filter(|found| takes(found, export)) {
            None => Run::Refused,
            Some(found) if found.id() == export.id() && found.name() == export.name() => Run::Same,
            Some(_) => Run::Other,
        });
    };
    if saved.by_name(export.name()).is_ok() {
        run(live.by_name(export.name()).ok());
    }
    if saved.by_id(export.id()).is_ok() {
        run(live.by_id(export.id()).ok());
        // A generated struct goes by the id, then by the name, and its parameters must be the same.
        let has_id = live.iter().any(|other| other.id() == export.id());
        let has_name = live.iter().any(|other| other.name() == export.name());
        let found = if has_id { live.by_id(export.id()) } else { live.by_name(export.name()) };
        let is_meant = |found: &&Descriptor| !has_name || found.name() == export.name();
        run(found.ok().filter(is_meant).filter(|found| types(found) == types(export)));
    }
    runs
}

fn types(export: &Descriptor) -> Vec<(&str, &str)> {
    let parameters = export.parameters().iter();
    let mut types: Vec<_> =
        parameters.map(|parameter| (parameter.name.as_str(), parameter.data_type.as_str())).collect();
    types.sort_unstable();
    types
}

/// Whether one export takes the values of the other.
fn takes(export: &Descriptor, other: &Descriptor) -> bool {
    let values = types(other).into_iter().map(|(name, data_type)| {
        let value = match data_type {
            "Integer" => json!(15),
            "Text" => json!("text"),
            "DateTime" => json!("2022-10-31T09:00:00Z"),
            "Boolean" => json!(true),
            _ => json!({"any": ["thing"]}),
        };
        (name, ParameterValue::raw(value))
    });
    export.check(values).is_ok()
}
