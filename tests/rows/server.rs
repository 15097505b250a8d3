//! A server on a real socket with two exports, whose response a test writes byte by byte.

use std::{future::Future, time::Duration};

use perenso::{Perenso, RetryPolicy};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Stops when dropped.
pub(crate) struct Server {
    pub(crate) show: Perenso,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server. `respond` writes the responses to runs of `Rows` and `Pages`, on a connection closed afterwards.
    pub(crate) async fn start<F>(respond: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                connections.spawn(serve(stream, respond.clone()));
            }
        });
        let show = Perenso::builder()
            .client_id("show")
            .client_secret("s3cr3t")
            .api_url(url.as_str())
            .token_url(format!("{url}/token"))
            .unlimited()
            .retry(RetryPolicy::default().backoff(Duration::from_millis(2), Duration::from_millis(10)))
            .build()
            .unwrap();
        Self { show, task }
    }

    /// Starts a server that responds to every run with these bytes.
    pub(crate) async fn with(response: Vec<u8>) -> Self {
        let response: &'static [u8] = response.leak();
        Self::start(move |mut stream| async move {
            // The client may close the connection early.
            let _ = stream.write_all(response).await;
        })
        .await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<F: Future<Output = ()>>(stream: TcpStream, respond: impl Fn(TcpStream) -> F) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let length = head
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.split("\r\n").next().unwrap_or_default().parse().unwrap_or(0));
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let json = match head.split_whitespace().nth(1).unwrap_or_default() {
            "/token" => r#"{"access_token":"t","token_type":"bearer","expires_in":300}"#,
            "/Export" => {
                r#"[{"id":"1","name":"Rows","parameters":[]},{"id":"2","name":"Pages","parameters":[
                    {"name":"Cursor","dataType":"Integer"},{"name":"Limit","dataType":"Integer"}]}]"#
            }
            _ => return respond(stream.into_inner()).await,
        };
        stream
            .write_all(&[head_of("application/json", json.len()).as_bytes(), json.as_bytes()].concat())
            .await
            .unwrap();
    }
}

pub(crate) fn head_of(content_type: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n")
}

/// The framing of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunks,
    /// By the end of the connection.
    Close,
}

/// A response with the first `sent` bytes of a body. A complete one has its last chunk.
pub(crate) fn response(framing: Framing, content_type: &str, body: &[u8], sent: usize) -> Vec<u8> {
    let part = &body[..sent];
    let head = |field: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{field}\r\n").into_bytes();
    match framing {
        Framing::Length => [head_of(content_type, body.len()).as_bytes(), part].concat(),
        Framing::Close => [&head("connection: close\r\n"), part].concat(),
        Framing::Chunks => {
            let mut response = head("transfer-encoding: chunked\r\n");
            // Chunks of three bytes split rows.
            for piece in part.chunks(3) {
                response.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                response.extend([piece, b"\r\n"].concat());
            }
            if sent == body.len() {
                response.extend(b"0\r\n\r\n");
            }
            response
        }
    }
}
