//! Perspio (PerspioTalk): tokens of Microsoft's identity platform, and a tenant id and a subscription key on every call.

use std::time::Duration;

use http::{HeaderValue, header::ACCEPT};

use super::{Occasion, Profile, Rate};
use crate::{
    profile::grant::{ClientAuth, Grant},
    secret::Secret,
};

const AUTHORITY: &str = "https://login.microsoftonline.com/7d548d61-6361-4a6e-85e6-509e2c05d05e/oauth2/v2.0";

impl Profile {
    /// The profile of PerspioTalk, as documented on its pages on authentication. `tid` is Perspio's tenant id (`in-…`),
    /// not Microsoft's.
    ///
    /// Client credentials allow reads only and return no refresh token. An authorization code allows reads and writes, and
    /// returns a refresh token. Tokens are renewed after 50 of their 60 minutes. The API allows 20 calls in any 90 s, which
    /// 15 calls and bursts of 5 never exceed. Paths contain their version, and some need their final slash:
    /// `GET /assets/v3/`.
    #[must_use]
    pub fn perspio(tid: impl Into<Secret>, subscription_key: impl Into<Secret>) -> Self {
        let (tid, subscription_key) = (tid.into(), subscription_key.into());
        Self::new("perspio")
            .token_url(format!("{AUTHORITY}/token"))
            .authorize_url(format!("{AUTHORITY}/authorize"))
            .api_url("https://talk.perspio.io")
            .grants([Grant::ClientCredentials, Grant::AuthorizationCode, Grant::RefreshToken])
            .client_auth(ClientAuth::Body)
            .refresh_client_auth(ClientAuth::Body)
            .scope(Grant::ClientCredentials, "api://perspiotalk/.default")
            .scope(Grant::RefreshToken, "api://perspiotalk/all_readwrite offline_access")
            .scope(Occasion::Authorize, "api://perspiotalk/access_as_user")
            .authorize_field("response_mode", "query")
            .tenant(tid.clone())
            .secret_api_header("tid", &tid, "Profile::perspio")
            .secret_api_header("ocp-apim-subscription-key", &subscription_key, "Profile::perspio")
            .api_header(ACCEPT, HeaderValue::from_static("application/json"))
            .default_lifetime(Duration::from_secs(3600))
            .renewal_lead(Duration::from_secs(600))
            .rate(Rate::new(15, Duration::from_secs(90), 5))
            .unauthorized_hint("a wrong subscription key (`Ocp-Apim-Subscription-Key`) or a wrong tenant id (`tid`)")
    }
}
