//! What the schema of a type says: its fields, and of what kinds their values are.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value as Json};

use super::kind::Kinds;

/// A field of a struct by the name that it is serialised under.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) kinds: Kinds,
    /// How often it is surely written: 0 where it may be left out, 2 where another field has its name.
    pub(crate) times: usize,
}

/// What a type writes.
#[derive(Debug)]
pub(crate) struct Fields {
    /// What the type itself is; fields are those of an object.
    pub(crate) kinds: Kinds,
    pub(crate) fields: BTreeMap<String, Field>,
    /// Whether fields of other names may be written, as by a map.
    pub(crate) is_open: bool,
    /// Whether the fields differ from value to value, as those of an enum.
    pub(crate) varies: bool,
}

impl Fields {
    pub(crate) fn of<T: JsonSchema + ?Sized>() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        Self::read(&settings.into_generator().into_root_schema_for::<T>().to_value())
    }

    fn read(root: &Json) -> Self {
        let reader = Reader { root };
        let kinds = reader.kinds(root, &mut Vec::new());
        let mut fields = Self { kinds, fields: BTreeMap::new(), is_open: false, varies: false };
        let mut required = Vec::new();
        reader.collect(root, &mut Vec::new(), &mut fields, &mut required);
        for name in required {
            if let Some(field) = fields.fields.get_mut(name) {
                field.times += 1;
            }
        }
        fields
    }
}

/// Reads a schema. A reference that leads back to itself, or nowhere, stands for no value.
struct Reader<'s> {
    root: &'s Json,
}

impl<'s> Reader<'s> {
    fn kinds(&self, schema: &'s Json, path: &mut Vec<&'s str>) -> Kinds {
        let schema = match schema {
            Json::Bool(false) => return Kinds::NONE,
            Json::Object(schema) => schema,
            _ => return Kinds::Any,
        };
        let mut kinds = Kinds::of_keywords(schema);
        if schema.contains_key("$ref") {
            kinds = kinds.and(
                self.follow(schema, path, |reader, target, path| reader.kinds(target, path)).unwrap_or(Kinds::NONE),
            );
        }
        for part in list(schema, "allOf").flatten() {
            kinds = kinds.and(self.kinds(part, path));
        }
        for choice in ["anyOf", "oneOf"] {
            for variants in list(schema, choice) {
                kinds =
                    kinds.and(variants.iter().fold(Kinds::NONE, |kinds, variant| kinds.or(self.kinds(variant, path))));
            }
        }
        kinds
    }

    fn collect(&self, schema: &'s Json, path: &mut Vec<&'s str>, fields: &mut Fields, required: &mut Vec<&'s str>) {
        let Json::Object(schema) = schema else {
            return;
        };
        self.follow(schema, path, |reader, target, path| reader.collect(target, path, fields, required));
        for part in list(schema, "allOf").flatten() {
            self.collect(part, path, fields, required);
        }
        for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let kinds = self.kinds(property, &mut Vec::new());
            fields.fields.insert(name.clone(), Field { kinds, times: 0 });
        }
        required.extend(list(schema, "required").flatten().filter_map(Json::as_str));
        fields.varies |= ["anyOf", "oneOf"].iter().any(|choice| schema.contains_key(*choice));
        fields.is_open |= ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|others| schema.get(*others).is_some_and(|others| *others != Json::Bool(false)));
        fields.is_open |= schema.contains_key("patternProperties");
    }

    /// What is read where the schema refers to.
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

/// The list under a keyword, where there is one.
fn list<'s>(schema: &'s Map<String, Json>, keyword: &str) -> impl Iterator<Item = &'s Vec<Json>> {
    schema.get(keyword).and_then(Json::as_array).into_iter()
}
