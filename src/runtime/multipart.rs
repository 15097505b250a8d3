//! Bodies of several parts: fields and files.

use std::{
    borrow::Cow,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use reqwest::RequestBuilder;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::{Map, Value};

const JSON: &str = "application/json";

/// A body of several parts (`multipart/form-data`, RFC 7578). It is kept in memory, so that a call can be sent again.
///
/// ```
/// use perenso::runtime::Multipart;
///
/// let body = Multipart::new()
///     .text("description", "The booth plan")
///     .file("upload", "plan.pdf", "application/pdf", b"%PDF".to_vec());
/// assert_eq!(format!("{body:?}"), r#"Multipart ["description", "upload"]"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Multipart {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
struct Part {
    name: String,
    head: String,
    content: Bytes,
}

impl Multipart {
    /// Creates a body without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        self.part(name.into(), String::new(), value.to_string().into())
    }

    /// Adds a field that is JSON.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn json(self, name: impl Into<String>, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let content = serde_json::to_vec(value)?;
        Ok(self.typed(name.into(), JSON, content.into()))
    }

    /// Adds a file with the name and the media type that the server sees.
    #[must_use]
    pub fn file(self, name: impl Into<String>, file_name: &str, media_type: &str, content: impl Into<Bytes>) -> Self {
        let head = format!("; filename=\"{}\"{}", quoted(file_name), content_type(media_type));
        self.part(name.into(), head, content.into())
    }

    fn typed(self, name: String, media_type: &str, content: Bytes) -> Self {
        self.part(name, content_type(media_type), content)
    }

    fn part(mut self, name: String, head: String, content: Bytes) -> Self {
        self.parts.push(Part { name, head, content });
        self
    }

    /// Returns the content type and the body.
    fn encode(&self) -> (String, Bytes) {
        let boundary = self.boundary();
        let mut body = BytesMut::new();
        for Part { name, head, content } in &self.parts {
            let name = quoted(name);
            let start = format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"{head}\r\n\r\n");
            body.put_slice(start.as_bytes());
            body.put_slice(content);
            body.put_slice(b"\r\n");
        }
        body.put_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body.freeze())
    }

    /// Returns a boundary that no part contains. It depends on the parts alone, so equal bodies are sent alike.
    fn boundary(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.parts.iter().for_each(|part| (&part.name, &part.head, &part.content).hash(&mut hasher));
        loop {
            let boundary = format!("perenso-{:016x}", hasher.finish());
            let found = |part: &Part| memchr::memmem::find(&part.content, boundary.as_bytes()).is_some();
            if !self.parts.iter().any(found) {
                return boundary;
            }
            hasher.write_u8(0);
        }
    }
}

/// Shows the names of the parts.
impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parts.iter().map(|part| &part.name).collect();
        write!(f, "Multipart {names:?}")
    }
}

/// A file in a body of several parts.
///
/// ```
/// use perenso::runtime::File;
///
/// let plan = File::new("plan.pdf", "application/pdf", b"%PDF".to_vec());
/// assert_eq!(format!("{plan:?}"), "File(4 bytes)");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct File {
    name: String,
    media_type: String,
    content: Bytes,
}

impl File {
    /// Creates a file with the name and the media type that the server sees.
    pub fn new(name: impl Into<String>, media_type: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self { name: name.into(), media_type: media_type.into(), content: content.into() }
    }
}

/// Shows the size only.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({} bytes)", self.content.len())
    }
}

/// In JSON a file is its content as a string. Its name and media type are those of a part only.
impl Serialize for File {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let content = std::str::from_utf8(&self.content);
        let content =
            content.map_err(|_| S::Error::custom("a file that is not UTF-8 is no JSON string: send it as a part"))?;
        serializer.serialize_str(content)
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let content = Cow::<str>::deserialize(deserializer)?.into_owned();
        Ok(Self::new("file", "application/octet-stream", content))
    }
}

/// Writes the fields of a record as parts: scalars as text, objects as JSON, lists as a part for each item. `null` is left out.
#[doc(hidden)]
#[derive(Default)]
pub struct PartWriter {
    body: Multipart,
    problem: Option<String>,
}

impl PartWriter {
    /// Adds files, each as a part of this name.
    pub fn files<'a>(&mut self, name: &str, files: impl IntoIterator<Item = &'a File>) {
        for File { name: file_name, media_type, content } in files {
            self.add(|body| body.file(name, file_name, media_type, content.clone()));
        }
    }

    /// Adds a value, if there is one. A part has this media type, or that of its JSON type.
    pub fn value<T: Serialize>(&mut self, name: &str, value: Option<&T>, media_type: Option<&str>) {
        match value.map(serde_json::to_value).transpose() {
            Ok(None | Some(Value::Null)) => {}
            Ok(Some(Value::Array(items))) => items.into_iter().for_each(|item| self.one(name, item, media_type)),
            Ok(Some(value)) => self.one(name, value, media_type),
            Err(error) => drop(self.problem.get_or_insert(format!("{name}: {error}"))),
        }
    }

    fn one(&mut self, name: &str, value: Value, media_type: Option<&str>) {
        let is_json = media_type.is_some_and(|media_type| media_type.contains("json"));
        let media_type = media_type.or((value.is_object() || value.is_array()).then_some(JSON));
        let content = match value {
            Value::Null => return,
            Value::String(text) if !is_json => text,
            value => value.to_string(),
        };
        self.add(|body| match media_type {
            Some(media_type) => body.typed(name.to_owned(), media_type, content.into()),
            None => body.text(name, content),
        });
    }

    /// Adds the fields that the document does not name.
    pub fn extra(&mut self, fields: &Map<String, Value>) {
        fields.iter().for_each(|(name, value)| self.value(name, Some(value), None));
    }

    fn add(&mut self, add: impl FnOnce(Multipart) -> Multipart) {
        self.body = add(std::mem::take(&mut self.body));
    }

    /// Returns the body.
    ///
    /// # Errors
    /// A value that is not JSON, by the name of its part.
    pub fn finish(self) -> Result<Multipart, String> {
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(self.body),
        }
    }
}

/// Sets the body of a request to several parts.
pub fn multipart(request: RequestBuilder, body: &Multipart) -> RequestBuilder {
    let (content_type, body) = body.encode();
    request.header(CONTENT_TYPE, content_type).body(body)
}

fn content_type(media_type: &str) -> String {
    let media_type: String = media_type.chars().filter(|letter| !letter.is_control()).collect();
    format!("\r\ncontent-type: {media_type}")
}

/// Returns a name as the HTML standard writes it between quotes.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_written_one_after_the_other() {
        let body = Multipart::new().text("a\"\r\n", 7).file("b", "c d.txt", "text/plain\r\nx: y", "content");
        let (content_type, written) = body.encode();
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap_or_default();
        let expected = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"a%22%0D%0A\"\r\n\r\n7\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"b\"; filename=\"c d.txt\"\r\ncontent-type: text/plainx: y\r\n\r\n\
             content\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8_lossy(&written), expected);
        assert_eq!(body.encode(), (content_type, written), "the same again");
    }

    #[test]
    fn no_part_contains_the_boundary() {
        let first = Multipart::new().text("a", "b").boundary();
        let body = Multipart::new().text("a", &first);
        assert!(!first.contains(&body.boundary()));
        let json = Multipart::new().json("a", &serde_json::json!({"b": 1}));
        assert!(json.is_ok_and(|body| body.encode().1.ends_with(b"--\r\n")));
    }
}
