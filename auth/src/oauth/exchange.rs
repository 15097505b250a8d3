//! One token exchange, from the first request to a token or a fault: refresh where there is a refresh token, else, or
//! when that fails, the original grant. The requests are those of the `oauth2` crate; `adapter` sends them.

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
        credentials::{Credentials, Lack, Proof, Source},
        fault::Fault,
        in_flight::{InFlight, Sent},
        token::bearer,
        token_response::TokenAnswer,
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
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What is wrong with a grant that needs a person, and nothing that outlives the process.
pub(crate) const LOST_WITH_THE_PROCESS: &str = "the tokens of this grant need a person to get them anew, and would be lost with the process: call `store` with \
     one that outlives it, or `memory_only` if that is meant";

/// Everything that a token request is made of.
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
    /// Whether tokens outlive the process, or may be lost with it, where a person has to come to get others.
    pub(crate) tokens_may_need_a_person: bool,
    /// Whether tokens may be lost where a person has to come to get others.
    pub(crate) memory_only: bool,
}

/// What a successful exchange brought.
pub(crate) struct Granted {
    pub(crate) header: HeaderValue,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) refresh_expires_in: Option<Duration>,
    pub(crate) lifetime: Duration,
    /// When the request left: the token's life counts from here.
    pub(crate) sent: Now,
    pub(crate) in_flight: Sent,
}

/// How an exchange ended, and what became of what went into it.
pub(crate) struct Outcome {
    pub(crate) result: Result<Granted, Fault>,
    /// The refresh token went out and must not go out again: it was refused, or exchanged for another.
    pub(crate) refresh_token_is_spent: bool,
    /// The code, or the refresh token of the credentials, went out and is used up.
    pub(crate) proof_is_spent: bool,
}

/// The time that all attempts of one grant have together, and the pauses between them.
struct RetryBudget {
    started: std::time::Instant,
    pauses: Backoff,
}

