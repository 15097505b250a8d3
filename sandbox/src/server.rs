//! The server: accepts connections until it is told to stop.

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

use crate::budget::Peer;
use crate::error::Error;
use crate::exchange::{House, run};
use crate::fault::Dropped;

/// How long requests under way may take to end after a stop.
const GRACE: Duration = Duration::from_secs(2);

/// A running server. It stops when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    /// The server stops when this is gone.
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start<H: House>(address: SocketAddr, remote: bool, house: Arc<H>) -> Result<Self, Error> {
        if !remote && !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let listen_error = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen_error)?;
        let url = format!("http://{}", listener.local_addr().map_err(listen_error)?);
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(serve(listener, house, stopped));
        Ok(Self { url, stop, task })
    }

    pub(crate) async fn stop(self) {
        let Self { stop, task, .. } = self;
        drop(stop);
        // It can only fail by a panic, which the runtime has reported.
        let _ = task.await;
    }
}

/// Serves until the other end of `stop` is gone. All connections end with this future.
async fn serve<H: House>(listener: TcpListener, house: Arc<H>, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, Peer(peer.ip()), house.clone(), stop.clone()));
                }
                // Most often the process has no file handle left, which only time can mend.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // What has not ended by then is cut off with the set.
    let _ = timeout(GRACE, all_ended).await;
}

async fn connection<H: House>(stream: TcpStream, peer: Peer, house: Arc<H>, mut stop: watch::Receiver<()>) {
    // Without this a small answer may wait for the client's acknowledgement. It still comes if the call fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        run(house.clone(), request)
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        _ = stop.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    // A connection that fails has nobody left to be told about it.
    if ended.is_err_and(|error| is_reset(&error)) {
        // Without a wait for what is unsent the system ends a connection by a RST.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    error.source().and_then(|source| source.downcast_ref()) == Some(&Dropped::Reset)
}
