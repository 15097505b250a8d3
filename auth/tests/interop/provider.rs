//! `oidc-provider` as a child process: it ends with the test that started it, however that ends.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use http::{
    HeaderValue, Method,
    header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE},
};
use perenso_auth::{Client, ClientAuth, Credentials, Profile};

/// `%2B` is no plus sign, `%zz` no escape, and a colon ends no id: whoever encodes once too little or once too often is
/// found out. Printable ASCII, as RFC 6749 appendix A.2 has it: the server keeps no other secret.
pub const SECRET: &str = r#"a b+c%2B:d%zz&e=f"g\h/i?j#k~l*m'n;o<p>q@r|s`t{u}"#;

const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
/// A busy machine needs seconds to start it.
const LONGEST_START: Duration = Duration::from_secs(120);

pub struct Provider {
    pub url: String,
    process: Child,
}

impl Provider {
    /// The server, or `None` where this machine cannot run it: then standard error says what is missing. With
    /// `PERENSO_REQUIRE_INTEROP` that is a failure.
    pub fn start() -> Option<Self> {
        if let Err(missing) = requirements() {
            assert!(std::env::var_os("PERENSO_REQUIRE_INTEROP").is_none(), "{missing}");
            let name = std::thread::current().name().unwrap_or("interop").to_owned();
            // Past the capture of the test harness: a test that was skipped says so.
            std::io::stderr().write_all(format!("SKIPPED {name}: {missing}\n").as_bytes()).unwrap();
            return None;
        }
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(HOME)
            .env("INTEROP_SECRET", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut provider = Self { url: String::new(), process };
        let (sender, address) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        provider.url = address.recv_timeout(LONGEST_START).expect("the server ended, or did not start in time");
        Some(provider)
    }

    /// The profile of this server, with the credentials in this place.
    pub fn profile(&self, place: ClientAuth) -> Profile {
        Profile::new("oidc-provider")
            .token_url(format!("{}/token", self.url))
            .api_url(self.url.clone())
            .client_auth(place)
            .refresh_client_auth(place)
    }

    /// The requests for tokens and for stock so far, with the status of each response.
    pub async fn journal(&self) -> Vec<String> {
        serde_json::from_slice(&self.request("GET", "/test/journal", &[]).await).unwrap()
    }

    /// Returns the number of lines of the journal with this prefix.
    pub async fn count(&self, beginning: &str) -> usize {
        self.journal().await.iter().filter(|line| line.starts_with(beginning)).count()
    }

    /// Moves the server's clock, and no other.
    pub async fn advance(&self, seconds: u64) {
        self.request("POST", &format!("/test/advance?seconds={seconds}"), &[]).await;
    }

    /// The refresh tokens that it gave out so far.
    pub async fn refresh_tokens(&self) -> Vec<String> {
        serde_json::from_slice(&self.request("GET", "/test/refresh-tokens", &[]).await).unwrap()
    }

    /// Uses a refresh token of the client `id` behind its back.
    pub async fn refresh(&self, id: &str, token: &str) {
        let grant = ("grant_type", "refresh_token");
        let form = [grant, ("refresh_token", token), ("client_id", id), ("client_secret", SECRET)];
        self.request("POST", "/token", &form).await;
    }

    /// RFC 7009: the client `id` gives this token up.
    pub async fn revoke(&self, id: &str, token: &str) {
        let form = [("token", token), ("client_id", id), ("client_secret", SECRET)];
        self.request("POST", "/token/revocation", &form).await;
    }

    /// Breaks the connection of the next request for a token, `"before"` the server has read it or `"after"` it has
    /// carried it out.
    pub async fn cut(&self, when: &str) {
        self.request("POST", &format!("/test/cut?when={when}"), &[]).await;
    }

    /// Grants access as a person with a browser does: follows the redirects and keeps the cookies until a redirect leaves the
    /// server. Returns that address, which is the callback.
    pub async fn allow(&self, address: &str) -> String {
        let mut address = address.to_owned();
        let mut cookies = BTreeMap::new();
        while address.starts_with(&self.url) {
            let mut request = reqwest::Request::new(Method::GET, address.parse().unwrap());
            let jar: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(COOKIE, jar.join("; ").parse().unwrap());
            let response = self.bystander().execute(request).await.unwrap();
            assert!(response.status().is_redirection(), "{} for {address}", response.status());
            for cookie in response.headers().get_all(SET_COOKIE) {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned());
            }
            let next = response.headers()[LOCATION].to_str().unwrap();
            address = response.url().join(next).unwrap().into();
        }
        address
    }

    /// A request of somebody else than the client under test; the body of its response, which must be a success.
    async fn request(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Vec<u8> {
        let url = format!("{}{path}", self.url).parse().unwrap();
        let mut request = reqwest::Request::new(method.parse().unwrap(), url);
        if !form.is_empty() {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.body_mut() = Some(form.into());
        }
        let response = self.bystander().execute(request).await.unwrap();
        assert!(response.status().is_success(), "{} for {path}", response.status());
        response.bytes().await.unwrap().to_vec()
    }

    /// It follows no redirect, and no proxy of the environment gets in between.
    fn bystander(&self) -> reqwest::Client {
        let client = Client::builder(self.profile(ClientAuth::Body)).credentials(Credentials::new("nobody", "none"));
        client.build().unwrap().http().clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn requirements() -> Result<(), String> {
    let version = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        return Err("no `node` on this machine: install Node.js 20 or later, then run `just interop`".to_owned());
    }
    if !Path::new(HOME).join("node_modules/oidc-provider").is_dir() {
        return Err("the packages of auth/tests/interop are not installed: run `just interop`".to_owned());
    }
    Ok(())
}
