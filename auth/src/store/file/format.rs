//! The format of a token file: versioned JSON, with timestamps of the wall clock in place of ages.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    clock::Now,
    secret::Secret,
    store::{StoreError, StoreErrorKind, StoredAccessToken, StoredRefreshToken, StoredTokens},
};

const VERSION: u64 = 1;

/// The tolerated difference between two clocks.
const SKEW: Duration = Duration::from_secs(5);

/// The maximum number of bytes that JSON needs for one, as in `\u001f`.
const LONGEST_ESCAPE: usize = 6;

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    version: u64,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    access_token: Option<AccessToken<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<RefreshToken<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spent: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct AccessToken<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    lifetime_ms: u64,
    /// Milliseconds since 1970.
    asked_at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct RefreshToken<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    life: Option<Life>,
}

/// The remaining lifetime at a timestamp.
#[derive(Serialize, Deserialize)]
struct Life {
    left_ms: u64,
    /// Milliseconds since 1970.
    at_ms: i64,
}

/// Encodes tokens as the content of a file.
pub(super) fn encode(tokens: &StoredTokens, now: Now) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let access_token = tokens.access_token.as_ref().and_then(|access| {
        let asked_at_ms = since_1970(now.wall.checked_sub(access.age)?)?;
        Some(AccessToken { token: access.token.expose().into(), lifetime_ms: whole_ms(access.lifetime), asked_at_ms })
    });
    let refresh_token = tokens.refresh_token.as_ref().map(|refresh| {
        let life =
            refresh.expires_in.and_then(|left| Some(Life { left_ms: whole_ms(left), at_ms: since_1970(now.wall)? }));
        RefreshToken { token: refresh.token.expose().into(), life }
    });
    let spent = tokens.spent.as_deref().map(Cow::from);
    let lengths = [
        access_token.as_ref().map_or(0, |access| access.token.len()),
        refresh_token.as_ref().map_or(0, |refresh| refresh.token.len()),
        spent.as_ref().map_or(0, |spent| spent.len()),
    ];
    // Large enough for all: a buffer that is reallocated leaves its old allocation unwiped.
    let capacity = 512 + LONGEST_ESCAPE * lengths.iter().sum::<usize>();
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    let document = Document { version: VERSION, access_token, refresh_token, spent };
    // The cause may quote a token.
    serde_json::to_writer(&mut *content, &document)
        .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "the tokens could not be serialised as JSON"))?;
    debug_assert!(content.len() <= capacity);
    Ok(content)
}

/// Decodes the content of a file into tokens with their age at `now`. The error does not quote the content.
pub(super) fn decode(content: &[u8], now: Now) -> Result<StoredTokens, Cow<'static, str>> {
    if content.is_empty() {
        return Err("is empty".into());
    }
    // Checked as a whole, since serde_json does not check what it skips.
    let content = std::str::from_utf8(content).map_err(|_| "is not UTF-8")?;
    match serde_json::from_str(content).map_err(problem)? {
        Version { version: VERSION } => {}
        Version { version } => {
            return Err(format!("has version {version}, and this program supports version {VERSION}").into());
        }
    }
    // A token without escapes is borrowed from `content`. One with escapes is copied by serde_json, and not wiped.
    let document: Document<'_> = serde_json::from_str(content).map_err(problem)?;
    let access_token = document
        .access_token
        .and_then(|access| {
            let age = age(access.asked_at_ms, now)?;
            Some(StoredAccessToken::new(secret(access.token), Duration::from_millis(access.lifetime_ms), age))
        })
        .filter(|access| !access.expires_in().is_zero());
    let refresh_token = document.refresh_token.map(|refresh| {
        let expires_in = refresh.life.map(|life| {
            // If the clock was set back, the time that has passed is unknown, and the server refuses an expired token.
            Duration::from_millis(life.left_ms).saturating_sub(age(life.at_ms, now).unwrap_or_default())
        });
        StoredRefreshToken::new(secret(refresh.token), expires_in)
    });
    Ok(StoredTokens { access_token, refresh_token, spent: document.spent.map(Cow::into_owned) })
}

