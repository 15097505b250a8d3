//! The build script: errors in a document name their location, and a rewrite without a match stops the build.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::{Generated, Generator, fault::Fault, generate, model, prepare, rewrite};

const DOCUMENT: &str = include_str!("../../openapi/perenso.json");

fn run(text: &str) -> Result<Generated, Fault> {
    Generator::new("openapi.json").run(text)
}

fn vendored() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Returns the error of the build for a document with this change.
fn fault(change: impl FnOnce(&mut Value)) -> String {
    let mut root = vendored();
    change(&mut root);
    match run(&root.to_string()) {
        Ok(_) => panic!("the document passes"),
        Err(fault) => fault.to_string(),
    }
}

fn take(root: &mut Value, pointer: &str, name: &str) {
    root.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn the_vendored_document_passes() {
    let generated = run(DOCUMENT).unwrap();
    assert!(generated.client.contains("pub trait ClientCustomerExt"));
    assert!(generated.mock.contains("pub trait MockServerExt"));
}

#[test]
fn a_mistake_in_the_syntax_has_a_line_and_a_column() {
    let text = DOCUMENT.replacen("\"info\": {", "\"info\": {,", 1);
    let fault = run(&text).err().unwrap().to_string();
    assert!(fault.starts_with("at line 3, column 12: "), "{fault}");
}

#[test]
fn a_missing_part_is_named_with_its_location() {
    let get = "/paths/~1Customer~1{id}/get";
    for name in ["operationId", "x-idempotency", "x-source", "summary", "description"] {
        let fault = fault(|root| take(root, get, name));
        assert_eq!(fault, format!("at {get}: `{name}` is missing"));
    }
    let id = "/components/schemas/Customer/properties/id";
    assert_eq!(fault(|root| take(root, id, "description")), format!("at {id}: `description` is missing"));
    let schema = "/components/schemas/Vendor";
    assert_eq!(fault(|root| take(root, schema, "x-source")), format!("at {schema}: `x-source` is missing"));
    assert!(fault(|root| take(root, schema, "x-shown")).starts_with(&format!("at {schema}: `x-personal` needs")));
    assert!(fault(|root| take(root, schema, "additionalProperties")).contains("unknown fields would be lost"),);
}

#[test]
fn an_error_is_named_with_its_location() {
    for (pointer, value, expected) in [
        (
            "/paths/~1Customer/get/x-idempotency",
            json!("always"),
            "at /paths/~1Customer/get/x-idempotency: `always` is not",
        ),
        ("/paths/~1Customer/get/operationId", json!("CustomerList"), "at /paths/~1Customer/get/operationId: "),
        ("/paths/~1Customer/get/operationId", json!("order_list"), "at /paths/~1Order/get/operationId: "),
        (
            "/paths/~1Customer/post/requestBody/content/application~1json/schema/$ref",
            json!("#/components/schemas/Custmer"),
            "at /paths/~1Customer/post/requestBody/content/application~1json/schema/$ref: there is no ",
        ),
        ("/paths/~1Order/get/x-source/pages/0", json!("O9"), "at /paths/~1Order/get/x-source/pages: \"O9\" is not"),
        ("/components/schemas/Vendor/x-shown/0", json!("vendorId"), "at /components/schemas/Vendor/x-shown: "),
        ("/paths/~1Customer/get/parameters/0/in", json!("header"), "at /paths/~1Customer/get/parameters/0: header"),
        ("/openapi", json!("3.1.0"), "at /: the generator refuses it"),
        ("/paths/~1Customer", json!([]), "at /paths/~1Customer: an object"),
    ] {
        let fault = fault(|root| *root.pointer_mut(pointer).unwrap() = value);
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn a_limit_that_no_page_shows_is_marked_as_inferred() {
    let email = "/components/schemas/Customer/properties/email";
    let limited = fault(|root| root.pointer_mut(email).unwrap()["minLength"] = json!(3));
    assert_eq!(
        limited,
        "at /components/schemas/Customer/x-source/inferred: expected [\"nullable\", \"format\", \"minLength\"], \
         found [\"nullable\", \"format\"]"
    );
    let sort = "/paths/~1Order/get/parameters/2";
    let unlimited = fault(|root| take(root, &format!("{sort}/schema"), "pattern"));
    assert_eq!(unlimited, format!("at {sort}/x-source/inferred: expected [], found [\"pattern\"]"));
}

#[test]
fn a_field_that_may_be_sent_as_null_says_so() {
    for (pointer, field) in [
        ("/components/schemas/Customer/properties/email", "/components/schemas/Customer/properties/email"),
        ("/components/schemas/OrderVendor", "/components/schemas/OrderLine/properties/vendor"),
        ("/components/schemas/Messages/oneOf/0", "/components/schemas/BulkFailure/properties/message"),
    ] {
        let fault = fault(|root| {
            take(root, pointer, "nullable");
            // A removed keyword must not be listed as inferred.
            let schema = pointer.split('/').take(4).collect::<Vec<_>>().join("/");
            if !pointer.contains("properties") {
                let inferred = root.pointer_mut(&format!("{schema}/x-source/inferred")).unwrap();
                inferred.as_array_mut().unwrap().retain(|keyword| keyword != "nullable");
            }
        });
        assert!(fault.starts_with(&format!("at {field}: `nullable` is missing")), "{fault}");
    }
}

#[test]
fn a_panic_of_the_generator_is_a_fault_in_one_line() {
    // The generator panics on a body with two media types.
    let fault = fault(|root| {
        root["paths"]["/Customer"]["post"]["requestBody"]["content"]["text/plain"] =
            json!({"schema": {"type": "string"}});
    });
    assert!(fault.starts_with("at /paths/~1Customer/post: the generator gave up: "), "{fault}");
    assert!(!fault.contains('\n'), "{fault}");
}

/// Returns the generated client, changed before the rewrites.
fn rewritten(change: impl FnOnce(String) -> String) -> Result<syn::File, String> {
    let document = model::read(DOCUMENT).map_err(|fault| fault.to_string())?;
    let raw = generate::client(&prepare::for_client(&document).map_err(|fault| fault.to_string())?);
    let raw = prettyplease::unparse(&raw.map_err(|fault| fault.to_string())?);
    let changed = change(raw.clone());
    assert_ne!(changed, raw, "nothing was changed");
    rewrite::client(syn::parse_str(&changed).unwrap(), &document).map_err(|fault| fault.to_string())
}

#[test]
fn a_rewrite_that_misses_stops_the_build() {
    for (from, to, expected) in [
        ("pub async fn send(", "pub async fn transmit(", "conversion in `transmit`: expected 1"),
        ("from_static(\"api-version\")", "from_static(\"version\")", "`api-version` headers: expected 1"),
        (".map_err(Error::InvalidRequest)?", ".map_err(Error::Custom)?", "values of the builder: expected "),
        ("let mut request = ", "let mut message = ", "requests: expected 1"),
        (".headers(header_map)", "", "`headers` of the request: expected 1"),
        ("encode_path(& id.to_string())", "id", "ids in the path: expected 1"),
        ("pub trait ClientSealedExt", "pub trait ClientOpenExt", "sealed traits: expected 1"),
        ("pub fn new_with_client(", "pub fn new(x: u8) {} pub fn with_client(", "constructors: expected 2"),
        ("pub phone: ::std::option::Option<::std::string::String>", "pub phone: String", "optional fields: expected"),
        ("#[serde(flatten)]", "", "the generated field `extra` is not in the document"),
        (
            "T: ::std::convert::TryInto<::std::vec::Vec<super::OrderLine>>",
            "T: Into<u8>",
            "optional setters of a builder",
        ),
        ("    pub enum ExportDataType {", "    pub enum Kind {", "open enum: expected 1"),
        ("#[derive(Debug, Clone)]", "#[derive(Clone)]", "derived `Debug` of "),
        ("pub struct Attendee {", "pub struct Visitor {", "records: expected 1"),
        ("pub mod prelude {", "pub mod traits {", "module `prelude`: expected 1"),
        ("fn attendee_list(&self) -> builder", "fn visitors(&self) -> builder", "calls with signposts: expected 1"),
    ] {
        match rewritten(|code| code.replacen(from, to, 1)) {
            Err(fault) => assert!(fault.contains(expected), "{from}: {fault}"),
            Ok(_) => panic!("{from}: the rewrites pass"),
        }
    }
}

#[test]
fn a_call_is_found_by_the_vendors_names_of_it_and_a_field_by_its_name_on_the_wire() {
    let client = run(DOCUMENT).unwrap().client;
    assert_eq!(client.matches("Inferred: ").count(), 3, "calls that are not seen as they stand");
    let client = syn::parse_file(&client).unwrap();
    let names = |attributes: &[syn::Attribute]| -> Vec<String> {
        let lists = attributes.iter().filter_map(|attribute| attribute.meta.require_list().ok());
        lists.filter(|list| list.path.is_ident("doc")).map(|list| list.tokens.to_string()).collect()
    };
    let calls = client.items.iter().find_map(|item| match item {
        syn::Item::Trait(item) if item.ident == "ClientVendorExt" => Some(&item.items),
        _ => None,
    });
    let Some(syn::TraitItem::Fn(call)) = calls.and_then(|calls| calls.first()) else { panic!("no call of vendors") };
    let expected = ["Bulk create and update vendors", "POST /v2/vendors/bulk", "/v2/vendors/bulk"];
    assert_eq!(names(&call.attrs), expected.map(|name| format!("alias = {name:?}")));
    let text = quote::quote!(#call).to_string();
    assert!(text.contains("See also [`Vendors::upsert`](crate::Vendors::upsert)"), "{text}");

    let types = client.items.iter().find_map(|item| match item {
        syn::Item::Mod(item) if item.ident == "types" => item.content.as_ref(),
        _ => None,
    });
    let vendor = types.unwrap().1.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == "Vendor" => Some(item),
        _ => None,
    });
    let field = |name: &str| vendor.unwrap().fields.iter().find(|field| field.ident.as_ref().unwrap() == name).unwrap();
    assert_eq!(names(&field("vendor_id").attrs).last().unwrap(), "alias = \"vendorID\"");
    assert!(!names(&field("city").attrs).iter().any(|name| name.starts_with("alias")));
}

#[test]
fn an_operation_without_a_method_by_hand_and_a_method_without_an_operation_stop_the_build() {
    let list = "/paths/~1Order/get";
    let unknown = fault(|root| {
        let mut again = root.pointer(list).unwrap().clone();
        again["operationId"] = json!("order_again");
        root["paths"]["/OrderAgain"] = json!({ "get": again });
    });
    assert!(unknown.contains("at /paths/~1OrderAgain/get: signposts: no method and no guide"), "{unknown}");
    let stale = fault(|root| take(root, "/paths", "/Order"));
    assert!(stale.contains("signposts: there is no operation `order_list`"), "{stale}");
}

#[test]
fn the_vendors_names_of_every_operation_stand_at_a_method_by_hand() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/resources");
    let folder = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let exports = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/exports.rs");
    let sources: String = folder.chain([exports]).map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for operation in model::read(DOCUMENT).unwrap().operations().unwrap() {
        let (title, method, path) = (&operation.node["summary"], operation.method.to_uppercase(), operation.path);
        let names = format!("#[doc(alias({title}, \"{method} {path}\", \"{path}\"))]");
        assert!(sources.contains(&names), "no method by hand has {names}");
    }
}

#[test]
fn nothing_of_the_generators_errors_and_hooks_is_left() {
    let client = run(DOCUMENT).unwrap().client;
    for gone in ["progenitor_client::Error", "ClientHooks", "OperationInfo", "api-version", "api_version", ".exec("] {
        assert!(!client.contains(gone), "{gone}");
    }
    let sends = client.matches("pub async fn send").count() + client.matches("pub(crate) async fn send").count();
    let calls: usize = ["send_raw(", "send_json::", "send_empty("]
        .iter()
        .map(|call| client.matches(&format!("crate::runtime::{call}")).count())
        .sum();
    // Every operation once, and the export run a second time, with a body.
    assert_eq!((sends, calls), (model::read(DOCUMENT).unwrap().operations().unwrap().len() + 1, sends));
}
