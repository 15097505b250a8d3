//! Races a typed list call of the SDK against the other ways to make it, in turns: CPU, allocations and context switches of the
//! client per call. The server has a core of its own and is awake, or shares the cores of the client and sleeps between requests.

use cpu_time::ProcessTime;
use futures_util::future::BoxFuture;
use nix::sys::resource::{UsageWho, getrusage};
use tokio::runtime::Runtime;

use crate::{
    call::{show, spread},
    cores::Cores,
    rival::{Customer, floor::Floor, hand_wired, middle},
    server::{FIRST_TOKEN, Server, Terms, runtime},
    table::{Bound, Table, median, plural},
};

/// A way to make the call.
struct Racer {
    name: &'static str,
    /// Makes this many calls with this many tasks.
    run: Box<dyn Fn(usize, usize) -> BoxFuture<'static, ()>>,
}

/// The costs of one call.
#[derive(Clone, Copy)]
struct Cost {
    /// CPU time in microseconds.
    cpu: f64,
    switches: f64,
}

// The places of the racers. The first two after ours renew tokens.
const MIDDLE: usize = 1;
const BY_HAND: usize = 2;
const RAW: usize = 3;
const FLOOR: usize = 4;

/// Prints the costs of a list of `records` with `tasks` tasks. Ours is compared with the best of the rivals that renew tokens, and
/// with the floor.
pub(crate) fn measure(
    table: &mut Table,
    records: usize,
    tasks: usize,
    is_apart: bool,
    (rounds, calls): (usize, usize),
    bound: Bound,
) {
    let (server, _cores) = if is_apart {
        let (server, cores) = apart();
        (server, Some(cores))
    } else {
        (Server::start(Terms::LASTING), None)
    };
    let runtime = runtime(tasks);
    let racers = racers(&server, &runtime, records);
    // Opens connections, gets tokens and fills caches before anything is counted.
    for racer in &racers {
        cost(&runtime, racer, tasks, calls);
    }
    let mut costs = vec![Vec::new(); racers.len()];
    for round in 0..rounds {
        // Each is the first in its turn, since the one before leaves its caches behind.
        for turn in 0..racers.len() {
            let racer = (round + turn) % racers.len();
            costs[racer].push(cost(&runtime, &racers[racer], tasks, calls));
        }
    }
    let of = |value: fn(&Cost) -> f64| -> Vec<(f64, f64)> {
        let values = costs.iter().map(|costs| costs.iter().map(value).collect::<Vec<_>>());
        values.map(|values| (median(values.clone()), values.into_iter().fold(f64::INFINITY, f64::min))).collect()
    };
    let rivals = |show: &dyn Fn(usize) -> String| {
        let shown = (1..racers.len()).map(|racer| format!("{}: {}", racers[racer].name, show(racer)));
        shown.collect::<Vec<_>>().join("; ")
    };

    let cpu = of(|cost| cost.cpu);
    let show = |racer: usize| format!("{:.1} ({:.1}) us", cpu[racer].0, cpu[racer].1);
    let best = cpu[MIDDLE].0.min(cpu[BY_HAND].0);
    let (listed, by) = (plural(records, "record"), plural(tasks, "task"));
    let place = if is_apart { "server apart" } else { "shared cores" };
    let what = format!("typed list of {listed}, {by}, {place}: client CPU, median (least)");
    table.ratio(&what, &show(0), &rivals(&show), cpu[0].0 / best, bound);
    let floor = format!("{}: {}, {:.3} times the best rival", racers[FLOOR].name, show(FLOOR), cpu[FLOOR].0 / best);
    table.ratio("the same: over the floor", &show(0), &floor, cpu[0].0 / cpu[FLOOR].0, Bound::None);

    let switches = of(|cost| cost.switches * 1e3);
    let show = |racer: usize| format!("{:.0}", switches[racer].0);
    let ratio = switches[0].0.max(1.0) / switches[MIDDLE].0.max(1.0);
    table.ratio("the same: context switches in 1,000 calls", &show(0), &rivals(&show), ratio, Bound::AtMost(1.1));

    if tasks == 1 {
        let counts: Vec<_> = racers.iter().map(|racer| allocations(&runtime, racer)).collect();
        let most = counts[RAW] + 3;
        let show = |racer: usize| counts[racer].to_string();
        table.count("the same: allocations", &show(0), &rivals(&show), &format!("at most {most}"), counts[0] <= most);
    }
}

