//! The journal: what was asked and answered, with nothing secret in it.

use std::collections::VecDeque;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::body::media_type;
use crate::parameters::{FORM, JSON};

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
    /// The body of the answer as the sandbox had it, before a fault cut or dropped it; empty for an export that was made
    /// on its way and for what was gzipped.
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
        let is_token = is_token(&parts.uri);
        let entry = Recorded {
            at,
            method: parts.method.to_string(),
            path: path(&parts.uri, is_token),
            headers: headers(&parts.headers),
            body: match (is_token, media_type(&parts.headers).as_deref()) {
                // No API takes a form: this is a token request that went astray.
                (_, Some(FORM)) => masked_form(body),
                (false, _) => String::from_utf8_lossy(body).into_owned(),
                (true, _) if body.is_empty() => String::new(),
                (true, Some(JSON)) => masked_json(body),
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

/// Whether this is an address of tokens, or was meant as one.
fn is_token(uri: &Uri) -> bool {
    let last = uri.path().split('/').rfind(|segment| !segment.is_empty()).unwrap_or_default();
    ["token", "authorize"].iter().any(|name| last.eq_ignore_ascii_case(name))
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
        (
            "authorization" | "authorisation" | "proxy-authorization" | "cookie" | "tid" | "ocp-apim-subscription-key",
            _,
        ) => MASK.to_owned(),
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
