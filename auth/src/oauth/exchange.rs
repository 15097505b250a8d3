//! One token exchange, from the first request to a token or a fault. It sends the refresh token if there is one. Without one,
//! or if that fails, it sends the original grant. The `oauth2` crate builds the requests, and `adapter` sends them.

use std::{future::Future, sync::Arc, time::Duration};

use http::{HeaderValue, StatusCode};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, PkceCodeVerifier, RefreshToken,
    ResourceOwnerPassword, ResourceOwnerUsername, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};

use crate::{
    clock::{Clock, Now, millis, within},
    oauth::{
        credentials::{Credentials, CredentialsError, GrantCredentials, Source},
        fault::Fault,
        in_flight::{InFlight, Sent},
        token::bearer,
        token_response::TokenFields,
    },
    policy::{Backoff, TokenPolicy},
    profile::{
        Profile,
        grant::{ClientAuth, Grant},
    },
    secret::Secret,
    store::identity::Identity,
    wire::{connection::Cause, http_clients::HttpClients},
};

mod adapter;

use adapter::{Adapter, fault_of};

type OauthClient = oauth2::Client<
    BasicErrorResponse,
    TokenFields,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The problem of a grant that needs a person without a store that outlives the process.
pub(crate) const LOST_WITH_THE_PROCESS: &str = "the tokens of this grant would be lost with the process, and only a person can replace them: call `store` with one \
     that outlives the process, or `memory_only` if that is intended";

/// The configuration of token requests.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) profile: Profile,
    /// The client's label.
    pub(crate) label: String,
    pub(crate) credentials: Source,
    pub(crate) token_url: TokenUrl,
    pub(crate) scope: Option<String>,
    pub(crate) http: HttpClients,
    pub(crate) in_flight: InFlight,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: TokenPolicy,
    /// A grant that needs a person is accepted, since the store outlives the process or `memory_only` is set.
    pub(crate) tokens_may_need_a_person: bool,
    /// The caller accepts that such tokens are lost with the process.
    pub(crate) memory_only: bool,
}

/// The tokens of a successful exchange.
pub(crate) struct Granted {
    pub(crate) header: HeaderValue,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) refresh_expires_in: Option<Duration>,
    pub(crate) lifetime: Duration,
    /// The time at which the request was sent, from which the lifetime counts.
    pub(crate) sent: Now,
    pub(crate) in_flight: Sent,
}

/// The outcome of an exchange, and which of the values that it sent are used up.
pub(crate) struct Outcome {
    pub(crate) result: Result<Granted, Fault>,
    /// The refresh token must not be sent again: it was refused, or exchanged for another.
    pub(crate) refresh_token_is_spent: bool,
    /// The code of the credentials was sent and is used up.
    pub(crate) grant_is_spent: bool,
}

/// The attempts of one grant: their start, and the delays between them.
struct Attempts {
    started: std::time::Instant,
    delays: Backoff,
}

impl Exchange {
    /// Runs the exchange. It is limited only by its own timeouts.
    pub(crate) async fn run(
        &self,
        credentials: &Credentials,
        refresh_token: Option<&Secret>,
        grant_is_spent: bool,
    ) -> Outcome {
        let mut outcome = Outcome {
            result: Err(Fault::PersonNeeded { grant: credentials.grant(), refused: None }),
            refresh_token_is_spent: false,
            grant_is_spent: false,
        };
        if let Some(refresh_token) = refresh_token {
            let refreshed = match credentials.grant().needs_a_person() {
                true => self.refresh_with_retries(credentials, refresh_token).await,
                // Sent once, since a server may take a repeated refresh token for a stolen one.
                false => self.attempt(credentials, Some(refresh_token), self.policy.attempt).await,
            };
            let fault = match refreshed {
                Ok(granted) => {
                    outcome.refresh_token_is_spent = granted.refresh_token.is_some();
                    outcome.result = Ok(granted);
                    return outcome;
                }
                Err(fault) => fault,
            };
            if credentials.grant().needs_a_person() {
                let invalid_grant = fault.refusal().filter(|refusal| refusal.is_invalid_grant()).cloned();
                let Some(refusal) = invalid_grant else {
                    // The refresh token may still be valid, and there is no other.
                    outcome.result = Err(fault);
                    return outcome;
                };
                outcome.refresh_token_is_spent = true;
                let refused = Some((Grant::RefreshToken, refusal));
                outcome.result = Err(Fault::PersonNeeded { grant: credentials.grant(), refused });
            } else {
                outcome.refresh_token_is_spent = fault.spends_the_refresh_token();
                tracing::info!(target: "perenso_auth::token", error = %fault, "refresh failed, using the original grant");
                // If the `Retry-After` is too long, the original grant is sent at once.
                let _ = self.wait_as_asked(fault, self.policy.total).await;
            }
        }
        if grant_is_spent || matches!(credentials.grant, GrantCredentials::RefreshToken(_)) {
            return outcome;
        }
        let result = self.original_grant(credentials).await;
        if matches!(credentials.grant, GrantCredentials::Code(_)) {
            outcome.grant_is_spent = match &result {
                Ok(_) => true,
                Err(fault) => fault.refusal().is_some_and(crate::oauth::fault::Refusal::is_invalid_grant),
            };
        }
        outcome.result = result.map_err(|fault| match fault {
            Fault::Refused(refusal) if outcome.grant_is_spent => {
                Fault::PersonNeeded { grant: credentials.grant(), refused: Some((credentials.grant(), refusal)) }
            }
            fault => fault,
        });
        outcome
    }

