//! The vendor's document beside the normalised one.

use perenso::runtime::Operation;
use serde_json::{Value, json};

use crate::example::Maker;

/// The headers that are no parameters of a call.
const OWN_HEADERS: [&str; 6] = ["accept", "content-type", "content-length", "host", "user-agent", "authorization"];

/// Both documents.
pub(crate) struct Documents {
    pub(crate) original: Value,
    pub(crate) normalized: Value,
}

/// A parameter, as the vendor declares it.
#[derive(Clone)]
pub(crate) struct Parameter<'a> {
    pub(crate) name: String,
    pub(crate) place: &'a str,
    pub(crate) is_required: bool,
    pub(crate) schema: Value,
    /// The separator of a list that is one value.
    pub(crate) separator: Option<&'static str>,
}

impl Parameter<'_> {
    /// Returns a value as a string.
    pub(crate) fn text(&self, value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Array(values) => {
                let values: Vec<_> = values.iter().map(|value| self.text(value)).collect();
                values.join(self.separator.unwrap_or(","))
            }
            other => other.to_string(),
        }
    }
}

impl Documents {
    /// Returns the normalised operation.
    pub(crate) fn normal(&self, operation: &Operation) -> &Value {
        // The mark of a parameter that is the rest of the path is no part of its name.
        let path = operation.path.replace("{*", "{");
        node(&self.normalized, &["paths", &path, &operation.method.to_lowercase()])
    }

    /// Returns the vendor's path item and operation.
    pub(crate) fn vendors(&self, operation: &Operation) -> (&Value, &Value) {
        let method = operation.method.to_lowercase();
        // Names of parameters may differ, and a query that is a part of a path.
        let start = |path: &str| {
            let path = path.trim().trim_start_matches('/').split('?').next().unwrap_or_default();
            let mut parts = path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
            parts.by_ref().collect::<Vec<_>>().join("{}")
        };
        let paths = self.original["paths"].as_object().into_iter().flatten();
        let of = |item: &'_ Value| item.get(&method).is_some();
        let exact = paths.clone().find(|(path, item)| *path == operation.path && of(item));
        let found =
            exact.or_else(|| paths.clone().find(|(path, item)| start(path) == start(operation.path) && of(item)));
        found.map_or((&Value::Null, &Value::Null), |(_, item)| (item, &item[&method]))
    }

    /// Returns true if the vendor's document has a response of success for an operation.
    pub(crate) fn has_success(&self, operation: &Operation) -> bool {
        let responses = self.vendors(operation).1["responses"].as_object();
        responses.into_iter().flatten().any(|(status, _)| status.starts_with('2') || status == "default")
    }

    /// Returns true if a JSON response lacks a field that the vendor's document requires. Prism does not see it below a
    /// reference that leads back to itself.
    pub(crate) fn lacks_required(&self, operation: &Operation, status: u16, body: &[u8]) -> bool {
        let responses = &self.vendors(operation).1["responses"];
        let response = self.resolve(responses.get(status.to_string()).unwrap_or(&responses["default"]));
        let content = response["content"].as_object().and_then(|content| content.values().next());
        let schema = response.get("schema").or_else(|| content.and_then(|entry| entry.get("schema")));
        let value = serde_json::from_slice(body).unwrap_or_default();
        schema.is_some_and(|schema| Maker::new(&self.original, false).lacks_required(schema, &value))
    }

    /// Returns true if the path of another operation of the same method fits a path as well.
    pub(crate) fn is_ambiguous(&self, operation: &Operation, path: &str) -> bool {
        let method = operation.method.to_lowercase();
        let paths = self.normalized["paths"].as_object().into_iter().flatten();
        let own = operation.path.replace("{*", "{");
        let mut others = paths.filter(|(other, item)| **other != own && item.get(&method).is_some());
        others.any(|(template, _)| {
            let (template, path) = (template.split('?').next().unwrap_or_default().split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template.zip(path).all(|(part, segment)| fits(part, segment))
        })
    }

    /// Returns the parameters that the vendor declares for an operation, without credentials.
    pub(crate) fn declared(&self, operation: &Operation) -> Vec<&Value> {
        let (item, node) = self.vendors(operation);
        let own = node["parameters"].as_array().into_iter().flatten();
        let all = own.chain(item["parameters"].as_array().into_iter().flatten()).map(|node| self.resolve(node));
        let mut kept: Vec<&Value> = Vec::new();
        let schemes = self.schemes();
        for parameter in all {
            let name = parameter["name"].as_str().unwrap_or_default().to_lowercase();
            let is_own = parameter["in"] == "header" && OWN_HEADERS.contains(&name.as_str());
            let is_key = schemes.iter().any(|scheme| {
                scheme["type"] == "apiKey" && scheme["name"].as_str().is_some_and(|key| key.to_lowercase() == name)
            });
            let same = |other: &&Value| other["name"] == parameter["name"] && other["in"] == parameter["in"];
            if !is_own && !is_key && !kept.iter().any(same) {
                kept.push(parameter);
            }
        }
        kept
    }

    /// Returns the security schemes.
    pub(crate) fn schemes(&self) -> Vec<&Value> {
        let new = self.original.pointer("/components/securitySchemes");
        let schemes = new.or(self.original.get("securityDefinitions")).and_then(Value::as_object);
        schemes.into_iter().flatten().map(|(_, scheme)| scheme).collect()
    }

    /// Returns the parameter that a setter sets.
    pub(crate) fn parameter(&self, operation: &Operation, setter: &str) -> Option<Parameter<'_>> {
        let list = self.normal(operation)["parameters"].as_array()?;
        let normal = list.iter().find(|node| bare(node["name"].as_str().unwrap_or_default()) == bare(setter))?;
        let name = normal.get("x-perenso-wire-name").unwrap_or(&normal["name"]).as_str()?.to_owned();
        let place = normal["in"].as_str()?;
        let declared = self.declared(operation);
        let marks = [' ', '*', '+'];
        let same = |node: &&&Value| {
            node["in"] == place && node["name"].as_str().is_some_and(|other| other.trim_matches(marks) == name)
        };
        let own = declared.iter().find(same).copied();
        let schema = match own {
            Some(node) => schema_of(node),
            None => self.field(&declared, &name).unwrap_or_else(|| normal["schema"].clone()),
        };
        Some(Parameter {
            place,
            is_required: normal["required"] == true,
            schema,
            separator: own.and_then(separator),
            name,
        })
    }

