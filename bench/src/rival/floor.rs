//! The floor of a call: reqwest and serde by hand with the promises of the SDK that every call pays for, and nothing else. Both
//! clocks are read for the token, attempts and pieces of the body have timeouts, the request is kept for the next attempt, the
//! body is bounded, and the status decides on another attempt.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{
    HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING},
};
use reqwest::{Client, Request, Response, Url, redirect::Policy};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

const ATTEMPT: Duration = Duration::from_secs(60);
const OVERALL: Duration = Duration::from_secs(180);
const IDLE: Duration = Duration::from_secs(60);
const MAX_BODY_BYTES: usize = 64 << 20;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client that renews its tokens.
#[derive(Clone)]
pub(crate) struct Floor {
    http: Client,
    base: Url,
    held: Arc<ArcSwap<Held>>,
}

struct Held {
    header: HeaderValue,
    end: (Instant, SystemTime),
}

impl Floor {
    pub(crate) fn new(url: &str) -> Self {
        let builder = Client::builder().no_proxy().redirect(Policy::none()).referer(false).user_agent("floor");
        let http = builder.connect_timeout(Duration::from_secs(10)).build().unwrap();
        // It has expired, so the first call gets another.
        let held = Held { header: HeaderValue::from_static(""), end: (Instant::now(), SystemTime::now()) };
        Self { http, base: url.parse().unwrap(), held: Arc::new(ArcSwap::from_pointee(held)) }
    }

    /// Gets a path below the base address as JSON.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let started = Instant::now();
        let url = Url::parse(&format!("{}{path}", self.base.as_str().trim_end_matches('/')))?;
        if url.origin() != self.base.origin() {
            return Err("the request is to another address".into());
        }
        let mut kept = Request::new(Method::GET, url);
        kept.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let (mut retries, mut is_replayed) = (3, false);
        loop {
            let mut request = Request::new(kept.method().clone(), kept.url().clone());
            request.headers_mut().clone_from(kept.headers());
            request.headers_mut().insert(AUTHORIZATION, self.token().await?);
            let left = OVERALL.saturating_sub(started.elapsed());
            let error: Error = match timeout(ATTEMPT.min(left), self.http.execute(request)).await {
                Ok(Ok(response)) => match response.status() {
                    status if status.is_success() => match body(response).await {
                        Ok(body) => return Ok(serde_json::from_slice(&body)?),
                        Err(error) => error,
                    },
                    StatusCode::UNAUTHORIZED if !is_replayed => {
                        is_replayed = true;
                        self.renew().await?;
                        continue;
                    }
                    status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                        status.to_string().into()
                    }
                    status => return Err(status.to_string().into()),
                },
                Ok(Err(error)) => error.into(),
                Err(elapsed) => elapsed.into(),
            };
            if retries == 0 || left.is_zero() {
                return Err(error);
            }
            retries -= 1;
            sleep(Duration::from_millis(800 >> retries)).await;
        }
    }

    async fn token(&self) -> Result<HeaderValue, Error> {
        let held = self.held.load();
        let is_live = Instant::now() < held.end.0 && SystemTime::now() < held.end.1;
        if is_live { Ok(held.header.clone()) } else { Box::pin(self.renew()).await }
    }

    async fn renew(&self) -> Result<HeaderValue, Error> {
        let url = self.base.join("token")?;
        let response: serde_json::Value = serde_json::from_slice(&body(self.http.post(url).send().await?).await?)?;
        let header =
            HeaderValue::try_from(format!("Bearer {}", response["access_token"].as_str().unwrap_or_default()))?;
        let life = Duration::from_secs(response["expires_in"].as_u64().unwrap_or(60));
        self.held
            .store(Arc::new(Held { header: header.clone(), end: (Instant::now() + life, SystemTime::now() + life) }));
        Ok(header)
    }
}

/// Reads a body within its limits.
async fn body(mut response: Response) -> Result<Bytes, Error> {
    if response.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err("the server of this benchmark does not compress".into());
    }
    let mut body = Bytes::new();
    while let Some(piece) = timeout(IDLE, response.chunk()).await?? {
        if body.len() + piece.len() > MAX_BODY_BYTES {
            return Err("the body is too large".into());
        }
        body = if body.is_empty() { piece } else { [body, piece].concat().into() };
    }
    Ok(body)
}
