//! Tourpaq: the password grant, Basic client authentication, and a new pair of tokens with each refresh.

use std::time::Duration;

use http::{
    HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::Profile;
use crate::profile::grant::{ClientAuth, Grant};

impl Profile {
    /// The profile of Tourpaq, as documented on its page on REST authentication.
    ///
    /// The password grant sends the client's id and secret in a plain Basic header (servers that follow RFC 6749 strictly
    /// need [`ClientAuth::BasicEncoded`]) and `scope=read`, which has no effect yet. Tokens are valid for 1799 s. A refresh
    /// sends the same header and scope, and its response has a new pair of tokens. No rate limit is documented.
    #[must_use]
    pub fn tourpaq() -> Self {
        Self::new("tourpaq")
            .token_url("https://api.tourpaq.com/api/token")
            .api_url("https://api.tourpaq.com")
            .grants([Grant::Password, Grant::RefreshToken])
            .client_auth(ClientAuth::BasicPlain)
            .refresh_client_auth(ClientAuth::BasicPlain)
            .scope(Grant::Password, "read")
            .scope(Grant::RefreshToken, "read")
            .token_header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8"))
            .api_header(ACCEPT, HeaderValue::from_static("application/json, text/javascript, */*; q=0.01"))
            .default_lifetime(Duration::from_secs(1799))
    }
}
