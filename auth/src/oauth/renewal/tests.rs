//! Tests of the renewal: examples, and random traces on which it must agree with a model.

use std::{sync::LazyLock, time::SystemTime};

use proptest::prelude::*;

use self::model::{Lifetime, Model, Reading};
use super::*;

mod model;

static ORIGIN: LazyLock<Now> =
    LazyLock::new(|| Now::new(Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)));

const NO_MINIMUM: Duration = Duration::ZERO;

fn at(seconds: u64) -> Now {
    ORIGIN.plus(Duration::from_secs(seconds))
}

fn timeline(sent: u64, seconds: u64) -> Timeline {
    Timeline::new(at(sent), Duration::from_secs(seconds), None, 0.0)
}

fn with_token(sent: u64, seconds: u64) -> Renewal {
    let mut renewal = Renewal::default();
    assert_eq!(renewal.ask(at(sent), NO_MINIMUM), Decision::Renew(1));
    assert!(renewal.succeeded(1, timeline(sent, seconds)));
    renewal
}

#[test]
fn the_first_caller_starts_an_exchange_and_the_others_wait() {
    let mut renewal = Renewal::default();
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Join(1));
    assert_eq!(renewal.ask(at(9), NO_MINIMUM), Decision::Join(1));
    assert!(renewal.succeeded(1, timeline(0, 300)));
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
fn a_valid_token_is_served_while_renewals_fail_with_growing_backoff() {
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
fn a_fault_without_a_current_token_is_not_remembered() {
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
    assert!(renewal.succeeded(2, timeline(5, 300)));
    assert_eq!(renewal.rejected(at(6), 1, true), Verdict::AskAgain);
    assert_eq!(renewal.ask(at(6), NO_MINIMUM), Decision::Serve);
}

#[test]
fn a_token_that_one_caller_replaces_is_served_to_the_others_meanwhile() {
    let mut renewal = with_token(0, 300);
    assert_eq!(renewal.replace(at(5), 1), Decision::Renew(2));
    assert_eq!(renewal.replace(at(5), 1), Decision::Join(2));
    assert_eq!(renewal.ask(at(5), NO_MINIMUM), Decision::Serve);
    assert!(renewal.succeeded(2, timeline(5, 300)));
    assert_eq!(renewal.replace(at(6), 1), Decision::Serve);
}

#[test]
fn a_token_that_was_never_accepted_is_renewed_for_a_401_once_in_thirty_seconds() {
    let mut renewal = with_token(0, 300);
    assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
    assert_eq!(renewal.ask(at(1), NO_MINIMUM), Decision::Renew(2));
    assert!(renewal.succeeded(2, timeline(1, 300)));
    assert_eq!(renewal.rejected(at(2), 2, false), Verdict::Report);
    assert_eq!(renewal.ask(at(2), NO_MINIMUM), Decision::Serve);
    assert_eq!(renewal.rejected(at(30), 2, false), Verdict::Report);
    assert_eq!(renewal.rejected(at(31), 2, false), Verdict::AskAgain);
}

#[test]
fn a_token_with_zero_lifetime_is_not_served_to_later_callers() {
    let mut renewal = with_token(0, 0);
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(2));
}

#[test]
fn an_abandoned_exchange_is_replaced_and_its_late_result_is_ignored() {
    let mut renewal = Renewal::default();
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(1));
    renewal.abandoned(1);
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Renew(2));
    assert!(!renewal.succeeded(1, timeline(0, 300)));
    assert_eq!(renewal.ask(at(0), NO_MINIMUM), Decision::Join(2));
}

#[test]
fn a_minimum_validity_beyond_the_lifetime_is_refused_without_an_exchange() {
    let mut renewal = with_token(0, 300);
    assert_eq!(renewal.ask(at(1), Duration::from_secs(301)), Decision::TooShort(Duration::from_secs(300)));
    assert_eq!(renewal.ask(at(1), Duration::from_secs(299)), Decision::Serve);
    assert_eq!(renewal.ask(at(2), Duration::from_secs(299)), Decision::Renew(2));
}

