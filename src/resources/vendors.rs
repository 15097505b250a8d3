//! Vendors: bulk upsert, and single records by an inferred path.

use perenso_auth::{CallOptions, Idempotency};

use crate::{
    bulk::{BatchResponse, BulkWrite, Record},
    client::Perenso,
    error::Error,
    generated::prelude::*,
    records::JsonRecord,
    resources::Resource,
    types::*,
};

impl Perenso {
    /// Returns the calls on vendors: bulk upsert and single records.
    pub fn vendors(&self) -> Vendors<'_> {
        Vendors::new(self)
    }
}

/// The vendors of a show.
#[derive(Clone, Copy, Debug)]
pub struct Vendors<'a> {
    show: &'a Perenso,
}

impl<'a> Vendors<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    #[cfg_attr(partial_facade, cfg(facade = "vendors().upsert()"))]
    /// Updates vendors by their `vendorID`, creates those without one, and reports the outcome of every record.
    ///
    /// The API does not say which records were created and which were updated.
    ///
    /// Vendors without a `vendorID` are sent one by one and never retried after they may have been processed: the response
    /// would not tell two of them apart.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::Vendor;
    ///
    /// let (vendor_id, city) = ("V0001".into(), "Fargo".into());
    /// let vendor = Vendor { vendor_id, city, ..Vendor::default() };
    /// let report = show.vendors().upsert([vendor]).send().await?;
    /// assert_eq!(report.counts().succeeded, 1);
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk create and update vendors", "POST /v2/vendors/bulk", "/v2/vendors/bulk"))]
    pub fn upsert(&self, vendors: impl IntoIterator<Item = Vendor>) -> BulkWrite<Vendor> {
        BulkWrite::new(self.show, vendors)
    }

    /// Returns the calls on single vendors.
    ///
    /// The path `/Vendor` is inferred, since the vendor's pages do not show it; set another by [`Resource::at`]. The fields are
    /// not shown either.
    pub fn records(&self) -> Resource<JsonRecord> {
        Resource::of_records(self.show, "/Vendor")
    }
}

#[cfg_attr(partial_facade, cfg(facade = "vendors().upsert()"))]
impl Record for Vendor {
    const OPERATION: &'static str = "vendor_bulk_upsert";
    const KEY: Option<&'static str> = Some("vendorID");
    const KEY_IS_REQUIRED: bool = false;

    fn key(&self) -> Option<&str> {
        self.vendor_id.as_deref()
    }

    /// Sends a batch, which can be retried if all records have a key.
    async fn send(show: Perenso, batch: Vec<Self>, has_keys: bool) -> Result<BatchResponse, Error> {
        let show = match has_keys {
            true => {
                show.with_options(CallOptions::clone(show.options()).idempotency_by_default(Idempotency::Idempotent))
            }
            false => show,
        };
        let response = show.api().vendor_bulk_upsert().body(batch).send().await?.into_inner();
        Ok(BatchResponse::of_upsert(response, |success| &success.vendor_id, |failure| &failure.vendor_id))
    }
}
