//! A recorder between client and server: it keeps what was sent and what came back.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// A recorder, which passes every request on to its server.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    server: Arc<Mutex<Server>>,
    last: Arc<Mutex<Option<Exchange>>>,
}

/// The server that responds, and the header that chooses its response.
#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) prefer: Option<HeaderValue>,
}

/// A request with its response.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Parts,
    pub(crate) request_body: Bytes,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Recorder {
    /// Starts to listen. Returns the recorder and its address.
    pub(crate) async fn start() -> Result<(Self, String), std::io::Error> {
        let recorder = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(pass_on).with_state(recorder.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((recorder, url))
    }

    /// Sets the server of the next requests.
    pub(crate) fn set_server(&self, server: Server) {
        *lock(&self.server) = server;
    }

    /// Returns the last exchange, once.
    pub(crate) fn take(&self) -> Option<Exchange> {
        lock(&self.last).take()
    }

    async fn exchange(&self, request: Parts, request_body: Bytes) -> Result<Exchange, Box<dyn Error + Send + Sync>> {
        let Server { url, prefer } = lock(&self.server).clone();
        let stream = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/')).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut sent = Request::from_parts(request.clone(), Body::from(request_body.clone()));
        sent.headers_mut().extend(prefer.map(|value| (HeaderName::from_static("prefer"), value)));
        let (response, body) = sender.send_request(sent).await?.into_parts();
        let body = to_bytes(Body::new(body), usize::MAX).await?;
        Ok(Exchange { request, request_body, status: response.status, headers: response.headers, body })
    }
}

async fn pass_on(State(recorder): State<Recorder>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match recorder.exchange(parts, body).await {
        Ok(exchange) => {
            let mut response = Response::new(Body::from(exchange.body.clone()));
            *response.status_mut() = exchange.status;
            *response.headers_mut() = exchange.headers.clone();
            for name in ["transfer-encoding", "connection", "content-length"] {
                response.headers_mut().remove(name);
            }
            *lock(&recorder.last) = Some(exchange);
            response
        }
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:?}")).into_response(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
