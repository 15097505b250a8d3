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

/// How much of a body is kept, so that the memory of a long-lived process stays flat.
const KEPT: usize = 64 * 1024;

/// One request and its answer.
///
/// Secrets and tokens are replaced by `***`. It is written and read as data too, as `GET /sandbox/journal` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// The client id of the show that the request was for.
    pub show: String,
    /// When it arrived, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The method, as `GET`.
    pub method: String,
    /// The path and the query as they came, as `/Customer?page=2`.
    pub path: String,
    /// The request's headers in the order of arrival; names are in lower case.
    #[serde(with = "crate::show::headers")]
    pub headers: Vec<(String, String)>,
    /// The first 64 KiB of the request's body; what is not UTF-8 is replaced.
    pub body: String,
    /// Whether the request's body was longer.
    pub body_is_cut: bool,
    /// What went wrong on order, as [`Fault::name`](crate::Fault::name) has it.
    pub fault: Option<String>,
    /// The status that was answered; `None` while there is no answer and when the connection was dropped on order.
    pub status: Option<u16>,
    /// The answer's headers; those that belong to the connection are not among them.
    #[serde(rename = "answer_headers", with = "crate::show::headers")]
    pub response_headers: Vec<(String, String)>,
    /// The first 64 KiB of the answer's body as the sandbox had it, before a fault cut or dropped it; empty for an export
    /// that was made on its way and for what was gzipped.
    #[serde(rename = "answer")]
    pub response_body: String,
    /// Whether the answer's body was longer.
    #[serde(rename = "answer_is_cut")]
    pub response_body_is_cut: bool,
}

impl RecordedRequest {
    /// Whether the request has this method and this path, in which `*` stands for one segment and `**` at the end for any
    /// number of them, as in [`Target::call`](crate::Target::call).
    #[must_use]
    pub fn matches(&self, method: &str, path: &str) -> bool {
        self.method.eq_ignore_ascii_case(method) && path_matches(path, self.without_query())
    }

    pub(crate) fn without_query(&self) -> &str {
        self.path_and_query().0
    }

    /// A parameter of the query, decoded: the first one with this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        query_parameter(self.path_and_query().1, name)
    }

    /// The first header of the request with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first header of the answer with this name, in any case.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        first(&self.response_headers, name)
    }

    /// The request's body as JSON; null when it is none or was cut.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The answer's body as JSON; null when it is none or was cut.
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

/// The most that bodies and answers may take together, so that a long test of large calls does not eat the memory.
const MOST_KEPT: usize = 64 * 1024 * 1024;

pub(crate) struct Journal {
    /// The client id of the show.
    show: String,
    entries: VecDeque<(u64, RecordedRequest)>,
    next: u64,
    cap: usize,
    /// The bytes of all bodies and answers.
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
        while self.kept > MOST_KEPT && self.entries.len() > 1 {
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

/// Returns the part of a body that is kept, cut at a character boundary, and whether the body was longer.
fn truncated(body: &[u8]) -> (&[u8], bool) {
    let is_inside = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    if body.len() <= KEPT {
        return (body, false);
    }
    let end = (KEPT - 3..=KEPT).rev().find(|end| !is_inside(&body[*end])).unwrap_or(KEPT);
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
        let body = vec![b'x'; KEPT];
        let fitting = MOST_KEPT / (2 * KEPT);
        for number in 0..fitting as u64 + 10 {
            assert_eq!(journal.record_request(Utc::now(), request(&body), None), number);
            journal.record_response(number, Some(200), Vec::new(), &body);
        }
        let numbers: Vec<u64> = journal.entries.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (10..fitting as u64 + 10).collect::<Vec<_>>());
        assert!(journal.kept <= MOST_KEPT);
        journal.clear();
        assert_eq!(journal.kept, 0);
    }
}
