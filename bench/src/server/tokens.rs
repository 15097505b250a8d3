//! The tokens that the server has issued. A refresh token is valid for one use. A second use revokes all tokens of the same
//! original grant, as after a theft.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

/// The access token in the first response.
pub(crate) const FIRST_TOKEN: &str = "tok-0-0";
/// The lifetime of all later tokens, so long that none expires during a measurement.
const LATER_LIFE: Duration = Duration::from_secs(3600);

/// The behavior of the token endpoint.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    /// The delay of a response.
    pub(crate) delay: Duration,
    /// The lifetime of the first token, in whole seconds.
    pub(crate) first_life: Duration,
    /// Issues refresh tokens if true.
    pub(crate) rotating: bool,
    /// Polls its sockets and never sleeps. A client that sends has nobody to wake, as if the server were another machine.
    pub(crate) awake: bool,
}

impl Terms {
    /// No delay, and long-lived tokens without refresh tokens.
    pub(crate) const LASTING: Self =
        Self { delay: Duration::ZERO, first_life: LATER_LIFE, rotating: false, awake: false };

    pub(crate) fn to_args(self) -> [String; 4] {
        let Self { delay, first_life, rotating, awake } = self;
        [delay.as_millis().to_string(), first_life.as_secs().to_string(), rotating.to_string(), awake.to_string()]
    }

    /// Parses the arguments of [`to_args`](Self::to_args). Returns `None` if they are others.
    pub(crate) fn from_args(args: &[String]) -> Option<Self> {
        let [delay, first_life, rotating, awake] = args else { return None };
        Some(Self {
            delay: Duration::from_millis(delay.parse().ok()?),
            first_life: Duration::from_secs(first_life.parse().ok()?),
            rotating: rotating.parse().ok()?,
            awake: awake.parse().ok()?,
        })
    }
}

/// The issued tokens. A token contains its family and its number: `tok-<family>-<number>`.
#[derive(Default)]
pub(super) struct Tokens {
    requests: usize,
    families: usize,
    live: HashMap<String, Instant>,
    unused: HashSet<String>,
}

impl Tokens {
    /// Returns status and body of the response to a token request.
    pub(super) fn grant(&mut self, form: &str, terms: Terms) -> (&'static str, String) {
        let number = self.requests;
        self.requests += 1;
        let refresh_token = form.split('&').find_map(|field| field.strip_prefix("refresh_token="));
        let family = match refresh_token {
            None => {
                self.families += 1;
                (self.families - 1).to_string()
            }
            Some(token) if self.unused.remove(token) => family(token).to_owned(),
            Some(stolen) => {
                self.live.retain(|token, _| family(token) != family(stolen));
                self.unused.retain(|token| family(token) != family(stolen));
                return ("400 Bad Request", r#"{"error":"invalid_grant"}"#.to_owned());
            }
        };
        let life = if number == 0 { terms.first_life } else { LATER_LIFE };
        let (access, refresh) = (format!("tok-{family}-{number}"), format!("ref-{family}-{number}"));
        let mut response =
            serde_json::json!({"access_token": access, "token_type": "Bearer", "expires_in": life.as_secs()});
        if terms.rotating {
            response["refresh_token"] = refresh.as_str().into();
            self.unused.insert(refresh);
        }
        self.live.insert(access, Instant::now() + terms.delay + life);
        ("200 OK", response.to_string())
    }

    pub(super) fn takes(&self, token: &str) -> bool {
        self.live.get(token).is_some_and(|end| Instant::now() < *end)
    }

    pub(super) fn revoke(&mut self) {
        self.live.clear();
    }

    pub(super) fn requests(&self) -> usize {
        self.requests
    }
}

fn family(token: &str) -> &str {
    token.split('-').nth(1).unwrap_or_default()
}
