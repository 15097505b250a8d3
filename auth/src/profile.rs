//! Profiles of systems: their token endpoints and API conventions, as data.

use std::{borrow::Cow, num::NonZeroU32, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::{
    pasted_value,
    profile::grant::{BodyEncoding, ClientAuth, Grant},
    secret::Secret,
};

mod event_bookings;
pub(crate) mod grant;
mod perenso;
mod perspio;
mod priava;
mod tourpaq;

pub use priava::{TenantRegion, UnknownRegion};

/// The longest time to refill a rate budget. Limiters count nanoseconds in 64 bits, and microseconds in 53.
const LONGEST_REFILL: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The conventions of one system. Use one of those provided, or describe another system:
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::{ClientAuth, Grant, Profile, Rate};
///
/// let warehouse = Profile::new("warehouse")
///     .token_url("https://id.warehouse.example/token")
///     .api_url("https://api.warehouse.example")
///     .client_auth(ClientAuth::BasicEncoded)
///     .refresh_client_auth(ClientAuth::BasicEncoded)
///     .scope(Grant::ClientCredentials, "stock.read")
///     .default_lifetime(Duration::from_secs(600))
///     .rate(Rate::per_minute(100));
/// assert_eq!(warehouse.name(), "warehouse");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    pub(crate) name: Cow<'static, str>,
    pub(crate) token_url: Option<String>,
    pub(crate) authorize_url: Option<String>,
    pub(crate) api_url: Option<String>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) client_auth: ClientAuth,
    pub(crate) refresh_client_auth: ClientAuth,
    pub(crate) body_encoding: BodyEncoding,
    pub(crate) scopes: Vec<(Occasion, Option<String>)>,
    pub(crate) redirect_uri_on_refresh: bool,
    pub(crate) token_headers: HeaderMap,
    pub(crate) token_fields: Vec<(String, Secret)>,
    pub(crate) authorize_fields: Vec<(String, String)>,
    pub(crate) authorization_header: HeaderName,
    pub(crate) api_headers: HeaderMap,
    pub(crate) tenant: Vec<Secret>,
    pub(crate) default_lifetime: Duration,
    pub(crate) renewal_lead: Option<Duration>,
    pub(crate) rate: Option<Rate>,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) unauthorized_hint: Cow<'static, str>,
    /// The problems of values given to a constructor.
    pub(crate) problems: Vec<String>,
}

/// The occasion on which a scope is sent, for [`Profile::scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occasion {
    /// With this grant and any client authentication. [`Grant::RefreshToken`] includes the refresh of tokens that another grant
    /// obtained.
    Grant(Grant),
    /// With this client authentication, whatever the original grant. Both forms of Basic count as one.
    ClientAuth(ClientAuth),
    /// In the authorization URL.
    Authorize,
}

impl From<Grant> for Occasion {
    fn from(grant: Grant) -> Self {
        Self::Grant(grant)
    }
}

impl From<ClientAuth> for Occasion {
    fn from(place: ClientAuth) -> Self {
        Self::ClientAuth(if place.is_basic() { ClientAuth::BasicPlain } else { place })
    }
}

/// The field of a 429 response that says when to retry.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    pub(crate) field: String,
    pub(crate) window: Duration,
}

