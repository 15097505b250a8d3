//! The server: accepts connections until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::exchange::Exchange;
use crate::route::router;
use crate::show::Show;

/// How long requests under way may take to end after a stop.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until the other end of `stop` is gone. All connections end with this future.
pub(crate) async fn serve(listener: TcpListener, show: Arc<Show>, mut stop: watch::Receiver<()>) {
    let exchange = Exchange::new(show.clone(), router(&show));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, exchange.clone(), stop.clone()));
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

async fn connection(stream: TcpStream, exchange: Exchange, mut stop: watch::Receiver<()>) {
    // Without this a small answer may wait for the client's acknowledgement. It still comes if the call fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| exchange.clone().run(request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection that fails has nobody left to be told about it.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stop.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
