//! The part of another process: this very test binary, told by its environment what to do.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use super::*;

const JOB: &str = "FILE_STORE_JOB";
const DIRECTORY: &str = "FILE_STORE_DIRECTORY";

/// A process that is killed at the latest when the test is over.
pub struct Worker {
    child: Child,
    output: Option<BufReader<std::process::ChildStdout>>,
}

impl Worker {
    pub fn start(job: &str, directory: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["worker::works_as_told", "--exact", "--ignored", "--nocapture"])
            .env(JOB, job)
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().map(BufReader::new);
        Self { child, output }
    }

    /// Waits until it says this.
    pub fn wait_for(&mut self, word: &str) {
        let said = self.output.as_mut().unwrap().lines().any(|line| line.unwrap().contains(word));
        assert!(said, "it ended without saying {word}");
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All it says until its end, which is a good one.
    pub fn finish(mut self) -> String {
        let said = std::io::read_to_string(self.output.take().unwrap()).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The `n`th token: long, of its own length, and known by any of its letters.
pub fn nth(n: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    format!("{n}-{}", letter.to_string().repeat(1 + n * 7919 % 60_000))
}

#[tokio::test]
#[ignore = "does nothing by itself: the other tests start it as a process of its own"]
async fn works_as_told() {
    let Ok(job) = env::var(JOB) else { return };
    let store = FileStore::new(env::var(DIRECTORY).unwrap());
    match job.as_str() {
        "hold" => {
            let _held = lock(&store).await.unwrap();
            say("held");
            std::future::pending::<()>().await;
        }
        "save" => save(&store, "tok-of-the-sibling").await,
        "write" => {
            let mut held = lock(&store).await.unwrap();
            for n in 0.. {
                held.save(&tokens(&nth(n), "ref"), now()).await.unwrap();
            }
        }
        "count" => {
            for _ in 0..TURNS {
                let mut held = loop {
                    match lock(&store).await {
                        Some(held) => break held,
                        None => tokio::time::sleep(Duration::from_millis(1)).await,
                    }
                };
                let kept = held.load(now()).await.unwrap();
                let count = kept.map_or(0, |kept| kept.refresh_token.unwrap().token.expose().parse::<usize>().unwrap());
                held.save(&tokens("tok", &(count + 1).to_string()), now()).await.unwrap();
                held.release().await;
            }
        }
        "log" => {
            let to_stdout = tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::stdout).finish();
            tracing::subscriber::set_global_default(to_stdout).unwrap();
            for store in [&store, &store.clone(), &store] {
                assert_eq!(access(store).await.as_deref(), Some("tok-1"));
            }
        }
        job => panic!("no such job: {job}"),
    }
}

/// The number of increments of a counting worker.
pub const TURNS: usize = 25;

fn say(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
}
