//! The context of a command: global options, output, interruption, connection.

use std::{cell::Cell, rc::Rc};

use tokio::sync::watch;

use crate::{
    arguments::Globals,
    commands::Command,
    connection::{self, Connection, Tokens},
    output::{Code, Failure, Output},
};

/// Global options, output, interruption, and the connection to a show.
pub(crate) struct Context {
    pub(crate) globals: Globals,
    pub(crate) output: Output,
    interrupted: watch::Sender<bool>,
    stops_itself: Rc<Cell<bool>>,
}

impl Context {
    pub(crate) fn new(globals: Globals, output: Output) -> Self {
        Self { globals, output, interrupted: watch::Sender::new(false), stops_itself: Rc::default() }
    }

    /// Runs a command until it ends or is interrupted.
    pub(crate) async fn run(&self, command: Command) -> Result<Code, Failure> {
        self.output.start_log();
        let mut signals = Signals::new()?;
        let mut running = std::pin::pin!(command.run(self));
        tokio::select! {
            result = &mut running => return result,
            () = signals.next() => {}
        }
        if self.stops_itself.get() {
            self.interrupted.send_replace(true);
            tokio::select! {
                result = &mut running => return result,
                () = signals.next() => {}
            }
        }
        Err(Failure::interrupted())
    }

    /// Connects to the show to use.
    pub(crate) async fn connect(&self) -> Result<Connection, Failure> {
        connection::connect(&self.globals, self.output, Tokens::Shared).await
    }

    /// Connects with tokens that nobody else uses.
    pub(crate) async fn connect_without_store(&self) -> Result<Connection, Failure> {
        connection::connect(&self.globals, self.output, Tokens::Own).await
    }

    /// Returns a future that ends at the first Ctrl-C (or SIGTERM). From this call on the command ends by itself, and only a
    /// second one ends it at once.
    pub(crate) fn interruption(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stops_itself.set(true);
        let mut interrupted = self.interrupted.subscribe();
        async move {
            // The sender lives as long as the command.
            let _ = interrupted.wait_for(|interrupted| *interrupted).await;
        }
    }
}

/// Ctrl-C and, on Unix, SIGTERM.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let listen =
            |kind| signal(kind).map_err(|error| Failure::failed(format!("no signal can be received: {error}")));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, Failure> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
