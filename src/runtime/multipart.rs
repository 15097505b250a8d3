//! Bodies of several parts: fields and files.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use reqwest::RequestBuilder;
use serde::Serialize;

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
        Ok(self.part(name.into(), "\r\ncontent-type: application/json".to_owned(), content.into()))
    }

    /// Adds a file with the name and the media type that the server sees.
    #[must_use]
    pub fn file(self, name: impl Into<String>, file_name: &str, media_type: &str, content: impl Into<Bytes>) -> Self {
        let media_type: String = media_type.chars().filter(|letter| !letter.is_control()).collect();
        let head = format!("; filename=\"{}\"\r\ncontent-type: {media_type}", quoted(file_name));
        self.part(name.into(), head, content.into())
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

/// Sets the body of a request to several parts.
pub fn multipart(request: RequestBuilder, body: &Multipart) -> RequestBuilder {
    let (content_type, body) = body.encode();
    request.header(CONTENT_TYPE, content_type).body(body)
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
