//! The fields of a type by its JSON Schema.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value as Json};

use super::value_kind::ValueKinds;

/// A field in the schema of a struct.
#[derive(Debug)]
pub(crate) struct SchemaField {
    pub(crate) kinds: ValueKinds,
    /// Guaranteed occurrences: 0 for an optional field, 2 if two fields have this name.
    pub(crate) occurrences: usize,
}

/// The serialised form of a type, by its schema.
#[derive(Debug)]
pub(crate) struct SchemaFields {
    /// The kinds of the type itself.
    pub(crate) kinds: ValueKinds,
    pub(crate) fields: BTreeMap<String, SchemaField>,
    /// True if other field names are possible, as in a map.
    pub(crate) is_open: bool,
    /// True if the fields differ between values, as in an enum.
    pub(crate) varies: bool,
}

impl SchemaFields {
    pub(crate) fn of<T: JsonSchema + ?Sized>() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        Self::read(&settings.into_generator().into_root_schema_for::<T>().to_value())
    }

    fn read(root: &Json) -> Self {
        let reader = SchemaReader { root };
        let kinds = reader.kinds(root, &mut Vec::new());
        let mut fields = Self { kinds, fields: BTreeMap::new(), is_open: false, varies: false };
        let mut required = Vec::new();
        reader.collect(root, &mut Vec::new(), &mut fields, &mut required);
        for name in required {
            if let Some(field) = fields.fields.get_mut(name) {
                field.occurrences += 1;
            }
        }
        fields
    }
}

/// Reads a schema. A cyclic or dangling reference permits no values.
struct SchemaReader<'s> {
    root: &'s Json,
}

impl<'s> SchemaReader<'s> {
    fn kinds(&self, schema: &'s Json, path: &mut Vec<&'s str>) -> ValueKinds {
        let schema = match schema {
            Json::Bool(false) => return ValueKinds::NONE,
            Json::Object(schema) => schema,
            _ => return ValueKinds::Any,
        };
        let mut kinds = ValueKinds::of_keywords(schema);
        if schema.contains_key("$ref") {
            kinds = kinds.and(
                self.follow(schema, path, |reader, target, path| reader.kinds(target, path))
                    .unwrap_or(ValueKinds::NONE),
            );
        }
        for part in arrays(schema, "allOf").flatten() {
            kinds = kinds.and(self.kinds(part, path));
        }
        for choice in ["anyOf", "oneOf"] {
            for variants in arrays(schema, choice) {
                kinds = kinds
                    .and(variants.iter().fold(ValueKinds::NONE, |kinds, variant| kinds.or(self.kinds(variant, path))));
            }
        }
        kinds
    }

    fn collect(
        &self,
        schema: &'s Json,
        path: &mut Vec<&'s str>,
        fields: &mut SchemaFields,
        required: &mut Vec<&'s str>,
    ) {
        let Json::Object(schema) = schema else {
            return;
        };
        self.follow(schema, path, |reader, target, path| reader.collect(target, path, fields, required));
        for part in arrays(schema, "allOf").flatten() {
            self.collect(part, path, fields, required);
        }
        for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let kinds = self.kinds(property, &mut Vec::new());
            fields.fields.insert(name.clone(), SchemaField { kinds, occurrences: 0 });
        }
        required.extend(arrays(schema, "required").flatten().filter_map(Json::as_str));
        fields.varies |= ["anyOf", "oneOf"].iter().any(|choice| schema.contains_key(*choice));
        fields.is_open |= ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|others| schema.get(*others).is_some_and(|others| *others != Json::Bool(false)));
        fields.is_open |= schema.contains_key("patternProperties");
    }

    /// Resolves `$ref` and reads its target.
    fn follow<R>(
        &self,
        schema: &'s Map<String, Json>,
        path: &mut Vec<&'s str>,
        read: impl FnOnce(&Self, &'s Json, &mut Vec<&'s str>) -> R,
    ) -> Option<R> {
        let reference = schema.get("$ref")?.as_str()?;
        if path.contains(&reference) {
            return None;
        }
        let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
        let target = self.root.pointer(&pointer)?;
        path.push(reference);
        let result = read(self, target, path);
        path.pop();
        Some(result)
    }
}

/// Iterates over the array under a keyword, if there is one.
fn arrays<'s>(schema: &'s Map<String, Json>, keyword: &str) -> impl Iterator<Item = &'s Vec<Json>> {
    schema.get(keyword).and_then(Json::as_array).into_iter()
}
