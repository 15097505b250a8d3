//! The fault table: each grant, each fault of the token endpoint, and what comes of it.
//!
//! A cell says how a call for a token ends and what it costs: `token 2+0+0` brought a token with two token requests; a
//! second call right after it made none, and a third a minute later made none. `unavailable 4+4+4` brought none with
//! four, and each of the others tried four times more; `refused 1+0+1` was refused, the second call as well, without a
//! request, and the third asked again. `person` asks for a person. Each call is made by eight callers at once, who cost no
//! more than one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod cell;
mod clock;
mod endpoint;
mod table;

use std::time::Duration;

use futures_util::future::join_all;

use cell::{Cell, Grant, Shown};
use endpoint::Wire::{self, Cut, Refused, ResetAfter, ResetBefore, Stalled};
use table::{Fault, check, json};

/// The fault stays.
const AT_EVERY_REQUEST: &str = "
fault                       | client credentials | password           | code               | refresh, credentials behind | refresh, person behind

connection refused          | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+5+5           | unavailable 4+4+4
reset before it was read    | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
reset after it was read     | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
closed without a word       | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
stalled                     | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
stalled in mid-body         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
cut body                    | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2

400                         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
400, Retry-After: 3         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
400 invalid_grant           | refused 1+0+1      | refused 1+0+1      | person 1+0+0       | refused 2+0+1               | person 1+0+0
400 invalid_grant, R-A: 3   | refused 1+0+1      | refused 1+0+1      | person 1+0+0       | refused 2+0+1               | person 1+0+0
400 invalid_client          | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
401 invalid_client          | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
401, Retry-After: 3         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
403                         | unavailable 1+1+1  | unavailable 1+1+1  | unavailable 1+1+1  | unavailable 2+2+2           | unavailable 1+1+1
403, Retry-After: 3         | unavailable 1+1+1  | unavailable 1+1+1  | unavailable 1+1+1  | unavailable 2+2+2           | unavailable 1+1+1

408                         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+5+5           | unavailable 4+4+4
429                         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+5+5           | unavailable 4+4+4
429, Retry-After: 3         | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 5+0+5           | unavailable 4+0+4
429, Retry-After: 3600      | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+2           | unavailable 1+0+1
500                         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
500, Retry-After: 3         | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 5+0+4           | unavailable 2+0+2
502                         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+4+4           | unavailable 2+2+2
503                         | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 4+4+4  | unavailable 5+5+5           | unavailable 4+4+4
503, Retry-After: 3         | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 4+0+4  | unavailable 5+0+5           | unavailable 4+0+4
503, Retry-After: 3600      | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+2           | unavailable 1+0+1

HTML with 200               | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
JSON without access_token   | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
JSON, a list                | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
JSON that ends too early    | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
access_token of two lines   | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
token_type mac              | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
empty body                  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
204                         | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
10 MB body                  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
10 MB refusal               | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | refused 2+0+1               | refused 1+0+1
redirect                    | redirect 1+0+1     | redirect 1+0+1     | redirect 1+0+1     | redirect 2+0+2              | redirect 1+0+1
redirect to nowhere         | redirect 1+0+1     | redirect 1+0+1     | redirect 1+0+1     | redirect 2+0+2              | redirect 1+0+1

unknown charset             | token 1+0+0        | token 1+0+0        | token 1+0+0        | token 1+0+0                 | token 1+0+0
201, no content type        | token 1+0+0        | token 1+0+0        | token 1+0+0        | token 1+0+0                 | token 1+0+0
";

/// The fault passes: the next request is handled as it should be.
const AT_THE_FIRST_REQUEST: &str = "
fault                       | client credentials | password           | code               | refresh, credentials behind | refresh, person behind

connection refused          | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
reset before it was read    | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
reset after it was read     | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
closed without a word       | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
stalled                     | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
stalled in mid-body         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
cut body                    | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0

400                         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
400, Retry-After: 3         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
400 invalid_grant           | refused 1+0+1      | refused 1+0+1      | person 1+0+0       | token 2+0+0                 | person 1+0+0
400 invalid_grant, R-A: 3   | refused 1+0+1      | refused 1+0+1      | person 1+0+0       | token 2+0+0                 | person 1+0+0
400 invalid_client          | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
401 invalid_client          | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
401, Retry-After: 3         | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
403                         | unavailable 1+1+0  | unavailable 1+1+0  | unavailable 1+1+0  | token 2+0+0                 | unavailable 1+1+0
403, Retry-After: 3         | unavailable 1+1+0  | unavailable 1+1+0  | unavailable 1+1+0  | token 2+0+0                 | unavailable 1+1+0

