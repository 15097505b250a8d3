//! Vendors: in bulk, the only call on them that is known.

use perenso_auth::{CallOptions, Repeat};

use crate::{
    bulk::{Bulk, BulkProgress, BulkReport, Record},
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
    pub fn upsert(&self, vendors: impl IntoIterator<Item = Vendor>) -> VendorBulk {
        VendorBulk { show: self.show.clone(), bulk: Bulk::new("vendor_bulk_upsert", vendors) }
    }
}

impl Record for Vendor {
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
}

/// A bulk upsert of vendors in the making.
#[derive(Debug)]
#[must_use = "a bulk upsert is sent by `send`"]
pub struct VendorBulk {
    show: Perenso,
    bulk: Bulk<Vendor>,
}

impl VendorBulk {
    /// How many records with an id go out in one call; 500 without it. The vendor documents no limit.
    pub fn batch_size(mut self, records: usize) -> Self {
        self.bulk.set_batch_size(records);
        self
    }

    /// Calls `call` after each batch, with the counts so far.
    pub fn on_progress(mut self, call: impl FnMut(&BulkProgress) + Send + 'static) -> Self {
        self.bulk.on_progress(call);
        self
    }

    /// Stops when `future` completes: the request in flight is waited for, no other is sent, and the records that are left are
    /// [`NotSent`](crate::RecordOutcome::NotSent). While no request is in flight (waiting for the rate budget, a token or a
    /// `Retry-After`) the stop takes effect at once. A batch that was refused with 429 was not processed: it is `NotSent` too.
    pub fn stop_when(mut self, future: impl Future<Output = ()> + Send + 'static) -> Self {
        self.show = self.show.with_options(CallOptions::new().stop_when(future));
        self
    }

    /// Looks whether the records can be told apart, which [`send`](Self::send) does too; here they stay in hand.
    ///
    /// # Errors
    /// All keys that are missing, empty or there twice, at once: [`Error::problems`].
    pub fn check(&self) -> Result<(), Error> {
        self.bulk.check()
    }

    /// Sends batch after batch. A batch that is refused as a whole is taken apart and sent in halves; a fault ends it; what came of every record stands in the report.
    ///
    /// # Errors
    /// Before anything is sent: when two records have the same key, or a key is empty.
    pub async fn send(self) -> Result<BulkReport<Vendor>, Error> {
        let Self { show, bulk } = self;
        let keyed = show.with_options(CallOptions::clone(show.options()).repeat_by_default(Repeat::Keyed));
        let call = |batch, has_keys| {
            let api = if has_keys { keyed.api() } else { show.api() };
            async move { Ok(api.vendor_bulk_upsert().body(batch).send().await?.into_inner()) }
        };
        bulk.send(|| show.options().is_stopped(), call).await
    }
}
