//! The switches: how the sandbox behaves where the vendor says nothing, or where a test wants it otherwise.

use std::time::Duration;

use chrono::{FixedOffset, Offset, Utc};

use crate::ledger::{Rotation, Terms};

/// How the sandbox behaves.
///
/// A field marked "Guess" stands for something that the vendor's documents do not say: a suite that must hold
/// against the real service runs under both of its values. Start from the default and change fields:
///
/// ```
/// let mut behavior = perenso_sandbox::Behavior::default();
/// behavior.page_cap = Some(10);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Behavior {
    /// How long an access token lives. The vendor says "approximately 5 minutes"; default 300 s.
    pub token_lifetime: Duration,
    /// How long a refresh token lives. Guess: `None`, until it is used or revoked.
    pub refresh_token_lifetime: Option<Duration>,
    /// A refresh hands out a new refresh token and the old one dies; without this, the answer to a refresh holds no
    /// refresh token, and the old one goes on. Guess: true.
    pub rotate_refresh_tokens: bool,
    /// A refresh token that was used before is taken for stolen: all access and refresh tokens that descend from the
    /// same grant die. It needs rotation. Guess: false, it is refused and the others live on.
    pub detect_refresh_reuse: bool,
    /// A new access token kills the ones before it. Guess: false.
    pub one_live_token: bool,
    /// Credentials refused in the *body* of a token request answer 400 instead of 401. Guess: false.
    pub body_credentials_answer_400: bool,
    /// How many API calls the show may make; `None` lifts the limit. The vendor says "300 requests per m…".
    /// Guess: per minute, counted per show over a sliding window; refused calls and token requests do not count.
    pub rate: Option<Rate>,
    /// What `Retry-After` of a 429 holds. Guess: seconds.
    pub retry_after: RetryAfter,
    /// The most rows that one page of a list or an export holds: more is cut down in silence. Guess: no cap. A list
    /// call that asks for no page gets everything all the same; zero counts as one.
    pub page_cap: Option<usize>,
    /// Rows of a page when a list call does not say `resultsPerPage`. Guess: `None`, all of them.
    pub default_page_size: Option<usize>,
    /// What a page after the last one is. Guess: empty.
    pub past_the_end: PastTheEnd,
    /// What a DELETE that worked answers. Guess: 204 without a body.
    pub delete_answer: DeleteAnswer,
    /// A PUT drops the fields that it does not name. Guess: false, they stay as they were.
    pub put_replaces: bool,
    /// A POST or PUT with the `customerID` of another customer answers 409. Guess: false, there are two then.
    pub unique_customer_id: bool,
    /// A customer that names a warehouse which does not exist is refused. The vendor says that warehouses must
    /// exist before they are named, but not what happens otherwise; default false.
    pub check_references: bool,
    /// Lists show `modifiedDate` even without `modifiedAfter`. Guess: false.
    pub always_show_modified_date: bool,
    /// `modifiedAfter` also finds what was modified at that very moment. Guess: false.
    pub modified_after_is_inclusive: bool,
    /// How far the show's local time, in which `modifiedDate` is written, is from UTC. Guess: not at all.
    pub local_offset: FixedOffset,
    /// `Cursor` of "Get API Customers" is the number of rows to skip. Guess: false, it is a page number from 1.
    pub cursor_is_offset: bool,
    /// The most records that a bulk call takes: more answers 413. Guess: no limit.
    pub bulk_cap: Option<usize>,
    /// `/customer` and `/CUSTOMER` are `/Customer`. Guess: true.
    pub ignore_path_case: bool,
    /// Answers with a body are gzipped where `Accept-Encoding` allows it; the journal has no bodies of them then.
    /// Guess: false.
    pub gzip: bool,
}

impl Default for Behavior {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(300),
            refresh_token_lifetime: None,
            rotate_refresh_tokens: true,
            detect_refresh_reuse: false,
            one_live_token: false,
            body_credentials_answer_400: false,
            rate: Some(Rate::new(300, Duration::from_secs(60))),
            retry_after: RetryAfter::Seconds,
            page_cap: None,
            default_page_size: None,
            past_the_end: PastTheEnd::Empty,
            delete_answer: DeleteAnswer::NoContent,
            put_replaces: false,
            unique_customer_id: false,
            check_references: false,
            always_show_modified_date: false,
            modified_after_is_inclusive: false,
            local_offset: Utc.fix(),
            cursor_is_offset: false,
            bulk_cap: None,
            ignore_path_case: true,
            gzip: false,
        }
    }
}

impl Behavior {
    pub(crate) fn terms(&self) -> Terms {
        Terms {
            token_lifetime: self.token_lifetime,
            refresh_token_lifetime: self.refresh_token_lifetime,
            rotation: if self.rotate_refresh_tokens { Rotation::Replace } else { Rotation::Omit },
            detect_reuse: self.detect_refresh_reuse,
            one_live_token: self.one_live_token,
        }
    }
}

/// So many requests in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many requests.
    pub requests: u32,
    /// In which time, by the sandbox's clock.
    pub per: Duration,
}

impl Rate {
    /// `requests` in any stretch of time as long as `per`.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per }
    }
}

/// What the `Retry-After` header of a 429 holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryAfter {
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date by the sandbox's clock, rounded up to the second.
    Date,
    /// There is no such header.
    Missing,
}

/// What a list answers for a page after its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PastTheEnd {
    /// An empty array.
    Empty,
    /// 404.
    NotFound,
    /// The last page once more.
    LastPageAgain,
}

/// What a DELETE that worked answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteAnswer {
    /// 204, no body.
    NoContent,
    /// 200, no body.
    EmptyOk,
    /// 200 and the record as it was.
    Record,
}
