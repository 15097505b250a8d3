//! What a token file says: versioned JSON, with moments of the wall clock where the store speaks of ages.

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

/// Clocks that differ by less count as one.
const SKEW: Duration = Duration::from_secs(5);

/// The most bytes that JSON makes of one: `\u001f`.
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
    /// Since 1970.
    asked_at_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct RefreshToken<'a> {
    #[serde(borrow)]
    token: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    life: Option<Life>,
}

/// What was left of a life, and when.
#[derive(Serialize, Deserialize)]
struct Life {
    left_ms: u64,
    /// Since 1970.
    at_ms: i64,
}

/// The tokens as a file keeps them.
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
    let texts = [
        access_token.as_ref().map_or(0, |access| access.token.len()),
        refresh_token.as_ref().map_or(0, |refresh| refresh.token.len()),
        spent.as_ref().map_or(0, |spent| spent.len()),
    ];
    // Room for all of it: a buffer that moves to a larger place leaves its old one unwiped.
    let room = 512 + LONGEST_ESCAPE * texts.iter().sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    let document = Document { version: VERSION, access_token, refresh_token, spent };
    // Without its cause: that may quote.
    serde_json::to_writer(&mut *text, &document)
        .map_err(|_| StoreError::new(StoreErrorKind::Unavailable, "the tokens could not be put into JSON"))?;
    debug_assert!(text.len() <= room);
    Ok(text)
}

/// The tokens that a file keeps, as old as they are at `now`; or what is wrong with the file, without a word of it.
pub(super) fn decode(text: &[u8], now: Now) -> Result<StoredTokens, Cow<'static, str>> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    // All of it: serde_json does not look into what it skips.
    let text = std::str::from_utf8(text).map_err(|_| "is not text in UTF-8")?;
    match serde_json::from_str(text).map_err(whats_wrong)? {
        Version { version: VERSION } => {}
        Version { version } => {
            return Err(format!("is of version {version}, and this program knows version {VERSION}").into());
        }
    }
    // A token without escapes is borrowed from `text`; one with some passes through memory of serde_json's own.
    let document: Document<'_> = serde_json::from_str(text).map_err(whats_wrong)?;
    let access_token = document
        .access_token
        .and_then(|access| {
            let age = age(access.asked_at_ms, now)?;
            Some(StoredAccessToken::new(secret(access.token), Duration::from_millis(access.lifetime_ms), age))
        })
        .filter(|access| !access.expires_in().is_zero());
    let refresh_token = document.refresh_token.map(|refresh| {
        let expires_in = refresh.life.map(|life| {
            // With a clock that was set back nobody knows what is gone: the server will say when it has ended.
            Duration::from_millis(life.left_ms).saturating_sub(age(life.at_ms, now).unwrap_or_default())
        });
        StoredRefreshToken::new(secret(refresh.token), expires_in)
    });
    Ok(StoredTokens { access_token, refresh_token, spent: document.spent.map(Cow::into_owned) })
}

/// Where reading stopped. serde_json's own words would quote what it found, which may be a token.
#[allow(clippy::needless_pass_by_value)]
fn whats_wrong(error: serde_json::Error) -> Cow<'static, str> {
    let expected = if error.is_data() { "has not the fields of a token file" } else { "is not whole JSON" };
    format!("{expected} (line {}, column {})", error.line(), error.column()).into()
}

fn secret(text: Cow<'_, str>) -> Secret {
    match text {
        Cow::Borrowed(text) => Secret::from(text),
        Cow::Owned(text) => Secret::from(text),
    }
}

/// How long ago that moment was; `None` when it is yet to come, by more than clocks differ.
fn age(ms: i64, now: Now) -> Option<Duration> {
    let distance = Duration::from_millis(ms.unsigned_abs());
    let moment = if ms < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)?
    };
    match now.wall.duration_since(moment) {
        Ok(age) => Some(age),
        Err(ahead) => (ahead.duration() <= SKEW).then_some(Duration::ZERO),
    }
}

/// Rounded down, so that nothing gets younger by it.
fn since_1970(moment: SystemTime) -> Option<i64> {
    match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000_000)).ok().map(|ms| -ms),
    }
}

