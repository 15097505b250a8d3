//! An OpenAPI or Swagger document as JSON.

pub(crate) mod filter;
pub(crate) mod operations;
pub(crate) mod pointer;
pub(crate) mod schemas;

use std::{error::Error, fmt, fs, io, path::Path};

use serde_json::Value;

/// A document of a known version.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    root: Value,
    version: Version,
}

/// The specification that a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Version {
    /// Swagger 2.0.
    Swagger2,
    /// OpenAPI 3.0.
    OpenApi30,
    /// OpenAPI 3.1.
    OpenApi31,
}

/// A reason why a text is not a document.
#[derive(Debug)]
#[non_exhaustive]
pub enum DocumentError {
    /// The file cannot be read.
    Read(io::Error),
    /// The text is not JSON.
    Json(serde_json::Error),
    /// The text is not YAML.
    Yaml(String),
    /// The value is not an OpenAPI or Swagger document.
    Version {
        /// The kind of value found instead.
        found: String,
    },
}

impl Document {
    /// Reads a document from a file. A name that ends in `.yaml` or `.yml` is read as YAML, which needs the feature `yaml`.
    ///
    /// # Errors
    /// The file cannot be read, or its text is not a document.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DocumentError> {
        let text = fs::read_to_string(path.as_ref()).map_err(DocumentError::Read)?;
        Self::from_value(parse(path.as_ref(), &text)?)
    }

    /// Reads a document from JSON.
    ///
    /// # Errors
    /// The text is not JSON, or not a document.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        Self::from_value(parse_json(text)?)
    }

    /// Reads a document from YAML.
    ///
    /// # Errors
    /// The text is not YAML, or not a document.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, DocumentError> {
        Self::from_value(parse_yaml(text)?)
    }

    /// Takes a JSON value as a document.
    ///
    /// # Errors
    /// The value is not a document of a known version.
    pub fn from_value(root: Value) -> Result<Self, DocumentError> {
        let version = version(&root).map_err(|found| DocumentError::Version { found })?;
        Ok(Self { root, version })
    }

    /// Returns the document as JSON. It is an object.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// Returns the version of the specification.
    pub fn version(&self) -> Version {
        self.version
    }
}

/// Parses the text of a file: YAML if its name ends in `.yaml` or `.yml`, otherwise JSON.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Value, DocumentError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if !["yaml", "yml"].contains(&extension.to_ascii_lowercase().as_str()) {
        return parse_json(text);
    }
    #[cfg(feature = "yaml")]
    return parse_yaml(text);
    #[cfg(not(feature = "yaml"))]
    Err(DocumentError::Yaml("the feature `yaml` of `perenso-openapi` is off: turn it on".to_string()))
}

/// Parses JSON. Some editors put a byte order mark before it.
pub(crate) fn parse_json(text: &str) -> Result<Value, DocumentError> {
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(DocumentError::Json)
}

#[cfg(feature = "yaml")]
fn parse_yaml(text: &str) -> Result<Value, DocumentError> {
    let mut budget = serde_saphyr::Budget::default();
    // Documents of some vendors have several megabytes. The limits on aliases stay.
    (budget.max_nodes, budget.max_events, budget.max_depth) = (5_000_000, 10_000_000, 120);
    // A value `no` is a word in YAML 1.2, and a country in many an enum.
    let options = serde_saphyr::options! { budget: Some(budget), strict_booleans: true, with_snippet: false };
    let root = serde_saphyr::from_str_with_options(text, options);
    root.map_err(|error| DocumentError::Yaml(error.to_string()))
}

/// Returns the version of a document, or a phrase that says what it is instead.
fn version(root: &Value) -> Result<Version, String> {
    let Value::Object(map) = root else {
        return Err("a value that is not an object".to_string());
    };
    // YAML reads an unquoted `2.0` as a number.
    let text = |name: &str| match map.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_string()),
        Some(value) => Some(value.to_string()),
        None => None,
    };
    let is =
        |text: &str, minor: &str| text == minor || text.strip_prefix(minor).is_some_and(|rest| rest.starts_with('.'));
    if let Some(found) = text("openapi") {
        return match found.as_str() {
            found if is(found, "3.0") => Ok(Version::OpenApi30),
            found if is(found, "3.1") => Ok(Version::OpenApi31),
            found => Err(format!("`openapi: {found}`")),
        };
    }
    if let Some(found) = text("swagger") {
        return if is(&found, "2") { Ok(Version::Swagger2) } else { Err(format!("`swagger: {found}`")) };
    }
    let mut names: Vec<_> = map.keys().take(5).map(|name| format!("`{name}`")).collect();
    if map.len() > names.len() {
        names.push("…".to_string());
    }
    Err(format!("an object with neither `openapi` nor `swagger` but [{}]", names.join(", ")))
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the document cannot be read: {error}"),
            Self::Json(error) => write!(f, "expected JSON, found {error}"),
            Self::Yaml(error) => write!(f, "expected YAML, found {error}"),
            Self::Version { found } => {
                write!(f, "expected an OpenAPI 3.0.x or 3.1.x or a Swagger 2.0 document, found {found}")
            }
        }
    }
}

impl Error for DocumentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(error) => Some(error),
            Self::Json(error) => Some(error),
            Self::Yaml(_) | Self::Version { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(text: &str) -> Result<Version, String> {
        Document::from_json(text).map(|document| document.version()).map_err(|error| error.to_string())
    }

    #[test]
    fn versions_are_recognised() {
        assert_eq!(version_of(r#"{"openapi": "3.0.4"}"#), Ok(Version::OpenApi30));
        assert_eq!(version_of(r#"{"openapi": "3.1.1"}"#), Ok(Version::OpenApi31));
        assert_eq!(version_of(r#"{"swagger": 2.0}"#), Ok(Version::Swagger2));
        assert_eq!(version_of("\u{feff}{\"swagger\": \"2.0\"}"), Ok(Version::Swagger2));
    }

    #[test]
    fn anything_else_is_refused_in_one_sentence() {
        let expected = "expected an OpenAPI 3.0.x or 3.1.x or a Swagger 2.0 document, found";
        for (text, found) in [
            (r#"{"openapi": "3.2.0"}"#, "`openapi: 3.2.0`"),
            (r#"{"openapi": "3.10.0"}"#, "`openapi: 3.10.0`"),
            (r#"{"swagger": "1.2"}"#, "`swagger: 1.2`"),
            (r#"{"item": [], "info": {}}"#, "an object with neither `openapi` nor `swagger` but [`info`, `item`]"),
            ("[]", "a value that is not an object"),
        ] {
            assert_eq!(version_of(text), Err(format!("{expected} {found}")));
        }
        assert!(version_of("openapi: 3.0.0").is_err_and(|error| error.starts_with("expected JSON, found")));
    }

    #[cfg(feature = "yaml")]
    #[test]
    fn yaml_gives_the_same_document_as_json() {
        // Statuses are numbers, and aliases are copies.
        let yaml = "openapi: 3.0.3\nx-a: &a [no, 2e3]\nx-b: *a\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: no}\n";
        let json = r#"{"openapi": "3.0.3", "x-a": ["no", 2e3], "x-b": ["no", 2e3], "paths": {"/a": {"get": {"responses": {"200": {"description": "no"}}}}}}"#;
        assert_eq!(Document::from_yaml(yaml).unwrap(), Document::from_json(json).unwrap());
        assert!(Document::from_yaml("a: [").is_err_and(|error| error.to_string().starts_with("expected YAML, found")));
    }
}
