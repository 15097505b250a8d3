//! Compares a plain document with a facade. Types that differ in their notation only become those of the facade.

use serde_json::{Value, json};

use super::{
    Facade, Field, Method, Operation, Unmet,
    bind::{add_field, component, property},
    kind::{Kind, Presence, Shape},
    take::{absent, take},
};
use crate::document::{
    pointer::{local, segment},
    schemas::OTHERS,
};

/// Headers that the client sets itself.
const OWN_HEADERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Returns the requirements that the document does not meet.
pub(super) fn check(root: &mut Value, facade: &Facade) -> Vec<Unmet> {
    let mut checker = Checker { root, facade, unmet: Vec::new(), absent: Vec::new() };
    facade.operations.iter().for_each(|operation| checker.operation(operation));
    for (record, field, shape) in std::mem::take(&mut checker.absent) {
        let schema = absent(checker.root, &shape);
        let fields = checker.root.pointer_mut(&format!("{}/properties", component(&record)));
        if let Some(fields) = fields.and_then(Value::as_object_mut) {
            add_field(fields, &field, schema);
        }
    }
    checker.unmet
}

struct Checker<'a> {
    root: &'a mut Value,
    facade: &'a Facade,
    unmet: Vec<Unmet>,
    /// Fields that are added at the end, so that every method that uses one is named.
    absent: Vec<(String, String, Shape)>,
}

/// A parameter: its place, name, and whether the document requires it.
struct Parameter {
    pointer: String,
    place: String,
    name: String,
    required: bool,
}

impl Checker<'_> {
    /// Notes a requirement of a method, or of all methods of an operation.
    fn unmet(&mut self, operation: &Operation, method: Option<&Method>, what: impl Fn(&str) -> String) {
        let all = operation.methods.iter().filter(|other| method.is_none_or(|method| method.name == other.name));
        self.unmet.extend(all.map(|method| Unmet {
            method: method.name.clone(),
            operation: operation.name.clone(),
            message: what(&format!("`{}`", method.name)),
            optional: false,
        }));
    }

    fn operation(&mut self, operation: &Operation) {
        let name = &operation.name;
        if !self.root["paths"][&operation.path][&operation.method].is_object() {
            let similar = similar(self.root, operation).map(|path| format!("; it has the path `{path}`"));
            let similar = similar.unwrap_or_default();
            return self.unmet(operation, None, |method| {
                format!("{method} needs `{name}`, which the document lacks{similar}")
            });
        }
        // A hand-written method reads one type of response.
        let node = self.root.pointer_mut(&operation.pointer()).and_then(Value::as_object_mut);
        node.map(|node| node.remove(OTHERS));
        self.parameters(operation);
        self.body(operation);
        self.response(operation);
        for method in &operation.methods {
            self.fields(operation, method);
        }
    }

    fn parameters(&mut self, operation: &Operation) {
        let name = &operation.name;
        let parameters = parameters(self.root, operation);
        let sent =
            |name: &str| operation.methods.iter().any(|method| method.query.iter().any(|(sent, _)| sent == name));
        for Parameter { pointer, place, name: parameter, required } in &parameters {
            if place == "path" {
                if let Err(found) = self.take(&format!("{pointer}/schema"), &Shape::Id) {
                    self.unmet(operation, None, |method| {
                        format!(
                            "{method} expects the path parameter `{parameter}` of `{name}` to be an id, found {found}"
                        )
                    });
                }
                continue;
            }
            let is_own = place == "header" && OWN_HEADERS.contains(&parameter.to_ascii_lowercase().as_str());
            if *required && !is_own && !(place == "query" && sent(parameter)) {
                self.unmet(operation, None, |method| {
                    format!("{method} does not send the {place} parameter `{parameter}` of `{name}`, which the document requires")
                });
            }
        }
        for method in &operation.methods {
            for (sent, kind) in &method.query {
                let found = parameters.iter().find(|parameter| parameter.place == "query" && parameter.name == *sent);
                let Some(found) = found else {
                    self.lacks(operation, method, kind, &format!("query parameter `{sent}` of `{name}`"));
                    continue;
                };
                if let Err(found) = self.take(&format!("{}/schema", found.pointer), &kind.shape) {
                    let expected = &kind.shape;
                    self.unmet(operation, Some(method), |method| {
                        format!(
                            "{method} expects the query parameter `{sent}` of `{name}` to be {expected}, found {found}"
                        )
                    });
                }
            }
        }
    }

    fn body(&mut self, operation: &Operation) {
        let name = &operation.name;
        let found = body(self.root, &operation.pointer());
        let Some(kind) = &operation.body else {
            if found.is_some_and(|pointer| self.root.pointer(&pointer).is_some_and(|body| body["required"] == true)) {
                self.unmet(operation, None, |method| {
                    format!("{method} sends no body to `{name}`, which the document requires")
                });
            }
            return;
        };
        let Some(pointer) = found else {
            return self.unmet(operation, None, |method| {
                format!("{method} sends a body to `{name}`, which takes none in the document")
            });
        };
        self.body_of(operation, "request body", &pointer, kind);
        if let Some(body) = self.root.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            let required = kind.presence == Presence::Required;
            if body.get("required").is_some_and(|before| before == true) != required {
                body.insert("required".into(), json!(required));
            }
        }
    }

    fn response(&mut self, operation: &Operation) {
        let (name, Some(kind)) = (&operation.name, &operation.response) else { return };
        match response(self.root, &operation.pointer()) {
            None => self.unmet(operation, None, |method| {
                format!("{method} expects the response of `{name}` to be {}, found no response of success", kind.shape)
            }),
            Some(pointer) if kind.shape == Shape::Raw => {
                let response = self.root.pointer_mut(&pointer).and_then(Value::as_object_mut);
                if let Some(response) = response
                    .filter(|response| response.get("content").is_none_or(|content| content.get("*/*").is_none()))
                {
                    response.insert("content".into(), json!({ "*/*": {} }));
                }
            }
            Some(pointer) => self.body_of(operation, "response", &pointer, kind),
        }
    }

    fn body_of(&mut self, operation: &Operation, part: &str, pointer: &str, kind: &Kind) {
        let found = match json_schema(self.root, pointer) {
            Some(schema) => self.take(&schema, &kind.shape),
            None => Err("no JSON".to_owned()),
        };
        if let Err(found) = found {
            let (name, expected) = (&operation.name, &kind.shape);
            self.unmet(operation, None, |method| {
                format!("{method} expects the {part} of `{name}` to be {expected}, found {found}")
            });
        }
    }

    fn fields(&mut self, operation: &Operation, method: &Method) {
        let name = &operation.name;
        for field in &method.fields {
            let Field { record, name: field, kind } = field;
            let pointer = property(record, field);
            // Without the record, the body or the field that should hold it is named.
            if self.root.pointer(&component(record)).is_none() {
                continue;
            }
            let expected = &kind.shape;
            if self.root.pointer(&pointer).is_none() {
                self.lacks(operation, method, kind, &format!("field `{field}` of `{record}` (`{name}`)"));
                if kind.presence == Presence::IfAny {
                    self.absent.push((record.clone(), field.clone(), expected.clone()));
                }
            } else if let Err(found) = self.take(&pointer, expected) {
                self.unmet(operation, Some(method), |method| {
                    format!(
                        "{method} expects the field `{field}` of `{record}` (`{name}`) to be {expected}, found {found}"
                    )
                });
            }
        }
        for record in &method.only {
            let fields = self.root.pointer(&format!("{}/properties", component(record))).and_then(Value::as_object);
            let known =
                |field: &&String| method.fields.iter().any(|known| known.record == *record && known.name == **field);
            let others: Vec<String> =
                fields.into_iter().flatten().map(|(field, _)| field).filter(|field| !known(field)).cloned().collect();
            for other in others {
                self.unmet(operation, Some(method), |method| {
                    format!("{method} knows all fields of `{record}`, and not `{other}`, which the document has")
                });
            }
        }
    }
}

