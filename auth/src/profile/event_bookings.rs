//! EventBookings: a token request in JSON, and an answer without `token_type`.

use std::time::Duration;

use super::Profile;
use crate::profile::grant::{BodyEncoding, ClientAuth, Grant};

impl Profile {
    /// EventBookings, as its page on authentication has it.
    ///
    /// The token request is JSON, as documented; servers of its kind commonly take a form, so there is a switch:
    /// [`ClientBuilder::body_encoding`](crate::ClientBuilder::body_encoding). The refresh token of the sample answer is
    /// used the same way; what a refresh looks like is not documented, and client credentials follow where it is refused.
    /// The header is `Authorization`, whatever the page spells. No API address is documented: call
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
