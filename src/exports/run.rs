//! The request builder of an export run.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::Value as Json;

use crate::exports::{
    catalog::Catalog,
    catalog::checked::CheckedRequest,
    catalog::descriptor::Descriptor,
    catalog::export::{Export, ExportDeclaration},
    pages::Pages,
    pages::paging::Paging,
    rows::Rows,
    rows::format::RowFormat,
    rows::raw::FromRow,
    rows::response::ExportResponse,
    rows::stream::{ExportStream, Limits},
    values::fields::{FieldSink, collect_fields},
    values::value::{Input, ParameterValue},
};
use crate::{client::Perenso, error::Error};

/// The export to run.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Name(String),
    Id(String),
    Declared(ExportDeclaration),
}

impl Target {
    fn find<'a>(&self, catalog: &'a Catalog) -> Result<&'a Descriptor, Error> {
        match self {
            Self::Name(name) => catalog.by_name(name),
            Self::Id(id) => catalog.by_id(id),
            Self::Declared(declared) => declared.find(catalog),
        }
    }

    fn is_in(&self, catalog: &Catalog) -> bool {
        match self {
            Self::Name(name) => catalog.iter().any(|export| export.name() == name),
            Self::Id(id) => catalog.iter().any(|export| export.id() == id),
            Self::Declared(declared) => declared.find(catalog).is_ok(),
        }
    }
}

/// Builds a run of an export.
///
/// `Debug` shows no values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let run = show.exports().run("Get API Customers");
/// let error = run.value("Cursor", 1).value("Limit", "15").send().await.unwrap_err();
/// // `Limit` is a string instead of an integer, so nothing was sent.
/// assert_eq!(error.problems().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a run is sent by `send`"]
pub struct Run {
    show: Perenso,
    target: Target,
    inputs: Vec<(String, Input)>,
    problems: Vec<String>,
    pub(crate) limits: Limits,
}

impl Run {
    pub(crate) fn new(show: &Perenso, target: Target) -> Self {
        Self { show: show.clone(), target, inputs: Vec::new(), problems: Vec::new(), limits: Limits::default() }
    }

    /// Creates a run of the export that a type declares. A field for a data type unknown to the SDK is sent as raw JSON.
    pub(crate) fn declared<E: Export>(show: &Perenso, export: &E) -> Self {
        let mut run = Self::new(show, Target::Declared(ExportDeclaration::of::<E>()));
        if let Err(problem) = collect_fields(export, &mut AsJson(&mut run.inputs)) {
            run.problems.push(problem);
        }
        run
    }

    /// Sets the value of a parameter.
    pub fn value(mut self, name: impl Into<String>, value: impl Into<ParameterValue>) -> Self {
        self.inputs.push((name.into(), Input::Value(value.into())));
        self
    }

    /// Sets the value of a parameter as raw JSON. Required for a data type unknown to the SDK; checked like any other
    /// value for a known one.
    pub fn raw(self, name: impl Into<String>, json: impl Into<Json>) -> Self {
        self.value(name, ParameterValue::Raw(json.into()))
    }

