//! The vendored document: which operations there are, and what each of them takes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::schema::{Look, Schema, Schemas};

/// The document as it is vendored.
pub(crate) const TEXT: &str = include_str!("../openapi/perenso.json");

/// The document, read once.
#[allow(clippy::expect_used, reason = "it is compiled in, and a test reads it")]
pub(crate) static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::read(TEXT).expect("the vendored document is one that can be read"));

#[derive(Deserialize)]
pub(crate) struct Document {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    schemas: Schemas,
}

/// One call.
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
    pub(crate) place: Place,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
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

/// What the document has at a path.
pub(crate) struct Found<'a> {
    methods: &'a BTreeMap<String, Operation>,
    /// The values of the path's parameters, as they stand in the path.
    pub(crate) values: Vec<(&'a str, String)>,
    /// Whether the records of its body are judged one by one.
    pub(crate) is_bulk: bool,
}

impl<'a> Found<'a> {
    /// The operation of a method; HEAD is a GET whose answer stays without a body.
    pub(crate) fn operation(&self, method: &Method) -> Option<&'a Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.methods.get(&method.as_str().to_ascii_lowercase())
    }

    /// The methods, as an `Allow` header lists them.
    pub(crate) fn allowed(&self) -> String {
        let head = self.methods.contains_key("get").then_some("HEAD".to_owned());
        let mut methods: Vec<String> =
            self.methods.keys().map(|method| method.to_ascii_uppercase()).chain(head).collect();
        methods.sort();
        methods.join(", ")
    }
}

impl Document {
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Finds the operations of a path.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        let segments: Vec<&str> = path.split('/').collect();
        self.paths.iter().find_map(|(template, methods)| {
            let values = values(template, &segments)?;
            Some(Found { methods, values, is_bulk: template.ends_with("/bulk") })
        })
    }

    pub(crate) fn look(&self, strict: bool) -> Look<'_> {
        Look { schemas: &self.components.schemas, strict }
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&Schema> {
        self.components.schemas.get(name)
    }

    /// What is wrong with a record by the schema of this name.
    pub(crate) fn problems(&self, name: &str, record: &Map<String, Value>, strict: bool) -> Vec<Problem> {
        self.schema(name).map(|schema| self.look(strict).problems_of(schema, record)).unwrap_or_default()
    }
}

/// The values of a template's parameters, if the path fits it.
fn values<'a>(template: &'a str, segments: &[&str]) -> Option<Vec<(&'a str, String)>> {
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
    /// Whether the answer is a list: a parameter that it does not know might be a filter.
    pub(crate) fn is_list(&self) -> bool {
        let answer = self.responses.get("200").and_then(|answer| answer.content.get(JSON));
        self.request_body.is_none() && answer.is_some_and(|answer| answer.schema.is_array())
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

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_path_is_found_by_itself_and_no_other() {
        for path in DOCUMENT.paths.keys() {
            let found = DOCUMENT.find(path).unwrap();
            let methods = &DOCUMENT.paths[path];
            assert!(std::ptr::eq(found.methods, methods), "{path}");
        }
        assert_eq!(DOCUMENT.find("/Customer/a%2Fb").unwrap().values, [("id", "a%2Fb".to_owned())]);
        for unknown in ["/", "/Customer/a/b", "/v2", "/v2/customers", "/customer", "Customer"] {
            assert!(DOCUMENT.find(unknown).is_none(), "{unknown}");
        }
        assert_eq!(DOCUMENT.find("/Customer").unwrap().allowed(), "GET, HEAD, POST");
    }

    #[test]
    fn lists_are_told_from_other_calls() {
        let is_list = |path: &str, method: Method| DOCUMENT.find(path).unwrap().operation(&method).unwrap().is_list();
        for path in ["/Customer", "/Order", "/Export"] {
            assert!(is_list(path, Method::GET) && is_list(path, Method::HEAD), "{path}");
        }
        assert!(!is_list("/Customer", Method::POST) && !is_list("/Customer/1", Method::GET));
        assert!(!is_list("/Export/1", Method::POST));
    }

    /// Otherwise a rule that somebody adds to the document would be passed over in silence.
    #[test]
    fn the_document_has_no_rule_that_is_not_looked_at() {
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
