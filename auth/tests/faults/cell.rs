//! One cell of a table: a client of one grant, a fault, and what comes of it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use futures_util::future::join_all;
use perenso_auth::{AccessToken, AuthorizationCode, Client, Credentials, Error, ErrorKind, Profile, TokenPolicy};

use crate::{
    clock::{DEADLINE, Hasty},
    endpoint::{Endpoint, Wire},
};

/// All attempts of one grant together, and the pauses between them.
const TOTAL: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// The longest that a refusal, or a pause that the server asked for, is remembered.
const MEMORY: Duration = Duration::from_secs(60);
const CALLERS: usize = 8;

/// A column: how the token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    ClientCredentials,
    Password,
    Code,
    RefreshCredentialsBehind,
    /// Of a code, which is used up.
    RefreshPersonBehind,
}

impl Grant {
    pub const ALL: [Self; 5] = [
        Self::ClientCredentials,
        Self::Password,
        Self::Code,
        Self::RefreshCredentialsBehind,
        Self::RefreshPersonBehind,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client credentials",
            Self::Password => "password",
            Self::Code => "code",
            Self::RefreshCredentialsBehind => "refresh, credentials behind",
            Self::RefreshPersonBehind => "refresh, person behind",
        }
    }

    fn credentials(self) -> Credentials {
        let client = Credentials::new("client-1", "s3cr3t");
        match self {
            Self::ClientCredentials | Self::RefreshCredentialsBehind => client,
            Self::Password => client.user("ada", "pa55w0rd"),
            Self::Code | Self::RefreshPersonBehind => {
                client.code(AuthorizationCode::new("code-1", "https://desk.example/callback"))
            }
        }
    }

    fn is_refresh(self) -> bool {
        REFRESHES.contains(&self)
    }
}

pub const REFRESHES: [Grant; 2] = [Grant::RefreshCredentialsBehind, Grant::RefreshPersonBehind];

/// The part of a token that a cell shows.
#[derive(Clone, Copy)]
pub enum Shown {
    Ending,
    Lifetime,
}

/// The outcome.
pub struct Ending {
    pub cell: String,
    pub error: Option<String>,
    /// Violations that no fault may cause.
    pub oddities: Vec<String>,
}

/// The outcome of one call.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    ending: String,
    error: Option<String>,
    retry_after: Option<Duration>,
}

impl Call {
    fn new(result: Result<AccessToken, Error>, shown: Shown) -> Self {
        let error = match result {
            Ok(token) => {
                let ending = match shown {
                    Shown::Ending => "token".to_owned(),
                    Shown::Lifetime => token.expires_in().as_secs().to_string(),
                };
                return Self { ending, error: None, retry_after: None };
            }
            Err(error) => error,
        };
        let ending = match error.kind() {
            ErrorKind::Refused => "refused".to_owned(),
            ErrorKind::Redirect => "redirect".to_owned(),
            ErrorKind::PersonNeeded => "person".to_owned(),
            ErrorKind::TokenUnavailable => "unavailable".to_owned(),
            other => format!("{other:?}"),
        };
        Self { ending, error: Some(error.to_string()), retry_after: error.retry_after() }
    }
}

pub struct Cell {
    grant: Grant,
    pub clock: Hasty,
    pub endpoint: Endpoint,
    pub client: Client,
}

impl Cell {
    /// A client whose next token request is of this grant, once its token has ended.
    pub async fn start(grant: Grant) -> Self {
        let clock = Hasty::default();
        let endpoint = Endpoint::start(clock.clone()).await;
        let client = Client::builder(Profile::new("faults").default_lifetime(Duration::from_secs(900)))
            .credentials(grant.credentials())
            .token_url("http://localhost/token")
            .api_url("http://localhost")
            .memory_only()
            .clock(clock.clone())
            .http_builder(endpoint.http())
            .token_policy(
                TokenPolicy::default().attempt(DEADLINE).total(TOTAL).attempts(4).backoff(FIRST_PAUSE, LONGEST_PAUSE),
            )
            .build()
            .unwrap();
        if grant.is_refresh() {
            client.token(Duration::ZERO).await.unwrap();
        }
        Self { grant, clock, endpoint, client }
    }

