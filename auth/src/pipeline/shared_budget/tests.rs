#[allow(dead_code, unreachable_pub, clippy::print_stdout)]
#[path = "../../../tests/redis/server.rs"]
mod server;

use server::RedisServer;
use tokio::task::JoinHandle;

use super::*;
use crate::{
    clock::{ManualClock, SystemClock},
    pipeline::budget::Budget,
};

const SECOND: Duration = Duration::from_secs(1);
/// Slow enough to be read, fast enough to be waited for: one in 50 ms, ten at once.
const PERIOD: Duration = Duration::from_secs(2);
const CALLS: u32 = 40;
const BURST: u32 = 10;

fn rate() -> Rate {
    Rate::new(CALLS, PERIOD, BURST)
}

/// The budget of one process that waits for nobody to notice that Redis is back.
fn settled(server: &RedisServer) -> SharedBudget {
    let limit = Duration::from_secs(20);
    let store = RedisStore::builder(server.url()).connect_timeout(limit).response_timeout(limit).build().unwrap();
    SharedBudget { rejoin_delay: Duration::ZERO, ..SharedBudget::over(&store, 6) }
}

async fn take_permit(budget: &SharedBudget) -> PermitResponse {
    budget.take_permit(rate(), "show", &SystemClock::default()).await
}

/// Takes until there is something to take.
async fn granted(budget: &SharedBudget) {
    let start = Instant::now();
    while let PermitResponse::Wait(wait) | PermitResponse::Cooldown(wait) = take_permit(budget).await {
        assert!(start.elapsed() < 30 * SECOND, "no permit comes");
        tokio::time::sleep(wait).await;
    }
}

fn raw(server: &RedisServer) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

const PLACE: &str = "perenso-auth:{show}:budget";

/// Fills the bucket, as a long quiet time does.
fn fill(server: &RedisServer) {
    let kept: String = redis::cmd("GET").arg(PLACE).query(&mut raw(server)).unwrap();
    let run = kept.split(' ').next().unwrap();
    let () = redis::cmd("SET").arg(PLACE).arg(format!("{run} 1")).query(&mut raw(server)).unwrap();
}

/// When a permit was asked for, and when it was there: it was granted at some moment between.
type Permit = (Instant, Instant);

/// The most permits that were certainly granted within one period.
fn most_in_a_period(permits: &[Permit]) -> usize {
    let within = |from: Instant| permits.iter().filter(|(asked, got)| *asked >= from && *got <= from + PERIOD).count();
    permits.iter().map(|(asked, _)| within(*asked)).max().unwrap_or(0)
}

/// A process that calls as much as it may, until told to stop.
fn process(budget: SharedBudget, until: Instant) -> JoinHandle<Vec<Permit>> {
    tokio::spawn(async move {
        let mut permits = Vec::new();
        while Instant::now() < until {
            let asked = Instant::now();
            match take_permit(&budget).await {
                PermitResponse::Granted => permits.push((asked, Instant::now())),
                PermitResponse::Wait(wait) | PermitResponse::Cooldown(wait) => tokio::time::sleep(wait).await,
            }
        }
        permits
    })
}

async fn fleet(server: &RedisServer, limit: Duration, runs: Duration) -> Vec<JoinHandle<Vec<Permit>>> {
    let until = Instant::now() + runs;
    let processes = (0..6).map(|_| {
        let store = RedisStore::builder(server.url()).connect_timeout(limit).response_timeout(limit).build().unwrap();
        process(SharedBudget::over(&store, 6), until)
    });
    processes.collect()
}

async fn permits(fleet: Vec<JoinHandle<Vec<Permit>>>) -> Vec<Permit> {
    let mut all = Vec::new();
    for process in fleet {
        all.extend(process.await.unwrap());
    }
    all.sort();
    all
}

