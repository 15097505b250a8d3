//! Priava: a code that is copied by hand from its admin screen, and a region on every request.

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
    /// As the header has it.
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

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Apac, Self::Eu, Self::Us]
            .into_iter()
            .find(|region| region.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownRegion)
    }
}

/// A text that names no region of Priava's.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant region is one of `APAC`, `EU` and `US`")]
#[non_exhaustive]
pub struct UnknownRegion;

impl Profile {
    /// Priava, as its page on access and refresh tokens has it.
    ///
    /// Client id, secret, redirect URI and code come out of one admin screen; the redirect URI goes with a refresh as
    /// well. Credentials in the body, no scope, tokens of six hours. A refused refresh needs a new code, so the tokens
    /// belong into a store that outlives the process.
    ///
    /// Reads are POSTs: mark them with [`safe`](crate::RequestBuilder::safe). An answer may be a 200 with
    /// `"success": false`. Besides 450 calls in 300 s the API answers 429, with the time to come back in the body; 400
    /// and bursts of 50 never exceed that. The address of the production system is the default, that of the sandbox is
    /// `https://api-sandbox.priava.com/api/rest`.
    #[must_use]
    pub fn priava(region: TenantRegion) -> Self {
        let region = HeaderValue::from_static(region.as_str());
        Self::new("priava")
            // The page gives the path `/rest/oauth/token`, and the base addresses end in `/rest`.
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