    async fn original_grant(&self, credentials: &Credentials) -> Result<Granted, Fault> {
        let mut attempts = self.attempts();
        loop {
            let limit = self.policy.attempt.min(self.left(&attempts));
            match self.attempt(credentials, None, limit).await {
                Ok(granted) => return Ok(granted),
                Err(fault) => self.wait_before_retry(&mut attempts, fault).await?,
            }
        }
    }

    /// Sends a refresh token that only a person can replace. After a lost response it is sent once more, since the request may
    /// not have been processed. While the server responds that it was not processed, it is retried within the policy.
    async fn refresh_with_retries(&self, credentials: &Credentials, token: &Secret) -> Result<Granted, Fault> {
        let mut attempts = self.attempts();
        let mut was_lost = false;
        loop {
            let limit = self.policy.attempt.min(self.left(&attempts));
            match self.attempt(credentials, Some(token), limit).await {
                Ok(granted) => return Ok(granted),
                Err(fault) if fault.is_lost() && was_lost => return Err(fault),
                Err(fault) if fault.is_lost() => {
                    tracing::info!(target: "perenso_auth::token", error = %fault, "the response to a refresh was lost, sending it once more");
                    was_lost = true;
                    self.wait_as_asked(fault, self.left(&attempts)).await?;
                }
                Err(fault) => self.wait_before_retry(&mut attempts, fault).await?,
            }
        }
    }

    /// Waits for the `Retry-After` of a fault, if it has one. Returns the fault if that is not below `limit`.
    async fn wait_as_asked(&self, fault: Fault, limit: Duration) -> Result<(), Fault> {
        let Fault::Unavailable { retry_after: Some(asked), .. } = fault else { return Ok(()) };
        if asked >= limit {
            return Err(fault);
        }
        self.clock.sleep(asked).await;
        Ok(())
    }

    fn attempts(&self) -> Attempts {
        Attempts { started: self.clock.monotonic(), delays: self.policy.delays() }
    }

    fn left(&self, attempts: &Attempts) -> Duration {
        self.policy.total.saturating_sub(self.clock.monotonic().saturating_duration_since(attempts.started))
    }

    /// Waits before the next attempt. Returns the fault if there is no next attempt.
    async fn wait_before_retry(&self, attempts: &mut Attempts, fault: Fault) -> Result<(), Fault> {
        let Fault::Unavailable { retry_after, .. } = &fault else { return Err(fault) };
        if fault.cause().is_some_and(Cause::is_final) {
            return Err(fault);
        }
        let Some(backoff) = attempts.delays.next() else { return Err(fault) };
        let delay = retry_after.map_or(backoff, |asked| asked.max(backoff));
        if delay >= self.left(attempts) {
            return Err(fault);
        }
        tracing::info!(target: "perenso_auth::token", wait_ms = millis(delay), error = %fault, "token request failed, retrying");
        self.clock.sleep(delay).await;
        Ok(())
    }

    async fn attempt(
        &self,
        credentials: &Credentials,
        refresh_token: Option<&Secret>,
        limit: Duration,
    ) -> Result<Granted, Fault> {
        let grant = if refresh_token.is_some() { Grant::RefreshToken } else { credentials.grant() };
        let place = if refresh_token.is_some() { self.profile.refresh_client_auth } else { self.profile.client_auth };
        let client = self.oauth_client(credentials, place);
        let adapter = Adapter { exchange: self, credentials, place, refresh_token, limit };
        let redirect_uri = match &credentials.grant {
            GrantCredentials::Code(code) => Some(code.redirect_uri.as_str()),
            _ => None,
        };
        let scope = self.scope_for(grant, place).map(|scope| Scope::new(scope.to_owned()));
        let in_flight = self.in_flight.send();
        let sent = self.clock.now();
        // The requests of the oauth2 crate have different types with the same methods.
        macro_rules! send {
            ($request:expr) => {{
                let mut request = $request;
                for (name, value) in &self.profile.token_fields {
                    request = request.add_extra_param(name.as_str(), value.expose());
                }
                request.request_async(&adapter).await
            }};
        }
        let response = match (refresh_token, &credentials.grant) {
            (Some(token), _) => {
                let token = RefreshToken::new(token.expose().to_owned());
                let mut request = client.exchange_refresh_token(&token).add_scopes(scope);
                if let Some(redirect_uri) = redirect_uri.filter(|_| self.profile.redirect_uri_on_refresh) {
                    request = request.add_extra_param("redirect_uri", redirect_uri);
                }
                send!(request)
            }
            (None, GrantCredentials::User { name, password }) => {
                let name = ResourceOwnerUsername::new(name.clone());
                let password = ResourceOwnerPassword::new(password.expose().to_owned());
                send!(client.exchange_password(&name, &password).add_scopes(scope))
            }
            (None, GrantCredentials::Code(code)) => {
                let mut request = client.exchange_code(AuthorizationCode::new(code.code.expose().to_owned()));
                // The oauth2 crate would normalise the URI, and servers compare it as a string.
                request = request.add_extra_param("redirect_uri", code.redirect_uri.as_str());
                if let Some(scope) = &scope {
                    request = request.add_extra_param("scope", scope.as_str());
                }
                if let Some(verifier) = &code.pkce_verifier {
                    request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
                }
                send!(request)
            }
            // A refresh token as the grant never gets here: `run` returns after its refresh.
            (None, GrantCredentials::None | GrantCredentials::RefreshToken(_)) => {
                send!(client.exchange_client_credentials().add_scopes(scope))
            }
        };
        let response = response.map_err(fault_of)?;
        let header = bearer(response.access_token().secret()).ok_or_else(|| Fault::Unreadable {
            status: StatusCode::OK,
            detail: "its access token contains a character that no header allows".to_owned(),
        })?;
        let lifetime = response.expires_in().unwrap_or(self.profile.default_lifetime);
        tracing::info!(
            target: "perenso_auth::token",
            grant = grant.name(),
            expires_in_s = lifetime.as_secs(),
            duration_ms = millis(self.clock.monotonic().saturating_duration_since(sent.monotonic)),
            "obtained an access token"
        );
        Ok(Granted {
            header,
            refresh_token: response.refresh_token().map(|token| Secret::from(token.secret().as_str())),
            refresh_expires_in: response.refresh_expires_in(),
            lifetime,
            sent,
            in_flight,
        })
    }

