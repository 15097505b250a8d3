//! The state machine of renewals, without effects: timestamps and events in, decisions out.
//!
//! It knows only the generations of tokens. The [`cache`](crate::oauth::cache) keeps the tokens, runs the exchanges and
//! reports their results.

use std::time::{Duration, Instant};

use crate::{clock::Now, oauth::token::Timeline};

/// The time for which the refusal of an original grant is remembered.
const REFUSAL_MEMORY: Duration = Duration::from_secs(10);
/// The minimum time between two renewals after a 401, for tokens that the API has never accepted.
const DISTRUST: Duration = Duration::from_secs(30);
/// The first backoff after a renewal that failed while the old token was still valid. It doubles up to the maximum.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// The decision for a caller who asks for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Use the current token.
    Serve,
    /// Use the current token, and start the exchange of this id in the background.
    ServeAndRenew(u64),
    /// Start the exchange of this id and wait for it.
    Renew(u64),
    /// Wait for the exchange of this id, which is in flight.
    Join(u64),
    /// No exchange may start yet: the grant was refused, or the server asked for a cooldown.
    Refused,
    /// The requested validity is longer than the lifetime of the tokens, which is the value.
    TooShort(Duration),
}

/// The decision after a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Ask for another token and replay the request.
    AskAgain,
    /// Report the 401, since another token would change nothing.
    Report,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    generation: u64,
    timeline: Timeline,
    rejected: bool,
}

#[derive(Clone, Copy, Debug)]
enum Hold {
    /// The grant was refused, or the server asked for a cooldown. No exchange starts before this time.
    Refused(Instant),
    /// A renewal failed. While the current token is valid, no exchange starts before this time.
    Failed(Instant),
}

/// The state of the renewal of one identity.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    current: Option<Current>,
    in_flight: Option<(u64, Instant)>,
    /// The time after which an exchange is given up. Its runtime may have stopped, so it may never end.
    max_exchange_time: Option<Duration>,
    last_exchange_id: u64,
    hold: Option<Hold>,
    failures: u32,
    distrusted: Option<Instant>,
}

impl Renewal {
    /// Creates a renewal whose exchanges are overdue after this time.
    pub(crate) fn new(max_exchange_time: Duration) -> Self {
        Self { max_exchange_time: Some(max_exchange_time), ..Self::default() }
    }

    /// Decides for a caller who asks for a token valid for at least `min_validity`.
    pub(crate) fn ask(&mut self, now: Now, min_validity: Duration) -> Decision {
        self.clear_overdue(now);
        if let Some(current) = self.current.filter(|current| !current.rejected) {
            let left = now.until(current.timeline.expires);
            if current.timeline.is_live(now) && left >= min_validity {
                if current.timeline.is_due(now) && self.in_flight.is_none() && !self.is_held(now) {
                    return Decision::ServeAndRenew(self.start_exchange(now));
                }
                return Decision::Serve;
            }
            if current.timeline.is_live(now) && min_validity >= current.timeline.lifetime {
                return Decision::TooShort(current.timeline.lifetime);
            }
        }
        self.exchange(now)
    }

    /// Decides for a caller who needs a token of a generation other than `generation`. Other callers keep using the current
    /// token.
    pub(crate) fn replace(&mut self, now: Now, generation: u64) -> Decision {
        if self.current.is_some_and(|current| current.generation != generation) {
            return self.ask(now, Duration::ZERO);
        }
        self.clear_overdue(now);
        self.exchange(now)
    }

    fn exchange(&mut self, now: Now) -> Decision {
        if let Some((exchange_id, _)) = self.in_flight {
            return Decision::Join(exchange_id);
        }
        if let Some(Hold::Refused(until)) = self.hold
            && now.monotonic < until
        {
            return Decision::Refused;
        }
        Decision::Renew(self.start_exchange(now))
    }

    /// Handles a 401 to the token of this generation.
    pub(crate) fn rejected(&mut self, now: Now, generation: u64, was_accepted: bool) -> Verdict {
        let is_distrusted = self.distrusts(now);
        let Some(current) =
            self.current.as_mut().filter(|current| current.generation == generation && !current.rejected)
        else {
            return Verdict::AskAgain;
        };
        if !was_accepted {
            if is_distrusted {
                return Verdict::Report;
            }
            self.distrusted = Some(now.monotonic);
        }
        current.rejected = true;
        Verdict::AskAgain
    }

    /// Returns true if the current token was rejected for all callers.
    pub(crate) fn is_rejected(&self) -> bool {
        self.current.is_some_and(|current| current.rejected)
    }

    /// Returns true if a token that the API never accepted was renewed for a 401 recently.
    pub(crate) fn distrusts(&self, now: Now) -> bool {
        self.distrusted.is_some_and(|at| now.monotonic.saturating_duration_since(at) < DISTRUST)
    }

    /// Records that a token that the API never accepted is renewed for a 401.
    pub(crate) fn distrust(&mut self, now: Now) {
        self.distrusted = Some(now.monotonic);
    }

    fn clear_overdue(&mut self, now: Now) {
        self.in_flight = self.in_flight.filter(|(_, since)| {
            self.max_exchange_time.is_none_or(|longest| now.monotonic.saturating_duration_since(*since) < longest)
        });
    }

    /// Records the token of an exchange, whose id becomes its generation. Returns false if the exchange was overdue.
    pub(crate) fn succeeded(&mut self, exchange_id: u64, timeline: Timeline) -> bool {
        if !self.complete(exchange_id) {
            return false;
        }
        self.current = Some(Current { generation: exchange_id, timeline, rejected: false });
        self.hold = None;
        self.failures = 0;
        true
    }

    /// Records an exchange without a token. `refused` holds all exchanges, otherwise only renewals wait for the backoff.
    /// Returns false if the exchange was given up before.
    pub(crate) fn failed(&mut self, exchange_id: u64, now: Now, refused: bool) -> bool {
        if !self.complete(exchange_id) {
            return false;
        }
        let backoff = (FIRST_BACKOFF * 2u32.saturating_pow(self.failures.min(8))).min(MAX_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        self.hold = Some(if refused {
            Hold::Refused(now.monotonic + REFUSAL_MEMORY)
        } else {
            Hold::Failed(now.monotonic + backoff)
        });
        true
    }

    /// Records an exchange after which the server asked for a cooldown.
    pub(crate) fn cool_down(&mut self, exchange_id: u64, now: Now, cooldown: Duration) -> bool {
        let completed = self.failed(exchange_id, now, true);
        if completed {
            self.hold = Some(Hold::Refused(now.plus(cooldown).monotonic));
        }
        completed
    }

    /// Records an exchange without a result: its task panicked, or its runtime was shut down.
    pub(crate) fn abandoned(&mut self, exchange_id: u64) {
        self.complete(exchange_id);
    }

    fn start_exchange(&mut self, now: Now) -> u64 {
        self.last_exchange_id += 1;
        self.in_flight = Some((self.last_exchange_id, now.monotonic));
        self.last_exchange_id
    }

    fn complete(&mut self, exchange_id: u64) -> bool {
        let is_ours = self.in_flight.is_some_and(|(number, _)| number == exchange_id);
        if is_ours {
            self.in_flight = None;
        }
        is_ours
    }

    fn is_held(&self, now: Now) -> bool {
        self.hold.is_some_and(|(Hold::Refused(until) | Hold::Failed(until))| now.monotonic < until)
    }
}

#[cfg(test)]
mod tests;
