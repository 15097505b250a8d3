//! Authorization codes, each exchanged once.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::http::token::{OAuthError, Parameters};
use crate::model::timestamp::saturating_add;
use crate::model::tokens::{IssuedTokens, TokenFamily, random_secret};

use super::behavior::StandInBehavior;

#[derive(Default)]
pub(crate) struct Codes {
    codes: HashMap<String, Code>,
    /// The newest code, for [`super::StandIn::code`].
    pub(crate) newest: String,
}

struct Code {
    redirect_uri: String,
    /// The S256 challenge of PKCE.
    challenge: Option<String>,
    expiry: DateTime<Utc>,
    /// The tokens that it was exchanged for.
    family: Option<TokenFamily>,
}

impl Codes {
    pub(crate) fn issue(
        &mut self,
        redirect_uri: &str,
        challenge: Option<String>,
        behavior: &StandInBehavior,
        now: DateTime<Utc>,
    ) -> String {
        let text = random_secret();
        let expiry = behavior.code_lifetime.map_or(DateTime::<Utc>::MAX_UTC, |lifetime| saturating_add(now, lifetime));
        self.codes
            .insert(text.clone(), Code { redirect_uri: redirect_uri.to_owned(), challenge, expiry, family: None });
        text
    }

    /// Exchanges a code. Returns the new token family.
    pub(crate) fn exchange(
        &mut self,
        parameters: &Parameters,
        behavior: &StandInBehavior,
        tokens: &mut IssuedTokens,
        now: DateTime<Utc>,
    ) -> Result<TokenFamily, OAuthError> {
        let invalid = || OAuthError::new("invalid_grant", "the code is unknown, used, expired or revoked");
        let redirect_uri = parameters.require("redirect_uri")?;
        let code = self.codes.get_mut(parameters.require("code")?).ok_or_else(invalid)?;
        if let Some(family) = code.family {
            if behavior.detect_reuse {
                tokens.revoke_family(family);
            }
            return Err(invalid());
        }
        if code.expiry <= now {
            return Err(invalid());
        }
        if code.redirect_uri != redirect_uri {
            return Err(OAuthError::new("invalid_grant", "the redirect_uri is not the one of the code"));
        }
        let answered = parameters.get("code_verifier").map(s256);
        if code.challenge != answered {
            return Err(OAuthError::new("invalid_grant", "the code_verifier does not match the code_challenge"));
        }
        let family = tokens.new_family();
        code.family = Some(family);
        Ok(family)
    }

    pub(crate) fn revoke(&mut self) {
        self.codes.clear();
    }
}

/// The challenge of a verifier, RFC 7636, section 4.2.
fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::s256;

    #[test]
    fn the_challenge_is_the_one_of_the_rfc() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(s256(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