impl Profile {
    /// Creates a profile with defaults: any grant, credentials in a form body, no scope, and a lifetime of one hour for tokens
    /// without `expires_in`.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            token_url: None,
            authorize_url: None,
            api_url: None,
            grants: Vec::new(),
            client_auth: ClientAuth::Body,
            refresh_client_auth: ClientAuth::Body,
            body_encoding: BodyEncoding::Form,
            scopes: Vec::new(),
            redirect_uri_on_refresh: false,
            token_headers: HeaderMap::new(),
            token_fields: Vec::new(),
            authorize_fields: Vec::new(),
            authorization_header: AUTHORIZATION,
            api_headers: HeaderMap::new(),
            tenant: Vec::new(),
            default_lifetime: Duration::from_secs(3600),
            renewal_lead: None,
            rate: None,
            throttle: None,
            unauthorized_hint: Cow::Borrowed(
                "a token URL and an API address that do not belong together, or credentials without access to this \
                 resource",
            ),
            problems: Vec::new(),
        }
    }

    /// The name in spans and errors.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the token URL.
    #[must_use]
    pub fn token_url(mut self, url: impl Into<String>) -> Self {
        self.token_url = Some(url.into());
        self
    }

    /// Sets the base address of the API.
    #[must_use]
    pub fn api_url(mut self, url: impl Into<String>) -> Self {
        self.api_url = Some(url.into());
        self
    }

    /// Sets the client authentication of the original grant.
    #[must_use]
    pub fn client_auth(mut self, place: ClientAuth) -> Self {
        self.client_auth = place;
        self
    }

    /// Sets the client authentication of refresh requests.
    #[must_use]
    pub fn refresh_client_auth(mut self, place: ClientAuth) -> Self {
        self.refresh_client_auth = place;
        self
    }

    /// Sets the body encoding of token requests. Defaults to a form.
    #[must_use]
    pub fn body_encoding(mut self, encoding: BodyEncoding) -> Self {
        self.body_encoding = encoding;
        self
    }

    /// Sets the grants that the system supports. Defaults to any.
    #[must_use]
    pub fn grants(mut self, grants: impl IntoIterator<Item = Grant>) -> Self {
        self.grants = grants.into_iter().collect();
        self
    }

    /// Sets the authorization URL, for [`AuthorizationRequest`](crate::AuthorizationRequest).
    #[must_use]
    pub fn authorize_url(mut self, url: impl Into<String>) -> Self {
        self.authorize_url = Some(url.into());
        self
    }

    /// Adds a parameter to the authorization URL.
    #[must_use]
    pub fn authorize_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.authorize_fields.push((name.into(), value.into()));
        self
    }

    /// Sets the scope for an occasion: with a [`Grant`] or with a [`ClientAuth`]. If both are set, that of the grant applies.
    #[must_use]
    pub fn scope(self, occasion: impl Into<Occasion>, scope: impl Into<String>) -> Self {
        self.set_scope(occasion.into(), Some(scope.into()))
    }

    /// Forbids a scope on this occasion. Building a client that sets one fails.
    #[must_use]
    pub fn no_scope(self, occasion: impl Into<Occasion>) -> Self {
        self.set_scope(occasion.into(), None)
    }

    fn set_scope(mut self, occasion: Occasion, scope: Option<String>) -> Self {
        self.scopes.retain(|(other, _)| *other != occasion);
        self.scopes.push((occasion, scope));
        self
    }

    /// Sends the redirect URI of the authorization code with each refresh.
    #[must_use]
    pub fn redirect_uri_on_refresh(mut self) -> Self {
        self.redirect_uri_on_refresh = true;
        self
    }

    /// Sets a header of every token request.
    #[must_use]
    pub fn token_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.token_headers.insert(name, value);
        self
    }

    /// Adds a field to the body of every token request.
    #[must_use]
    pub fn token_field(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.problems.extend(pasted_value::invisible(
            &format!("field `{name}` of token requests"),
            value.expose(),
            "call `Profile::token_field`",
        ));
        self.token_fields.push((name, value));
        self
    }

    /// Sets a header of every API call. Mark the value as sensitive if it is a secret.
    #[must_use]
    pub fn api_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.api_headers.insert(name, value);
        self
    }

    /// Sets the header that carries the token. Defaults to `Authorization`.
    #[must_use]
    pub fn authorization_header(mut self, name: HeaderName) -> Self {
        self.authorization_header = name;
        self
    }

    /// Sets the tenant, if client id and token request do not identify it. Tokens are not shared between tenants.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<Secret>) -> Self {
        self.tenant.push(tenant.into());
        self
    }

    /// Sets the likely causes of a 401 to a new token. It ends the sentence "the likely causes are …".
    #[must_use]
    pub fn unauthorized_hint(mut self, causes: impl Into<Cow<'static, str>>) -> Self {
        self.unauthorized_hint = causes.into();
        self
    }

    /// Sets the field of the JSON body of a 429 that holds the date to retry at, used if there is no `Retry-After`. A date that
    /// is invalid, or further ahead than `window`, counts as the whole window.
    #[must_use]
    pub fn retry_after_field(mut self, field: impl Into<String>, window: Duration) -> Self {
        self.throttle = Some(Throttle { field: field.into(), window });
        self
    }

    /// Sets the lifetime of tokens whose response has no `expires_in`.
    #[must_use]
    pub fn default_lifetime(mut self, lifetime: Duration) -> Self {
        self.default_lifetime = lifetime;
        self
    }

    /// Sets how long before its expiry a token is renewed, at most half of its lifetime. Defaults to a fifth of its lifetime, at
    /// most ten minutes.
    #[must_use]
    pub fn renewal_lead(mut self, lead: Duration) -> Self {
        self.renewal_lead = Some(lead);
        self
    }

    /// Sets the rate limit of the API.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Returns true if the system supports this grant.
    pub(crate) fn takes(&self, grant: Grant) -> bool {
        self.grants.is_empty() || self.grants.contains(&grant)
    }

    /// The scope of a token request: `None` if it is not set, `Some(None)` if there must be none.
    pub(crate) fn scope_of(&self, grant: Grant, place: ClientAuth) -> Option<Option<&str>> {
        let of_place = (grant != Grant::RefreshToken).then(|| Occasion::from(place));
        [Some(Occasion::Grant(grant)), of_place].into_iter().flatten().find_map(|occasion| self.scope_on(occasion))
    }

    /// The scope for one occasion, as [`scope_of`](Self::scope_of) returns it.
    pub(crate) fn scope_on(&self, occasion: Occasion) -> Option<Option<&str>> {
        self.scopes.iter().find(|(other, _)| *other == occasion).map(|(_, scope)| scope.as_deref())
    }

    /// Sets a header of every API call with a secret value.
    pub(crate) fn secret_api_header(mut self, name: &'static str, value: &Secret, setter: &str) -> Self {
        let problem = pasted_value::problem(&format!("header `{name}`"), value.expose(), &format!("call `{setter}`"));
        match (problem, HeaderValue::from_str(value.expose())) {
            (None, Ok(mut header)) => {
                header.set_sensitive(true);
                return self.api_header(HeaderName::from_static(name), header);
            }
            (Some(problem), _) => self.problems.push(problem),
            (None, Err(_)) => {
                self.problems
                    .push(format!("the header `{name}` contains a character that no header allows: call `{setter}`"));
            }
        }
        self
    }
}

