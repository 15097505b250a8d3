//! A model of the renewal. It stores only the events and derives every decision from them, in whole seconds. It shares no
//! code with the state machine that is compared with it.

use std::time::Duration;

use super::{Decision, ExchangeResult, Now, ORIGIN, Timeline, Verdict};

/// A reading of both clocks, in seconds since the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) monotonic: u64,
    pub(super) wall: i64,
}

impl Reading {
    pub(super) fn later(self, seconds: u64) -> Self {
        Self { monotonic: self.monotonic + seconds, wall: self.wall + seconds as i64 }
    }

    pub(super) fn now(self) -> Now {
        let wall = Duration::from_secs(self.wall.unsigned_abs());
        let wall = if self.wall < 0 { ORIGIN.wall - wall } else { ORIGIN.wall + wall };
        Now::new(ORIGIN.monotonic + Duration::from_secs(self.monotonic), wall)
    }

    /// Returns the time since `earlier`, on the clock that shows more.
    fn since(self, earlier: Self) -> i64 {
        ((self.monotonic - earlier.monotonic) as i64).max(self.wall - earlier.wall)
    }
}

/// The lifetime of a token, and its age when it was received.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    pub(super) seconds: u64,
    pub(super) age: u64,
}

impl Lifetime {
    pub(super) fn timeline(self, now: Now) -> Timeline {
        Timeline::aged(now, Duration::from_secs(self.age), Duration::from_secs(self.seconds), None, 0.0)
    }
}

#[derive(Debug)]
enum Event {
    Asked,
    Started(u64),
    /// The exchange in flight has completed.
    Completed(u64, ExchangeResult),
    /// The current token was rejected for all callers.
    Rejected {
        was_accepted: bool,
    },
}

#[derive(Debug)]
pub(super) struct Model {
    max_exchange_time: u64,
    past: Vec<(Reading, Event)>,
}

struct Token {
    generation: u64,
    lifetime: Lifetime,
    received: Reading,
    rejected: bool,
}

impl Model {
    pub(super) fn new(max_exchange_time: u64) -> Self {
        Self { max_exchange_time, past: Vec::new() }
    }

    pub(super) fn ask(&mut self, now: Reading, minimum: u64) -> Decision {
        self.past.push((now, Event::Asked));
        let minimum = minimum as i64;
        if let Some(token) = self.token().filter(|token| !token.rejected) {
            let Lifetime { seconds: lifetime, age } = token.lifetime;
            let elapsed = now.since(token.received);
            let left = (lifetime.saturating_sub(age) as i64 - elapsed).max(0);
            let is_due = elapsed * 5 >= due_after_fifths(token.lifetime);
            if left > 0 && left >= minimum {
                let renews = is_due && self.in_flight().is_none() && !self.refused(now) && !self.failed(now);
                return if renews { Decision::ServeAndRenew(self.start_exchange(now)) } else { Decision::Serve };
            }
            if left > 0 && minimum >= lifetime as i64 {
                return Decision::TooShort(Duration::from_secs(lifetime));
            }
        }
        self.exchange(now)
    }

    pub(super) fn replace(&mut self, now: Reading, generation: u64) -> Decision {
        if self.token().is_some_and(|token| token.generation != generation) {
            return self.ask(now, 0);
        }
        self.past.push((now, Event::Asked));
        self.exchange(now)
    }

    fn exchange(&mut self, now: Reading) -> Decision {
        match self.in_flight() {
            Some(exchange_id) => Decision::Join(exchange_id),
            None if self.refused(now) => Decision::Refused,
            None => Decision::Renew(self.start_exchange(now)),
        }
    }

    pub(super) fn rejected(&mut self, now: Reading, generation: u64, was_accepted: bool) -> Verdict {
        if self.token().is_none_or(|token| token.rejected || token.generation != generation) {
            return Verdict::AskAgain;
        }
        let distrusted = self.past.iter().any(|(at, event)| {
            matches!(event, Event::Rejected { was_accepted: false }) && now.monotonic - at.monotonic < 30
        });
        if !was_accepted && distrusted {
            return Verdict::Report;
        }
        self.past.push((now, Event::Rejected { was_accepted }));
        Verdict::AskAgain
    }

