//! Vendors: in bulk, the only call on them that is known.

use perenso_auth::{CallOptions, Idempotency};

use crate::{
    bulk::{BulkUpsert, Record},
    client::Perenso,
    error::Error,
    generated::{ClientVendorExt, types},
    types::Vendor,
};

impl Perenso {
    /// Vendors: in bulk.
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

    /// Updates vendors by their `vendorID` and creates those that have none, and accounts for every one of them.
    ///
    /// The API does not say which records were created and which updated.
    ///
    /// Those without an id go out one by one and never twice: nothing in an answer would tell two of them apart.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::Vendor;
    ///
    /// let vendor = Vendor { vendor_id: "V0001".into(), city: "Fargo".into(), ..Vendor::default() };
    /// let report = show.vendors().upsert([vendor]).send().await?;
    /// assert_eq!(report.counts().succeeded, 1);
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk create and update vendors", "POST /v2/vendors/bulk", "/v2/vendors/bulk"))]
    pub fn upsert(&self, vendors: impl IntoIterator<Item = Vendor>) -> BulkUpsert<Vendor> {
        BulkUpsert::new(self.show, vendors)
    }
}

impl Record for Vendor {
    const OPERATION: &'static str = "vendor_bulk_upsert";
    const KEY: &'static str = "vendorID";
    const KEY_IS_REQUIRED: bool = false;

    fn key(&self) -> Option<&str> {
        self.vendor_id.as_deref()
    }

    fn key_of_success(success: &types::BulkSuccess) -> Option<&str> {
        success.vendor_id.as_deref()
    }

    fn key_of_failure(failure: &types::BulkFailure) -> Option<&str> {
        failure.vendor_id.as_deref()
    }

    /// A batch in which all records have a key can be sent again.
    async fn send(show: Perenso, batch: Vec<Self>, has_keys: bool) -> Result<types::BulkAnswer, Error> {
        let show = match has_keys {
            true => {
                show.with_options(CallOptions::clone(show.options()).idempotency_by_default(Idempotency::Idempotent))
            }
            false => show,
        };
        Ok(show.api().vendor_bulk_upsert().body(batch).send().await?.into_inner())
    }
}
