//! The journal: what was asked and answered, with nothing secret in it.

use std::collections::VecDeque;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::media_type;
use crate::fault::Fault;
use crate::list::parameter;
use crate::parameters::{FORM, JSON};
use crate::target::matches;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// How much of a body is kept, so that the memory of a long-lived process stays flat.
const KEPT: usize = 64 * 1024;

/// One request and its answer.
///
/// Secrets and tokens are replaced by `***`. It is written and read as data too, as `GET /sandbox/journal` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Recorded {
    /// The client id of the show that the request was for.
    pub show: String,
    /// When it arrived, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The method, as `GET`.
    pub method: String,
    /// The path and the query as they came, as `/Customer?page=2`.
    pub path: String,
    /// The request's headers in the order of arrival; names are in lower case.
    #[serde(with = "crate::headers")]
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
    #[serde(with = "crate::headers")]
    pub answer_headers: Vec<(String, String)>,
    /// The first 64 KiB of the answer's body as the sandbox had it, before a fault cut or dropped it; empty for an export
    /// that was made on its way and for what was gzipped.
    pub answer: String,
    /// Whether the answer's body was longer.
    pub answer_is_cut: bool,
}

impl Recorded {
    /// Whether the request has this method and this path, in which `*` stands for one segment and `**` at the end for any
    /// number of them, as in [`Target::call`](crate::Target::call).
    #[must_use]
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method.eq_ignore_ascii_case(method) && matches(path, self.without_query())
    }

    pub(crate) fn without_query(&self) -> &str {
        self.path_and_query().0
    }

    /// A parameter of the query, decoded: the first one with this name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        parameter(self.path_and_query().1, name)
    }

    /// The first header of the request with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first header of the answer with this name, in any case.
    #[must_use]
    pub fn answer_header(&self, name: &str) -> Option<&str> {
        first(&self.answer_headers, name)
    }

    /// The request's body as JSON; null when it is none or was cut.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The answer's body as JSON; null when it is none or was cut.
    #[must_use]
    pub fn answer_json(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap_or_default()
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

/// The most that bodies and answers may take together, so that a long test of large calls does not eat the memory.
const MOST_KEPT: usize = 64 * 1024 * 1024;

pub(crate) struct Journal {
    /// The client id of the show.
    show: String,
    entries: VecDeque<(u64, Recorded)>,
    next: u64,
    cap: usize,
    /// The bytes of all bodies and answers.
    kept: usize,
}

impl Journal {
    pub(crate) fn new(show: String, cap: usize) -> Self {
        Self { show, entries: VecDeque::new(), next: 0, cap, kept: 0 }
    }

    /// Writes down a request; the number is for its answer.
    pub(crate) fn arrive(&mut self, at: DateTime<Utc>, parts: &Parts, body: &[u8], fault: Option<&Fault>) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.cap == 0 {
            return number;
        }
        if self.entries.len() >= self.cap {
            self.forget_the_oldest();
        }
        let is_token = is_token(&parts.uri);
        let (kept, body_is_cut) = beginning(body);
        let entry = Recorded {
            show: self.show.clone(),
            at,
            method: parts.method.to_string(),
            path: path(&parts.uri, is_token),
            headers: headers(&parts.headers),
            body: match (is_token, media_type(&parts.headers).as_deref()) {
                // No API takes a form: this is a token request that went astray.
                (_, Some(FORM)) => masked_form(kept),
                (false, _) => String::from_utf8_lossy(kept).into_owned(),
                (true, _) if body.is_empty() => String::new(),
                (true, Some(JSON)) => masked_json(kept),
                (true, _) => MASK.to_owned(),
            },
            body_is_cut,
            fault: fault.map(|fault| fault.name().to_owned()),
            status: None,
            answer_headers: Vec::new(),
            answer: String::new(),
            answer_is_cut: false,
        };
        self.kept += entry.body.len();
        self.entries.push_back((number, entry));
        self.make_room();
        number
    }

    fn make_room(&mut self) {
        while self.kept > MOST_KEPT && self.entries.len() > 1 {
            self.forget_the_oldest();
        }
    }

    fn forget_the_oldest(&mut self) {
        if let Some((_, entry)) = self.entries.pop_front() {
            self.kept -= entry.body.len() + entry.answer.len();
        }
    }

    pub(crate) fn answered(&mut self, number: u64, status: Option<StatusCode>, head: &HeaderMap, body: &[u8]) {
        if let Some((_, entry)) = self.entries.iter_mut().rev().find(|(n, _)| *n == number) {
            let (kept, is_cut) = beginning(body);
            entry.status = status.map(|status| status.as_u16());
            entry.answer_headers = headers(head);
            entry.answer = masked_answer(kept);
            entry.answer_is_cut = is_cut;
            self.kept += entry.answer.len();
            self.make_room();
        }
    }

    /// What was asked and answered, the oldest first, as far as it is wanted.
    pub(crate) fn entries(&self, wanted: impl Fn(&Recorded) -> bool) -> Vec<Recorded> {
        self.entries.iter().map(|(_, entry)| entry).filter(|entry| wanted(entry)).cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.kept = 0;
    }
}

