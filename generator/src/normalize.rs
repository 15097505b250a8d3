//! Turns a document of any version into one that the code generator takes: plain OpenAPI 3.0.3, in named steps.

mod check;
mod descriptions;
mod extensions;
mod head;
pub(crate) mod names;
pub(crate) mod operations;
pub(crate) mod schemas;
mod swagger;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Document, Effect, Problem, Report,
    document::pointer::{COMPONENTS, segment, unescape},
};

/// A document that the code generator takes, and the account of what that took.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Normalized {
    /// The document, as OpenAPI 3.0.3.
    pub root: Value,
    /// The changes, and the parts that were lost or left out.
    pub report: Report,
}

/// The choices of the normalisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The type of numbers that may have a fraction.
    pub numbers: NumberType,
}

/// The type of numbers that may have a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberType {
    /// A decimal number, which is exact up to 15 digits.
    #[default]
    Decimal,
    /// An `f64`.
    F64,
}

/// A step: it changes the document and logs what it changed and lost.
type Step = fn(&mut Value, &mut Log<'_>);

/// The steps in order. Each relies on what those before it have done.
const STEPS: &[(&str, Step)] = &[
    ("extensions", extensions::check),
    ("Swagger 2.0", swagger::convert),
    ("head", head::clean),
    ("references to operations' parts", operations::inline::inline),
    ("references to schemas", schemas::references::unify),
    ("other names", schemas::aliases::resolve),
    ("descriptions", descriptions::clean),
    ("tags", operations::tags::unify),
    ("operation ids", operations::ids::assign),
    ("paths", operations::paths::clean),
    ("parameters", operations::parameters::clean),
    ("request bodies", operations::bodies::choose),
    ("responses", operations::responses::choose),
    ("schema dialect", schemas::dialect::translate),
    ("values as alternatives", schemas::constants::collect),
    ("discriminators", schemas::alternatives::note),
    ("limits", schemas::limits::remove),
    ("enums", schemas::enums::clean),
    ("schema names", schemas::rename::clean),
    // Before types are merged, so that what inherits a field has the same type of it.
    ("inline types", schemas::hoist::hoist),
    ("allOf", schemas::all_of::flatten),
    ("oneOf and anyOf", schemas::unions::merge),
    // What `allOf` and the alternatives have made.
    ("enums", schemas::enums::clean),
    ("null", schemas::nulls::unify),
    ("other names", schemas::aliases::resolve),
    ("shapes of parameters", operations::shapes::flatten),
    ("timestamps and numbers", schemas::scalars::name),
    ("fields", schemas::fields::separate),
    ("forms", operations::forms::flatten),
    ("forms of several parts", operations::parts::name_files),
    ("inline types", schemas::hoist::hoist),
    ("equal types", schemas::equal::share),
    ("parameter names", operations::parameter_names::separate),
    ("check", check::check),
];

/// Turns a document into one that the code generator takes.
///
/// The result is plain OpenAPI 3.0.3. What that cannot say is in extensions:
///
/// | member of | name | meaning |
/// |---|---|---|
/// | schema | `x-perenso-type` | `timestamp`, `decimal` or `file`: the type that replaces it |
/// | schema | `x-enum-varnames` | the names of the values of an enum |
/// | schema | `x-enum-descriptions` | the descriptions of the values of an enum |
/// | schema | `x-perenso-union` | the rules by which the alternatives of its `oneOf` are told apart |
/// | schema | `x-perenso-numeric-string` | true for a number that a server may write as a string |
/// | parameter | `x-perenso-rest-of-path` | true for a value that is the rest of the path, slashes included |
/// | parameter | `x-perenso-wire-name` | the name that is sent, where Rust needs another one |
/// | request body | `x-perenso-media-type` | the media type of bytes |
/// | request body | `x-perenso-form-separators` | the separators of lists in a form whose names are not repeated |
/// | request body | `x-perenso-multipart` | the schema of a multipart body |
/// | request body | `x-perenso-part-types` | the media types of its parts, by name |
/// | operation | `x-perenso-other-responses` | further responses of success, by status |
///
/// An overlay pins names by two more: `x-operation-name` of an operation and `x-type-name` of an inline schema.
///
/// Nothing in a document makes it fail: an operation for which no code can be generated is left out, and the report names it.
pub fn normalize(document: &Document, options: &Options) -> Normalized {
    run(document, options, STEPS)
}

/// Takes a document that is plain already, without extensions that are misspelt.
pub(crate) fn plain(document: &Document) -> Normalized {
    run(document, &Options::default(), &[("extensions", extensions::check)])
}

fn run(document: &Document, options: &Options, steps: &[(&'static str, Step)]) -> Normalized {
    let mut root = document.root().clone();
    let mut report = Report::default();
    let mut origins = BTreeMap::new();
    for (step, run) in steps {
        run(&mut root, &mut Log { step, options, report: &mut report, origins: &mut origins });
    }
    Normalized { root, report }
}

/// The report, as a step writes to it.
pub(crate) struct Log<'a> {
    step: &'static str,
    options: &'a Options,
    report: &'a mut Report,
    /// The place in the document before normalisation of each component schema that has another one now.
    origins: &'a mut BTreeMap<String, String>,
}

impl Log<'_> {
    /// Logs that the same meaning is written in another way.
    pub(crate) fn changed(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Effect::Changed, pointer, message.into());
    }

    /// Logs that something is less exact than the document.
    pub(crate) fn lost(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Effect::Lost, pointer, message.into());
    }

    /// Logs that an operation is left out.
    pub(crate) fn left_out(&mut self, pointer: &str, message: impl Into<String>) {
        self.add(Effect::LeftOut, pointer, message.into());
    }

    /// Notes where a component schema comes from.
    pub(crate) fn moved(&mut self, name: &str, from: &str) {
        let from = self.origin(from);
        self.origins.insert(name.to_string(), from);
    }

    /// Notes the new names of component schemas.
    pub(crate) fn renamed(&mut self, names: &BTreeMap<String, String>) {
        let origin = |name: &String| self.origin(&format!("{COMPONENTS}{}", segment(name)));
        *self.origins = names.iter().map(|(old, new)| (new.clone(), origin(old))).collect();
    }

    /// Returns the pointer before normalisation of a part of a component schema.
    pub(crate) fn origin(&self, pointer: &str) -> String {
        let Some(rest) = pointer.strip_prefix(COMPONENTS) else { return pointer.to_string() };
        let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        match self.origins.get(&unescape(name)) {
            Some(origin) => format!("{origin}{rest}"),
            None => pointer.to_string(),
        }
    }

    fn add(&mut self, effect: Effect, pointer: &str, message: String) {
        let pointer = self.origin(pointer);
        self.report.problems.push(Problem { step: self.step, effect, pointer, message });
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// Runs one step. Returns the document and the effects with their places.
    pub(crate) fn run(step: Step, mut root: Value) -> (Value, Vec<(Effect, String)>) {
        let mut report = Report::default();
        let (options, mut origins) = (Options::default(), BTreeMap::new());
        step(&mut root, &mut Log { step: "step", options: &options, report: &mut report, origins: &mut origins });
        (root, report.problems.into_iter().map(|problem| (problem.effect, problem.pointer)).collect())
    }

    /// Runs one step over one component schema `A`. Returns the schema and the effects with their places.
    pub(crate) fn run_on_schema(step: Step, schema: Value) -> (Value, Vec<(Effect, String)>) {
        let (mut root, effects) = run(step, json!({ "components": { "schemas": { "A": schema } } }));
        (root["components"]["schemas"]["A"].take(), effects)
    }

    #[test]
    fn a_problem_is_where_the_vendor_finds_it() {
        let document = json!({ "swagger": "2.0", "definitions": { "Api.Order": { "properties": { "lines": { "items": {
            "properties": { "state": { "enum": ["a", "b"] }, "fooBar": {}, "foo_bar": {} }
        } } } } } });
        let report = normalize(&Document::from_value(document).unwrap(), &Options::default()).report;
        let lost: Vec<_> = report.lost().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(lost, ["/definitions/Api.Order/properties/lines/items"]);
    }
}
