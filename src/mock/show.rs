//! A show behind a mock server: a client of it, its tokens, and its lists as pages.

use httpmock::{Mock, MockServer};
use serde::Serialize;

use super::token::{PATH, Token, TokenThen, TokenWhen};
use crate::{
    builder::Builder,
    client::Perenso,
    error::Error,
    generated::operations,
    types::{Attendee, Customer, Order},
};
use perenso_auth::RetryPolicy;

/// What a show has beside the operations of the document.
pub trait MockShow {
    /// A client of this server, for which every token request is answered: by the expectations of
    /// [`token`](Self::token) that were there before, or else by a token of 300 seconds.
    ///
    /// It has no rate budget and tries every call once, since an answer of a mock is the same the next time:
    /// [`builder`](Self::builder) has retries as you set them.
    ///
    /// # Errors
    /// None that a mock server could cause.
    fn show(&self) -> Result<Perenso, Error>;

    /// The same client in the making, with made-up id and secret, and without any token: [`token`](Self::token) gives
    /// one.
    fn builder(&self) -> Builder;

    /// Expects a token request, and answers.
    fn token(&self, config_fn: impl FnOnce(TokenWhen, TokenThen)) -> Mock<'_>;

    /// A list as pages: the first for `page=1` and so on, and an empty one behind them, where the SDK's streams end. One
    /// mock for each, that of the empty page the last. What is asked about sorting, filters and the size of pages does not
    /// matter.
    fn pages<T: Listed>(&self, pages: impl IntoIterator<Item = Vec<T>>) -> Vec<Mock<'_>>;
}

impl MockShow for MockServer {
    fn show(&self) -> Result<Perenso, Error> {
        // The first mock that fits answers, so that one of the test's own goes before this one.
        self.token(|_, then| {
            then.ok(&Token::new("mock-token"));
        });
        self.builder().build()
    }

    fn builder(&self) -> Builder {
        Perenso::builder()
            .client_id("mock-show")
            .client_secret("made-up")
            .api_url(self.base_url())
            .token_url(self.url(PATH))
            .unlimited()
            .retry(RetryPolicy::never())
    }

    fn token(&self, config_fn: impl FnOnce(TokenWhen, TokenThen)) -> Mock<'_> {
        self.mock(|when, then| config_fn(TokenWhen::new(when), TokenThen::new(then)))
    }

    fn pages<T: Listed>(&self, pages: impl IntoIterator<Item = Vec<T>>) -> Vec<Mock<'_>> {
        let pages = pages.into_iter().chain([Vec::new()]);
        let mock = |(number, page): (usize, Vec<T>)| {
            self.mock(|when, then| {
                when.method("GET").path(T::LIST).query_param("page", number.to_string());
                then.status(200).header("content-type", "application/json").json_body_obj(&page);
            })
        };
        (1..).zip(pages).map(mock).collect()
    }
}

/// A record that the document has a list of.
pub trait Listed: Serialize + sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        /// The path of its list.
        const LIST: &'static str;
    }
}

impl Listed for Customer {}
impl sealed::Sealed for Customer {
    const LIST: &'static str = operations::CUSTOMER_LIST.path;
}

impl Listed for Order {}
impl sealed::Sealed for Order {
    const LIST: &'static str = operations::ORDER_LIST.path;
}

impl Listed for Attendee {}
impl sealed::Sealed for Attendee {
    const LIST: &'static str = operations::ATTENDEE_LIST.path;
}
