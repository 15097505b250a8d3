//! Any catalog gives code that parses with names of its own, or a refusal that names the export.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use perenso_codegen::{Builder, Error, generate};
use proptest::prelude::*;
use serde_json::{Value, json};
use syn::{Attribute, Expr, Item, Lit, Meta};

/// An export with one parameter of this description.
fn described(description: &Value) -> String {
    let parameter = json!({"name": "P", "dataType": "Text", "description": description});
    json!([{"id": "1", "name": "Export", "parameters": [parameter]}]).to_string()
}

/// The structs of a module and the fields of each.
fn structs(code: &str) -> Vec<(String, Vec<String>)> {
    let file = syn::parse_file(code).unwrap_or_else(|error| panic!("{error}\n{code}"));
    let structs = file.items.into_iter().filter_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    });
    let fields = |fields: syn::Fields| fields.into_iter().map(|field| field.ident.unwrap().to_string()).collect();
    structs.map(|item| (item.ident.to_string(), fields(item.fields))).collect()
}

/// The lines of the doc comment of the only field there is.
fn docs(json: &str) -> Vec<String> {
    let file = syn::parse_file(&generate(json).unwrap()).unwrap();
    let Some(Item::Struct(item)) = file.items.into_iter().next() else { panic!("no struct first") };
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(line) => Some(line.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    item.fields.iter().next().unwrap().attrs.iter().filter_map(line).collect()
}

fn refusal(json: &Value) -> Error {
    generate(&json.to_string()).unwrap_err()
}

#[test]
fn the_guide_gives_three_structs() {
    let page = json!([
        {"name": "Cursor", "dataType": "Integer", "description": "Index of the current set of paged customers"},
        {"name": "Limit", "dataType": "Integer", "description": "Number of customers to return per export"},
    ]);
    let guide = json!([
        {"id": "739da9", "name": "Vendors", "parameters": []},
        {"id": "79aag9", "name": "Get API Customers", "parameters": page},
        {"id": "j96479", "name": "Get Available Booths for Login", "parameters": []},
    ]);
    assert_eq!(
        structs(&generate(&guide.to_string()).unwrap()),
        [
            ("Vendors".to_owned(), vec![]),
            ("GetApiCustomers".to_owned(), vec!["cursor".to_owned(), "limit".to_owned()]),
            ("GetAvailableBoothsForLogin".to_owned(), vec![]),
        ]
    );
    assert_eq!(structs(&generate("\u{feff}[]").unwrap()), []);
}

#[test]
fn names_do_not_depend_on_their_order() {
    let mut exports = vec![
        json!({"id": "a", "name": "Zones", "parameters": [{"name": "A", "dataType": "Text"}, {"name": "a", "dataType": "Text"}]}),
        json!({"id": "b", "name": "zones", "parameters": [{"name": "a", "dataType": "Text"}, {"name": "A", "dataType": "Text"}]}),
        json!({"id": "c", "name": "", "parameters": null}),
    ];
    let named = |exports: &[Value]| structs(&generate(&json!(exports).to_string()).unwrap());
    let forth = named(&exports);
    exports.reverse();
    let mut back = named(&exports);
    back.reverse();
    assert_eq!(forth.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ZonesA", "ZonesB", "ExportC"]);
    assert_eq!(forth, back);
    assert_eq!(forth[0].1, ["a_c40bf6cc", "a_e40c292c"]);
    assert_eq!(forth[1].1, ["a_e40c292c", "a_c40bf6cc"]);
}

#[test]
fn a_keyword_that_two_exports_share_stays_none_where_an_id_has_no_letters() {
    let exports = json!([{"id": "'", "name": "Self", "parameters": []}, {"id": "2", "name": "self", "parameters": []}]);
    let names: Vec<String> =
        structs(&generate(&exports.to_string()).unwrap()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Self_", "Self2"]);
}

#[test]
fn a_long_name_is_cut_and_told_apart() {
    // Cut between two words.
    let [one, other] = ["b", "c"].map(|last| json!({"name": format!("{} {last}", "a".repeat(99)), "dataType": "Text"}));
    let huge = json!({"id": "1", "name": "Huge ".repeat(50_000), "parameters": [one, other]});
    let structs = structs(&generate(&json!([huge]).to_string()).unwrap());
    assert_eq!(structs[0].0, "Huge".repeat(25));
    for field in &structs[0].1 {
        assert!(field.starts_with(&format!("{}_", "a".repeat(99))) && field.len() == 108, "{field}");
    }
}

#[test]
fn a_string_is_shown_as_it_is_and_never_read_as_markdown() {
    for (description, expected) in [
        ("Index of the current set", " Index of the current set"),
        ("- a", " \\- a"),
        ("+", " \\+"),
        ("===", " \\==="),
        ("12. a.", " 12\\. a."),
        ("3) a", " 3\\) a"),
        ("    let x = 1;", " let x = 1;"),
        ("```", " \\`\\`\\`"),
        ("a [b](c) <d> #e_f*", " a \\[b\\](c) \\<d\\> \\#e\\_f\\*"),
        ("C:\\x &amp; !", " C:\\\\x \\&amp; \\!"),
        ("(see https://example.com/a_b?c=[d]).", " (see <https://example.com/a_b?c=[d]>)."),
        ("*/ \" /**", " \\*/ \" /\\*\\*"),
        ("a\u{0}b\u{7}c\u{85}d", " a\u{fffd}b\u{fffd}c\u{fffd}d"),
        (
            "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}",
            " \u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        ),
    ] {
        assert_eq!(docs(&described(&json!(description))), [expected, "", " Parameter “P”, Text."], "{description}");
    }
    for nothing in [json!(null), json!(""), json!(" \r\n\t\n")] {
        assert_eq!(docs(&described(&nothing)), [" Parameter “P”, Text."], "{nothing}");
    }
}

#[test]
fn lines_of_a_string_stay_lines() {
    let lines = docs(&described(&json!("\n one\rtwo\r\n\r\n\n  three\n")));
    assert_eq!(lines, [" one", " two", "", " three", "", " Parameter “P”, Text."]);
}

#[test]
fn exports_that_no_run_can_tell_apart_are_refused_by_name() {
    let error = refusal(&json!([
        {"id": "x", "name": "Orders", "parameters": []},
        {"id": "x", "name": "Vendors", "parameters": [
            {"name": "A", "dataType": "Text"}, {"name": "A", "dataType": "Integer"}, {"name": "A", "dataType": "Text"}]},
        {"id": "y", "name": "Booths", "parameters": [{"name": "B", "dataType": "Text"}, {"name": "B", "dataType": "Text"}]},
    ]));
    assert_eq!(
        error.problems(),
        [
            "export `Orders` of id `x` and export `Vendors` of id `x` have the same id; expected unique ids: remove \
             one of them",
            "export `Vendors` of id `x`: expected the parameter `A` once; found it 3 times: such an export cannot be run, \
             remove it",
            "export `Booths` of id `y`: expected the parameter `B` once; found it 2 times: such an export cannot be run, \
             remove it",
        ]
    );
    let error = refusal(
        &json!([{"id": "a-1", "name": "Zones"}, {"id": "a1", "name": "zones"}, {"id": "1", "name": "Zones A"}]),
    );
    assert_eq!(
        error.problems(),
        [
            "export `Zones` of id `a-1` and export `zones` of id `a1` would both be the struct `ZonesA1`: remove one of them"
        ]
    );
    // Two names of which nothing is left, and of one hash.
    let [one, other] = ["#<,(),>!", "%%%-*!%)"];
    let parameters = json!([{"name": one, "dataType": "Text"}, {"name": other, "dataType": "Text"}]);
    let error = refusal(&json!([{"id": "1", "name": "A", "parameters": parameters}]));
    let expected = format!(
        "export `A` of id `1`: the parameters `{one}` and `{other}` would both be the field `parameter_001ac30a`: remove the export"
    );
    assert_eq!(error.problems(), [expected]);
}

#[test]
fn an_invalid_catalog_is_named_by_location_and_kind() {
    for (catalog, expected) in [
        (
            "",
            "expected the JSON response of `GET /Export`, an array of exports; found something else: EOF while parsing a value at line 1 column 0",
        ),
        (r#"{"error": "x"}"#, "expected the JSON response of `GET /Export`, an array of exports; found an object"),
    ] {
        assert_eq!(generate(catalog).unwrap_err().to_string(), expected);
    }
    let error = refusal(&json!([
        7,
        {"id": 4711},
        {"id": "a", "name": null},
        {"id": "b", "name": "B\n", "parameters": {}},
        {"id": "c", "name": "C", "parameters": [null, {"name": "P", "dataType": [], "description": 1}]},
    ]));
    assert_eq!(
        error.problems(),
        [
            "export 1: `id`: expected a string; found nothing",
            "export 1: `name`: expected a string; found nothing",
            "export 2: `id`: expected a string; found a number",
            "export 2: `name`: expected a string; found nothing",
            "export 3, of id `a`: `name`: expected a string; found null",
            "export 4, `B\\n`: `parameters`: expected an array; found an object",
            "export 5, `C`: parameter 1: `name`: expected a string; found nothing",
            "export 5, `C`: parameter 1: `dataType`: expected a string; found nothing",
            "export 5, `C`: parameter `P`: `dataType`: expected a string; found an array",
            "export 5, `C`: parameter `P`: `description`: expected a string; found a number",
        ]
    );
    assert_eq!(format!("{error}"), format!("{error:?}"));
}

#[test]
fn a_build_script_gets_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = directory.path().join("saved.json");
    let builder = Builder::new().catalog(&catalog).out_dir(directory.path()).file_name("code.rs");
    let error = builder.compile().unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: the catalog cannot be read: ", catalog.display())), "{error}");

    std::fs::write(&catalog, r#"[{"id": "1", "name": 2}]"#).unwrap();
    let error = builder.compile().unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: the catalog cannot be used\n  export 1, ", catalog.display())), "{error}");

    std::fs::write(&catalog, r#"[{"id": "1", "name": "Zones"}]"#).unwrap();
    builder.clone().crate_path("::sdk").compile().unwrap();
    let code = std::fs::read_to_string(directory.path().join("code.rs")).unwrap();
    assert!(code.contains("impl ::sdk::exports::Export for Zones {"), "{code}");
    assert!(!code.contains("perenso::"), "{code}");

    let error = builder.out_dir(directory.path().join("nowhere")).compile().unwrap_err().to_string();
    assert!(error.contains("code.rs: the code cannot be written: "), "{error}");
}

#[test]
fn a_path_that_is_none_is_refused() {
    for path in ["", "::", "a b", "a::", "1a", "a::2", "a\"", "::::a", "a-b", "a::::b"] {
        let error = Builder::new().crate_path(path).generate("[]").unwrap_err();
        assert!(error.to_string().starts_with("crate_path: expected a path"), "{path} {error}");
    }
    for path in ["perenso", "crate", "::my_sdk", "crate::_sdk2::perenso"] {
        Builder::new().crate_path(path).generate("[]").unwrap();
    }
}

#[test]
fn without_a_place_for_the_code_the_error_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = directory.path().join("saved.json");
    std::fs::write(&catalog, "[]").unwrap();
    // Not set for a test, unlike for a build script.
    if std::env::var_os("OUT_DIR").is_none() {
        let error = Builder::new().catalog(catalog).compile().unwrap_err();
        assert_eq!(error.to_string(), "OUT_DIR is not set: call this from a build script, or set `out_dir`");
    }
}

/// Names that meet each other often, and any others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[aA _-]{0,3}",
        "[0-9a]{0,2}",
        prop::sample::select(vec![
            "type",
            "Self",
            "self",
            "crate",
            "_",
            "String",
            "a\u{308}",
            "ä",
            "😀",
            "Parameter 2",
            "2",
            "EXPORT"
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
        any::<String>(),
        ("[a-z ]", 90usize..400).prop_map(|(letter, times)| letter.repeat(times)),
    ]
}

fn catalogs() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        prop::sample::select(vec!["Integer", "Text", "DateTime", "Boolean"]).prop_map(str::to_owned),
        name()
    ];
    let parameter = (name(), types, prop_oneof![any::<String>(), "([-`#*/<>\\[\\] \r\n1.]|http://){0,12}"]).prop_map(
        |(name, data_type, description)| json!({"name": name, "dataType": data_type, "description": description}),
    );
    let export = (name(), name(), prop::collection::vec(parameter, 0..6))
        .prop_map(|(id, name, parameters)| json!({"id": id, "name": name, "parameters": parameters}));
    prop::collection::vec(export, 0..6).prop_map(Value::from)
}

/// JSON of any shape, near a catalog.
fn jsons() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec!["id", "name", "parameters", "dataType", "description", "x"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        name().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..6)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Properties of the code of any catalog.
fn holds(catalog: &Value) {
    let code = match generate(&catalog.to_string()) {
        Ok(code) => code,
        Err(error) if catalog.is_array() => {
            assert!(!error.problems().is_empty());
            assert!(error.problems().iter().all(|problem| problem.starts_with("export ")), "{error}");
            return;
        }
        Err(_) => return,
    };
    let structs = structs(&code);
    assert_eq!(structs.len(), catalog.as_array().unwrap().len());
    let are_own = |names: &[String]| {
        let mut seen = BTreeSet::new();
        names.iter().all(|name| name.is_ascii() && name.len() <= 220 && seen.insert(name))
    };
    let names: Vec<String> = structs.iter().map(|(name, _)| name.clone()).collect();
    assert!(are_own(&names) && structs.iter().all(|(_, fields)| are_own(fields)), "{code}");
    let hidden =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!code.contains(hidden), "{code}");
}

proptest! {
    #[test]
    fn any_catalog_gives_code_or_a_refusal_that_names_the_export(catalog in catalogs()) {
        holds(&catalog);
    }

    #[test]
    fn any_json_gives_code_or_a_refusal(json in jsons()) {
        holds(&json);
    }

    #[test]
    fn any_string_gives_code_or_a_refusal(text in any::<String>()) {
        let _ = generate(&text);
    }
}

#[test]
fn a_visibility_is_one_of_three() {
    let catalog = r#"[{"id": "1", "name": "One", "parameters": [{"name": "A", "dataType": "Text"}]}]"#;
    for visibility in ["pub", "pub(crate)", "pub(super)"] {
        let code = Builder::new().visibility(visibility).generate(catalog).unwrap();
        assert!(code.contains(&format!("\n{visibility} struct One {{\n")), "{code}");
        assert!(code.contains(&format!("\n    {visibility} a: ")), "{code}");
    }
    let error = Builder::new().visibility("pub fn f() {}").generate(catalog).unwrap_err().to_string();
    assert!(error.contains("visibility: expected `pub`, `pub(crate)` or `pub(super)`; found"), "{error}");
}
