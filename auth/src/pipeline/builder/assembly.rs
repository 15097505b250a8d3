//! Builds the client: checks all settings, reports all problems at once, and assembles the parts.

use std::sync::Arc;

use oauth2::TokenUrl;
use reqwest::Url;

use super::ClientBuilder;
use crate::{
    error::BuildError,
    oauth::{
        cache::Cache,
        credentials::Source,
        exchange::{Exchange, LOST_WITH_THE_PROCESS},
        in_flight::InFlight,
        token_source::TokenSource,
    },
    pasted_value,
    pipeline::{
        api_headers::ApiHeaders, budget::Budget, client::Client, context::ClientState,
        unauthorized::UnauthorizedOperations,
    },
    profile::grant::Grant,
    store::MemoryStore,
    wire::{
        http_clients::HttpClients,
        transport::{Transport, is_loopback, may_carry_secrets},
    },
};

impl ClientBuilder {
    /// Builds the client.
    ///
    /// # Errors
    /// [`BuildError`] with all missing or contradictory settings, each with the setter to call.
    pub fn build(self) -> Result<Client, BuildError> {
        let mut problems = Vec::new();
        let tokens_may_need_a_person = self.tokens_may_need_a_person();
        let token_url = self.address("token", "token_url", self.profile.token_url.as_deref(), &mut problems);
        let api_url = self.address("API", "api_url", self.profile.api_url.as_deref(), &mut problems);
        if let Some(api_url) = api_url.as_ref().filter(|url| url.query().is_some() || url.fragment().is_some()) {
            problems.push(format!(
                "the API address `{}{}` must have no query and no fragment: call `api_url`",
                api_url.origin().ascii_serialization(),
                api_url.path()
            ));
        }
        problems.extend(self.profile.problems.iter().cloned());
        problems
            .extend(self.scope.as_deref().and_then(|scope| pasted_value::invisible("scope", scope, "call `scope`")));
        problems.extend(self.profile.rate.and_then(|rate| rate.problem()));
        match &self.credentials {
            None => problems.push("no credentials: call `credentials` or `credentials_provider`".to_owned()),
            Some(Source::Fixed(credentials)) => {
                problems.extend(credentials.problems(&self.profile));
                problems.extend(self.scope_problem(credentials.grant()));
                if credentials.grant().needs_a_person() {
                    problems.extend(self.store_problem());
                }
            }
            // Its credentials are not known yet, but the grants of the profile are.
            Some(Source::Provider { .. }) => {
                let grants = &self.profile.grants;
                let all_need_one = !grants.is_empty() && grants.iter().all(|grant| grant.needs_a_person());
                if self.needs_a_person || all_need_one {
                    problems.extend(self.store_problem());
                }
                if grants.iter().all(|grant| self.scope_problem(*grant).is_some()) {
                    problems.extend(grants.first().and_then(|grant| self.scope_problem(*grant)));
                }
            }
        }
        problems.extend(self.transport.tls.problems(self.transport.http_builder.is_some()));
        let (Some(token_url), Some(api_url), Some(credentials), true) =
            (token_url, api_url, self.credentials, problems.is_empty())
        else {
            return Err(BuildError::new(problems));
        };
        let connect = self.timeouts.connect;
        let pool = self.pool.filter(|_| self.transport.is_plain());
        let clients = |transport: Transport, urls: &[&Url]| {
            let secure = urls.iter().any(|url| url.scheme() == "https");
            let local = urls.iter().any(|url| is_loopback(url));
            match &pool {
                Some(pool) => transport.pooled(pool, connect, secure, local),
                None => HttpClients::new(transport, connect, secure, local),
            }
        };
        // Proxies of the environment are used or not for each address separately.
        let (http, token_http) = if is_loopback(&token_url) == is_loopback(&api_url) {
            let http = clients(self.transport, &[&token_url, &api_url])?;
            (http.clone(), http)
        } else {
            (clients(self.transport.clone(), &[&api_url])?, clients(self.transport, &[&token_url])?)
        };
        let label = self.label.unwrap_or_else(|| match &credentials {
            Source::Fixed(credentials) => credentials.client_id.clone(),
            Source::Provider { .. } => self.profile.name.clone().into_owned(),
        });
        let api_headers = ApiHeaders::new(self.profile.api_headers.clone(), self.api_header_source);
        let rate = self.profile.rate;
        #[cfg(feature = "redis")]
        let budget = match self.shared_budget {
            Some(shared) => Budget::shared(rate, shared, Arc::clone(&self.clock)),
            None => Budget::new(rate, Arc::clone(&self.clock)),
        };
        #[cfg(not(feature = "redis"))]
        let budget = Budget::new(rate, Arc::clone(&self.clock));
        let authorization_header = self.profile.authorization_header.clone();
        let throttle = self.profile.throttle.clone();
        let unauthorized_hint = self.profile.unauthorized_hint.clone();
        let profile = self.profile.name.clone();
        let exchange = Exchange {
            profile: self.profile,
            label: label.clone(),
            credentials,
            token_url: TokenUrl::from_url(token_url),
            scope: self.scope,
            http: token_http,
            in_flight: InFlight::new(),
            clock: Arc::clone(&self.clock),
            policy: self.token_policy,
            tokens_may_need_a_person,
            memory_only: self.memory_only,
        };
        let source = match self.store {
            Some(store) => TokenSource::shared(exchange, store),
            None => TokenSource::unshared(exchange, Arc::new(MemoryStore::new())),
        };
        Ok(Client::new(ClientState {
            label,
            profile,
            api_url,
            api_headers,
            http,
            authorization_header,
            throttle,
            unauthorized_hint,
            cache: Arc::new(Cache::new(source)),
            unauthorized: UnauthorizedOperations::default(),
            budget,
            timeouts: self.timeouts,
            retry: self.retry,
            max_body_bytes: self.max_body_bytes,
            clock: self.clock,
        }))
    }

