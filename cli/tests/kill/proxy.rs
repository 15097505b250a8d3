//! A proxy between the command and the sandbox. It sees which rows were sent and answered, and can hold a request or a response
//! until the command is killed.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use crate::{
    journal::{Journal, RowState},
    rows::Rows,
};

/// The stages of a request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The proxy has all of it, the sandbox nothing.
    Received,
    /// The sandbox has it.
    Passed,
    /// The proxy has the response, the command nothing.
    Response,
    /// The response has gone back.
    Answered,
}

/// A stage of a request that the driver waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// The number of the request in its run, from 0.
    pub(crate) nth: usize,
    pub(crate) stage: Stage,
    /// Keeps the request or the response until the run is over.
    pub(crate) holds: bool,
}

/// A request with rows.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) run: u32,
    pub(crate) rows: Vec<u32>,
    /// It was passed on to the sandbox.
    pub(crate) is_passed: bool,
    /// The status of the response, if all of it came.
    pub(crate) status: Option<u16>,
    /// The response has gone back, or the connection was closed instead.
    pub(crate) is_over: bool,
}

#[derive(Default)]
struct State {
    run: u32,
    sent: Vec<Sent>,
    /// The number of other requests in this run.
    reads: usize,
    gate: Option<Gate>,
    is_reached: bool,
    /// A request that was held goes on to the sandbox after the kill.
    passes_late: bool,
    /// The number of requests with rows that are on their way.
    busy: usize,
    problems: Vec<String>,
    is_stopped: bool,
}

struct Shared {
    target: SocketAddr,
    journal: PathBuf,
    rows: Rows,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A running proxy.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts a proxy to the sandbox with this URL. Each row that is sent must be in the journal as sent.
    pub(crate) fn start(url: &str, journal: &Path, rows: Rows) -> Self {
        let target = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { target, journal: journal.to_owned(), rows, state, changed });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.state().is_stopped {
                    return;
                }
                let (Ok(client), shared) = (client, accepting.clone()) else { continue };
                // An error is a connection that somebody has closed.
                thread::spawn(move || shared.serve(client).ok());
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn rows(&self) -> &Rows {
        &self.shared.rows
    }

    /// Begins a run of the command.
    pub(crate) fn begin(&self, run: u32, gate: Option<Gate>) {
        let mut state = self.shared.state();
        (state.run, state.gate, state.is_reached) = (run, gate, false);
        state.reads = 0;
    }

    pub(crate) fn is_gate_reached(&self) -> bool {
        self.shared.state().is_reached
    }

    /// Returns the number of requests without rows in this run, and its requests with rows.
    pub(crate) fn of_run(&self) -> (usize, Vec<Sent>) {
        let state = self.shared.state();
        (state.reads, state.sent.iter().filter(|sent| sent.run == state.run).cloned().collect())
    }

    /// Ends a run. What was held is dropped, or goes on to the sandbox.
    pub(crate) fn end(&self, passes_late: bool) {
        let mut state = self.shared.state();
        (state.run, state.gate, state.passes_late) = (0, None, passes_late);
        self.shared.changed.notify_all();
    }

