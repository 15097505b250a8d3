//! Learns the behavior of a show by reading.

use std::{fmt::Write, time::Duration};

use chrono::Utc;
use http::{HeaderMap, Method, StatusCode};
use perenso::{Perenso, Response};
use serde_json::{Map, Value, json};

use crate::output::Failure;

/// A page that is larger than most servers allow.
const LARGE: u32 = 500;
/// A page that no show has.
const FAR_BEHIND: u32 = 1_000_000;
/// An id that no show has.
const NO_SUCH_ID: &str = "perenso-doctor-asks-for-no-such-id";
/// A date before every change.
const LONG_AGO: &str = "2000-01-01";

/// The learned behavior.
#[derive(Default)]
pub(super) struct Learned {
    /// The switch of the sandbox, its value, and what it means.
    pub(super) facts: Vec<(&'static str, Value, String)>,
    /// Sentences about behavior that reading does not tell.
    pub(super) unknown: Vec<String>,
}

impl Learned {
    fn fact(&mut self, switch: &'static str, value: impl Into<Value>, sentence: impl Into<String>) {
        self.facts.push((switch, value.into(), sentence.into()));
    }

    fn unknown(&mut self, sentence: impl Into<String>) {
        self.unknown.push(sentence.into());
    }

    /// Returns a file for `perenso sandbox --behavior`. Everything else keeps the default of the sandbox, which is a guess.
    pub(super) fn to_toml(&self) -> String {
        let mut toml = format!("# Read from a show by `perenso doctor` on {}.\n", Utc::now().date_naive());
        for (switch, value, sentence) in &self.facts {
            // An inline table is the only value that TOML writes otherwise than JSON.
            let value =
                value.to_string().replace("\":", " = ").replace("{\"", "{ ").replace(",\"", ", ").replace('}', " }");
            let _ = write!(toml, "\n# {sentence}\n{switch} = {value}\n");
        }
        for sentence in &self.unknown {
            let _ = write!(toml, "\n# Not known: {sentence}\n");
        }
        toml
    }

