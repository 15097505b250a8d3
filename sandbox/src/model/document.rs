//! The vendored OpenAPI document: its operations, and what each of them accepts.

mod problem;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use problem::{Problem, json_type};
use schema::Schemas;
pub(crate) use schema::{Schema, Validator};

/// The text of the vendored document.
pub(crate) const TEXT: &str = include_str!("../../openapi/perenso.json");

/// The parsed document.
#[allow(clippy::expect_used, reason = "it is compiled in, and a test reads it")]
pub(crate) static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::parse(TEXT).expect("the vendored document can be parsed"));

#[derive(Deserialize)]
pub(crate) struct Document {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    schemas: Schemas,
}

/// One operation of the document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    #[serde(default)]
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) request_body: Option<RequestBody>,
    responses: BTreeMap<String, Response>,
}

#[derive(Deserialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    #[serde(rename = "in")]
    pub(crate) location: Location,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// The part of a request that holds a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Location {
    Query,
    Path,
    Header,
}

#[derive(Deserialize)]
pub(crate) struct RequestBody {
    #[serde(default)]
    pub(crate) required: bool,
    content: BTreeMap<String, MediaType>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    content: BTreeMap<String, MediaType>,
}

#[derive(Deserialize)]
struct MediaType {
    #[serde(default)]
    schema: Schema,
}

const JSON: &str = "application/json";

/// The path item that a path matches.
pub(crate) struct PathItem<'a> {
    methods: &'a BTreeMap<String, Operation>,
    /// The values of the path parameters, still percent-encoded.
    pub(crate) parameters: Vec<(&'a str, String)>,
    /// The records of its body are checked one by one.
    pub(crate) is_bulk: bool,
}

impl<'a> PathItem<'a> {
    /// Returns the operation of a method. HEAD is a GET without the response body.
    pub(crate) fn operation(&self, method: &str) -> Option<&'a Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.methods.get(&method.to_ascii_lowercase())
    }

    /// Returns the value of an `Allow` header.
    pub(crate) fn allow(&self) -> String {
        let head = self.methods.contains_key("get").then_some("HEAD".to_owned());
        let mut methods: Vec<String> =
            self.methods.keys().map(|method| method.to_ascii_uppercase()).chain(head).collect();
        methods.sort();
        methods.join(", ")
    }
}

impl Document {
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Finds the path item of a path.
    pub(crate) fn path_item(&self, path: &str) -> Option<PathItem<'_>> {
        let segments: Vec<&str> = path.split('/').collect();
        self.paths.iter().find_map(|(template, methods)| {
            let parameters = match_template(template, &segments)?;
            Some(PathItem { methods, parameters, is_bulk: template.ends_with("/bulk") })
        })
    }

    /// Returns the method and path template of every operation.
    #[cfg(test)]
    pub(crate) fn operations(&self) -> impl Iterator<Item = (String, &str)> {
        self.paths
            .iter()
            .flat_map(|(path, methods)| methods.keys().map(|method| (method.to_ascii_uppercase(), path.as_str())))
    }

    /// Returns the literal segments of all paths, in the document's spelling.
    pub(crate) fn path_segments(&self) -> BTreeSet<&str> {
        let segments = self.paths.keys().flat_map(|template| template.split('/'));
        segments.filter(|segment| !segment.is_empty() && !segment.starts_with('{')).collect()
    }

    /// Returns a validator. A strict one reports fields that the document does not have.
    pub(crate) fn validator(&self, strict: bool) -> Validator<'_> {
        Validator { schemas: &self.components.schemas, strict }
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&Schema> {
        self.components.schemas.get(name)
    }

    /// Checks a record against the schema with this name.
    pub(crate) fn problems(&self, name: &str, record: &Map<String, Value>, strict: bool) -> Vec<Problem> {
        let schema = self.schema(name);
        schema.map(|schema| self.validator(strict).check_record(schema, record)).unwrap_or_default()
    }
}

