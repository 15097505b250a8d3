//! Perenso Trade Show: client credentials in the body or in a Basic header, and refreshes without a scope.

use std::time::Duration;

use super::{Profile, Rate};
use crate::profile::grant::{ClientAuth, Grant};

impl Profile {
    /// The profile of Perenso Trade Show, as documented in its authentication guide.
    ///
    /// Credentials are sent in the body with `scope=100214` (the default), or in a Basic header without a scope. A refresh
    /// sends them in the body, without a scope. Tokens are valid for about five minutes. The guide documents no rate limit.
    /// The public pages say 300 requests "per m…", which 250 a minute with bursts of 50 never exceed in any minute.
    #[must_use]
    pub fn perenso() -> Self {
        Self::new("perenso")
            .token_url("https://tradeshow.perenso.net/auth/oauth/token")
            .api_url("https://tsapi.perenso.net")
            .grants([Grant::ClientCredentials])
            .client_auth(ClientAuth::Body)
            .refresh_client_auth(ClientAuth::Body)
            .scope(ClientAuth::Body, "100214")
            .no_scope(ClientAuth::BasicPlain)
            .default_lifetime(Duration::from_secs(300))
            .rate(Rate::new(250, Duration::from_secs(60), 50))
            .unauthorized_hint(
                "a token URL and an API address that do not belong together, or credentials without access to this show \
                 or this resource",
            )
    }
}
