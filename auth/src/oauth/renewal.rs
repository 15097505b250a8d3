//! When to renew: a state machine without effects. Time and events go in, decisions come out.
//!
//! It knows tokens by their generation only; the [`cache`](crate::oauth::cache) keeps the tokens themselves, runs the
//! exchanges that are decided here and reports how they ended.

use std::time::{Duration, Instant};

use crate::{clock::Now, oauth::token::Timeline};

/// How long the refusal of an original grant is remembered.
const REFUSAL_MEMORY: Duration = Duration::from_secs(10);
/// How often a token that the API never took may be renewed for a 401.
const DISTRUST: Duration = Duration::from_secs(30);
/// The first pause after a renewal that failed while the old token was still good; doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a caller who wants a token should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Take the token in hand.
    Serve,
    /// Take the token in hand, and start the exchange of this number: nobody waits for it.
    ServeAndRenew(u64),
    /// Start the exchange of this number and wait for it.
    Renew(u64),
    /// Wait for the exchange of this number, which is under way.
    Join(u64),
    /// The grant was refused, or the server asked for a pause, a moment ago; the same answer holds.
    Refused,
    /// Tokens of this server never live as long as was asked.
    TooShort(Duration),
}

/// What to do about a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is, or will be, another token: ask for it and send the request once more.
    AskAgain,
    /// Another token would change nothing: report the 401.
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
    /// The grant was refused: nobody asks before this time.
    Refused(Instant),
    /// A renewal failed: while the token in hand is good, nobody asks before this time.
    Failed(Instant),
}

/// The state of the renewal of one identity.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    current: Option<Current>,
    flight: Option<(u64, Instant)>,
    /// How long a flight may take: its runtime may be there and not be driven.
    longest_flight: Option<Duration>,
    flights: u64,
    hold: Option<Hold>,
    failures: u32,
    distrusted: Option<Instant>,
}

impl Renewal {
    /// A renewal whose exchanges take no longer than this.
    pub(crate) fn new(longest_flight: Duration) -> Self {
        Self { longest_flight: Some(longest_flight), ..Self::default() }
    }

    /// A caller wants a token that lives at least `min_validity` longer.
    pub(crate) fn ask(&mut self, now: Now, min_validity: Duration) -> Decision {
        self.clear_the_late(now);
        if let Some(current) = self.current.filter(|current| !current.rejected) {
            let left = now.until(current.timeline.expires);
            if current.timeline.is_live(now) && left >= min_validity {
                if current.timeline.is_due(now) && self.flight.is_none() && !self.is_held(now) {
                    return Decision::ServeAndRenew(self.take_off(now));
                }
                return Decision::Serve;
            }
            if current.timeline.is_live(now) && min_validity >= current.timeline.lifetime {
                return Decision::TooShort(current.timeline.lifetime);
            }
        }
        self.exchange(now)
    }

    /// A caller wants another token than that of this generation, which everybody else goes on using.
    pub(crate) fn replace(&mut self, now: Now, generation: u64) -> Decision {
        if self.current.is_some_and(|current| current.generation != generation) {
            return self.ask(now, Duration::ZERO);
        }
        self.clear_the_late(now);
        self.exchange(now)
    }

    fn exchange(&mut self, now: Now) -> Decision {
        if let Some((flight, _)) = self.flight {
            return Decision::Join(flight);
        }
        if let Some(Hold::Refused(until)) = self.hold
            && now.monotonic < until
        {
            return Decision::Refused;
        }
        Decision::Renew(self.take_off(now))
    }

    /// The API answered 401 to the token of this generation.
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

    /// The token in hand was rejected for all, and no other is there yet.
    pub(crate) fn is_rejected(&self) -> bool {
        self.current.is_some_and(|current| current.rejected)
    }

    /// A token that the API never took was renewed for a 401 a moment ago.
    pub(crate) fn distrusts(&self, now: Now) -> bool {
        self.distrusted.is_some_and(|at| now.monotonic.saturating_duration_since(at) < DISTRUST)
    }

    /// A token that the API never took is renewed for a 401.
    pub(crate) fn distrust(&mut self, now: Now) {
        self.distrusted = Some(now.monotonic);
    }

    fn clear_the_late(&mut self, now: Now) {
        self.flight = self.flight.filter(|(_, since)| {
            self.longest_flight.is_none_or(|longest| now.monotonic.saturating_duration_since(*since) < longest)
        });
    }

    /// The exchange of this number brought a token, whose generation is the same number: no two tokens share one. False
    /// when it had been given up for dead.
    pub(crate) fn succeeded(&mut self, flight: u64, timeline: Timeline) -> bool {
        if !self.complete(flight) {
            return false;
        }
        self.current = Some(Current { generation: flight, timeline, rejected: false });
        self.hold = None;
        self.failures = 0;
        true
    }

    /// The exchange of this number ended without a token; `refused` when the original grant was refused.
    pub(crate) fn failed(&mut self, flight: u64, now: Now, refused: bool) -> bool {
        if !self.complete(flight) {
            return false;
        }
        let pause = (FIRST_PAUSE * 2u32.saturating_pow(self.failures.min(8))).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.hold = Some(if refused {
            Hold::Refused(now.monotonic + REFUSAL_MEMORY)
        } else {
            Hold::Failed(now.monotonic + pause)
        });
        true
    }

    /// The exchange of this number ended with the server asking for a pause: until then the same answer holds.
    pub(crate) fn put_off(&mut self, flight: u64, now: Now, pause: Duration) -> bool {
        let landed = self.failed(flight, now, true);
        if landed {
            self.hold = Some(Hold::Refused(now.plus(pause).monotonic));
        }
        landed
    }

    /// The exchange of this number ended without a word: its task panicked, or its runtime was shut down.
    pub(crate) fn abandoned(&mut self, flight: u64) {
        self.complete(flight);
    }

    fn take_off(&mut self, now: Now) -> u64 {
        self.flights += 1;
        self.flight = Some((self.flights, now.monotonic));
        self.flights
    }

    fn complete(&mut self, flight: u64) -> bool {
        let is_ours = self.flight.is_some_and(|(number, _)| number == flight);
        if is_ours {
            self.flight = None;
        }
        is_ours
    }

    fn is_held(&self, now: Now) -> bool {
        self.hold.is_some_and(|(Hold::Refused(until) | Hold::Failed(until))| now.monotonic < until)
    }
}

#[cfg(test)]
mod tests;