    pub(super) fn to_json(&self) -> Value {
        self.facts.iter().map(|(switch, value, _)| ((*switch).to_owned(), value.clone())).collect::<Map<_, _>>().into()
    }
}

/// A page of a list. Of its records only what is compared is used.
struct Page {
    records: Vec<Value>,
    headers: HeaderMap,
}

impl Page {
    fn dates(&self) -> Vec<&str> {
        self.records.iter().filter_map(|record| record.get("modifiedDate")?.as_str()).collect()
    }
}

async fn send(show: &Perenso, path: &'static str, query: &[(&str, &str)]) -> Result<Response, perenso::Error> {
    let mut request = show.request(Method::GET, path).operation("doctor");
    for (name, value) in query {
        request = request.query(*name, value);
    }
    Ok(request.send().await?)
}

/// Reads a page of customers, or the status with which the show refuses it.
async fn page(show: &Perenso, query: &[(&str, &str)]) -> Result<Result<Page, StatusCode>, Failure> {
    let response = match send(show, "/Customer", query).await {
        Ok(response) => response,
        Err(error) => return refusal(error).map(Err),
    };
    let (records, headers) = response.json_with_headers::<Vec<Value>>().await?;
    Ok(Ok(Page { records, headers }))
}

/// Returns the status that says no to this very request. Any other error ends the examination.
fn refusal(error: perenso::Error) -> Result<StatusCode, Failure> {
    const REFUSALS: [StatusCode; 5] = [
        StatusCode::BAD_REQUEST,
        StatusCode::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::NOT_IMPLEMENTED,
    ];
    error.status().filter(|status| REFUSALS.contains(status)).ok_or_else(|| error.into())
}

/// Learns what reading can tell.
pub(super) async fn learn(show: &Perenso) -> Result<Learned, Failure> {
    let mut learned = Learned::default();
    let size = LARGE.to_string();
    let first = match page(show, &[("page", "1"), ("resultsPerPage", &size)]).await? {
        Ok(first) => first,
        Err(status) => {
            learned.unknown(format!("pages and dates: the show refuses a page of {LARGE} customers with {status}"));
            lifetime(show, &mut learned).await?;
            return Ok(learned);
        }
    };
    lifetime(show, &mut learned).await?;
    rate(&first.headers, &mut learned);
    if first.records.is_empty() {
        learned.unknown("the show has no customers, so pages and dates say nothing");
    } else {
        pages(show, &first, &mut learned).await?;
        dates(show, &first, &mut learned).await?;
    }
    paths(show, &mut learned).await?;
    errors(show, &mut learned).await?;
    Ok(learned)
}

async fn lifetime(show: &Perenso, learned: &mut Learned) -> Result<(), Failure> {
    let token = show.token(Duration::ZERO).await?;
    let seconds = token.expires_in().as_secs_f64().ceil();
    learned.fact("token_lifetime", seconds, format!("a token lives {seconds} seconds"));
    Ok(())
}

/// Learns the page cap, the size of a page when none is asked for, and what is behind the last page.
async fn pages(show: &Perenso, first: &Page, learned: &mut Learned) -> Result<(), Failure> {
    let size = LARGE.to_string();
    let count = first.records.len();
    let second = page(show, &[("page", "2"), ("resultsPerPage", &size)]).await?;
    let has_more = second.is_ok_and(|second| !second.records.is_empty() && second.records != first.records);
    match (count < LARGE as usize, has_more) {
        (true, true) => {
            learned.fact("page_cap", count, format!("a page has at most {count} records, even if more are asked for"));
        }
        (true, false) => learned.unknown(format!("the largest page: the show has only {count} customers")),
        (false, _) => learned.unknown(format!("the largest page: one of {LARGE} records is served")),
    }

    match (page(show, &[]).await?, page(show, &[("page", "1")]).await?, page(show, &[("page", "2")]).await?) {
        (Ok(plain), Ok(one), two) => {
            let two = two.map(|two| two.records).unwrap_or_default();
            let size = plain.records.len();
            if size == one.records.len() && !two.is_empty() && two != one.records {
                learned.fact(
                    "default_page_size",
                    size,
                    format!("a list without a page size has {size} records a page"),
                );
            } else {
                learned.fact("default_page_size", "none", "a list without a page has all records");
            }
        }
        _ => learned.unknown("a list without a page size: the show refuses it"),
    }

    let (end, sentence) = match page(show, &[("page", &FAR_BEHIND.to_string()), ("resultsPerPage", &size)]).await? {
        Err(StatusCode::NOT_FOUND) => ("not_found", "a page behind the last one is a 404"),
        Err(status) => {
            learned.unknown(format!("what is behind the last page: the show refuses it with {status}"));
            return Ok(());
        }
        Ok(page) if page.records.is_empty() => ("empty", "a page behind the last one is empty"),
        Ok(_) => ("last_page_again", "a page behind the last one is the last one again"),
    };
    learned.fact("past_the_end", end, sentence);
    Ok(())
}

/// Learns the form of `modifiedDate`, and how lists by date begin.
async fn dates(show: &Perenso, first: &Page, learned: &mut Learned) -> Result<(), Failure> {
    let always = !first.dates().is_empty();
    let sentence = if always { "every list has `modifiedDate`" } else { "only lists by date have `modifiedDate`" };
    learned.fact("always_show_modified_date", always, sentence);
    let since = |date: &str| [("modifiedAfter", date.to_owned()), ("page", "1".to_owned())];
    let query = since(LONG_AGO);
    let changed = match page(show, &query.each_ref().map(|(name, value)| (*name, value.as_str()))).await? {
        Ok(changed) => changed,
        Err(status) => {
            learned.unknown(format!("lists by date: the show refuses `modifiedAfter={LONG_AGO}` with {status}"));
            return Ok(());
        }
    };
    let dates = changed.dates();
    let Some(newest) = dates.iter().max() else {
        learned.unknown("the form of `modifiedDate`: no record has one");
        return Ok(());
    };
    let is_date = dates.iter().all(|date| !date.contains('T'));
    let form = if is_date { "date" } else { "date_time" };
    let example = if is_date { "a date" } else { "a date with a time" };
    learned.fact("modified_date", form, format!("`modifiedDate` is {example}"));
    if newest.ends_with('Z') || newest.get(10..).is_some_and(|time| time.contains(['+', '-'])) {
        learned.unknown("`modifiedDate` has a zone, which the sandbox never writes");
    }
    let falls = dates.is_sorted_by(|a, b| a >= b);
    let rises = dates.is_sorted();
    match (falls, rises) {
        (true, false) => learned.fact("newest_first", true, "a list by date begins with the newest record"),
        (false, true) => learned.fact("newest_first", false, "a list by date begins with the oldest record"),
        _ => learned.unknown("the order of a list by date"),
    }
    if is_date {
        learned.unknown("whether a list by date includes that very moment: dates have no time");
        return Ok(());
    }
    let query = since(newest);
    let at_newest = page(show, &query.each_ref().map(|(name, value)| (*name, value.as_str()))).await?;
    let is_inclusive = at_newest.is_ok_and(|page| page.dates().contains(newest));
    let sentence =
        if is_inclusive { "includes records of that very moment" } else { "leaves out records of that very moment" };
    learned.fact("modified_after_is_inclusive", is_inclusive, format!("`modifiedAfter` {sentence}"));
    Ok(())
}

/// Learns the headers of the rate limit.
fn rate(headers: &HeaderMap, learned: &mut Learned) {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let Some(limit) = number("x-ratelimit-limit") else {
        learned.fact("rate_headers", "missing", "no header tells the rate limit");
        return;
    };
    // A number of seconds that is no time span is a point in time.
    let (form, sentence) = match number("x-ratelimit-reset") {
        Some(reset) if reset > 1_000_000_000 => ("epoch", "as a point in time"),
        _ => ("seconds", "in seconds"),
    };
    learned.fact("rate_headers", form, format!("headers tell the rate limit, and when it is reset {sentence}"));
    learned.fact(
        "rate",
        json!({ "requests": limit, "per": 60 }),
        format!("the limit is {limit} requests, probably a minute"),
    );
}

async fn paths(show: &Perenso, learned: &mut Learned) -> Result<(), Failure> {
    let ignores = match send(show, "/customer", &[("page", "1"), ("resultsPerPage", "1")]).await {
        Ok(_) => true,
        Err(error) => refusal(error).map(|_| false)?,
    };
    let sentence = if ignores { "`/customer` is `/Customer`" } else { "`/customer` is not `/Customer`" };
    learned.fact("ignore_path_case", ignores, sentence);
    Ok(())
}

async fn errors(show: &Perenso, learned: &mut Learned) -> Result<(), Failure> {
    let asked = show.customers().get(NO_SUCH_ID).await;
    let Err(error) = asked else { return Ok(()) };
    if error.status().is_none() {
        return Err(error.into());
    }
    let body = error.body_text().unwrap_or_default().trim();
    let (form, sentence) = match body {
        "" => ("empty", "has no body"),
        _ if body.starts_with('<') => ("html", "is an HTML page"),
        _ if serde_json::from_str::<Value>(body).is_ok() => ("json", "is JSON"),
        _ => ("text", "is text"),
    };
    learned.fact("error_body", form, format!("an error {sentence}"));
    Ok(())
}
