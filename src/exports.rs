//! Custom exports: what there is, and running it with checked parameters.
//!
//! The vendor sets exports up on request, for data that the API does not give. A catalog says what there is and which
//! parameters a run takes; what does not fit is refused before anything leaves the machine.
//!
//! ```no_run
//! # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
//! #[derive(serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Customer {
//!     customer_name: String,
//!     city: Option<String>,
//! }
//!
//! println!("{}", show.exports().catalog().await?);
//!
//! let page = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15).send().await?;
//! for customer in page.rows::<Customer>()? {
//!     println!("{} in {:?}", customer.customer_name, customer.city);
//! }
//!
//! // An integer has no quotes: this is an error that says so, and nothing is sent.
//! let error = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", "15").send().await.unwrap_err();
//! println!("{error}");
//! # Ok(()) }
//! ```
//!
//! The [guide](crate::guide::exports) goes from here to typed exports, saved catalogs and a million rows in a file.
//!
//! Values come one by one, by their Rust types ([`Run::value`]), as text that the data type reads ([`Run::text`]), or
//! all at once from anything that serialises as an object ([`Run::values`]). A struct that says its schema is compared
//! with the export before there are any values ([`Exports::bind`]). A catalog that was saved ([`SavedCatalog`]) becomes Rust
//! in a build script, by `perenso-codegen` ([`Exports::run_export`]), and says what has changed since.
//!
//! An export with a cursor is read as one stream of rows, page behind page ([`Run::pages`], [`Exports::pages`]): the next
//! page is fetched while one is read, and a job that broke off goes on behind its last row ([`Pages::cursor`]).
//!
//! The catalog is read once and kept by the client and its clones. It is read again when a run names an export that is
//! not there, and after the server refused a run (400, 404, 422); where the vendor changes the parameters of an export
//! under a running program, [`Exports::refresh`] reads it at once.

mod atomic_file;
mod catalog;
pub mod files;
mod pages;
mod rows;
mod run;
mod values;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

impl Perenso {
    /// Custom exports: what there is, and running it with checked parameters.
    pub fn exports(&self) -> Exports<'_> {
        Exports::new(self)
    }
}

pub(crate) use self::catalog::cache::CatalogCache;
#[doc(hidden)]
pub use self::catalog::export::__codegen;
pub use self::{
    catalog::{
        Catalog,
        bind::Bound,
        checked::CheckedRequest,
        descriptor::Descriptor,
        drift::{Change, ChangeKind, Drift},
        export::Export,
        saved::SavedCatalog,
    },
    pages::{
        Pages,
        cursor::Cursor,
        paging::{PageEnd, Paging},
        report::PageReport,
    },
    rows::{
        Rows,
        format::RowFormat,
        raw::{FromRow, RawRow},
        reader::RowReader,
        response::ExportResponse,
        stream::ExportStream,
    },
    run::Run,
    values::{key::Key, value::Value},
};
use self::{rows::stream::Limits, run::Target};
use crate::{client::Perenso, error::Error, generated::ClientExportExt};

/// The custom exports of a show.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a> {
    show: &'a Perenso,
}

