//! Tourpaq: a user's password, Basic client authentication, and a new pair of tokens at every refresh.

use std::time::Duration;

use http::{
    HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::Profile;
use crate::profile::grant::{ClientAuth, Grant};

impl Profile {
    /// Tourpaq, as its page on REST authentication has it.
    ///
    /// The password grant with the client's id and secret as plain Basic (servers that follow RFC 6749 to the letter want
    /// [`ClientAuth::BasicEncoded`]) and `scope=read`, which is sent although it means nothing yet; tokens of 1799 s. A
    /// refresh carries Basic and the scope, and its answer a new pair. No rate is documented.
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
