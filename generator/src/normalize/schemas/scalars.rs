//! Timestamps and decimal numbers, each a component of its own, which the code generator replaces by our types.

use serde_json::{Map, Value, json};

use super::{is_nullable, nullable, put_components, take_components};
use crate::{
    document::{pointer::schema_reference, schemas::each_schema},
    normalize::{
        Log, NumberType,
        names::{type_name, unique},
    },
};

/// The member of a component that names the type that replaces it.
pub(crate) const TYPE: &str = "x-perenso-type";

/// The values of [`TYPE`], with the component that is made for each and its format.
const KINDS: [(&str, &str, &str, &str); 3] = [
    ("timestamp", "Timestamp", "date-time", "A timestamp, with or without an offset."),
    // Many servers write the time of day as well.
    ("timestamp", "Date", "date", "A date."),
    ("decimal", "Decimal", "", "A decimal number with all its digits."),
];

/// Refers to one component for each kind of scalar. A component that is such a scalar itself keeps its name.
pub(crate) fn name(root: &mut Value, log: &mut Log<'_>) {
    let decimals = log.options.numbers == NumberType::Decimal;
    let mut schemas = take_components(root);
    let mut taken = schemas.keys().map(|name| type_name(name)).collect();
    for (_, schema) in schemas.iter_mut() {
        if let Some(index) = kind(schema, decimals)
            && let Some(map) = schema.as_object_mut()
        {
            map.insert(TYPE.into(), json!(KINDS[index].0));
        }
    }
    put_components(root, schemas);
    let mut names: [Option<String>; 3] = [None, None, None];
    each_schema(root, &mut |schema, _| {
        let Some(index) = kind(schema, decimals).filter(|_| schema.get(TYPE).is_none()) else { return };
        let name = names[index].get_or_insert_with(|| unique(KINDS[index].1, &mut taken));
        let reference = schema_reference(name);
        *schema = if is_nullable(schema) { nullable(reference) } else { reference };
    });
    let mut made = Map::new();
    for (name, (kind, _, format, description)) in names.into_iter().zip(KINDS) {
        let Some(name) = name else { continue };
        let mut schema = json!({ "type": if format.is_empty() { "number" } else { "string" }, TYPE: kind });
        if !format.is_empty() {
            schema["format"] = json!(format);
        }
        schema["description"] = json!(description);
        made.insert(name, schema);
    }
    if let Some(schemas) = root.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(made);
    }
}

fn kind(schema: &Value, decimals: bool) -> Option<usize> {
    match schema.get("type")?.as_str()? {
        "string" if schema["format"] == "date-time" => Some(0),
        "string" if schema["format"] == "date" => Some(1),
        "number" if decimals => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::tests::run;

    #[test]
    fn scalars_refer_to_one_component_each() {
        let (root, _) = run(
            name,
            json!({ "components": { "schemas": {
                "timestamp": { "type": "string" },
                "Amount": { "type": "number", "description": "d" },
                "A": { "type": "object", "properties": {
                    "at": { "type": "string", "format": "date-time", "description": "d" },
                    "day": { "type": "string", "format": "date" },
                    "sum": { "type": "number", "nullable": true }
                } }
            } } }),
        );
        let schemas = &root["components"]["schemas"];
        assert_eq!(schemas["Amount"], json!({ "type": "number", "description": "d", "x-perenso-type": "decimal" }));
        assert_eq!(
            schemas["A"]["properties"],
            json!({
                "at": { "$ref": "#/components/schemas/Timestamp2" },
                "day": { "$ref": "#/components/schemas/Date" },
                "sum": { "allOf": [{ "$ref": "#/components/schemas/Decimal" }], "nullable": true }
            })
        );
        assert_eq!(schemas["Timestamp2"]["x-perenso-type"], "timestamp");
        assert_eq!(
            schemas["Date"],
            json!({
                "type": "string", "format": "date", "description": "A date.", "x-perenso-type": "timestamp"
            })
        );
        assert_eq!(schemas["Decimal"]["type"], "number");
    }
}
