//! One show over the model: state, behavior, journal, faults and clock. Nothing in here knows HTTP.

pub(crate) mod behavior;
pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod headers;
pub(crate) mod journal;
pub(crate) mod lists;
pub(crate) mod rate_limiter;
pub(crate) mod seconds;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod traffic;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::NaiveDateTime;
use serde_json::Value;

use crate::error::Error;
use crate::model::document::{DOCUMENT, Document, Problem};
use crate::model::exports::Export;
use crate::model::records::ordering_groups::flatten_groups;
use crate::model::reference::Reference;
use crate::model::table::Table;
use crate::model::tables::Tables;
use crate::model::timestamp::to_local;
use crate::model::tokens::{random_letters, random_secret};
use crate::model::validation::CUSTOMER_V1;
use behavior::Behavior;
use clock::Clock;
use faults::{Fault, Script, Step, Target};
use journal::RecordedRequest;
use state::{ShowSettings, State};
use traffic::{TokenRequests, Traffic};

/// The path of the token endpoint.
pub(crate) const TOKEN_PATH: &str = "/auth/oauth/token";

/// One show of a [`Sandbox`](crate::Sandbox): its credentials, tokens, records, exports, rate limit, clock, faults and
/// journal.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_sandbox::{Fault, Sandbox};
/// use serde_json::json;
///
/// let sandbox = Sandbox::start().await?; // dereferences to its first show
/// let id = sandbox.add_customer(json!({ "customerID": "5041" }))?;
/// assert!(sandbox.customers().iter().any(|customer| customer["id"] == id.as_str()));
///
/// sandbox.fault(Fault::status(503)); // the next call fails
/// // … run the code under test …
/// sandbox.reset(); // restores the initial state
/// assert!(sandbox.journal().is_empty());
/// # Ok(())
/// # }
/// ```
pub struct Show {
    settings: ShowSettings,
    client_secret: String,
    /// The prefix of the tokens of this show.
    pub(crate) token_prefix: String,
    pub(crate) traffic: Traffic,
    /// Set before the show is handed out.
    pub(crate) url: OnceLock<String>,
    state: Mutex<State>,
}

impl Show {
    pub(crate) fn new(settings: ShowSettings) -> Self {
        let token_prefix = random_letters(8);
        Self {
            client_secret: settings.client_secret.clone().unwrap_or_else(random_secret),
            url: OnceLock::new(),
            traffic: Traffic::new(&settings.client_id, settings.journal_cap),
            state: Mutex::new(State::new(&settings, &token_prefix)),
            settings,
            token_prefix,
        }
    }

    /// Locks the state, even after a request panicked while it held the lock.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current local time of the show, for `modifiedDate`.
    pub(crate) fn local_now(&self, behavior: &Behavior) -> NaiveDateTime {
        to_local(self.clock().now(), behavior.local_offset)
    }

