//! The handle of a running sandbox.

use std::ops::Deref;
use std::sync::Arc;

use crate::http::server::Server;
use crate::show::Show;

/// A running stand-in for the API of one or several shows. It stops when it is dropped.
///
/// A sandbox dereferences to its first [`Show`], which has the functions for tests. [`Builder::another_show`] adds further
/// shows, and [`Sandbox::show`] returns them.
///
/// [`Builder::another_show`]: crate::Builder::another_show
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// use perenso_sandbox::Sandbox;
///
/// let sandbox = Sandbox::builder().customers(3).start().await?;
/// let customers: serde_json::Value = reqwest::Client::new()
///     .get(format!("{}/Customer", sandbox.url()))
///     .bearer_auth(sandbox.issue_token())
///     .send()
///     .await?
///     .json()
///     .await?;
/// assert_eq!(customers.as_array().map(Vec::len), Some(3));
/// assert_eq!(sandbox.journal()[0].path, "/Customer");
/// sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct Sandbox {
    /// At least one.
    pub(crate) shows: Arc<[Arc<Show>]>,
    pub(crate) server: Server,
}

impl Deref for Sandbox {
    type Target = Show;

    fn deref(&self) -> &Show {
        &self.shows[0]
    }
}

impl Sandbox {
    /// Returns the show with this client id.
    #[must_use]
    pub fn show(&self, client_id: &str) -> Option<&Arc<Show>> {
        self.shows.iter().find(|show| show.client_id() == client_id)
    }

    /// Returns all shows, in the order of the builder.
    #[must_use]
    pub fn shows(&self) -> &[Arc<Show>] {
        &self.shows
    }

    /// Stops the sandbox and waits until it has stopped. Running requests have two seconds to finish. Dropping the sandbox
    /// does not wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).field("shows", &self.shows).finish_non_exhaustive()
    }
}
