//! A Redis of one's own: started on a free port, stopped, killed and started again at will, gone with its test.

use std::{
    io::Write,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// Runs the server, hands it the signals that come as lines, and kills it when nobody is left to send any.
const NURSE: &str = r#"redis-server "$@" </dev/null >/dev/null 2>&1 & while read -r signal; do kill -"$signal" $!; done; kill -KILL $!; wait"#;

/// With this variable set, a machine without Redis fails the tests in place of skipping them.
const REQUIRED: &str = "PERENSO_REQUIRE_REDIS";

pub struct RedisServer {
    pub port: u16,
    folder: PathBuf,
    settings: Vec<String>,
    nurse: Option<Child>,
}

impl RedisServer {
    /// A server, or `None` where no `redis-server` is installed: then the test is to end.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same with settings as on the command line; `%port%` in them is its port.
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        if !Command::new("redis-server").arg("--version").output().is_ok_and(|output| output.status.success()) {
            assert!(std::env::var_os(REQUIRED).is_none(), "{REQUIRED} is set, and there is no redis-server to run");
            println!("skipped: no redis-server on this machine (Debian has it as a package)");
            return None;
        }
        static NTH: AtomicU32 = AtomicU32::new(0);
        let name = format!("perenso-redis-{}-{}", std::process::id(), NTH.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let settings = settings.iter().map(|&word| word.to_owned()).collect();
        let mut server = Self { port: 0, folder, settings, nurse: None };
        // Somebody else may take the port between the look and the start.
        for _ in 0..5 {
            server.port = free_port();
            if server.launch() {
                return Some(server);
            }
        }
        panic!("redis-server does not start");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it without a word.
    pub fn kill(&mut self) {
        if let Some(mut nurse) = self.nurse.take() {
            drop(nurse.stdin.take());
            nurse.wait().unwrap();
        }
    }

    /// Starts it again on the port that it had.
    pub fn start_again(&mut self) {
        self.kill();
        assert!(self.launch(), "redis-server does not start again");
    }

    /// Sends it a signal: `STOP` and `CONT` make it stand still and go on.
    pub fn signal(&mut self, signal: &str) {
        writeln!(self.nurse.as_mut().unwrap().stdin.as_mut().unwrap(), "{signal}").unwrap();
    }

    /// Starts the process. Returns true once it, and no other program, listens at the port.
    fn launch(&mut self) -> bool {
        self.kill();
        // Somebody else who listens at the port would take a connection as well; the log is the server's own word.
        let log = self.folder.join("log");
        let _ = std::fs::remove_file(&log);
        let port = self.port.to_string();
        let folder = self.folder.to_string_lossy();
        // A file of settings goes first.
        let (file, settings) = match &self.settings[..] {
            [file, settings @ ..] if !file.starts_with("--") => (Some(file.as_str()), settings),
            settings => (None, settings),
        };
        let mut arguments: Vec<&str> = file.into_iter().collect();
        arguments.extend(["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--logfile", "log"]);
        if file.is_none() {
            arguments.extend(["--save", "", "--appendonly", "no"]);
        }
        arguments.extend(settings.iter().map(|word| if word == "%port%" { &port } else { word.as_str() }));
        let mut command = Command::new("sh");
        command.args(["-c", NURSE, "sh"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
        self.nurse = Some(command.spawn().unwrap());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            // The second is what a sentinel says.
            if said.contains("eady to accept connections") || said.contains("Sentinel ID is") {
                return true;
            }
            if said.contains("Failed listening on port") {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn who_else_listens_at_the_port_is_not_taken_for_the_server() {
    let Some(mut server) = RedisServer::start() else { return };
    server.kill();
    let other = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    server.port = other.local_addr().unwrap().port();
    assert!(!server.launch());
}