#[test]
fn a_wall_clock_that_jumps_expires_the_token_and_one_set_back_does_not_prolong_it() {
    let mut renewal = with_token(0, 300);
    let jumped = Now::new(at(1).monotonic, at(300).wall);
    assert_eq!(renewal.ask(jumped, NO_MINIMUM), Decision::Renew(2));
    let mut renewal = with_token(0, 300);
    let set_back = Now::new(at(300).monotonic, at(0).wall - Duration::from_secs(5000));
    assert_eq!(renewal.ask(set_back, NO_MINIMUM), Decision::Renew(2));
}

fn serve_and_renew(renewal: &mut Renewal, seconds: u64) -> u64 {
    match renewal.ask(at(seconds), NO_MINIMUM) {
        Decision::ServeAndRenew(exchange_id) => exchange_id,
        other => panic!("{other:?} at {seconds}"),
    }
}

#[test]
fn the_backoff_between_failed_renewals_is_at_most_thirty_seconds() {
    let mut renewal = with_token(0, 10_000);
    for seconds in (9_500..).step_by(30).take(10) {
        let exchange_id = serve_and_renew(&mut renewal, seconds);
        assert!(renewal.failed(exchange_id, at(seconds), false));
    }
}

#[test]
fn a_successful_renewal_resets_the_backoff() {
    let mut renewal = with_token(0, 10_000);
    for seconds in (9_500..).step_by(30).take(10) {
        let exchange_id = serve_and_renew(&mut renewal, seconds);
        assert!(renewal.failed(exchange_id, at(seconds), false));
    }
    // The last one failed at 9 770, so the backoff would last until 9 800.
    let Decision::Renew(exchange_id) = renewal.ask(at(9_771), Duration::from_secs(9_000)) else { panic!("held") };
    assert!(renewal.succeeded(exchange_id, timeline(9_770, 10)));
    let exchange_id = serve_and_renew(&mut renewal, 9_778);
    assert!(renewal.failed(exchange_id, at(9_778), false));
    serve_and_renew(&mut renewal, 9_779);
}

#[test]
fn a_second_401_to_the_same_token_is_not_counted_again() {
    let mut renewal = with_token(0, 300);
    assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
    assert_eq!(renewal.rejected(at(1), 1, false), Verdict::AskAgain);
}

/// The maximum duration of an exchange on these traces, in seconds.
const MAX_EXCHANGE_TIME: u64 = 60;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// Both clocks advance.
    Advance(u64),
    /// The wall clock is set.
    StepWall(i64),
    /// A caller asks for a token with this minimum validity.
    Ask(u64),
    /// A caller asks for another token than the newest, or than one this many before it.
    Replace { back: usize },
    /// A 401 to the newest token, or to one this many before it.
    Reject { back: usize, was_accepted: bool },
    /// The result of the newest exchange, or of one this many before it.
    Completed(u64, ExchangeResult),
}

#[derive(Clone, Copy, Debug)]
enum ExchangeResult {
    Token(Lifetime),
    Failed { refused: bool },
    Cooldown(u64),
    Abandoned,
}

/// Seconds at which a state changes, and their neighbours.
fn seconds() -> impl Strategy<Value = u64> {
    const SECONDS: [u64; 24] =
        [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 16, 29, 30, 31, 48, 59, 60, 61, 100, 240, 299, 300, 600, 3_000];
    prop::sample::select(&SECONDS[..])
}

