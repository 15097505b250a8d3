//! Plausible vendors: behaviors that the documents allow, and functions that run a test with each of them.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chrono::FixedOffset;

use crate::builder::Builder;
use crate::model::timestamp::ModifiedDate;
use crate::model::tokens::Rotation;
use crate::sandbox::Sandbox;
use crate::show::behavior::{
    Behavior, DeleteResponse, ErrorBody, ExpiresIn, PastTheEnd, RateHeaders, RatePer, RetryAfter, ScopeRule, TokenType,
};

/// Passes the names of all plausible vendors to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __vendor_names {
    ([$($macro:tt)*] { $($given:tt)* }) => {
        $($macro)*! {
            { $($given)* }
            as_default strict body_credentials_answer_400 refresh_tokens_expire rotation_adds rotation_repeats
            rotation_omits detects_refresh_reuse one_live_token lower_case_token_type upper_case_token_type
            textual_expires_in rate_per_token rate_per_address rate_counts_refused rate_headers_in_seconds
            rate_headers_in_epoch no_rate retry_after_date retry_after_missing page_cap default_page_size
            no_page_past_the_end last_page_again cursor_is_offset always_shows_modified_date modified_date_is_a_date
            modified_after_is_inclusive oldest_first local_time create_answers_201 delete_answers_200
            delete_answers_the_record put_replaces unique_customer_id references_unchecked booth_put_replaces bulk_cap
            bulk_answers_207 text_errors html_errors empty_errors case_in_paths gzip strictest most_lenient all_other_ways
        }
    };
}

