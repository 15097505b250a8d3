//! Path templates: a slash first, balanced braces, queries as parameters, every parameter declared.

use serde_json::{Map, Value, json};

use crate::{
    document::operations::{METHODS, REST_OF_PATH, pointer},
    normalize::Log,
};

/// Cleans the paths. An operation whose path is no template, or equals another one, is left out.
pub(crate) fn clean(root: &mut Value, log: &mut Log<'_>) {
    let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) else { return };
    let before = std::mem::take(paths);
    for (path, item) in &before {
        for method in METHODS {
            let Some(mut operation) = item.get(method).and_then(Value::as_object).cloned() else { continue };
            let place = pointer(path, method);
            let is_taken = |path: &str| {
                path_has(paths, path, method) || before.get(path).is_some_and(|item| item.get(method).is_some())
            };
            let mut list = match operation.remove("parameters") {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            };
            match clean_path(path, &mut list, is_taken) {
                Ok(cleaned) => {
                    if cleaned != *path {
                        log.changed(&place, format!("the path is written `{cleaned}`"));
                    }
                    declare(&cleaned, &mut list, &place, log);
                    operation.insert("parameters".into(), Value::Array(list));
                    paths.entry(cleaned).or_insert_with(|| json!({}))[method] = Value::Object(operation);
                }
                Err(reason) => log.left_out(&place, format!("the operation is left out: {reason}")),
            }
        }
    }
}

fn path_has(paths: &Map<String, Value>, path: &str, method: &str) -> bool {
    paths.get(path).is_some_and(|item| item.get(method).is_some())
}

fn clean_path(path: &str, list: &mut Vec<Value>, is_taken: impl Fn(&str) -> bool) -> Result<String, String> {
    let mut cleaned = path.trim().to_string();
    if !cleaned.starts_with('/') {
        cleaned.insert(0, '/');
    }
    names(&cleaned)?;
    // A query in the path tells operations apart in some documents, and has to stay in those.
    if let Some((start, query)) = cleaned.clone().split_once('?')
        && !is_taken(start)
    {
        let (moved, kept): (Vec<_>, Vec<_>) = query.split('&').partition(|part| part.contains('{'));
        let kept = kept.join("&");
        cleaned = if kept.is_empty() { start.to_string() } else { format!("{start}?{kept}") };
        for part in moved {
            move_to_query(part, list);
        }
    }
    if cleaned != path && is_taken(&cleaned) {
        return Err(format!("its path equals `{cleaned}`, which has the same method"));
    }
    Ok(cleaned)
}

/// Makes a query parameter of `name={parameter}`.
fn move_to_query(part: &str, list: &mut Vec<Value>) {
    let parameter = part.split_once('{').map_or("", |(_, rest)| rest.split('}').next().unwrap_or_default());
    let name = part.split('=').next().filter(|name| !name.contains('{')).unwrap_or(parameter).to_string();
    let declared = list.iter().position(|declared| {
        declared["name"] == parameter && ["path", "query"].contains(&declared["in"].as_str().unwrap_or_default())
    });
    let mut moved = match declared {
        Some(index) => list.remove(index),
        None => json!({ "schema": { "type": "string" }, "required": true }),
    };
    moved["in"] = json!("query");
    moved["name"] = json!(name);
    list.retain(|declared| declared["name"] != moved["name"] || declared["in"] != "query");
    list.push(moved);
}

/// Declares the parameters of a path that an operation does not declare, and removes those that the path lacks.
fn declare(path: &str, list: &mut Vec<Value>, place: &str, log: &mut Log<'_>) {
    let names = names(path).unwrap_or_default();
    let is_declared = |list: &[Value], name: &str| list.iter().any(|p| p["in"] == "path" && p["name"] == name);
    for name in names.iter().filter(|name| is_rest(name)) {
        let bare = name.trim_matches(['*', '+']);
        // The mark is not always a part of the declared name.
        if !is_declared(list, name)
            && let Some(declared) = list.iter_mut().find(|p| p["in"] == "path" && p["name"] == bare)
        {
            declared["name"] = json!(name);
        }
    }
    list.retain(|parameter| {
        let gone = parameter["in"] == "path" && !names.iter().any(|name| parameter["name"] == *name);
        if gone {
            log.lost(place, format!("the path has no parameter {}: it is ignored", parameter["name"]));
        }
        !gone
    });
    for name in names {
        if !is_declared(list, name) {
            log.changed(place, format!("the path parameter `{name}` is not declared: it is a string"));
            list.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
        }
        if is_rest(name) {
            list.iter_mut()
                .filter(|p| p["in"] == "path" && p["name"] == name)
                .for_each(|p| p[REST_OF_PATH] = json!(true));
        }
    }
}

