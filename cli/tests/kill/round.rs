//! A round: one load that is killed again and again, and ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use fastrand::Rng;
use perenso_sandbox::{Fault, Sandbox, Step, Target};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    journal::{Journal, RowState},
    moment::{Directory, INPUT, JOURNAL, Moment, Phase},
    proxy::{Gate, Proxy},
    rows::{Expected, Resource, Rows},
    verdict::{RESULTS, Verdict},
};

/// Every so manieth round is of records without a key.
const ORDER_HISTORY: u64 = 4;
/// A run is given up after so many.
const MAX_RUNS: u32 = 60;

/// A kill, for the log.
pub(crate) struct Kill {
    pub(crate) phase: Phase,
    pub(crate) text: String,
}

/// A load that is killed again and again.
pub(crate) struct Round {
    number: u64,
    random: Rng,
    home: TempDir,
    sandbox: Sandbox,
    proxy: Proxy,
    before: Vec<serde_json::Value>,
    run: u32,
    in_flight_at_kills: BTreeSet<u32>,
    /// The rows that were in the show before a run, and its number.
    written: BTreeMap<u32, u32>,
    /// The result files that were in their places after a kill.
    seen: BTreeMap<String, Vec<u8>>,
    pub(crate) kills: Vec<Kill>,
}

impl Round {
    pub(crate) fn new(seed: u64, number: u64, runtime: &Runtime) -> Self {
        // Neighbours would begin alike.
        let mut random = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
        let sandbox = Sandbox::builder().client_secret("made up").seed(random.u64(..)).unlimited();
        let sandbox = runtime.block_on(sandbox.start()).unwrap();
        let (resource, count) =
            if number % ORDER_HISTORY == 3 { (Resource::OrderHistory, 1_000) } else { (Resource::Customers, 3_000) };
        let rows = Rows::new(resource, count, &mut random, &sandbox);
        let home = tempfile::Builder::new().prefix("perenso-kill-").tempdir().unwrap();
        fs::create_dir(home.path().join("files")).unwrap();
        fs::write(home.path().join("files").join(INPUT), rows.to_csv()).unwrap();
        let proxy = Proxy::start(sandbox.url(), &home.path().join("files").join(JOURNAL), rows);
        let before = sandbox.customers();
        Self {
            number,
            random,
            home,
            sandbox,
            proxy,
            before,
            run: 0,
            in_flight_at_kills: BTreeSet::new(),
            written: BTreeMap::new(),
            seen: BTreeMap::new(),
            kills: Vec::new(),
        }
    }

    /// Runs and kills the command, runs it to its end, and returns everything that is wrong then.
    pub(crate) fn run(&mut self) -> Vec<String> {
        let sent = self.proxy.rows().rows.iter().filter(|row| row.expected != Expected::Mistake).count();
        let while_sending = self.random.usize(9..15);
        let mut while_writing = self.random.usize(3..6);
        while while_writing > 0 && self.run < MAX_RUNS {
            let is_sending = self.kills.len() < while_sending && self.journal().begun() < sent;
            let moment = if is_sending {
                Moment::while_sending(&mut self.random)
            } else {
                while_writing -= 1;
                Moment::while_writing(&mut self.random)
            };
            self.script_faults();
            if let Some(problem) = self.run_and_kill(moment) {
                return vec![problem];
            }
            if self.journal().has_ended {
                break;
            }
        }
        self.run_to_the_end()
    }

    /// Begins a run, and notes which of the rows that were sent are in the show before it.
    fn begin(&mut self, journal: &Journal, gate: Option<Gate>) {
        self.run += 1;
        let rows = self.proxy.rows();
        if rows.resource.has_keys() {
            let records = self.sandbox.customers();
            let there = records.iter().filter_map(|record| Some((rows.of_record(record)?, record)));
            for (number, record) in there.filter(|(number, _)| journal.state(*number) != RowState::NotSent) {
                if rows.rows[number as usize].record.iter().all(|(name, value)| record.get(name) == Some(value)) {
                    self.written.entry(number).or_insert(self.run);
                }
            }
        }
        self.proxy.begin(self.run, gate);
    }

