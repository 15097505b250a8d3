//! The renewal as one would explain it: nothing is kept but what happened, and every answer is found by looking back.
//! Whole seconds, and no line in common with the machine that is compared with it.

use std::time::Duration;

use super::{Decision, Now, ORIGIN, Timeline, Verdict, Word};

/// What both clocks say, in seconds since some moment.
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

    /// How long ago `earlier` was, on the clock that says more.
    fn since(self, earlier: Self) -> i64 {
        ((self.monotonic - earlier.monotonic) as i64).max(self.wall - earlier.wall)
    }
}

/// How long tokens like this one live, and how much of it was over when it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) lifetime: u64,
    pub(super) age: u64,
}

impl Life {
    pub(super) fn timeline(self, now: Now) -> Timeline {
        Timeline::aged(now, Duration::from_secs(self.age), Duration::from_secs(self.lifetime), None, 0.0)
    }
}

#[derive(Debug)]
enum Event {
    Asked,
    TookOff(u64),
    /// The exchange that was under way is over.
    Landed(u64, Word),
    /// The token in hand was rejected for good.
    Rejected {
        was_accepted: bool,
    },
}

#[derive(Debug)]
pub(super) struct Model {
    max_exchange_time: u64,
    past: Vec<(Reading, Event)>,
}

/// The token that came last.
struct Token {
    generation: u64,
    life: Life,
    came: Reading,
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
            let Life { lifetime, age } = token.life;
            let over = now.since(token.came);
            let left = (lifetime.saturating_sub(age) as i64 - over).max(0);
            let is_due = over * 5 >= due_after_fifths(token.life);
            if left > 0 && left >= minimum {
                let renews = is_due && self.under_way().is_none() && !self.refused(now) && !self.failed(now);
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
        match self.under_way() {
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

    /// An exchange ends with this word: false when nobody listens to it.
    pub(super) fn word(&mut self, now: Reading, exchange_id: u64, word: Word) -> bool {
        let is_heard = self.is_heard(exchange_id);
        if is_heard {
            self.past.push((now, Event::Landed(exchange_id, word)));
        }
        is_heard
    }

    pub(super) fn is_heard(&self, exchange_id: u64) -> bool {
        self.under_way() == Some(exchange_id)
    }

    pub(super) fn last_exchange_id(&self) -> u64 {
        self.past.iter().filter(|(_, event)| matches!(event, Event::TookOff(_))).count() as u64
    }

    /// The generation of the token that came last, or so many before it; 0 stands for one that never was.
    pub(super) fn generation(&self, back: usize) -> u64 {
        self.tokens().nth(back).map_or(0, |token| token.generation)
    }

    fn start_exchange(&mut self, now: Reading) -> u64 {
        let exchange_id = self.last_exchange_id() + 1;
        self.past.push((now, Event::TookOff(exchange_id)));
        exchange_id
    }

    /// The last exchange, unless it ended or somebody has asked when its time was over.
    fn under_way(&self) -> Option<u64> {
        for (index, (since, event)) in self.past.iter().enumerate().rev() {
            let Event::TookOff(exchange_id) = event else { continue };
            let is_over = self.past[index..].iter().any(|(at, event)| match event {
                Event::Landed(..) => true,
                Event::Asked => at.monotonic - since.monotonic >= self.max_exchange_time,
                Event::TookOff(_) | Event::Rejected { .. } => false,
            });
            return (!is_over).then_some(*exchange_id);
        }
        None
    }

    /// The tokens, the last one first.
    fn tokens(&self) -> impl Iterator<Item = Token> {
        self.past.iter().enumerate().rev().filter_map(|(index, (came, event))| match event {
            Event::Landed(generation, Word::Token(life)) => {
                let rejected = self.past[index..].iter().any(|(_, event)| matches!(event, Event::Rejected { .. }));
                Some(Token { generation: *generation, life: *life, came: *came, rejected })
            }
            _ => None,
        })
    }

    fn token(&self) -> Option<Token> {
        self.tokens().next()
    }

    /// The flights that brought nothing since the last one that brought a token, the last one first.
    fn failures(&self) -> impl Iterator<Item = (Reading, &Word)> {
        self.past
            .iter()
            .rev()
            .filter_map(|(at, event)| match event {
                Event::Landed(_, word) if !matches!(word, Word::Abandoned) => Some((*at, word)),
                _ => None,
            })
            .take_while(|(_, word)| !matches!(word, Word::Token(_)))
    }

    /// The last word was that of the server, and it still holds.
    fn refused(&self, now: Reading) -> bool {
        match self.failures().next() {
            Some((at, Word::Failed { refused: true })) => now.monotonic < at.monotonic + 10,
            Some((at, Word::PutOff(pause))) => now.monotonic < at.monotonic + pause,
            _ => false,
        }
    }

    /// The last exchange failed, and the pause after so many failures in a row is not over: 1, 2, 4, 8, 16, 30, 30, …
    fn failed(&self, now: Reading) -> bool {
        const PAUSES: [u64; 6] = [1, 2, 4, 8, 16, 30];
        match self.failures().next() {
            Some((at, Word::Failed { refused: false })) => {
                let pause = PAUSES[self.failures().count().min(PAUSES.len()) - 1];
                now.monotonic < at.monotonic + pause
            }
            _ => false,
        }
    }
}

/// After how many fifths of a second in hand a token is due: with a fifth of its life left, or ten minutes.
fn due_after_fifths(life: Life) -> i64 {
    let (lifetime, age) = (life.lifetime as i64, life.age as i64);
    (lifetime * 5 - lifetime.min(5 * 600) - age * 5).max(0)
}