/// Defines a `#[tokio::test]` for each of the [plausible vendors](crate::Behavior::plausible), in a module with the name of
/// the function, as `nothing_is_lost::page_cap`. It needs tokio with the features `macros` and `rt`. Outside of `tests/` use
/// it in a module with `#[cfg(test)]`.
///
/// ```
/// perenso_sandbox::vendor_tests! {
///     async fn nothing_is_lost(sandbox: perenso_sandbox::Sandbox) {
///         assert_eq!(sandbox.customers().len(), 45);
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! vendor_tests {
    ($(#[$attribute:meta])* async fn $test:ident($sandbox:ident : $type:ty) $body:block) => {
        $(#[$attribute])*
        mod $test {
            #[allow(unused_imports)]
            use super::*;

            async fn test($sandbox: $type) $body

            $crate::__vendor_names! { [$crate::__vendor_tests] { test } }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __vendor_tests {
    ({ $test:ident } $($vendor:ident)*) => {
        $(
            #[::tokio::test]
            async fn $vendor() {
                $test($crate::__start_vendor(stringify!($vendor)).await).await;
            }
        )*
    };
}

/// Starts the plausible vendor with this name.
#[doc(hidden)]
#[allow(clippy::expect_used, reason = "it runs in tests only")]
pub async fn __start_vendor(name: &str) -> Sandbox {
    let (_, behavior) = Behavior::plausible().into_iter().find(|(known, _)| *known == name).expect("a vendor's name");
    Builder::default().behavior(behavior).start().await.expect("a free port")
}

/// Runs a test with every [plausible vendor](Behavior::plausible), each with a new sandbox. For other settings see
/// [`Builder::every_vendor`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// perenso_sandbox::every_vendor(|sandbox| async move {
///     assert_eq!(sandbox.customers().len(), 45);
/// })
/// .await;
/// # }
/// ```
///
/// # Panics
/// After all runs, if the test panicked with at least one vendor. The message contains the vendors and their panic messages.
/// Also if a sandbox cannot be started.
pub async fn every_vendor<T: Future<Output = ()>>(test: impl FnMut(Sandbox) -> T) {
    Builder::default().every_vendor(test).await;
}

impl Builder {
    /// Runs a test with every [plausible vendor](Behavior::plausible), each with a new sandbox of these settings. The last show
    /// has the behavior of the vendor.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use perenso_sandbox::Sandbox;
    ///
    /// let builder = Sandbox::builder().customers(3);
    /// builder
    ///     .every_vendor(|sandbox| async move {
    ///         assert_eq!(sandbox.customers().len(), 3);
    ///     })
    ///     .await;
    /// # }
    /// ```
    ///
    /// # Panics
    /// Under the conditions of [`every_vendor`](crate::every_vendor).
    #[allow(clippy::panic, reason = "it runs in tests only")]
    pub async fn every_vendor<T: Future<Output = ()>>(self, mut test: impl FnMut(Sandbox) -> T) {
        let vendors = Behavior::plausible();
        let count = vendors.len();
        let mut failed = Vec::new();
        for (name, behavior) in vendors {
            let outcome = match self.clone().behavior(behavior).start().await {
                Ok(sandbox) => catch(test(sandbox)).await,
                Err(error) => Err(error.to_string()),
            };
            failed.extend(outcome.err().map(|message| format!("{name}: {message}")));
        }
        assert!(failed.is_empty(), "failed with {} of {count} vendors:\n{}", failed.len(), failed.join("\n"));
    }
}

/// Runs a test. Returns the message of its panic.
async fn catch(test: impl Future<Output = ()>) -> Result<(), String> {
    let mut test = pin!(test);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| test.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        // It is not polled again after a panic.
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked").to_owned()
}

impl Behavior {
    /// Returns the behaviors that the documents allow, each with a name: the default, one for every guess that a client can
    /// notice, which differs in nothing else, and three that differ in many guesses.
    ///
    /// [`every_vendor`](crate::every_vendor) and [`vendor_tests!`](crate::vendor_tests) run a test with all of them.
    ///
    /// ```
    /// use perenso_sandbox::Behavior;
    ///
    /// let vendors = Behavior::plausible();
    /// assert_eq!(vendors[0], ("as_default", Behavior::default()));
    /// let page_cap = vendors.iter().find(|(name, _)| *name == "page_cap");
    /// assert!(page_cap.is_some_and(|(_, behavior)| behavior.page_cap == Some(20)));
    /// ```
    #[must_use]
    pub fn plausible() -> Vec<(&'static str, Self)> {
        let hour = |hours: i32| FixedOffset::east_opt(hours * 3600).unwrap_or(Self::default().local_offset);
        let changes: Vec<(&'static str, Change)> = vec![
            ("as_default", Box::new(|_| {})),
            ("strict", Box::new(|b| b.strict = true)),
            ("body_credentials_answer_400", Box::new(|b| b.body_credentials_answer_400 = true)),
            ("refresh_tokens_expire", Box::new(|b| b.refresh_token_lifetime = Some(Duration::from_secs(600)))),
            ("rotation_adds", Box::new(|b| b.rotation = Rotation::Add)),
            ("rotation_repeats", Box::new(|b| b.rotation = Rotation::Repeat)),
            ("rotation_omits", Box::new(|b| b.rotation = Rotation::Omit)),
            ("detects_refresh_reuse", Box::new(|b| b.detect_refresh_reuse = true)),
            ("one_live_token", Box::new(|b| b.one_live_token = true)),
            ("lower_case_token_type", Box::new(|b| b.token_type = TokenType::LowerCase)),
            ("upper_case_token_type", Box::new(|b| b.token_type = TokenType::UpperCase)),
            ("textual_expires_in", Box::new(|b| b.expires_in = ExpiresIn::Text)),
            ("rate_per_token", Box::new(|b| b.rate_per = RatePer::Token)),
            ("rate_per_address", Box::new(|b| b.rate_per = RatePer::Address)),
            ("rate_counts_refused", Box::new(|b| b.rate_counts_refused = true)),
            ("rate_headers_in_seconds", Box::new(|b| b.rate_headers = RateHeaders::Seconds)),
            ("rate_headers_in_epoch", Box::new(|b| b.rate_headers = RateHeaders::Epoch)),
            ("no_rate", Box::new(|b| b.rate = None)),
            ("retry_after_date", Box::new(|b| b.retry_after = RetryAfter::Date)),
            ("retry_after_missing", Box::new(|b| b.retry_after = RetryAfter::Missing)),
            ("page_cap", Box::new(|b| b.page_cap = Some(20))),
            ("default_page_size", Box::new(|b| b.default_page_size = Some(20))),
            ("no_page_past_the_end", Box::new(|b| b.past_the_end = PastTheEnd::NotFound)),
            ("last_page_again", Box::new(|b| b.past_the_end = PastTheEnd::LastPageAgain)),
            ("cursor_is_offset", Box::new(|b| b.cursor_is_offset = true)),
            ("always_shows_modified_date", Box::new(|b| b.always_show_modified_date = true)),
            ("modified_date_is_a_date", Box::new(|b| b.modified_date = ModifiedDate::Date)),
            ("modified_after_is_inclusive", Box::new(|b| b.modified_after_is_inclusive = true)),
            ("oldest_first", Box::new(|b| b.newest_first = false)),
            ("local_time", Box::new(move |b| b.local_offset = hour(10))),
            ("create_answers_201", Box::new(|b| b.create_answers_201 = true)),
            ("delete_answers_200", Box::new(|b| b.delete_answer = DeleteResponse::EmptyOk)),
            ("delete_answers_the_record", Box::new(|b| b.delete_answer = DeleteResponse::Record)),
            ("put_replaces", Box::new(|b| b.put_replaces = true)),
            ("unique_customer_id", Box::new(|b| b.unique_customer_id = true)),
            ("references_unchecked", Box::new(|b| b.check_references = false)),
            ("booth_put_replaces", Box::new(|b| b.booth_put_replaces = true)),
            ("bulk_cap", Box::new(|b| b.bulk_cap = Some(100))),
            ("bulk_answers_207", Box::new(|b| b.bulk_answers_207 = true)),
            ("text_errors", Box::new(|b| b.error_body = ErrorBody::Text)),
            ("html_errors", Box::new(|b| b.error_body = ErrorBody::Html)),
            ("empty_errors", Box::new(|b| b.error_body = ErrorBody::Empty)),
            ("case_in_paths", Box::new(|b| b.ignore_path_case = false)),
            ("gzip", Box::new(|b| b.gzip = true)),
            ("strictest", Box::new(strictest)),
            ("most_lenient", Box::new(most_lenient)),
            ("all_other_ways", Box::new(move |b| all_other_ways(b, hour(-5)))),
        ];
        let behavior = |(name, change): (&'static str, Change)| {
            let mut behavior = Self::default();
            change(&mut behavior);
            (name, behavior)
        };
        changes.into_iter().map(behavior).collect()
    }
}

type Change = Box<dyn FnOnce(&mut Behavior)>;

/// Rejects as much as possible, with the least information.
fn strictest(behavior: &mut Behavior) {
    behavior.strict = true;
    behavior.refresh_token_lifetime = Some(Duration::from_secs(300));
    behavior.detect_refresh_reuse = true;
    behavior.one_live_token = true;
    behavior.rate_counts_refused = true;
    behavior.retry_after = RetryAfter::Missing;
    behavior.page_cap = Some(10);
    behavior.default_page_size = Some(10);
    behavior.past_the_end = PastTheEnd::NotFound;
    behavior.put_replaces = true;
    behavior.unique_customer_id = true;
    behavior.bulk_cap = Some(50);
    behavior.error_body = ErrorBody::Empty;
    behavior.ignore_path_case = false;
}

/// Accepts as much as possible, without limits.
fn most_lenient(behavior: &mut Behavior) {
    behavior.scope = ScopeRule::Ignored;
    behavior.rotation = Rotation::Omit;
    behavior.rate = None;
    behavior.check_references = false;
    behavior.always_show_modified_date = true;
    behavior.modified_after_is_inclusive = true;
    behavior.delete_answer = DeleteResponse::Record;
    behavior.gzip = true;
}

/// Uses the other format wherever there is a choice.
fn all_other_ways(behavior: &mut Behavior, offset: FixedOffset) {
    behavior.body_credentials_answer_400 = true;
    behavior.rotation = Rotation::Add;
    behavior.token_type = TokenType::LowerCase;
    behavior.expires_in = ExpiresIn::Text;
    behavior.rate_per = RatePer::Token;
    behavior.rate_headers = RateHeaders::Epoch;
    behavior.retry_after = RetryAfter::Date;
    behavior.past_the_end = PastTheEnd::LastPageAgain;
    behavior.page_cap = Some(7);
    behavior.cursor_is_offset = true;
    behavior.always_show_modified_date = true;
    behavior.modified_date = ModifiedDate::Date;
    behavior.modified_after_is_inclusive = true;
    behavior.newest_first = false;
    behavior.local_offset = offset;
    behavior.create_answers_201 = true;
    behavior.delete_answer = DeleteResponse::EmptyOk;
    behavior.booth_put_replaces = true;
    behavior.bulk_answers_207 = true;
    behavior.error_body = ErrorBody::Html;
    behavior.gzip = true;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Map, Value};

    use super::*;

    fn fields(behavior: &Behavior) -> Map<String, Value> {
        serde_json::to_value(behavior).unwrap().as_object().unwrap().clone()
    }

    macro_rules! listed {
        ({} $($vendor:ident)*) => { &[$(stringify!($vendor)),*] };
    }

    #[test]
    fn the_macro_lists_every_vendor_in_order() {
        let listed: &[&str] = __vendor_names! { [listed] {} };
        let plausible = Behavior::plausible();
        assert_eq!(listed, plausible.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    #[test]
    fn vendors_are_unique() {
        let all = Behavior::plausible();
        for (number, (name, behavior)) in all.iter().enumerate() {
            for (other, twin) in &all[..number] {
                assert!(name != other && behavior != twin, "{name} {other}");
            }
        }
    }

    #[test]
    fn every_guess_has_a_vendor_that_differs_only_in_it() {
        let default = fields(&Behavior::default());
        let plausible: Vec<_> = Behavior::plausible().iter().map(|(_, behavior)| fields(behavior)).collect();
        let source = include_str!("show/behavior.rs");
        for name in default.keys() {
            let declared = source.find(&format!("\n    pub {name}: ")).unwrap();
            let documented = &source[..declared];
            let is_guess = documented[documented.rfind("\n    pub ").unwrap_or(0)..].contains("Guess");
            // A client with the right scope cannot notice whether a wrong one is rejected.
            if !is_guess || name == "scope" {
                continue;
            }
            let is_alone = |vendor: &&Map<String, Value>| {
                default.iter().all(|(field, value)| (vendor[field] != *value) == (field == name))
            };
            assert!(plausible.iter().any(|vendor| is_alone(&vendor)), "{name}");
        }
    }

    #[tokio::test]
    async fn failures_are_collected_from_all_vendors() {
        let mut runs = 0;
        let outcome = catch(every_vendor(|sandbox| {
            runs += 1;
            async move {
                let behavior = sandbox.behavior();
                assert!(!behavior.unique_customer_id, "in words");
                assert_ne!(behavior.bulk_cap, Some(100), "in {}", "other words");
            }
        }));
        let words = outcome.await.unwrap_err();
        assert_eq!(runs, Behavior::plausible().len());
        let first = format!("failed with 3 of {runs} vendors:\nunique_customer_id: in words\nbulk_cap: ");
        assert!(words.starts_with(&first) && words.contains("in other words"), "{words}");
        assert!(words.ends_with("\nstrictest: in words"), "{words}");
    }
}
