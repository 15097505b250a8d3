//! A token endpoint on real sockets that goes wrong as told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::clock::Hasty;

/// The fault of a token request.
#[derive(Clone, Debug)]
pub enum Wire {
    /// Nobody listens.
    Refused,
    /// The connection is made, and reset before anything of the request is read.
    ResetBefore,
    /// The request is read, and the connection reset without a response.
    ResetAfter,
    /// The request is read, these bytes are sent, and the connection is closed.
    Cut(&'static str),
    /// The request is read, these bytes are sent, and nothing more comes.
    Stalled(&'static str),
    /// Status line, header lines, body.
    Answer(&'static str, &'static str, String),
}

/// Stops when dropped.
pub struct Endpoint {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    /// Bound, so that nobody else gets its port, and not listening.
    closed: (TcpSocket, SocketAddr),
    open: SocketAddr,
    clock: Hasty,
    state: Mutex<State>,
    /// True if connections are accepted.
    gate: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// The fault, and the number of requests that it affects.
    fault: Option<(Wire, usize)>,
    requests: usize,
    grants: Vec<String>,
}

impl Shared {
    /// Counts a request, and says what is to become of it.
    fn next(&self) -> Option<Wire> {
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        let (wire, left) = state.fault.as_mut()?;
        *left = left.checked_sub(1)?;
        Some(wire.clone())
    }

    fn is_refusing(&self) -> bool {
        matches!(self.state.lock().unwrap().fault, Some((Wire::Refused, 1..)))
    }
}

impl Endpoint {
    pub async fn start(clock: Hasty) -> Self {
        let closed = TcpSocket::new_v4().unwrap();
        closed.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let closed_address = closed.local_addr().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let open = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            closed: (closed, closed_address),
            open,
            clock,
            state: Mutex::default(),
            gate: watch::Sender::new(true),
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self { shared, task }
    }

    /// Returns a client builder that connects `http://localhost` to this endpoint, with a new connection for each request.
    pub fn http(&self) -> impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || reqwest::Client::builder().pool_max_idle_per_host(0).dns_resolver(Directory(Arc::clone(&shared)))
    }

    /// From now on, this happens to so many token requests.
    pub fn fail(&self, wire: Wire, times: usize) {
        self.shared.state.lock().unwrap().fault = Some((wire, times));
    }

    /// Makes connections wait, or lets them be made.
    pub fn set_open(&self, is_open: bool) {
        self.shared.gate.send_replace(is_open);
    }

    /// The number of requests, including those that were never read.
    pub fn requests(&self) -> usize {
        self.shared.state.lock().unwrap().requests
    }

    /// The grant types and refresh tokens of the requests that were read.
    pub fn grants(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().grants.clone()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Leads a connection to where somebody listens, or to where nobody does.
struct Directory(Arc<Shared>);

impl Resolve for Directory {
    fn resolve(&self, _name: Name) -> Resolving {
        let address = if self.0.is_refusing() {
            self.0.next();
            self.0.closed.1
        } else {
            self.0.open
        };
        let mut gate = self.0.gate.subscribe();
        Box::pin(async move {
            let _ = gate.wait_for(|is_open| *is_open).await;
            Ok(Box::new(std::iter::once(address)) as Addrs)
        })
    }
}

/// One request.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let wire = shared.next();
    if matches!(wire, Some(Wire::ResetBefore)) {
        // Sooner, the client might not have seen its connection yet.
        let _ = stream.readable().await;
        return reset(stream);
    }
    let mut stream = BufReader::new(stream);
    let Some(grant) = read(&mut stream).await else { return };
    let nth = {
        let mut state = shared.state.lock().unwrap();
        state.grants.push(grant);
        state.requests - 1
    };
    let response = match wire {
        Some(Wire::ResetAfter) => return reset(stream.into_inner()),
        Some(Wire::Cut(bytes)) => bytes.to_owned(),
        Some(Wire::Stalled(bytes)) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
            shared.clock.deadline_passes();
            return std::future::pending().await;
        }
        Some(Wire::Answer(status, headers, body)) => whole(status, headers, &body.replace("{n}", &nth.to_string())),
        Some(Wire::Refused | Wire::ResetBefore) => unreachable!("it did not get this far"),
        None => whole("200 OK", "content-type: application/json\r\n", &token(nth)),
    };
    // The client may have seen enough and gone.
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A valid token response.
fn token(n: usize) -> String {
    format!(r#"{{"access_token":"tok-{n}","token_type":"Bearer","expires_in":300,"refresh_token":"ref-{n}"}}"#)
}

fn whole(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
}

/// Reads a request to its end: its grant type, and its refresh token.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let field = |name: &str| form_urlencoded::parse(&body).find(|(key, _)| key == name).map(|(_, value)| value);
    Some([field("grant_type"), field("refresh_token")].into_iter().flatten().collect::<Vec<_>>().join(" "))
}
