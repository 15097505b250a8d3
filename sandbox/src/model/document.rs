//! An OpenAPI 3.0 document: its operations, and what each of them accepts. Usually the vendored one.

mod example;
mod problem;
mod resource;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

pub(crate) use problem::{Problem, json_type};
pub(crate) use resource::IdField;
use schema::Schemas;
pub(crate) use schema::{Schema, Validator};

/// The text of the vendored document.
const TEXT: &str = include_str!("../../openapi/perenso.json");

/// The parsed document.
#[allow(clippy::expect_used, reason = "it is compiled in, and a test reads it")]
pub(crate) static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::parse(TEXT).expect("the vendored document can be parsed"));

pub(crate) struct Document {
    #[cfg(feature = "docs")]
    text: String,
    root: Value,
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    schemas: Schemas,
}

/// The methods of a path item. Its other members are not operations.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

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
    /// The name that is sent, where a generated client needs another one.
    #[serde(rename = "x-perenso-wire-name")]
    wire_name: Option<String>,
    style: Option<String>,
    explode: Option<bool>,
    /// True if the value is the rest of the path.
    #[serde(rename = "x-perenso-rest-of-path", default)]
    is_rest: bool,
    #[serde(rename = "in")]
    pub(crate) location: Location,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) schema: Schema,
}

impl Parameter {
    /// Returns the name in a request.
    pub(crate) fn sent_name(&self) -> &str {
        self.wire_name.as_deref().unwrap_or(&self.name)
    }

    /// Returns the separator of a list that is sent as one value.
    pub(crate) fn separator(&self) -> Option<char> {
        (self.explode == Some(false)).then_some(match self.style.as_deref() {
            Some("spaceDelimited") => ' ',
            Some("pipeDelimited") => '|',
            _ => ',',
        })
    }
}

/// The part of a request that holds a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Location {
    Query,
    Path,
    Header,
    Cookie,
}

#[derive(Deserialize)]
pub(crate) struct RequestBody {
    #[serde(default)]
    pub(crate) required: bool,
    content: BTreeMap<String, MediaType>,
    /// The media type of bytes, in a document that is normalised.
    #[serde(rename = "x-perenso-media-type")]
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    content: BTreeMap<String, MediaType>,
}

#[derive(Deserialize)]
struct MediaType {
    #[serde(default, deserialize_with = "schema_and_json")]
    schema: (Schema, Value),
}

/// Reads a schema to check values, and its JSON to make examples.
fn schema_and_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(Schema, Value), D::Error> {
    let json = Value::deserialize(deserializer)?;
    Ok((Schema::deserialize(&json).map_err(D::Error::custom)?, json))
}

const JSON: &str = "application/json";

/// The path item that a path matches.
pub(crate) struct PathItem<'a> {
    methods: &'a BTreeMap<String, Operation>,
    pub(crate) template: &'a str,
    /// The values of the path parameters, still percent-encoded.
    pub(crate) parameters: Vec<(&'a str, String)>,
    /// The records of its body are checked one by one.
    pub(crate) is_bulk: bool,
}

impl<'a> PathItem<'a> {
    /// Returns the number of parameters in its path.
    fn rank(&self) -> usize {
        self.template.matches('{').count()
    }

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
    /// Parses OpenAPI 3.0 in JSON. References are resolved in schemas only, as in a document that is normalised.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let root: Value = serde_json::from_str(text)?;
        let version = root["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.0.") {
            let found = if version.is_empty() { "another" } else { version };
            return Err(serde_json::Error::custom(format!(
                "expected an OpenAPI document of version 3.0, found {found}"
            )));
        }
        let mut paths = BTreeMap::new();
        for (path, item) in root["paths"].as_object().into_iter().flatten() {
            let mut methods = BTreeMap::new();
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let operation = Operation::deserialize(operation)
                    .map_err(|error| serde_json::Error::custom(format!("{method} {path}: {error}")))?;
                methods.insert(method.to_owned(), operation);
            }
            let parameters = methods.values().flat_map(|operation: &Operation| &operation.parameters);
            let rest = parameters.filter(|parameter| parameter.is_rest);
            let template = rest.fold(path.clone(), |path, Parameter { name, .. }| {
                path.replace(&format!("{{{name}}}"), &format!("{{*{name}}}"))
            });
            paths.insert(template, methods);
        }
        let mut schemas = Schemas::new();
        for (name, schema) in root["components"]["schemas"].as_object().into_iter().flatten() {
            let schema = Schema::deserialize(schema)
                .map_err(|error| serde_json::Error::custom(format!("the schema {name}: {error}")))?;
            schemas.insert(name.clone(), schema);
        }
        Ok(Self {
            #[cfg(feature = "docs")]
            text: text.to_owned(),
            root,
            paths,
            schemas,
        })
    }

    /// Finds the path item of a path.
    pub(crate) fn path_item(&self, path: &str) -> Option<PathItem<'_>> {
        // A path without parameters goes before one with parameters.
        self.path_items(path).min_by_key(PathItem::rank)
    }

    /// Finds the path item of a path that has a method, or any. Some documents have a path twice, with other names of parameters.
    pub(crate) fn path_item_with(&self, path: &str, method: &str) -> Option<PathItem<'_>> {
        let with = self.path_items(path).filter(|item| item.operation(method).is_some()).min_by_key(PathItem::rank);
        let any = self.path_item(path)?;
        Some(with.filter(|item| item.rank() == any.rank()).unwrap_or(any))
    }

    fn path_items(&self, path: &str) -> impl Iterator<Item = PathItem<'_>> {
        self.paths.iter().filter_map(move |(template, methods)| {
            let parameters = match_template(template, path)?;
            Some(PathItem { methods, template, parameters, is_bulk: template.ends_with("/bulk") })
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
        Validator { schemas: &self.schemas, strict }
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.get(name)
    }

    /// Returns the document as JSON text, with its members in their order.
    #[cfg(feature = "docs")]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns true if it has a path with the same first segment.
    pub(crate) fn has_resource(&self, template: &str) -> bool {
        let first = |path: &str| path.split('/').nth(1).map(str::to_owned);
        self.paths.keys().any(|path| first(path) == first(template))
    }

    /// Checks a record against the schema with this name.
    pub(crate) fn problems(&self, name: &str, record: &Map<String, Value>, strict: bool) -> Vec<Problem> {
        let schema = self.schema(name);
        schema.map(|schema| self.validator(strict).check_record(schema, record)).unwrap_or_default()
    }
}

