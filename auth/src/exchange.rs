//! One token exchange, from the first request to a token or a fault: refresh where there is a refresh token, else, or
//! when that fails, the original grant. The requests are those of the `oauth2` crate; the adapter below sends them.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse},
};
use zeroize::Zeroizing;

use crate::{
    answer::{ErrorAnswer, TokenAnswer, without_mark},
    body,
    clock::{Clock, Now, within},
    fault::Fault,
    grant::{ClientAuth, Credentials, Grant},
    policy::TokenPolicy,
    profile::Profile,
    retry_after::retry_after,
    secret::Secret,
    token::bearer,
    transport::location,
};

/// No honest token answer is larger.
const LARGEST_ANSWER: usize = 1024 * 1024;

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

/// Everything that a token request is made of.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) profile: Profile,
    pub(crate) grant: Grant,
    pub(crate) credentials: Credentials,
    pub(crate) token_url: TokenUrl,
    pub(crate) scope: Option<String>,
    pub(crate) http: reqwest::Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: TokenPolicy,
}

/// What a successful exchange brought.
pub(crate) struct Granted {
    pub(crate) header: HeaderValue,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) lifetime: Duration,
    /// When the request left: the token's life counts from here.
    pub(crate) sent: Now,
}

/// How an exchange ended, and what became of the refresh token that went in.
pub(crate) struct Outcome {
    pub(crate) result: Result<Granted, Fault>,
    /// The refresh token went out and cannot be used again: it was refused, or exchanged for another.
    pub(crate) refresh_token_is_spent: bool,
}

impl Exchange {
    /// Runs the exchange to its end, however long its own deadlines let it.
    pub(crate) async fn run(&self, refresh_token: Option<&Secret>) -> Outcome {
        let mut refresh_token_is_spent = false;
        if let Some(refresh_token) = refresh_token {
            // Once and never blindly again: a server may take a repeated refresh token for a stolen one.
            match self.attempt(Some(refresh_token), self.policy.attempt).await {
                Ok(granted) => {
                    let refresh_token_is_spent = granted.refresh_token.is_some();
                    return Outcome { result: Ok(granted), refresh_token_is_spent };
                }
                Err(fault) => {
                    refresh_token_is_spent = fault.spends_the_refresh_token();
                    tracing::debug!(profile = self.profile.name(), %fault, "refresh failed, asking with the original grant");
                }
            }
        }
        let result = self.original_grant().await;
        Outcome { result, refresh_token_is_spent }
    }

    async fn original_grant(&self) -> Result<Granted, Fault> {
        let started = self.clock.monotonic();
        let left = || self.policy.total.saturating_sub(self.clock.monotonic().saturating_duration_since(started));
        let mut pauses = self.policy.backoff();
        loop {
            let fault = match self.attempt(None, self.policy.attempt.min(left())).await {
                Ok(granted) => return Ok(granted),
                Err(fault) => fault,
            };
            let Fault::Unavailable { retry_after, .. } = &fault else { return Err(fault) };
            let Some(pause) = pauses.next() else { return Err(fault) };
            let pause = retry_after.map_or(pause, |asked| asked.max(pause));
            if pause >= left() {
                return Err(fault);
            }
            tracing::debug!(profile = self.profile.name(), %fault, ?pause, "asking for a token again");
            self.clock.sleep(pause).await;
        }
    }

    async fn attempt(&self, refresh_token: Option<&Secret>, limit: Duration) -> Result<Granted, Fault> {
        let place = if refresh_token.is_some() { self.profile.refresh_client_auth } else { self.profile.client_auth };
        let client = self.oauth_client(place);
        let adapter = Adapter { exchange: self, place, refresh_token, limit };
        let sent = self.clock.now();
        let answer = match refresh_token {
            Some(token) => {
                let token = RefreshToken::new(token.expose().to_owned());
                let mut request = client.exchange_refresh_token(&token);
                if let Some(scope) = &self.profile.scope_on_refresh {
                    request = request.add_scope(Scope::new(scope.clone()));
                }
                for (name, value) in &self.profile.token_fields {
                    request = request.add_extra_param(name.as_str(), value.as_str());
                }
                request.request_async(&adapter).await
            }
            None => match self.grant {
                Grant::ClientCredentials => {
                    let mut request = client.exchange_client_credentials();
                    if let Some(scope) = self.scope_for(place) {
                        request = request.add_scope(Scope::new(scope.to_owned()));
                    }
                    for (name, value) in &self.profile.token_fields {
                        request = request.add_extra_param(name.as_str(), value.as_str());
                    }
                    request.request_async(&adapter).await
                }
            },
        };
        let answer = answer.map_err(fault_of)?;
        let header = bearer(answer.access_token().secret()).ok_or_else(|| Fault::Unreadable {
            status: StatusCode::OK,
            detail: "its access token holds characters that no header can carry".to_owned(),
        })?;
        Ok(Granted {
            header,
            refresh_token: answer.refresh_token().map(|token| Secret::from(token.secret().as_str())),
            lifetime: answer.expires_in().unwrap_or(self.profile.default_lifetime),
            sent,
        })
    }

    fn oauth_client(&self, place: ClientAuth) -> OauthClient {
        oauth2::Client::new(ClientId::new(self.credentials.client_id.clone()))
            .set_client_secret(ClientSecret::new(self.credentials.client_secret.expose().to_owned()))
            .set_auth_type(if place.is_basic() { AuthType::BasicAuth } else { AuthType::RequestBody })
            .set_token_uri(self.token_url.clone())
    }