    /// The fault strikes so many requests; three calls, the second right after the first, the third when nothing of either
    /// is remembered.
    pub async fn run(self, wire: Wire, times: usize, shown: Shown) -> Ending {
        self.clock.advance(Duration::from_secs(300));
        let asked = retry_after(&wire);
        let (start, read) = (self.endpoint.requests(), self.endpoint.grants().len());
        self.endpoint.fail(wire, times);
        let mut oddities = Vec::new();
        let first = self.call(shown, &mut oddities).await;
        let requests = self.endpoint.requests() - start;
        oddities.extend(self.odd_retry_after_values(requests, asked));
        oddities.extend(self.odd_grants(&self.endpoint.grants()[read..]));
        if first.retry_after != asked.filter(|_| first.ending == "unavailable") {
            oddities.push(format!("names a pause of {:?}", first.retry_after));
        }
        let second = self.call(shown, &mut oddities).await;
        let again = self.endpoint.requests() - start - requests;
        // A fault that is neither retried nor remembered may have ended before the second call.
        let is_over = again > 0 && second.ending == "token";
        if first != second && !is_over {
            oddities.push(format!("the second call went like {second:?}, the first like {first:?}"));
        }
        self.clock.advance(MEMORY);
        self.call(shown, &mut oddities).await;
        let later = self.endpoint.requests() - start - requests - again;
        let cell = format!("{} {requests}+{again}+{later}", first.ending);
        Ending { cell, error: first.error, oddities }
    }

    /// One call by many callers, who all fare alike.
    async fn call(&self, shown: Shown, oddities: &mut Vec<String>) -> Call {
        let mut all = pin!(join_all((0..CALLERS).map(|_| self.client.token(Duration::ZERO))));
        // No renewal ends before all of them have asked.
        self.endpoint.set_open(false);
        let done = poll_fn(|context| Poll::Ready(all.as_mut().poll(context))).await;
        self.endpoint.set_open(true);
        let all = async move { if let Poll::Ready(all) = done { all } else { all.await } };
        let Ok(all) = tokio::time::timeout(Duration::from_secs(60), all).await else {
            return Call { ending: "endless".to_owned(), error: None, retry_after: None };
        };
        let mut all: Vec<_> = all.into_iter().map(|result| Call::new(result, shown)).collect();
        if all.iter().any(|other| *other != all[0]) {
            oddities.push(format!("its callers fare differently: {all:?}"));
        }
        all.swap_remove(0)
    }

    /// Backoff between the requests of an original grant, and no less than the server asked for.
    fn odd_retry_after_values(&self, requests: usize, asked: Option<Duration>) -> Vec<String> {
        let pauses = self.clock.pauses();
        let mut oddities = Vec::new();
        let (least, most) = asked.map_or((FIRST_PAUSE, LONGEST_PAUSE), |asked| (asked, asked));
        if pauses.iter().any(|pause| *pause < least || *pause > most) {
            oddities.push(format!("pauses {pauses:?}"));
        }
        let kept = asked.is_some_and(|asked| asked < TOTAL);
        let expected = match self.grant {
            // From the refresh to the original grant without a pause, unless the server asks for one.
            Grant::RefreshCredentialsBehind if !kept => requests.saturating_sub(2),
            // Once more after a lost response.
            Grant::RefreshPersonBehind if !kept && requests == 2 => pauses.len().min(1),
            _ => requests.saturating_sub(1),
        };
        if pauses.len() != expected {
            oddities.push(format!("{} pauses between {requests} requests", pauses.len()));
        }
        oddities
    }

    /// One refresh where there is an original grant behind it, and only the one refresh token where there is none.
    fn odd_grants(&self, read: &[String]) -> Vec<String> {
        let is_odd = match self.grant {
            Grant::ClientCredentials => read.iter().any(|grant| grant != "client_credentials"),
            Grant::Password => read.iter().any(|grant| grant != "password"),
            Grant::Code => read.iter().any(|grant| grant != "authorization_code"),
            Grant::RefreshCredentialsBehind => {
                let mut late = read.iter().skip(1);
                late.any(|grant| grant != "client_credentials")
            }
            Grant::RefreshPersonBehind => read.iter().any(|grant| grant != "refresh_token ref-0"),
        };
        is_odd.then(|| format!("sends {read:?}")).into_iter().collect()
    }
}

/// The pause that a response asks for; a refusal is final, whatever else it says.
pub fn retry_after(wire: &Wire) -> Option<Duration> {
    let Wire::Answer(status, headers, _) = wire else { return None };
    if ["400", "401", "403"].contains(&&status[..3]) {
        return None;
    }
    let seconds = headers.strip_prefix("retry-after: ")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
