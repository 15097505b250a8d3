//! The sandbox: the handle that a test holds.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::behavior::Behavior;
use crate::builder::Builder;
use crate::clock::Clock;
use crate::customer;
use crate::error::Error;
use crate::export::Export;
use crate::fault::Fault;
use crate::field::Problem;
use crate::journal::Recorded;
use crate::parameters::TokenRequests;
use crate::server::Server;
use crate::show::{Show, State};
use crate::token;

/// A running stand-in for the API of one show. It stops when it is dropped.
///
/// Several shows are several sandboxes: each has its own address, secret, tokens and records.
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
    pub(crate) show: Arc<Show>,
    pub(crate) server: Server,
}

impl Sandbox {
    /// Starts a sandbox with default settings on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error::Listen`] when there is no such port. Must be called inside a tokio runtime.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Settings for a sandbox.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The base address of the API, as `http://127.0.0.1:49152`; V2 is below `/v2`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.url(), token::PATH)
    }

    /// The client id, which is the show's id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.show.start.client_id
    }

    /// The client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.show.start.client_secret
    }

    /// The sandbox's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.show.clock()
    }

    /// Moves the sandbox's clock forward.
    pub fn advance(&self, by: Duration) {
        self.show.clock().advance(by);
    }

    /// How the sandbox behaves at present.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        self.show.state().behavior.clone()
    }

    /// Changes how the sandbox behaves from the next request on.
    pub fn set_behavior(&self, change: impl FnOnce(&mut Behavior)) {
        let mut behavior = self.behavior();
        change(&mut behavior);
        self.show.state().behavior = behavior;
    }

    /// The exports of the catalog at present, in its order.
    #[must_use]
    pub fn exports(&self) -> Vec<Export> {
        self.show.state().exports.clone()
    }

    /// Changes the catalog of exports from the next request on; those of the vendor's guide are the first three.
    pub fn set_exports(&self, change: impl FnOnce(&mut Vec<Export>)) {
        let mut exports = self.exports();
        change(&mut exports);
        self.show.state().exports = exports;
    }

    /// All customers in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn customers(&self) -> Vec<Value> {
        self.show.state().tables.customers.snapshot()
    }

    /// All vendors in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn vendors(&self) -> Vec<Value> {
        self.show.state().tables.vendors.snapshot()
    }

    /// Puts a customer in without a request, and gives its id. An `id` in the record is kept, whatever characters it
    /// holds, and takes the place of a customer who has it.
    ///
    /// # Errors
    /// [`Error::Record`] when the API would refuse the record.
    pub fn add_customer(&self, customer: Value) -> Result<String, Error> {
        let Value::Object(mut fields) = customer else {
            return Err(Error::Record("a customer is a JSON object".to_owned()));
        };
        let State { tables, behavior, .. } = &mut *self.show.state();
        let problems = customer::problems(&fields, tables, behavior);
        if !problems.is_empty() {
            let messages: Vec<String> = problems.iter().map(Problem::to_string).collect();
            return Err(Error::Record(messages.join("; ")));
        }
        let now = self.show.local_now(behavior);
        let id = match fields.get("id") {
            Some(Value::String(id)) => id.clone(),
            _ => tables.customers.fresh_id(),
        };
        customer::settle(&mut fields, &mut tables.customers);
        tables.customers.insert(id.clone(), fields, now);
        Ok(id)
    }

    /// What was asked and answered, the oldest first, at most as many as [`Builder::journal_cap`] says.
    #[must_use]
    pub fn journal(&self) -> Vec<Recorded> {
        self.show.traffic.log().journal.entries()
    }

    /// Forgets what was asked and answered so far.
    pub fn clear_journal(&self) {
        self.show.traffic.log().journal.clear();
    }

    /// How many token requests arrived since the start or the last [reset](Sandbox::reset).
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.show.traffic.log().token_requests
    }

    /// Hands out an access token without a token request, for calls in which tokens are not the point.
    #[must_use]
    pub fn issue_token(&self) -> String {
        let State { ledger, behavior, .. } = &mut *self.show.state();
        let family = ledger.found();
        ledger.issue(family, &behavior.terms(), self.show.clock().now())
    }

    /// Makes every access token die at once.
    pub fn revoke_tokens(&self) {
        self.show.state().ledger.revoke_access();
    }

    /// Makes every refresh token die at once.
    pub fn revoke_refresh_tokens(&self) {
        self.show.state().ledger.revoke_refresh();
    }

    /// Orders a fault for the next call of the API that has none yet. Token requests and `/health` do not count.
    pub fn fault(&self, fault: Fault) {
        self.fault_after(0, fault);
    }

    /// The same for a later call: of the calls that have no fault yet, so many go well before it.
    pub fn fault_after(&self, calls: usize, fault: Fault) {
        let faults = &mut self.show.traffic.log().faults;
        faults.extend(std::iter::repeat_n(None, calls));
        faults.push_back(Some(fault));
    }

    /// Orders a fault for the next token request that has none yet.
    pub fn token_fault(&self, fault: Fault) {
        self.show.traffic.log().token_faults.push_back(fault);
    }

    /// Brings everything back to how it was after the start: records, tokens, journal, faults, budget, behavior,
    /// exports and clock. Address, client id and secret stay.
    pub fn reset(&self) {
        self.show.reset();
    }

    /// Stops, and waits for it: no new connections, and requests under way have two seconds to end. Dropping the sandbox
    /// does the same without the wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox")
            .field("url", &self.url())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}