    /// Waits until nothing is on its way. Returns all requests with rows, and what was wrong with them.
    pub(crate) fn drain(&self) -> (Vec<Sent>, Vec<String>) {
        let end = Instant::now() + Duration::from_secs(10);
        let mut state = self.shared.state();
        while state.busy > 0 {
            assert!(Instant::now() < end, "a request is on its way for ten seconds");
            state = self.shared.changed.wait_timeout(state, Duration::from_millis(50)).unwrap().0;
        }
        (state.sent.clone(), state.problems.clone())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.state().is_stopped = true;
        // The listener is woken up.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    /// Passes on the requests of a connection.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let bulk = format!("POST {} ", self.rows.resource.path());
        while let Some(request) = Message::read(&mut client, false)? {
            if request.bytes.starts_with(bulk.as_bytes()) {
                let index = self.receive(&request);
                let passed = self.pass_on(index, &request, &mut client);
                let mut state = self.state();
                state.sent[index].is_over = true;
                state.busy -= 1;
                self.changed.notify_all();
                drop(state);
                if !passed? {
                    return Ok(());
                }
                self.reaches(index, Stage::Answered);
            } else {
                self.state().reads += 1;
                let response = Message::read(&mut self.send(&request)?, true)?;
                let Some(response) = response else { return Ok(()) };
                client.write_all(&response.bytes)?;
                if !response.is_whole {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Notes a request with rows, and checks that the journal knows of each.
    fn receive(&self, request: &Message) -> usize {
        let rows = self.rows.of_body(&request.bytes[request.head..]);
        let journal = Journal::read(&self.journal, self.rows.resource.has_keys());
        let mut state = self.state();
        for row in &rows {
            match row {
                None => state.problems.push("a request has a record of nobody".to_owned()),
                Some(row) if journal.state(*row) != RowState::InFlight => {
                    let text = format!("row {row} is sent, and is {:?} in the journal", journal.state(*row));
                    state.problems.push(text);
                }
                Some(_) => {}
            }
        }
        let run = state.run;
        let rows = rows.into_iter().flatten().collect();
        state.sent.push(Sent { run, rows, is_passed: false, status: None, is_over: false });
        state.busy += 1;
        state.sent.len() - 1
    }

    /// Passes a request on, and its response back. Returns false if the connection is to be closed.
    fn pass_on(&self, index: usize, request: &Message, client: &mut TcpStream) -> io::Result<bool> {
        if !self.reaches(index, Stage::Received) {
            return Ok(false);
        }
        self.state().sent[index].is_passed = true;
        let mut server = self.send(request)?;
        self.reaches(index, Stage::Passed);
        let Some(response) = Message::read(&mut server, true)? else { return Ok(false) };
        if response.is_whole {
            self.state().sent[index].status = response.status();
        }
        if !self.reaches(index, Stage::Response) {
            return Ok(false);
        }
        client.write_all(&response.bytes)?;
        Ok(response.is_whole)
    }

    fn send(&self, request: &Message) -> io::Result<TcpStream> {
        let mut server = TcpStream::connect(self.target)?;
        server.set_nodelay(true)?;
        server.write_all(&request.bytes)?;
        Ok(server)
    }

    /// Tells the driver of a stage, and waits there if the gate says so. Returns false if what was held is to be dropped.
    fn reaches(&self, index: usize, stage: Stage) -> bool {
        let mut state = self.state();
        let run = state.sent[index].run;
        let nth = state.sent[..index].iter().filter(|sent| sent.run == run).count();
        let Some(gate) = state.gate.filter(|gate| state.run == run && gate.nth == nth && gate.stage == stage) else {
            return true;
        };
        state.is_reached = true;
        if !gate.holds {
            return true;
        }
        while state.run == run {
            state = self.changed.wait(state).unwrap();
        }
        state.passes_late && stage == Stage::Received
    }
}

/// A request or a response, as it was read.
struct Message {
    bytes: Vec<u8>,
    /// The length of the head.
    head: usize,
    is_whole: bool,
}

impl Message {
    /// Reads a message; `None` if there is none.
    fn read(stream: &mut TcpStream, is_response: bool) -> io::Result<Option<Self>> {
        let mut message = Self { bytes: Vec::new(), head: 0, is_whole: false };
        let mut buffer = vec![0; 64 * 1024];
        let mut length = None;
        loop {
            if message.head == 0
                && let Some(end) = message.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")
            {
                message.head = end + 4;
                let given = message.header("content-length").and_then(|length| length.parse::<usize>().ok());
                length = given.or((!is_response).then_some(0)).map(|length| message.head + length);
            }
            if message.head > 0 {
                message.is_whole = match length {
                    Some(length) => message.bytes.len() >= length,
                    None => message.bytes.ends_with(b"\r\n0\r\n\r\n"),
                };
                if message.is_whole {
                    return Ok(Some(message));
                }
            }
            // A connection that was reset ends as one that was closed.
            let read = stream.read(&mut buffer).unwrap_or_default();
            if read == 0 {
                let is_something = is_response && !message.bytes.is_empty();
                return Ok(is_something.then_some(message));
            }
            message.bytes.extend_from_slice(&buffer[..read]);
        }
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.bytes[..self.head]);
        let mut headers = head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.bytes.get(9..12)?).ok()?.parse().ok()
    }
}
