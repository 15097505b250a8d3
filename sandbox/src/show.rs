//! One show over the model: state, behavior, journal, faults and clock. Nothing in here knows HTTP.

pub(crate) mod behavior;
pub(crate) mod budget;
pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod headers;
pub(crate) mod journal;
pub(crate) mod lists;
pub(crate) mod seconds;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod traffic;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::NaiveDateTime;
use serde_json::Value;

use crate::error::Error;
use crate::model::document::Problem;
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

/// One show of a [`Sandbox`](crate::Sandbox): its credentials, tokens, records, exports, budget and clock, what is to go
/// wrong with its calls, and what became of them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perenso_sandbox::{Fault, Sandbox};
/// use serde_json::json;
///
/// let sandbox = Sandbox::start().await?; // stands for its first show
/// let id = sandbox.add_customer(json!({ "customerID": "5041" }))?;
/// assert!(sandbox.customers().iter().any(|customer| customer["id"] == id.as_str()));
///
/// sandbox.fault(Fault::status(503)); // the next call fails
/// // … what is tested goes here …
/// sandbox.reset(); // as it was at the start
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

    /// The base address of the API, as `http://127.0.0.1:49152`; V2 is below `/v2`. All shows of a sandbox have the same.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// The address of the token endpoint, which all shows of a sandbox share too.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.url(), TOKEN_PATH)
    }

    /// The client id, which is the show's id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.settings.client_id
    }

    /// The client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The names and values of the variables that connect `perenso` to this show, as in `Perenso::from_vars(sandbox.vars())`,
    /// or `Command::envs` for a process.
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

    /// The sandbox's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.traffic.clock
    }

    /// Moves the sandbox's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// How the sandbox behaves at present.
    #[must_use]
    pub fn behavior(&self) -> Behavior {
        self.state().behavior.clone()
    }

    /// Changes how the sandbox behaves from the next request on. (Of two changes at the same time one may be lost.)
    pub fn set_behavior(&self, change: impl FnOnce(&mut Behavior)) {
        let mut behavior = self.behavior();
        change(&mut behavior);
        self.state().behavior = behavior;
    }

    /// The exports of the catalog at present, in its order.
    #[must_use]
    pub fn exports(&self) -> Vec<Export> {
        self.state().exports.clone()
    }

    /// Changes the catalog of exports from the next request on (of two changes at the same time one may be lost); those of the vendor's guide are the first three.
    pub fn set_exports(&self, change: impl FnOnce(&mut Vec<Export>)) {
        let mut exports = self.exports();
        change(&mut exports);
        self.state().exports = exports;
    }

    /// All customers in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn customers(&self) -> Vec<Value> {
        self.records(|tables| &tables.customers)
    }

    /// All vendors in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn vendors(&self) -> Vec<Value> {
        self.records(|tables| &tables.vendors)
    }

    /// All products in the order of their creation, one per ordering unit, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn products(&self) -> Vec<Value> {
        self.records(|tables| &tables.products)
    }

    /// All orders in the order of their creation, each with `id` and `modifiedDate`.
    #[must_use]
    pub fn orders(&self) -> Vec<Value> {
        self.records(|tables| &tables.orders)
    }

    fn records(&self, table: fn(&Tables) -> &Table) -> Vec<Value> {
        let State { tables, behavior, .. } = &*self.state();
        table(tables).all(behavior.modified_date)
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

    /// What was asked and answered, the oldest first, at most as many as [`crate::Builder::journal_cap`] says.
    #[must_use]
    pub fn journal(&self) -> Vec<RecordedRequest> {
        self.traffic.log().journal.entries(|_| true)
    }

    /// The requests of the [journal](Self::journal) with this method and this path, in which `*` stands for one segment
    /// and `**` at the end for any number of them.
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

    /// Forgets what was asked and answered so far.
    pub fn clear_journal(&self) {
        self.traffic.log().journal.clear();
    }

    /// How many token requests arrived since the start or the last [reset](Show::reset).
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.traffic.log().token_requests
    }

    /// Hands out an access token without a token request, for calls in which tokens are not the point.
    #[must_use]
    pub fn issue_token(&self) -> String {
        let State { tokens, behavior, .. } = &mut *self.state();
        let family = tokens.new_family();
        tokens.issue_access(family, &behavior.token_terms(), self.clock().now())
    }

    /// Makes every access token die at once.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke_access();
    }

    /// Makes every refresh token die at once.
    pub fn revoke_refresh_tokens(&self) {
        self.state().tokens.revoke_refresh();
    }

    /// Orders a fault for the next call of the API that has none yet. Token requests and `/health` do not count.
    pub fn fault(&self, fault: Fault) {
        self.script(Step::new(fault));
    }

    /// The same for a later call: of the calls that have no fault yet, so many go well before it.
    pub fn fault_after(&self, calls: usize, fault: Fault) {
        self.script(Step::new(fault).after(calls as u64));
    }

    /// Orders a fault for the next token request that has none yet.
    pub fn token_fault(&self, fault: Fault) {
        self.script(Step::new(fault).on(Target::Token));
    }

    /// Orders what is to go wrong, behind what was ordered before.
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

    /// What is still to go wrong.
    #[must_use]
    pub fn faults(&self) -> Script {
        self.traffic.log().script.clone()
    }

    /// Takes back what is still to go wrong.
    pub fn clear_faults(&self) {
        self.traffic.log().script = Script::default();
    }

    /// Brings everything back to how it was after the start: records, tokens, journal, faults, budget, behavior,
    /// exports and clock. Address, client id and secret stay.
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
