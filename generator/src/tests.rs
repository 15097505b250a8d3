//! The steps over a made-up document: errors name their location, and a rewrite without a match stops the build.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::{
    Effect, Generated, Generator,
    generate::{self, prepare, settings::Settings},
    model::Model,
    rewrite,
};

const DOCUMENT: &str = include_str!("../tests/storage.json");

fn run(text: &str) -> Result<Generated, Vec<String>> {
    let generator = Generator::new("openapi.json").plain().strict(true);
    generator.generate(text).map_err(|error| error.problems().collect())
}

fn model() -> Model {
    Model::new(serde_json::from_str(DOCUMENT).unwrap(), Default::default()).unwrap()
}

fn client() -> String {
    run(DOCUMENT).unwrap().client
}

/// Returns the problems of a document with this change.
fn problems(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut root = serde_json::from_str(DOCUMENT).unwrap();
    change(&mut root);
    run(&root.to_string()).err().unwrap_or_default()
}

#[test]
fn a_mistake_in_the_syntax_has_a_line_and_a_column() {
    let text = DOCUMENT.replacen("\"info\": {", "\"info\": {,", 1);
    let problems = run(&text).unwrap_err();
    assert!(problems[0].starts_with("at /: expected JSON, found "), "{problems:?}");
    assert!(problems[0].ends_with(" at line 3 column 11"), "{problems:?}");
}

#[test]
fn an_error_is_named_with_its_location() {
    for (pointer, value, expected) in [
        (
            "/paths/~1pallets~1{id}/put/x-idempotency",
            json!("always"),
            "at /paths/~1pallets~1{id}/put/x-idempotency: \"always\" is not",
        ),
        (
            "/paths/~1pallets/get/operationId",
            json!("PalletList"),
            "at /paths/~1pallets/get/operationId: `PalletList` is not snake_case",
        ),
        (
            "/paths/~1pallets/post/operationId",
            json!("pallet_list"),
            "at /paths/~1pallets/post/operationId: `pallet_list` is taken by /paths/~1pallets/get",
        ),
        ("/paths/~1pallets/get/operationId", json!(7), "at /paths/~1pallets/get: `operationId` is missing"),
        (
            "/paths/~1pallets/post/requestBody/content/application~1json/schema/$ref",
            json!("#/components/schemas/Palet"),
            "at /paths/~1pallets/post/requestBody/content/application~1json/schema/$ref: there is no ",
        ),
        ("/components/schemas/Pallet/x-shown/0", json!("ID"), "at /components/schemas/Pallet/x-shown: there is no"),
        ("/components/schemas/Id/x-perenso-type", json!("key"), "at /components/schemas/Id/x-perenso-type: expected"),
        ("/openapi", json!("3.1.0"), "at /: progenitor refuses it"),
        ("/openapi", json!("4.0.0"), "at /: expected an OpenAPI 3.0.x or 3.1.x or a Swagger 2.0 document, found"),
        ("/paths/~1pallets", json!([]), "at /paths/~1pallets: an object"),
        ("/paths", json!([]), "at /paths: an object"),
        ("/paths/~1pallets/get/responses", json!(1), "at /paths/~1pallets/get/responses: an object"),
    ] {
        let problems = problems(|root| *root.pointer_mut(pointer).unwrap() = value);
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?}");
    }
}

