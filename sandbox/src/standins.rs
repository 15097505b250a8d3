//! Stand-ins for the token endpoints of four other systems.

mod authorize;
mod behavior;
mod builder;
mod codes;
mod endpoint;
mod router;
mod server;
mod vendor;
mod vendors;

use std::sync::Arc;
use std::time::Duration;

pub use behavior::{ExampleResponse, StandInBehavior, TokenBody};
pub use builder::StandInBuilder;

use crate::http::server::Server;
use crate::show::clock::Clock;
use crate::show::faults::{Fault, Script, Step, Target};
use crate::show::journal::RecordedRequest;
use crate::show::traffic::TokenRequests;
use server::VendorServer;
use vendors::{event_bookings, perspio, priava, tourpaq};

/// A running stand-in for the token endpoint and one example call of Priava, Perspio, EventBookings or Tourpaq. It stops
/// when it is dropped. What each checks, and what of it is a guess, stands in the crate's documentation.
///
/// Values that a system has no use for, as a user name at Priava, are made up all the same.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// use perenso_sandbox::StandIn;
///
/// let tourpaq = StandIn::tourpaq().start().await?;
/// let answer: serde_json::Value = reqwest::Client::new()
///     .post(tourpaq.token_url())
///     .basic_auth(tourpaq.client_id(), Some(tourpaq.client_secret()))
///     .form(&[
///         ("grant_type", "password"),
///         ("scope", "read"),
///         ("username", tourpaq.username()),
///         ("password", tourpaq.password()),
///     ])
///     .send()
///     .await?
///     .json()
///     .await?;
/// assert_eq!(answer["expires_in"], 1799);
/// assert_eq!(tourpaq.token_requests().password, 1);
/// # Ok(())
/// # }
/// ```
pub struct StandIn {
    vendor_server: Arc<VendorServer>,
    server: Server,
}

impl StandIn {
    /// A stand-in for Priava.
    pub fn priava() -> StandInBuilder {
        StandInBuilder::new(&priava::VENDOR)
    }

    /// A stand-in for Perspio, with the part of Microsoft's identity platform that it uses.
    pub fn perspio() -> StandInBuilder {
        StandInBuilder::new(&perspio::VENDOR)
    }

    /// A stand-in for EventBookings.
    pub fn event_bookings() -> StandInBuilder {
        StandInBuilder::new(&event_bookings::VENDOR)
    }

    /// A stand-in for Tourpaq.
    pub fn tourpaq() -> StandInBuilder {
        StandInBuilder::new(&tourpaq::VENDOR)
    }