fn between(permits: &[Permit], from: Instant, to: Instant) -> usize {
    permits.iter().filter(|(asked, got)| *asked >= from && *got <= to).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_processes_keep_to_one_rate_while_redis_is_flushed_stopped_killed_and_started() {
    let Some(mut server) = RedisServer::start() else { return };
    let limit = Duration::from_millis(500);
    let start = Instant::now();
    let fleet = fleet(&server, limit, 19 * SECOND).await;
    let at = |moment: f64| tokio::time::sleep_until((start + Duration::from_secs_f64(moment)).into());
    at(4.5).await;
    for _ in 0..6 {
        // Not to be held up by the processes, nor to hold them up.
        let () = redis::cmd("FLUSHALL").query(&mut raw(&server)).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    at(7.0).await;
    server.kill();
    at(10.0).await;
    server.start_again();
    at(14.5).await;
    server.signal("STOP");
    at(16.0).await;
    server.signal("CONT");
    let permits = permits(fleet).await;
    let most = most_in_a_period(&permits);
    assert!(most <= (CALLS + BURST) as usize, "{most} calls in a period");
    // Nor do they stand still. Each phase could bring twenty a second.
    let second = |moment: u32| start + moment * SECOND;
    assert!(between(&permits, second(0), second(7)) > 20, "while Redis was there");
    assert!(between(&permits, second(7), second(10)) > 6, "while Redis was away");
    assert!(between(&permits, second(10), second(14)) > 6, "when Redis was back");
}

#[tokio::test]
async fn a_budget_that_redis_does_not_know_begins_without_a_burst() {
    let Some(server) = RedisServer::start() else { return };
    let budget = settled(&server);
    granted(&budget).await;
    for _ in 0..3 {
        let () = redis::cmd("DEL").arg(PLACE).query(&mut raw(&server)).unwrap();
        let PermitResponse::Wait(wait) = take_permit(&budget).await else { panic!("a burst out of nothing") };
        assert!(wait <= PERIOD / CALLS, "{wait:?}");
    }
}

#[tokio::test]
async fn what_another_run_of_redis_has_left_counts_as_unknown() {
    let Some(server) = RedisServer::start() else { return };
    let budget = settled(&server);
    granted(&budget).await;
    // As from a snapshot: in it, the bucket is full since long.
    for left in ["0123456789abcdef 1", "nonsense", ""] {
        let () = redis::cmd("SET").arg(PLACE).arg(left).query(&mut raw(&server)).unwrap();
        assert!(matches!(take_permit(&budget).await, PermitResponse::Wait(_)), "{left}");
    }
}

#[tokio::test]
async fn who_was_idle_has_a_burst_and_no_more() {
    let Some(server) = RedisServer::start() else { return };
    let budget = settled(&server);
    granted(&budget).await;
    fill(&server);
    // So slow that no other falls due meanwhile.
    let slow = Rate::new(1, 3600 * SECOND, BURST);
    for nth in 0..BURST {
        assert_eq!(budget.take_permit(slow, "show", &SystemClock::default()).await, PermitResponse::Granted, "{nth}");
    }
    let PermitResponse::Wait(wait) = budget.take_permit(slow, "show", &SystemClock::default()).await else {
        panic!("an eleventh")
    };
    assert!(wait <= 3600 * SECOND && wait > 3000 * SECOND, "{wait:?}");
}

#[tokio::test]
async fn a_clock_of_redis_that_was_set_back_holds_nobody_for_long() {
    let Some(server) = RedisServer::start() else { return };
    let budget = settled(&server);
    granted(&budget).await;
    let kept: String = redis::cmd("GET").arg(PLACE).query(&mut raw(&server)).unwrap();
    let (run, at) = kept.split_once(' ').unwrap();
    let ahead = at.parse::<u64>().unwrap() + 3_600_000_000;
    let () = redis::cmd("SET").arg(PLACE).arg(format!("{run} {ahead}")).query(&mut raw(&server)).unwrap();
    let PermitResponse::Wait(wait) = take_permit(&budget).await else { panic!("granted") };
    assert!(wait <= PERIOD / CALLS, "{wait:?}");
    granted(&budget).await;
}

#[tokio::test]
async fn a_budget_is_remembered_for_a_day() {
    let Some(server) = RedisServer::start() else { return };
    granted(&settled(&server)).await;
    let left: i64 = redis::cmd("PTTL").arg(PLACE).query(&mut raw(&server)).unwrap();
    assert!(left > 23 * 3_600_000, "{left}");
}

#[tokio::test]
async fn a_redis_that_was_just_started_grants_nothing_before_all_have_noticed() {
    let Some(mut server) = RedisServer::start() else { return };
    let start = Instant::now();
    server.start_again();
    // It did not notice that Redis was away, so only Redis can tell.
    let budget = SharedBudget { rejoin_delay: 3 * SECOND, ..settled(&server) };
    granted(&budget).await;
    assert!(start.elapsed() >= 3 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_who_was_alone_makes_all_wait_until_the_others_have_noticed() {
    let Some(server) = RedisServer::start() else { return };
    let rejoin_delay = 4 * SECOND;
    let [lonely, other] = [(); 2].map(|()| SharedBudget { rejoin_delay, ..settled(&server) });
    // Until Redis is not young any more: that alone would make them wait.
    granted(&other).await;
    let error = StoreError::new(crate::store::StoreErrorKind::Unavailable, "a test");
    for _ in 0..20 {
        fill(&server);
        let start = Instant::now();
        lonely.take_locally(SECOND, "show", start, &error);
        let takes = [take_permit(&lonely).await, take_permit(&other).await, take_permit(&lonely).await];
        let stranger = other.take_permit(rate(), "other", &SystemClock::default()).await;
        if start.elapsed() < rejoin_delay {
            // The bucket is full, and nobody may have of it.
            assert!(takes.iter().all(|take| matches!(take, PermitResponse::Wait(_))), "{takes:?}");
            assert!(matches!(stranger, PermitResponse::Wait(wait) if wait <= PERIOD / CALLS), "{stranger:?}");
            return;
        }
        // So slow a machine has seen the end of it.
        tokio::time::sleep(rejoin_delay).await;
    }
    panic!("no four calls within {rejoin_delay:?}");
}

#[tokio::test]
async fn one_who_was_alone_long_ago_makes_nobody_wait() {
    let Some(server) = RedisServer::start() else { return };
    let budget = settled(&server);
    granted(&budget).await;
    let budget = SharedBudget { rejoin_delay: SECOND / 1000, ..budget };
    let error = StoreError::new(crate::store::StoreErrorKind::Unavailable, "a test");
    budget.take_locally(SECOND, "show", Instant::now(), &error);
    assert!(!budget.was_redis_away("show", Instant::now() + SECOND));
    assert!(budget.was_redis_away("show", Instant::now() - SECOND / 100));
}

#[tokio::test]
async fn alone_each_process_has_its_part_and_no_burst() {
    let clock = ManualClock::default();
    // Nobody listens there: what cannot be reached is refused at once.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let store = RedisStore::new(format!("redis://127.0.0.1:{port}")).unwrap();
    let budget = SharedBudget::over(&store, 6);
    let clones = [budget.clone(), budget];
    let rate = Rate::new(60, 60 * SECOND, 20);
    let mut granted = 0;
    // One each six seconds; both clones together.
    for passed in 0..60 {
        for budget in &clones {
            match budget.take_permit(rate, "show", &clock).await {
                PermitResponse::Granted => granted += 1,
                PermitResponse::Wait(wait) => assert!(wait <= SECOND, "{wait:?}: Redis may be back sooner"),
                PermitResponse::Cooldown(_) => panic!("nobody said so"),
            }
            assert_eq!(granted, passed / 6, "after {passed} s");
        }
        clock.advance(SECOND);
    }
    // Another budget has a part of its own, and begins without anything just so.
    assert!(matches!(clones[0].take_permit(rate, "other", &clock).await, PermitResponse::Wait(_)));
}

#[tokio::test]
async fn a_pause_holds_the_fleet_and_is_never_shortened() {
    let Some(server) = RedisServer::start() else { return };
    let (one, two) = (settled(&server), settled(&server));
    granted(&one).await;
    one.cool_down("show", 100 * SECOND).await;
    two.cool_down("show", SECOND).await;
    for budget in [&one, &two] {
        let PermitResponse::Cooldown(left) = take_permit(budget).await else { panic!("not paused") };
        assert!(left <= 100 * SECOND && left > 40 * SECOND, "{left:?}");
    }
    assert!(!matches!(two.take_permit(rate(), "other", &SystemClock::default()).await, PermitResponse::Cooldown(_)));
    two.cool_down("show", 1000 * SECOND).await;
    assert!(matches!(take_permit(&one).await, PermitResponse::Cooldown(left) if left > 500 * SECOND));
    two.cool_down("other", Duration::MAX).await;
    let other = one.take_permit(rate(), "other", &SystemClock::default()).await;
    assert!(matches!(other, PermitResponse::Cooldown(left) if left <= MAX_COOLDOWN), "{other:?}");
}

#[test]
fn a_budget_is_named_after_those_who_share_it() {
    let store = RedisStore::new("redis://localhost").unwrap();
    let name = |key, api, user, client_id, secret| {
        let identity = Identity::new(["perenso", user], client_id, Secret::from(secret));
        SharedBudget::over(&store, 1).key(key).name(api, &identity)
    };
    let custom = |text: &str| BudgetKey::Custom(text.to_owned());
    let show = name(BudgetKey::Show, "https://a.example", "user", "show-1", "secret");
    assert_eq!(show, name(BudgetKey::Show, "https://a.example", "other", "show-1", "rotated"));
    assert_ne!(show, name(BudgetKey::Show, "https://b.example", "user", "show-1", "secret"));
    assert_ne!(show, name(BudgetKey::Show, "https://a.example", "user", "show-2", "secret"));
    let client = name(BudgetKey::Client, "https://a.example", "user", "show-1", "secret");
    assert_ne!(client, name(BudgetKey::Client, "https://a.example", "other", "show-1", "secret"));
    assert_ne!(client, show);
    let ours = name(custom("ours"), "https://a.example", "user", "show-1", "secret");
    assert_eq!(ours, name(custom("ours"), "https://b.example", "other", "show-2", "other"));
    assert_ne!(ours, name(custom("theirs"), "https://a.example", "user", "show-1", "secret"));
    // It is a part of a key in Redis, for anybody to read.
    assert!([show, client, ours].iter().all(|name| name.len() == 32));
}

#[test]
fn the_time_between_two_calls_is_never_too_short() {
    assert_eq!(interval(Rate::new(3, SECOND, 1)), Duration::from_micros(333_334));
    assert_eq!(interval(Rate::new(u32::MAX, SECOND, 1)), Duration::from_micros(1));
    assert_eq!(interval(rate()), Duration::from_millis(50));
}

#[tokio::test]
async fn a_redis_that_says_nothing_does_not_outlast_the_limit_of_a_call() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let minute = Duration::from_secs(60);
    let store = RedisStore::builder(url).connect_timeout(minute).response_timeout(minute).build().unwrap();
    let budget = Budget::shared(Some(rate()), SharedBudget::over(&store, 1), Arc::new(SystemClock::default()));
    budget.set_name(|_| "show".to_owned());
    let permit = budget.permit(Duration::from_millis(100));
    let permit = tokio::time::timeout(Duration::from_secs(20), permit).await.expect("it waits for Redis");
    assert!(permit.is_err());
}
