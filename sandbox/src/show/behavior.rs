//! The switches: how the sandbox behaves where the vendor says nothing, or where a test wants it otherwise.

mod choice;
mod wire;

use std::path::Path;
use std::time::Duration;

use chrono::{FixedOffset, Offset, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use choice::{
    ClientAuthentication, DeleteResponse, ErrorBody, ExpiresIn, PastTheEnd, Rate, RateHeaders, RatePer, RetryAfter,
    ScopeRule, TokenType,
};

use crate::error::Error;
use crate::model::timestamp::ModifiedDate;
use crate::model::tokens::{Rotation, TokenTerms};
use crate::model::validation::Rules;

/// How the sandbox behaves.
///
/// A field marked "Guess" stands for something that the vendor's documents do not say: a suite that must hold
/// against the real service runs under both of its values. Start from the default and change fields:
///
/// ```
/// let mut behavior = perenso_sandbox::Behavior::default();
/// behavior.page_cap = Some(10);
/// ```
///
/// Or read it from TOML, where what is not named stays as the default has it, and a name that does not exist is an
/// error. Times are seconds, `"none"` stands for `None`. All names with their defaults stand in
/// [`Behavior::DEFAULT_TOML`].
///
/// ```
/// use perenso_sandbox::{Behavior, Rotation};
///
/// let behavior = Behavior::from_toml(
///     r#"
///     page_cap = 10
///     rotation = "add"
///     token_lifetime = 2.5
///     rate = { requests = 20, per = 1 }
///     "#,
/// )?;
/// assert_eq!(behavior.rotation, Rotation::Add);
/// assert!(Behavior::from_toml("page_capp = 10").is_err());
/// # Ok::<(), perenso_sandbox::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Behavior {
    /// Fields and query parameters that the document does not have are refused. Guess: false, fields are accepted and
    /// kept. A list refuses unknown parameters in any case: a filter that is passed over makes a list that looks filtered.
    pub strict: bool,

    /// Where a token request may have the client's id and secret. The vendor says: in the header or in the body.
    pub client_authentication: ClientAuthentication,
    /// When a token request must name the scope. The vendor says: when the credentials come in the body; its example of
    /// a refresh has none. Guess: a wrong scope is refused.
    pub scope: ScopeRule,
    /// Credentials refused in the *body* of a token request answer 400 instead of 401. Guess: false.
    pub body_credentials_answer_400: bool,
    /// How long an access token lives. The vendor says "approximately 5 minutes"; default 300 s.
    #[serde(with = "wire::seconds")]
    pub token_lifetime: Duration,
    /// How long a refresh token lives. Guess: `None`, until it is used or revoked.
    #[serde(with = "wire::maybe_seconds")]
    pub refresh_token_lifetime: Option<Duration>,
    /// What becomes of a refresh token that is used. Guess: it is replaced by a new one.
    pub rotation: Rotation,
    /// A refresh token that was used before is taken for stolen: all access and refresh tokens that descend from the
    /// same grant die. It needs [`Rotation::Replace`]. Guess: false, it is refused and the others live on.
    pub detect_refresh_reuse: bool,
    /// A new access token kills the ones before it. Guess: false.
    pub one_live_token: bool,
    /// How an answer with a token names the token's type. The vendor says that it is there. Guess: `Bearer`.
    pub token_type: TokenType,
    /// How an answer with a token tells its lifetime. The vendor says that it is there. Guess: a number.
    pub expires_in: ExpiresIn,

    /// How many API calls may be made; `None` lifts the limit. The vendor says "300 requests per m…". Guess: per minute,
    /// over a sliding window; calls without a live token and token requests do not count.
    #[serde(with = "wire::maybe")]
    pub rate: Option<Rate>,
    /// Whose calls are counted together. Guess: the show's.
    pub rate_per: RatePer,
    /// Calls that are refused by a 429 count too, so that who goes on calling stays out. Guess: false.
    pub rate_counts_refused: bool,
    /// Which `X-RateLimit-` headers the answers to API calls have while there is a limit. Guess: none.
    pub rate_headers: RateHeaders,
    /// What `Retry-After` of a 429 holds. Guess: seconds.
    pub retry_after: RetryAfter,

    /// The most rows that one page of a list or an export holds: more is cut down in silence. Guess: no cap. A list
    /// call that asks for no page gets everything all the same; zero counts as one.
    #[serde(with = "wire::maybe")]
    pub page_cap: Option<usize>,
    /// Rows of a page when a list call does not say `resultsPerPage`. Guess: `None`, all of them.
    #[serde(with = "wire::maybe")]
    pub default_page_size: Option<usize>,
    /// What a page after the last one is. Guess: empty.
    pub past_the_end: PastTheEnd,
    /// `Cursor` of "Get API Customers" is the number of rows to skip. Guess: false, it is a page number from 1.
    pub cursor_is_offset: bool,
    /// Lists show `modifiedDate` even without `modifiedAfter`. Guess: false.
    pub always_show_modified_date: bool,
    /// How `modifiedDate` is written: the vendor's samples of customers have a date, those of attendees and orders a
    /// date-time. Guess: a date-time.
    pub modified_date: ModifiedDate,
    /// `modifiedAfter` also finds what was modified at that very moment. Guess: false.
    pub modified_after_is_inclusive: bool,
    /// A list with `modifiedAfter` begins with what was modified last. The vendor says so; its own sample begins with
    /// what was modified first. Default true.
    pub newest_first: bool,
    /// How far the show's local time, in which `modifiedDate` is written, is from UTC. Guess: not at all.
    #[serde(with = "wire::text")]
    pub local_offset: FixedOffset,

    /// What a POST of a new record answers when it worked is 201 instead of 200. The vendor's example is named "200".
    pub create_answers_201: bool,
    /// What a DELETE that worked answers. Guess: 204 without a body.
    pub delete_answer: DeleteResponse,
    /// A PUT drops the fields that it does not name. Guess: false, they stay as they were.
    pub put_replaces: bool,
    /// A POST or PUT with the `customerID` of another customer answers 409. Guess: false, there are two then.
    pub unique_customer_id: bool,
    /// A customer or a vendor that names something which does not exist is refused, see
    /// [`Reference`](crate::Reference). The vendor says what must exist before a customer names it, not what happens
    /// otherwise. Guess: true, as is that it goes for vendors too.
    pub check_references: bool,
    /// `PUT /BoothProduct` takes the other products of the booth away. Guess: false, the new ones are added to them.
    pub booth_put_replaces: bool,
    /// The most records that a bulk call takes: more answers 413. Guess: no limit.
    #[serde(with = "wire::maybe")]
    pub bulk_cap: Option<usize>,
    /// A bulk call that was processed answers 207 instead of 200, whatever became of its records. Guess: false.
    pub bulk_answers_207: bool,

    /// How the body of a refused API call is written: no page shows one. Guess: JSON.
    pub error_body: ErrorBody,
    /// `/customer` and `/CUSTOMER` are `/Customer`. Guess: true.
    pub ignore_path_case: bool,
    /// Answers with a body are gzipped where `Accept-Encoding` allows it; the journal has no bodies of them then.
    /// Guess: false.
    pub gzip: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            strict: false,
            client_authentication: ClientAuthentication::Either,
            scope: ScopeRule::InBody,
            body_credentials_answer_400: false,
            token_lifetime: Duration::from_secs(300),
            refresh_token_lifetime: None,
            rotation: Rotation::Replace,
            detect_refresh_reuse: false,
            one_live_token: false,
            token_type: TokenType::Bearer,
            expires_in: ExpiresIn::Number,
            rate: Some(Rate::new(300, Duration::from_secs(60))),
            rate_per: RatePer::Show,
            rate_counts_refused: false,
            rate_headers: RateHeaders::Missing,
            retry_after: RetryAfter::Seconds,
            page_cap: None,
            default_page_size: None,
            past_the_end: PastTheEnd::Empty,
            cursor_is_offset: false,
            always_show_modified_date: false,
            modified_date: ModifiedDate::DateTime,
            modified_after_is_inclusive: false,
            newest_first: true,
            local_offset: Utc.fix(),
            create_answers_201: false,
            delete_answer: DeleteResponse::NoContent,
            put_replaces: false,
            unique_customer_id: false,
            check_references: true,
            booth_put_replaces: false,
            bulk_cap: None,
            bulk_answers_207: false,
            error_body: ErrorBody::Json,
            ignore_path_case: true,
            gzip: false,
        }
    }
}

