//! One show of a registry: its profile, its secrets from files, its settings.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::file::Show;
use crate::{
    error::BuildError,
    oauth::credentials::{AuthorizationCode, Credentials, CredentialsProvider},
    pasted_value,
    pipeline::{api_headers::HeaderSource, builder::ClientBuilder, client::Client},
    profile::{Profile, TenantRegion},
    secret::Secret,
};

/// Returns the builder of a show with the settings of the file.
pub(super) fn builder(name: &str, mut show: Show, directory: &Path) -> Result<ClientBuilder, BuildError> {
    if let Some(problem) = show.trim() {
        return Err(BuildError::new([format!("the show `{name}`: {problem}")]));
    }
    let profile = profile(name, &show, directory)?;
    let secrets = SecretFiles::of(name, &show, directory)?;
    let header_source = header_source(name, &show, directory);
    // Read now, so that a wrong path is an error at startup and not at the first call.
    let credentials = secrets.read().map_err(|problem| BuildError::new([problem]))?;
    if let [first, ..] = &credentials.problems(&profile)[..] {
        return Err(BuildError::new([format!("the show `{name}`: {first}")]));
    }
    let needs_a_person = credentials.grant().needs_a_person();
    let provider = Provider { files: secrets, first: Mutex::new(Some(credentials)) };
    let mut builder = Client::builder(profile).credentials_provider(provider).label(name);
    if let Some(source) = header_source {
        builder = builder.api_header_source(source);
    }
    if needs_a_person {
        builder = builder.needs_a_person();
    }
    if let Some(url) = show.api_url {
        builder = builder.api_url(url);
    }
    if let Some(url) = show.token_url {
        builder = builder.token_url(url);
    }
    if let Some(scope) = show.scope {
        builder = builder.scope(scope);
    }
    if let Some(place) = show.client_auth {
        builder = builder.client_auth(place.into());
    }
    if let Some(place) = show.refresh_client_auth {
        builder = builder.refresh_client_auth(place.into());
    }
    if let Some(encoding) = show.body_encoding {
        builder = builder.body_encoding(encoding.into());
    }
    if let Some(rate) = show.rate {
        builder = builder.rate(rate.into());
    }
    if show.memory_only {
        builder = builder.memory_only();
    }
    Ok(show.allow_http.into_iter().fold(builder, ClientBuilder::allow_http))
}

fn profile(name: &str, show: &Show, directory: &Path) -> Result<Profile, BuildError> {
    let fail = |problem: String| BuildError::new([format!("the show `{name}`: {problem}")]);
    let secret = |key: &str, path: &Option<PathBuf>| match path {
        Some(path) => read(key, &directory.join(path)).map_err(fail),
        None => Err(fail(format!("no `{key}`"))),
    };
    Ok(match show.profile.as_str() {
        "perenso" => Profile::perenso(),
        "priava" => {
            let region = show.region.as_deref().ok_or_else(|| fail("no `region`".to_owned()))?;
            Profile::priava(region.parse::<TenantRegion>().map_err(|error| fail(format!("`region`: {error}")))?)
        }
        "perspio" => Profile::perspio(
            secret("tid_file", &show.tid_file)?,
            secret("subscription_key_file", &show.subscription_key_file)?,
        ),
        "event-bookings" => Profile::event_bookings(),
        "tourpaq" => Profile::tourpaq(),
        _ => {
            let known = "`perenso`, `priava`, `perspio`, `event-bookings` and `tourpaq`";
            return Err(fail(format!("expected one of {known} as its `profile`")));
        }
    })
}

/// Returns a source that reads the headers from files again.
fn header_source(name: &str, show: &Show, directory: &Path) -> Option<HeaderSource> {
    show.tid_file.as_ref().or(show.subscription_key_file.as_ref())?;
    let (name, show, directory) = (name.to_owned(), show.clone(), directory.to_owned());
    Some(Arc::new(move || {
        let profile = profile(&name, &show, &directory).ok()?;
        profile.problems.is_empty().then_some(profile.api_headers)
    }))
}

/// Credentials whose secrets are in files. The files are read each time the credentials are requested.
#[derive(Clone)]
struct SecretFiles {
    show: String,
    client_id: String,
    client_secret: PathBuf,
    grant: GrantCredentials,
}

#[derive(Clone)]
enum GrantCredentials {
    None,
    User { name: String, password: PathBuf },
    Code { code: PathBuf, redirect_uri: String },
    RefreshToken(PathBuf),
}

impl SecretFiles {
    fn of(name: &str, show: &Show, directory: &Path) -> Result<Self, BuildError> {
        let fail = |problem: &str| Err(BuildError::new([format!("the show `{name}`: {problem}")]));
        let user = (&show.username, &show.password_file);
        let code = (&show.code_file, &show.redirect_uri);
        let grant = match (user, code, &show.refresh_token_file) {
            ((None, None), (None, None), None) => GrantCredentials::None,
            ((Some(user), Some(password)), (None, None), None) => {
                GrantCredentials::User { name: user.clone(), password: directory.join(password) }
            }
            ((None, None), (Some(code), Some(redirect_uri)), None) => {
                GrantCredentials::Code { code: directory.join(code), redirect_uri: redirect_uri.clone() }
            }
            ((None, None), (None, None), Some(token)) => GrantCredentials::RefreshToken(directory.join(token)),
            ((Some(_), None) | (None, Some(_)), (None, None), None) => {
                return fail("`username` and `password_file` go together");
            }
            ((None, None), (Some(_), None) | (None, Some(_)), None) => {
                return fail("`code_file` and `redirect_uri` go together");
            }
            _ => return fail("expected one grant: only one of `username`, `code_file` and `refresh_token_file`"),
        };
        Ok(Self {
            show: name.to_owned(),
            client_id: show.client_id.clone(),
            client_secret: directory.join(&show.client_secret_file),
            grant,
        })
    }

    fn read(&self) -> Result<Credentials, String> {
        let read =
            |key: &str, path: &Path| read(key, path).map_err(|problem| format!("the show `{}`: {problem}", self.show));
        let credentials = Credentials::new(&self.client_id, read("client_secret_file", &self.client_secret)?);
        Ok(match &self.grant {
            GrantCredentials::None => credentials,
            GrantCredentials::User { name, password } => credentials.user(name, read("password_file", password)?),
            GrantCredentials::Code { code, redirect_uri } => {
                credentials.code(AuthorizationCode::new(read("code_file", code)?, redirect_uri))
            }
            GrantCredentials::RefreshToken(token) => credentials.refresh_token(read("refresh_token_file", token)?),
        })
    }
}

/// Returns the credentials that were read with the registry once, and then reads the files again.
struct Provider {
    files: SecretFiles,
    first: Mutex<Option<Credentials>>,
}

#[async_trait]
impl CredentialsProvider for Provider {
    async fn credentials(&self) -> Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(first) = first {
            return Ok(first);
        }
        let files = self.files.clone();
        Ok(tokio::task::spawn_blocking(move || files.read()).await??)
    }
}

/// Reads the secret in a file, and trims whitespace and invisible characters.
pub(super) fn read(key: &str, path: &Path) -> Result<Secret, String> {
    let content = std::fs::read_to_string(path)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| format!("`{key}`: {} cannot be read ({error})", path.display()))?;
    let secret = pasted_value::trimmed(&content);
    if secret.is_empty() {
        return Err(format!("`{key}`: {} is empty", path.display()));
    }
    match pasted_value::problem("file", secret, "write it") {
        Some(problem) => Err(format!("`{key}`: {}: {problem}", path.display())),
        None => Ok(Secret::from(secret)),
    }
}
