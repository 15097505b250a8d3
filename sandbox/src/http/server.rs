//! The server: accepts connections until it is stopped.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::exchange::{Dropped, ShowRouter, run};
use super::middleware::rate_limit::Peer;
use crate::error::Error;

/// The time that running requests have to finish after a stop.
const GRACE_PERIOD: Duration = Duration::from_secs(2);

/// A running server. It stops when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    /// Dropping this stops the server.
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<R: ShowRouter>(address: SocketAddr, remote: bool, router: Arc<R>) -> Result<Self, Error> {
        if !remote && !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let listen_error = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let url = format!("http://{}", listener.local_addr().map_err(listen_error)?);
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(serve(listener, router, stopped));
        Ok(Self { url, stop, task })
    }

    pub(crate) async fn stop(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        // It fails only on a panic, which the runtime has reported.
        let _ = task.await;
    }
}

/// Serves until the sender of `stop` is dropped. All connections end with this future.
async fn serve<R: ShowRouter>(listener: TcpListener, router: Arc<R>, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, Peer(peer.ip()), router.clone(), stop.clone()));
                }
                // The process is most likely out of file descriptors.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Dropping the set closes the remaining connections.
    let _ = timeout(GRACE_PERIOD, all_ended).await;
}

async fn connection<R: ShowRouter>(stream: TcpStream, peer: Peer, router: Arc<R>, mut stop: watch::Receiver<()>) {
    // Without this a small response may wait for an acknowledgement. A failure only makes it slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        run(router.clone(), request)
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stop.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    // There is nobody to report a failed connection to.
    if ended.is_err_and(|error| is_reset(&error)) {
        // Without lingering the system closes the connection with a RST.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    error.source().and_then(|source| source.downcast_ref()) == Some(&Dropped::Reset)
}
