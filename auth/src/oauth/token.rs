//! Access tokens: the header value, the time of renewal and the expiry.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::Guard;
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use crate::clock::Now;

const SCHEME: &str = "Bearer ";
/// A token is due for renewal when this fraction of its lifetime, a fifth, is left.
const LEAD_SHARE: u32 = 5;
/// The maximum time between renewal and expiry.
const LONGEST_LEAD: Duration = Duration::from_secs(600);
/// The maximum fraction by which jitter shortens the lead, so that a fleet does not renew in step.
const JITTER: f64 = 0.25;
/// The maximum lifetime, ten years, which keeps the arithmetic within the clocks.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The time of renewal and the expiry of a token, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    pub(crate) lifetime: Duration,
    pub(crate) due: Now,
    pub(crate) expires: Now,
    /// The time at which it was received, and its age then, which is zero unless it was adopted from the store.
    received: Now,
    age_when_received: Duration,
}

impl Timeline {
    /// Creates the timeline of a token whose request was sent at `sent`. `jitter` is in `0.0..1.0`.
    pub(crate) fn new(sent: Now, lifetime: Duration, lead: Option<Duration>, jitter: f64) -> Self {
        Self::aged(sent, Duration::ZERO, lifetime, lead, jitter)
    }

    /// Creates the timeline of a token that is already `age` old.
    pub(crate) fn aged(now: Now, age: Duration, lifetime: Duration, lead: Option<Duration>, jitter: f64) -> Self {
        let lifetime = lifetime.min(LONGEST_LIFE);
        let lead = match lead {
            Some(lead) => lead.min(lifetime / 2),
            None => (lifetime / LEAD_SHARE).min(LONGEST_LEAD),
        };
        let lead = lead.mul_f64(1.0 - JITTER * jitter.clamp(0.0, 1.0));
        Self {
            lifetime,
            due: now.plus((lifetime - lead).saturating_sub(age)),
            expires: now.plus(lifetime.saturating_sub(age)),
            received: now,
            age_when_received: age,
        }
    }

    /// Returns the time since its request was sent.
    pub(crate) fn age(&self, now: Now) -> Duration {
        self.age_when_received.saturating_add(now.since(self.received))
    }

    /// Returns true if it was requested by another process.
    pub(crate) fn was_adopted(&self) -> bool {
        !self.age_when_received.is_zero()
    }

    pub(crate) fn is_due(&self, now: Now) -> bool {
        now.reached(self.due)
    }

    pub(crate) fn is_live(&self, now: Now) -> bool {
        !now.reached(self.expires)
    }
}

/// An access token, ready to be sent.
pub(crate) struct Token {
    pub(crate) generation: u64,
    pub(crate) timeline: Timeline,
    header: HeaderValue,
    /// The API has accepted it. Renewals for a 401 to a token that was never accepted are limited.
    accepted: AtomicBool,
    /// The API has accepted an earlier token of this client.
    trusted: bool,
    /// A request whose body cannot be sent again was refused with it.
    doubted: AtomicBool,
}

impl Token {
    pub(crate) fn new(generation: u64, header: HeaderValue, timeline: Timeline) -> Self {
        let (accepted, doubted) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { generation, timeline, header, accepted, trusted: false, doubted }
    }

    /// Makes it the successor of a token, which the API may have accepted.
    pub(crate) fn after(mut self, before: Option<&Self>) -> Self {
        self.trusted = before.is_some_and(Self::is_trusted);
        self
    }

    /// The value of the `Authorization` header. Cloning it does not allocate.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(crate) fn accept(&self) {
        // The check keeps the cache line shared: a store in every call would move it between cores.
        if !self.accepted.load(Ordering::Relaxed) {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn was_accepted(&self) -> bool {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Returns true if the API has accepted this token or one before it, so that the operation may be the cause of a 401.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted || self.was_accepted()
    }

    pub(crate) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation)
            .field("timeline", &self.timeline)
            .finish_non_exhaustive()
    }
}