impl Exchange {
    /// Runs the exchange to its end, however long its own deadlines let it.
    pub(crate) async fn run(
        &self,
        credentials: &Credentials,
        refresh_token: Option<&Secret>,
        proof_is_spent: bool,
    ) -> Outcome {
        let mut outcome = Outcome {
            result: Err(Fault::PersonNeeded { grant: credentials.grant(), refused: None }),
            refresh_token_is_spent: false,
            proof_is_spent: false,
        };
        if let Some(refresh_token) = refresh_token {
            let refreshed = match credentials.grant().needs_a_person() {
                true => self.refresh_at_all_costs(credentials, refresh_token).await,
                // Once and never blindly again: a server may take a repeated refresh token for a stolen one.
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
                    // Whatever this was, the refresh token may still be good, and there is no other.
                    outcome.result = Err(fault);
                    return outcome;
                };
                outcome.refresh_token_is_spent = true;
                let refused = Some((Grant::RefreshToken, refusal));
                outcome.result = Err(Fault::PersonNeeded { grant: credentials.grant(), refused });
            } else {
                outcome.refresh_token_is_spent = fault.spends_the_refresh_token();
                tracing::info!(target: "perenso_auth::token", error = %fault, "refresh failed, using the original grant");
                // A pause that is too long to be sat out is no reason not to try the other grant.
                let _ = self.pause_as_asked(fault, self.policy.total).await;
            }
        }
        if proof_is_spent || matches!(credentials.proof, Proof::RefreshToken(_)) {
            return outcome;
        }
        let result = self.original_grant(credentials).await;
        if matches!(credentials.proof, Proof::Code(_)) {
            outcome.proof_is_spent = match &result {
                Ok(_) => true,
                Err(fault) => fault.refusal().is_some_and(crate::oauth::fault::Refusal::is_invalid_grant),
            };
        }
        outcome.result = result.map_err(|fault| match fault {
            Fault::Refused(refusal) if outcome.proof_is_spent => {
                Fault::PersonNeeded { grant: credentials.grant(), refused: Some((credentials.grant(), refusal)) }
            }
            fault => fault,
        });
        outcome
    }

    async fn original_grant(&self, credentials: &Credentials) -> Result<Granted, Fault> {
        let mut budget = self.budget();
        loop {
            let limit = self.policy.attempt.min(self.left(&budget));
            match self.attempt(credentials, None, limit).await {
                Ok(granted) => return Ok(granted),
                Err(fault) => self.pause(&mut budget, fault).await?,
            }
        }
    }

    /// A refresh that nothing but a person can replace: after a lost answer once more with the same token, since it may
    /// not have been processed; and again and again while the server says that it did not process it.
    async fn refresh_at_all_costs(&self, credentials: &Credentials, token: &Secret) -> Result<Granted, Fault> {
        let mut budget = self.budget();
        let mut was_lost = false;
        loop {
            let limit = self.policy.attempt.min(self.left(&budget));
            match self.attempt(credentials, Some(token), limit).await {
                Ok(granted) => return Ok(granted),
                Err(fault) if fault.is_lost() && was_lost => return Err(fault),
                Err(fault) if fault.is_lost() => {
                    tracing::info!(target: "perenso_auth::token", error = %fault, "the response to a refresh was lost, sending it once more");
                    was_lost = true;
                    self.pause_as_asked(fault, self.left(&budget)).await?;
                }
                Err(fault) => self.pause(&mut budget, fault).await?,
            }
        }
    }

    /// Waits as long as the server asks for, or says that this is too long. A server that asks for nothing is not waited for.
    async fn pause_as_asked(&self, fault: Fault, longest: Duration) -> Result<(), Fault> {
        let Fault::Unavailable { retry_after: Some(asked), .. } = fault else { return Ok(()) };
        if asked >= longest {
            return Err(fault);
        }
        self.clock.sleep(asked).await;
        Ok(())
    }

    fn budget(&self) -> RetryBudget {
        RetryBudget { started: self.clock.monotonic(), pauses: self.policy.delays() }
    }

    fn left(&self, budget: &RetryBudget) -> Duration {
        self.policy.total.saturating_sub(self.clock.monotonic().saturating_duration_since(budget.started))
    }

    /// Waits before the next attempt, or says that there is none.
    async fn pause(&self, budget: &mut RetryBudget, fault: Fault) -> Result<(), Fault> {
        let Fault::Unavailable { retry_after, .. } = &fault else { return Err(fault) };
        if fault.cause().is_some_and(Cause::is_final) {
            return Err(fault);
        }
        let Some(pause) = budget.pauses.next() else { return Err(fault) };
        let pause = retry_after.map_or(pause, |asked| asked.max(pause));
        if pause >= self.left(budget) {
            return Err(fault);
        }
        tracing::info!(target: "perenso_auth::token", wait_ms = millis(pause), error = %fault, "token request failed, retrying");
        self.clock.sleep(pause).await;
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
        let redirect_uri = match &credentials.proof {
            Proof::Code(code) => Some(code.redirect_uri.as_str()),
            _ => None,
        };
        let scope = self.scope_for(grant, place).map(|scope| Scope::new(scope.to_owned()));
        let in_flight = self.in_flight.send();
        let sent = self.clock.now();
        // The requests of the oauth2 crate are of different types and have the same methods.
        macro_rules! send {
            ($request:expr) => {{
                let mut request = $request;
                for (name, value) in &self.profile.token_fields {
                    request = request.add_extra_param(name.as_str(), value.expose());
                }
                request.request_async(&adapter).await
            }};
        }
        let answer = match (refresh_token, &credentials.proof) {
            (Some(token), _) => {
                let token = RefreshToken::new(token.expose().to_owned());
                let mut request = client.exchange_refresh_token(&token).add_scopes(scope);
                if let Some(redirect_uri) = redirect_uri.filter(|_| self.profile.redirect_uri_on_refresh) {
                    request = request.add_extra_param("redirect_uri", redirect_uri);
                }
                send!(request)
            }
            (None, Proof::User { name, password }) => {
                let name = ResourceOwnerUsername::new(name.clone());
                let password = ResourceOwnerPassword::new(password.expose().to_owned());
                send!(client.exchange_password(&name, &password).add_scopes(scope))
            }
            (None, Proof::Code(code)) => {
                let mut request = client.exchange_code(AuthorizationCode::new(code.code.expose().to_owned()));
                // The crate would write the address anew, and servers compare it letter by letter.
                request = request.add_extra_param("redirect_uri", code.redirect_uri.as_str());
                if let Some(scope) = &scope {
                    request = request.add_extra_param("scope", scope.as_str());
                }
                if let Some(verifier) = &code.pkce_verifier {
                    request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
                }
                send!(request)
            }
            (None, Proof::None | Proof::RefreshToken(_)) => {
                send!(client.exchange_client_credentials().add_scopes(scope))
            }
        };
        let answer = answer.map_err(fault_of)?;
        let header = bearer(answer.access_token().secret()).ok_or_else(|| Fault::Unreadable {
            status: StatusCode::OK,
            detail: "its access token holds characters that no header can carry".to_owned(),
        })?;
        let lifetime = answer.expires_in().unwrap_or(self.profile.default_lifetime);
        tracing::info!(
            target: "perenso_auth::token",
            grant = grant.name(),
            expires_in_s = lifetime.as_secs(),
            duration_ms = millis(self.clock.monotonic().saturating_duration_since(sent.monotonic)),
            "obtained an access token"
        );
        Ok(Granted {
            header,
            refresh_token: answer.refresh_token().map(|token| Secret::from(token.secret().as_str())),
            refresh_expires_in: answer.refresh_expires_in(),
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

    /// The credentials as they were had last, else as the provider gives them now.
    pub(crate) async fn credentials(&self) -> Result<Arc<Credentials>, Fault> {
        self.provided(self.credentials.get(|credentials| self.problems(credentials))).await
    }

    /// Other credentials than these, which were refused; `None` when there are none.
    pub(crate) async fn other_credentials(&self, refused: &Credentials) -> Result<Option<Arc<Credentials>>, Fault> {
        self.provided(self.credentials.get_other(refused, |credentials| self.problems(credentials))).await
    }

    async fn provided<T>(&self, answer: impl Future<Output = Result<T, Lack>>) -> Result<T, Fault> {
        let limit = self.policy.attempt;
        let lacking = |detail: String| Fault::Credentials { detail, source: None };
        match within(self.clock.as_ref(), limit, answer).await {
            Some(Ok(credentials)) => Ok(credentials),
            Some(Err(Lack::Failed(source))) => {
                let detail = "the provider gave none".to_owned();
                Err(Fault::Credentials { detail, source: Some(source.into()) })
            }
            Some(Err(Lack::Unusable(detail))) => Err(lacking(detail)),
            // Its message may quote a secret; the panic hook has shown it to whoever runs the program.
            Some(Err(Lack::Panicked)) => {
                Err(lacking("the credentials provider panicked; its message went to the panic hook".to_owned()))
            }
            None => Err(lacking(format!("the provider gave none within {limit:?}"))),
        }
    }

    /// What stands in the way of what a provider gave; of fixed credentials, building the client has said it.
    fn problems(&self, credentials: &Credentials) -> Vec<String> {
        let mut problems = credentials.problems(&self.profile);
        if credentials.grant().needs_a_person() && !self.tokens_may_need_a_person {
            problems.push(LOST_WITH_THE_PROCESS.to_owned());
        }
        problems
    }

    /// Whose tokens these credentials get.
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
