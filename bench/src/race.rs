//! Races a typed list call of the SDK against the other ways to make it, in turns: CPU, allocations and context switches of the
//! client per call.

use cpu_time::ProcessTime;
use futures_util::future::BoxFuture;
use nix::sys::resource::{UsageWho, getrusage};
use tokio::runtime::Runtime;

use crate::{
    call::{show, spread},
    rival::{Customer, hand_wired, middle},
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

/// Prints the costs of a list of `records` with `tasks` tasks. Ours is compared with the best of the rivals that renew tokens.
pub(crate) fn measure(table: &mut Table, records: usize, tasks: usize, (rounds, calls): (usize, usize), bound: Bound) {
    let server = Server::start(Terms::LASTING);
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
    let best = cpu[1..racers.len() - 1].iter().map(|(median, _)| *median).fold(f64::INFINITY, f64::min);
    let what =
        format!("typed list of {}, {}: client CPU, median (least)", plural(records, "record"), plural(tasks, "task"));
    table.ratio(&what, &show(0), &rivals(&show), cpu[0].0 / best, bound);

    let switches = of(|cost| cost.switches * 1e3);
    let show = |racer: usize| format!("{:.0}", switches[racer].0);
    let ratio = switches[0].0.max(1.0) / switches[1].0.max(1.0);
    table.ratio("the same: context switches in 1,000 calls", &show(0), &rivals(&show), ratio, Bound::AtMost(1.1));

    if tasks == 1 {
        let counts: Vec<_> = racers.iter().map(|racer| allocations(&runtime, racer)).collect();
        let most = counts[racers.len() - 1] + 3;
        let show = |racer: usize| counts[racer].to_string();
        table.count("the same: allocations", &show(0), &rivals(&show), &format!("at most {most}"), counts[0] <= most);
    }
}

/// Makes calls in one of the ways, for a profiler.
pub(crate) fn profile(name: &str, records: usize, tasks: usize, calls: usize) {
    let server = Server::start(Terms::LASTING);
    let runtime = runtime(tasks);
    let racers = racers(&server, &runtime, records);
    let racer = racers.iter().find(|racer| racer.name == name).unwrap();
    let cost = cost(&runtime, racer, tasks, calls);
    println!("{name}: {:.1} us, {:.0} context switches in 1,000 calls", cost.cpu, cost.switches * 1e3);
}

/// Returns the ways to make the call: ours first, last the one whose token is constant.
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
    vec![racer("ours", ours), racer("middle", by_middle), racer("by hand", by_hand), racer("reqwest, no renewal", raw)]
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
