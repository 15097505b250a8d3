//! An export and the check of its values.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    bind::Bound,
    checked::{CheckedRequest, ExportRunBuilder, closest_parameter, input_error, runnable_id, unknown_parameter},
};
use crate::{
    error::{
        Error,
        name::{sanitize, shown},
    },
    exports::values::value::{Input, ParameterValue, parse},
    types::{ExportDescriptor, ExportParameter},
};

/// An export: its id, its name and its parameters.
///
/// `Display` writes the name and the id. The serialised form is the JSON of the API, including fields unknown to the SDK.
/// A clone copies a pointer.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let catalog = show.exports().catalog().await?;
/// for parameter in catalog.by_name("Get API Customers")?.parameters() {
///     println!("{}: {:?}", parameter.name, parameter.description);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor(Arc<ExportDescriptor>);

impl Descriptor {
    /// Returns the id, which is part of the path of a run.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Returns the parameters in the order of the catalog. All are required: the vendor's guide makes none optional.
    #[must_use]
    pub fn parameters(&self) -> &[ExportParameter] {
        &self.0.parameters
    }

    /// Returns the fields unknown to the SDK.
    pub(crate) fn extra(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.0.extra
    }

    /// Checks values and returns the request.
    ///
    /// ```
    /// use perenso::exports::{Catalog, ParameterValue};
    ///
    /// let catalog: Catalog = serde_json::from_str(r#"[
    ///     {"id": "79aag9", "name": "Get API Customers", "parameters": [
    ///         {"name": "Cursor", "dataType": "Integer"},
    ///         {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let customers = catalog.by_name("Get API Customers")?;
    ///
    /// let request = customers.check([("Cursor", 1), ("Limit", 15)])?;
    /// assert_eq!(request.body().unwrap_or_default()["Limit"], 15);
    ///
    /// let (cursor, limit) = (ParameterValue::from("1"), ParameterValue::from(15));
    /// let values = [("Cursor", cursor), ("Limti", limit)];
    /// let error = customers.check(values).unwrap_err();
    /// assert_eq!(error.problems().len(), 3); // one is wrong, one unknown, one missing
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns all [problems](Error::problems) in one error: missing, unknown and duplicate parameters, and values of
    /// another type. Each names the expected type and the kind of value found, never the value. An export with a
    /// duplicate parameter is rejected, since no values fit it.
    pub fn check<N: Into<String>, V: Into<ParameterValue>>(
        &self,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Result<CheckedRequest, Error> {
        let inputs = values.into_iter().map(|(name, value)| (name.into(), Input::Value(value.into())));
        self.build_request(inputs, Vec::new())
    }

    /// Binds a struct to this export: see [`Catalog::bind`](crate::exports::Catalog::bind).
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) with all differences;
    /// [`ErrorKind::Export`](crate::ErrorKind::Export) if no request can fit the export.
    pub fn bind<T: Serialize + JsonSchema>(&self) -> Result<Bound<T>, Error> {
        Bound::new(self)
    }

