//! Carries the requests of the `oauth2` crate over reqwest, writes their bodies as the profile says, and forgives in the
//! answers what RFC 6749 would not.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError, basic::BasicErrorResponse};
use zeroize::Zeroizing;

use super::Exchange;
use crate::{
    clock::within,
    oauth::{
        credentials::Credentials,
        fault::{ErrorBody, Fault, Refusal},
        token_response::{ErrorAnswer, redact, shown},
    },
    profile::grant::{BodyEncoding, ClientAuth},
    secret::Secret,
    wire::{
        body::{self, IncomingBody},
        connection::Cause,
        retry_after::retry_after,
        transport::{accept_gzip, address, location},
    },
};

/// No honest token answer is larger.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// One attempt.
pub(super) struct Adapter<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) credentials: &'a Credentials,
    pub(super) place: ClientAuth,
    pub(super) refresh_token: Option<&'a Secret>,
    pub(super) limit: Duration,
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
        if profile.body_encoding == BodyEncoding::Json {
            let form = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
            *request.body_mut() = Some(json_of(form).into());
            // The content type of a profile may be one of forms: the encoding can be switched.
            let is_json = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("json"));
            if !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
                request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        accept_gzip(request.headers_mut());
        let answer = within(clock.as_ref(), self.limit, async {
            let response = http.fresh().execute(request).await.map_err(broken)?;
            let status = response.status();
            let (headers, body) = IncomingBody::of(response);
            match body::collect(body, LARGEST_ANSWER, clock.as_ref(), self.limit).await {
                Ok(body) => Ok((status, headers, body)),
                Err(body::Failure::TooLarge) if !status.is_success() => Ok((status, headers, bytes::Bytes::new())),
                Err(body::Failure::TooLarge) => {
                    Err(Fault::Unreadable { status, detail: format!("it is larger than {LARGEST_ANSWER} bytes") })
                }
                Err(body::Failure::Idle) => Err(unavailable("its answer stopped coming".to_owned(), None, true)),
                Err(body::Failure::Broken(source)) => {
                    let what = if source.is_timeout() { "its answer was not there" } else { "its answer broke off" };
                    Err(unavailable(format!("{what}{}", Cause::of(&source).detail(&source)), Some(source), true))
                }
                Err(body::Failure::Gzip(error)) => {
                    Err(unavailable(format!("its answer cannot be decompressed: it {error}"), None, true))
                }
                Err(body::Failure::UnknownCoding(coding)) => {
                    let detail = format!("it has the content coding `{coding}`, which is not decoded here");
                    Err(Fault::Unreadable { status, detail })
                }
            }
        });
        let Some(answer) = answer.await else {
            return Err(unavailable(format!("no whole answer within {:?}", self.limit), None, true));
        };
        let (status, headers, body) = answer?;
        let url = self.exchange.token_url.url();
        let secrets = self.secrets();
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let says_no_more = is_passing(status) || status.is_redirection();
        if let Some(answer) = ErrorAnswer::read(&body, &secrets).filter(|answer| answer.is_final() || !says_no_more) {
            let ErrorAnswer { error, description } = answer;
            return Err(Fault::Refused(Refusal { status, error, description, body: error_body(&body, &secrets) }));
        }
        if status.is_success() {
            let body = body::without_mark(&body);
            if body.iter().all(u8::is_ascii_whitespace) {
                return Err(Fault::Unreadable { status, detail: "it is empty".to_owned() });
            }
            return Ok(HttpResponse::new(body.to_vec()));
        }
        if status.is_redirection() {
            return Err(Fault::Redirected { status, to: shown(&location(&headers, url), &secrets) });
        }
        if is_passing(status) {
            return Err(Fault::Unavailable {
                detail: format!("it answered {}", status.as_u16()),
                status: Some(status),
                retry_after: retry_after(&headers, clock.wall()),
                // A gateway that gave up waiting, or a server that broke at work, may have carried the request out.
                lost: status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE,
                source: None,
            });
        }
        let body = error_body(&body, &secrets);
        Err(match status {
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                Fault::Refused(Refusal { status, error: None, description: None, body })
            }
            _ => Fault::UnexpectedStatus { status, url: shown(&address(url), &secrets), body },
        })
    }

    /// What an error text must not hold.
    fn secrets(&self) -> Vec<Zeroizing<String>> {
        let fields = self.exchange.profile.token_fields.iter().map(|(_, value)| value);
        let others = self.refresh_token.into_iter().chain(fields).map(Secret::expose);
        let secrets = self.credentials.secrets().chain(others).map(str::to_owned);
        secrets.chain([self.pair(), self.encoded_pair()]).map(Zeroizing::new).collect()
    }

    fn plain_basic(&self) -> Result<HeaderValue, Fault> {
        HeaderValue::from_str(&format!("Basic {}", self.pair()))
            .map_err(|_| unavailable("the credentials fit no header".to_owned(), None, false))
    }

    /// Id and secret as plain Base64.
    fn pair(&self) -> String {
        let Credentials { client_id, client_secret, .. } = self.credentials;
        STANDARD.encode(Zeroizing::new(format!("{client_id}:{}", client_secret.expose())).as_bytes())
    }

    /// Id and secret as the `oauth2` crate sends them in a Basic header: form-encoded, then Base64.
    fn encoded_pair(&self) -> String {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let Credentials { client_id, client_secret, .. } = self.credentials;
        let secret = Zeroizing::new(encoded(client_secret.expose()));
        STANDARD.encode(Zeroizing::new(format!("{}:{}", encoded(client_id), *secret)).as_bytes())
    }
}

/// Whether the status says something about the moment, and not about the grant.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// The start of an error body. A server may echo what was sent, so secrets are taken out of it.
fn error_body(body: &bytes::Bytes, secrets: &[&str]) -> ErrorBody {
    let text = String::from_utf8_lossy(body);
    let redacted = redact(&text, secrets);
    let body = if redacted == text { body.clone() } else { redacted.into_bytes().into() };
    ErrorBody(body.slice(..body.len().min(body::MAX_ERROR_BODY_BYTES)))
}

/// The fields of a form as a JSON object of texts.
fn json_of(form: &[u8]) -> Vec<u8> {
    let fields: serde_json::Map<_, _> =
        form_urlencoded::parse(form).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    serde_json::Value::Object(fields).to_string().into_bytes()
}

fn unavailable(detail: String, source: Option<reqwest::Error>, lost: bool) -> Fault {
    let source = source.map(|source| Arc::new(source.without_url()));
    Fault::Unavailable { detail, status: None, retry_after: None, lost, source }
}

fn broken(source: reqwest::Error) -> Fault {
    let cause = Cause::of(&source);
    let lost = !source.is_connect() && !cause.is_final();
    let what = match cause {
        _ if !lost => "no connection",
        Cause::Timeout => "no answer",
        Cause::Head => "its answer cannot be read",
        _ => "the connection broke",
    };
    unavailable(format!("{what}{}", cause.detail(&source)), Some(source), lost)
}

pub(super) fn fault_of(error: RequestTokenError<Fault, BasicErrorResponse>) -> Fault {
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
    if let Some((field, _)) = text.strip_prefix("duplicate field ").and_then(|rest| rest.rsplit_once(" at line ")) {
        return format!("it has more than one {field}, and only one can be right");
    }
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