impl Checker<'_> {
    /// Notes a part that the document lacks, and that the method may do without.
    fn lacks(&mut self, operation: &Operation, method: &Method, kind: &Kind, part: &str) {
        let optional = kind.presence == Presence::IfAny;
        let verb = if optional { "uses" } else { "needs" };
        let message = format!("`{}` {verb} the {part}, which the document lacks", method.name);
        self.unmet.push(Unmet { method: method.name.clone(), operation: operation.name.clone(), message, optional });
    }

    fn take(&mut self, place: &str, shape: &Shape) -> Result<(), String> {
        take(self.root, self.facade, place, shape)
    }
}

/// Follows the references of a part that is no schema.
fn resolve(root: &Value, pointer: String) -> Option<String> {
    let mut pointer = pointer;
    for _ in 0..32 {
        match root.pointer(&pointer)?["$ref"].as_str() {
            Some(reference) => pointer = local(reference)?,
            None => return Some(pointer),
        }
    }
    None
}

/// Returns the pointer of the body of an operation.
pub(super) fn body(root: &Value, operation: &str) -> Option<String> {
    resolve(root, format!("{operation}/requestBody"))
}

/// Returns the pointer of the response of success.
pub(super) fn response(root: &Value, operation: &str) -> Option<String> {
    let responses = root.pointer(operation)?["responses"].as_object()?;
    let status = responses.keys().find(|status| status.starts_with('2'))?;
    resolve(root, format!("{operation}/responses/{}", segment(status)))
}

/// Returns the pointer of the JSON schema of a body.
pub(super) fn json_schema(root: &Value, body: &str) -> Option<String> {
    let content = root.pointer(body)?["content"].as_object()?;
    let (name, _) =
        content.iter().find(|(name, media)| name.starts_with("application/json") && media["schema"].is_object())?;
    Some(format!("{body}/content/{}/schema", segment(name)))
}

/// Returns the parameters of an operation. Those of the path come first, unless the operation has the same.
fn parameters(root: &Value, operation: &Operation) -> Vec<Parameter> {
    let path = format!("/paths/{}/parameters", segment(&operation.path));
    let mut all: Vec<Parameter> = Vec::new();
    for list in [path, format!("{}/parameters", operation.pointer())] {
        let count = root.pointer(&list).and_then(Value::as_array).map_or(0, Vec::len);
        for pointer in (0..count).filter_map(|index| resolve(root, format!("{list}/{index}"))) {
            let node = root.pointer(&pointer).unwrap_or(&Value::Null);
            let text = |name: &str| node[name].as_str().map(str::to_owned);
            let name = text("x-perenso-wire-name").or_else(|| text("name")).unwrap_or_default();
            let place = text("in").unwrap_or_default();
            all.retain(|other| other.place != place || other.name != name);
            all.push(Parameter { required: node["required"] == true, pointer, place, name });
        }
    }
    all
}

/// Returns a path that differs in case or a last slash only.
fn similar<'a>(root: &'a Value, operation: &Operation) -> Option<&'a String> {
    let plain = |path: &str| path.trim_end_matches('/').to_lowercase();
    let mut paths = root["paths"].as_object().into_iter().flatten();
    let found = paths.find(|(path, item)| plain(path) == plain(&operation.path) && item[&operation.method].is_object());
    found.map(|(path, _)| path)
}
