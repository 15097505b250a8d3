//! Perenso Trade Show: the seed's two ways to authenticate, and a refresh without a scope.

use std::time::Duration;

use super::{Profile, Rate};
use crate::profile::grant::{ClientAuth, Grant};

impl Profile {
    /// Perenso Trade Show, as its authentication guide has it.
    ///
    /// Credentials in the body with `scope=100214` (the default), or as Basic without a scope; a refresh carries them
    /// in the body and no scope. Tokens live about five minutes. The guide gives no rate; the public pages say
    /// 300 requests "per m…", so 250 a minute with bursts of 50 never exceed that in any minute.
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
