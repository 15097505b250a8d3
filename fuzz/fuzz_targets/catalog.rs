//! A catalog from bytes: what is read is kept, shown, found and checked, whatever stands in it.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use perenso::{
    ErrorKind, Id,
    exports::{Catalog, Descriptor, ParameterValue},
};
use serde_json::{Map, Value as Json, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(catalog) = serde_json::from_slice::<Catalog>(bytes) else { return };
    // Whatever is a catalog is JSON, and is kept as it came; only a list that is absent or null becomes an empty one.
    let mut json: Json = serde_json::from_slice(bytes).expect("a catalog that is no JSON");
    for export in json.as_array_mut().unwrap() {
        let export = export.as_object_mut().unwrap();
        if export.get("parameters").is_none_or(Json::is_null) {
            export.insert("parameters".to_owned(), json!([]));
        }
    }
    assert_eq!(serde_json::to_value(&catalog).unwrap(), json);
    let saved = serde_json::to_vec(&catalog).unwrap();
    assert_eq!(serde_json::from_slice::<Catalog>(&saved).unwrap(), catalog);

    shown(&catalog);
    found(&catalog);
    for (export, json) in catalog.iter().zip(json.as_array().unwrap()) {
        checked(export, json);
    }
});

/// One line for each export and each parameter, and nothing on it that moves the cursor.
fn shown(catalog: &Catalog) {
    let text = catalog.to_string();
    let lines: usize = catalog.iter().map(|export| 1 + export.parameters().len().max(1)).sum();
    assert_eq!(text.split('\n').count(), lines.max(1));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    let _ = format!("{catalog:?}");
}

/// What stands there once is found, what stands there twice is not, and what is not there is not.
fn found(catalog: &Catalog) {
    for export in catalog {
        let is_alone =
            |of: fn(&Descriptor) -> &str| catalog.iter().filter(|other| of(other) == of(export)).count() == 1;
        for (result, is_alone) in [
            (catalog.by_name(export.name()), is_alone(Descriptor::name)),
            (catalog.by_id(export.id()), is_alone(Descriptor::id)),
        ] {
            match result {
                Ok(found) => assert!(is_alone && found == export),
                Err(error) => assert!(!is_alone && error.problems().len() > 1 && error.kind() == ErrorKind::Export),
            }
        }
    }
    let mut nobody = "Vendors".to_owned();
    while catalog.iter().any(|export| export.name() == nobody || export.id() == nobody) {
        nobody.push('!');
    }
    for error in [catalog.by_name(&nobody).unwrap_err(), catalog.by_id(&nobody).unwrap_err()] {
        assert!(error.kind() == ErrorKind::Export && error.to_string().len() < 4096);
    }
}

/// A run goes out with the right values and without any other.
fn checked(export: &Descriptor, json: &Json) {
    let wanted: Vec<(&str, &str)> = json["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| (parameter["name"].as_str().unwrap(), parameter["dataType"].as_str().unwrap()))
        .collect();
    let names: BTreeSet<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let can_run = names.len() == wanted.len() && Id::new(export.id()).is_ok();

    let right = |data_type: &str| match data_type {
        "Integer" => json!(15),
        "Text" => json!("text"),
        "DateTime" => json!("2022-10-31T09:00:00Z"),
        "Boolean" => json!(true),
        _ => json!({"any": ["thing"]}),
    };
    let body: Map<String, Json> =
        wanted.iter().map(|(name, data_type)| ((*name).to_owned(), right(data_type))).collect();
    let raw = || wanted.iter().map(|(name, data_type)| (*name, ParameterValue::raw(right(data_type))));
    match export.check(raw()) {
        Ok(request) => {
            assert!(can_run && request.id().as_str() == export.id());
            assert_eq!(request.body(), (!body.is_empty()).then_some(body));
        }
        Err(error) => assert!(!can_run && error.kind() == ErrorKind::Export),
    }
    if !can_run {
        return;
    }

    let backwards: Vec<(&str, ParameterValue)> = raw().rev().collect();
    assert!(export.check(backwards).unwrap() == export.check(raw()).unwrap());

    // One at a time: left out, given twice, of another type, of another name.
    for (place, (name, data_type)) in wanted.iter().enumerate() {
        let others = || raw().enumerate().filter(move |(other, _)| *other != place).map(|(_, given)| given);
        let refused = |values: Vec<(&str, ParameterValue)>, problems: usize| {
            let error = export.check(values).unwrap_err();
            assert!(error.kind() == ErrorKind::Input && error.problems().len() == problems, "{error}");
        };
        refused(others().collect(), 1);
        refused(raw().chain([(*name, ParameterValue::raw(right(data_type)))]).collect(), 1);
        let unfit = [
            ParameterValue::from(15),
            "text".into(),
            true.into(),
            ParameterValue::raw(Json::Null),
            ParameterValue::raw(json!([1])),
        ];
        for value in unfit {
            let fits = match *data_type {
                _ if !["Integer", "Text", "DateTime", "Boolean"].contains(data_type) => {
                    matches!(value, ParameterValue::Raw(_))
                }
                "Integer" => value == ParameterValue::from(15),
                "Text" => value == ParameterValue::from("text"),
                "Boolean" => value == ParameterValue::from(true),
                _ => false,
            };
            if !fits {
                refused(others().chain([(*name, value)]).collect(), 1);
            }
        }
        let misspelt = format!("{name}x");
        if !names.contains(misspelt.as_str()) {
            refused(others().chain([(misspelt.as_str(), ParameterValue::raw(right(data_type)))]).collect(), 2);
            assert!(export.parse(&misspelt, "15").is_err());
        }
        for text in ["15", "true", "2022-10-31T09:00:00Z", ""] {
            if let Ok(value) = export.parse(name, text) {
                assert!(export.check(others().chain([(*name, value)])).is_ok());
            }
        }
    }
}
