//! The directory of the command's files.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::output::Failure;

/// The variable that names another directory.
const VARIABLE: &str = "PERENSO_CONFIG_DIR";

/// The directory of profiles, settings, secrets and tokens.
#[derive(Clone, Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Returns `PERENSO_CONFIG_DIR`, or `perenso` in the user's directory of settings.
    pub(crate) fn find() -> Result<Self, Failure> {
        let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let own = || etcetera::choose_base_strategy().ok().map(|user| user.config_dir().join("perenso"));
        match named.or_else(own) {
            // A relative one would be another in every working directory.
            Some(directory) if directory.is_absolute() => Ok(Self(directory)),
            Some(directory) if std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty()) => {
                Err(Failure::usage(format!("{VARIABLE} is `{}`: expected an absolute path", directory.display())))
            }
            _ => Err(Failure::usage(format!(
                "there is no home directory to keep settings in: set HOME, or {VARIABLE} to a directory"
            ))),
        }
    }

    /// Returns the profiles, which the SDK's `Shows` reads too.
    pub(crate) fn shows_file(&self) -> PathBuf {
        self.0.join("shows.toml")
    }

    /// Returns the command's own settings.
    pub(crate) fn settings_file(&self) -> PathBuf {
        self.0.join("settings.toml")
    }

    /// Returns the secret of a show.
    pub(crate) fn secret_file(&self, show: &str) -> PathBuf {
        self.0.join("secrets").join(show)
    }

    /// Returns the store of tokens, which the SDK shares.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }
}