/// What is kept of a body, whole characters where it is text, and whether that is not all.
fn beginning(body: &[u8]) -> (&[u8], bool) {
    let is_inside = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    if body.len() <= KEPT {
        return (body, false);
    }
    let end = (KEPT - 3..=KEPT).rev().find(|end| !is_inside(&body[*end])).unwrap_or(KEPT);
    (&body[..end], true)
}

/// Whether this is an address of tokens, or was meant as one.
fn is_token(uri: &Uri) -> bool {
    let last = uri.path().split('/').rfind(|segment| !segment.is_empty()).unwrap_or_default();
    ["token", "authorize"].iter().any(|name| last.eq_ignore_ascii_case(name))
}

fn path(uri: &Uri, is_token: bool) -> String {
    match uri.query() {
        None => uri.path().to_owned(),
        Some(query) if is_token => format!("{}?{}", uri.path(), masked_form(query.as_bytes())),
        Some(query) => {
            let pairs: Vec<String> = query.split('&').map(without_token).collect();
            format!("{}?{}", uri.path(), pairs.join("&"))
        }
    }
}

/// A parameter of an API call as it came, but for a token or a secret that has gone astray.
fn without_token(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name @ ("access_token" | "refresh_token" | "client_secret"), _)) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &str, value: &str| match (name, value.split_once(' ')) {
        ("authorization", Some((scheme, _))) => format!("{scheme} {MASK}"),
        (
            "authorization"
            | "authorisation"
            | "proxy-authorization"
            | "cookie"
            | "set-cookie"
            | "tid"
            | "ocp-apim-subscription-key",
            _,
        ) => MASK.to_owned(),
        // Where somebody is sent on with a code.
        ("location", _) => match value.split_once('?') {
            Some((place, query)) => format!("{place}?{}", masked_form(query.as_bytes())),
            None => value.to_owned(),
        },
        _ => value.to_owned(),
    };
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), text(name.as_str(), &value))
        })
        .collect()
}

/// Keeps the fields of a token request that are known to be harmless, and masks every other one: a client that
/// sends something else than it should may have a secret anywhere, in a name too.
fn masked_form(form: &[u8]) -> String {
    let fields = form_urlencoded::parse(form).map(|(name, value)| {
        let (name, value) = masked(&name, &value);
        format!("{name}={value}")
    });
    fields.collect::<Vec<_>>().join("&")
}

/// The same of a JSON object of texts.
fn masked_json(body: &[u8]) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return MASK.to_owned();
    };
    let fields = fields.iter().map(|(name, value)| {
        let (name, value) = masked(name, value.as_str().unwrap_or(MASK));
        (name.to_owned(), value.into())
    });
    Value::Object(fields.collect()).to_string()
}

fn masked<'a>(name: &'a str, value: &'a str) -> (&'a str, &'a str) {
    match name {
        "grant_type"
        | "scope"
        | "client_id"
        | "redirect_uri"
        | "response_type"
        | "response_mode"
        | "code_challenge_method" => (name, value),
        "client_secret" | "refresh_token" | "code" | "code_verifier" | "code_challenge" | "state" | "username"
        | "password" => (name, MASK),
        _ => (MASK, MASK),
    }
}

fn masked_answer(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let names = ["access_token", "refresh_token", "id_token"];
    if !names.iter().any(|name| text.contains(name)) {
        return text.into_owned();
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(mut fields)) => {
            for name in names {
                fields.entry(name).and_modify(|value| *value = MASK.into());
            }
            Value::Object(fields).to_string()
        }
        _ => MASK.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn bodies_and_answers_have_room_for_so_much_and_the_oldest_go_first() {
        let mut journal = Journal::new("SHOW".to_owned(), 100_000);
        let (parts, ()) = axum::http::Request::new(()).into_parts();
        let body = vec![b'x'; KEPT];
        let fitting = MOST_KEPT / (2 * KEPT);
        for number in 0..fitting as u64 + 10 {
            assert_eq!(journal.arrive(Utc::now(), &parts, &body, None), number);
            journal.answered(number, Some(StatusCode::OK), &HeaderMap::new(), &body);
        }
        let numbers: Vec<u64> = journal.entries.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (10..fitting as u64 + 10).collect::<Vec<_>>());
        assert!(journal.kept <= MOST_KEPT);
        journal.clear();
        assert_eq!(journal.kept, 0);
    }
}
