//! The facade: what hand-written methods over a generated client rely on in its document.

mod bind;
mod check;
mod kind;
mod pin;
mod read;
mod take;

use std::fmt;

use serde_json::{Map, Value};

use self::kind::{Kind, Shape};
pub use self::read::FacadeError;
use crate::{Document, DocumentError, Options, Report, normalize};

/// The requirements of hand-written methods over a generated client: operations, parameters, records and the fields that they use by name.
///
/// A [`Generator`](crate::Generator) with a facade makes the document fit as far as its content allows: it pins the names of
/// operations and records, makes one record of those that a method treats as one, and reads a string as the timestamp that it
/// is. What the document lacks, or has with another type, is [`Unmet`].
///
/// A file of a facade is JSON. Each operation has the name of its call, an `update` that is merged into it as by an overlay,
/// the records of its bodies, and its methods with the parameters and fields that they use:
///
/// ```
/// use perenso_openapi::{Document, Facade};
///
/// let facade = Facade::from_json(
///     r#"{"operations": {"GET /Order": {
///         "id": "order_list",
///         "update": {"x-idempotency": "safe"},
///         "response": "[Order]",
///         "methods": {"orders().list()": {
///             "query": {"page": "integer"},
///             "fields": {"Order.id": "string", "Order.changed": "timestamp"}
///         }}
///     }}}"#,
/// )?;
/// let document = Document::from_json(
///     r#"{
///         "openapi": "3.0.3",
///         "info": {"title": "Shop", "version": "1"},
///         "paths": {"/orders": {"get": {"responses": {}}}}
///     }"#,
/// )?;
/// assert_eq!(
///     facade.check(&document)[0].to_string(),
///     "`orders().list()` needs `GET /Order`, which the document lacks"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | kind | meaning |
/// |---|---|
/// | `any`, `string`, `integer`, `boolean` | a value of JSON |
/// | `id`, `timestamp`, `decimal`, `messages` | a type of the runtime |
/// | `Order`, `[Order]` | a record or an enum, and a list |
/// | `{Values}` | an object with any members |
/// | `raw` | a response of any type, which the method reads itself |
/// | `…!` | the field, or the body of the request, is required; otherwise it is optional |
/// | `…?` | the method fits without the parameter or field |
///
/// `enums` lists the values that the methods know of an enum. `only` of a method lists records that may not have other fields.
#[derive(Clone, Debug)]
pub struct Facade {
    operations: Vec<Operation>,
    enums: Vec<(String, Vec<String>)>,
}

/// A requirement of a hand-written method that a document does not meet. `Display` writes it as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmet {
    /// The hand-written method.
    pub method: String,
    /// The method and the path of the operation, such as `GET /Order`.
    pub operation: String,
    /// The sentence.
    pub message: String,
    /// Returns true if the method fits without it.
    pub optional: bool,
}

#[derive(Clone, Debug)]
struct Operation {
    /// The method and the path.
    name: String,
    method: String,
    path: String,
    id: String,
    update: Map<String, Value>,
    body: Option<Kind>,
    response: Option<Kind>,
    methods: Vec<Method>,
}

#[derive(Clone, Debug)]
struct Method {
    name: String,
    query: Vec<(String, Kind)>,
    fields: Vec<Field>,
    only: Vec<String>,
}

#[derive(Clone, Debug)]
struct Field {
    record: String,
    name: String,
    kind: Kind,
}

impl Facade {
    /// Returns the requirements that a document does not meet, in the order of the facade.
    #[must_use]
    pub fn check(&self, document: &Document) -> Vec<Unmet> {
        let pinned = self.apply(document);
        let mut root = normalize(pinned.as_ref().unwrap_or(document), &Options::default()).root;
        self.fit(&mut root, &mut Report::default())
    }

    /// Returns the names of all hand-written methods, each once.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        let names: std::collections::BTreeSet<_> = self
            .operations
            .iter()
            .flat_map(|operation| &operation.methods)
            .map(|method| method.name.as_str())
            .collect();
        names.into_iter()
    }

    /// Returns the document with the names of the calls and of their path parameters, and with the updates.
    ///
    /// # Errors
    /// The result is not a document.
    pub fn apply(&self, document: &Document) -> Result<Document, DocumentError> {
        let mut root = document.root().clone();
        self.operations.iter().for_each(|operation| pin::pin(&mut root, operation));
        Document::from_value(root)
    }

    /// Makes a plain document fit, and returns the requirements that it does not meet.
    pub(crate) fn fit(&self, root: &mut Value, report: &mut Report) -> Vec<Unmet> {
        bind::name_types(root, self, report);
        check::check(root, self)
    }

    /// Returns the methods whose operations are gone from a document that met their requirements, since no code could be
    /// generated for them.
    pub(crate) fn left_out(&self, root: &Value, unmet: &[Unmet]) -> Vec<Unmet> {
        let gone =
            self.operations.iter().filter(|operation| root["paths"][&operation.path][&operation.method].is_null());
        let known = |method: &&Method| !unmet.iter().any(|unmet| unmet.method == method.name && !unmet.optional);
        gone.flat_map(|operation| {
            let methods = operation.methods.iter().filter(known);
            methods.map(|method| operation.unmet(&method.name, "which is left out: see the report"))
        })
        .collect()
    }

    /// Returns the kinds of the fields of a record that any method uses.
    fn fields_of<'a>(&'a self, record: &'a str) -> impl Iterator<Item = &'a Field> {
        let methods = self.operations.iter().flat_map(|operation| &operation.methods);
        methods.flat_map(|method| &method.fields).filter(move |field| field.record == record)
    }

    fn values_of(&self, name: &str) -> Option<&[String]> {
        self.enums.iter().find(|(other, _)| other == name).map(|(_, values)| values.as_slice())
    }
}

impl Operation {
    /// Returns the pointer of the operation.
    fn pointer(&self) -> String {
        crate::document::operations::pointer(&self.path, &self.method)
    }

    /// Returns the shapes of the bodies with the pointers of their schemas in a document.
    fn bodies<'a>(&'a self, root: &Value) -> Vec<(String, &'a Shape)> {
        let pointer = self.pointer();
        let response = self.response.as_ref().and_then(|kind| Some((check::response(root, &pointer)?, &kind.shape)));
        let body = self.body.as_ref().and_then(|kind| Some((check::body(root, &pointer)?, &kind.shape)));
        let schema = |(node, shape): (String, &'a Shape)| Some((check::json_schema(root, &node)?, shape));
        response.into_iter().chain(body).filter_map(schema).collect()
    }

    fn unmet(&self, method: &str, what: &str) -> Unmet {
        let message = format!("`{method}` needs `{}`, {what}", self.name);
        Unmet { method: method.to_owned(), operation: self.name.clone(), message, optional: false }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cargo reads further lines of a message as directives.
        f.write_str(&self.message.replace(['\n', '\r'], " "))
    }
}

#[cfg(all(test, feature = "generate"))]
#[allow(clippy::unwrap_used)]
mod tests;
