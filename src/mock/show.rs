//! Clients of a mock server, expectations of token requests, and lists as pages.

use httpmock::{Mock, MockServer};
use serde::Serialize;

use super::token::{PATH, Token, TokenThen, TokenWhen};
use crate::{builder::Builder, client::Perenso, error::Error, generated::operations, types::*};
use perenso_auth::RetryPolicy;

/// The expectations and clients of a mock server beside the operations of the document.
pub trait MockShow {
    /// Returns a client of this server. Token requests are matched by earlier expectations of [`token`](Self::token), and
    /// otherwise return a token that is valid for 300 seconds.
    ///
    /// The client has no rate limit and no retries, since a mock returns the same response every time. Use
    /// [`builder`](Self::builder) for retries.
    ///
    /// # Errors
    /// The client cannot be built, which a mock server does not cause.
    fn show(&self) -> Result<Perenso, Error>;

    /// Returns a builder of a client of this server, with a made-up id and secret. Token requests need an expectation of
    /// [`token`](Self::token).
    fn builder(&self) -> Builder;

    /// Expects a token request and sets its response.
    fn token(&self, config_fn: impl FnOnce(TokenWhen, TokenThen)) -> Mock<'_>;

    /// Expects requests for the pages of a list: the first for `page=1` and so on, followed by an empty page, which ends the
    /// SDK's streams.
    ///
    /// Returns one mock per page, that of the empty page last. Sort order, filters and page size of the requests are ignored.
    fn pages<T: Listed>(&self, pages: impl IntoIterator<Item = Vec<T>>) -> Vec<Mock<'_>>;
}

impl MockShow for MockServer {
    fn show(&self) -> Result<Perenso, Error> {
        // The first matching mock responds, so expectations of the test take precedence.
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

/// A record with a list in the document.
pub trait Listed: Serialize + sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        /// The path of the list.
        const LIST: &'static str;
    }
}

#[cfg_attr(partial_facade, cfg(facade = "customers().list()"))]
impl Listed for Customer {}
#[cfg_attr(partial_facade, cfg(facade = "customers().list()"))]
impl sealed::Sealed for Customer {
    const LIST: &'static str = operations::CUSTOMER_LIST.path;
}

#[cfg_attr(partial_facade, cfg(facade = "orders().list()"))]
impl Listed for Order {}
#[cfg_attr(partial_facade, cfg(facade = "orders().list()"))]
impl sealed::Sealed for Order {
    const LIST: &'static str = operations::ORDER_LIST.path;
}

#[cfg_attr(partial_facade, cfg(facade = "attendees().list()"))]
impl Listed for Attendee {}
#[cfg_attr(partial_facade, cfg(facade = "attendees().list()"))]
impl sealed::Sealed for Attendee {
    const LIST: &'static str = operations::ATTENDEE_LIST.path;
}
