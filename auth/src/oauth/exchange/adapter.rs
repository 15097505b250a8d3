//! Sends the requests of the `oauth2` crate by reqwest, with the body encoding of the profile, and tolerates deviations from
//! RFC 6749 in the responses.

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
        token_response::{ErrorFields, redact, shown},
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

/// The maximum size of a token response.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

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
            // The profile may set the content type of forms, since the builder can change the encoding.
            let is_json = |value: &HeaderValue| value.to_str().is_ok_and(|value| value.contains("json"));
            if !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
                request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        accept_gzip(request.headers_mut());
        let received = within(clock.as_ref(), self.limit, async {
            let response = http.fresh().execute(request).await.map_err(broken)?;
            let status = response.status();
            let (headers, mut body) = IncomingBody::of(response);
            match body::collect(&mut body, MAX_RESPONSE_BYTES, clock.as_ref(), self.limit).await {
                Ok(body) => Ok((status, headers, body)),
                Err(body::Failure::TooLarge) if !status.is_success() => Ok((status, headers, bytes::Bytes::new())),
                Err(body::Failure::TooLarge) => {
                    Err(Fault::Unreadable { status, detail: format!("it is larger than {MAX_RESPONSE_BYTES} bytes") })
                }
                Err(body::Failure::Idle) => Err(unavailable("its response stalled".to_owned(), None, true)),
                Err(body::Failure::Broken(source)) => {
                    let what = if source.is_timeout() {
                        "its response did not arrive"
                    } else {
                        "the connection broke within its response"
                    };
                    Err(unavailable(format!("{what}{}", Cause::of(&source).detail(&source)), Some(source), true))
                }
                Err(body::Failure::Gzip(error)) => {
                    Err(unavailable(format!("its response cannot be decompressed: it {error}"), None, true))
                }
                Err(body::Failure::UnknownCoding(coding)) => {
                    let detail = format!("it has the unsupported content coding `{coding}`");
                    Err(Fault::Unreadable { status, detail })
                }
            }
        });
        let Some(received) = received.await else {
            return Err(unavailable(format!("no complete response within {:?}", self.limit), None, true));
        };
        let (status, headers, body) = received?;
        let url = self.exchange.token_url.url();
        let secrets = self.secrets();
        let secrets: Vec<&str> = secrets.iter().map(|secret| secret.as_str()).collect();
        let is_explained = is_transient(status) || status.is_redirection();
        if let Some(fields) = ErrorFields::read(&body, &secrets).filter(|fields| fields.is_final() || !is_explained) {
            let ErrorFields { error, description } = fields;
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
        if is_transient(status) {
            return Err(Fault::Unavailable {
                detail: format!("it responded with {}", status.as_u16()),
                status: Some(status),
                retry_after: retry_after(&headers, clock.wall()),
                // After another 5xx, such as the timeout of a gateway, the request may have been processed.
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

    /// Returns the secrets of the request, which no message may show.
    fn secrets(&self) -> Vec<Zeroizing<String>> {
        let fields = self.exchange.profile.token_fields.iter().map(|(_, value)| value);
        let others = self.refresh_token.into_iter().chain(fields).map(Secret::expose);
        let secrets = self.credentials.secrets().chain(others).map(str::to_owned);
        secrets.chain([self.pair(), self.encoded_pair()]).map(Zeroizing::new).collect()
    }

    fn plain_basic(&self) -> Result<HeaderValue, Fault> {
        HeaderValue::from_str(&format!("Basic {}", self.pair())).map_err(|_| {
            unavailable("the credentials contain a character that no header allows".to_owned(), None, false)
        })
    }

    /// Returns `id:secret` in Base64.
    fn pair(&self) -> String {
        let Credentials { client_id, client_secret, .. } = self.credentials;
        STANDARD.encode(Zeroizing::new(format!("{client_id}:{}", client_secret.expose())).as_bytes())
    }

    /// Returns `id:secret` as the `oauth2` crate sends it in a Basic header: both form-encoded, then Base64.
    fn encoded_pair(&self) -> String {
        let encoded = |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
        let Credentials { client_id, client_secret, .. } = self.credentials;
        let secret = Zeroizing::new(encoded(client_secret.expose()));
        STANDARD.encode(Zeroizing::new(format!("{}:{}", encoded(client_id), *secret)).as_bytes())
    }
}

/// Returns true for statuses of transient failures, which do not depend on the grant.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Returns the start of an error body without the secrets of the request, which a server may echo.
fn error_body(body: &bytes::Bytes, secrets: &[&str]) -> ErrorBody {
    let text = String::from_utf8_lossy(body);
    let redacted = redact(&text, secrets);
    let body = if redacted == text { body.clone() } else { redacted.into_bytes().into() };
    ErrorBody(body.slice(..body.len().min(body::MAX_ERROR_BODY_BYTES)))
}

/// Returns the fields of a form as a JSON object of strings.
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
        Cause::Timeout => "no response",
        Cause::Head => "its response cannot be read",
        _ => "the connection broke",
    };
    unavailable(format!("{what}{}", cause.detail(&source)), Some(source), lost)
}

pub(super) fn fault_of(error: RequestTokenError<Fault, BasicErrorResponse>) -> Fault {
    let unreadable = |detail: String| Fault::Unreadable { status: StatusCode::OK, detail };
    match error {
        RequestTokenError::Request(fault) => fault,
        RequestTokenError::Parse(error, _) => unreadable(reason(error.inner())),
        // The adapter handles all other responses.
        RequestTokenError::ServerResponse(_) | RequestTokenError::Other(_) => {
            unreadable("it is not a token response".to_owned())
        }
    }
}

/// Returns the problem of a response without its values. Messages of serde_json quote values, so only those of this crate are
/// used, and that of a duplicate field.
fn reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    if let Some((field, _)) = message.strip_prefix("duplicate field ").and_then(|rest| rest.rsplit_once(" at line ")) {
        return format!("it has more than one {field}");
    }
    let is_ours = message.starts_with('`') || message.starts_with("no `");
    match error.classify() {
        serde_json::error::Category::Data if is_ours => {
            message.rsplit_once(" at line ").map_or(message.clone(), |(what, _)| what.to_owned())
        }
        serde_json::error::Category::Data => "it is JSON, but not an object".to_owned(),
        serde_json::error::Category::Eof => "it is JSON that ends too early".to_owned(),
        _ => "it is not JSON".to_owned(),
    }
}
