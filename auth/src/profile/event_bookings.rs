//! EventBookings: token requests in JSON, and token responses without `token_type`.

use std::time::Duration;

use super::Profile;
use crate::profile::grant::{BodyEncoding, ClientAuth, Grant};

impl Profile {
    /// The profile of EventBookings, as documented on its page on authentication.
    ///
    /// The token request is JSON, as documented. Servers of this kind usually take a form: to send one, call
    /// [`ClientBuilder::body_encoding`](crate::ClientBuilder::body_encoding). The sample response has a refresh token, but
    /// no refresh request is documented; it is sent in the same way, and if it is refused, client credentials are used.
    /// The header is `Authorization`, whatever its spelling on the page. No API address is documented: call
    /// [`ClientBuilder::api_url`](crate::ClientBuilder::api_url).
    #[must_use]
    pub fn event_bookings() -> Self {
        Self::new("event-bookings")
            .token_url("https://identity.eventbookings.com/connect/token")
            .grants([Grant::ClientCredentials])
            .client_auth(ClientAuth::Body)
            .refresh_client_auth(ClientAuth::Body)
            .body_encoding(BodyEncoding::Json)
            .no_scope(Grant::ClientCredentials)
            .no_scope(Grant::RefreshToken)
            .default_lifetime(Duration::from_secs(3600))
    }
}