fn event() -> impl Strategy<Value = Event> {
    let step = prop_oneof![3 => -400i64..400, 1 => Just(7_200), 1 => Just(-7_200)];
    let lifetime =
        (prop_oneof![Just(60), Just(300), Just(4_000), seconds()], prop_oneof![3 => Just(0), 1 => seconds()])
            .prop_map(|(seconds, age)| Lifetime { seconds, age });
    let result = prop_oneof![
        4 => lifetime.prop_map(ExchangeResult::Token),
        3 => any::<bool>().prop_map(|refused| ExchangeResult::Failed { refused }),
        1 => seconds().prop_map(ExchangeResult::Cooldown),
        1 => Just(ExchangeResult::Abandoned),
    ];
    prop_oneof![
        5 => seconds().prop_map(Event::Advance),
        1 => step.prop_map(Event::StepWall),
        8 => prop_oneof![4 => Just(0), 1 => seconds()].prop_map(Event::Ask),
        2 => prop_oneof![3 => Just(0), 1 => 0usize..3].prop_map(|back| Event::Replace { back }),
        2 => (prop_oneof![3 => Just(0), 1 => 0usize..3], any::<bool>())
            .prop_map(|(back, was_accepted)| Event::Reject { back, was_accepted }),
        6 => (prop_oneof![5 => Just(0), 1 => 0u64..3], result).prop_map(|(back, result)| Event::Completed(back, result)),
    ]
}

/// Sequences of events that random events rarely contain.
fn episode() -> impl Strategy<Value = Vec<Event>> {
    let next_token =
        |lifetime| [Event::Ask(0), Event::Completed(0, ExchangeResult::Token(Lifetime { seconds: lifetime, age: 0 }))];
    let due_token = (prop_oneof![Just(300u64), Just(4_000)], 0u64..3).prop_map(move |(lifetime, late)| {
        let lead = (lifetime / 5).min(600);
        [&next_token(lifetime)[..], &[Event::Advance(lifetime - lead + late - 1), Event::Ask(0)]].concat()
    });
    let outage = (1usize..8, seconds()).prop_map(|(failures, seconds)| {
        [Event::Ask(0), Event::Completed(0, ExchangeResult::Failed { refused: false }), Event::Advance(seconds)]
            .repeat(failures)
    });
    let never_accepted = (29u64..32).prop_map(move |seconds| {
        let reject = [Event::Reject { back: 0, was_accepted: false }];
        [&reject[..], &next_token(300), &[Event::Advance(seconds)], &reject].concat()
    });
    prop_oneof![
        20 => event().prop_map(|event| vec![event]),
        1 => due_token,
        1 => outage,
        1 => never_accepted,
    ]
}

/// 5000 cases, unless `PROPTEST_CASES` is set.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(5000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn on_any_trace_it_agrees_with_the_model(
        episodes in prop::collection::vec(episode(), 1..40)
    ) {
        let mut renewal = Renewal::new(Duration::from_secs(MAX_EXCHANGE_TIME));
        let mut model = Model::new(MAX_EXCHANGE_TIME);
        let mut reading = Reading { monotonic: 0, wall: 0 };
        for event in episodes.concat() {
            let now = reading.now();
            match event {
                Event::Advance(seconds) => reading = reading.later(seconds),
                Event::StepWall(seconds) => reading.wall += seconds,
                Event::Ask(minimum) => {
                    prop_assert_eq!(renewal.ask(now, Duration::from_secs(minimum)), model.ask(reading, minimum));
                }
                Event::Replace { back } => {
                    let generation = model.generation(back);
                    prop_assert_eq!(renewal.replace(now, generation), model.replace(reading, generation));
                }
                Event::Reject { back, was_accepted } => {
                    let generation = model.generation(back);
                    prop_assert_eq!(
                        renewal.rejected(now, generation, was_accepted),
                        model.rejected(reading, generation, was_accepted)
                    );
                }
                Event::Completed(back, result) => {
                    let exchange_id = model.last_exchange_id().saturating_sub(back);
                    let was_in_flight = match result {
                        ExchangeResult::Token(lifetime) => renewal.succeeded(exchange_id, lifetime.timeline(now)),
                        ExchangeResult::Failed { refused } => renewal.failed(exchange_id, now, refused),
                        ExchangeResult::Cooldown(seconds) => {
                            renewal.cool_down(exchange_id, now, Duration::from_secs(seconds))
                        }
                        ExchangeResult::Abandoned => {
                            renewal.abandoned(exchange_id);
                            model.is_in_flight(exchange_id)
                        }
                    };
                    prop_assert_eq!(was_in_flight, model.complete(reading, exchange_id, result));
                }
            }
        }
    }
}
