//! Judges every call: what was sent, what the server thought of it, and whether its response could be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    pin::Pin,
    time::Duration,
};

use perenso::runtime::Operation;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    document::Documents,
    proxy::{Exchange, Recorder},
    values::{Failure, Read, Values},
    wire,
};

/// The time limit of a call.
const PATIENCE: Duration = Duration::from_secs(30);

/// A call with all its values.
pub(crate) type Call<C> =
    for<'a> fn(&'a C, &'a Values<'a>) -> Pin<Box<dyn Future<Output = Result<Read, Failure>> + 'a>>;

/// The calls of one client to one server.
pub(crate) struct Talk<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) recorder: Recorder,
    /// True if what is optional is left out.
    pub(crate) is_least: bool,
    /// True after a call without response: Prism makes some random responses for hours, and no other one in that time.
    pub(crate) is_stuck: bool,
    pub(crate) results: Vec<(&'static Operation, bool, Verdict)>,
}

/// The result of one call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The server took the request, and the client read the response.
    Read,
    /// The server found the request invalid.
    Refused(String),
    /// The client could not read the response.
    Unreadable(String),
    /// The request differs from what was set.
    Altered(String),
    /// The server cannot respond to the operation, or breaks the document itself.
    Exception(String),
}

impl Talk<'_> {
    /// Makes a call and judges it.
    pub(crate) async fn call<C>(&mut self, client: &C, operation: &'static Operation, call: Call<C>) {
        self.recorder.take();
        let values = Values::new(self.documents, operation, self.is_least);
        let hangs = || Verdict::Exception("the server hangs".to_owned());
        if self.is_stuck {
            return self.results.push((operation, self.is_least, hangs()));
        }
        let Ok(outcome) = timeout(PATIENCE, call(client, &values)).await else {
            self.is_stuck = true;
            return self.results.push((operation, self.is_least, hangs()));
        };
        let exchange = self.recorder.take();
        let path = exchange.as_ref().map(|exchange| exchange.request.uri.path().to_owned());
        let verdict = match self.verdict(&values, outcome, exchange).await {
            Verdict::Refused(_) | Verdict::Unreadable(_)
                if path.as_ref().is_some_and(|path| self.documents.is_ambiguous(operation, path)) =>
            {
                Verdict::Exception("the path of another operation fits the request as well".to_owned())
            }
            verdict => verdict,
        };
        self.results.push((operation, self.is_least, verdict));
    }

    async fn verdict(
        &self,
        values: &Values<'_>,
        outcome: Result<Read, Failure>,
        exchange: Option<Exchange>,
    ) -> Verdict {
        let exchange = match (exchange, &outcome) {
            (_, Err(Failure::Value(reason))) => return Verdict::Altered(reason.clone()),
            (None, Err(Failure::Call(error))) => return Verdict::Altered(format!("nothing was sent: {error:?}")),
            (None, Ok(_)) => return Verdict::Altered("nothing was sent".to_owned()),
            (Some(exchange), _) => exchange,
        };
        let altered = wire::check(self.documents, values, &exchange);
        let (of_request, of_response) = violations(&exchange);
        if !of_request.is_empty() {
            return refused(values, of_request, altered);
        }
        let has_success = self.documents.has_success(values.operation);
        let refusal = refusal(&exchange).filter(|_| has_success);
        if let Some(Verdict::Refused(reason)) = refusal {
            return refused(values, reason, altered);
        }
        if let Err(difference) = altered {
            return Verdict::Altered(difference);
        }
        if !has_success && !exchange.status.is_success() {
            return Verdict::Exception("the document has no response of success".to_owned());
        }
        if let Some(verdict) = refusal {
            return verdict;
        }
        let error = match outcome {
            Ok(Read { bytes: None }) => return Verdict::Read,
            Ok(Read { bytes: Some(response) }) => match response.bytes().await {
                Ok(_) => return Verdict::Read,
                Err(error) => format!("{error:?}"),
            },
            Err(Failure::Call(error)) => format!("{error:?}"),
            Err(Failure::Value(reason)) => reason,
        };
        if !of_response.is_empty() {
            return Verdict::Exception(format!("the example of the server breaks the document: {of_response}"));
        }
        if has_huge_number(&exchange.body) {
            return Verdict::Exception("the example of a number has more digits than a decimal holds".to_owned());
        }
        if error.contains("a numeric string, found another string") && has_long_number(&exchange.body) {
            return Verdict::Exception("no number of 32 or 64 bits has as many digits as the random string".to_owned());
        }
        if self.documents.lacks_required(values.operation, exchange.status.as_u16(), &exchange.body) {
            return Verdict::Exception("the response lacks what the document requires".to_owned());
        }
        if String::from_utf8_lossy(&exchange.body).contains("perenso-sandbox: a stand-in") {
            return Verdict::Exception("the sandbox has this path itself".to_owned());
        }
        Verdict::Unreadable(format!("{error}: {}", excerpt(&exchange.body)))
    }
}

