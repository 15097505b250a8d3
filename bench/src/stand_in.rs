//! Measures the start, requests per second and memory of the sandbox, against Prism mocking the same document.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use reqwest::Client;

use crate::{
    server::runtime,
    table::{Bound, Table, medians},
};

const CUSTOMERS: &str = "50000";
const TASKS: usize = 16;

/// A server of the document in a process of its own.
struct StandIn {
    child: Child,
    url: String,
    client: Client,
    token: String,
    /// The path of an existing customer.
    one: String,
    /// The duration from the start of the process to the first customer.
    start: Duration,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // Ignores the error if the process has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints start, requests per second and memory, without a rival if `prism` is `None`. (Memory on Linux only.)
pub(crate) fn measure(table: &mut Table, prism: Option<&Path>, turns: usize, load: Duration) {
    let runtime = runtime(1);
    let (mut starts, mut lists, mut gets) = (Vec::new(), Vec::new(), Vec::new());
    let mut peaks = (0, 0);
    for _ in 0..turns {
        let mut ours = runtime.block_on(sandbox());
        let mut rival = prism.map(|path| runtime.block_on(mock(path)));
        let rates = |path: fn(&StandIn) -> String| {
            let ours = runtime.block_on(ours.rate(path(&ours), load));
            (ours, rival.as_ref().map_or(f64::NAN, |rival| runtime.block_on(rival.rate(path(rival), load))))
        };
        gets.push(rates(|stand_in| stand_in.one.clone()));
        lists.push(rates(|_| "/Customer?page=7&resultsPerPage=20".to_owned()));
        let start = |stand_in: &StandIn| stand_in.start.as_secs_f64() * 1000.0;
        starts.push((start(&ours), rival.as_ref().map_or(f64::NAN, start)));
        peaks = (peaks.0.max(ours.peak_kib()), peaks.1.max(rival.as_mut().map_or(0, |rival| rival.peak_kib())));
    }
    let name = "Prism, one example record";
    let mut row = |what: &str, turns: &[(f64, f64)], unit: &str, bound: Bound| {
        let (ours, rival, ratio) = medians(turns);
        if prism.is_some() {
            table.ratio(what, &format!("{ours:.0} {unit}"), &format!("{name}: {rival:.0} {unit}"), ratio, bound);
        } else {
            table.count(what, &format!("{ours:.0} {unit}"), "", "", ours > 0.0);
        }
    };
    row("a sandbox with 50,000 customers: from start to the first response", &starts, "ms", Bound::AtMost(1.0));
    row("the same: a customer by id, 16 tasks", &gets, "requests/s", Bound::AtLeast(5.0));
    row("the same: a page of 20 customers, 16 tasks", &lists, "requests/s", Bound::AtLeast(5.0));
    let mib = |kib: u64| kib as f64 / 1024.0;
    row("the same: the most memory", &[(mib(peaks.0), mib(peaks.1))], "MiB", Bound::AtMost(0.22));
}

/// Starts the binary `perenso-sandbox` beside this one.
async fn sandbox() -> StandIn {
    let path: PathBuf = std::env::current_exe().unwrap().with_file_name("perenso-sandbox");
    assert!(path.exists(), "{} is missing: `cargo build -p perenso-sandbox`, in the same profile", path.display());
    let behavior = std::env::temp_dir().join(format!("perenso-bench-{}.toml", std::process::id()));
    std::fs::write(&behavior, "rate = \"none\"\n").unwrap();
    let port = free_port();
    let mut command = Command::new(path);
    command.args(["--port", &port, "--customers", CUSTOMERS, "--client-id", "BENCH", "--client-secret", "secret"]);
    command.arg("--behavior").arg(&behavior);
    let stand_in = StandIn::start(command, &port, "/health").await;
    std::fs::remove_file(behavior).unwrap();
    stand_in.authorised().await
}

async fn mock(prism: &Path) -> StandIn {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/perenso.json");
    let port = free_port();
    let mut command = Command::new(prism);
    command.args(["mock", "--port", &port, document]);
    let mut stand_in = StandIn::start(command, &port, "/Export").await;
    stand_in.one = "/Customer/a1b2c3".to_owned();
    stand_in
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

impl StandIn {
    async fn start(mut command: Command, port: &str, first: &str) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut stand_in = Self { child, url, client, token: "any".into(), one: String::new(), start: Duration::ZERO };
        while !stand_in.get(first).await.is_ok_and(|response| response.status().is_success()) {
            assert!(started.elapsed() < Duration::from_secs(60), "the server did not respond within 60 s");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stand_in.start = started.elapsed();
        stand_in
    }

    /// Gets a token of the sandbox, and the id of a customer in the middle.
    async fn authorised(mut self) -> Self {
        let started = Instant::now();
        let request = self.client.post(format!("{}/auth/oauth/token", self.url)).basic_auth("BENCH", Some("secret"));
        let response = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .unwrap();
        let response: serde_json::Value = response.json().await.unwrap();
        self.token = response["access_token"].as_str().unwrap().to_owned();
        let page = self.get("/Customer?page=25000&resultsPerPage=1").await.unwrap();
        // The start includes the first customer, since a sandbox could respond before it has records.
        self.start += started.elapsed();
        let page: serde_json::Value = page.json().await.unwrap();
        self.one = format!("/Customer/{}", page[0]["id"].as_str().unwrap());
        self
    }

    async fn get(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await
    }

    /// Returns the number of responses per second.
    async fn rate(&self, path: String, load: Duration) -> f64 {
        let started = Instant::now();
        let one = async || {
            let mut count = 0_u32;
            while started.elapsed() < load {
                let response = self.get(&path).await.unwrap();
                assert_eq!(response.status(), 200, "{path}");
                response.bytes().await.unwrap();
                count += 1;
            }
            count
        };
        let counts = futures_util::future::join_all((0..TASKS).map(|_| one())).await;
        f64::from(counts.iter().sum::<u32>()) / started.elapsed().as_secs_f64()
    }

    /// Returns the peak memory of the process in KiB, or 0 if it is unknown.
    fn peak_kib(&mut self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
    }
}