/// Returns true for the name of a parameter that takes several segments: `*path` and `**path` in ASP.NET, `path+` in AWS, `path*`.
fn is_rest(name: &str) -> bool {
    name.starts_with(['*', '+']) || name.ends_with(['*', '+'])
}

/// Returns the names in the braces of a path, each once.
pub(super) fn names(path: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some(start) = rest.find(['{', '}']) {
        let inner = rest[start..].strip_prefix('{').ok_or_else(|| format!("`{path}` has a `}}` without `{{`"))?;
        let end = inner.find(['{', '}', '/']).filter(|end| inner[*end..].starts_with('}'));
        let end = end.ok_or_else(|| format!("`{path}` has a `{{` without `}}`"))?;
        match &inner[..end] {
            "" => return Err(format!("`{path}` has a parameter without name")),
            name if !names.contains(&name) => names.push(name),
            _ => {}
        }
        rest = &inner[end + 1..];
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, normalize::tests::run};

    #[test]
    fn parameters_are_those_of_the_path() {
        let (root, effects) = run(
            clean,
            json!({ "paths": { "orders/{id}": { "get": { "parameters": [{ "name": "other", "in": "path" }] } } } }),
        );
        assert_eq!(
            root["paths"],
            json!({ "/orders/{id}": { "get": { "parameters": [
                { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }
            ] } } })
        );
        assert_eq!(effects.len(), 3);
    }

    #[test]
    fn a_parameter_that_takes_the_rest_of_a_path_is_marked() {
        let (root, _) = run(
            clean,
            json!({ "paths": {
                "/files/{*file}": { "get": { "parameters": [{ "name": "file", "in": "path", "required": true }] } },
                "/proxy/{proxy+}": { "get": {} }
            } }),
        );
        assert_eq!(
            root["paths"]["/files/{*file}"]["get"]["parameters"],
            json!([{ "name": "*file", "in": "path", "required": true, "x-perenso-rest-of-path": true }])
        );
        assert_eq!(root["paths"]["/proxy/{proxy+}"]["get"]["parameters"][0]["x-perenso-rest-of-path"], true);
    }

    #[test]
    fn a_query_in_a_path_becomes_parameters() {
        let (root, _) = run(
            clean,
            json!({ "paths": { "/orders?sort=up&page={p}": { "get": { "parameters": [
                { "name": "p", "in": "path", "required": true, "schema": { "type": "integer" } }
            ] } } } }),
        );
        assert_eq!(
            root["paths"],
            json!({ "/orders?sort=up": { "get": { "parameters": [
                { "name": "page", "in": "query", "required": true, "schema": { "type": "integer" } }
            ] } } })
        );
    }

    #[test]
    fn a_query_that_tells_paths_apart_stays() {
        let paths = json!({ "/a": { "get": { "parameters": [] } }, "/a?b=1": { "get": { "parameters": [] } } });
        assert_eq!(run(clean, json!({ "paths": paths })), (json!({ "paths": paths }), vec![]));
    }

    #[test]
    fn what_is_no_template_is_left_out() {
        let (root, effects) = run(
            clean,
            json!({ "paths": { "/a/{b": { "get": {} }, "/{}": { "put": {} }, "/c": { "get": {} },
            "c": { "get": {} } } }),
        );
        assert_eq!(root["paths"].as_object().unwrap().len(), 1);
        let out = |place: &str| (Effect::LeftOut, place.to_string());
        assert_eq!(effects, [out("/paths/~1a~1{b/get"), out("/paths/~1{}/put"), out("/paths/c/get")]);
    }
}