    /// Parses strings from a command line, a form or a table and returns the request. Each value is read by
    /// [`parse`](Self::parse).
    ///
    /// ```
    /// # use perenso::exports::Catalog;
    /// # let catalog: Catalog = serde_json::from_str(r#"[{"id": "79aag9", "name": "Get API Customers", "parameters": [
    /// #     {"name": "Cursor", "dataType": "Integer"}, {"name": "Limit", "dataType": "Integer"}]}]"#)?;
    /// let customers = catalog.by_name("Get API Customers")?;
    ///
    /// let arguments = ["Cursor=1", "Limit=15"];
    /// let values = arguments.iter().filter_map(|argument| argument.split_once('='));
    /// let request = customers.check_text(values)?;
    /// assert_eq!(request, customers.check([("Cursor", 1), ("Limit", 15)])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails as [`check`](Self::check) does; each problem names the strings that the parameter accepts.
    pub fn check_text(
        &self,
        values: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<CheckedRequest, Error> {
        let inputs = values.into_iter().map(|(name, text)| (name, Input::Text(text.as_ref().to_owned())));
        self.build_request(inputs, Vec::new())
    }

    /// Parses a string by the data type of a parameter.
    ///
    /// - Integer: digits, or digits after a minus sign.
    /// - Boolean: `true` or `false` in any case.
    /// - DateTime: RFC 3339 with a zone and whole seconds.
    /// - Text: any string, unchanged.
    ///
    /// [`accepts`](crate::types::ExportDataType::accepts) describes the accepted strings to a user.
    ///
    /// # Errors
    /// Fails if there is no such parameter, or if it does not accept the string. The error describes accepted strings.
    pub fn parse(&self, name: &str, text: &str) -> Result<ParameterValue, Error> {
        let refused = |problem: String| Err(input_error(self, vec![problem]));
        match self.parameters().iter().find(|parameter| parameter.name == name) {
            None => refused(unknown_parameter(self, name, closest_parameter(self, name))),
            Some(parameter) => parse(&parameter.data_type, text).or_else(|found| {
                refused(format!("{}: expected {}; found {found}", shown(name), parameter.data_type.accepts()))
            }),
        }
    }

    /// Returns the request, or an error with the given problems and those of the inputs.
    pub(crate) fn build_request(
        &self,
        inputs: impl IntoIterator<Item = (impl AsRef<str>, Input)>,
        problems: Vec<String>,
    ) -> Result<CheckedRequest, Error> {
        let id = runnable_id(self)?;
        let mut builder = ExportRunBuilder::new(self);
        problems.into_iter().for_each(|problem| builder.problem(problem));
        inputs.into_iter().for_each(|(name, input)| builder.fill(name.as_ref(), |_| input));
        builder.build(id)
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", sanitize(self.name(), 200), sanitize(self.id(), 80))
    }
}

impl From<ExportDescriptor> for Descriptor {
    fn from(descriptor: ExportDescriptor) -> Self {
        Self(Arc::new(descriptor))
    }
}

impl Serialize for Descriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ExportDescriptor::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::error::ErrorKind;

    fn descriptor(parameters: &[(&str, &str)]) -> Descriptor {
        let parameters: Vec<Json> =
            parameters.iter().map(|(name, data_type)| json!({"name": name, "dataType": data_type})).collect();
        serde_json::from_value(json!({"id": "79aag9", "name": "Get API Customers", "parameters": parameters})).unwrap()
    }

    fn paged() -> Descriptor {
        descriptor(&[("Cursor", "Integer"), ("Limit", "Integer")])
    }

