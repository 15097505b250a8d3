//! When to renew: a state machine without effects. Time and events go in, decisions come out.
//!
//! It knows tokens by their generation only; the [`cache`](crate::cache) keeps the tokens themselves, runs the
//! exchanges that are decided here and reports how they ended.

use std::time::{Duration, Instant};

use crate::{clock::Now, token::Timeline};

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
        self.flight = self.flight.filter(|(_, since)| {
            self.longest_flight.is_none_or(|longest| now.monotonic.saturating_duration_since(*since) < longest)
        });
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
        let Some(current) =
            self.current.as_mut().filter(|current| current.generation == generation && !current.rejected)
        else {
            return Verdict::AskAgain;
        };
        if !was_accepted {
            if self.distrusted.is_some_and(|at| now.monotonic.saturating_duration_since(at) < DISTRUST) {
                return Verdict::Report;
            }
            self.distrusted = Some(now.monotonic);
        }
        current.rejected = true;
        Verdict::AskAgain
    }

    /// The exchange of this number brought a token, whose generation is the same number: no two tokens share one. False
    /// when it had been given up for dead.
    pub(crate) fn succeeded(&mut self, flight: u64, timeline: Timeline) -> bool {
        if !self.land(flight) {
            return false;
        }
        self.current = Some(Current { generation: flight, timeline, rejected: false });
        self.hold = None;
        self.failures = 0;
        true
    }

    /// The exchange of this number ended without a token; `refused` when the original grant was refused.
    pub(crate) fn failed(&mut self, flight: u64, now: Now, refused: bool) -> bool {
        if !self.land(flight) {
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
    pub(crate) fn vanished(&mut self, flight: u64) {
        self.land(flight);
    }

    fn take_off(&mut self, now: Now) -> u64 {
        self.flights += 1;
        self.flight = Some((self.flights, now.monotonic));
        self.flights
    }

    fn land(&mut self, flight: u64) -> bool {
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
mod tests {
    use std::{sync::LazyLock, time::SystemTime};

    use proptest::prelude::*;

    use super::*;

    static ORIGIN: LazyLock<Now> =
        LazyLock::new(|| Now::new(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));

    const NO_MINIMUM: Duration = Duration::ZERO;

    fn at(seconds: u64) -> Now {
        ORIGIN.plus(Duration::from_secs(seconds))
    }

    fn life(sent: u64, seconds: u64) -> Timeline {
        Timeline::new(at(sent), Duration::from_secs(seconds), None, 0.0)
    }

    fn with_token(sent: u64, seconds: u64) -> Renewal {
        let mut renewal = Renewal::default();
        assert_eq!(renewal.ask(at(sent), NO_MINIMUM), Decision::Renew(1));
        assert!(renewal.succeeded(1, life(sent, seconds)));
        renewal
    }

    #[test]
    fn the_first_caller_starts_and_the_others_wait() {
        let mut renewal = Renewal::default();
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Join(1));
        assert_eq!(renewal.ask(at(9), NO_MINIMUM), Decision::Join(1));
        assert!(renewal.succeeded(1, life(0, 300)));
        assert_eq!(renewal.ask(at(9), NO_MINIMUM), Decision::Serve);
    }

    #[test]
    fn a_due_token_is_served_while_one_caller_renews_it() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.ask(at(239), NO_MINIMUM), Decision::Serve);
        assert_eq!(renewal.ask(at(240), NO_MINIMUM), Decision::ServeAndRenew(2));
        assert_eq!(renewal.ask(at(299), NO_MINIMUM), Decision::Serve);
        assert_eq!(renewal.ask(at(300), NO_MINIMUM), Decision::Join(2));
    }

    #[test]
    fn a_live_token_is_served_while_renewals_fail_and_the_pauses_grow() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.ask(at(240), NO_MINIMUM), Decision::ServeAndRenew(2));
        assert!(renewal.failed(2, at(241), false));
        assert_eq!(renewal.ask(at(241), NO_MINIMUM), Decision::Serve);
        assert_eq!(renewal.ask(at(242), NO_MINIMUM), Decision::ServeAndRenew(3));
        assert!(renewal.failed(3, at(242), false));
        assert_eq!(renewal.ask(at(243), NO_MINIMUM), Decision::Serve);
        assert_eq!(renewal.ask(at(244), NO_MINIMUM), Decision::ServeAndRenew(4));
    }

    #[test]
    fn a_refusal_is_remembered_for_ten_seconds() {
        let mut renewal = Renewal::default();
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
        assert!(renewal.failed(1, at(1), true));
        assert_eq!(renewal.ask(at(10), NO_MINIMUM), Decision::Refused);
        assert_eq!(renewal.ask(at(11), NO_MINIMUM), Decision::Renew(2));
    }

    #[test]
    fn a_fault_without_a_token_in_hand_is_not_remembered() {
        let mut renewal = Renewal::default();
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
        assert!(renewal.failed(1, at(1), false));
        assert_eq!(renewal.ask(at(1), NO_MINIMUM), Decision::Renew(2));
    }

    #[test]
    fn a_rejected_token_is_renewed_once_however_many_report_it() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.rejected(at(5), 1, true), Verdict::AskAgain);
        assert_eq!(renewal.ask(at(5), NO_MINIMUM), Decision::Renew(2));
        assert_eq!(renewal.rejected(at(5), 1, true), Verdict::AskAgain);
        assert_eq!(renewal.ask(at(5), NO_MINIMUM), Decision::Join(2));
        assert!(renewal.succeeded(2, life(5, 300)));
        assert_eq!(renewal.rejected(at(6), 1, true), Verdict::AskAgain);
        assert_eq!(renewal.ask(at(6), NO_MINIMUM), Decision::Serve);
    }

    #[test]
    fn a_token_that_was_never_accepted_is_renewed_for_a_401_once_in_thirty_seconds() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
        assert_eq!(renewal.ask(at(1), NO_MINIMUM), Decision::Renew(2));
        assert!(renewal.succeeded(2, life(1, 300)));
        assert_eq!(renewal.rejected(at(2), 2, false), Verdict::Report);
        assert_eq!(renewal.ask(at(2), NO_MINIMUM), Decision::Serve);
        assert_eq!(renewal.rejected(at(30), 2, false), Verdict::Report);
        assert_eq!(renewal.rejected(at(31), 2, false), Verdict::AskAgain);
    }

    #[test]
    fn a_token_of_no_length_serves_those_who_waited_and_nobody_after_them() {
        let mut renewal = with_token(0, 0);
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(2));
    }

    #[test]
    fn a_flight_that_vanished_makes_room_for_the_next_and_its_late_word_is_not_heard() {
        let mut renewal = Renewal::default();
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
        renewal.vanished(1);
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(2));
        assert!(!renewal.succeeded(1, life(0, 300)));
        assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Join(2));
    }

    #[test]
    fn more_life_than_the_server_gives_is_refused_without_an_exchange() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.ask(at(1), Duration::from_secs(301)), Decision::TooShort(Duration::from_secs(300)));
        assert_eq!(renewal.ask(at(1), Duration::from_secs(299)), Decision::Serve);
        assert_eq!(renewal.ask(at(2), Duration::from_secs(299)), Decision::Renew(2));
    }

    #[test]
    fn a_wall_clock_that_jumps_ends_the_token_and_one_set_back_does_not_prolong_it() {
        let mut renewal = with_token(0, 300);
        let jumped = Now::new(at(1).monotonic, at(300).wall);
        assert_eq!(renewal.ask(jumped, NO_MINIMUM), Decision::Renew(2));
        let mut renewal = with_token(0, 300);
        let set_back = Now::new(at(300).monotonic, at(0).wall - Duration::from_secs(5000));
        assert_eq!(renewal.ask(set_back, NO_MINIMUM), Decision::Renew(2));
    }

    fn serve_and_renew(renewal: &mut Renewal, seconds: u64) -> u64 {
        match renewal.ask(at(seconds), NO_MINIMUM) {
            Decision::ServeAndRenew(flight) => flight,
            other => panic!("{other:?} at {seconds}"),
        }
    }

    #[test]
    fn no_pause_between_failed_renewals_is_longer_than_half_a_minute() {
        let mut renewal = with_token(0, 10_000);
        for seconds in (9_500..).step_by(30).take(10) {
            let flight = serve_and_renew(&mut renewal, seconds);
            assert!(renewal.failed(flight, at(seconds), false));
        }
    }

    #[test]
    fn a_renewal_that_succeeds_forgets_the_failures_before_it() {
        let mut renewal = with_token(0, 10_000);
        for seconds in (9_500..).step_by(30).take(10) {
            let flight = serve_and_renew(&mut renewal, seconds);
            assert!(renewal.failed(flight, at(seconds), false));
        }
        // The last one failed at 9 770, and would be held against those who come before 9 800.
        let Decision::Renew(flight) = renewal.ask(at(9_771), Duration::from_secs(9_000)) else { panic!("held") };
        assert!(renewal.succeeded(flight, life(9_770, 10)));
        let flight = serve_and_renew(&mut renewal, 9_778);
        assert!(renewal.failed(flight, at(9_778), false));
        serve_and_renew(&mut renewal, 9_779);
    }

    #[test]
    fn a_second_401_to_the_same_token_is_no_second_reason_for_distrust() {
        let mut renewal = with_token(0, 300);
        assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
        assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
    }

    #[derive(Clone, Debug)]
    enum Event {
        Pass(u64),
        StepWall(i64),
        Ask(u64),
        Reject { stale: bool, accepted: bool },
        Succeed(u64),
        Fail(bool),
        Vanish,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0u64..200).prop_map(Event::Pass),
            1 => (-400i64..400).prop_map(Event::StepWall),
            6 => prop_oneof![4 => Just(0u64), 1 => 0u64..400].prop_map(Event::Ask),
            2 => (any::<bool>(), any::<bool>()).prop_map(|(stale, accepted)| Event::Reject { stale, accepted }),
            3 => prop_oneof![Just(0u64), Just(1), 2u64..400].prop_map(Event::Succeed),
            2 => any::<bool>().prop_map(Event::Fail),
            1 => Just(Event::Vanish),
        ]
    }

    /// Thousands, and as many as it is told in a long run.
    fn cases() -> u32 {
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(5000)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

        /// What must hold on any trace of time, callers, answers and faults.
        #[test]
        fn on_any_trace(events in prop::collection::vec(event(), 1..120)) {
            let mut renewal = Renewal::default();
            let mut now = at(0);
            let mut in_flight: Option<u64> = None;
            let mut token: Option<(u64, Timeline)> = None;
            let mut rejected = false;
            let mut refused_at: Option<Instant> = None;
            let mut renewed_for_distrust: Option<Instant> = None;
            for event in events {
                match event {
                    Event::Pass(seconds) => now = now.plus(Duration::from_secs(seconds)),
                    Event::StepWall(seconds) => {
                        let step = Duration::from_secs(seconds.unsigned_abs());
                        now.wall = if seconds < 0 { now.wall - step } else { now.wall + step };
                    }
                    Event::Ask(min_validity) => {
                        let min_validity = Duration::from_secs(min_validity);
                        let good = token.is_some_and(|(_, timeline)| {
                            !rejected && timeline.is_live(now) && now.until(timeline.expires) >= min_validity
                        });
                        match renewal.ask(now, min_validity) {
                            Decision::Serve => prop_assert!(good, "served a token that is not good"),
                            Decision::ServeAndRenew(flight) => {
                                prop_assert!(good, "served a token that is not good");
                                prop_assert!(token.is_some_and(|(_, timeline)| timeline.is_due(now)), "renewed early");
                                prop_assert!(in_flight.replace(flight).is_none(), "two exchanges at once");
                            }
                            Decision::Renew(flight) => {
                                prop_assert!(!good, "made a caller wait who need not");
                                prop_assert!(in_flight.replace(flight).is_none(), "two exchanges at once");
                                let memory = refused_at.map(|at| now.monotonic - at);
                                prop_assert!(memory.is_none_or(|age| age >= REFUSAL_MEMORY), "forgot a refusal");
                            }
                            Decision::Join(flight) => {
                                prop_assert!(!good, "made a caller wait who need not");
                                prop_assert_eq!(in_flight, Some(flight));
                            }
                            Decision::Refused => {
                                prop_assert!(refused_at.is_some_and(|at| now.monotonic - at < REFUSAL_MEMORY));
                            }
                            Decision::TooShort(lifetime) => prop_assert!(lifetime <= min_validity),
                        }
                    }
                    Event::Reject { stale, accepted } => {
                        let generation = token.map_or(0, |(generation, _)| generation) - u64::from(stale && token.is_some());
                        match renewal.rejected(now, generation, accepted) {
                            Verdict::AskAgain if !stale && token.is_some() && !rejected => {
                                if !accepted {
                                    let since = renewed_for_distrust.map(|at| now.monotonic - at);
                                    prop_assert!(since.is_none_or(|since| since >= DISTRUST), "renewed too often for a 401");
                                    renewed_for_distrust = Some(now.monotonic);
                                }
                                rejected = true;
                            }
                            Verdict::AskAgain => {}
                            Verdict::Report => prop_assert!(!stale && !accepted),
                        }
                    }
                    Event::Succeed(seconds) => {
                        if let Some(flight) = in_flight.take() {
                            let timeline = Timeline::new(now, Duration::from_secs(seconds), None, 0.0);
                            prop_assert!(renewal.succeeded(flight, timeline));
                            token = Some((flight, timeline));
                            rejected = false;
                            refused_at = None;
                        }
                    }
                    Event::Fail(refused) => {
                        if let Some(flight) = in_flight.take() {
                            prop_assert!(renewal.failed(flight, now, refused));
                            refused_at = refused.then_some(now.monotonic);
                        }
                    }
                    Event::Vanish => {
                        if let Some(flight) = in_flight.take() {
                            renewal.vanished(flight);
                        }
                    }
                }
            }
        }
    }
}