/// Makes calls in one of the ways, for a profiler.
pub(crate) fn profile(name: &str, records: usize, tasks: usize, calls: usize) {
    let (server, _cores) = apart();
    let runtime = runtime(tasks);
    let racers = racers(&server, &runtime, records);
    let racer = racers.iter().find(|racer| racer.name == name).unwrap();
    // Opens connections, gets a token and fills caches before anything is counted.
    cost(&runtime, racer, tasks, 64);
    let cost = cost(&runtime, racer, tasks, calls);
    println!("{name}: {:.1} us, {:.0} context switches in 1,000 calls", cost.cpu, cost.switches * 1e3);
}

/// Starts a server that costs the client nothing: it has a core of its own, and is awake.
fn apart() -> (Server, Cores) {
    Cores::apart(|| Server::start(Terms { awake: true, ..Terms::LASTING }))
}

/// Returns the ways to make the call, in the order of their places.
fn racers(server: &Server, runtime: &Runtime, records: usize) -> Vec<Racer> {
    let url = format!("{}/Customer?page=1&resultsPerPage={records}", server.url);
    let size = u32::try_from(records).unwrap();
    let show = show(server);
    let ours = move || {
        let show = show.clone();
        async move {
            let page = show.customers().list().page_size(size).page(1).await.unwrap();
            assert_eq!(page.items[records - 1].customer_id.as_deref(), Some("5041"));
        }
    };
    let client = runtime.block_on(middle::client(&server.url));
    let at = url.clone();
    let by_middle = move || {
        let request = client.get(&at).unwrap();
        async move {
            let response = request.send().await.unwrap().error_for_status().unwrap();
            check(&response.bytes().await.unwrap(), records);
        }
    };
    let client = hand_wired::client(&server.url);
    let at = url.clone();
    let by_hand = move || {
        let request = client.get(&at);
        async move {
            let response = request.send().await.unwrap().error_for_status().unwrap();
            check(&response.bytes().await.unwrap(), records);
        }
    };
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let raw = move || {
        let request = client.get(&url).bearer_auth(FIRST_TOKEN);
        async move {
            let response = request.send().await.unwrap().error_for_status().unwrap();
            check(&response.bytes().await.unwrap(), records);
        }
    };
    let floor = Floor::new(&server.url);
    let path = format!("/Customer?page=1&resultsPerPage={records}");
    let floor = move || {
        let (floor, path) = (floor.clone(), path.clone());
        async move {
            let customers: Vec<Customer> = floor.get(&path).await.unwrap();
            assert_eq!(customers[records - 1].customer_id.as_deref(), Some("5041"));
        }
    };
    vec![
        racer("ours", ours),
        racer("middle", by_middle),
        racer("by hand", by_hand),
        racer("reqwest, no renewal", raw),
        racer("floor", floor),
    ]
}

fn racer<F: Future<Output = ()> + Send>(name: &'static str, call: impl Fn() -> F + Clone + Send + 'static) -> Racer {
    let run = move |tasks: usize, calls: usize| -> BoxFuture<'static, ()> {
        let call = call.clone();
        Box::pin(spread(tasks, move || {
            let call = call.clone();
            async move {
                for _ in 0..calls / tasks {
                    call().await;
                }
            }
        }))
    };
    Racer { name, run: Box::new(run) }
}

/// Reads a list as a rival does.
fn check(body: &[u8], records: usize) {
    let customers: Vec<Customer> = serde_json::from_slice(body).unwrap();
    assert_eq!(customers[records - 1].customer_id.as_deref(), Some("5041"));
}

fn cost(runtime: &Runtime, racer: &Racer, tasks: usize, calls: usize) -> Cost {
    let (before, start) = (switches(), ProcessTime::now());
    runtime.block_on((racer.run)(tasks, calls));
    let cpu = start.elapsed().as_secs_f64() * 1e6 / calls as f64;
    Cost { cpu, switches: (switches() - before) as f64 / calls as f64 }
}

/// Returns the context switches of this process, voluntary or not.
fn switches() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    usage.voluntary_context_switches() + usage.involuntary_context_switches()
}

/// Returns the allocations of one call.
fn allocations(runtime: &Runtime, racer: &Racer) -> u64 {
    const CALLS: usize = 100;
    let count = allocation_counter::measure(|| runtime.block_on((racer.run)(1, CALLS)));
    count.count_total / CALLS as u64
}
