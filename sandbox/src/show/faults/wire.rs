//! The serialised form of faults: a status code, a word, or an object.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Fault;
use crate::model::exports::is_header_value;
use crate::show::behavior::RetryAfter;
use crate::show::headers::is_header_name;
use crate::show::seconds::Seconds;

/// The faults by name. A fault that is a response is an object of its own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Syntax {
    Unauthorized,
    TooManyRequests(Wait),
    Delay(Seconds),
    CutBody,
    CutAfter(u64),
    Slow(Slow),
    EmptyBody,
    DropConnection,
    #[serde(rename = "drop_answer")]
    DropResponse,
    Reset,
    #[serde(rename = "reset_answer")]
    ResetResponse,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wait {
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_date: Option<Seconds>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Slow {
    piece: usize,
    pause: Seconds,
}

/// The response of a [`Fault::Status`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultResponse {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::show::headers")]
    headers: Vec<(String, String)>,
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let syntax = match self {
            Self::Status { code, content_type, body, headers } => {
                return FaultResponse::of(*code, content_type, body, headers).serialize(serializer);
            }
            Self::Unauthorized => Syntax::Unauthorized,
            Self::TooManyRequests { wait, retry_after } => {
                let wait = Some(Seconds(*wait));
                Syntax::TooManyRequests(match retry_after {
                    RetryAfter::Seconds => Wait { retry_after: wait, retry_after_date: None },
                    RetryAfter::Date => Wait { retry_after: None, retry_after_date: wait },
                    RetryAfter::Missing => return serializer.serialize_str(self.name()),
                })
            }
            Self::Delay(time) => Syntax::Delay(Seconds(*time)),
            Self::CutBody => Syntax::CutBody,
            Self::CutAfter(bytes) => Syntax::CutAfter(*bytes),
            Self::Slow { piece, pause } => Syntax::Slow(Slow { piece: *piece, pause: Seconds(*pause) }),
            Self::EmptyBody => Syntax::EmptyBody,
            Self::DropConnection => Syntax::DropConnection,
            Self::DropResponse => Syntax::DropResponse,
            Self::Reset => Syntax::Reset,
            Self::ResetResponse => Syntax::ResetResponse,
        };
        syntax.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn parse(value: Value) -> Result<Fault, serde_json::Error> {
    let syntax = match value {
        Value::Number(_) => return status(u16::deserialize(value)?).map(Fault::status),
        Value::Object(ref fields) if fields.contains_key("status") => {
            return FaultResponse::deserialize(value)?.fault();
        }
        Value::String(ref word) if word == "too_many_requests" => Syntax::TooManyRequests(Wait::default()),
        Value::String(_) | Value::Object(_) => Syntax::deserialize(value)?,
        _ => return Err(serde_json::Error::custom("a fault is a status number, a word, or an object")),
    };
    Ok(match syntax {
        Syntax::Unauthorized => Fault::Unauthorized,
        Syntax::TooManyRequests(wait) => wait.fault()?,
        Syntax::Delay(Seconds(time)) => Fault::Delay(time),
        Syntax::CutBody => Fault::CutBody,
        Syntax::CutAfter(bytes) => Fault::CutAfter(bytes),
        Syntax::Slow(Slow { piece, pause: Seconds(pause) }) => Fault::Slow { piece, pause },
        Syntax::EmptyBody => Fault::EmptyBody,
        Syntax::DropConnection => Fault::DropConnection,
        Syntax::DropResponse => Fault::DropResponse,
        Syntax::Reset => Fault::Reset,
        Syntax::ResetResponse => Fault::ResetResponse,
    })
}

/// Checks a status code. A 1xx is not a final response.
fn status(code: u16) -> Result<u16, serde_json::Error> {
    let is_final = (200..1000).contains(&code);
    is_final
        .then_some(code)
        .ok_or_else(|| serde_json::Error::custom(format!("the status must be 200 to 999, found {code}")))
}

impl Wait {
    fn fault(self) -> Result<Fault, serde_json::Error> {
        match (self.retry_after, self.retry_after_date) {
            (Some(Seconds(wait)), None) => Ok(Fault::too_many_requests(wait)),
            (None, Some(Seconds(wait))) => Ok(Fault::too_many_requests_until(wait)),
            (None, None) => Ok(Fault::TooManyRequests { wait: Duration::ZERO, retry_after: RetryAfter::Missing }),
            _ => {
                Err(serde_json::Error::custom("too_many_requests must have retry_after or retry_after_date, not both"))
            }
        }
    }
}

impl FaultResponse {
    fn of(code: u16, content_type: &str, body: &[u8], headers: &[(String, String)]) -> Self {
        let text = std::str::from_utf8(body);
        Self {
            status: code,
            body: text.ok().map(Value::from),
            body_base64: text.is_err().then(|| STANDARD.encode(body)),
            content_type: Some(content_type.to_owned()),
            headers: headers.to_vec(),
        }
    }

    fn fault(self) -> Result<Fault, serde_json::Error> {
        let wrong = |message: String| Err(serde_json::Error::custom(message));
        let code = status(self.status)?;
        let mut fault = match (self.body, self.body_base64) {
            (None, None) => Fault::status(code),
            (Some(Value::String(text)), None) => Fault::response(code, "text/plain; charset=utf-8", text.into_bytes()),
            (Some(json), None) => Fault::response(code, "application/json", json.to_string().into_bytes()),
            (None, Some(text)) => match STANDARD.decode(text) {
                Ok(bytes) => Fault::response(code, "application/octet-stream", bytes),
                Err(error) => return wrong(format!("body_base64: {error}")),
            },
            _ => return wrong("a response must have a body or a body_base64, not both".to_owned()),
        };
        if let (Fault::Status { content_type, .. }, Some(own)) = (&mut fault, self.content_type) {
            if !is_header_value(&own) {
                return wrong(format!("{own:?} is not a valid content type"));
            }
            *content_type = own;
        }
        for (name, value) in self.headers {
            if !is_header_name(&name) || !is_header_value(&value) {
                return wrong(format!("{name:?}: {value:?} is not a valid header"));
            }
            fault = fault.with_header(&name, &value);
        }
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn status(code: u16, content_type: &str, body: &[u8], headers: &[(&str, &str)]) -> Fault {
        Fault::Status {
            code,
            content_type: content_type.to_owned(),
            body: body.to_vec(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn every_fault_has_its_documented_form_and_round_trips() {
        let second = Duration::from_secs(1);
        let text = "text/plain; charset=utf-8";
        for (data, fault) in [
            (json!(503), Fault::status(503)),
            (json!({ "status": 503 }), Fault::status(503)),
            (json!({ "status": 503, "body": "down" }), status(503, text, b"down", &[])),
            (json!({ "status": 200, "body": "", "content_type": "" }), status(200, "", b"", &[])),
            (json!({ "status": 400, "body": { "a": [1] } }), status(400, "application/json", br#"{"a":[1]}"#, &[])),
            (json!({ "status": 502, "body_base64": "/w==" }), status(502, "application/octet-stream", b"\xff", &[])),
            (
                json!({ "status": 503, "body": "x", "content_type": "text/html",
                        "headers": { "retry-after": 3, "set-cookie": ["a=1", "b=2"], "x-one": "1" } }),
                status(
                    503,
                    "text/html",
                    b"x",
                    &[("retry-after", "3"), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-one", "1")],
                ),
            ),
            (json!("unauthorized"), Fault::Unauthorized),
            (json!({ "too_many_requests": { "retry_after": 30 } }), Fault::too_many_requests(30 * second)),
            (
                json!({ "too_many_requests": { "retry_after_date": 1.5 } }),
                Fault::too_many_requests_until(3 * second / 2),
            ),
            (
                json!("too_many_requests"),
                Fault::TooManyRequests { wait: Duration::ZERO, retry_after: RetryAfter::Missing },
            ),
            (
                json!({ "too_many_requests": {} }),
                Fault::TooManyRequests { wait: Duration::ZERO, retry_after: RetryAfter::Missing },
            ),
            (json!({ "delay": 0.5 }), Fault::Delay(second / 2)),
            (json!("cut_body"), Fault::CutBody),
            (json!({ "cut_after": 1000 }), Fault::CutAfter(1000)),
            (json!({ "slow": { "piece": 1, "pause": 0.01 } }), Fault::Slow { piece: 1, pause: second / 100 }),
            (json!("empty_body"), Fault::EmptyBody),
            (json!("drop_connection"), Fault::DropConnection),
            (json!("drop_answer"), Fault::DropResponse),
            (json!("reset"), Fault::Reset),
            (json!("reset_answer"), Fault::ResetResponse),
        ] {
            assert_eq!(Fault::deserialize(&data).unwrap(), fault, "{data}");
            assert_eq!(data.to_string().parse::<Fault>().unwrap(), fault, "{data}");
            let written = serde_json::to_value(&fault).unwrap();
            assert_eq!(Fault::deserialize(&written).unwrap(), fault, "{written}");
            let name = written.as_str().map_or(written.get(fault.name()).is_some(), |word| word == fault.name());
            assert!(name, "{written} is not named {}", fault.name());
        }
    }

    #[test]
    fn a_word_may_be_bare() {
        assert_eq!(" cut_body ".parse::<Fault>().unwrap(), Fault::CutBody);
        assert_eq!("503".parse::<Fault>().unwrap(), Fault::status(503));
    }

    #[test]
    fn invalid_faults_are_rejected_by_name() {
        for (text, named) in [
            ("cut_bdy", "cut_bdy"),
            ("199", "199"),
            ("1000", "1000"),
            (r#"{"status": 101}"#, "101"),
            (r#"{"status": 503, "boddy": "x"}"#, "boddy"),
            (r#"{"status": 503, "body": "x", "body_base64": ""}"#, "body_base64"),
            (r#"{"status": 503, "body_base64": "?"}"#, "body_base64"),
            (r#"{"status": 503, "content_type": "a\nb"}"#, "content type"),
            (r#"{"status": 503, "headers": {"a b": "1"}}"#, "a b"),
            (r#"{"status": 503, "headers": {"a": "1\n"}}"#, "a"),
            (r#"{"status": 503, "headers": {"a": true}}"#, "value of a header"),
            (r#"{"dellay": 1}"#, "dellay"),
            (r#"{"delay": -1}"#, "-1.0 is not a valid number of seconds"),
            (r#"{"delay": 1, "cut_after": 1}"#, "single key"),
            (r#"{"slow": {"piece": 1}}"#, "pause"),
            (r#"{"slow": {"piece": 1, "pause": 0, "paus": 1}}"#, "paus"),
            (r#"{"too_many_requests": {"retry_after": 1, "retry_after_date": 1}}"#, "not both"),
            (r#"{"too_many_requests": {"retry": 1}}"#, "retry"),
            ("[]", "a fault is"),
            ("{}", "single key"),
            ("", "EOF"),
        ] {
            let error = Fault::parse(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
