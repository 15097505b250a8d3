//! The journal: recorded requests and responses, with secrets masked.

mod masking;

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use form_urlencoded::parse;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::faults::{Fault, path_matches};
use super::headers::Headers;
use masking::{masked_body, masked_headers, masked_path, masked_response};

/// The recorded part of a body, so that the memory of a long-lived process stays bounded.
const MAX_BODY: usize = 64 * 1024;

/// A request and its response.
///
/// Secrets and tokens are replaced by `***`. The serialised form is that of `GET /sandbox/journal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The client id of the show.
    pub show: String,
    /// The time of arrival, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The method, as `GET`.
    pub method: String,
    /// The path and the query, as `/Customer?page=2`.
    pub path: String,
    /// The headers of the request in the order of arrival, with names in lower case.
    #[serde(with = "crate::show::headers")]
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the request body. Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// The request body was longer.
    pub body_is_cut: bool,
    /// The [name](crate::Fault::name) of the fault.
    pub fault: Option<String>,
    /// The status of the response. It is `None` while the request runs, and if a fault dropped the connection.
    pub status: Option<u16>,
    /// The headers of the response, except those of the connection.
    #[serde(rename = "answer_headers", with = "crate::show::headers")]
    pub response_headers: Vec<(String, String)>,
    /// The first 64 KiB of the response body, before a fault cut or dropped it. It is empty for a streamed export and for a
    /// compressed body.
    #[serde(rename = "answer")]
    pub response_body: String,
    /// The response body was longer.
    #[serde(rename = "answer_is_cut")]
    pub response_body_is_cut: bool,
}

impl RecordedRequest {
    /// Returns true if the request has this method and path. In the path `*` matches one segment, and a final `**` any number
    /// of segments, as in [`Target::call`](crate::Target::call).
    #[must_use]
    pub fn matches(&self, method: &str, path: &str) -> bool {
        self.method.eq_ignore_ascii_case(method) && path_matches(path, self.without_query())
    }

    pub(crate) fn without_query(&self) -> &str {
        self.path_and_query().0
    }

    /// Returns the first query parameter with this name, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        query_parameter(self.path_and_query().1, name)
    }

    /// Returns the first header of the request with this name, ignoring case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// Returns the first header of the response with this name, ignoring case.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        first(&self.response_headers, name)
    }

    /// Returns the request body as JSON, or null if it is invalid or was cut.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Returns the response body as JSON, or null if it is invalid or was cut.
    #[must_use]
    pub fn response_json(&self) -> Value {
        serde_json::from_str(&self.response_body).unwrap_or_default()
    }

    fn path_and_query(&self) -> (&str, Option<&str>) {
        match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&self.path, None),
        }
    }
}

fn first<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value)
}

/// Returns the first parameter with this name from a query string, decoded.
pub(crate) fn query_parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut parameters = parse(query.unwrap_or_default().as_bytes());
    parameters.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A request as the journal records it.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: Headers,
    pub(crate) body: &'a [u8],
}

/// The limit of all recorded bodies, so that a long test with large bodies does not exhaust the memory.
const MAX_BODIES: usize = 64 * 1024 * 1024;

pub(crate) struct Journal {
    /// The client id of the show.
    show: String,
    entries: VecDeque<(u64, RecordedRequest)>,
    next: u64,
    cap: usize,
    /// The number of recorded body bytes.
    kept: usize,
}

impl Journal {
    pub(crate) fn new(show: String, cap: usize) -> Self {
        Self { show, entries: VecDeque::new(), next: 0, cap, kept: 0 }
    }

    /// Records a request. Returns the number that its response is recorded under.
    pub(crate) fn record_request(&mut self, at: DateTime<Utc>, request: Request<'_>, fault: Option<&Fault>) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.cap == 0 {
            return number;
        }
        if self.entries.len() >= self.cap {
            self.forget_oldest();
        }
        let Request { method, path, query, headers, body } = request;
        let (kept, body_is_cut) = truncated(body);
        let entry = RecordedRequest {
            show: self.show.clone(),
            at,
            method: method.to_owned(),
            path: masked_path(path, query),
            body: masked_body(path, &headers, kept),
            headers: masked_headers(headers),
            body_is_cut,
            fault: fault.map(|fault| fault.name().to_owned()),
            status: None,
            response_headers: Vec::new(),
            response_body: String::new(),
            response_body_is_cut: false,
        };
        self.kept += entry.body.len();
        self.entries.push_back((number, entry));
        self.make_room();
        number
    }

    fn make_room(&mut self) {
        while self.kept > MAX_BODIES && self.entries.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, entry)) = self.entries.pop_front() {
            self.kept -= entry.body.len() + entry.response_body.len();
        }
    }

    /// Records the response to a request. The status is `None` if the response is lost.
    pub(crate) fn record_response(&mut self, number: u64, status: Option<u16>, headers: Headers, body: &[u8]) {
        if let Some((_, entry)) = self.entries.iter_mut().rev().find(|(n, _)| *n == number) {
            let (kept, is_cut) = truncated(body);
            entry.status = status;
            entry.response_headers = masked_headers(headers);
            entry.response_body = masked_response(kept);
            entry.response_body_is_cut = is_cut;
            self.kept += entry.response_body.len();
            self.make_room();
        }
    }

    /// Returns the wanted entries, oldest first.
    pub(crate) fn entries(&self, wanted: impl Fn(&RecordedRequest) -> bool) -> Vec<RecordedRequest> {
        self.entries.iter().map(|(_, entry)| entry).filter(|entry| wanted(entry)).cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.kept = 0;
    }
}

/// Returns the recorded part of a body, cut at a character boundary, and whether the body was longer.
fn truncated(body: &[u8]) -> (&[u8], bool) {
    let is_inside = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    if body.len() <= MAX_BODY {
        return (body, false);
    }
    let end = (MAX_BODY - 3..=MAX_BODY).rev().find(|end| !is_inside(&body[*end])).unwrap_or(MAX_BODY);
    (&body[..end], true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn request(body: &[u8]) -> Request<'_> {
        Request { method: "GET", path: "/", query: None, headers: Vec::new(), body }
    }

    #[test]
    fn the_oldest_entries_go_first_when_bodies_exceed_the_limit() {
        let mut journal = Journal::new("SHOW".to_owned(), 100_000);
        let body = vec![b'x'; MAX_BODY];
        let fitting = MAX_BODIES / (2 * MAX_BODY);
        for number in 0..fitting as u64 + 10 {
            assert_eq!(journal.record_request(Utc::now(), request(&body), None), number);
            journal.record_response(number, Some(200), Vec::new(), &body);
        }
        let numbers: Vec<u64> = journal.entries.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (10..fitting as u64 + 10).collect::<Vec<_>>());
        assert!(journal.kept <= MAX_BODIES);
        journal.clear();
        assert_eq!(journal.kept, 0);
    }
}
