//! Secrets in the keyring of the system: Keychain, Credential Manager, Secret Service.

use perenso::Secret;

use crate::output::Failure;

/// The name under which the keyring shows the secrets, each with the name of a show.
#[cfg(feature = "keyring")]
const SERVICE: &str = "perenso";

#[cfg(feature = "keyring")]
fn entry(show: &str) -> Result<keyring::Entry, Failure> {
    keyring::Entry::new(SERVICE, show).map_err(|error| unusable(&error))
}

#[cfg(feature = "keyring")]
fn unusable(error: &keyring::Error) -> Failure {
    Failure::failed(format!("the keyring of the system cannot be used: {error}"))
}

/// Reads the secret of a show.
#[cfg(feature = "keyring")]
pub(super) fn read(show: &str) -> Result<Secret, Failure> {
    match entry(show)?.get_password() {
        Ok(secret) => Ok(Secret::from(secret)),
        Err(keyring::Error::NoEntry) => Err(Failure::usage(format!(
            "the keyring of the system has no secret for the show `{show}`: run `perenso login {show} --keyring`"
        ))),
        Err(error) => Err(unusable(&error)),
    }
}

/// Stores the secret of a show.
#[cfg(feature = "keyring")]
pub(super) fn write(show: &str, secret: &str) -> Result<(), Failure> {
    entry(show)?.set_password(secret).map_err(|error| unusable(&error))
}

/// Removes the secret of a show.
#[cfg(feature = "keyring")]
pub(super) fn remove(show: &str) -> Result<(), Failure> {
    match entry(show)?.delete_credential() {
        Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
        Err(error) => Err(unusable(&error)),
    }
}

#[cfg(not(feature = "keyring"))]
fn missing<T>() -> Result<T, Failure> {
    Err(Failure::usage(
        "this `perenso` is built without a keyring: build it with the feature `keyring`, or log in without `--keyring`",
    ))
}

#[cfg(not(feature = "keyring"))]
pub(super) fn read(_: &str) -> Result<Secret, Failure> {
    missing()
}

#[cfg(not(feature = "keyring"))]
pub(super) fn write(_: &str, _: &str) -> Result<(), Failure> {
    missing()
}

#[cfg(not(feature = "keyring"))]
pub(super) fn remove(_: &str) -> Result<(), Failure> {
    missing()
}