    /// Completes an exchange. Returns false if it was not in flight.
    pub(super) fn complete(&mut self, now: Reading, exchange_id: u64, result: ExchangeResult) -> bool {
        let is_in_flight = self.is_in_flight(exchange_id);
        if is_in_flight {
            self.past.push((now, Event::Completed(exchange_id, result)));
        }
        is_in_flight
    }

    pub(super) fn is_in_flight(&self, exchange_id: u64) -> bool {
        self.in_flight() == Some(exchange_id)
    }

    pub(super) fn last_exchange_id(&self) -> u64 {
        self.past.iter().filter(|(_, event)| matches!(event, Event::Started(_))).count() as u64
    }

    /// Returns the generation of the newest token, or of one this many before it. Returns 0 if there is none.
    pub(super) fn generation(&self, back: usize) -> u64 {
        self.tokens().nth(back).map_or(0, |token| token.generation)
    }

    fn start_exchange(&mut self, now: Reading) -> u64 {
        let exchange_id = self.last_exchange_id() + 1;
        self.past.push((now, Event::Started(exchange_id)));
        exchange_id
    }

    /// Returns the last exchange, unless it has completed, or a caller has asked since it was overdue.
    fn in_flight(&self) -> Option<u64> {
        for (index, (since, event)) in self.past.iter().enumerate().rev() {
            let Event::Started(exchange_id) = event else { continue };
            let is_over = self.past[index..].iter().any(|(at, event)| match event {
                Event::Completed(..) => true,
                Event::Asked => at.monotonic - since.monotonic >= self.max_exchange_time,
                Event::Started(_) | Event::Rejected { .. } => false,
            });
            return (!is_over).then_some(*exchange_id);
        }
        None
    }

    /// Returns the tokens, newest first.
    fn tokens(&self) -> impl Iterator<Item = Token> {
        self.past.iter().enumerate().rev().filter_map(|(index, (received, event))| match event {
            Event::Completed(generation, ExchangeResult::Token(lifetime)) => {
                let rejected = self.past[index..].iter().any(|(_, event)| matches!(event, Event::Rejected { .. }));
                Some(Token { generation: *generation, lifetime: *lifetime, received: *received, rejected })
            }
            _ => None,
        })
    }

    fn token(&self) -> Option<Token> {
        self.tokens().next()
    }

    /// Returns the exchanges that failed since the last one with a token, newest first.
    fn failures(&self) -> impl Iterator<Item = (Reading, &ExchangeResult)> {
        self.past
            .iter()
            .rev()
            .filter_map(|(at, event)| match event {
                Event::Completed(_, result) if !matches!(result, ExchangeResult::Abandoned) => Some((*at, result)),
                _ => None,
            })
            .take_while(|(_, result)| !matches!(result, ExchangeResult::Token(_)))
    }

    /// Returns true while a refusal or a cooldown of the server holds.
    fn refused(&self, now: Reading) -> bool {
        match self.failures().next() {
            Some((at, ExchangeResult::Failed { refused: true })) => now.monotonic < at.monotonic + 10,
            Some((at, ExchangeResult::Cooldown(seconds))) => now.monotonic < at.monotonic + seconds,
            _ => false,
        }
    }

    /// Returns true while the backoff after the last failure lasts: 1, 2, 4, 8, 16, 30, 30, … seconds.
    fn failed(&self, now: Reading) -> bool {
        const BACKOFF: [u64; 6] = [1, 2, 4, 8, 16, 30];
        match self.failures().next() {
            Some((at, ExchangeResult::Failed { refused: false })) => {
                let backoff = BACKOFF[self.failures().count().min(BACKOFF.len()) - 1];
                now.monotonic < at.monotonic + backoff
            }
            _ => false,
        }
    }
}

/// Returns the fifths of a second after which a received token is due: when a fifth of its lifetime is left, at most ten
/// minutes.
fn due_after_fifths(lifetime: Lifetime) -> i64 {
    let (lifetime, age) = (lifetime.seconds as i64, lifetime.age as i64);
    (lifetime * 5 - lifetime.min(5 * 600) - age * 5).max(0)
}
