//! A server on a real socket whose responses a test defines: complete, truncated, late or missing.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A received request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// The number of earlier requests to the same path.
    pub nth: usize,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// The server's response to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Sends these bytes, then closes the connection.
    Cut(Vec<u8>),
    /// Sends these bytes, then nothing until the test ends.
    Stalled(Vec<u8>),
    /// Sends no response until the test ends.
    Never,
    /// Sends this status, and a body of this many bytes in pieces.
    Huge(u16, usize),
}

impl Reply {
    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Whole(status, vec![("content-type", "application/json".to_owned())], body.into().into_bytes())
    }

    pub fn status(status: u16) -> Self {
        Self::Whole(status, Vec::new(), Vec::new())
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Whole(_, headers, _) = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// Returns true for a token request. A proxy receives its path as an absolute URL.
fn is_token(seen: &Seen) -> bool {
    seen.path.ends_with("/token")
}

/// Returns the response of a token endpoint: `tok-0`, `tok-1`, …
fn token(n: usize) -> Reply {
    Reply::json(200, format!(r#"{{"access_token":"tok-{n}","token_type":"Bearer","expires_in":300}}"#))
}

/// Stops when dropped.
pub struct Server {
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    written: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    /// Issues tokens at `/token`. The handler responds to all other requests.
    pub async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let handler = move |seen: &Seen| match is_token(seen) {
            true => token(seen.nth),
            false => handler(seen),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::new(AtomicUsize::new(0));
        let (log, count, handler) = (Arc::clone(&seen), Arc::clone(&written), Arc::new(handler));
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&log), Arc::clone(&count), Arc::clone(&handler)));
            }
        });
        Self { url, seen, written, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the number of bytes sent of huge bodies.
    pub fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    /// Returns all requests except token requests.
    pub fn calls(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !is_token(seen)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    log: Arc<Mutex<Vec<Seen>>>,
    written: Arc<AtomicUsize>,
    handler: Arc<impl Fn(&Seen) -> Reply>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = read(&mut stream).await {
        let reply = {
            let mut log = log.lock().unwrap();
            seen.nth = log.iter().filter(|other| other.path == seen.path).count();
            log.push(seen.clone());
            handler(&seen)
        };
        match reply {
            Reply::Whole(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                head.push_str("\r\n");
                let mut bytes = head.into_bytes();
                bytes.extend_from_slice(&body);
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::Cut(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::Stalled(bytes) => {
                let _ = stream.write_all(&bytes).await;
                std::future::pending().await
            }
            Reply::Never => std::future::pending().await,
            Reply::Huge(status, length) => {
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n");
                let piece = [b'x'; 64 * 1024];
                let mut left = length;
                let mut ok = stream.write_all(head.as_bytes()).await.is_ok();
                while ok && left > 0 {
                    let size = left.min(piece.len());
                    ok = stream.write_all(&piece[..size]).await.is_ok();
                    left -= size;
                    written.fetch_add(size, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse::<usize>().ok()) {
        body.resize(length, 0);
        stream.read_exact(&mut body).await.ok()?;
    } else if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).await.ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).await.ok()?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Some(Seen { method, path, headers, body: String::from_utf8(body).ok()?, nth: 0 })
}