408                         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
429                         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
429, Retry-After: 3         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
429, Retry-After: 3600      | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | unavailable 1+0+1
500                         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
500, Retry-After: 3         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
502                         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
503                         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
503, Retry-After: 3         | token 2+0+0        | token 2+0+0        | token 2+0+0        | token 2+0+0                 | token 2+0+0
503, Retry-After: 3600      | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | unavailable 1+0+1

HTML with 200               | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
JSON without access_token   | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
JSON, a list                | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
JSON that ends too early    | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
access_token of two lines   | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
token_type mac              | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
empty body                  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
204                         | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
10 MB body                  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | token 2+0+0                 | token 2+0+0
10 MB refusal               | refused 1+0+1      | refused 1+0+1      | refused 1+0+1      | token 2+0+0                 | refused 1+0+1
redirect                    | redirect 1+0+1     | redirect 1+0+1     | redirect 1+0+1     | token 2+0+0                 | redirect 1+0+1
redirect to nowhere         | redirect 1+0+1     | redirect 1+0+1     | redirect 1+0+1     | token 2+0+0                 | redirect 1+0+1

unknown charset             | token 1+0+0        | token 1+0+0        | token 1+0+0        | token 1+0+0                 | token 1+0+0
201, no content type        | token 1+0+0        | token 1+0+0        | token 1+0+0        | token 1+0+0                 | token 1+0+0
";

/// The life of a token whose response says it this way, in seconds, in place of the word `token`.
const LIFETIMES: &str = r#"
expires_in                  | client credentials | password           | code               | refresh, credentials behind | refresh, person behind

300                         | 300 1+0+0          | 300 1+0+0          | 300 1+0+0          | 300 1+0+0                   | 300 1+0+0
299.9                       | 299 1+0+0          | 299 1+0+0          | 299 1+0+0          | 299 1+0+0                   | 299 1+0+0
0                           | 0 1+1+1            | 0 1+1+1            | 0 1+1+1            | 0 1+1+1                     | 0 1+1+1
0.5                         | 0 1+1+1            | 0 1+1+1            | 0 1+1+1            | 0 1+1+1                     | 0 1+1+1
-5                          | 0 1+1+1            | 0 1+1+1            | 0 1+1+1            | 0 1+1+1                     | 0 1+1+1
99999999999999999999        | 315360000 1+0+0    | 315360000 1+0+0    | 315360000 1+0+0    | 315360000 1+0+0             | 315360000 1+0+0
1e300                       | 315360000 1+0+0    | 315360000 1+0+0    | 315360000 1+0+0    | 315360000 1+0+0             | 315360000 1+0+0
"1799"                      | 1799 1+0+0         | 1799 1+0+0         | 1799 1+0+0         | 1799 1+0+0                  | 1799 1+0+0
"1799.9"                    | 1799 1+0+0         | 1799 1+0+0         | 1799 1+0+0         | 1799 1+0+0                  | 1799 1+0+0
"-5"                        | 0 1+1+1            | 0 1+1+1            | 0 1+1+1            | 0 1+1+1                     | 0 1+1+1
null                        | 900 1+0+0          | 900 1+0+0          | 900 1+0+0          | 900 1+0+0                   | 900 1+0+0
"soon"                      | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
"NaN"                       | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
true                        | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 1+0+1  | unavailable 2+0+1           | unavailable 2+0+2
"#;