    /// Returns the problem of a scope that the profile forbids for this grant.
    fn scope_problem(&self, grant: Grant) -> Option<String> {
        let is_forbidden = self.profile.scope_of(grant, self.profile.client_auth) == Some(None);
        (self.scope.is_some() && is_forbidden).then(|| {
            format!(
                "`{}` takes no scope with this grant and client authentication: leave out `scope`",
                self.profile.name
            )
        })
    }

    /// Returns the problem of a grant that needs a person without a store that outlives the process.
    fn store_problem(&self) -> Option<String> {
        (!self.tokens_may_need_a_person()).then(|| LOST_WITH_THE_PROCESS.to_owned())
    }

    fn tokens_may_need_a_person(&self) -> bool {
        self.memory_only || self.store.as_ref().is_some_and(|store| store.is_durable())
    }

    fn address(&self, what: &str, setter: &str, text: Option<&str>, problems: &mut Vec<String>) -> Option<Url> {
        let Some(text) = text else {
            problems.push(format!("no {what} address is known for `{}`: call `{setter}`", self.profile.name));
            return None;
        };
        if let Some(problem) = pasted_value::invisible(&format!("{what} address"), text, &format!("call `{setter}`")) {
            problems.push(problem);
            return None;
        }
        // An invalid address may be a secret in the wrong place, so it is not shown.
        let Ok(url) = Url::parse(text) else {
            problems.push(format!("the {what} address is not a URL: call `{setter}`"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            problems.push(format!("the {what} address contains a user or a password: call `{setter}` without them"));
            return None;
        }
        if !may_carry_secrets(&url, &self.allow_http) {
            let host = url.host_str().unwrap_or_default();
            problems.push(format!(
                "the {what} address is not https, so secrets would be sent to `{host}` unencrypted: call `{setter}` with \
                 https, or `allow_http(\"{host}\")` if that is intended"
            ));
            return None;
        }
        Some(url)
    }
}