#[test]
fn an_extension_may_hold_anything() {
    let found = problems(|root| root["paths"]["/pallets"]["get"]["x-note"] = json!({ "$ref": "#/none" }));
    assert_eq!(found, [""; 0]);
    let broken =
        |root: &mut Value| root["components"]["schemas"]["Bay"]["properties"]["x-a"] = json!({ "$ref": "#/none" });
    assert_eq!(problems(broken).len(), 1);
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems(|root| {
        root["paths"]["/pallets"]["get"]["operationId"] = json!("PalletList");
        root["paths"]["/pallets/{id}"]["get"]["x-idempotency"] = json!(true);
        root["components"]["schemas"]["Bay"]["properties"]["bayID"] = json!({ "$ref": "#/none" });
    });
    assert_eq!(found.len(), 3, "{found:?}");
    let error =
        Generator::new("a.json").plain().generate(r#"{"openapi": "3.0.3", "paths": {"/a": 1, "/b": 2}}"#).unwrap_err();
    let expected =
        "a.json: 2 problems: at /paths/~1a: an object is expected here; at /paths/~1b: an object is expected here";
    assert_eq!(error.to_string(), expected);
    assert_eq!(format!("{error:?}"), expected);
}

#[test]
fn each_operation_that_progenitor_cannot_take_is_a_problem_in_one_line() {
    // Progenitor panics on a body with two media types.
    let found = problems(|root| {
        for (path, method) in [("/pallets", "post"), ("/pallets/{id}", "put")] {
            root["paths"][path][method]["requestBody"]["content"]["text/plain"] = json!({"schema": {"type": "string"}});
        }
    });
    assert_eq!(found.len(), 2);
    let gave_up = "the operation is left out: progenitor gave up: ";
    assert!(found[0].starts_with(&format!("at /paths/~1pallets/post: {gave_up}")), "{found:?}");
    assert!(found[1].starts_with(&format!("at /paths/~1pallets~1{{id}}/put: {gave_up}")), "{found:?}");
    assert!(!found[0].contains('\n'), "{found:?}");
}

#[test]
fn a_schema_that_progenitor_cannot_take_is_named() {
    let found = problems(|root| {
        root["components"]["schemas"]["Filter"]["type"] = json!(7);
        root["components"]["schemas"]["State"]["enum"] = json!("stored");
    });
    for (place, schema) in [("/session/post", "Filter"), ("/pallets/get", "State")] {
        let place =
            format!("at /paths/~1{}: the operation is left out: it needs /components/schemas/{schema}: ", &place[1..]);
        assert!(found.iter().any(|problem| problem.starts_with(&place)), "{place} {found:?}");
    }
}

/// Returns the generated client, changed before the rewrites.
fn rewritten(change: impl FnOnce(String) -> String) -> Result<syn::File, String> {
    let settings = Settings::new("perenso::runtime", "super::super").unwrap();
    let model = model();
    let raw = generate::client(&prepare::for_client(&model), &model, &settings).unwrap();
    let raw = prettyplease::unparse(&raw);
    let changed = change(raw.clone());
    assert!(changed != raw, "nothing was changed");
    rewrite::client(syn::parse_str(&changed).unwrap(), &model, &settings).map_err(|fault| fault.to_string())
}

#[test]
fn a_rewrite_that_misses_stops_the_build() {
    for (from, to, expected) in [
        ("pub async fn send(", "pub async fn transmit(", "conversion in `transmit`: expected 1"),
        ("from_static(\"api-version\")", "from_static(\"version\")", "`api-version` headers: expected 1"),
        (".map_err(Error::InvalidRequest)?", ".map_err(Error::Custom)?", "values of the builder: expected "),
        ("let mut request = ", "let mut message = ", "requests: expected 1"),
        (".headers(header_map)", "", "`headers` of the request: expected 1"),
        ("encode_path(& id.to_string())", "id", "values in the path: expected 1"),
        ("\"{}/pallets/search/perenso-with-body\"", "\"{}/pallets/search\"", "paths with a mark: expected 1"),
        ("pub trait ClientSealedExt", "pub trait ClientOpenExt", "sealed traits: expected 1"),
        ("pub fn new_with_client(", "pub fn new(x: u8) {} pub fn with_client(", "constructors: expected 2"),
        (
            "pub pallet_no: ::std::option::Option<::std::string::String>",
            "pub pallet_no: String",
            "optional fields: expected",
        ),
        ("#[serde(flatten)]", "", "the generated field `extra` is not in the document"),
        ("    pub enum State {", "    pub enum Kind {", "open enum: expected 1"),
        ("    pub enum Cargo {", "    pub enum Freight {", "enum of a union: expected 1"),
        ("::new(\"state\", &state", "::new(\"status\", &state", "lists and maps in the query: expected 6"),
        ("#[derive(Debug, Clone)]", "#[derive(Clone)]", "derived `Debug` of "),
        ("pub struct Bay {", "pub struct Box {", "records: expected 1"),
        ("pub mod prelude {", "pub mod traits {", "module `prelude`: expected 1"),
        ("fn pallet_list(&self) -> builder", "fn pallets(&self) -> builder", "calls with signposts: expected 1"),
    ] {
        match rewritten(|code| code.replacen(from, to, 1)) {
            Err(fault) => assert!(fault.contains(expected), "{from}: {fault}"),
            Ok(_) => panic!("{from}: the rewrites pass"),
        }
    }
}

/// Returns the search aliases of an item.
fn aliases(attributes: &[syn::Attribute]) -> Vec<String> {
    let lists = attributes.iter().filter_map(|attribute| attribute.meta.require_list().ok());
    lists.filter(|list| list.path.is_ident("doc")).map(|list| list.tokens.to_string()).collect()
}

/// Returns the text of one function of a trait, and its search aliases.
fn call(name: &str) -> (String, Vec<String>) {
    let file = syn::parse_file(&client()).unwrap();
    let traits = file.items.iter().filter_map(|item| match item {
        syn::Item::Trait(item) => Some(&item.items),
        _ => None,
    });
    let call = traits.flatten().find_map(|item| match item {
        syn::TraitItem::Fn(call) if call.sig.ident == name => Some(call),
        _ => None,
    });
    let call = call.unwrap();
    (quote::quote!(#call).to_string(), aliases(&call.attrs))
}

#[test]
fn a_call_is_found_by_the_vendors_names_of_it_and_a_field_by_its_name_on_the_wire() {
    let (_, names) = call("pallet_list");
    assert_eq!(names, ["List pallets", "GET /pallets", "/pallets"].map(|name| format!("alias = {name:?}")));
    let file = syn::parse_file(&client()).unwrap();
    let types = file.items.iter().find_map(|item| match item {
        syn::Item::Mod(item) if item.ident == "types" => item.content.as_ref(),
        _ => None,
    });
    let pallet = types.unwrap().1.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == "Pallet" => Some(item),
        _ => None,
    });
    let field = |name: &str| pallet.unwrap().fields.iter().find(|field| field.ident.as_ref().unwrap() == name).unwrap();
    assert_eq!(aliases(&field("pallet_no").attrs).last().unwrap(), "alias = \"palletNo\"");
    assert!(!aliases(&field("labels").attrs).iter().any(|name| name.starts_with("alias")));
}

#[test]
fn signposts_stand_only_where_the_document_asks_for_them() {
    let (text, _) = call("pallet_list");
    let see = "See also [`Pallets::list`](crate::Pallets::list), and the guide to [lists and bulk]\
               (crate::guide::lists_and_bulk).";
    assert!(text.contains(see), "{text}");
    assert!(!text.contains("Inferred: "), "{text}");
    let (text, _) = call("pallet_update");
    assert!(text.contains("Inferred: No page shows it.") && !text.contains("See also"), "{text}");
}

#[test]
fn nothing_of_progenitors_errors_and_hooks_is_left() {
    let client = client();
    for gone in ["progenitor_client::Error", "ClientHooks", "OperationInfo", "api-version", "api_version", ".exec("] {
        assert!(!client.contains(gone), "{gone}");
    }
    let sends = client.matches("pub async fn send").count() + client.matches("pub(crate) async fn send").count();
    let calls: usize = ["send_raw(", "send_json::", "send_empty("]
        .iter()
        .map(|call| client.matches(&format!("perenso::runtime::{call}")).count())
        .sum();
    // Every operation once, and those with an optional body a second time.
    assert_eq!((sends, calls), (model().operations().len() + 2, sends));
}

#[test]
fn every_path_goes_through_the_runtime() {
    let Generated { client, mock, .. } = run(DOCUMENT).unwrap();
    for (code, outside) in
        [(&client, "::serde::"), (&client, "::reqwest::"), (&mock, "::httpmock::"), (&mock, "regex::")]
    {
        let paths = code.match_indices(outside).filter(|(index, _)| !code[..*index].ends_with("runtime"));
        assert_eq!(paths.count(), 0, "{outside}");
    }
    assert!(client.contains("#[serde(crate = \"perenso::runtime::serde\")]"));
    let own = Generator::new("a").runtime_path("crate::support").client_path("crate::api").generate(DOCUMENT).unwrap();
    assert!(!own.client.contains("perenso::runtime") && own.client.contains("crate::support::Bridge"));
    assert!(own.mock.contains("use crate::api::*;"));
    let error = Generator::new("a").runtime_path("not a path").generate(DOCUMENT).unwrap_err();
    assert!(error.to_string().contains("expected a path such as `crate::api`, found `not a path`"), "{error}");
}

#[test]
fn only_reads_are_repeated_unless_the_document_says_more() {
    let client = client();
    for (id, class) in [
        ("pallet_list", "Safe"),
        ("pallet_delete", "NotRepeatable"),
        ("pallet_update", "Idempotent"),
        ("report_run", "Safe"),
        ("pallet_search", "NotRepeatable"),
    ] {
        let row = client.split(&format!("{:?}", id)).find(|rest| rest.contains("Idempotency::")).unwrap_or_default();
        let text: String = client.chars().filter(|c| !c.is_whitespace()).collect();
        let row_of = text.split(&format!("Operation::new({id:?},")).nth(1).unwrap_or(row);
        let found = row_of.split("Idempotency::").nth(1).unwrap();
        assert!(found.starts_with(class), "{id}: {}", &found[..20]);
    }
}

/// Returns what is generated from a changed document, with everything else left out.
fn lenient(change: impl FnOnce(&mut Value)) -> Generated {
    let mut root = serde_json::from_str(DOCUMENT).unwrap();
    change(&mut root);
    Generator::new("openapi.json").plain().generate(&root.to_string()).unwrap()
}

#[test]
fn what_cannot_be_generated_is_left_out_and_named() {
    let generated = lenient(|root| {
        root["paths"]["/pallets"]["post"]["requestBody"]["content"]["text/plain"] = json!({});
        root["components"]["schemas"]["Bay"]["required"] = json!("bayID");
    });
    let left_out: Vec<_> = generated.report.left_out().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(left_out, ["/paths/~1halls~1{hallCode}~1bays~1{bay_no}/get", "/paths/~1pallets/post"]);
    let reason = &generated.report.problems[0].message;
    assert!(reason.starts_with("the operation is left out: it needs /components/schemas/Bay: "), "{reason}");
    assert!(!generated.client.contains("fn pallet_create") && !generated.client.contains("pub struct Bay"));
    assert!(generated.client.contains("fn pallet_list") && generated.mock.contains("fn pallet_list"));
    assert!(generated.summary.contains("## Left out"), "{}", generated.summary);
}

#[test]
fn an_operation_that_only_the_mock_cannot_take_stays_in_the_client() {
    let generated = lenient(|root| {
        // Only the mock has responses of errors.
        let content = json!({ "application/json": { "schema": { "type": 7 } } });
        root["paths"]["/pallets/{id}"]["get"]["responses"]["404"]["content"] = content;
    });
    let problems = &generated.report.problems;
    assert_eq!((problems.len(), problems[0].effect), (1, Effect::Lost), "{problems:?}");
    assert!(generated.client.contains("fn pallet_get") && !generated.mock.contains("fn pallet_get"));
}

#[test]
fn a_misspelt_extension_of_a_plain_document_is_reported() {
    let generated = lenient(|root| root["paths"]["/pallets"]["get"]["x-idempotancy"] = json!("idempotent"));
    let lost: Vec<_> = generated.report.lost().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(lost, ["/paths/~1pallets/get/x-idempotancy"]);
}

#[test]
fn a_client_comes_without_a_mock_if_told_so() {
    let generator = Generator::new("openapi.json").plain().without_mock();
    let generated = generator.generate(DOCUMENT).unwrap();
    assert_eq!((generated.mock.as_str(), generated.client), ("", client()));
}

#[test]
fn tags_and_paths_choose_operations_and_their_schemas() {
    let generator = Generator::new("openapi.json").only_tags(["Photo"]).only_paths(["/halls"]);
    let Generated { client, .. } = generator.generate(DOCUMENT).unwrap();
    assert!(client.contains("fn photo_put") && client.contains("fn bay_get") && !client.contains("fn pallet_list"));
    assert!(client.contains("pub struct Bay") && !client.contains("pub struct Filter"));
    let error = Generator::new("a.json").only_tags(["Halls"]).generate(DOCUMENT).unwrap_err();
    assert_eq!(error.to_string(), "a.json: at /paths: no operation has the tag `Halls`");
}

#[test]
fn the_summary_names_operations_and_shown_fields() {
    let summary = run(DOCUMENT).unwrap().summary;
    for line in [
        "| `pallet_update` | `PUT /pallets/{id}` | idempotent |",
        "| `pallet_search` | `POST /pallets/search` | not-repeatable |",
        "| `pallet_search_with` | `POST /pallets/search` with a body | not-repeatable |",
        "| `Bay` | `bayID` |",
        "| `Pallet` | `id`, `palletNo` |",
    ] {
        assert!(summary.contains(line), "{line}: {summary}");
    }
}
