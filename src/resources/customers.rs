//! Customers: list, create, read, update, delete and bulk upsert.

use crate::{
    bulk::{BatchResponse, BulkWrite, Record},
    client::Perenso,
    error::Error,
    generated::{operations, prelude::*},
    lists::{Changes, List, Watermark},
    records::Id,
    types::*,
};

impl Perenso {
    /// Returns the calls on customers: list, create, read, update, delete and bulk upsert.
    pub fn customers(&self) -> Customers<'_> {
        Customers::new(self)
    }
}

/// The customers of a show.
///
/// See the guide to [lists and bulk](crate::guide::lists_and_bulk).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// let customers = show.customers();
/// for customer in customers.list().page(1).await?.items {
///     println!("{customer:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Customers<'a> {
    show: &'a Perenso,
}

impl<'a> Customers<'a> {
    pub(crate) fn new(show: &'a Perenso) -> Self {
        Self { show }
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().list()"))]
    /// Returns a list of all customers, which can be restricted to those modified after a timestamp.
    #[doc(alias("Get a list of customers", "GET /Customer", "/Customer"))]
    pub fn list(&self) -> List<Customer> {
        List::new(self.show, &operations::CUSTOMER_LIST, |customer: &Customer| customer.id.as_deref())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().changes()"))]
    /// Reads everything that changed since a watermark: a date, a timestamp, or the watermark of the previous read.
    ///
    /// See [`Changes`] for the guarantees.
    #[doc(alias("modifiedAfter"))]
    pub fn changes(&self, since: impl Into<Watermark>) -> Changes<Customer> {
        Changes::new(self.list(), since.into(), |customer: &Customer| customer.modified_date.get().cloned())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().get()"))]
    /// Returns the customer with this `id` (not `customerID`).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// # let sandbox_id = show.customers().list().page(1).await?.items[0].id.as_deref().unwrap_or_default().to_owned();
    /// # let id = sandbox_id.as_str();
    /// let customer = show.customers().get(id).await?;
    /// assert_eq!(customer.id.as_deref(), Some(id));
    ///
    /// // An id that would change the path fails before anything is sent.
    /// assert!(show.customers().get("..").await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::is_not_found`] if there is none. An id that is empty, `.`, `..` or has control characters fails before
    /// anything is sent.
    #[doc(alias("Get a single customer", "GET /Customer/{id}", "/Customer/{id}"))]
    pub async fn get(&self, id: impl TryInto<Id, Error: std::fmt::Display>) -> Result<Customer, Error> {
        Ok(self.show.api().customer_get().id(id).send().await?.into_inner())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().create()"))]
    /// Creates a customer.
    ///
    /// Never retried after it may have been processed: if the response is lost, [`Error::may_have_written`] is true.
    /// [`upsert`](Self::upsert) matches by `customerID` and is safe to retry.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::types::Customer;
    ///
    /// let customer = Customer {
    ///     customer_id: "5041".into(),
    ///     customer_name: "Example Stores".into(),
    ///     ..Customer::default()
    /// };
    /// match show.customers().create(&customer).await {
    ///     Ok(created) => println!("its id is {:?}", created.id),
    ///     Err(error) if error.may_have_written() => eprintln!("check first: {error}"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The call fails, or its response cannot be read.
    #[doc(alias("Create a new customer", "POST /Customer", "/Customer"))]
    pub async fn create(&self, customer: &Customer) -> Result<Customer, Error> {
        Ok(self.show.api().customer_create().body(customer.clone()).send().await?.into_inner())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().create_with_ordering_groups()"))]
    /// Creates a customer, and the ordering groups that it names if they do not exist.
    ///
    /// # Errors
    /// Fails as [`create`](Self::create) does.
    #[doc(alias("createMissingOrderingGroups"))]
    pub async fn create_with_ordering_groups(&self, customer: &Customer) -> Result<Customer, Error> {
        let request = self.show.api().customer_create().body(customer.clone()).create_missing_ordering_groups(true);
        Ok(request.send().await?.into_inner())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().update()"))]
    /// Updates a customer.
    ///
    /// A field with a value is set, and [`Field::Null`](crate::Field::Null) clears it. [`Field::Unset`](crate::Field::Unset) is
    /// not sent; the vendor does not document if the server keeps such fields.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use perenso::{Field, types::Customer};
    ///
    /// # let made = show.customers().create(&Customer { customer_id: "5041".into(), ..Customer::default() }).await?;
    /// # let id = made.id.as_deref().unwrap_or_default();
    /// let city = "Fargo".into();
    /// let change = Customer { city, fax: Field::Null, ..Customer::default() };
    /// let customer = show.customers().update(id, &change).await?;
    /// assert_eq!(customer.city.as_deref(), Some("Fargo"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    #[doc(alias("Update a customer", "PUT /Customer/{id}", "/Customer/{id}"))]
    pub async fn update(
        &self,
        id: impl TryInto<Id, Error: std::fmt::Display>,
        customer: &Customer,
    ) -> Result<Customer, Error> {
        Ok(self.show.api().customer_update().id(id).body(customer.clone()).send().await?.into_inner())
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().delete()"))]
    /// Deletes a customer. A 404 after an attempt whose response was lost counts as success.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// # let made = show.customers().create(&perenso::types::Customer::default()).await?;
    /// # let id = made.id.as_deref().unwrap_or_default();
    /// show.customers().delete(id).await?;
    /// assert!(show.customers().get(id).await.is_err_and(|error| error.is_not_found()));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    #[doc(alias("Delete a single customer", "DELETE /Customer/{id}", "/Customer/{id}"))]
    pub async fn delete(&self, id: impl TryInto<Id, Error: std::fmt::Display>) -> Result<(), Error> {
        gone(self.show.api().customer_delete().id(id).send().await.map(drop))
    }

    #[cfg_attr(partial_facade, cfg(facade = "customers().upsert()"))]
    /// Creates or updates customers by their `customerID`, in batches, and reports the outcome of every record.
    ///
    /// The API does not say which records were created and which were updated.
    ///
    /// ```no_run
    /// # use perenso::{Error, Perenso, types::CustomerV2};
    /// # async fn example(show: Perenso, from_erp: Vec<CustomerV2>) -> Result<(), Error> {
    /// let report = show.customers().upsert(from_erp).send().await?;
    /// for reason in report.reasons() {
    ///     println!("{} x {}", reason.count, reason.text);
    /// }
    /// let next_time = report.into_retry();
    /// # Ok(()) }
    /// ```
    #[doc(alias("Bulk create and update customers", "POST /v2/customers/bulk", "/v2/customers/bulk"))]
    pub fn upsert(&self, customers: impl IntoIterator<Item = CustomerV2>) -> BulkWrite<CustomerV2> {
        BulkWrite::new(self.show, customers)
    }
}

/// Turns a 404 into success if an earlier attempt may have deleted the record.
pub(crate) fn gone(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if error.is_not_found() && error.may_have_written() => Ok(()),
        result => result,
    }
}

#[cfg_attr(partial_facade, cfg(facade = "customers().upsert()"))]
impl Record for CustomerV2 {
    const OPERATION: &'static str = "customer_bulk_upsert";
    const KEY: Option<&'static str> = Some("customerID");
    const KEY_IS_REQUIRED: bool = true;

    fn key(&self) -> Option<&str> {
        self.customer_id.as_deref()
    }

    async fn send(show: Perenso, batch: Vec<Self>, _: bool) -> Result<BatchResponse, Error> {
        let response = show.api().customer_bulk_upsert().body(batch).send().await?.into_inner();
        Ok(BatchResponse::of_upsert(response, |success| &success.customer_id, |failure| &failure.customer_id))
    }
}