    fn oauth_client(&self, credentials: &Credentials, place: ClientAuth) -> OauthClient {
        oauth2::Client::new(ClientId::new(credentials.client_id.clone()))
            .set_client_secret(ClientSecret::new(credentials.client_secret.expose().to_owned()))
            .set_auth_type(if place.is_basic() { AuthType::BasicAuth } else { AuthType::RequestBody })
            .set_token_uri(self.token_url.clone())
    }

    fn scope_for(&self, grant: Grant, place: ClientAuth) -> Option<&str> {
        let own = self.scope.as_deref().filter(|_| grant != Grant::RefreshToken);
        own.or_else(|| self.profile.scope_of(grant, place).flatten())
    }

    /// Returns the latest credentials, or asks the provider if there are none.
    pub(crate) async fn credentials(&self) -> Result<Arc<Credentials>, Fault> {
        self.provided(self.credentials.get(|credentials| self.problems(credentials))).await
    }

    /// Returns credentials other than these, which were refused, or `None` if there are no others.
    pub(crate) async fn other_credentials(&self, refused: &Credentials) -> Result<Option<Arc<Credentials>>, Fault> {
        self.provided(self.credentials.get_other(refused, |credentials| self.problems(credentials))).await
    }

    async fn provided<T>(&self, credentials: impl Future<Output = Result<T, CredentialsError>>) -> Result<T, Fault> {
        let limit = self.policy.attempt;
        let lacking = |detail: String| Fault::Credentials { detail, source: None };
        match within(self.clock.as_ref(), limit, credentials).await {
            Some(Ok(credentials)) => Ok(credentials),
            Some(Err(CredentialsError::Failed(source))) => {
                let detail = "the provider returned an error".to_owned();
                Err(Fault::Credentials { detail, source: Some(source.into()) })
            }
            Some(Err(CredentialsError::Unusable(detail))) => Err(lacking(detail)),
            // The message may quote a secret, and the panic hook has shown it already.
            Some(Err(CredentialsError::Panicked)) => {
                Err(lacking("the credentials provider panicked; see the output of the panic hook".to_owned()))
            }
            None => Err(lacking(format!("the provider returned none within {limit:?}"))),
        }
    }

    /// Returns the problems of credentials from a provider. Fixed credentials are checked when the client is built.
    fn problems(&self, credentials: &Credentials) -> Vec<String> {
        let mut problems = credentials.problems(&self.profile);
        if credentials.grant().needs_a_person() && !self.tokens_may_need_a_person {
            problems.push(LOST_WITH_THE_PROCESS.to_owned());
        }
        problems
    }

    /// Returns the identity whose tokens these credentials obtain.
    pub(crate) fn identity(&self, credentials: &Credentials) -> Identity {
        let Self { profile, token_url, .. } = self;
        let grant = credentials.grant();
        let scope = self.scope_for(grant, profile.client_auth).unwrap_or_default();
        let headers =
            profile.token_headers.iter().flat_map(|(name, value)| [name.as_str(), value.to_str().unwrap_or("")]);
        let fields = profile.token_fields.iter().flat_map(|(name, value)| [name.as_str(), value.expose()]);
        let parts = [profile.name(), token_url.as_str(), grant.name(), scope, credentials.user_name()];
        let tenant = profile.tenant.iter().map(Secret::expose);
        let parts = parts.into_iter().chain(headers).chain(fields).chain(tenant);
        Identity::new(parts, credentials.client_id.clone(), credentials.client_secret.clone())
    }
}
