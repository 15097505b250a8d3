//! A fleet of real processes over a real Redis: this binary is also the process that it starts fifty times.
#![cfg(feature = "redis")]
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

#[path = "redis/server.rs"]
mod redis_server;
#[path = "promises/server.rs"]
mod server;

use std::{
    collections::HashSet,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use perenso_auth::{Client, Credentials, Profile, Rate, SharedBudget, store::RedisStore};
use redis_server::RedisServer;
use server::{Reply, Seen, Server, token};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

const PROCESSES: usize = 50;
const TASKS: usize = 200;
/// Of a token, in seconds. It is renewed after four fifths.
const LIFE: u64 = 6;
const RUNS: Duration = Duration::from_secs(12);
/// Of a rate budget. A third of its calls may leave at once.
const PERIOD: Duration = Duration::from_secs(2);
/// The maximum delay of a call on a busy machine.
const STRAGGLING: Duration = Duration::from_millis(600);

/// A token server that rotates: a refresh token that comes twice, or was never given out, is a fault.
#[derive(Default)]
struct Issuer {
    requests: Mutex<Vec<Instant>>,
    newest: AtomicUsize,
    faults: Mutex<Vec<String>>,
}

impl Issuer {
    fn response(&self, seen: &Seen) -> Reply {
        self.requests.lock().unwrap().push(Instant::now());
        if let Some(refresh) = seen.field("refresh_token") {
            let newest = format!("ref-{}", self.newest.load(Ordering::Relaxed));
            if refresh != newest {
                self.faults.lock().unwrap().push(format!("{refresh} came, and {newest} is the newest"));
            }
        }
        self.newest.store(seen.nth, Ordering::Relaxed);
        token(seen.nth, LIFE)
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    fn assert_one_request_per_life(&self) {
        let requests = self.requests.lock().unwrap();
        let shortest = requests.windows(2).map(|pair| pair[1] - pair[0]).min().expect("no renewal");
        // Due after 80 %, counted from when the one before was sent; on a slow machine that one was long on its way.
        assert!(shortest >= Duration::from_secs(LIFE) / 2, "{shortest:?} between two of {requests:?}");
        assert_eq!(*self.faults.lock().unwrap(), [] as [String; 0]);
    }
}

async fn token_server() -> (Arc<Issuer>, Server) {
    let issuer = Arc::new(Issuer::default());
    let answering = Arc::clone(&issuer);
    (issuer, Server::start(move |seen| answering.response(seen)).await)
}

/// An API that lets everybody in who has a token, and counts.
struct Api {
    url: String,
    calls: Arc<AtomicUsize>,
    arrivals: Arc<Mutex<Vec<Instant>>>,
    bearers: Arc<Mutex<HashSet<String>>>,
    task: JoinHandle<()>,
}

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (calls, bearers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(HashSet::new())));
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let (counted, kept, clocked) = (Arc::clone(&calls), Arc::clone(&bearers), Arc::clone(&arrivals));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counted, kept, clocked) = (Arc::clone(&counted), Arc::clone(&kept), Arc::clone(&clocked));
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                        if let Some(bearer) = line.trim_end().strip_prefix("authorization: Bearer ") {
                            kept.lock().unwrap().insert(bearer.to_owned());
                        }
                        if line == "\r\n" {
                            counted.fetch_add(1, Ordering::Relaxed);
                            clocked.lock().unwrap().push(Instant::now());
                            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
                            if stream.get_mut().write_all(response).await.is_err() {
                                return;
                            }
                        }
                        line.clear();
                    }
                });
            }
        });
        Self { url, calls, arrivals, bearers, task }
    }

    /// The most calls that arrived within any while of this length.
    fn most_within(&self, length: Duration) -> usize {
        let mut arrivals = self.arrivals.lock().unwrap().clone();
        arrivals.sort_unstable();
        let until = |first: Instant| arrivals.partition_point(|at| *at < first + length);
        arrivals.iter().enumerate().map(|(nth, first)| until(*first) - nth).max().unwrap_or_default()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn rate(calls: u32) -> Rate {
    Rate::new(calls, PERIOD, calls / 3)
}

/// The configuration of a process.
struct Order<'a> {
    redis: &'a RedisServer,
    token_url: String,
    api_url: &'a str,
    tasks: usize,
    runs: Duration,
    /// The number of processes that share a rate budget, and its calls. `None` without a shared budget.
    budget: Option<(usize, u32)>,
}