/// Returns the problem and its position. The message of serde_json may quote a token.
#[allow(clippy::needless_pass_by_value)]
fn problem(error: serde_json::Error) -> Cow<'static, str> {
    let problem = if error.is_data() { "does not have the fields of a token file" } else { "is not complete JSON" };
    format!("{problem} (line {}, column {})", error.line(), error.column()).into()
}

fn secret(value: Cow<'_, str>) -> Secret {
    match value {
        Cow::Borrowed(value) => Secret::from(value),
        Cow::Owned(value) => Secret::from(value),
    }
}

/// Returns the time since a timestamp, or `None` if it is in the future by more than [`SKEW`].
fn age(ms: i64, now: Now) -> Option<Duration> {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let timestamp = if ms < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)?
    };
    match now.wall.duration_since(timestamp) {
        Ok(age) => Some(age),
        Err(ahead) => (ahead.duration() <= SKEW).then_some(Duration::ZERO),
    }
}

/// Returns a timestamp in milliseconds since 1970, rounded down, so that a token never becomes younger.
fn since_1970(timestamp: SystemTime) -> Option<i64> {
    match timestamp.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).ok().map(|ms| -ms),
    }
}

/// Returns a duration in milliseconds, rounded down, so that a token never lives longer.
fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const S: Duration = Duration::from_secs(1);

    /// Noon of 2026-01-01, in milliseconds since 1970.
    const NOON: i64 = 1_767_268_800_000;

    /// Returns a reading of the clock at this many milliseconds since 1970, which may be negative.
    fn at(ms: i64) -> Now {
        let distance = Duration::from_millis(ms.unsigned_abs());
        let wall = if ms < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance };
        Now::new(Instant::now(), wall)
    }

    fn tokens(lifetime: Duration, age: Duration, left: Duration) -> StoredTokens {
        StoredTokens {
            access_token: Some(StoredAccessToken::new(Secret::from("tok"), lifetime, age)),
            refresh_token: Some(StoredRefreshToken::new(Secret::from("ref"), Some(left))),
            spent: Some("5be1".to_owned()),
        }
    }

    fn kept_at_noon() -> Zeroizing<Vec<u8>> {
        encode(&tokens(300 * S, 10 * S, 1000 * S), at(NOON)).unwrap()
    }

    /// Returns the age and remaining lifetime of the access token, and the remaining lifetime of the refresh token.
    fn read_at(ms: i64) -> (Option<(Duration, Duration)>, Option<Duration>) {
        let tokens = decode(&kept_at_noon(), at(ms)).unwrap();
        let access = tokens.access_token.map(|access| (access.age, access.expires_in()));
        (access, tokens.refresh_token.unwrap().expires_in)
    }

    #[test]
    fn tokens_age_by_the_wall_clock() {
        assert_eq!(read_at(NOON), (Some((10 * S, 290 * S)), Some(1000 * S)));
        assert_eq!(read_at(NOON + 40_000), (Some((50 * S, 250 * S)), Some(960 * S)));
        assert_eq!(read_at(NOON + 289_999).0.unwrap().1, Duration::from_millis(1));
        assert_eq!(read_at(NOON + 290_000), (None, Some(710 * S)));
        assert_eq!(read_at(NOON + 2_000_000), (None, Some(Duration::ZERO)));
    }

    #[test]
    fn a_timestamp_in_the_future_drops_the_access_token_and_keeps_the_refresh_token() {
        // Within the tolerated difference.
        assert_eq!(read_at(NOON - 15_000), (Some((Duration::ZERO, 300 * S)), Some(1000 * S)));
        assert_eq!(read_at(NOON - 15_001), (None, Some(1000 * S)));
        assert_eq!(read_at(NOON - 86_400_000), (None, Some(1000 * S)));
    }

    #[test]
    fn timestamps_and_lifetimes_beyond_any_clock_drop_the_access_token_without_a_panic() {
        for ms in [i64::MIN, i64::MIN + 1, -1, i64::MAX] {
            let text = json!({
                "version": 1,
                "access_token": {"token": "tok", "lifetime_ms": 300_000, "asked_at_ms": ms},
                "refresh_token": {"token": "ref", "life": {"left_ms": u64::MAX, "at_ms": ms}},
            });
            let tokens = decode(text.to_string().as_bytes(), at(NOON)).unwrap();
            assert!(tokens.access_token.is_none(), "{ms}");
            assert_eq!(tokens.refresh_token.unwrap().token.expose(), "ref");
        }
        let endless = tokens(Duration::MAX, Duration::MAX, Duration::MAX);
        let read = decode(&encode(&endless, at(NOON)).unwrap(), at(NOON)).unwrap();
        assert!(read.access_token.is_none());
        assert!(read.refresh_token.unwrap().expires_in.unwrap() > 1_000_000_000 * S);
    }

    #[test]
    fn errors_do_not_quote_the_content() {
        for (content, expected) in [
            ("", "is empty"),
            (r#"{"version":1,"access_token":{"token":"s3cr3t"#, "is not complete JSON (line 1, column 44)"),
            (
                r#"{"version":1,"access_token":"s3cr3t"}"#,
                "does not have the fields of a token file (line 1, column 36)",
            ),
            (r#"{"version":"s3cr3t"}"#, "does not have the fields of a token file (line 1, column 19)"),
            (r#"{"s3cr3t":1}"#, "does not have the fields of a token file (line 1, column 12)"),
            (r#"{"version":2,"tokens":["s3cr3t"]}"#, "has version 2, and this program supports version 1"),
            ("\"\u{0}s3cr3t\u{0}", "is not complete JSON (line 1, column 2)"),
            ("s3cr3t", "is not complete JSON (line 1, column 1)"),
        ] {
            assert_eq!(decode(content.as_bytes(), at(NOON)).unwrap_err(), expected, "{content}");
        }
        assert_eq!(decode(b"{\"version\":1,\"\xff\":1}", at(NOON)).unwrap_err(), "is not UTF-8");
    }

    #[test]
    fn the_format_of_version_1_remains_readable() {
        let text = concat!(
            r#"{"version":1,"access_token":{"token":"tok","lifetime_ms":300000,"asked_at_ms":1767268790000},"#,
            r#""refresh_token":{"token":"ref","life":{"left_ms":1000000,"at_ms":1767268800000}},"spent":"5be1"}"#,
        );
        assert_eq!(std::str::from_utf8(&kept_at_noon()).unwrap(), text);
        let with_more = text.replacen('{', r#"{"added_later":[{}],"#, 1);
        let tokens = decode(with_more.as_bytes(), at(NOON)).unwrap();
        assert_eq!(tokens.access_token.unwrap().token.expose(), "tok");
        assert_eq!(tokens.spent.unwrap(), "5be1");
    }

    /// Strings without escapes, with some, and with nothing else.
    fn string() -> impl Strategy<Value = String> {
        prop_oneof!["[!-~]{1,80}", any::<String>(), "[\"\\\\\u{1}-\u{1f}]{1,40}"]
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![(0..1_000_000_u64).prop_map(Duration::from_micros), any::<Duration>()]
    }

    fn stored() -> impl Strategy<Value = StoredTokens> {
        let access = (string(), duration(), duration())
            .prop_map(|(token, lifetime, age)| StoredAccessToken::new(Secret::from(token), lifetime, age));
        let refresh = (string(), prop::option::of(duration()))
            .prop_map(|(token, left)| StoredRefreshToken::new(Secret::from(token), left));
        (prop::option::of(access), prop::option::of(refresh), prop::option::of(string()))
            .prop_map(|(access_token, refresh_token, spent)| StoredTokens { access_token, refresh_token, spent })
    }

    /// A valid file with parts replaced, removed or duplicated, or random bytes.
    fn damaged() -> impl Strategy<Value = Vec<u8>> {
        let whole = stored().prop_map(|tokens| encode(&tokens, at(NOON)).unwrap().to_vec());
        let damage = (any::<prop::sample::Index>(), 0..8_usize, prop::collection::vec(any::<u8>(), 0..4));
        let damaged = (whole, prop::collection::vec(damage, 0..4)).prop_map(|(mut bytes, damages)| {
            for (place, length, other) in damages {
                let start = place.index(bytes.len() + 1);
                let end = bytes.len().min(start + length);
                bytes.splice(start..end, other);
            }
            bytes
        });
        prop_oneof![4 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..200)]
    }

    /// Any wall clock from the nineteenth to the twenty-third century.
    fn wall() -> impl Strategy<Value = i64> {
        -4_000_000_000_000_i64..8_000_000_000_000
    }

    proptest! {
        #[test]
        fn encoded_tokens_are_decoded_and_never_younger(
            tokens in stored(), wall in wall(), micros in 0..1000_u64, later in 0..100_000_000_u64,
        ) {
            let mut now = at(wall);
            now.wall += Duration::from_micros(micros);
            let text = encode(&tokens, now).unwrap();
            let later = Duration::from_micros(later);
            now.wall += later;
            let read = decode(&text, now).unwrap();
            prop_assert_eq!(&read.spent, &tokens.spent);
            let millisecond = Duration::from_millis(1);
            let left = |access: &StoredAccessToken| access.expires_in().saturating_sub(later);
            match (&tokens.access_token, &read.access_token) {
                (Some(kept), Some(read)) => {
                    prop_assert_eq!(kept.token.expose(), read.token.expose());
                    prop_assert!(read.lifetime <= kept.lifetime);
                    prop_assert!(read.age >= kept.age + later && read.age <= kept.age + later + millisecond);
                    prop_assert!(read.expires_in() <= left(kept));
                }
                // Expired, or requested before any clock starts.
                (Some(kept), None) => {
                    prop_assert!(left(kept) <= 2 * millisecond || kept.age > Duration::from_secs(1 << 52));
                }
                (None, read) => prop_assert!(read.is_none()),
            }
            match (&tokens.refresh_token, &read.refresh_token) {
                (Some(kept), Some(read)) => {
                    prop_assert_eq!(kept.token.expose(), read.token.expose());
                    prop_assert_eq!(kept.expires_in.is_some(), read.expires_in.is_some());
                    if let (Some(kept), Some(read)) = (kept.expires_in, read.expires_in) {
                        prop_assert!(read <= kept.saturating_sub(later));
                    }
                }
                (kept, read) => prop_assert!(kept.is_none() && read.is_none()),
            }
        }

        #[test]
        fn a_truncated_file_is_an_error(tokens in stored(), cut in any::<prop::sample::Index>()) {
            let text = encode(&tokens, at(NOON)).unwrap();
            prop_assert!(decode(&text[..cut.index(text.len())], at(NOON)).is_err());
        }

        #[test]
        fn no_damage_panics_or_changes_a_token(bytes in damaged(), wall in wall()) {
            if let Ok(tokens) = decode(&bytes, at(wall)) {
                // Skipped parts may be invalid for a stricter reader, such as numbers out of range.
                let document = serde_json::from_slice::<Value>(&bytes);
                prop_assume!(document.is_ok());
                let document = document.unwrap();
                if let Some(access) = tokens.access_token {
                    prop_assert_eq!(&document["access_token"]["token"], access.token.expose());
                    let lifetime = document["access_token"]["lifetime_ms"].as_u64().unwrap();
                    prop_assert!(access.expires_in() <= Duration::from_millis(lifetime));
                }
                if let Some(refresh) = tokens.refresh_token {
                    prop_assert_eq!(&document["refresh_token"]["token"], refresh.token.expose());
                }
                if let Some(spent) = tokens.spent {
                    prop_assert_eq!(&document["spent"], spent.as_str());
                }
            }
        }
    }
}