/// Each fault: what goes over the wire, and what the user reads.
fn faults() -> Vec<Fault> {
    let fault = |name, wire, reads| Fault { name, wire, reads };
    let response = |status, headers, body: &str| Wire::Answer(status, headers, body.to_owned());
    let ten_megabytes = format!(r#"{{"access_token":"tok","x":"{}"}}"#, "x".repeat(10_000_000));
    #[rustfmt::skip]
    let faults = [
        ("connection refused",        Refused,                                                                       "the token endpoint is not available: no connection"),
        ("reset before it was read",  ResetBefore,                                                                   "the token endpoint is not available: the connection broke"),
        ("reset after it was read",   ResetAfter,                                                                    "the token endpoint is not available: the connection broke"),
        ("closed without a word",     Cut(""),                                                                       "the token endpoint is not available: the connection broke"),
        ("stalled",                   Stalled(""),                                                                   "the token endpoint is not available: no complete response within 5s"),
        ("stalled in mid-body",       Stalled("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"access_token\":"),    "the token endpoint is not available: no complete response within 5s"),
        ("cut body",                  Cut("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"access_token\":"),        "the token endpoint is not available: the connection broke within its response"),
        ("400",                       response("400 Bad Request", "", "<html>"),                                       "the token endpoint refused the grant (400)"),
        ("400, Retry-After: 3",       response("400 Bad Request", "retry-after: 3\r\n", ""),                           "the token endpoint refused the grant (400)"),
        ("400 invalid_grant",         json("400 Bad Request", "", r#"{"error":"invalid_grant","error_description":"it was used"}"#), "the token endpoint refused the grant (400): invalid_grant: it was used"),
        ("400 invalid_grant, R-A: 3", json("400 Bad Request", "retry-after: 3\r\n", r#"{"error":"invalid_grant"}"#), "the token endpoint refused the grant (400): invalid_grant"),
        ("400 invalid_client",        json("400 Bad Request", "", r#"{"error":"invalid_client"}"#),                  "the token endpoint refused the grant (400): invalid_client"),
        ("401 invalid_client",        json("401 Unauthorized", "", r#"{"error":"invalid_client"}"#),                 "the token endpoint refused the grant (401): invalid_client"),
        ("401, Retry-After: 3",       response("401 Unauthorized", "retry-after: 3\r\n", ""),                          "the token endpoint refused the grant (401)"),
        ("403",                       response("403 Forbidden", "", "no"),                                             "the token endpoint http://localhost/token responded with 403 Forbidden, which does not mean that the credentials are wrong: check the token URL, and any proxy or firewall in between; the response body may say why"),
        ("403, Retry-After: 3",       response("403 Forbidden", "retry-after: 3\r\n", "no"),                           "the token endpoint http://localhost/token responded with 403 Forbidden, which does not mean that the credentials are wrong: check the token URL, and any proxy or firewall in between; the response body may say why"),
        ("408",                       response("408 Request Timeout", "", ""),                                         "the token endpoint is not available: it responded with 408"),
        ("429",                       response("429 Too Many Requests", "", ""),                                       "the token endpoint is not available: it responded with 429"),
        ("429, Retry-After: 3",       response("429 Too Many Requests", "retry-after: 3\r\n", ""),                     "the token endpoint is not available: it responded with 429"),
        ("429, Retry-After: 3600",    response("429 Too Many Requests", "retry-after: 3600\r\n", ""),                  "the token endpoint is not available: it responded with 429"),
        ("500",                       response("500 Internal Server Error", "", "<html>"),                             "the token endpoint is not available: it responded with 500"),
        ("500, Retry-After: 3",       response("500 Internal Server Error", "retry-after: 3\r\n", ""),                 "the token endpoint is not available: it responded with 500"),
        ("502",                       response("502 Bad Gateway", "", "<html>"),                                       "the token endpoint is not available: it responded with 502"),
        ("503",                       response("503 Service Unavailable", "", ""),                                     "the token endpoint is not available: it responded with 503"),
        ("503, Retry-After: 3",       response("503 Service Unavailable", "retry-after: 3\r\n", ""),                   "the token endpoint is not available: it responded with 503"),
        ("503, Retry-After: 3600",    response("503 Service Unavailable", "retry-after: 3600\r\n", ""),                "the token endpoint is not available: it responded with 503"),
        ("HTML with 200",             response("200 OK", "content-type: text/html\r\n", "<html>please log in</html>"), "the response of the token endpoint (200) cannot be used: it is not JSON"),
        ("JSON without access_token", json("200 OK", "", r#"{"token":"tok","expires_in":300}"#),                     "the response of the token endpoint (200) cannot be used: no `access_token`"),
        ("JSON, a list",              json("200 OK", "", r#"["tok"]"#),                                              "the response of the token endpoint (200) cannot be used: it is JSON, but not an object"),
        ("JSON that ends too early",  json("200 OK", "", r#"{"access_token":"tok""#),                                "the response of the token endpoint (200) cannot be used: it is JSON that ends too early"),
        ("access_token of two lines", json("200 OK", "", r#"{"access_token":"tok\r\nx: y","refresh_token":"ref"}"#), "the response of the token endpoint (200) cannot be used: its access token contains a character that no header allows"),
        ("token_type mac",            json("200 OK", "", r#"{"access_token":"tok","token_type":"mac"}"#),            "the response of the token endpoint (200) cannot be used: `token_type` is not bearer"),
        ("empty body",                json("200 OK", "", ""),                                                        "the response of the token endpoint (200) cannot be used: it is empty"),
        ("204",                       response("204 No Content", "", ""),                                              "the response of the token endpoint (204) cannot be used: it is empty"),
        ("10 MB body",                json("200 OK", "", &ten_megabytes),                                            "the response of the token endpoint (200) cannot be used: it is larger than 1048576 bytes"),
        ("10 MB refusal",             json("400 Bad Request", "", &ten_megabytes),                                   "the token endpoint refused the grant (400)"),
        ("redirect",                  response("302 Found", "location: https://u:p@id.example/login?a=b\r\n", ""),     "the token endpoint redirects (302) to https://id.example/login; no redirect is followed: set the token URL to its final address"),
        ("redirect to nowhere",       response("307 Temporary Redirect", "", ""),                                      "the token endpoint redirects (307) to an unknown address; no redirect is followed: set the token URL to its final address"),
        ("unknown charset",           response("200 OK", "content-type: application/json; charset=x-unknown\r\n", r#"{"access_token":"tok-{n}"}"#), ""),
        ("201, no content type",      response("201 Created", "", r#"{"access_token":"tok-{n}"}"#),                    ""),
    ];
    faults.into_iter().map(|(name, wire, reads)| fault(name, wire, reads)).collect()
}

/// Each way to spell a lifetime, and what the user reads of one that makes no sense.
fn lifetimes() -> Vec<Fault> {
    #[rustfmt::skip]
    let texts = [
        (r#""soon""#, "the response of the token endpoint (200) cannot be used: `expires_in` is a string that is not a number"),
        (r#""NaN""#,  "the response of the token endpoint (200) cannot be used: `expires_in` is a string that is not a number"),
        ("true",      "the response of the token endpoint (200) cannot be used: `expires_in`: expected a number of seconds, found a boolean"),
    ];
    let spellings = table::names(LIFETIMES).into_iter();
    let lifetime = |name| {
        let body = r#"{"access_token":"tok-{n}","refresh_token":"ref-{n}","expires_in":"#;
        let wire = json("200 OK", "", &format!("{body}{name}}}"));
        let reads = texts.iter().find(|(spelling, _)| *spelling == name).map_or("", |(_, reads)| *reads);
        Fault { name, wire, reads }
    };
    spellings.map(lifetime).collect()
}

#[tokio::test]
async fn a_fault_at_every_token_request() {
    check(AT_EVERY_REQUEST, &faults(), usize::MAX, Shown::Ending).await;
}

#[tokio::test]
async fn a_fault_at_the_first_token_request() {
    check(AT_THE_FIRST_REQUEST, &faults(), 1, Shown::Ending).await;
}

#[tokio::test]
async fn a_lifetime_in_every_spelling() {
    check(LIFETIMES, &lifetimes(), usize::MAX, Shown::Lifetime).await;
}

/// T5, under each of them; and the calls that it is served to do not ask again and again.
#[tokio::test]
async fn a_token_in_hand_is_served_whatever_happens_to_its_renewal() {
    let faults: Vec<_> = faults().into_iter().filter(|fault| !fault.reads.is_empty()).collect();
    let cells = faults.iter().flat_map(|fault| cell::REFRESHES.map(|grant| (fault, grant)));
    let served = cells.map(|(fault, grant)| async move {
        let cell = Cell::start(grant).await;
        cell.clock.advance(Duration::from_secs(256));
        cell.endpoint.fail(fault.wire.clone(), usize::MAX);
        for _ in 0..30 {
            let token = cell.client.token(Duration::ZERO).await;
            assert_eq!(token.unwrap().expose(), "tok-0", "{} | {}", fault.name, grant.name());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let requests = cell.endpoint.requests() - 1;
        assert!((1..=5).contains(&requests), "{} | {}: {requests} requests", fault.name, grant.name());
    });
    join_all(served).await;
}

#[tokio::test]
async fn a_cooldown_that_the_server_asks_for_is_kept_after_a_refresh_too() {
    for grant in cell::REFRESHES {
        for fault in faults().into_iter().filter(|fault| ["429", "500", "503"].contains(&&fault.name[..3])) {
            let Some(asked) = cell::retry_after(&fault.wire).filter(|asked| asked.as_secs() == 3) else { continue };
            let cell = Cell::start(grant).await;
            cell.clock.advance(Duration::from_secs(300));
            cell.endpoint.fail(fault.wire, 1);
            cell.client.token(Duration::ZERO).await.unwrap();
            assert_eq!(cell.clock.pauses(), [asked], "{} | {}", fault.name, grant.name());
        }
    }
}

#[tokio::test]
async fn a_redirect_of_the_token_endpoint_is_not_blamed_on_the_credentials() {
    let cell = Cell::start(Grant::ClientCredentials).await;
    cell.endpoint.fail(Wire::Answer("302 Found", "location: /elsewhere\r\n", String::new()), 1);
    assert!(!cell.client.token(Duration::ZERO).await.unwrap_err().is_auth());
}

#[tokio::test]
async fn a_cooldown_that_ends_at_a_date_is_told_by_the_clock_of_the_server() {
    let headers = "date: Thu, 01 Jan 2026 05:00:00 GMT\r\nretry-after: Thu, 01 Jan 2026 05:00:03 GMT\r\n";
    let cell = Cell::start(Grant::ClientCredentials).await;
    cell.endpoint.fail(Wire::Answer("429 Too Many Requests", headers, String::new()), 1);
    cell.client.token(Duration::ZERO).await.unwrap();
    assert_eq!(cell.clock.pauses(), [Duration::from_secs(3)]);
}
