//! Runs the command in a home of its own.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use perenso_sandbox::Sandbox;

/// The command, without anything that the machine has configured.
pub(crate) fn perenso(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perenso"));
    for name in ["CLIENT_ID", "CLIENT_SECRET", "CLIENT_SECRET_FILE", "API_URL", "TOKEN_URL", "CLIENT_AUTH", "SHOW"] {
        command.env_remove(format!("PERENSO_{name}"));
    }
    command.env("PERENSO_CONFIG_DIR", home).env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

/// The output and the exit code of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the command with these arguments in a new home.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    let home = tempfile::tempdir().unwrap();
    perenso(home.path()).args(arguments).output().unwrap().into()
}

/// Starts a sandbox that serves as long as the runtime is kept.
pub(crate) fn sandbox(builder: perenso_sandbox::Builder) -> (tokio::runtime::Runtime, Arc<Sandbox>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(builder.start()).unwrap();
    (runtime, Arc::new(sandbox))
}

/// Sends SIGINT, as Ctrl-C does.
#[cfg(unix)]
pub(crate) fn interrupt(process: u32) {
    let ran = std::process::Command::new("kill").args(["-INT", &process.to_string()]).status().unwrap();
    assert!(ran.success());
}
