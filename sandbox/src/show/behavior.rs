//! The switches of a sandbox.

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

/// The behavior of a sandbox.
///
/// A field marked "Guess" decides something that the vendor's documents do not specify. A test suite that has to hold
/// against the real service runs with each of its values. Start from the default and change fields:
///
/// ```
/// let mut behavior = perenso_sandbox::Behavior::default();
/// behavior.page_cap = Some(10);
/// ```
///
/// Or read it from TOML. Missing fields have their defaults, and unknown fields are an error. Durations are in seconds, and
/// `"none"` is `None`. [`Behavior::DEFAULT_TOML`] lists all fields with their defaults.
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
    /// Rejects fields and query parameters that the document does not have. Guess: false, fields are accepted and kept. A
    /// list always rejects unknown parameters, since a list that ignores one looks filtered.
    pub strict: bool,

    /// The place of the client's id and secret in a token request. Documented: in the header or in the body.
    pub client_authentication: ClientAuthentication,
    /// The token requests that must contain the scope. Documented: if the credentials are in the body; the example of a refresh
    /// has none. Guess: a wrong scope is rejected.
    pub scope: ScopeRule,
    /// Wrong credentials in the *body* of a token request answer 400 instead of 401. Guess: false.
    pub body_credentials_answer_400: bool,
    /// The lifetime of an access token. Documented: "approximately 5 minutes"; default 300 s.
    #[serde(with = "wire::seconds")]
    pub token_lifetime: Duration,
    /// The lifetime of a refresh token. Guess: `None`, until it is used or revoked.
    #[serde(with = "wire::maybe_seconds")]
    pub refresh_token_lifetime: Option<Duration>,
    /// The effect of a refresh on the refresh token that it uses. Guess: it is replaced by a new one.
    pub rotation: Rotation,
    /// Treats a reused refresh token as stolen: all access and refresh tokens of the same grant are revoked. It needs
    /// [`Rotation::Replace`]. Guess: false, only the reused token is rejected.
    pub detect_refresh_reuse: bool,
    /// A new access token revokes the earlier ones. Guess: false.
    pub one_live_token: bool,
    /// The `token_type` of a token response. Documented: it is present. Guess: `Bearer`.
    pub token_type: TokenType,
    /// The `expires_in` of a token response. Documented: it is present. Guess: a number.
    pub expires_in: ExpiresIn,

    /// The rate limit of API calls, or `None`. Documented: "300 requests per m…". Guess: per minute, over a sliding window;
    /// calls without a valid token and token requests do not count.
    #[serde(with = "wire::maybe")]
    pub rate: Option<Rate>,
    /// The calls that are counted together. Guess: those of the show.
    pub rate_per: RatePer,
    /// Calls that are rejected with 429 count too. Guess: false.
    pub rate_counts_refused: bool,
    /// The `X-RateLimit-` headers of responses to API calls while there is a limit. Guess: none.
    pub rate_headers: RateHeaders,
    /// The `Retry-After` of a 429. Guess: seconds.
    pub retry_after: RetryAfter,

    /// The maximum page size of a list or an export. A larger requested size is reduced silently. Guess: no maximum. A list
    /// call without a page gets all rows; zero counts as one.
    #[serde(with = "wire::maybe")]
    pub page_cap: Option<usize>,
    /// The page size of a list call without `resultsPerPage`. Guess: `None`, all rows.
    #[serde(with = "wire::maybe")]
    pub default_page_size: Option<usize>,
    /// The response to a page after the last one. Guess: empty.
    pub past_the_end: PastTheEnd,
    /// `Cursor` of "Get API Customers" is the number of rows to skip. Guess: false, it is a page number from 1.
    pub cursor_is_offset: bool,
    /// Lists contain `modifiedDate` even without `modifiedAfter`. Guess: false.
    pub always_show_modified_date: bool,
    /// The format of `modifiedDate`. The vendor's samples of customers have a date, those of attendees and orders a
    /// date-time. Guess: a date-time.
    pub modified_date: ModifiedDate,
    /// `modifiedAfter` includes records that were modified at exactly that time. Guess: false.
    pub modified_after_is_inclusive: bool,
    /// A list with `modifiedAfter` starts with the newest record. Documented so, but the vendor's sample starts with the
    /// oldest. Default true.
    pub newest_first: bool,
    /// The UTC offset of the show's local time, in which `modifiedDate` is written. Guess: none.
    #[serde(with = "wire::text")]
    pub local_offset: FixedOffset,

    /// A successful create answers 201 instead of 200. The vendor's example is named "200".
    pub create_answers_201: bool,
    /// The response to a successful DELETE. Guess: 204 without a body.
    pub delete_answer: DeleteResponse,
    /// A PUT removes the fields that it does not name. Guess: false, they are kept.
    pub put_replaces: bool,
    /// A POST or PUT with the `customerID` of another customer answers 409. Guess: false, both customers have it.
    pub unique_customer_id: bool,
    /// Rejects a customer or a vendor with a [`Reference`](crate::Reference) to a key that does not exist. Documented: the
    /// references of a customer must exist, but not what happens otherwise. Guess: true, also for vendors.
    pub check_references: bool,
    /// `PUT /BoothProduct` replaces the products of the booth. Guess: false, it adds the new ones.
    pub booth_put_replaces: bool,
    /// The maximum number of records of a bulk call. More answer 413. Guess: no limit.
    #[serde(with = "wire::maybe")]
    pub bulk_cap: Option<usize>,
    /// A processed bulk call answers 207 instead of 200, even if records failed. Guess: false.
    pub bulk_answers_207: bool,

    /// The format of error bodies of the API, which no page shows. Guess: JSON.
    pub error_body: ErrorBody,
    /// Ignores the case of names in paths: `/customer` is `/Customer`. Guess: true.
    pub ignore_path_case: bool,
    /// Compresses responses with gzip if `Accept-Encoding` allows it. The journal does not contain their bodies.
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
    /// The default as a TOML file with a comment on every switch, as a template.
    pub const DEFAULT_TOML: &str = include_str!("../../behavior.toml");

    /// Parses a behavior from TOML. Missing fields have their defaults.
    ///
    /// # Errors
    /// [`Error::Data`] for invalid TOML, unknown fields and invalid values. The source names the position.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| Error::data("behavior", error))
    }

    /// Reads a behavior from a TOML file.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read, and the errors of [`from_toml`](Self::from_toml).
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        toml::from_str(&text).map_err(|error| Error::data(path.display(), error))
    }

    /// Returns a copy with other values in these fields, in their serialised form.
    ///
    /// # Errors
    /// [`Error::Data`] for unknown fields and invalid values. The source names the field.
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
    fn the_default_file_has_every_field_with_its_default() {
        assert_eq!(Behavior::from_toml(Behavior::DEFAULT_TOML).unwrap(), Behavior::default());
        let file: toml::Table = Behavior::DEFAULT_TOML.parse().unwrap();
        let named: BTreeSet<&String> = file.keys().collect();
        assert_eq!(named, fields().keys().collect());
    }

    #[test]
    fn the_default_file_comments_every_field_and_marks_the_same_guesses() {
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
    fn every_field_round_trips() {
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
    fn invalid_values_are_rejected_by_name() {
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
    fn a_missing_file_is_named() {
        let error = Behavior::read("no-such-folder/show.toml").unwrap_err();
        assert!(matches!(&error, Error::File { .. }) && error.to_string().contains("show.toml"), "{error}");
    }
}
