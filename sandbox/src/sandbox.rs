//! The handle of a running sandbox.

use std::ops::Deref;
use std::sync::Arc;

use crate::http::server::Server;
use crate::show::Show;

/// A running stand-in for the API of one show or several. It stops when it is dropped.
///
/// Everything about a show stands in [`Show`], and a sandbox is used as its first show, mostly the only one. Others are
/// added by [`Builder::another_show`](crate::Builder::another_show) and found by [`Sandbox::show`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// use perenso_sandbox::Sandbox;
///
/// let sandbox = Sandbox::builder().customers(3).start().await?;
/// let answer: serde_json::Value = reqwest::Client::new()
///     .get(format!("{}/Customer", sandbox.url()))
///     .bearer_auth(sandbox.issue_token())
///     .send()
///     .await?
///     .json()
///     .await?;
/// assert_eq!(answer.as_array().map(Vec::len), Some(3));
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
    /// The show with this client id, beside the first one, which the sandbox itself stands for.
    #[must_use]
    pub fn show(&self, client_id: &str) -> Option<&Arc<Show>> {
        self.shows.iter().find(|show| show.client_id() == client_id)
    }

    /// All shows, in the order in which the builder was told of them.
    #[must_use]
    pub fn shows(&self) -> &[Arc<Show>] {
        &self.shows
    }

    /// Stops, and waits for it: no new connections, and requests under way have two seconds to end. Dropping the sandbox
    /// does the same without the wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).field("shows", &self.shows).finish_non_exhaustive()
    }
}
