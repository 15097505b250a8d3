//! Priava: an authorization code copied by hand from its admin screen, and a region in every request.

use std::{fmt, str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};

use super::{Occasion, Profile, Rate};
use crate::profile::grant::{ClientAuth, Grant};

const TENANT_REGION: HeaderName = HeaderName::from_static("tenantregion");

/// The region of a Priava tenant: the header `TenantRegion`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantRegion {
    /// Asia and the Pacific.
    Apac,
    /// Europe.
    Eu,
    /// The United States.
    Us,
}

impl TenantRegion {
    /// Returns the value of the header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apac => "APAC",
            Self::Eu => "EU",
            Self::Us => "US",
        }
    }
}

impl fmt::Display for TenantRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TenantRegion {
    type Err = UnknownRegion;

    fn from_str(string: &str) -> Result<Self, Self::Err> {
        [Self::Apac, Self::Eu, Self::Us]
            .into_iter()
            .find(|region| region.as_str().eq_ignore_ascii_case(string))
            .ok_or(UnknownRegion)
    }
}

/// The error of a string that is not a region of Priava.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `APAC`, `EU` or `US` as the tenant region")]
#[non_exhaustive]
pub struct UnknownRegion;

impl Profile {
    /// The profile of Priava, as documented on its page on access and refresh tokens.
    ///
    /// One admin screen shows the client id, the secret, the redirect URI and the code. The redirect URI is also sent with
    /// each refresh. Credentials are sent in the body, without a scope. Tokens are valid for six hours. A refused refresh
    /// needs a new code, so the tokens need a store that outlives the process.
    ///
    /// Reads are POSTs: mark them with [`safe`](crate::RequestBuilder::safe). A response may be a 200 with
    /// `"success": false`. Beyond 450 calls in 300 s the API responds 429, with the time to retry at in the body; 400 calls
    /// and bursts of 50 never exceed that. The default address is that of the production system. That of the sandbox is
    /// `https://api-sandbox.priava.com/api/rest`.
    #[must_use]
    pub fn priava(region: TenantRegion) -> Self {
        let region = HeaderValue::from_static(region.as_str());
        Self::new("priava")
            // The page documents the path `/rest/oauth/token`, and base addresses that end in `/rest`.
            .token_url("https://api.priava.com/api/rest/oauth/token")
            .api_url("https://api.priava.com/api/rest")
            .grants([Grant::AuthorizationCode, Grant::RefreshToken])
            .client_auth(ClientAuth::Body)
            .refresh_client_auth(ClientAuth::Body)
            .no_scope(Grant::AuthorizationCode)
            .no_scope(Grant::RefreshToken)
            .no_scope(Occasion::Authorize)
            .redirect_uri_on_refresh()
            .token_header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded;charset=utf-8"))
            .token_header(TENANT_REGION, region.clone())
            .api_header(TENANT_REGION, region)
            .default_lifetime(Duration::from_secs(21_600))
            .rate(Rate::new(400, Duration::from_secs(300), 50))
            .retry_after_field("retry-after", Duration::from_secs(300))
            .unauthorized_hint(
                "a tenant region that is not the tenant's, or an API user without the right to this resource",
            )
    }
}