    /// The system's name, as `priava`.
    #[must_use]
    pub fn system(&self) -> &'static str {
        self.vendor_server.vendor.name
    }

    /// The base address of the API, to which the paths of the vendor's pages are added.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}{}", self.server.url, self.vendor_server.vendor.base)
    }

    /// The address of the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.server.url, self.vendor_server.vendor.token_path)
    }

    /// The address that a person's browser is sent to; only Perspio has one.
    #[must_use]
    pub fn authorize_url(&self) -> Option<String> {
        let authorize = self.vendor_server.vendor.authorize.as_ref()?;
        Some(format!("{}{}", self.server.url, authorize.path))
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.vendor_server.credentials.client_id
    }

    /// The client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.vendor_server.credentials.client_secret
    }

    /// The registered redirect URI (Priava, Perspio).
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.vendor_server.credentials.redirect_uri
    }

    /// The newest authorization code that a person fetched, used or not (Priava, Perspio).
    #[must_use]
    pub fn code(&self) -> String {
        self.vendor_server.state().codes.newest.clone()
    }

    /// A person fetches a new authorization code. The ones before it are as good as they were.
    pub fn new_code(&self) -> String {
        self.vendor_server.new_code()
    }

    /// The user's name (Tourpaq).
    #[must_use]
    pub fn username(&self) -> &str {
        &self.vendor_server.credentials.username
    }

    /// The user's password (Tourpaq).
    #[must_use]
    pub fn password(&self) -> &str {
        &self.vendor_server.credentials.password
    }

    /// The tenant id, for the header `tid` (Perspio).
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.vendor_server.credentials.tenant_id
    }

    /// The subscription key, for the header `Ocp-Apim-Subscription-Key` (Perspio).
    #[must_use]
    pub fn subscription_key(&self) -> &str {
        &self.vendor_server.credentials.subscription_key
    }

    /// What a client of this system has to be told besides the address of the API: names and values, secrets among them.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let mut values = vec![("token_url", self.token_url())];
        values.extend(self.authorize_url().map(|url| ("authorize_url", url)));
        let all = [
            ("client_id", self.client_id().to_owned()),
            ("client_secret", self.client_secret().to_owned()),
            ("code", self.code()),
            ("redirect_uri", self.redirect_uri().to_owned()),
            ("username", self.username().to_owned()),
            ("password", self.password().to_owned()),
            ("tenant_id", self.tenant_id().to_owned()),
            ("subscription_key", self.subscription_key().to_owned()),
        ];
        values.extend(all.into_iter().filter(|(name, _)| self.vendor_server.vendor.values.contains(name)));
        values
    }

    /// The stand-in's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.vendor_server.traffic.clock
    }

    /// Moves the stand-in's clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// How the stand-in behaves at present.
    #[must_use]
    pub fn behavior(&self) -> StandInBehavior {
        self.vendor_server.state().behavior.clone()
    }

    /// Changes how the stand-in behaves from the next request on.
    pub fn set_behavior(&self, change: impl FnOnce(&mut StandInBehavior)) {
        let mut behavior = self.behavior();
        change(&mut behavior);
        self.vendor_server.state().behavior = behavior;
    }

    /// What was asked and answered, the oldest first, at most as many as [`StandInBuilder::journal_cap`] says.
    #[must_use]
    pub fn journal(&self) -> Vec<RecordedRequest> {
        self.vendor_server.traffic.log().journal.entries(|_| true)
    }

    /// The requests of the [journal](Self::journal) with this method and this path, as [`RecordedRequest::matches`] has it.
    #[must_use]
    pub fn requests(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        self.vendor_server.traffic.log().journal.entries(|request| request.matches(method, path))
    }

    /// Forgets what was asked and answered so far.
    pub fn clear_journal(&self) {
        self.vendor_server.traffic.log().journal.clear();
    }

    /// How many token requests arrived since the start.
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.vendor_server.traffic.log().token_requests
    }

    /// Hands out an access token without a token request, for calls in which tokens are not the point.
    #[must_use]
    pub fn issue_token(&self) -> String {
        self.vendor_server.issue_token()
    }

    /// Makes every access token die at once.
    pub fn revoke_tokens(&self) {
        self.vendor_server.state().tokens.revoke_access();
    }

    /// Makes every refresh token die at once.
    pub fn revoke_refresh_tokens(&self) {
        self.vendor_server.state().tokens.revoke_refresh();
    }

    /// Makes every authorization code die at once.
    pub fn revoke_codes(&self) {
        self.vendor_server.state().codes.revoke();
    }

    /// Orders a fault for the next call of the API that has none yet.
    pub fn fault(&self, fault: Fault) {
        self.vendor_server.traffic.add_script(Step::new(fault));
    }

    /// Orders a fault for the next token request that has none yet; [`Fault::DropResponse`] loses an answer whose tokens
    /// were handed out.
    pub fn token_fault(&self, fault: Fault) {
        self.vendor_server.traffic.add_script(Step::new(fault).on(Target::Token));
    }

    /// Orders what is to go wrong, behind what was ordered before.
    pub fn script(&self, script: impl Into<Script>) {
        self.vendor_server.traffic.add_script(script);
    }

    /// The 429 of this system: a fault to order. At Priava it names the moment after this wait by the stand-in's clock,
    /// at Perspio the seconds; of the others nothing is known, and it says nothing.
    #[must_use]
    pub fn too_many_requests(&self, wait: Duration) -> Fault {
        (self.vendor_server.vendor.too_many_requests)(wait, self.clock().now())
    }

    /// Stops, and waits for it: no new connections, and requests under way have two seconds to end. Dropping the
    /// stand-in does the same without the wait.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl std::fmt::Debug for StandIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StandIn")
            .field("system", &self.system())
            .field("api_url", &self.api_url())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}
