//! The file store: what lies on the disk, what happens when that is in a bad state, and what other processes see.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

mod bad_files;
#[path = "../store/conformance.rs"]
mod conformance;
mod files;
mod processes;
mod worker;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use perenso_auth::{
    Identity, Secret,
    clock::{Clock, Now, SystemClock},
    store::{FileStore, StoreLock, StoredAccessToken, StoredRefreshToken, StoredTokens, TokenStore},
};

/// Two stores in a directory that is gone with the last of them.
#[allow(clippy::unnecessary_wraps)]
fn stores() -> Option<(FileStore, FileStore, tempfile::TempDir)> {
    let directory = tempfile::tempdir().unwrap();
    Some((FileStore::new(directory.path()), FileStore::new(directory.path()), directory))
}

conformance::conformance!(stores);

/// A file lock has no term.
const TERM: Duration = Duration::from_secs(5);

fn identity() -> Identity {
    Identity::new(["perenso", "https://tsapi.perenso.net/oauth2/v2.0/token"], "show-1", Secret::from("s3cr3t"))
}

fn now() -> Now {
    SystemClock::default().now()
}

fn tokens(access: &str, refresh: &str) -> StoredTokens {
    let mut tokens = StoredTokens::default();
    tokens.access_token = Some(StoredAccessToken::new(Secret::from(access), Duration::from_secs(3600), Duration::ZERO));
    tokens.refresh_token = Some(StoredRefreshToken::new(Secret::from(refresh), None));
    tokens
}

/// The access token in the store.
async fn access(store: &FileStore) -> Option<String> {
    let tokens = store.load(&identity(), now()).await.unwrap()?;
    Some(tokens.access_token?.token.expose().to_owned())
}

async fn lock(store: &FileStore) -> Option<Box<dyn StoreLock>> {
    store.try_lock(&identity(), TERM).await.unwrap()
}

async fn save(store: &FileStore, access: &str) {
    let mut lock = lock(store).await.unwrap();
    lock.save(&tokens(access, "ref"), now()).await.unwrap();
    lock.release().await;
}

/// The file of the identity that ends so.
fn file(directory: &Path, ending: &str) -> PathBuf {
    directory.join(format!("{}.{ending}", identity().key()))
}

/// The names of all files, in order.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The names of the files of the identity when nobody is at work.
fn at_rest() -> [String; 2] {
    [format!("{}.json", identity().key()), format!("{}.lock", identity().key())]
}

/// The rights to a file or directory.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
