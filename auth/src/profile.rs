//! What is particular to one system's way of giving out tokens and taking calls: data, no code.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::grant::ClientAuth;

mod perenso;

/// One vendor's habits. Take a shipped one, or describe a system of your own:
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::{ClientAuth, Profile, Rate};
///
/// let warehouse = Profile::new("warehouse")
///     .token_url("https://id.warehouse.example/token")
///     .api_url("https://api.warehouse.example")
///     .client_auth(ClientAuth::BasicEncoded)
///     .refresh_client_auth(ClientAuth::BasicEncoded)
///     .scope(ClientAuth::BasicEncoded, "stock.read")
///     .default_lifetime(Duration::from_secs(600))
///     .rate(Rate::per_minute(100));
/// assert_eq!(warehouse.name(), "warehouse");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    pub(crate) name: Cow<'static, str>,
    pub(crate) token_url: Option<String>,
    pub(crate) api_url: Option<String>,
    pub(crate) client_auth: ClientAuth,
    pub(crate) refresh_client_auth: ClientAuth,
    pub(crate) scope_in_body: Option<String>,
    pub(crate) scope_with_basic: Option<String>,
    pub(crate) scope_on_refresh: Option<String>,
    pub(crate) token_headers: HeaderMap,
    pub(crate) token_fields: Vec<(String, String)>,
    pub(crate) api_headers: HeaderMap,
    pub(crate) default_lifetime: Duration,
    pub(crate) renewal_lead: Option<Duration>,
    pub(crate) rate: Option<Rate>,
}

impl Profile {
    /// A profile with nothing but a name: credentials in the body, an hour of life where a token does not say.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            token_url: None,
            api_url: None,
            client_auth: ClientAuth::Body,
            refresh_client_auth: ClientAuth::Body,
            scope_in_body: None,
            scope_with_basic: None,
            scope_on_refresh: None,
            token_headers: HeaderMap::new(),
            token_fields: Vec::new(),
            api_headers: HeaderMap::new(),
            default_lifetime: Duration::from_secs(3600),
            renewal_lead: None,
            rate: None,
        }
    }

    /// The name, for spans and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// The base address of the API.
    #[must_use]
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
        self
    }

    /// Where the client's credentials go when a token is first asked for.
    #[must_use]
    pub fn client_auth(mut self, place: ClientAuth) -> Self {
        self.client_auth = place;
        self
    }

    /// Where the client's credentials go when a token is refreshed.
    #[must_use]
    pub fn refresh_client_auth(mut self, place: ClientAuth) -> Self {
        self.refresh_client_auth = place;
        self
    }

    /// The scope that is sent with credentials in this place (either form of Basic counts as one).
    #[must_use]
    pub fn scope(mut self, place: ClientAuth, scope: impl Into<String>) -> Self {
        let scope = Some(scope.into());
        if place.is_basic() {
            self.scope_with_basic = scope
        } else {
            self.scope_in_body = scope
        }
        self
    }

    /// The scope that is sent with a refresh.
    #[must_use]
    pub fn refresh_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope_on_refresh = Some(scope.into());
        self
    }

    /// A header of every token request.
    #[must_use]
    pub fn token_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.token_headers.insert(name, value);
        self
    }

    /// A field of every token request's body.
    #[must_use]
    pub fn token_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.token_fields.push((name.into(), value.into()));
        self
    }

    /// A header of every API call.
    #[must_use]
    pub fn api_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.api_headers.insert(name, value);
        self
    }

    /// How long a token lives whose answer does not say.
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.default_lifetime = lifetime;
        self
    }

    /// How long before its end a token is renewed; without it, a fifth of its life, at most ten minutes. Never more
    /// than half of its life.
    #[must_use]
    pub fn renewal_lead(mut self, lead: Duration) -> Self {
        self.renewal_lead = Some(lead);
        self
    }

    /// How many calls the API takes.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }
}

/// How many calls may leave in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub(crate) calls: NonZeroU32,
    pub(crate) period: Duration,
    pub(crate) burst: NonZeroU32,
}

impl Rate {
    /// `calls` in each `period`, of which `burst` may leave at once. A zero counts as one, a period below a
    /// millisecond as a millisecond.
    #[must_use]
    pub fn new(calls: u32, period: Duration, burst: u32) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { calls: at_least_one(calls), period: period.max(Duration::from_millis(1)), burst: at_least_one(burst) }
    }

    /// `calls` in each minute, a fifth of them at once.
    #[must_use]
    pub fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(60), calls / 5)
    }
}