/// Returns the violations that Prism found in the request and in its own response.
fn violations(exchange: &Exchange) -> (String, String) {
    let Some(header) = exchange.headers.get("sl-violations") else { return Default::default() };
    let text = String::from_utf8_lossy(header.as_bytes()).into_owned();
    let Ok(Value::Array(all)) = serde_json::from_str(&text) else {
        // A long list is cut off.
        return if text.contains(r#"["request""#) { (text, String::new()) } else { (String::new(), text) };
    };
    let of = |place: &str| {
        let errors = all.iter().filter(|one| one["severity"] == "Error" && one["location"][0] == place);
        let texts: Vec<_> = errors.map(|one| format!("{} {}", one["location"], one["message"])).collect();
        texts.join("; ")
    };
    (of("request"), of("response"))
}

/// Returns the verdict on a refused request: an exception where no request is right, or Prism cannot read a right one.
fn refused(values: &Values<'_>, reason: String, altered: Result<(), String>) -> Verdict {
    let path = values.operation.path;
    let is_mixed = |segment: &str| {
        segment.contains('{') && !(segment.starts_with('{') && segment.find('}') == Some(segment.len() - 1))
    };
    let is_of_path = reason.contains("Request path must have required property");
    let exception = match altered {
        Err(difference) => return Verdict::Refused(format!("{reason}: {difference}")),
        Ok(()) if values.is_impossible() => "the document's own enum has no value of its type",
        Ok(()) if path.contains("{*") && reason.contains("NO_PATH_MATCHED") => {
            "Prism knows no parameter that is the rest of a path"
        }
        Ok(()) if reason.contains("must be object") && values.has_parts() => {
            "Prism reads no object in a part of a form"
        }
        Ok(()) if is_of_path && path.split('/').any(is_mixed) => {
            "Prism finds no value that is a part of a segment of a path"
        }
        Ok(()) => return Verdict::Refused(reason),
    };
    Verdict::Exception(exception.to_owned())
}

/// Returns why a server did not take a request, or cannot respond.
fn refusal(exchange: &Exchange) -> Option<Verdict> {
    let status = exchange.status.as_u16();
    if status < 400 {
        return None;
    }
    let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
    // A warning, as of a parameter that is deprecated, refuses nothing.
    let errors = body["validation"].as_array().into_iter().flatten().filter(|problem| problem["severity"] == "Error");
    let errors: Vec<_> = errors
        .map(|error| format!("{}: {}", error["location"], error["message"].as_str().unwrap_or_default()))
        .collect();
    let text = match errors.is_empty() {
        true => format!("{status} {}", excerpt(&exchange.body)),
        false => format!("{status} {}", errors.join("; ")),
    };
    let name = body["type"].as_str().and_then(|name| name.strip_prefix("https://stoplight.io/prism/errors#"));
    Some(match (status, name) {
        (_, Some("NO_RESPONSE_DEFINED" | "SCHEMA_TOO_COMPLEX" | "VIOLATIONS" | "UNKNOWN")) => Verdict::Exception(text),
        (404, None) => Verdict::Exception("the sandbox has no such record".to_owned()),
        _ => Verdict::Refused(text),
    })
}

/// Returns true if a body has a number with more digits than a decimal holds, such as the least one of 64 bits.
fn has_huge_number(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let exponent = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse();
    text.split("e+").skip(1).any(|rest| exponent(rest).is_ok_and(|exponent: u16| exponent >= 28))
}

/// Returns true if a body has a string of ten digits or more.
fn has_long_number(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let is_long =
        |part: &str| part.len() >= 10 && part.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    text.split('"').any(is_long)
}

/// Returns the beginning of a body.
pub(crate) fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(400).collect()
}

impl Talk<'_> {
    /// Returns the operations of which a response was read.
    pub(crate) fn read(&self) -> impl Iterator<Item = &'static str> {
        let read = self.results.iter().filter(|(.., verdict)| matches!(verdict, Verdict::Read));
        read.map(|(operation, ..)| operation.id)
    }

    /// Returns the counts as the columns of a table: operations, those with a response that was read, calls, and what went wrong.
    pub(crate) fn row(&self) -> String {
        let count = |is: fn(&Verdict) -> bool| self.results.iter().filter(|(.., verdict)| is(verdict)).count();
        let operations: BTreeSet<_> = self.results.iter().map(|(operation, ..)| operation.id).collect();
        let counts = [
            operations.len(),
            self.read().collect::<BTreeSet<_>>().len(),
            self.results.len(),
            count(|verdict| matches!(verdict, Verdict::Refused(_))),
            count(|verdict| matches!(verdict, Verdict::Unreadable(_))),
            count(|verdict| matches!(verdict, Verdict::Altered(_))),
            count(|verdict| matches!(verdict, Verdict::Exception(_))),
        ];
        counts.map(|count| count.to_string()).join(" | ")
    }

    /// Returns true if every call succeeded, but for named exceptions.
    pub(crate) fn is_good(&self) -> bool {
        self.results.iter().all(|(.., verdict)| matches!(verdict, Verdict::Read | Verdict::Exception(_)))
    }
}

/// Writes what went wrong, equal reasons of one operation once.
impl fmt::Display for Talk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: BTreeMap<String, bool> = BTreeMap::new();
        for (operation, is_least, verdict) in &self.results {
            let text = match verdict {
                Verdict::Read => continue,
                Verdict::Refused(reason) => format!("refused: {reason}"),
                Verdict::Unreadable(reason) => format!("unreadable: {reason}"),
                Verdict::Altered(reason) => format!("altered: {reason}"),
                Verdict::Exception(reason) => format!("exception: {reason}"),
            };
            reasons
                .entry(format!("{} {} {}: {text}", operation.id, operation.method, operation.path))
                .or_insert(*is_least);
        }
        reasons.keys().try_for_each(|reason| writeln!(f, "  {reason}"))
    }
}