    /// Sets the value of a parameter from a string, such as a command-line argument. The data type parses it: see
    /// [`Descriptor::parse`].
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.inputs.push((name.into(), Input::Text(text.into())));
        self
    }

    /// Sets the values of parameters from a struct or a map that serialises as an object.
    ///
    /// A DateTime is an RFC 3339 string with a zone and whole seconds, as chrono writes it; it is sent in the format of the
    /// vendor's guide. `null` is rejected, and so are duplicate names.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// #[derive(serde::Serialize)]
    /// #[serde(rename_all = "PascalCase")]
    /// struct Page {
    ///     cursor: u32,
    ///     limit: u32,
    /// }
    ///
    /// let page = Page { cursor: 1, limit: 15 };
    /// let response = show.exports().run("Get API Customers").values(&page).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn values(mut self, values: &(impl Serialize + ?Sized)) -> Self {
        if let Err(problem) = collect_fields(values, &mut self.inputs) {
            self.problems.push(problem);
        }
        self
    }

    /// Checks the values against the catalog, sends the request, and reads the whole response.
    ///
    /// # Errors
    /// - Before the request is sent: [`ErrorKind::Export`](crate::ErrorKind::Export) if no export or more than one has
    ///   the name, and [`ErrorKind::Input`](crate::ErrorKind::Input) with all values that do not fit.
    /// - Any error of the call.
    pub async fn send(self) -> Result<ExportResponse, Error> {
        let (show, format) = (self.show.clone(), self.limits.format.clone());
        let request = self.check().await?;
        Ok(show.exports().send(request).await?.formatted(format))
    }

    /// Checks the values against the catalog, sends the request, and returns the response as a stream. A response that
    /// breaks off is an error; only [`send`](Self::send) retries it.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) does, up to the response headers.
    pub async fn stream(self) -> Result<ExportStream, Error> {
        let (show, limits) = (self.show.clone(), self.limits.clone());
        let request = self.check().await?;
        Ok(show.exports().stream(request).await?.limited(limits))
    }

    /// Sets the syntax of the rows and overrides the content type.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use perenso::exports::RowFormat;
    ///
    /// let format = RowFormat::csv().delimiter(b';');
    /// let vendors = show.exports().run("Vendors").format(format).send().await?;
    /// let vendors: Vec<serde_json::Value> = vendors.rows()?;
    /// # Ok(()) }
    /// ```
    pub fn format(mut self, format: RowFormat) -> Self {
        self.limits.format = Some(format);
        self
    }

    /// Sets the maximum size of a row in bytes: see [`ExportStream::row_limit`].
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.limits.row = bytes;
        self
    }

    /// Sets the maximum size of the response in bytes: see [`ExportStream::total_limit`].
    pub fn total_limit(mut self, bytes: u64) -> Self {
        self.limits.total = bytes;
        self
    }

    /// Checks the values against the catalog, sends the request, and returns the rows as a stream.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use futures_util::TryStreamExt;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "camelCase")]
    /// struct Vendor {
    ///     vendor_name: String,
    /// }
    ///
    /// let mut vendors = show.exports().run("Vendors").rows::<Vendor>().await?;
    /// while let Some(vendor) = vendors.try_next().await? {
    ///     println!("{}", vendor.vendor_name);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`stream`](Self::stream) does, and as [`ExportStream::rows`].
    pub async fn rows<T: FromRow>(self) -> Result<Rows<T>, Error> {
        self.stream().await?.rows()
    }

    /// Checks the values against the catalog and returns the rows of all pages as one stream. Nothing is sent before the
    /// stream is polled.
    ///
    /// The values of the two paging parameters are optional. By default, paging starts at the first page, or at
    /// [`Paging::start`], with [`Paging::limit`] or 100 rows a page. [Paging by key](Paging::by_key) requires the first key
    /// as a value. Limits in bytes apply to each page.
    ///
    /// # Errors
    /// Fails as [`check`](Self::check) does, and as [`Exports::pages`](crate::Exports::pages).
    pub async fn pages<T: FromRow + Send + 'static>(self, paging: Paging) -> Result<Pages<T>, Error> {
        let Self { show, target, mut inputs, problems, limits } = self;
        let catalog = catalog_with(&show, &target).await?;
        let export = target.find(&catalog)?;
        inputs.extend(paging.missing(export, |name| inputs.iter().any(|(other, _)| other == name))?);
        Pages::new(&show, &export.build_request(inputs, problems)?, &paging, limits)
    }

    /// Checks the values against the catalog and returns all rows of the export as one stream. An export with the paging
    /// parameters is read page by page, an export without them by one request. Useful if the name of the export is user
    /// input.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::builder().customers(45).start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use futures_util::TryStreamExt;
    /// use perenso::exports::{Paging, RawRow};
    ///
    /// for (name, pages) in [("Get API Customers", 3), ("Vendors", 1)] {
    ///     let paging = Paging::by_page().limit(20);
    ///     let mut rows = show.exports().run(name).all_rows::<RawRow>(paging).await?;
    ///     while let Some(row) = rows.try_next().await? { /* … */ }
    ///     assert_eq!(rows.report().pages, pages);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`pages`](Self::pages) does. An export with only one of the two paging parameters is an error.
    pub async fn all_rows<T: FromRow + Send + 'static>(self, paging: Paging) -> Result<Pages<T>, Error> {
        let catalog = catalog_with(&self.show, &self.target).await?;
        if !paging.is_foreign_to(self.target.find(&catalog)?) {
            return self.pages(paging).await;
        }
        let (show, limits) = (self.show.clone(), self.limits.clone());
        Pages::single(&show, self.check().await?, &paging, limits)
    }

    /// Checks the values against the catalog and returns the request without sending it.
    ///
    /// # Errors
    /// Fails as [`send`](Self::send) does before the request is sent.
    pub async fn check(self) -> Result<CheckedRequest, Error> {
        let Self { show, target, inputs, problems, .. } = self;
        let catalog = catalog_with(&show, &target).await?;
        target.find(&catalog)?.build_request(inputs, problems)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.inputs.iter().map(|(name, _)| name).collect();
        f.debug_struct("Run").field("target", &self.target).field("parameters", &names).finish_non_exhaustive()
    }
}

/// Returns the cached catalog, or a fresh one if the cached one does not have the export.
pub(crate) async fn catalog_with(show: &Perenso, target: &Target) -> Result<Arc<Catalog>, Error> {
    match show.catalog_cache().get() {
        Some(catalog) if target.is_in(&catalog) => Ok(catalog),
        _ => show.exports().refresh().await,
    }
}

/// Collects fields as raw JSON, as [`Run::raw`] does.
struct AsJson<'r>(&'r mut Vec<(String, Input)>);

impl FieldSink for AsJson<'_> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        let json = serde_json::to_value(value).map(ParameterValue::Raw);
        self.0.push((name.to_owned(), Input::Serialized(json.map_err(|_| "something that cannot be written as JSON"))));
    }
}