/// Returns the values of a template's parameters if the path matches it.
fn match_template<'a>(template: &'a str, segments: &[&str]) -> Option<Vec<(&'a str, String)>> {
    let mut values = Vec::new();
    let mut given = segments.iter();
    for part in template.split('/') {
        let segment = *given.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => values.push((name, segment.to_owned())),
            None if part == segment => {}
            None => return None,
        }
    }
    given.next().is_none().then_some(values)
}

impl Operation {
    /// Returns true if the response is a list. An unknown parameter of a list might be a filter.
    pub(crate) fn is_list(&self) -> bool {
        let response = self.responses.get("200").and_then(|response| response.content.get(JSON));
        self.request_body.is_none() && response.is_some_and(|response| response.schema.is_array())
    }
}

impl RequestBody {
    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.content.get(JSON).map(|media| &media.schema)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_path_has_one_path_item() {
        for path in DOCUMENT.paths.keys() {
            let found = DOCUMENT.path_item(path).unwrap();
            let methods = &DOCUMENT.paths[path];
            assert!(std::ptr::eq(found.methods, methods), "{path}");
        }
        assert_eq!(DOCUMENT.path_item("/Customer/a%2Fb").unwrap().parameters, [("id", "a%2Fb".to_owned())]);
        for unknown in ["/", "/Customer/a/b", "/v2", "/v2/customers", "/customer", "Customer"] {
            assert!(DOCUMENT.path_item(unknown).is_none(), "{unknown}");
        }
        assert_eq!(DOCUMENT.path_item("/Customer").unwrap().allow(), "GET, HEAD, POST");
    }

    #[test]
    fn lists_are_distinguished_from_other_operations() {
        let is_list = |path: &str, method: &str| DOCUMENT.path_item(path).unwrap().operation(method).unwrap().is_list();
        for path in ["/Customer", "/Order", "/Export"] {
            assert!(is_list(path, "GET") && is_list(path, "HEAD"), "{path}");
        }
        assert!(!is_list("/Customer", "POST") && !is_list("/Customer/1", "GET"));
        assert!(!is_list("/Export/1", "POST"));
    }

    /// Without this test a new rule in the document would be ignored silently.
    #[test]
    fn the_document_has_no_rule_that_is_ignored() {
        const KNOWN: &[&str] = &[
            "$ref",
            "allOf",
            "oneOf",
            "type",
            "nullable",
            "format",
            "properties",
            "required",
            "items",
            "enum",
            "minimum",
            "minLength",
            "pattern",
            "additionalProperties",
            "description",
            "example",
            "title",
        ];
        fn walk(schema: &Value, rules: &mut BTreeSet<String>) {
            let fields = schema.as_object().unwrap();
            rules.extend(fields.keys().cloned());
            if let Some(Value::Object(properties)) = fields.get("properties") {
                properties.values().for_each(|schema| walk(schema, rules));
            }
            for name in ["allOf", "oneOf"] {
                fields.get(name).and_then(Value::as_array).into_iter().flatten().for_each(|part| walk(part, rules));
            }
            for name in ["items", "additionalProperties"] {
                fields.get(name).into_iter().for_each(|part| walk(part, rules));
            }
        }
        let document: Value = serde_json::from_str(TEXT).unwrap();
        let mut rules = BTreeSet::new();
        document["components"]["schemas"].as_object().unwrap().values().for_each(|schema| walk(schema, &mut rules));
        for operation in
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
        {
            let parameters = operation["parameters"].as_array();
            parameters.into_iter().flatten().for_each(|parameter| walk(&parameter["schema"], &mut rules));
            if let Some(body) = operation["requestBody"]["content"][JSON]["schema"].as_object() {
                walk(&Value::Object(body.clone()), &mut rules);
            }
        }
        let unknown: Vec<_> =
            rules.iter().filter(|rule| !KNOWN.contains(&rule.as_str()) && !rule.starts_with("x-")).collect();
        assert_eq!(unknown, [""; 0]);
    }
}
