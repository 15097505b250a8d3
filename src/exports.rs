//! Custom exports: their catalog, and runs with checked parameters.
//!
//! The vendor sets up exports on request, for data that the API does not provide. The catalog lists the exports and their
//! parameters. Values that do not fit are rejected before any request is sent.
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
//! let run = || show.exports().run("Get API Customers").value("Cursor", 1);
//! let page = run().value("Limit", 15).send().await?;
//! for customer in page.rows::<Customer>()? {
//!     println!("{} in {:?}", customer.customer_name, customer.city);
//! }
//!
//! // A string instead of an integer is an error, and nothing is sent.
//! let error = run().value("Limit", "15").send().await.unwrap_err();
//! println!("{error}");
//! # Ok(()) }
//! ```
//!
//! The [guide](crate::guide::exports) covers typed exports, saved catalogs, paging and files.
//!
//! # Values
//! - [`Run::value`] takes Rust types, [`Run::text`] strings that the data type parses, and [`Run::values`] any type that
//!   serialises as an object.
//! - [`Exports::bind`] compares the schema of a struct with the export before there are any values.
//! - [`Exports::run_export`] takes structs that `perenso-codegen` generates from a [`SavedCatalog`] in a build script.
//!
//! # Pages
//! An export with a cursor is read as one stream of rows ([`Run::pages`], [`Exports::pages`]). The next page is fetched
//! while the current one is read. An interrupted job resumes after its last row ([`Pages::cursor`]).
//!
//! # Catalog cache
//! The client and its clones read the catalog once. They read it again if a run names an unknown export, and after the
//! server rejects a run (400, 404, 422). Call [`Exports::refresh`] if the vendor may have changed an export since.

#[cfg(feature = "files")]
mod atomic_file;
mod catalog;
#[cfg(feature = "files")]
#[cfg_attr(docsrs, doc(cfg(feature = "files")))]
pub mod files;
mod pages;
mod rows;
mod run;
mod values;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

impl Perenso {
    /// Returns the custom exports of the show.
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
    pages::{Pages, paging::Paging},
    rows::{
        Rows,
        format::RowFormat,
        raw::{FromRow, RawRow},
        reader::RowReader,
        response::ExportResponse,
        stream::ExportStream,
    },
    run::Run,
    values::value::ParameterValue,
};
use self::{rows::stream::Limits, run::Target};
pub use crate::paging::{Cursor, Key, PageEnd, PageReport};
use crate::{client::Perenso, error::Error, generated::prelude::*};

/// The custom exports of a show.
#[derive(Clone, Copy, Debug)]
pub struct Exports<'a> {
    show: &'a Perenso,
}

impl<'a> Exports<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    /// Returns the catalog of exports. It is read once and cached by the client and its clones. Concurrent calls before the
    /// first response each send a request.
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
    /// Any error of the call or of reading its response.
    #[doc(alias("Get available exports", "GET /Export", "/Export"))]
    pub async fn catalog(&self) -> Result<Arc<Catalog>, Error> {
        match self.show.catalog_cache().get() {
            Some(catalog) => Ok(catalog),
            None => self.refresh().await,
        }
    }

    /// Reads the catalog of exports and replaces the cached one.
    ///
    /// # Errors
    /// Fails as [`catalog`](Self::catalog) does. The cached catalog is then unchanged.
    pub async fn refresh(&self) -> Result<Arc<Catalog>, Error> {
        let exports = self.show.api().export_list().send().await?.into_inner();
        Ok(self.show.catalog_cache().set(exports.into()))
    }

    /// Creates a run of the export with this name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let run = show.exports().run("Get API Customers");
    /// let response = run.value("Cursor", 1).value("Limit", 15).send().await?;
    /// assert_eq!(response.rows::<serde_json::Value>()?.len(), 15);
    /// # Ok(()) }
    /// ```
    #[doc(alias("Run custom export", "POST /Export/{id}", "/Export/{id}"))]
    pub fn run(&self, name: impl Into<String>) -> Run {
        Run::new(self.show, Target::Name(name.into()))
    }

    /// Creates a run of the export with this id.
    pub fn run_id(&self, id: impl Into<String>) -> Run {
        Run::new(self.show, Target::Id(id.into()))
    }

    /// Binds a struct to the export with this name: see [`Catalog::bind`]. The catalog is read again if the cached one does
    /// not have the export.
    ///
    /// ```no_run
    /// # use perenso::schemars::{self, JsonSchema};
    /// # #[derive(serde::Serialize, JsonSchema)]
    /// # #[serde(rename_all = "PascalCase")]
    /// # struct GetApiCustomers { cursor: u32, limit: u32 }
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// let exports = show.exports();
    /// let customers = exports.bind::<GetApiCustomers>("Get API Customers").await?;
    /// let request = customers.check(&GetApiCustomers { cursor: 1, limit: 15 })?;
    /// let page = exports.send(request).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`Catalog::bind`] does, and if the catalog cannot be read.
    pub async fn bind<T: Serialize + JsonSchema>(&self, name: &str) -> Result<Bound<T>, Error> {
        run::catalog_with(self.show, &Target::Name(name.to_owned())).await?.bind(name)
    }

    /// Creates a run from a generated struct and its values.
    ///
    /// The export is found by its id, or by its name if the show has no export with that id. Before anything is sent, its
    /// parameters are compared with those of the saved catalog: any difference is an
    /// [`ErrorKind::Export`](crate::ErrorKind::Export) that names all of them. The values are checked as in every run.
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
    /// let customers = GetApiCustomers { cursor: 1, limit: 15 };
    /// let response = show.exports().run_export(&customers).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn run_export<E: Export>(&self, export: &E) -> Run {
        Run::declared(self.show, export)
    }

    /// Sends a checked request and reads the whole response.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let catalog = show.exports().catalog().await?;
    /// let export = catalog.by_name("Get API Customers")?;
    /// let request = export.check_text([("Cursor", "1"), ("Limit", "15")])?;
    /// let response = show.exports().send(request).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Any error of the call.
    pub async fn send(&self, request: CheckedRequest) -> Result<ExportResponse, Error> {
        ExportResponse::read(request.send(self.show).await?).await
    }

    /// Sends a checked request and returns the response as a stream. A response that breaks off is an error; only
    /// [`send`](Self::send) retries it.
    ///
    /// # Errors
    /// Any error of the call up to the response headers.
    pub async fn stream(&self, request: CheckedRequest) -> Result<ExportStream, Error> {
        Ok(ExportStream::new(request.send(&self.show.streaming()).await?))
    }

    /// Reads an export page by page as one stream of rows, from a checked request. Nothing is sent before the stream is
    /// polled.
    ///
    /// The values of the two paging parameters set the start and the page size, unless the paging overrides them.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use futures_util::TryStreamExt;
    /// use perenso::{exports::Paging, types::Customer};
    ///
    /// let catalog = show.exports().catalog().await?;
    /// let export = catalog.by_name("Get API Customers")?;
    /// let request = export.check([("Cursor", 1), ("Limit", 500)])?;
    /// let customers = show.exports().pages::<Customer>(request, Paging::by_page())?;
    /// let customers: Vec<Customer> = customers.try_collect().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`](crate::ErrorKind::Input) if the request does not have the paging parameters as Integer or Text,
    /// a value is not a number, the page size is 0, or the start does not fit the paging.
    pub fn pages<T: FromRow + Send + 'static>(
        &self,
        request: CheckedRequest,
        paging: Paging,
    ) -> Result<Pages<T>, Error> {
        Pages::new(self.show, &request, &paging, Limits::default())
    }
}