    /// Returns the schema of a field of an object that is a parameter.
    fn field(&self, declared: &[&Value], name: &str) -> Option<Value> {
        let maker = Maker::new(&self.original, false);
        declared.iter().filter(|node| node["in"] == "query").find_map(|node| {
            let object = node["name"].as_str()?;
            let field = name.strip_prefix(object).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']'));
            maker.flat(&schema_of(node), 0).0["properties"].get(field.unwrap_or(name)).cloned()
        })
    }

    /// Returns the vendor's schema of the body that the client sends.
    pub(crate) fn body(&self, operation: &Operation) -> Value {
        let (_, node) = self.vendors(operation);
        let declared = self.declared(operation);
        if let Some(body) = declared.iter().find(|parameter| parameter["in"] == "body") {
            return body["schema"].clone();
        }
        let fields: Vec<_> = declared.iter().filter(|parameter| parameter["in"] == "formData").collect();
        if !fields.is_empty() {
            let name = |field: &Value| field["name"].as_str().unwrap_or_default().to_owned();
            let properties: serde_json::Map<_, _> =
                fields.iter().map(|field| (name(field), schema_of(field))).collect();
            let required: Vec<_> = fields.iter().filter(|field| field["required"] == true).map(|f| name(f)).collect();
            return json!({ "type": "object", "properties": properties, "required": required });
        }
        let content = &self.resolve(&node["requestBody"])["content"];
        let wanted = media_type_of(self.normal(operation));
        let entries = || content.as_object().into_iter().flatten();
        let found = content
            .get(wanted)
            .or_else(|| entries().find(|(name, _)| name.split(';').next() == Some(wanted)).map(|(_, entry)| entry));
        let found = found.or_else(|| entries().find(|(name, _)| name.contains("json")).map(|(_, entry)| entry));
        found.or_else(|| entries().next().map(|(_, entry)| entry)).map_or(json!({}), |entry| entry["schema"].clone())
    }

    /// Returns true if a parameter is an object, whose fields are parameters.
    pub(crate) fn is_spread(&self, node: &Value) -> bool {
        let maker = Maker::new(&self.original, false);
        maker.flat(&schema_of(node), 0).0["properties"].as_object().is_some_and(|fields| !fields.is_empty())
    }

    pub(crate) fn resolve<'a>(&'a self, node: &'a Value) -> &'a Value {
        let target = node.get("$ref").and_then(|target| self.original.pointer(target.as_str()?.strip_prefix('#')?));
        target.unwrap_or(node)
    }
}

/// Returns true if a segment of a path fits that of a template.
fn fits(template: &str, segment: &str) -> bool {
    let mut fixed = template.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest));
    let Some(mut rest) = segment.strip_prefix(fixed.next().unwrap_or_default()) else { return false };
    if !template.contains('{') {
        return rest.is_empty();
    }
    for part in fixed {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = if part.is_empty() { rest } else { after };
    }
    template.ends_with('}') || rest.is_empty()
}

/// Returns the media type of the body of a normalised operation.
pub(crate) fn media_type_of(normal: &Value) -> &str {
    let body = &normal["requestBody"];
    let kept = body["x-perenso-media-type"].as_str();
    let only = || body["content"].as_object().and_then(|content| content.keys().next()).map(String::as_str);
    kept.or_else(only).unwrap_or_default()
}

/// Returns the node below the members of these names.
pub(crate) fn node<'a>(root: &'a Value, names: &[&str]) -> &'a Value {
    names.iter().fold(root, |node, name| node.get(name).unwrap_or(&Value::Null))
}

/// Returns the schema of a parameter, which is the parameter itself in Swagger 2.0.
fn schema_of(node: &Value) -> Value {
    let content = node["content"].as_object().and_then(|content| content.values().next());
    let schema = node.get("schema").or_else(|| content.and_then(|entry| entry.get("schema"))).unwrap_or(node);
    schema.clone()
}

fn separator(node: &Value) -> Option<&'static str> {
    let schema = schema_of(node);
    if crate::example::kind(&schema) != "array" && schema.get("$ref").is_none() {
        return None;
    }
    let is_query = node["in"] == "query";
    match (node["style"].as_str(), node["collectionFormat"].as_str()) {
        (_, Some("multi")) => None,
        (_, Some("ssv")) => Some(" "),
        (_, Some("tsv")) => Some("\t"),
        (_, Some("pipes")) => Some("|"),
        _ if node.get("schema").is_none() => Some(","),
        (Some("spaceDelimited"), _) if node["explode"] != true => Some(" "),
        (Some("pipeDelimited"), _) if node["explode"] != true => Some("|"),
        (None | Some("form"), _) if is_query && node["explode"] != false => None,
        (Some("deepObject"), _) => None,
        _ => Some(","),
    }
}

fn bare(name: &str) -> String {
    name.replace(|c: char| !c.is_alphanumeric(), "").to_lowercase()
}