    fn scope_for(&self, place: ClientAuth) -> Option<&str> {
        let of_profile = if place.is_basic() { &self.profile.scope_with_basic } else { &self.profile.scope_in_body };
        self.scope.as_deref().or(of_profile.as_deref())
    }
}

/// Carries the requests of the `oauth2` crate over reqwest, and forgives in the answers what RFC 6749 would not.
struct Adapter<'a> {
    exchange: &'a Exchange,
    place: ClientAuth,
    refresh_token: Option<&'a Secret>,
    limit: Duration,
}

impl<'c> AsyncHttpClient<'c> for Adapter<'_> {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Fault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Adapter<'_> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let Exchange { clock, http, profile, .. } = self.exchange;
        let mut request = reqwest::Request::try_from(request)
            .map_err(|source| unavailable("the token request cannot be sent".to_owned(), Some(source), false))?;
        if let Some(basic) = request.headers_mut().get_mut(header::AUTHORIZATION) {
            if self.place == ClientAuth::BasicPlain {
                *basic = self.plain_basic()?;
            }
            basic.set_sensitive(true);
        }
        for (name, value) in &profile.token_headers {
            request.headers_mut().insert(name, value.clone());
        }
        let answer = within(clock.as_ref(), self.limit, async {
            let response = http.execute(request).await.map_err(broken)?;
            let status = response.status();
            let headers = response.headers().clone();
            match body::collect(response, LARGEST_ANSWER, clock.as_ref(), self.limit).await {
                Ok(body) => Ok((status, headers, body)),
                Err(body::Failure::TooLarge) if !status.is_success() => Ok((status, headers, bytes::Bytes::new())),
                Err(body::Failure::TooLarge) => {
                    Err(Fault::Unreadable { status, detail: format!("it is larger than {LARGEST_ANSWER} bytes") })
                }
                Err(body::Failure::Idle) => Err(unavailable("its answer stopped coming".to_owned(), None, true)),
                Err(body::Failure::Broken(source)) => {
                    Err(unavailable("its answer broke off".to_owned(), Some(source), true))
                }
            }
        });
        let Some(answer) = answer.await else {
            return Err(unavailable(format!("no whole answer within {:?}", self.limit), None, true));
        };
        let (status, headers, body) = answer?;
        if status.is_success() {
            let body = without_mark(&body);
            if body.iter().all(u8::is_ascii_whitespace) {
                return Err(Fault::Unreadable { status, detail: "it is empty".to_owned() });
            }
            return Ok(HttpResponse::new(body.to_vec()));
        }
        if status.is_redirection() {
            return Err(Fault::Redirected { status, to: location(&headers, self.exchange.token_url.url()) });
        }
        if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) {
            return Err(Fault::Unavailable {
                detail: format!("it answered {}", status.as_u16()),
                status: Some(status),
                retry_after: retry_after(&headers, clock.wall()),
                lost: false,
                source: None,
            });
        }
        let secrets = self.secrets();
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let ErrorAnswer { error, description } = ErrorAnswer::read(&body, &secrets);
        Err(Fault::Refused { status, error, description })
    }

    /// What an error text must not hold.
    fn secrets(&self) -> [Zeroizing<String>; 3] {
        let refresh_token = self.refresh_token.map_or("", Secret::expose);
        let client_secret = self.exchange.credentials.client_secret.expose();
        [client_secret.to_owned(), refresh_token.to_owned(), self.pair()].map(Zeroizing::new)
    }

    fn plain_basic(&self) -> Result<HeaderValue, Fault> {
        HeaderValue::from_str(&format!("Basic {}", self.pair()))
            .map_err(|_| unavailable("the credentials fit no header".to_owned(), None, false))
    }

    /// Id and secret as plain Base64.
    fn pair(&self) -> String {
        let Credentials { client_id, client_secret } = &self.exchange.credentials;
        STANDARD.encode(Zeroizing::new(format!("{client_id}:{}", client_secret.expose())).as_bytes())
    }
}

fn unavailable(detail: String, source: Option<reqwest::Error>, lost: bool) -> Fault {
    let source = source.map(|source| Arc::new(source.without_url()));
    Fault::Unavailable { detail, status: None, retry_after: None, lost, source }
}

fn broken(source: reqwest::Error) -> Fault {
    let lost = !source.is_connect();
    let detail = if lost { "the connection broke" } else { "no connection" };
    unavailable(detail.to_owned(), Some(source), lost)
}

fn fault_of(error: RequestTokenError<Fault, BasicErrorResponse>) -> Fault {
    let unreadable = |detail: String| Fault::Unreadable { status: StatusCode::OK, detail };
    match error {
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::Parse(error, _) => unreadable(reason(error.inner())),
        // The adapter lets nothing else through.
        RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => {
            unreadable("it is not a token answer".to_owned())
        }
    }
}

/// What is wrong with an answer, without a value of it: serde_json quotes values, so its own words are only taken
/// where there are none, and ours where they name a field.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let ours = text.starts_with('`') || text.starts_with("no `");
    match error.classify() {
        serde_json::error::Category::Data if ours => {
            text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
        }
        serde_json::error::Category::Data => "it is JSON, but not an object".to_owned(),
        serde_json::error::Category::Eof => "it is JSON that ends too early".to_owned(),
        _ => "it is not JSON".to_owned(),
    }
}
