//! A run of an export in the making.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::Value as Json;

use crate::exports::{
    catalog::Catalog,
    catalog::checked::CheckedRequest,
    catalog::descriptor::Descriptor,
    catalog::export::{Declared, Export},
    pages::Pages,
    pages::paging::Paging,
    rows::Rows,
    rows::format::RowFormat,
    rows::raw::FromRow,
    rows::response::ExportResponse,
    rows::stream::{ExportStream, Limits},
    values::fields::{FieldSink, collect_fields},
    values::value::{Input, Value},
};
use crate::{client::Perenso, error::Error};

/// Which export is meant.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Name(String),
    Id(String),
    Declared(Declared),
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

/// A run of an export in the making.
///
/// `Debug` shows no values.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let run = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", "15");
/// let error = run.send().await.unwrap_err();
/// assert_eq!(error.problems().len(), 1); // a text where an integer is expected; nothing was sent
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a run is sent by `send`"]
pub struct Run {
    show: Perenso,
    target: Target,
    given: Vec<(String, Input)>,
    problems: Vec<String>,
    pub(crate) limits: Limits,
}

impl Run {
    pub(crate) fn new(show: &Perenso, target: Target) -> Self {
        Self { show: show.clone(), target, given: Vec::new(), problems: Vec::new(), limits: Limits::default() }
    }

    /// A run of the export that this type declares. Where the data type is one that the SDK does not know, the type's
    /// field asks for its JSON.
    pub(crate) fn declared<E: Export>(show: &Perenso, export: &E) -> Self {
        let mut run = Self::new(show, Target::Declared(Declared::of::<E>()));
        if let Err(problem) = collect_fields(export, &mut AsJson(&mut run.given)) {
            run.problems.push(problem);
        }
        run
    }

    /// The value of a parameter.
    pub fn value(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.given.push((name.into(), Input::Value(value.into())));
        self
    }

    /// The value of a parameter as JSON: the only way for a data type that the SDK does not know. For a known one it is
    /// checked like any other value.
    pub fn raw(self, name: impl Into<String>, json: impl Into<Json>) -> Self {
        self.value(name, Value::Raw(json.into()))
    }