/// A rate limit: a number of calls in a period, with a burst.
///
/// ```
/// use std::time::Duration;
/// use perenso_auth::Rate;
///
/// // 20 in 90 seconds, never more than 5 at once.
/// let rate = Rate::new(20, Duration::from_secs(90), 5);
/// ```
#[doc(alias("rate limit", "429"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub(crate) calls: NonZeroU32,
    pub(crate) period: Duration,
    pub(crate) burst: NonZeroU32,
}

impl Rate {
    /// Allows `calls` in each `period`, evenly spaced, and `burst` at once after a time without calls. No period has more than
    /// `calls` plus one `burst`, so their sum must not exceed the limit of the API.
    ///
    /// Zero counts as one, a period below a millisecond as a millisecond. Building a client fails if the burst takes more than
    /// a hundred years to refill.
    #[must_use]
    pub fn new(calls: u32, period: Duration, burst: u32) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { calls: at_least_one(calls), period: period.max(Duration::from_millis(1)), burst: at_least_one(burst) }
    }

    /// Returns the reason why this rate cannot be kept: its arithmetic would overflow.
    pub(crate) fn problem(&self) -> Option<String> {
        let interval = self.period.as_nanos() / u128::from(self.calls.get());
        let reason = if interval == 0 {
            "it allows more than one call per nanosecond: lower its calls, or call `unlimited`"
        } else if interval * u128::from(self.burst.get()) > LONGEST_REFILL.as_nanos() {
            "its burst takes more than a hundred years to refill: lower it"
        } else {
            return None;
        };
        Some(format!(
            "the rate of {} calls in {:?} with a burst of {} cannot be kept: {reason} (`rate`)",
            self.calls, self.period, self.burst
        ))
    }

    /// Allows `calls` in each minute, with a burst of a fifth as many: see [`new`](Self::new).
    #[must_use]
    pub fn per_minute(calls: u32) -> Self {
        Self::new(calls, Duration::from_secs(60), calls / 5)
    }
}