impl<'a> Exports<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    /// The exports that there are. Read once, then kept by the client and its clones; callers who come before the first
    /// answer each ask for themselves.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let catalog = show.exports().catalog().await?;
    /// println!("{catalog}");
    /// assert!(catalog.by_name("Get API Customers").is_ok());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Whatever keeps the call from an answer that can be read.
    #[doc(alias("Get available exports", "GET /Export", "/Export"))]
    pub async fn catalog(&self) -> Result<Arc<Catalog>, Error> {
        match self.show.catalog_cache().kept() {
            Some(catalog) => Ok(catalog),
            None => self.refresh().await,
        }
    }

    /// The exports that there are, read anew and kept.
    ///
    /// # Errors
    /// As [`catalog`](Self::catalog); what was kept before stays.
    pub async fn refresh(&self) -> Result<Arc<Catalog>, Error> {
        let exports = self.show.api().export_list().send().await?.into_inner();
        Ok(self.show.catalog_cache().keep(exports.into()))
    }

    /// A run of the export of this name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let answer = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15).send().await?;
    /// assert_eq!(answer.rows::<serde_json::Value>()?.len(), 15);
    /// # Ok(()) }
    /// ```
    #[doc(alias("Run custom export", "POST /Export/{id}", "/Export/{id}"))]
    pub fn run(&self, name: impl Into<String>) -> Run {
        Run::new(self.show, Target::Name(name.into()))
    }

    /// A run of the export of this id.
    pub fn run_id(&self, id: impl Into<String>) -> Run {
        Run::new(self.show, Target::Id(id.into()))
    }

    /// Binds a struct to the export of this name: see [`Catalog::bind`]. The catalog that is kept is read again where it
    /// does not know the export.
    ///
    /// ```no_run
    /// # use perenso::schemars::{self, JsonSchema};
    /// # #[derive(serde::Serialize, JsonSchema)]
    /// # #[serde(rename_all = "PascalCase")]
    /// # struct GetApiCustomers { cursor: u32, limit: u32 }
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// let exports = show.exports();
    /// let customers = exports.bind::<GetApiCustomers>("Get API Customers").await?;
    /// let page = exports.send(customers.check(&GetApiCustomers { cursor: 1, limit: 15 })?).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Catalog::bind`], and whatever keeps the catalog from being read.
    pub async fn bind<T: Serialize + JsonSchema>(&self, name: &str) -> Result<Bound<T>, Error> {
        run::catalog_with(self.show, &Target::Name(name.to_owned())).await?.bind(name)
    }

    /// A run of the export that a generated struct stands for, with the values that it holds.
    ///
    /// It is found by its id, and by its name in the catalog of a show where no export has that id. Before anything is
    /// sent, its parameters are compared with those of the saved catalog; a difference is an
    /// [`ErrorKind::Export`](crate::ErrorKind::Export) that names them all. Then the values are checked as in every run.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// # #[derive(serde::Serialize)] struct GetApiCustomers { cursor: i64, limit: i64 }
    /// # impl perenso::exports::Export for GetApiCustomers {
    /// #     const ID: &'static str = "79aag9";
    /// #     const NAME: &'static str = "Get API Customers";
    /// #     const PARAMETERS: &'static [(&'static str, &'static str)] = &[("Cursor", "Integer"), ("Limit", "Integer")];
    /// # }
    /// // `GetApiCustomers` is generated from a saved catalog, by `perenso-codegen`.
    /// let answer = show.exports().run_export(&GetApiCustomers { cursor: 1, limit: 15 }).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn run_export<E: Export>(&self, export: &E) -> Run {
        Run::declared(self.show, export)
    }

    /// Sends a request that a descriptor has checked.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let catalog = show.exports().catalog().await?;
    /// let request = catalog.by_name("Get API Customers")?.check_text([("Cursor", "1"), ("Limit", "15")])?;
    /// let answer = show.exports().send(request).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Whatever keeps the call from a whole answer.
    pub async fn send(&self, request: CheckedRequest) -> Result<ExportResponse, Error> {
        ExportResponse::read(request.send(self.show).await?).await
    }

    /// Sends a request that a descriptor has checked. The answer is read as it comes: what breaks off then is not asked
    /// for again, as it is by [`send`](Self::send).
    ///
    /// # Errors
    /// Whatever keeps the call from the headers of an answer.
    pub async fn stream(&self, request: CheckedRequest) -> Result<ExportStream, Error> {
        Ok(ExportStream::new(request.send(&self.show.streaming()).await?))
    }

    /// Reads an export page by page, as one stream of rows, from a request that a descriptor has checked. Its own values
    /// of the two parameters say where to start and how many rows a page is asked for, unless the paging says otherwise.
    /// Nothing is sent before the stream is polled.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use futures_util::TryStreamExt;
    /// use perenso::{exports::Paging, types::Customer};
    ///
    /// let catalog = show.exports().catalog().await?;
    /// let request = catalog.by_name("Get API Customers")?.check([("Cursor", 1), ("Limit", 500)])?;
    /// let customers = show.exports().pages::<Customer>(request, Paging::by_page())?;
    /// let customers: Vec<Customer> = customers.try_collect().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) when the parameters of the paging are no Integer or Text of the request, a
    /// number is none, a page is to hold no rows, or the start does not fit the paging.
    pub fn pages<T: FromRow + Send + 'static>(
        &self,
        request: CheckedRequest,
        paging: Paging,
    ) -> Result<Pages<T>, Error> {
        Pages::new(self.show, &request, &paging, Limits::default())
    }
}