    #[test]
    fn all_problems_are_listed() {
        let export =
            descriptor(&[("Cursor", "Integer"), ("Limit", "Integer"), ("Since", "DateTime"), ("Open", "Boolean")]);
        let values = [
            ("Limit", ParameterValue::from("s3cr3t")),
            ("Limit", 1.into()),
            ("limti", 2.into()),
            ("Open", 4711.into()),
            ("x", 1.into()),
            ("x", 2.into()),
        ];
        let error = export.check(values).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input);
        assert_eq!(
            error.problems(),
            [
                "`Limit`: expected Integer of 64 bits such as `15`, without quotes; found a string",
                "`Limit`: given twice; expected once",
                "`limti`: the export has no such parameter; did you mean `Limit`?",
                "`Open`: expected Boolean such as `true`, without quotes; found an integer",
                "`x`: the export has no such parameter; expected `Cursor`, `Limit`, `Since`, `Open`",
                "`x`: given twice; expected once",
                "`Cursor`: missing; expected Integer of 64 bits such as `15`, without quotes",
                "`Since`: missing; expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`",
            ]
        );
        let text = format!("{error} {error:?}");
        assert!(!text.contains("s3cr3t") && !text.contains("4711"), "{text}");
    }

    #[test]
    fn the_body_is_that_of_the_guide() {
        let request = paged().check([("Cursor", 1), ("Limit", 15)]).unwrap();
        assert_eq!(request.body(), json!({"Cursor": 1, "Limit": 15}).as_object().cloned());
        assert_eq!(request.id().as_str(), "79aag9");
        assert_eq!(format!("{request:?}"), r#"CheckedRequest { id: Id("79aag9"), parameters: ["Cursor", "Limit"] }"#);
    }

    #[test]
    fn a_number_is_read_and_replaced_in_the_type_of_its_parameter() {
        let export = descriptor(&[("Cursor", "Integer"), ("Place", "Text"), ("City", "Text"), ("Open", "Boolean")]);
        let values = [
            ("Cursor", ParameterValue::from(1)),
            ("Place", "20".into()),
            ("City", "0940".into()),
            ("Open", true.into()),
        ];
        let request = export.check(values).unwrap();
        assert_eq!((request.number("Cursor"), request.number("Place")), (Some(1), Some(20)));
        for other in ["City", "Open", "cursor"] {
            assert_eq!(request.number(other), None, "{other}");
        }
        assert_eq!((request.key("City"), request.key("Open")), (Some("0940".into()), None));
        let next = request.with("Cursor", &i64::MAX.into()).with("Place", &21.into());
        assert_eq!((next.number("Cursor"), request.number("Cursor")), (Some(i64::MAX), Some(1)));
        assert_eq!(next.body().unwrap()["Place"], json!("21"));
        for (name, key) in [("Cursor", "2".into()), ("Open", 1.into()), ("cursor", 2.into())] {
            assert_eq!(request.with(name, &key), request, "{name}");
        }
    }

    #[test]
    fn requests_of_two_exports_are_never_equal() {
        let other: Descriptor =
            serde_json::from_value(json!({"id": "79aag8", "name": "Other", "parameters": paged().parameters()}))
                .unwrap();
        let values = [("Cursor", 1), ("Limit", 15)];
        assert_eq!(paged().check(values).unwrap(), paged().check(values).unwrap());
        assert_ne!(paged().check(values).unwrap(), other.check(values).unwrap());
    }

    #[test]
    fn no_parameters_are_no_body() {
        let export = descriptor(&[]);
        assert_eq!(export.check::<&str, i64>([]).unwrap().body(), None);
        let error = export.check([("Cursor", 1)]).unwrap_err();
        assert_eq!(error.problems(), ["`Cursor`: the export has no such parameter; it has none"]);
    }

    #[test]
    fn an_unknown_data_type_takes_raw_json_only() {
        let export = descriptor(&[("Total", "Money")]);
        let request = export.check([("Total", ParameterValue::raw(json!({"amount": "1.50"})))]).unwrap();
        assert_eq!(request.body().unwrap()["Total"], json!({"amount": "1.50"}));
        let error = export.check([("Total", "1.50")]).unwrap_err();
        assert_eq!(
            error.problems(),
            ["`Total`: expected `Money`, a data type unknown to this version: pass its JSON by `raw`; found a string"]
        );
        export.parse("Total", "1.50").unwrap_err();
    }

    #[test]
    fn an_export_that_no_values_fit_is_rejected() {
        let twice = descriptor(&[("Limit", "Integer"), ("Limit", "Text")]);
        let error = twice.check([("Limit", 1)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Export);
        assert!(error.to_string().contains("parameter `Limit` twice"), "{error}");
        let nowhere: Descriptor = serde_json::from_value(json!({"id": "..", "name": "Up", "parameters": []})).unwrap();
        assert_eq!(nowhere.check::<&str, i64>([]).unwrap_err().kind(), ErrorKind::Export);
    }

    #[test]
    fn a_rejected_string_names_the_accepted_ones() {
        let export = paged();
        assert_eq!(export.parse("Limit", "15").unwrap(), ParameterValue::Integer(15));
        let error = export.parse("Limit", "s3cr3t").unwrap_err();
        assert_eq!(
            error.problems(),
            [
                "`Limit`: expected Integer, 64 bits, digits only or after a minus sign, such as 15; found a string in another format"
            ]
        );
        assert!(export.parse("Limti", "15").unwrap_err().problems()[0].contains("did you mean `Limit`?"));
        let at_once = export.check_text([("Cursor", "1"), ("Limit", "s3cr3t")]).unwrap_err();
        assert_eq!(at_once.problems(), error.problems());
        let text = descriptor(&[("City", "Text")]);
        assert_eq!(
            text.check([("City", 15)]).unwrap_err().problems(),
            [r#"`City`: expected Text such as `"text"`; found an integer"#]
        );
        assert_eq!(text.parameters()[0].data_type.accepts(), "Text");
    }
}
