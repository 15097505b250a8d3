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
/// Slow enough to measure and fast enough to wait for: one call in 50 ms, ten at once.
const PERIOD: Duration = Duration::from_secs(2);
const CALLS: u32 = 40;
const BURST: u32 = 10;

fn rate() -> Rate {
    Rate::new(CALLS, PERIOD, BURST)
}

/// The budget of a process that does not wait until the others have noticed that Redis is back.
fn joined(server: &RedisServer) -> SharedBudget {
    let limit = Duration::from_secs(20);
    let store = RedisStore::builder(server.url()).connect_timeout(limit).response_timeout(limit).build().unwrap();
    SharedBudget { rejoin_delay: Duration::ZERO, ..SharedBudget::over(&store, 6) }
}

async fn take_permit(budget: &SharedBudget) -> PermitResponse {
    budget.take_permit(rate(), "show", &SystemClock::default()).await
}

/// Waits until a permit is granted.
async fn granted(budget: &SharedBudget) {
    let start = Instant::now();
    while let PermitResponse::Wait(wait) | PermitResponse::Cooldown(wait) = take_permit(budget).await {
        assert!(start.elapsed() < 30 * SECOND, "no permit was granted");
        tokio::time::sleep(wait).await;
    }
}

fn raw(server: &RedisServer) -> redis::Connection {
    redis::Client::open(server.url()).unwrap().get_connection().unwrap()
}

const PLACE: &str = "perenso-auth:{show}:budget";

/// Fills the bucket, as a long time without calls does.
fn fill(server: &RedisServer) {
    let kept: String = redis::cmd("GET").arg(PLACE).query(&mut raw(server)).unwrap();
    let run = kept.split(' ').next().unwrap();
    let () = redis::cmd("SET").arg(PLACE).arg(format!("{run} 1")).query(&mut raw(server)).unwrap();
}

/// The times at which a permit was requested and received. It was granted between the two.
type Permit = (Instant, Instant);

/// The maximum number of permits that were certainly granted within one period.
fn most_in_a_period(permits: &[Permit]) -> usize {
    let within = |from: Instant| permits.iter().filter(|(asked, got)| *asked >= from && *got <= from + PERIOD).count();
    permits.iter().map(|(asked, _)| within(*asked)).max().unwrap_or(0)
}

/// A process that sends as many calls as permitted until `until`.
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
        // On a connection of its own, so that neither side blocks the other.
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
    // Nor do the processes stop. Each phase allows twenty calls a second.
    let second = |moment: u32| start + moment * SECOND;
    assert!(between(&permits, second(0), second(7)) > 20, "while Redis was available");
    assert!(between(&permits, second(7), second(10)) > 6, "while Redis was unavailable");
    assert!(between(&permits, second(10), second(14)) > 6, "when Redis was back");
}

#[tokio::test]
async fn a_budget_that_redis_does_not_know_starts_without_a_burst() {
    let Some(server) = RedisServer::start() else { return };
    let budget = joined(&server);
    granted(&budget).await;
    for _ in 0..3 {
        let () = redis::cmd("DEL").arg(PLACE).query(&mut raw(&server)).unwrap();
        let PermitResponse::Wait(wait) = take_permit(&budget).await else { panic!("a burst out of nothing") };
        assert!(wait <= PERIOD / CALLS, "{wait:?}");
    }
}

#[tokio::test]
async fn a_budget_from_another_run_of_redis_counts_as_unknown() {
    let Some(server) = RedisServer::start() else { return };
    let budget = joined(&server);
    granted(&budget).await;
    // As from a snapshot in which the bucket has long been full.
    for left in ["0123456789abcdef 1", "nonsense", ""] {
        let () = redis::cmd("SET").arg(PLACE).arg(left).query(&mut raw(&server)).unwrap();
        assert!(matches!(take_permit(&budget).await, PermitResponse::Wait(_)), "{left}");
    }
}

