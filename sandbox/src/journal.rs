//! The journal: what was asked and answered, with nothing secret in it.

use std::collections::VecDeque;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::body::media_type;
use crate::token;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// One request and its answer.
///
/// Secrets and tokens are replaced by `***`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded {
    /// When it arrived, by the sandbox's clock.
    pub at: DateTime<Utc>,
    /// The method, as `GET`.
    pub method: String,
    /// The path and the query as they came, as `/Customer?page=2`.
    pub path: String,
    /// The request's headers in the order of arrival; names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The request's body; what is not UTF-8 is replaced.
    pub body: String,
    /// The status that was answered; `None` while there is no answer and when the connection was dropped on order.
    pub status: Option<u16>,
    /// The body of the answer as the sandbox had it, before a fault cut or dropped it.
    pub answer: String,
}

impl Recorded {
    /// The first header with this name, which must be in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| key == name)?;
        Some(value)
    }
}

pub(crate) struct Journal {
    entries: VecDeque<(u64, Recorded)>,
    next: u64,
    cap: usize,
}

impl Journal {
    pub(crate) fn new(cap: usize) -> Self {
        Self { entries: VecDeque::new(), next: 0, cap }
    }

    /// Writes down a request; the number is for its answer.
    pub(crate) fn arrive(&mut self, at: DateTime<Utc>, parts: &Parts, body: &[u8]) -> u64 {
        let number = self.next;
        self.next += 1;
        if self.cap == 0 {
            return number;
        }
        if self.entries.len() >= self.cap {
            self.entries.pop_front();
        }
        let is_token = parts.uri.path().eq_ignore_ascii_case(token::PATH);
        let entry = Recorded {
            at,
            method: parts.method.to_string(),
            path: path(&parts.uri, is_token),
            headers: headers(&parts.headers),
            body: match (is_token, media_type(&parts.headers).as_deref()) {
                (false, _) => String::from_utf8_lossy(body).into_owned(),
                (true, Some("application/x-www-form-urlencoded")) => masked_form(body),
                (true, _) if body.is_empty() => String::new(),
                (true, _) => MASK.to_owned(),
            },
            status: None,
            answer: String::new(),
        };
        self.entries.push_back((number, entry));
        number
    }

    pub(crate) fn answered(&mut self, number: u64, status: Option<StatusCode>, body: &[u8]) {
        if let Some((_, entry)) = self.entries.iter_mut().rev().find(|(n, _)| *n == number) {
            entry.status = status.map(|status| status.as_u16());
            entry.answer = masked_answer(body);
        }
    }

    pub(crate) fn entries(&self) -> Vec<Recorded> {
        self.entries.iter().map(|(_, entry)| entry.clone()).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

fn path(uri: &Uri, is_token: bool) -> String {
    match uri.query() {
        None => uri.path().to_owned(),
        Some(query) if is_token => format!("{}?{}", uri.path(), masked_form(query.as_bytes())),
        Some(query) => format!("{}?{query}", uri.path()),
    }
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &str, value: &str| match (name, value.split_once(' ')) {
        ("authorization", Some((scheme, _))) => format!("{scheme} {MASK}"),
        ("authorization" | "proxy-authorization" | "cookie", _) => MASK.to_owned(),
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
    let fields = form_urlencoded::parse(form).map(|(name, value)| match name.as_ref() {
        "grant_type" | "scope" | "client_id" => format!("{name}={value}"),
        "client_secret" | "refresh_token" => format!("{name}={MASK}"),
        _ => format!("{MASK}={MASK}"),
    });
    fields.collect::<Vec<_>>().join("&")
}

fn masked_answer(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let names = ["access_token", "refresh_token"];
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