/// Returns the header value of a token. Its memory is wiped when the last clone is dropped. Returns `None` if the token
/// contains a character that no header allows.
pub(crate) fn bearer(access_token: &str) -> Option<HeaderValue> {
    if !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let mut value = Zeroizing::new(Vec::with_capacity(SCHEME.len() + access_token.len()));
    value.extend_from_slice(SCHEME.as_bytes());
    value.extend_from_slice(access_token.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(Wiped(value))).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Returns the token in a header value of [`bearer`].
pub(crate) fn without_scheme(header: &HeaderValue) -> Option<&str> {
    header.to_str().ok().and_then(|text| text.strip_prefix(SCHEME))
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An access token for use outside this crate, from [`Client::token`](crate::Client::token).
///
/// ```no_run
/// # async fn example(client: perenso_auth::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let bearer = client.token(Duration::from_secs(60)).await?;
/// // `Bearer …`, marked as sensitive, so `Debug` does not show it.
/// assert!(bearer.header().is_sensitive());
/// # Ok(()) }
/// ```
pub struct AccessToken {
    token: Held,
    returned: Now,
}

/// A cached token is borrowed, which needs no reference count. A token that was waited for is owned.
enum Held {
    Borrowed(Guard<Option<Arc<Token>>>),
    Owned(Arc<Token>),
}

impl AccessToken {
    pub(crate) fn owned(token: Arc<Token>, now: Now) -> Self {
        Self { token: Held::Owned(token), returned: now }
    }

    #[inline]
    pub(crate) fn borrowed(token: Guard<Option<Arc<Token>>>, now: Now) -> Self {
        Self { token: Held::Borrowed(token), returned: now }
    }

    fn token(&self) -> Option<&Token> {
        match &self.token {
            Held::Borrowed(token) => token.as_deref(),
            Held::Owned(token) => Some(token),
        }
    }

    /// The token itself, without the word `Bearer`.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.token().and_then(|token| without_scheme(&token.header)).unwrap_or_default()
    }

    /// The value of an `Authorization` header, marked as sensitive. Calling this does not allocate.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.token().map_or(HeaderValue::from_static(""), Token::header)
    }

    /// The remaining lifetime at the time when this token was returned.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.token().map(|token| self.returned.until(token.timeline.expires)).unwrap_or_default()
    }
}

impl Clone for AccessToken {
    fn clone(&self) -> Self {
        let token = match &self.token {
            Held::Borrowed(token) => match &**token {
                Some(token) => Held::Owned(Arc::clone(token)),
                None => Held::Borrowed(Guard::from_inner(None)),
            },
            Held::Owned(token) => Held::Owned(Arc::clone(token)),
        };
        Self { token, returned: self.returned }
    }
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("expires_in", &self.expires_in()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::LazyLock,
        time::{Instant, SystemTime},
    };

    use super::*;

    static ORIGIN: LazyLock<Now> = LazyLock::new(|| Now::new(Instant::now(), SystemTime::now()));

    fn origin() -> Now {
        *ORIGIN
    }

    #[test]
    fn renewal_is_due_after_four_fifths_of_the_lifetime_and_never_before() {
        for jitter in [0.0, 0.3, 0.999] {
            let timeline = Timeline::new(origin(), Duration::from_secs(300), None, jitter);
            assert!(!timeline.is_due(origin().plus(Duration::from_millis(239_999))), "jitter {jitter}");
            assert!(timeline.is_due(origin().plus(Duration::from_secs(255))), "jitter {jitter}");
            assert!(timeline.is_live(origin().plus(Duration::from_millis(299_999))));
            assert!(!timeline.is_live(origin().plus(Duration::from_secs(300))));
        }
    }

    #[test]
    fn a_token_is_renewed_at_most_ten_minutes_before_its_expiry() {
        let timeline = Timeline::new(origin(), Duration::from_secs(21_600), None, 0.0);
        assert!(!timeline.is_due(origin().plus(Duration::from_secs(20_999))));
        assert!(timeline.is_due(origin().plus(Duration::from_secs(21_000))));
    }

    #[test]
    fn the_maximum_lifetime_does_not_overflow() {
        let timeline = Timeline::new(origin(), Duration::MAX, None, 0.5);
        assert!(timeline.is_live(origin()));
        assert!(!timeline.is_due(origin()));
    }

    #[test]
    fn debug_does_not_show_the_token() {
        let timeline = Timeline::new(origin(), Duration::from_secs(300), None, 0.0);
        let token = Token::new(1, bearer("tok-5f1c").unwrap(), timeline);
        assert_eq!(token.header().to_str().unwrap(), "Bearer tok-5f1c");
        assert!(token.header().is_sensitive());
        let shown = format!("{token:?}");
        let access_token = AccessToken::owned(Arc::new(token), origin());
        assert_eq!(access_token.expose(), "tok-5f1c");
        for shown in [shown, format!("{access_token:?}"), format!("{:?}", access_token.clone().header())] {
            assert!(!shown.contains("tok-5f1c"), "{shown}");
        }
    }

    #[test]
    fn a_token_with_a_line_break_has_no_header() {
        assert!(bearer("a\r\nX-Evil: 1").is_none());
    }

    #[test]
    fn jitter_spreads_renewals_and_a_lead_is_at_most_half_of_the_lifetime() {
        let life = Duration::from_secs(300);
        let due = |jitter| Timeline::new(origin(), life, None, jitter).due.monotonic;
        assert!(due(0.9) > due(0.0));
        let all_lead = Timeline::new(origin(), life, Some(life), 0.0);
        assert!(!all_lead.is_due(origin().plus(Duration::from_secs(149))));
        assert!(all_lead.is_due(origin().plus(Duration::from_secs(150))));
    }
}
