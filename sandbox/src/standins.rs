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
/// when it is dropped. The crate's documentation lists the checks and guesses of each.
///
/// Values that a system does not use, as a user name at Priava, are random.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let _ = rustls::crypto::ring::default_provider().install_default();
/// use perenso_sandbox::StandIn;
///
/// let tourpaq = StandIn::tourpaq().start().await?;
/// let tokens: serde_json::Value = reqwest::Client::new()
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
/// assert_eq!(tokens["expires_in"], 1799);
/// assert_eq!(tourpaq.token_requests().password, 1);
/// # Ok(())
/// # }
/// ```
pub struct StandIn {
    vendor_server: Arc<VendorServer>,
    server: Server,
}

impl StandIn {
    /// Returns the settings of a stand-in for Priava.
    pub fn priava() -> StandInBuilder {
        StandInBuilder::new(&priava::VENDOR)
    }

    /// Returns the settings of a stand-in for Perspio, with the part of Microsoft's identity platform that it uses.
    pub fn perspio() -> StandInBuilder {
        StandInBuilder::new(&perspio::VENDOR)
    }

    /// Returns the settings of a stand-in for EventBookings.
    pub fn event_bookings() -> StandInBuilder {
        StandInBuilder::new(&event_bookings::VENDOR)
    }

    /// Returns the settings of a stand-in for Tourpaq.
    pub fn tourpaq() -> StandInBuilder {
        StandInBuilder::new(&tourpaq::VENDOR)
    }

    /// Returns the name of the system, as `priava`.
    #[must_use]
    pub fn system(&self) -> &'static str {
        self.vendor_server.vendor.name
    }

    /// Returns the base URL of the API. The paths of the vendor's pages are relative to it.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}{}", self.server.url, self.vendor_server.vendor.base)
    }

    /// Returns the URL of the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}{}", self.server.url, self.vendor_server.vendor.token_path)
    }

    /// Returns the URL of the authorize endpoint, which only Perspio has.
    #[must_use]
    pub fn authorize_url(&self) -> Option<String> {
        let authorize = self.vendor_server.vendor.authorize.as_ref()?;
        Some(format!("{}{}", self.server.url, authorize.path))
    }

    /// Returns the client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.vendor_server.credentials.client_id
    }

    /// Returns the client secret.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.vendor_server.credentials.client_secret
    }

    /// Returns the registered redirect URI (Priava, Perspio).
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.vendor_server.credentials.redirect_uri
    }

    /// Returns the newest authorization code, used or not (Priava, Perspio).
    #[must_use]
    pub fn code(&self) -> String {
        self.vendor_server.state().codes.newest.clone()
    }

    /// Issues a new authorization code, as for a user who consents. The earlier codes stay valid.
    pub fn new_code(&self) -> String {
        self.vendor_server.new_code()
    }

    /// Returns the user name (Tourpaq).
    #[must_use]
    pub fn username(&self) -> &str {
        &self.vendor_server.credentials.username
    }

    /// Returns the password (Tourpaq).
    #[must_use]
    pub fn password(&self) -> &str {
        &self.vendor_server.credentials.password
    }

    /// Returns the tenant id, for the header `tid` (Perspio).
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.vendor_server.credentials.tenant_id
    }

    /// Returns the subscription key, for the header `Ocp-Apim-Subscription-Key` (Perspio).
    #[must_use]
    pub fn subscription_key(&self) -> &str {
        &self.vendor_server.credentials.subscription_key
    }

    /// Returns the names and values that a client needs besides the URL of the API, including secrets.
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

    /// Returns the clock of the stand-in.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.vendor_server.traffic.clock
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.clock().advance(by);
    }

    /// Returns the current behavior.
    #[must_use]
    pub fn behavior(&self) -> StandInBehavior {
        self.vendor_server.state().behavior.clone()
    }

    /// Changes the behavior from the next request on.
    pub fn set_behavior(&self, change: impl FnOnce(&mut StandInBehavior)) {
        let mut behavior = self.behavior();
        change(&mut behavior);
        self.vendor_server.state().behavior = behavior;
    }

    /// Returns the recorded requests, oldest first. [`StandInBuilder::journal_cap`] limits their number.
    #[must_use]
    pub fn journal(&self) -> Vec<RecordedRequest> {
        self.vendor_server.traffic.log().journal.entries(|_| true)
    }

    /// Returns the requests of the [journal](Self::journal) that [match](RecordedRequest::matches) this method and path.
    #[must_use]
    pub fn requests(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        self.vendor_server.traffic.log().journal.entries(|request| request.matches(method, path))
    }

    /// Clears the journal.
    pub fn clear_journal(&self) {
        self.vendor_server.traffic.log().journal.clear();
    }

    /// Returns the number of token requests since the start.
    #[must_use]
    pub fn token_requests(&self) -> TokenRequests {
        self.vendor_server.traffic.log().token_requests
    }

    /// Issues an access token without a token request, for tests that are not about tokens.
    #[must_use]
    pub fn issue_token(&self) -> String {
        self.vendor_server.issue_token()
    }

    /// Revokes all access tokens.
    pub fn revoke_tokens(&self) {
        self.vendor_server.state().tokens.revoke_access();
    }

    /// Revokes all refresh tokens.
    pub fn revoke_refresh_tokens(&self) {
        self.vendor_server.state().tokens.revoke_refresh();
    }

    /// Revokes all authorization codes.
    pub fn revoke_codes(&self) {
        self.vendor_server.state().codes.revoke();
    }

    /// Adds a fault for an API call: the next one after those of earlier faults.
    pub fn fault(&self, fault: Fault) {
        self.vendor_server.traffic.add_script(Step::new(fault));
    }

    /// Adds a fault for a token request: the next one after those of earlier faults. With [`Fault::DropResponse`] the tokens are issued, and the
    /// response is lost.
    pub fn token_fault(&self, fault: Fault) {
        self.vendor_server.traffic.add_script(Step::new(fault).on(Target::Token));
    }

    /// Appends steps to the fault script.
    pub fn script(&self, script: impl Into<Script>) {
        self.vendor_server.traffic.add_script(script);
    }

    /// Returns the 429 of this system as a fault. That of Priava contains the end of the wait by the stand-in's clock, that of
    /// Perspio the seconds. The others are not documented and contain nothing.
    #[must_use]
    pub fn too_many_requests(&self, wait: Duration) -> Fault {
        (self.vendor_server.vendor.too_many_requests)(wait, self.clock().now())
    }

    /// Stops the stand-in and waits until it has stopped. Running requests have two seconds to finish. Dropping the stand-in
    /// does not wait.
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