#[tokio::test]
async fn an_idle_budget_grants_one_burst() {
    let Some(server) = RedisServer::start() else { return };
    let budget = joined(&server);
    granted(&budget).await;
    fill(&server);
    // So slow that no other permit becomes due meanwhile.
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
async fn a_clock_of_redis_that_was_set_back_delays_calls_only_briefly() {
    let Some(server) = RedisServer::start() else { return };
    let budget = joined(&server);
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
    granted(&joined(&server)).await;
    let left: i64 = redis::cmd("PTTL").arg(PLACE).query(&mut raw(&server)).unwrap();
    assert!(left > 23 * 3_600_000, "{left}");
}

#[tokio::test]
async fn a_redis_that_was_just_started_grants_nothing_before_all_have_noticed() {
    let Some(mut server) = RedisServer::start() else { return };
    let start = Instant::now();
    server.start_again();
    // The process did not notice the restart, so only Redis knows of it.
    let budget = SharedBudget { rejoin_delay: 3 * SECOND, ..joined(&server) };
    granted(&budget).await;
    assert!(start.elapsed() >= 3 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test]
async fn after_an_outage_all_wait_until_every_process_has_noticed() {
    let Some(server) = RedisServer::start() else { return };
    let rejoin_delay = 4 * SECOND;
    let [lonely, other] = [(); 2].map(|()| SharedBudget { rejoin_delay, ..joined(&server) });
    // Waits until Redis has been up for long enough, since a restart alone makes them wait.
    granted(&other).await;
    let error = StoreError::new(crate::store::StoreErrorKind::Unavailable, "a test");
    for _ in 0..20 {
        fill(&server);
        let start = Instant::now();
        lonely.take_locally(SECOND, "show", start, &error);
        let takes = [take_permit(&lonely).await, take_permit(&other).await, take_permit(&lonely).await];
        let stranger = other.take_permit(rate(), "other", &SystemClock::default()).await;
        if start.elapsed() < rejoin_delay {
            // The bucket is full, and still no permit is granted.
            assert!(takes.iter().all(|take| matches!(take, PermitResponse::Wait(_))), "{takes:?}");
            assert!(matches!(stranger, PermitResponse::Wait(wait) if wait <= PERIOD / CALLS), "{stranger:?}");
            return;
        }
        // The machine was so slow that the delay has passed.
        tokio::time::sleep(rejoin_delay).await;
    }
    panic!("no four calls within {rejoin_delay:?}");
}

#[tokio::test]
async fn an_outage_long_ago_makes_nobody_wait() {
    let Some(server) = RedisServer::start() else { return };
    let budget = joined(&server);
    granted(&budget).await;
    let budget = SharedBudget { rejoin_delay: SECOND / 1000, ..budget };
    let error = StoreError::new(crate::store::StoreErrorKind::Unavailable, "a test");
    budget.take_locally(SECOND, "show", Instant::now(), &error);
    assert!(!budget.was_redis_away("show", Instant::now() + SECOND));
    assert!(budget.was_redis_away("show", Instant::now() - SECOND / 100));
}

#[tokio::test]
async fn without_redis_each_process_has_its_share_and_no_burst() {
    let clock = ManualClock::default();
    // Nothing listens on this port, so connections are refused at once.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let store = RedisStore::new(format!("redis://127.0.0.1:{port}")).unwrap();
    let budget = SharedBudget::over(&store, 6);
    let clones = [budget.clone(), budget];
    let rate = Rate::new(60, 60 * SECOND, 20);
    let mut granted = 0;
    // One every six seconds for both clones together.
    for passed in 0..60 {
        for budget in &clones {
            match budget.take_permit(rate, "show", &clock).await {
                PermitResponse::Granted => granted += 1,
                PermitResponse::Wait(wait) => assert!(wait <= SECOND, "{wait:?}: Redis may be back sooner"),
                PermitResponse::Cooldown(_) => panic!("there was no cooldown"),
            }
            assert_eq!(granted, passed / 6, "after {passed} s");
        }
        clock.advance(SECOND);
    }
    // Another budget has its own share, and also starts without a burst.
    assert!(matches!(clones[0].take_permit(rate, "other", &clock).await, PermitResponse::Wait(_)));
}

#[tokio::test]
async fn a_cooldown_holds_the_fleet_and_is_never_shortened() {
    let Some(server) = RedisServer::start() else { return };
    let (one, two) = (joined(&server), joined(&server));
    granted(&one).await;
    one.cool_down("show", 100 * SECOND).await;
    two.cool_down("show", SECOND).await;
    for budget in [&one, &two] {
        let PermitResponse::Cooldown(left) = take_permit(budget).await else { panic!("no cooldown") };
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