    /// Returns what went wrong.
    fn run_and_kill(&mut self, moment: Moment) -> Option<String> {
        let files = self.files();
        let journal = files.join(JOURNAL);
        let before = self.journal();
        let directory = Directory::new(&files, &journal);
        self.begin(&before, moment.gate());
        let mut child = self.command().spawn().unwrap();
        if moment.wait(&mut child, &self.proxy, &before, &directory) {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        let after = self.journal();
        let (reads, sent) = self.proxy.of_run();
        let changed = directory.has_changed();
        self.proxy.end(self.random.u8(..10) < 3);
        if status.code().is_some() {
            // A fault may end a run, and nothing else.
            let is_expected = after.has_ended || is_fault(status);
            return (!is_expected).then(|| self.said(status));
        }
        let phase = Phase::of(&before, &after, reads, &sent, changed);
        self.in_flight_at_kills.extend(&after.in_flight);
        for (name, content) in result_files(&files) {
            match self.seen.get(&name).filter(|before| **before != content) {
                Some(_) => return Some(format!("{name} was there, and has changed ({moment}, {phase:?})")),
                None => drop(self.seen.insert(name, content)),
            }
        }
        let text = format!("round {}, run {}: {moment}: {phase:?}", self.number, self.run);
        self.kills.push(Kill { phase, text });
        None
    }

    /// Runs the command until it says that all is done, then once more, which must do nothing.
    fn run_to_the_end(&mut self) -> Vec<String> {
        self.sandbox.clear_faults();
        for is_again in [false, true] {
            self.begin(&self.journal(), None);
            let status = self.command().status().unwrap();
            let (_, sent) = self.proxy.of_run();
            // Partly done: the file has mistakes. Unknown: rows without a key were in flight.
            let is_done = match self.proxy.rows().resource {
                Resource::Customers => status.code() == Some(3),
                Resource::OrderHistory => matches!(status.code(), Some(3 | 8)),
            };
            if !is_done {
                return vec![self.said(status)];
            }
            if is_again && !sent.is_empty() {
                return vec!["a load that has ended sends again".to_owned()];
            }
        }
        let (sent, mut problems) = self.proxy.drain();
        let verdict = Verdict {
            rows: self.proxy.rows(),
            show: &self.sandbox,
            before: &self.before,
            directory: &self.files(),
            sent: &sent,
            in_flight_at_kills: &self.in_flight_at_kills,
            written: &self.written,
        };
        problems.extend(verdict.problems());
        let at_the_end = result_files(&self.files());
        let changed = self.seen.iter().filter(|(name, content)| at_the_end.get(*name) != Some(*content));
        problems.extend(changed.map(|(name, _)| format!("{name} was there before it was whole")));
        problems
    }

    /// Keeps the directory, and returns it.
    pub(crate) fn keep(self) -> PathBuf {
        self.home.keep()
    }

    fn files(&self) -> PathBuf {
        self.home.path().join("files")
    }

    fn journal(&self) -> Journal {
        Journal::read(&self.files().join(JOURNAL), self.proxy.rows().resource.has_keys())
    }

    fn stderr(&self) -> PathBuf {
        self.home.path().join("stderr")
    }

    fn said(&self, status: ExitStatus) -> String {
        let said = fs::read_to_string(self.stderr()).unwrap_or_default();
        format!("run {} has ended with {status}: {said}", self.run)
    }

    fn command(&mut self) -> Command {
        let resource = self.proxy.rows().resource;
        let rows = match resource {
            Resource::Customers => self.random.usize(40..250),
            Resource::OrderHistory => self.random.usize(10..40),
        };
        let mut command = command(&self.home.path().join("config"));
        command.envs(self.sandbox.vars()).env("PERENSO_API_URL", self.proxy.url());
        command.current_dir(self.files()).args([resource.name(), "load", INPUT, "--batch-size", &rows.to_string()]);
        if resource.has_keys() {
            command.args(["--empty", "keep"]);
        }
        command.stdout(Stdio::null()).stderr(File::create(self.stderr()).unwrap());
        command
    }

    /// Lets some of the next requests fail.
    fn script_faults(&mut self) {
        self.sandbox.clear_faults();
        if self.random.u8(..100) < 60 {
            return;
        }
        for _ in 0..self.random.usize(1..=2) {
            let random = &mut self.random;
            let millis = Duration::from_millis;
            let (fault, times) = match random.u8(..15) {
                0 => (Fault::status(503), 1),
                1 => (Fault::status(503).with_header("retry-after", "0"), 2),
                2 => (Fault::too_many_requests(Duration::ZERO), 2),
                3 => (Fault::Unauthorized, 1),
                4 | 5 => (Fault::Delay(millis(random.u64(1..80))), 3),
                6 | 7 => (Fault::Slow { piece: random.usize(1_000..9_000), pause: millis(1) }, 3),
                8 => (Fault::DropConnection, 1),
                9 => (Fault::DropResponse, 1),
                10 => (Fault::Reset, 1),
                11 => (Fault::ResetResponse, 1),
                12 => (Fault::CutBody, 1),
                // The batch is sent again in halves.
                13 => (Fault::status(413), 1),
                // More than there are attempts: the run ends.
                _ if random.u8(..4) == 0 => (Fault::DropResponse, 4),
                _ => (Fault::EmptyBody, 1),
            };
            let target =
                if random.u8(..10) < 7 { Target::call("POST", self.proxy.rows().resource.path()) } else { Target::Api };
            self.sandbox.script(Step::new(fault).after(random.u64(..4)).times(times).on(target));
        }
    }
}

/// Returns the result files that are in their places.
fn result_files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let contents =
        RESULTS.iter().filter_map(|(name, _)| Some(((*name).to_owned(), fs::read(directory.join(name)).ok()?)));
    contents.collect()
}

/// Returns true for the exit codes of a show that does not respond as it should: two 401 in a row are refused credentials.
fn is_fault(status: ExitStatus) -> bool {
    matches!(status.code(), Some(1 | 4 | 6 | 8))
}

/// The command, without anything that the machine has configured.
fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perenso"));
    for name in ["CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "API_URL", "TOKEN_URL", "CLIENT_AUTH", "SHOW"] {
        command.env_remove(format!("PERENSO_{name}"));
    }
    command.env("PERENSO_CONFIG_DIR", home).stdin(Stdio::null());
    command
}