/// Returns the values of a template's parameters if the path matches it.
fn match_template<'a>(template: &'a str, path: &str) -> Option<Vec<(&'a str, String)>> {
    let (mut values, mut given) = (Vec::new(), path.split('/'));
    for part in template.split('/') {
        if let Some(name) = part.strip_prefix("{*").and_then(|part| part.strip_suffix('}')) {
            values.push((name, given.collect::<Vec<_>>().join("/")));
            return Some(values);
        }
        match_segment(part, given.next()?, &mut values)?;
    }
    given.next().is_none().then_some(values)
}

/// Adds the values of one segment. Those of parameters without anything between them are unknown.
fn match_segment<'a>(template: &'a str, segment: &str, values: &mut Vec<(&'a str, String)>) -> Option<()> {
    let Some((before, rest)) = template.split_once('{') else { return (template == segment).then_some(()) };
    let (mut segment, mut rest) = (segment.strip_prefix(before)?, rest);
    loop {
        let (name, after) = rest.split_once('}')?;
        let (fixed, next) = after.split_once('{').map_or((after, None), |(fixed, next)| (fixed, Some(next)));
        match next {
            None => {
                values.push((name, segment.strip_suffix(fixed)?.to_owned()));
                return Some(());
            }
            Some(_) if fixed.is_empty() => return Some(()),
            Some(next) => {
                let (value, left) = segment.split_once(fixed)?;
                values.push((name, value.to_owned()));
                (segment, rest) = (left, next);
            }
        }
    }
}

impl Operation {
    /// Returns true if the response is a list. An unknown parameter of a list might be a filter.
    pub(crate) fn is_list(&self) -> bool {
        let response = self.responses.get("200").and_then(|response| response.content.get(JSON));
        self.request_body.is_none() && response.is_some_and(|response| response.schema.0.is_array())
    }
}

impl Operation {
    /// Returns the status of the first successful response, and its schema if it has a body.
    pub(crate) fn success(&self) -> Option<(&str, Option<&Value>)> {
        let (status, response) = self.responses.iter().find(|(status, _)| status.starts_with('2'))?;
        Some((status, response.content.values().next().map(|media| &media.schema.1)))
    }

    /// Returns the media type of the first successful response.
    pub(crate) fn success_media_type(&self) -> Option<&str> {
        let (_, response) = self.responses.iter().find(|(status, _)| status.starts_with('2'))?;
        response.content.keys().next().map(String::as_str)
    }
}

impl RequestBody {
    /// Returns the media type of a body that is not JSON.
    pub(crate) fn other_media_type(&self) -> Option<&str> {
        let only = self.content.keys().next().map(String::as_str).filter(|_| !self.content.contains_key(JSON));
        only.map(|only| self.media_type.as_deref().unwrap_or(only))
    }

    pub(crate) fn schema(&self) -> Option<&Schema> {
        self.content.get(JSON).map(|media| &media.schema.0)
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
        let values = |template, path| match_template(template, path);
        let value = |name, value: &str| (name, value.to_owned());
        assert_eq!(values("/a/{b}.{c}", "/a/1.x.y"), Some(vec![value("b", "1"), value("c", "x.y")]));
        assert_eq!(values("/a/p{b}.jpg", "/a/p7.jpg"), Some(vec![value("b", "7")]));
        assert_eq!(values("/a/{b}{c}", "/a/7.json"), Some(vec![]));
        assert_eq!(values("/a/{*b}", "/a/7/c.d"), Some(vec![value("b", "7/c.d")]));
        for path in ["/a/p7.png", "/a/7.jpg", "/a/p7.jpg/b"] {
            assert_eq!(values("/a/p{b}.jpg", path), None, "{path}");
        }
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

    #[test]
    fn every_pattern_of_the_vendored_document_is_checked() {
        fn patterns<'a>(node: &'a Value, found: &mut Vec<&'a str>) {
            match node {
                Value::Object(fields) => {
                    found.extend(fields.get("pattern").and_then(Value::as_str));
                    fields.values().for_each(|value| patterns(value, found));
                }
                Value::Array(items) => items.iter().for_each(|item| patterns(item, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        patterns(&DOCUMENT.root, &mut found);
        assert!(found.len() > 2 && found.iter().all(|pattern| regex_lite::Regex::new(pattern).is_ok()), "{found:?}");
    }
}