impl Order<'_> {
    fn process(&self) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "one_process_of_the_fleet", "--ignored", "--nocapture"])
            .env("FLEET_REDIS", self.redis.url())
            .env("FLEET_TOKEN", &self.token_url)
            .env("FLEET_API", self.api_url)
            .env("FLEET_TASKS", self.tasks.to_string())
            .env("FLEET_RUNS", self.runs.as_millis().to_string())
            .env("FLEET_REPLICAS", self.budget.map_or(0, |(replicas, _)| replicas).to_string())
            .env("FLEET_CALLS", self.budget.map_or(0, |(_, calls)| calls).to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Process(command.spawn().unwrap())
    }
}

/// Killed when dropped.
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Waits for its end, which must be a good one.
    async fn finished(mut self) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "a process does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let mut text = String::new();
        std::io::Read::read_to_string(&mut self.0.stderr.take().unwrap(), &mut text).unwrap();
        assert!(status.success(), "{text}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not a test by itself: it does what its environment says, and fails when a call fails.
#[tokio::test]
#[ignore = "a process of the fleet, which other tests start"]
async fn one_process_of_the_fleet() {
    let Ok(redis) = std::env::var("FLEET_REDIS") else { return };
    let order = |name: &str| std::env::var(name).unwrap();
    let runs: u64 = order("FLEET_RUNS").parse().unwrap();
    let store = RedisStore::new(redis).unwrap();
    let builder = Client::builder(Profile::perenso())
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(order("FLEET_TOKEN"))
        .api_url(order("FLEET_API"))
        .store(store.clone());
    let builder = match order("FLEET_REPLICAS").parse().unwrap() {
        0 => builder.unlimited(),
        replicas => builder
            .rate(rate(order("FLEET_CALLS").parse().unwrap()))
            .shared_budget(SharedBudget::over(&store, replicas)),
    };
    let client = builder.build().unwrap();
    let tasks: u64 = order("FLEET_TASKS").parse().unwrap();
    let tasks: Vec<_> = (0..tasks)
        .map(|nth| {
            let client = client.clone();
            tokio::spawn(async move {
                // At once with everybody, at a moment of its own, and at the end.
                let own = runs * nth / tasks;
                for pause in [0, own, runs - own] {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    client.get("/Customer").send().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_processes_make_one_token_request_per_life_and_overrun_no_budget() {
    let Some(redis) = RedisServer::start() else { return };
    let ((issuer, tokens), api) = (token_server().await, Api::start().await);
    let token_url = format!("{}/token", tokens.url);
    let budget = Some((PROCESSES, 3000));
    let order = Order { redis: &redis, token_url, api_url: &api.url, tasks: TASKS, runs: RUNS, budget };
    let processes: Vec<_> = (0..PROCESSES).map(|_| order.process()).collect();
    for process in processes {
        process.finished().await;
    }
    assert_eq!(api.calls.load(Ordering::Relaxed), PROCESSES * TASKS * 3);
    issuer.assert_one_request_per_life();
    assert_no_overrun(&api, 3000);
    let given: HashSet<_> = (0..issuer.count()).map(|nth| format!("tok-{nth}")).collect();
    assert!(api.bearers.lock().unwrap().is_subset(&given));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_rotate_lose_no_refresh_token() {
    let Some(redis) = RedisServer::start() else { return };
    let ((issuer, tokens), api) = (token_server().await, Api::start().await);
    let token_url = format!("{}/token", tokens.url);
    let order = Order { redis: &redis, token_url, api_url: &api.url, tasks: 50, runs: RUNS, budget: None };
    for process in [order.process(), order.process()] {
        process.finished().await;
    }
    issuer.assert_one_request_per_life();
    let refreshed = tokens.tokens().iter().filter(|seen| seen.field("refresh_token").is_some()).count();
    assert_eq!(refreshed, issuer.count() - 1, "an original grant in place of a refresh");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_of_the_lock_killed_in_mid_renewal_stops_nobody() {
    let Some(redis) = RedisServer::start() else { return };
    let api = Api::start().await;
    let (asked, mut was_asked) = tokio::sync::mpsc::unbounded_channel();
    let tokens = Server::start(move |seen| {
        let _ = asked.send(());
        if seen.nth == 0 { Reply::Never } else { token(seen.nth, 300) }
    })
    .await;
    let token_url = format!("{}/token", tokens.url);
    let order = Order {
        redis: &redis,
        token_url,
        api_url: &api.url,
        tasks: 10,
        runs: Duration::from_millis(100),
        budget: None,
    };
    let mut owner = order.process();
    was_asked.recv().await.unwrap();
    let others: Vec<_> = (0..4).map(|_| order.process()).collect();
    owner.kill();
    for process in others {
        process.finished().await;
    }
    assert_eq!(tokens.tokens().len(), 2, "the one that was lost, and one for all others");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_stopped_and_started_again_fails_no_call() {
    let Some(mut redis) = RedisServer::start() else { return };
    let ((issuer, tokens), api) = (token_server().await, Api::start().await);
    let token_url = format!("{}/token", tokens.url);
    let processes: Vec<_> = {
        let order = Order { redis: &redis, token_url, api_url: &api.url, tasks: 20, runs: 2 * RUNS, budget: None };
        (0..5).map(|_| order.process()).collect()
    };
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.kill();
    // Long enough for each process to renew by itself.
    tokio::time::sleep(Duration::from_secs(LIFE + 2)).await;
    redis.start_again();
    for process in processes {
        process.finished().await;
    }
    assert_eq!(api.calls.load(Ordering::Relaxed), 5 * 20 * 3);
    assert!(issuer.count() >= 6, "while Redis was away, somebody did not renew: {}", issuer.count());
}

/// No window of the period sees more than the rate and a burst, whoever sends.
fn assert_no_overrun(api: &Api, calls: u32) {
    let most = api.most_within(PERIOD - STRAGGLING);
    assert!(most <= (calls + calls / 3) as usize, "{most} calls within {:?}", PERIOD - STRAGGLING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_processes_of_one_show_never_send_more_than_the_show_may() {
    let Some(redis) = RedisServer::start() else { return };
    let ((issuer, tokens), api) = (token_server().await, Api::start().await);
    let token_url = format!("{}/token", tokens.url);
    let order = Order {
        redis: &redis,
        token_url,
        api_url: &api.url,
        tasks: 2,
        runs: Duration::from_secs(1),
        budget: Some((PROCESSES, 60)),
    };
    let processes: Vec<_> = (0..PROCESSES).map(|_| order.process()).collect();
    for process in processes {
        process.finished().await;
    }
    assert_eq!(api.calls.load(Ordering::Relaxed), PROCESSES * 2 * 3);
    assert_no_overrun(&api, 60);
    issuer.assert_one_request_per_life();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_replicas_keep_to_the_rate_of_their_show_while_redis_goes_and_comes() {
    let Some(mut redis) = RedisServer::start() else { return };
    let ((_issuer, tokens), api) = (token_server().await, Api::start().await);
    let token_url = format!("{}/token", tokens.url);
    let processes: Vec<_> = {
        let order = Order {
            redis: &redis,
            token_url,
            api_url: &api.url,
            tasks: 20,
            runs: Duration::from_secs(2),
            budget: Some((6, 60)),
        };
        (0..6).map(|_| order.process()).collect()
    };
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.kill();
    tokio::time::sleep(Duration::from_secs(4)).await;
    redis.start_again();
    for process in processes {
        process.finished().await;
    }
    assert_eq!(api.calls.load(Ordering::Relaxed), 6 * 20 * 3);
    assert_no_overrun(&api, 60);
}