impl Behavior {
    /// The default as a TOML file, with a comment on every switch: what to start a file of one's own from.
    pub const DEFAULT_TOML: &str = include_str!("../../behavior.toml");

    /// Reads a behavior from TOML; what is not named stays as the default has it.
    ///
    /// # Errors
    /// [`Error::Data`] where it is no TOML, a name is not known or a value does not fit; the error's source says where.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::data("behavior", error))
    }

    /// Reads a behavior from a TOML file.
    ///
    /// # Errors
    /// [`Error::File`] when the file cannot be read; else as [`from_toml`](Self::from_toml).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        toml::from_str(&text).map_err(|error| Error::data(path.display(), error))
    }

    /// The same behavior with other values in the named fields, as [`Serialize`] names and writes them.
    ///
    /// # Errors
    /// [`Error::Data`] where a name is not known or a value does not fit; the error's source says which.
    pub fn with(&self, fields: Map<String, Value>) -> Result<Self, Error> {
        let changed = serde_json::to_value(self).and_then(|mut behavior| {
            if let Value::Object(known) = &mut behavior {
                known.extend(fields);
            }
            serde_json::from_value(behavior)
        });
        changed.map_err(|error| Error::data("behavior", error))
    }

    /// Returns the terms on which tokens are issued.
    pub(crate) fn token_terms(&self) -> TokenTerms {
        TokenTerms {
            token_lifetime: self.token_lifetime,
            refresh_token_lifetime: self.refresh_token_lifetime,
            rotation: self.rotation,
            detect_reuse: self.detect_refresh_reuse,
            one_live_token: self.one_live_token,
        }
    }

    /// Returns the rules for records.
    pub(crate) fn rules(&self) -> Rules {
        Rules { strict: self.strict, check_references: self.check_references }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use super::*;

    fn fields() -> Map<String, Value> {
        serde_json::to_value(Behavior::default()).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn the_file_of_defaults_has_every_field_with_its_default() {
        assert_eq!(Behavior::from_toml(Behavior::DEFAULT_TOML).unwrap(), Behavior::default());
        let file: toml::Table = Behavior::DEFAULT_TOML.parse().unwrap();
        let named: BTreeSet<&String> = file.keys().collect();
        assert_eq!(named, fields().keys().collect());
    }

    #[test]
    fn the_file_of_defaults_has_a_comment_on_every_field_and_marks_what_this_file_marks() {
        let source = include_str!("behavior.rs");
        let of = |text: &str, line: &str, comment: &str| {
            let before = &text[..text.find(&format!("\n{line}")).unwrap_or_else(|| panic!("{line} is missing"))];
            let lines = before.lines().rev().filter(|line| !line.trim().starts_with("#["));
            lines.map_while(|line| line.trim().strip_prefix(comment)).collect::<Vec<_>>().concat()
        };
        for name in fields().keys() {
            let told = of(Behavior::DEFAULT_TOML, &format!("{name} = "), "#");
            let documented = of(source, &format!("    pub {name}: "), "///");
            assert!(!told.is_empty() && !documented.is_empty(), "{name}");
            assert_eq!(told.contains("Guess"), documented.contains("Guess"), "{name}");
        }
    }

    #[test]
    fn every_field_comes_back_as_it_was_written() {
        let mut odd = Behavior::default().with(fields()).unwrap();
        assert_eq!(odd, Behavior::default());
        odd.refresh_token_lifetime = Some(Duration::from_millis(1500));
        odd.rate = None;
        odd.bulk_cap = Some(7);
        odd.local_offset = FixedOffset::west_opt(5 * 3600).unwrap();
        odd.error_body = ErrorBody::Html;
        let written = serde_json::to_value(&odd).unwrap();
        assert_eq!(written["refresh_token_lifetime"], 1.5);
        assert_eq!(written["rate"], "none");
        assert_eq!(written["local_offset"], "-05:00");
        assert_eq!(serde_json::from_value::<Behavior>(written).unwrap(), odd);
    }

    #[test]
    fn only_the_named_fields_change() {
        let mut before = Behavior { strict: true, ..Behavior::default() };
        let fields = serde_json::json!({ "page_cap": 3, "rate": null });
        let after = before.with(fields.as_object().unwrap().clone()).unwrap();
        before.page_cap = Some(3);
        before.rate = None;
        assert_eq!(after, before);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (text, said) in [
            ("page_capp = 1", "page_capp"),
            ("page_cap = -1", "-1"),
            ("page_cap = \"some\"", "some"),
            ("rate = { requests = 1, per = 1, burst = 3 }", "burst"),
            ("rate = { requests = 1 }", "per"),
            ("rotation = \"sometimes\"", "sometimes"),
            ("token_lifetime = -1", "-1"),
            ("token_lifetime = \"none\"", "none"),
            ("refresh_token_lifetime = nan", "NaN"),
            ("local_offset = \"noon\"", "noon"),
            ("strict = 1\nstrict = 1", "duplicate"),
        ] {
            let error = Behavior::from_toml(text).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(said), "{text}: {source}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Behavior::read("no-such-folder/show.toml").unwrap_err();
        assert!(matches!(&error, Error::File { .. }) && error.to_string().contains("show.toml"), "{error}");
    }
}