    /// Returns the base URL of the API, as `http://127.0.0.1:49152`. V2 is below `/v2`. All shows of a sandbox share it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// Returns the URL of the token endpoint. All shows of a sandbox share it.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.url(), TOKEN_PATH)
    }

    /// Returns the client id, which identifies the show.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// Returns the client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// Returns the environment variables that connect `perenso` to this show, for `Perenso::from_vars(sandbox.vars())` or
    /// `Command::envs`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// let mut sync = std::process::Command::new("nightly-sync");
    /// sync.envs(sandbox.vars());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn vars(&self) -> [(&'static str, String); 4] {
        [
            ("PERENSO_CLIENT_ID", self.client_id().to_owned()),
            ("PERENSO_CLIENT_SECRET", self.client_secret().to_owned()),
            ("PERENSO_API_URL", self.url().to_owned()),
            ("PERENSO_TOKEN_URL", self.token_url()),
        ]
    }

    /// Returns the clock of the show.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.traffic.clock
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// Returns the current behavior.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        self.state().behavior.clone()
    }

    /// Changes the behavior from the next request on. Of two concurrent changes one may be lost.
    pub fn set_behavior(&self, change: impl FnOnce(&mut Behavior)) {
        let mut behavior = self.behavior();
        change(&mut behavior);
        self.state().behavior = behavior;
    }

    /// Returns the exports in the order of the catalog.
    #[must_use]
    pub fn exports(&self) -> Vec<Export> {
        self.state().exports.clone()
    }

    /// Changes the catalog of exports from the next request on. It starts with the three exports of the vendor's guide. Of
    /// two concurrent changes one may be lost.
    pub fn set_exports(&self, change: impl FnOnce(&mut Vec<Export>)) {
        let mut exports = self.exports();
        change(&mut exports);
        self.state().exports = exports;
    }

    /// Returns all customers in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn customers(&self) -> Vec<Value> {
        self.records(|tables| &tables.customers)
    }

    /// Returns all vendors in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn vendors(&self) -> Vec<Value> {
        self.records(|tables| &tables.vendors)
    }

    /// Returns all products in the order of their creation, one per ordering unit, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn products(&self) -> Vec<Value> {
        self.records(|tables| &tables.products)
    }

    /// Returns all orders in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn orders(&self) -> Vec<Value> {
        self.records(|tables| &tables.orders)
    }

    /// Returns all order history items in the order of their creation, as they were sent.
    #[must_use]
    pub fn order_history(&self) -> Vec<Value> {
        self.state().tables.order_history.to_vec()
    }

    /// Returns true if it was started with another document than the vendored one.
    pub(crate) fn has_own_document(&self) -> bool {
        self.settings.document.is_some()
    }

    /// Returns the document of its API.
    pub(crate) fn document(&self) -> &Document {
        self.settings.document.as_deref().unwrap_or(&DOCUMENT)
    }

    fn records(&self, table: fn(&Tables) -> &Table) -> Vec<Value> {
        let State { tables, behavior, .. } = &*self.state();
        table(tables).all(behavior.modified_date)
    }

    /// Inserts a customer without a request, and returns its id. An `id` in the record is kept, and may contain any
    /// characters. It replaces a customer with the same id.
    ///
    /// # Errors
    /// [`Error::Record`] if the API would reject the record.
    pub fn add_customer(&self, customer: Value) -> Result<String, Error> {
        let Value::Object(mut fields) = customer else {
            return Err(Error::Record("a customer is a JSON object".to_owned()));
        };
        let State { tables, behavior, .. } = &mut *self.state();
        let problems = tables.customer_problems(CUSTOMER_V1, &fields, false, behavior.rules());
        if !problems.is_empty() {
            return Err(Error::Record(Problem::join(&problems)));
        }
        let now = self.local_now(behavior);
        let id = match fields.get("id") {
            Some(Value::String(id)) => id.clone(),
            _ => tables.customers.fresh_id(),
        };
        flatten_groups(&mut fields, || tables.customers.fresh_id());
        tables.customers.insert(&id, fields, now);
        Ok(id)
    }

    /// Adds a key that customers and vendors may refer to from the next request on.
    pub fn add_reference(&self, reference: Reference, key: impl Into<String>) {
        self.state().tables.references.add(reference, key.into());
    }

    /// Returns the keys of the products that are associated with a booth, in the order in which they were added: none at
    /// the start.
    #[must_use]
    pub fn booth_products(&self, booth: &str) -> Vec<String> {
        self.state().tables.booth_products.of(booth).to_vec()
    }

    /// Returns the recorded requests, oldest first. [`Builder::journal_cap`](crate::Builder::journal_cap) limits their
    /// number.
    #[must_use]
    pub fn journal(&self) -> Vec<RecordedRequest> {
        self.traffic.log().journal.entries(|_| true)
    }

    /// Returns the requests of the [journal](Self::journal) with this method and path. In the path `*` matches one segment,
    /// and a final `**` any number of segments.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// let sent = sandbox.requests("POST", "/v2/customers/bulk");
    /// assert!(sent.iter().all(|request| request.status == Some(200)));
    /// let renamed = sandbox.requests("PUT", "/Customer/*");
    /// assert!(renamed.iter().all(|request| request.json()["customerName"].is_string()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn requests(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        self.traffic.log().journal.entries(|request| request.matches(method, path))
    }

    /// Clears the journal.
    pub fn clear_journal(&self) {
        self.traffic.log().journal.clear();
    }

    /// Returns the number of token requests since the start or the last [reset](Show::reset).
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.traffic.log().token_requests
    }

    /// Issues an access token without a token request, for tests that are not about tokens.
    #[must_use]
    pub fn issue_token(&self) -> String {
        let State { tokens, behavior, .. } = &mut *self.state();
        let family = tokens.new_family();
        tokens.issue_access(family, &behavior.token_terms(), self.clock().now())
    }

    /// Revokes all access tokens.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke_access();
    }

    /// Revokes all refresh tokens.
    pub fn revoke_refresh_tokens(&self) {
        self.state().tokens.revoke_refresh();
    }

    /// Adds a fault for the next API call that has none yet. Token requests and `/health` do not count.
    pub fn fault(&self, fault: Fault) {
        self.script(Step::new(fault));
    }

    /// Adds a fault for a later API call, after `calls` calls that succeed.
    pub fn fault_after(&self, calls: usize, fault: Fault) {
        self.script(Step::new(fault).after(calls as u64));
    }

    /// Adds a fault for the next token request that has none yet.
    pub fn token_fault(&self, fault: Fault) {
        self.script(Step::new(fault).on(Target::Token));
    }

    /// Appends steps to the fault script.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perenso_sandbox::{Fault, Sandbox, Step, Target};
    ///
    /// let sandbox = Sandbox::start().await?;
    /// sandbox.script([
    ///     Step::new(Fault::Unauthorized).times(3),
    ///     Step::new(Fault::CutBody).on(Target::call("POST", "/v2/customers/bulk")),
    ///     Step::new(Fault::DropResponse).on(Target::Refresh),
    /// ]);
    /// assert_eq!(sandbox.faults().len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    pub fn script(&self, script: impl Into<Script>) {
        self.traffic.add_script(script);
    }

    /// Returns the pending steps of the fault script.
    #[must_use]
    pub fn faults(&self) -> Script {
        self.traffic.log().script.clone()
    }

    /// Clears the fault script.
    pub fn clear_faults(&self) {
        self.traffic.log().script = Script::default();
    }

    /// Restores the initial state: records, tokens, journal, faults, rate limit, behavior, exports and clock. Address, client
    /// id and secret stay the same.
    pub fn reset(&self) {
        self.traffic.reset();
        *self.state() = State::new(&self.settings, &self.token_prefix);
    }
}

impl std::fmt::Debug for Show {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Show").field("client_id", &self.client_id()).finish_non_exhaustive()
    }
}
