//! Code of a catalog: it is Rust that says what the catalog says, or a refusal that names the export.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use perenso::exports::Catalog;
use perenso_codegen::generate;
use serde_json::Value as Json;
use syn::{Expr, ImplItem, Item, ItemImpl, ItemStruct, Lit};

fuzz_target!(|text: &str| {
    let json: Option<Json> = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok();
    match (generate(text), json) {
        (Ok(code), Some(Json::Array(exports))) => {
            let names = compiles(&code, &exports);
            // The place of an export does not give it its name.
            let backwards = Json::from_iter(exports.iter().rev().cloned());
            let code = generate(&backwards.to_string()).unwrap();
            assert_eq!(compiles(&code, backwards.as_array().unwrap()), names);
            serde_json::from_value::<Catalog>(backwards).expect("a catalog that the SDK does not read");
        }
        (Ok(_), _) => panic!("code of what is no list"),
        (Err(error), json) => {
            let is_plain = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
            assert!(is_plain(&error.to_string()) && is_plain(&format!("{error:?}")));
            if let Some(Json::Array(exports)) = json {
                assert!(
                    !error.problems().is_empty()
                        && error.problems().iter().all(|problem| problem.starts_with("export "))
                );
                let are_equal = error.problems().iter().all(|problem| problem.contains(" would both be the "));
                assert!(are_equal || !is_usable(exports), "{error}");
            }
        }
    }
});

/// Whether every export can be told by its id, and every parameter by its name.
fn is_usable(exports: Vec<Json>) -> bool {
    let Ok(catalog) = serde_json::from_value::<Catalog>(exports.into()) else { return false };
    let are_unique = |names: Vec<&str>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    are_unique(catalog.iter().map(|export| export.id()).collect())
        && catalog
            .iter()
            .all(|export| are_unique(export.parameters().iter().map(|parameter| parameter.name.as_str()).collect()))
}

/// The name of the struct and of its fields by the id of the export.
type Names = BTreeMap<String, (String, BTreeMap<String, String>)>;

/// Holds the code against the exports, in their order.
fn compiles(code: &str, exports: &[Json]) -> Names {
    // What no syntax tree shows: rustc refuses these in comments.
    assert!(!code.contains(['\r', '\0']) && !code.chars().any(|c| ('\u{202a}'..='\u{202e}').contains(&c)));
    assert!(!code.chars().any(|c| ('\u{2066}'..='\u{2069}').contains(&c)));

    let file = syn::parse_file(code).expect("no Rust");
    let mut names = Names::new();
    let mut structs = BTreeSet::new();
    assert_eq!(file.items.len(), 6 * exports.len());
    for (items, export) in file.items.chunks(6).zip(exports) {
        let [
            Item::Struct(item),
            Item::Const(_),
            Item::Impl(this),
            Item::Impl(serialize),
            Item::Impl(schema),
            Item::Impl(debug),
        ] = items
        else {
            panic!("another item")
        };
        let name = identifier(&item.ident);
        assert!(structs.insert(name.clone()), "{name} twice");
        assert!([this, serialize, schema, debug].iter().all(|item| item.self_ty == syn::parse_str(&name).unwrap()));
        let parameters = export["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let fields = fields(item, &serialized(serialize), parameters);
        stands(this, export, parameters);
        names.insert(export["id"].as_str().unwrap().to_owned(), (name, fields));
    }
    names
}

/// The names under which the fields are serialised, each with its field.
fn serialized(item: &ItemImpl) -> Vec<(String, String)> {
    let [ImplItem::Fn(serialize)] = &item.items[..] else { panic!("another item") };
    let calls = serialize.block.stmts.iter().filter_map(|statement| match statement {
        syn::Stmt::Expr(Expr::Try(call), _) => match &*call.expr {
            Expr::MethodCall(call) if call.method == "serialize_field" => Some(&call.args),
            _ => None,
        },
        _ => None,
    });
    calls
        .map(|arguments| {
            let Expr::Reference(value) = &arguments[1] else { panic!("no reference") };
            let Expr::Field(syn::ExprField { member: syn::Member::Named(field), .. }) = &*value.expr else {
                panic!("no field")
            };
            (text(&arguments[0]), field.to_string())
        })
        .collect()
}

/// The fields by the names of the parameters.
fn fields(item: &ItemStruct, serialized: &[(String, String)], parameters: &[Json]) -> BTreeMap<String, String> {
    assert_eq!((item.fields.len(), serialized.len()), (parameters.len(), parameters.len()));
    let mut names = BTreeSet::new();
    let mut fields = BTreeMap::new();
    for ((field, (renamed, serialized)), parameter) in item.fields.iter().zip(serialized).zip(parameters) {
        let name = identifier(field.ident.as_ref().unwrap());
        assert!(names.insert(name.clone()), "{name} twice");
        assert_eq!(Some(renamed.as_str()), parameter["name"].as_str());
        assert_eq!(*serialized, name);
        let syn::Type::Path(path) = &field.ty else { panic!("no path") };
        let expected = match parameter["dataType"].as_str().unwrap() {
            "Integer" => "i64",
            "Text" => "String",
            "Boolean" => "bool",
            "DateTime" => "DateTime",
            _ => "Value",
        };
        assert_eq!(path.path.segments.last().unwrap().ident, expected);
        fields.insert(renamed.clone(), name);
    }
    fields
}

/// Id, name and parameters in the implementation of the SDK's trait.
fn stands(item: &ItemImpl, export: &Json, parameters: &[Json]) {
    let consts: BTreeMap<String, &Expr> = item
        .items
        .iter()
        .map(|item| match item {
            ImplItem::Const(item) => (item.ident.to_string(), &item.expr),
            _ => panic!("another item"),
        })
        .collect();
    assert_eq!(text(consts["ID"]), export["id"].as_str().unwrap());
    assert_eq!(text(consts["NAME"]), export["name"].as_str().unwrap());
    let Expr::Reference(list) = consts["PARAMETERS"] else { panic!("no list") };
    let Expr::Array(list) = &*list.expr else { panic!("no list") };
    let declared: Vec<Vec<String>> = list
        .elems
        .iter()
        .map(|pair| match pair {
            Expr::Tuple(pair) => pair.elems.iter().map(text).collect(),
            _ => panic!("no pair"),
        })
        .collect();
    let expected: Vec<Vec<&str>> = parameters
        .iter()
        .map(|parameter| vec![parameter["name"].as_str().unwrap(), parameter["dataType"].as_str().unwrap()])
        .collect();
    assert_eq!(declared, expected);
}

fn text(literal: &Expr) -> String {
    match literal {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => text.value(),
        _ => panic!("no text"),
    }
}

/// A name in ASCII that every edition takes.
fn identifier(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(is_plain && name != "_" && name != "gen" && name.len() < 200, "{name}");
    name
}
