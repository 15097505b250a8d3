//! The rival that a careful user writes: the `oauth2` crate for the grants, `reqwest-retry` for faults, and a middleware
//! that stores the token behind a lock, renews it once for all waiting callers, and retries a call once after a 401.

use std::time::{Duration, Instant};

use http::{Extensions, StatusCode};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, RefreshToken,
    TokenResponse, TokenUrl, basic::BasicClient,
};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use tokio::sync::Mutex;

/// The remaining lifetime below which a token is renewed before use.
const MARGIN: Duration = Duration::from_secs(1);

struct Bearer {
    oauth: BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>,
    http: reqwest::Client,
    held: Mutex<Option<Held>>,
}

struct Held {
    access: String,
    refresh: Option<RefreshToken>,
    end: Instant,
}

/// Returns a client that renews its tokens.
pub(crate) fn client(url: &str) -> ClientWithMiddleware {
    let oauth = BasicClient::new(ClientId::new("show-1".to_owned()))
        .set_client_secret(ClientSecret::new("s3cr3t".to_owned()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::new(format!("{url}/token")).unwrap());
    let http = super::client();
    let retries = ExponentialBackoff::builder().build_with_max_retries(3);
    ClientBuilder::new(http.clone())
        .with(RetryTransientMiddleware::new_with_policy(retries))
        .with(Bearer { oauth, http, held: Mutex::new(None) })
        .build()
}

impl Bearer {
    /// Returns a valid token other than `refused`.
    async fn token(&self, refused: Option<&str>) -> Result<String> {
        let mut held = self.held.lock().await;
        let good = |held: &&Held| held.end > Instant::now() + MARGIN && Some(held.access.as_str()) != refused;
        if let Some(held) = held.as_ref().filter(good) {
            return Ok(held.access.clone());
        }
        let http = self.http.clone();
        let send = move |request| send(http.clone(), request);
        let refreshed = match held.take().and_then(|held| held.refresh) {
            Some(token) => self.oauth.exchange_refresh_token(&token).request_async(&send).await.ok(),
            None => None,
        };
        let response = match refreshed {
            Some(response) => response,
            None => {
                let request = self.oauth.exchange_client_credentials();
                request.request_async(&send).await.map_err(reqwest_middleware::Error::middleware)?
            }
        };
        let access = response.access_token().secret().clone();
        let end = Instant::now() + response.expires_in().unwrap_or(Duration::from_secs(300));
        *held = Some(Held { access: access.clone(), refresh: response.refresh_token().cloned(), end });
        Ok(access)
    }
}

/// Sends a token request. The `oauth2` crate supports only an older reqwest, so this converts request and response.
async fn send(http: reqwest::Client, request: HttpRequest) -> std::result::Result<HttpResponse, reqwest::Error> {
    let response = http.execute(request.try_into()?).await?;
    let (status, body) = (response.status(), response.bytes().await?.to_vec());
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    Ok(response)
}

#[async_trait::async_trait]
impl Middleware for Bearer {
    async fn handle(&self, request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let token = self.token(None).await?;
        let again = request.try_clone();
        let response = next.clone().run(with_token(request, &token), extensions).await?;
        match again {
            Some(again) if response.status() == StatusCode::UNAUTHORIZED => {
                let token = self.token(Some(&token)).await?;
                next.run(with_token(again, &token), extensions).await
            }
            _ => Ok(response),
        }
    }
}

fn with_token(mut request: Request, token: &str) -> Request {
    let value = http::HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    request.headers_mut().insert(http::header::AUTHORIZATION, value);
    request
}