    /// The value of a parameter as text, of a command line or a form, to be read as its data type has it: see
    /// [`Descriptor::parse`].
    pub fn text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.given.push((name.into(), Input::Text(text.into())));
        self
    }

    /// The values of parameters from a struct or a map that serialises as an object.
    ///
    /// A time is a text in RFC 3339 with a zone and whole seconds, as chrono writes it; it goes out in the form of the
    /// vendor's guide. `null` counts as a value of the wrong kind, a name that occurs twice as given twice.
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
    /// let answer = show.exports().run("Get API Customers").values(&page).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn values(mut self, values: &(impl Serialize + ?Sized)) -> Self {
        if let Err(problem) = collect_fields(values, &mut self.given) {
            self.problems.push(problem);
        }
        self
    }

    /// Checks the values against the catalog, sends them, and reads the whole answer.
    ///
    /// # Errors
    /// Before the run is sent: no such export, or two of that name ([`ErrorKind::Export`](crate::ErrorKind::Export));
    /// values that do not fit, all of them at once ([`ErrorKind::Input`](crate::ErrorKind::Input)). Then whatever keeps
    /// the call from a whole answer.
    pub async fn send(self) -> Result<ExportResponse, Error> {
        let (show, format) = (self.show.clone(), self.limits.format.clone());
        let request = self.check().await?;
        Ok(show.exports().send(request).await?.formatted(format))
    }

    /// Checks the values against the catalog and sends them. The answer is read as it comes: what breaks off then is not
    /// asked for again, as it is by [`send`](Self::send).
    ///
    /// # Errors
    /// As [`send`](Self::send), up to the headers of the answer.
    pub async fn stream(self) -> Result<ExportStream, Error> {
        let (show, limits) = (self.show.clone(), self.limits.clone());
        let request = self.check().await?;
        Ok(show.exports().stream(request).await?.limited(limits))
    }

    /// Sets the syntax of the rows, in place of what the content type says.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use perenso::exports::RowFormat;
    ///
    /// let vendors = show.exports().run("Vendors").format(RowFormat::csv().delimiter(b';'));
    /// let vendors: Vec<serde_json::Value> = vendors.send().await?.rows()?;
    /// # Ok(()) }
    /// ```
    pub fn format(mut self, format: RowFormat) -> Self {
        self.limits.format = Some(format);
        self
    }

    /// How many bytes a row may have: see [`ExportStream::row_limit`].
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.limits.row = bytes;
        self
    }

    /// How many bytes the answer may have: see [`ExportStream::total_limit`].
    pub fn total_limit(mut self, bytes: u64) -> Self {
        self.limits.total = bytes;
        self
    }

    /// Checks the values against the catalog, sends them, and gives the rows one by one.
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
    /// As [`stream`](Self::stream), and as [`ExportStream::rows`].
    pub async fn rows<T: FromRow>(self) -> Result<Rows<T>, Error> {
        self.stream().await?.rows()
    }

    /// Checks the values against the catalog, and gives the rows page by page as one stream. The two parameters of the
    /// paging may be left out: it starts at its beginning then, or where [`Paging::start`] says, with pages of
    /// [`Paging::limit`] rows, or 100. ([By key](Paging::by_key) there is no beginning: give the first key as a value.) Limits of bytes hold for each page. Nothing is sent before the stream is polled.
    ///
    /// # Errors
    /// As [`check`](Self::check), and as [`Exports::pages`](crate::Exports::pages).
    pub async fn pages<T: FromRow + Send + 'static>(self, paging: Paging) -> Result<Pages<T>, Error> {
        let Self { show, target, mut given, problems, limits } = self;
        let catalog = catalog_with(&show, &target).await?;
        let export = target.find(&catalog)?;
        given.extend(paging.missing(export, |name| given.iter().any(|(given, _)| given == name))?);
        Pages::new(&show, &export.fit(given, problems)?, &paging, limits)
    }

    /// Checks the values against the catalog, and gives all rows of the export as one stream: page by page where it has
    /// the parameters of the paging, by one request where it has none of them. For programs that know the name of an
    /// export from their user only.
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
    ///     let mut rows = show.exports().run(name).all_rows::<RawRow>(Paging::by_page().limit(20)).await?;
    ///     while let Some(row) = rows.try_next().await? { /* … */ }
    ///     assert_eq!(rows.report().pages, pages);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`pages`](Self::pages), so where the export has one of the parameters and not the other, too.
    pub async fn all_rows<T: FromRow + Send + 'static>(self, paging: Paging) -> Result<Pages<T>, Error> {
        let catalog = catalog_with(&self.show, &self.target).await?;
        if !paging.is_foreign_to(self.target.find(&catalog)?) {
            return self.pages(paging).await;
        }
        let (show, limits) = (self.show.clone(), self.limits.clone());
        Pages::single(&show, self.check().await?, &paging, limits)
    }

    /// Checks the values against the catalog, and sends nothing yet.
    ///
    /// # Errors
    /// As [`send`](Self::send) before the run is sent.
    pub async fn check(self) -> Result<CheckedRequest, Error> {
        let Self { show, target, given, problems, .. } = self;
        let catalog = catalog_with(&show, &target).await?;
        target.find(&catalog)?.fit(given, problems)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.given.iter().map(|(name, _)| name).collect();
        f.debug_struct("Run").field("target", &self.target).field("parameters", &names).finish_non_exhaustive()
    }
}

/// The catalog that is kept, or a new one where that does not know the export: it may have come since.
pub(crate) async fn catalog_with(show: &Perenso, target: &Target) -> Result<Arc<Catalog>, Error> {
    match show.catalog_cache().kept() {
        Some(catalog) if target.is_in(&catalog) => Ok(catalog),
        _ => show.exports().refresh().await,
    }
}

/// Takes fields as their JSON, as [`Run::raw`] does: whatever has a field for an unknown data type asked for that.
struct AsJson<'r>(&'r mut Vec<(String, Input)>);

impl FieldSink for AsJson<'_> {
    fn put<V: Serialize + ?Sized>(&mut self, name: &str, value: &V) {
        let json = serde_json::to_value(value).map(Value::Raw);
        self.0.push((name.to_owned(), Input::Written(json.map_err(|_| "something that cannot be written as JSON"))));
    }
}