/// Rounded down, so that nothing lives longer by it.
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

    /// Some noon, in milliseconds after 1970.
    const NOON: i64 = 1_767_268_800_000;

    /// This many milliseconds after 1970, or before.
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

    /// Age and what is left of the access token, and what is left of the refresh token.
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
    fn a_moment_to_come_ends_the_access_token_and_leaves_the_refresh_token_what_it_had() {
        // Clocks that differ a little: just asked for.
        assert_eq!(read_at(NOON - 15_000), (Some((Duration::ZERO, 300 * S)), Some(1000 * S)));
        assert_eq!(read_at(NOON - 15_001), (None, Some(1000 * S)));
        assert_eq!(read_at(NOON - 86_400_000), (None, Some(1000 * S)));
    }

    #[test]
    fn moments_and_lives_that_no_clock_can_hold_end_the_access_token_and_panic_nowhere() {
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
    fn what_is_wrong_is_told_without_a_word_of_the_content() {
        for (text, told) in [
            ("", "is empty"),
            (r#"{"version":1,"access_token":{"token":"s3cr3t"#, "is not whole JSON (line 1, column 44)"),
            (r#"{"version":1,"access_token":"s3cr3t"}"#, "has not the fields of a token file (line 1, column 36)"),
            (r#"{"version":"s3cr3t"}"#, "has not the fields of a token file (line 1, column 19)"),
            (r#"{"s3cr3t":1}"#, "has not the fields of a token file (line 1, column 12)"),
            (r#"{"version":2,"tokens":["s3cr3t"]}"#, "is of version 2, and this program knows version 1"),
            ("\"\u{0}s3cr3t\u{0}", "is not whole JSON (line 1, column 2)"),
            ("s3cr3t", "is not whole JSON (line 1, column 1)"),
        ] {
            assert_eq!(decode(text.as_bytes(), at(NOON)).unwrap_err(), told, "{text}");
        }
        assert_eq!(decode(b"{\"version\":1,\"\xff\":1}", at(NOON)).unwrap_err(), "is not text in UTF-8");
    }

    #[test]
    fn the_format_of_version_1_stays_readable() {
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

    /// Every kind of text: without escapes, with some, with nothing else.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[!-~]{1,80}", any::<String>(), "[\"\\\\\u{1}-\u{1f}]{1,40}"]
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![(0..1_000_000_u64).prop_map(Duration::from_micros), any::<Duration>()]
    }

    fn stored() -> impl Strategy<Value = StoredTokens> {
        let access = (text(), duration(), duration())
            .prop_map(|(token, lifetime, age)| StoredAccessToken::new(Secret::from(token), lifetime, age));
        let refresh = (text(), prop::option::of(duration()))
            .prop_map(|(token, left)| StoredRefreshToken::new(Secret::from(token), left));
        (prop::option::of(access), prop::option::of(refresh), prop::option::of(text()))
            .prop_map(|(access_token, refresh_token, spent)| StoredTokens { access_token, refresh_token, spent })
    }

    /// A file that this store wrote, with parts of it replaced, taken out or doubled; or bytes of no sense at all.
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
        fn what_is_kept_is_read_again_and_never_younger(
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
                // Ended, or of an age that reaches back before any clock.
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
        fn no_part_of_a_file_passes_for_the_whole(tokens in stored(), cut in any::<prop::sample::Index>()) {
            let text = encode(&tokens, at(NOON)).unwrap();
            prop_assert!(decode(&text[..cut.index(text.len())], at(NOON)).is_err());
        }

        #[test]
        fn no_damage_panics_or_makes_up_a_token(bytes in damaged(), wall in wall()) {
            if let Ok(tokens) = decode(&bytes, at(wall)) {
                // Skipped parts may hold what a stricter reader refuses, such as numbers beyond any range.
                let there = serde_json::from_slice::<Value>(&bytes);
                prop_assume!(there.is_ok());
                let there = there.unwrap();
                if let Some(access) = tokens.access_token {
                    prop_assert_eq!(&there["access_token"]["token"], access.token.expose());
                    let lifetime = there["access_token"]["lifetime_ms"].as_u64().unwrap();
                    prop_assert!(access.expires_in() <= Duration::from_millis(lifetime));
                }
                if let Some(refresh) = tokens.refresh_token {
                    prop_assert_eq!(&there["refresh_token"]["token"], refresh.token.expose());
                }
                if let Some(spent) = tokens.spent {
                    prop_assert_eq!(&there["spent"], spent.as_str());
                }
            }
        }
    }
}
