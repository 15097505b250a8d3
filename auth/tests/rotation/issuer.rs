//! A token server that rotates its refresh tokens, and ends a whole grant when an old one comes back; and the API that
//! takes its tokens.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use crate::server::{Reply, Seen, Server};

/// The lifetime of an access token.
pub const LIFETIME: Duration = Duration::from_secs(300);
/// The delay of a response, long enough for concurrent requests.
const DELAY: Duration = Duration::from_millis(20);

/// The fate of a token request whose response is lost.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// It was never processed.
    Before,
    /// It was processed all the same.
    After,
    /// The server says that it did not process it.
    Unavailable,
}

/// Stops when dropped.
pub struct Issuer {
    pub server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The time as it really is, since the test began.
    now: Duration,
    /// The offset of the server's clock, in seconds.
    skew: i64,
    issued: usize,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    codes: HashSet<String>,
    grants: usize,
    dead: HashSet<usize>,
    losses: VecDeque<Loss>,
    journal: Vec<String>,
    reuses: usize,
    rejections: usize,
    late: usize,
}

struct Access {
    grant: usize,
    ends: Duration,
    is_revoked: bool,
}

struct Refresh {
    grant: usize,
    is_used: bool,
}

impl Issuer {
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |seen| {
            let mut state = shared.lock().unwrap();
            match seen.path.as_str() {
                "/token" => state.token(seen).late(DELAY),
                _ => state.api(seen),
            }
        });
        Self { server: server.await, state }
    }

    pub fn pass(&self, time: Duration) {
        self.state().now += time;
    }

    /// The server believes that it is so many seconds later than it is.
    pub fn skew(&self, seconds: i64) {
        self.state().skew = seconds;
    }

    /// The next token response does not arrive.
    pub fn lose(&self, loss: Loss) {
        self.state().losses.push_back(loss);
    }

    /// All token responses arrive.
    pub fn lose_no_more(&self) {
        self.state().losses.clear();
    }

    /// Ends the newest access token, and leaves its refresh token.
    pub fn revoke_token(&self) {
        let mut state = self.state();
        let newest = format!("tok-{}", state.issued);
        state.access.get_mut(&newest).unwrap().is_revoked = true;
    }

    /// Ends the newest grant with all that came of it.
    pub fn revoke_grant(&self) {
        let mut state = self.state();
        let newest = state.grants;
        state.dead.insert(newest);
    }

    /// The token requests since this was last asked: grant type, and what became of it.
    pub fn journal(&self) -> Vec<String> {
        std::mem::take(&mut self.state().journal)
    }

    /// The number of times that an old refresh token was sent.
    pub fn reuses(&self) -> usize {
        self.state().reuses
    }

    /// The number of API requests with an expired token.
    pub fn late(&self) -> usize {
        self.state().late
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn token(&mut self, seen: &Seen) -> Reply {
        let kind = seen.field("grant_type").unwrap();
        let loss = self.losses.pop_front();
        if matches!(loss, Some(Loss::Before)) {
            self.journal.push(format!("{kind}: lost before"));
            return Reply::Close;
        }
        if matches!(loss, Some(Loss::Unavailable)) {
            self.journal.push(format!("{kind}: unavailable"));
            return Reply::status(503);
        }
        let grant = match kind.as_str() {
            "refresh_token" => self.redeem(&seen.field("refresh_token").unwrap()),
            "authorization_code" if !self.codes.insert(seen.field("code").unwrap()) => None,
            _ => {
                self.grants += 1;
                Some(self.grants)
            }
        };
        let ending = match (grant, loss) {
            (_, Some(_)) => "lost after",
            (None, None) => "refused",
            (Some(_), None) => "granted",
        };
        self.journal.push(format!("{kind}: {ending}"));
        let reply = match grant {
            Some(grant) => self.issue(grant),
            None => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        };
        if loss.is_some() { Reply::Close } else { reply }
    }

    /// The grant of a refresh token that is good; one that was used before ends it.
    fn redeem(&mut self, token: &str) -> Option<usize> {
        let refresh = self.refresh.get_mut(token)?;
        if std::mem::replace(&mut refresh.is_used, true) {
            self.reuses += 1;
            self.dead.insert(refresh.grant);
        }
        Some(refresh.grant).filter(|grant| !self.dead.contains(grant))
    }

    fn issue(&mut self, grant: usize) -> Reply {
        self.issued += 1;
        let n = self.issued;
        self.access.insert(format!("tok-{n}"), Access { grant, ends: self.now + LIFETIME, is_revoked: false });
        self.refresh.insert(format!("ref-{n}"), Refresh { grant, is_used: false });
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(self.believed());
        let (iat, life) = (self.believed(), LIFETIME.as_secs());
        let body = format!(
            r#"{{"access_token":"tok-{n}","refresh_token":"ref-{n}","expires_in":{life},"iat":{iat},"exp":{}}}"#,
            iat + life
        );
        Reply::json(200, body).with("date", &httpdate::fmt_http_date(date))
    }

    /// The seconds since 1970, as the server believes them: 2026 began with the test.
    fn believed(&self) -> u64 {
        (1_767_225_600 + self.now.as_secs()).saturating_add_signed(self.skew)
    }

    fn api(&mut self, seen: &Seen) -> Reply {
        let Some(access) = self.access.get(seen.bearer()) else { return Reply::status(401) };
        if access.ends <= self.now {
            self.late += 1;
            return Reply::status(401);
        }
        if access.is_revoked || self.dead.contains(&access.grant) {
            self.rejections += 1;
            let reply = Reply::status(401);
            // Some hear of it when others have another token already.
            return if self.rejections.is_multiple_of(3) { reply.late(DELAY * 5) } else { reply };
        }
        Reply::json(200, "[]")
    }
}
